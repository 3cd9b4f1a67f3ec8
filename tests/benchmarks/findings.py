"""Measures the findings workbook and the list of findings of a large estate; prints, asserts nothing.

    python -m tests.benchmarks.findings [--vms 100000] [--keep FOLDER]

An estate is generated and assessed; what is measured is only what comes after. The same cells are written
once more with bare openpyxl, of a sample and in proportion: between machines that ratio can be compared.
"""

import argparse
import tempfile
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time

from msgspec.structs import replace

from readiness.app.assess import assess
from readiness.app.generate import GenerateRequest, generate
from readiness.model.assessment import Assessment
from reports.findings import findings_csv, write_findings_workbook
from tests.benchmarks.assess_large import AS_OF
from tests.benchmarks.workbook import write_bare

_SAMPLE = 2000


def main() -> None:
    """Generate, assess, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vms", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="folder for the estate, used again if it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(options.keep or Path(scratch), Path(scratch), options.vms)


def measure(home: Path, scratch: Path, vms: int) -> None:
    """Write workbook and list of an estate of so many VMs into a scratch folder, and print what it took."""
    folder = home / str(vms)
    if not (folder / "estate.json").exists():
        generate(GenerateRequest(vms=vms, seed=1, to=folder))
    began = perf_counter()
    assessment = assess(folder, AS_OF)
    print(f"assessed {len(assessment.vms):,} VMs in {perf_counter() - began:.1f} s (not counted)", flush=True)
    before = _peak()
    workbook = scratch / "findings.xlsx"
    spent, busy = _written(assessment, workbook)
    size = workbook.stat().st_size / 1e6
    print(f"workbook: {spent:.1f} s (processor {busy:.1f} s), {size:.1f} MB", flush=True)
    began, worked = perf_counter(), process_time()
    lines = 0
    with (scratch / "findings.csv").open("wb") as file:
        for piece in findings_csv(assessment):
            lines += piece.count(b"\n")
            file.write(piece)
    spent, busy = perf_counter() - began, process_time() - worked
    size = (scratch / "findings.csv").stat().st_size / 1e6
    print(f"list: {lines:,} lines in {spent:.1f} s (processor {busy:.1f} s), {size:.0f} MB")
    print(f"peak memory {_peak():.0f} MB, of which estate and assessment {before:.0f} MB", flush=True)
    sample = scratch / "sample.xlsx"
    some = replace(assessment, vms=assessment.vms[:_SAMPLE])
    _written(some, sample)
    ours, _ = _written(some, sample)
    cells, bare = write_bare(sample)
    print(f"{cells:,} styled cells: {ours:.2f} s, bare openpyxl {bare:.2f} s, {ours / bare:.2f} times")


def _written(assessment: Assessment, path: Path) -> tuple[float, float]:
    """Write a workbook; return the seconds it took, and those of the processor."""
    began, worked = perf_counter(), process_time()
    with path.open("wb") as file:
        write_findings_workbook(file, assessment)
    return perf_counter() - began, process_time() - worked


def _peak() -> float:
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
