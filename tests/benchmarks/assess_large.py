"""Measures `readiness assess --output json` on large generated estates. Prints a table; asserts nothing.

    python -m tests.benchmarks.assess_large [--vms 100000] [--profile] [--keep FOLDER]

Two sizes are measured, a quarter and the whole, each by the real command in a process of its own, and once
more in steps to see where the time goes. What can be compared between machines is the growth.
"""

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import suppress
from datetime import date
from itertools import pairwise
from pathlib import Path

from readiness.app.assess import as_json
from readiness.app.generate import GenerateRequest, generate
from readiness.app.judging import judge_all
from readiness.app.release import RELEASE
from readiness.azure.collection import collect
from readiness.rules.evaluate import evaluate
from readiness.store.estate_files import read_context, read_gaps, read_info, read_resources

AS_OF = date(2026, 11, 2)
_STEPS = ("read+parse", "context", "rules", "write")
_HEAVIEST = 25
_GLANCE = 2.0
"""Seconds between two looks at the memory of a command: each look stops it for a moment."""


def main() -> None:
    """Generate, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vms", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the estates, used again if they are there")
    parser.add_argument("--profile", action="store_true", help="also profile the smaller estate")
    parser.add_argument("--steps", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps:
        print(json.dumps(_in_steps(options.steps)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        home: Path = options.keep or Path(scratch)
        measure(home, (options.vms // 4, options.vms), options.seed)
        if options.profile:
            _profile(home / f"{options.vms // 4}")


def measure(home: Path, sizes: tuple[int, int], seed: int) -> None:
    """Assess estates of these sizes in a folder, and print what each took and how it grew."""
    costs = []
    print("     VMs  resources    wall     CPU   VMs/s  peak MB  read+parse  context   rules   write")
    for vms in sizes:
        folder = home / str(vms)
        count = _estate(folder, vms, seed)
        seconds, busy, peak = _command(folder)
        steps = _child_steps(folder)
        costs.append(busy / vms)
        split = f"{steps['read+parse']:10.1f}s {steps['context']:7.1f}s {steps['rules']:6.1f}s"
        row = f"{vms:8,} {count:10,} {seconds:6.1f}s {busy:6.1f}s {vms / seconds:7,.0f} {peak:8,.0f}"
        print(f"{row} {split} {steps['write']:6.1f}s", flush=True)
    print(f"CPU seconds of a VM at {sizes[1]:,} against {sizes[0]:,}: {costs[1] / costs[0]:.2f} x")


def _estate(folder: Path, vms: int, seed: int) -> int:
    """Generate an estate unless it is there, and return how many resources it has."""
    if not (folder / "estate.json").exists():
        began = time.perf_counter()
        generate(GenerateRequest(vms=vms, seed=seed, to=folder))
        print(f"generated {vms:,} VMs in {time.perf_counter() - began:.1f} s", flush=True)
    with (folder / "resources.jsonl").open("rb") as lines:
        return sum(1 for _ in lines)


def _command(folder: Path) -> tuple[float, float, float]:
    """Run the command as users do; return its wall seconds, its CPU seconds and its peak memory in MB."""
    arguments = ["assess", str(folder), "--as-of", AS_OF.isoformat(), "--output", "json", "--no-history"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    peak = 0.0
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([sys.executable, "-m", "readiness", *arguments], stdout=out)
        while child.poll() is None:
            peak = max(peak, _resident(child.pid))
            time.sleep(_GLANCE)
    seconds = time.perf_counter() - began
    if child.returncode != 0:
        raise SystemExit(f"readiness assess ended with {child.returncode}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime
    return seconds, busy - before.ru_utime - before.ru_stime, peak


def _resident(pid: int) -> float:
    """Return the megabytes that a process and its workers occupy, what they share counted once (Linux)."""
    total = 0
    family = [str(pid)]
    for each in family:
        with suppress(OSError):
            family += Path(f"/proc/{each}/task/{each}/children").read_text().split()
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            total += int(rollup.partition("\nPss:")[2].split()[0])
    return total / 1024


def _child_steps(folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.assess_large", "--steps", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _in_steps(folder: Path) -> dict[str, float]:
    """Assess an estate in this process, step by step."""
    marks = [time.perf_counter()]
    collection = collect(read_resources(folder), read_gaps(folder))
    marks.append(time.perf_counter())
    estate = collection.estate(read_info(folder), read_context(folder, collection.names()))
    marks.append(time.perf_counter())
    assessment = evaluate(estate, as_of=AS_OF, release=RELEASE, judged=judge_all(estate, AS_OF))
    marks.append(time.perf_counter())
    deque(as_json(assessment), maxlen=0)
    marks.append(time.perf_counter())
    return dict(zip(_STEPS, (after - before for before, after in pairwise(marks)), strict=True))


def _profile(folder: Path) -> None:
    profile = cProfile.Profile()
    profile.runcall(_in_steps, folder)
    print(f"\nby own time, {folder.name} VMs:")
    pstats.Stats(profile).sort_stats("tottime").print_stats(_HEAVIEST)


if __name__ == "__main__":
    main()
