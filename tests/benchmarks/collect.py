"""Measures what it costs to collect a large estate from a twin in this process: requests, and the wall."""

import sys
import tempfile
import time
from pathlib import Path

from readiness.app.collecting import Collection, CollectRequest
from readiness.app.generate import GenerateRequest, generate

VMS = 20_000


def show(folder: Path, *, vms: int = VMS) -> None:
    """Collect an invented estate of so many VMs, and print the table."""
    source = folder / "source"
    if not (source / "estate.json").exists():
        generate(GenerateRequest(vms=vms, seed=1, to=source))
    began = time.perf_counter()
    collection = Collection(CollectRequest(to=folder / "collected", twin=source))
    seeded = time.perf_counter() - began
    began = time.perf_counter()
    report = collection.execute()
    collected = time.perf_counter() - began
    each = 1_000_000 * collected / report.resources
    print("\ncollect           VMs  resources  requests     seed  collect   each resource    gaps")
    row = f"{vms:9,} {report.resources:10,} {report.requests:9,} {seeded:7.2f}s {collected:7.2f}s"
    print(f"            {row} {each:12.0f} us {len(report.gaps):7}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        show(Path(place), vms=int(sys.argv[1]) if len(sys.argv) > 1 else VMS)
