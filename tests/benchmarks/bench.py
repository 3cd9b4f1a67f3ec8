"""Measures what an assessment, a wave and a start cost, and how that grows. Prints a table; asserts nothing.

    python -m tests.benchmarks.bench

Figures depend on the machine; what can be compared are the ratios within one run.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from readiness.model.ids import ResourceId
from readiness.model.run import RunInfo, StepResult
from readiness.store.journal import SqliteJournal
from tests.benchmarks import collect as collecting
from tests.benchmarks import page as pages
from tests.benchmarks import plan as planning
from tests.benchmarks import runs
from tests.benchmarks import twin as twins
from tests.benchmarks.assess_large import measure

RELEASE = "bench"
ASSESSED = (25_000, 100_000)
JOURNALED = 3_000
STARTS = 5


def main() -> None:
    """Run every benchmark and print its table."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), ASSESSED, seed=1)
        runs.show(Path(folder) / "runs")
        _show_journal(Path(folder))
        twins.show(Path(folder) / "twin")
        collecting.show(Path(folder) / "collect")
        planning.show(Path(folder))
    pages.main()
    _show_start()
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")


def _info() -> RunInfo:
    return RunInfo(
        id="bench",
        plan="0" * 64,
        wave=1,
        place="twin",
        approved_by="bench",
        release=RELEASE,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


# Journal and start --------------------------------------------------------------------------------------


def _show_journal(folder: Path) -> None:
    at, result = datetime(2026, 11, 22, tzinfo=UTC), StepResult(ok=True, detail="done")
    rates = {}
    on_disk, in_memory = SqliteJournal.open(folder / "run", _info()), SqliteJournal.in_memory(_info())
    for name, journal in (("file, synchronous=FULL", on_disk), ("memory", in_memory)):
        with closing(journal):
            began = time.perf_counter()
            for number in range(JOURNALED // 3):
                vm = ResourceId(f"/subscriptions/s/vms/{number % 40}")
                journal.intend(vm, f"step-{number}", at)
                journal.begun(vm, f"step-{number}", "t" * 800)
                journal.ended(vm, f"step-{number}", result, at)
            rates[name] = JOURNALED / (time.perf_counter() - began)
    print("\njournal           writes/s")
    for name, rate in rates.items():
        print(f"  {name:24}{rate:9,.0f}")


def _show_start() -> None:
    nothing = _fastest(["-c", "pass"])
    helped = _fastest(["-m", "readiness", "--help"])
    print("\nstart             wall")
    print(f"  python -c pass    {1000 * nothing:5.0f} ms")
    print(f"  readiness --help  {1000 * helped:5.0f} ms   {helped / nothing:.1f} x")


def _fastest(arguments: list[str]) -> float:
    """Return the shortest of a few runs of Python with these arguments, in wall seconds."""
    found = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    main()
