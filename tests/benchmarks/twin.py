"""Measures what a twin costs: reading a seed, planting it, a GET, and a deallocation with all its polls."""

import gc
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.clock import VirtualClock
from readiness.twin.core import Request, Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.seed import load
from readiness.twin.transport import TwinTransport
from tests.benchmarks.estates import COPIED, write_estate

START = datetime(2026, 11, 22, tzinfo=UTC)
VMS = 20_000
GETS = 2_000
DEALLOCATIONS = 200
VM = "/providers/microsoft.compute/virtualmachines/"


def show(folder: Path, *, vms: int = VMS) -> None:
    """Measure a twin of so many VMs, and print the table."""
    if not (folder / "resources.jsonl").exists():
        write_estate(folder, vms // COPIED)
    began = time.perf_counter()
    resources = load(folder)
    read = time.perf_counter() - began
    began = time.perf_counter()
    clock = VirtualClock(START)
    twin = Twin(resources, clock=clock)
    planted = time.perf_counter() - began
    gc.collect()
    gc.freeze()  # as `twin serve` does
    ids = [each["id"] for each in resources if VM in str(each.get("id")).lower()]
    ids = [each for each in ids if each.lower().partition(VM)[2].count("/") == 0]
    print("\ntwin              VMs  resources     read    plant   GET     deallocate (SDK, to its end)")
    row = f"{len(ids):9,} {len(resources):10,} {read:7.2f}s {planted:7.2f}s"
    print(f"            {row} {_get(twin, clock, ids):6.3f} ms {_deallocate(twin, ids):6.2f} ms CPU")


def _get(twin: Twin, clock: VirtualClock, ids: list[str]) -> float:
    began = time.perf_counter()
    for number in range(GETS):
        twin.handle(Request("GET", ids[number % len(ids)], {"api-version": "2026-04-01"}))
        clock.sleep(1)  # within what Resource Manager allows
    return 1000 * (time.perf_counter() - began) / GETS


def _deallocate(twin: Twin, ids: list[str]) -> float:
    """Deallocate machines one after the other through the SDK; the first one warms it up."""
    clients: dict[str, ComputeManagementClient] = {}
    began = 0.0
    for number, vm in enumerate(ids[: DEALLOCATIONS + 1]):
        words = vm.split("/")
        client = clients.get(words[2]) or clients.setdefault(words[2], _client(twin, words[2]))
        if number == 1:
            began = time.process_time()
        client.virtual_machines.begin_deallocate(words[4], words[-1]).result()
    return 1000 * (time.process_time() - began) / DEALLOCATIONS


def _client(twin: Twin, subscription: str) -> ComputeManagementClient:
    return ComputeManagementClient(
        TwinCredential(), subscription, transport=TwinTransport(twin), base_url="https://twin.invalid"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        show(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            show(Path(place))
