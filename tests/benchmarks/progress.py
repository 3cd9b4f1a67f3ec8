"""Measures the history: recording it, and reports over many snapshots. Prints; asserts nothing.

    python -m tests.benchmarks.progress [--vms 20000] [--snapshots 100] [--keep FOLDER]

One estate is generated and assessed; a seeded walk makes the later assessments of it: VMs are upgraded, some
lose what they had, some come and go. Every one is recorded as `assess` records it. The report is made by the
real command in a process of its own, so that its memory is its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

from msgspec.structs import replace

from readiness.app.assess import assess
from readiness.app.generate import GenerateRequest, generate
from readiness.app.history import record_assessment
from readiness.model.assessment import Assessment, Classification, OpenControl, Standing, VmAssessment
from readiness.model.ids import ResourceId
from readiness.model.levels import Answered, reached
from readiness.model.verdict import Dimension

FIRST = date(2025, 1, 5)
_STEP = timedelta(days=7)
_UPGRADED, _LOST, _CAME, _WENT = 0.02, 0.002, 0.003, 0.002
"""Shares of the VMs that change from one snapshot to the next."""


def main() -> None:
    """Make a history, report on it, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vms", type=int, default=20_000)
    parser.add_argument("--snapshots", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the history, used again if it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(options.keep or Path(scratch), options.vms, options.snapshots, options.seed)


def measure(home: Path, vms: int, snapshots: int, seed: int) -> None:
    """Record a history in a folder unless it is there, and print what a report on it takes."""
    state = home / "state"
    if not (state / "history.sqlite").exists():
        _record(home, vms, snapshots, seed)
    size = (state / "history.sqlite").stat().st_size / 1e6
    print(f"history of {snapshots} snapshots of {vms:,} VMs: {size:,.0f} MB")
    for arguments in (
        ["progress", "--to", str(home / "out")],
        ["compare", "previous", "latest", "--output", "csv"],
        ["compare", "first", "latest", "--output", "csv"],
    ):
        seconds, busy, peak = _command([*arguments, "--state", str(state)])
        print(
            f"report {' '.join(arguments[:3]):32} {seconds:6.1f} s   CPU {busy:5.1f} s   {peak:6,.0f} MB",
            flush=True,
        )


def walk(start: Assessment, snapshots: int, seed: int) -> Iterator[Assessment]:
    """Yield assessments of an estate that gets better week by week, though not everywhere."""
    chance = Random(seed)  # noqa: S311  invented estates hold no secrets
    levels = {one.id: one.level for one in start.summary.controls if one.mandatory}
    vms = list(start.vms)
    for number in range(snapshots):
        if number:
            vms = [vm for vm in vms if chance.random() >= _WENT]
            for position, vm in enumerate(vms):
                draw = chance.random()
                if vm.level is not None and draw < _UPGRADED + _LOST:
                    vms[position] = _moved(vm, chance, levels, up=draw < _UPGRADED)
            born = chance.sample(vms, int(len(vms) * _CAME))
            vms += [_another(vm, f"{number}-{index}") for index, vm in enumerate(born)]
        yield replace(start, as_of=FIRST + number * _STEP, vms=tuple(vms))


def _moved(vm: VmAssessment, chance: Random, levels: dict[str, int], *, up: bool) -> VmAssessment:
    """Return a VM after an upgrade of one dimension, or after it lost one; its level follows its controls."""
    dimension = chance.choice(tuple(Dimension))
    known = vm.dimensions[dimension]
    after = Standing(classification=Classification.SATISFIED) if up else replace(known, classification=_LOSER)
    kept: list[OpenControl] = [one for one in vm.controls if not up or chance.random() < 0.7]
    answers = [
        Answered(levels[one.id], one.verdict, one.exception is not None) for one in kept if one.id in levels
    ]
    return replace(
        vm, dimensions={**vm.dimensions, dimension: after}, controls=tuple(kept), level=reached(answers)
    )


def _another(vm: VmAssessment, mark: str) -> VmAssessment:
    return replace(vm, id=ResourceId(f"{vm.id.text}-{mark}"), name=f"{vm.name}-{mark}")


def _record(home: Path, vms: int, snapshots: int, seed: int) -> None:
    estate = home / "estate"
    generate(GenerateRequest(vms=vms, seed=seed, to=estate))
    start = assess(estate, FIRST)
    spent = []
    for one in walk(start, snapshots, seed):
        began = time.perf_counter()
        record_assessment(home / "state", one)
        spent.append(time.perf_counter() - began)
    each = sorted(spent[1:])[len(spent) // 2 - 1]
    print(f"recording: the first {spent[0]:.1f} s, each later one {each:.1f} s (median)", flush=True)


def _command(arguments: list[str]) -> tuple[float, float, float]:
    """Run `readiness report` as users do; return its wall and CPU seconds, and its peak memory in MB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([sys.executable, "-m", "readiness", "report", *arguments], stdout=out)
        _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"readiness report ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


_LOSER = Classification.READY

if __name__ == "__main__":
    main()
