"""Measures what planning costs: `build_plan` on generated estates with three dependencies a VM.

    python -m tests.benchmarks.plan [--keep FOLDER]

Each size is planned in a process of its own, so that the memory is its own. Prints a table; asserts nothing.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.collector import paused_collector
from readiness.app.estates import load
from readiness.app.generate import GenerateRequest, generate
from readiness.app.judging import judge_all
from readiness.model.context import Dependency
from readiness.model.estate import Estate
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate

AS_OF = date(2026, 11, 22)
SIZES = (5_000, 100_000)
EDGES = 3
"""Dependencies a VM."""
_NEAR = 50
"""A VM needs others at most so far before it."""


def main() -> None:
    """Plan each size, or the one estate that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder for the estates, used again if they are there")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _measure(options.one)
        return
    with tempfile.TemporaryDirectory() as scratch:
        show(options.keep or Path(scratch))


def show(home: Path) -> None:
    """Plan estates of the sizes in a folder, and print what each took."""
    print(
        "\nplan              VMs      edges    waves  at least   ratio  planned     time   peak MB",
        flush=True,
    )
    for vms in SIZES:
        folder = home / str(vms)
        if not (folder / "estate.json").exists():
            generate(GenerateRequest(vms=vms, seed=1, to=folder))
        command = [sys.executable, "-m", "tests.benchmarks.plan", "--one", str(folder)]
        subprocess.run(command, check=True)


@paused_collector()
def _measure(folder: Path) -> None:
    estate = load(folder)
    _connect(estate)
    judged = judge_all(estate, AS_OF)
    assessment = evaluate(estate, as_of=AS_OF, release="bench", judged=judged)
    began = time.perf_counter()
    plan = build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy()))
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = used / (1024 if sys.platform != "darwin" else 1024**2)
    size = f"{len(estate.vms):9,} {len(estate.context.dependencies):10,}"
    quality = f"{len(plan.waves):8,} {plan.lower_bound:9,} {plan.ratio:7.3f} {len(plan.vms):8,}"
    print(f"      {size} {quality} {seconds:7.1f}s {peak:9,.0f}", flush=True)


def _connect(estate: Estate) -> None:
    """Add soft dependencies until there are three a VM; the same ones every time, and never a cycle."""
    known = list(estate.context.dependencies)
    ids = [vm.id for vm in estate.vms]
    for number in range(1, len(ids) * EDGES):
        if len(known) >= len(ids) * EDGES:
            break
        position = number % (len(ids) - 1) + 1
        known.append(Dependency(source=ids[position], target=ids[max(0, position - 1 - number % _NEAR)]))
    estate.context = replace(estate.context, dependencies=tuple(known))


if __name__ == "__main__":
    main()
