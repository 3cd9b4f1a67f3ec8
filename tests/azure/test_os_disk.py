"""The swap of an OS disk through the real SDK on a twin: made, put in place, kept apart, refused."""

from typing import Any

import pytest

from readiness.azure import wire
from readiness.azure.os_disk import restored_id
from readiness.model.ids import ResourceId
from readiness.model.steps import SwapOsDisk, TakeSnapshot, snapshot_id
from readiness.ports.cloud import Done, Failed, Pending, Progress
from tests.azure.test_perform import CUSTOMER, MACHINE, OS, STARTED, Process, context, on, writes
from tests.twin import seeds
from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, OS_DISK, TRUSTED, VM, deallocated, disk, estate

SNAPSHOT = TakeSnapshot(vm=MACHINE, disk=OS)
SWAP = SwapOsDisk(vm=MACHINE, disk=OS)
NEW = restored_id(SWAP, context())


def snapped(*others: dict[str, Any], machine: dict[str, Any] | None = None, **more: Any) -> Process:
    """Return a process on a machine that is off, after the snapshot of its OS disk."""
    process = on(*estate(*others, machine=machine or deallocated()), **more)
    assert isinstance(process.do(SNAPSHOT), Done)
    return process


def os_disk(process: Process) -> str:
    """Return the id of the machine's OS disk."""
    shown: str = process.wire.get(VM)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
    return shown


def refusal(process: Process) -> tuple[str, str]:
    """Return code and words of a swap that is refused, having changed nothing."""
    before = len(writes(process))
    answer = process.begin(SWAP)
    assert isinstance(answer, Failed), answer
    assert before == len(writes(process))
    return answer.code, answer.detail


def test_a_disk_of_the_snapshot_takes_its_place() -> None:
    """The new disk is made like the old one, takes its place, and the old one is kept and named."""
    old = disk("web-1-os", encryption=CUSTOMER_KEY, networkAccessPolicy="DenyAll") | {
        "sku": {"name": "Premium_LRS"},
        "zones": ["2"],
        "tags": {"app": "shop"},
    }
    data = disk("web-1-data", osType=None) | {"zones": ["2"]}
    process = snapped(old, data, machine=deallocated() | {"zones": ["2"]})
    assert Done(f"{NEW.name} is its OS disk now; web-1-os is kept") == process.do(SWAP)
    assert NEW == ResourceId(os_disk(process))
    made, kept = process.wire.get(NEW.text), process.wire.get(OS_DISK)
    assert ("Premium_LRS", ["2"]) == (made["sku"]["name"], made["zones"])
    alike = ("diskSizeGB", "hyperVGeneration", "osType", "networkAccessPolicy")
    assert {name: kept["properties"][name] for name in alike} == {
        name: made["properties"][name] for name in alike
    }
    assert CUSTOMER == wire.disk(made).encryption
    source = snapshot_id(SNAPSHOT, "0123456789ab", STARTED)
    assert source == ResourceId(made["properties"]["creationData"]["sourceResourceId"])
    assert ("shop", "0123456789ab", "rg-app/web-1", "rg-app/web-1-os") == tuple(
        made["tags"][name] for name in ("app", "readiness-plan", "readiness-vm", "readiness-replaces")
    )
    assert ("Unattached", "Reserved") == (kept["properties"]["diskState"], made["properties"]["diskState"])
    assert ["PUT", "PUT", "PATCH"] == writes(process)


def test_the_machine_starts_from_it() -> None:
    """A machine whose OS disk was swapped starts, and asked for again the swap is found in place."""
    process = snapped()
    process.do(SWAP)
    process.wire.do("POST", f"{VM}/start")
    assert "PowerState/running" == process.wire.power()
    assert isinstance(process.begin(SWAP), Done)
    assert ["PUT", "PUT", "PATCH", "POST"] == writes(process)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6])
def test_a_crash_anywhere_repeats_nothing(steps: int) -> None:
    """Whatever was begun when the process died, the next one goes on from what is there."""
    first = snapped()
    progress: Progress = first.begin(SWAP)
    for _ in range(steps):
        if not isinstance(progress, Pending):
            break
        first.wire.clock.sleep(progress.retry_after)
        token = progress.token
        progress = first.begin(SWAP) if token is None else first.cloud.poll(SWAP, token)
    assert isinstance(Process(first.wire).do(SWAP), Done)
    assert ["PUT", "PUT", "PATCH"] == writes(first)


def test_a_disk_that_failed_is_made_again() -> None:
    """A disk whose creation failed is made again, not attached."""
    fault = {"kind": "fail", "operation": "disks/write", "at": "end", "code": "Internal", "message": "oh"}
    process = snapped(faults=[fault])
    assert Failed("Internal", "oh") == process.do(SWAP)
    assert OS == ResourceId(os_disk(process))
    assert isinstance(process.do(SWAP), Done)


def test_another_moment_is_another_snapshot() -> None:
    """The snapshot before a conversion is told apart from the one taken while off."""
    early = SwapOsDisk(vm=MACHINE, disk=OS, moment="before-conversion")
    assert restored_id(early, context()) != NEW
    answer = snapped().begin(early)
    assert isinstance(answer, Failed)
    assert "SnapshotMissing" == answer.code


def test_a_machine_that_runs_is_left_alone() -> None:
    """No disk is swapped beneath a machine that is not deallocated."""
    assert "VmNotDeallocated" == refusal(on())[0]


def test_another_security_type_is_refused() -> None:
    """Configuration goes back first: what became Trusted Launch does not take a disk of before."""
    process = snapped()
    process.wire.do("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})
    code, words = refusal(process)
    assert "SwapMismatch" == code
    assert "its security type is standard, the VM's is trustedlaunch" in words


def test_another_generation_is_refused() -> None:
    """A machine that was converted to generation 2 does not take the disk of generation 1 back."""
    process = snapped(disk("web-1-os", hyperVGeneration="V1"))
    found = process.wire.twin._world.state.find(OS_DISK)
    assert found is not None
    found["properties"]["hyperVGeneration"] = "V2"
    code, words = refusal(process)
    assert "SwapMismatch" == code
    assert "of generation V1, the OS disk is of V2" in words


def test_another_size_is_refused() -> None:
    """A disk that has grown since its snapshot is not swapped: sizes have to match."""
    process = snapped()
    process.wire.do("PATCH", OS_DISK, {"properties": {"diskSizeGB": 64}})
    code, words = refusal(process)
    assert ("SwapMismatch", True) == (code, "holds 30 GB, the OS disk 64 GB" in words)


def test_what_somebody_else_swapped_is_left_alone() -> None:
    """Where the OS disk is another one by now, nothing is swapped."""
    process = snapped(machine=deallocated())
    other = seeds.disk("other")
    machine = deallocated()
    machine["properties"]["storageProfile"]["osDisk"] |= {
        "name": "other",
        "managedDisk": {"id": f"{COMPUTE}/disks/other"},
    }
    code, words = refusal(on(*estate(other, machine=machine)))
    assert ("SwapMismatch", "the VM's OS disk is other, and not web-1-os") == (code, words)
    assert OS == ResourceId(os_disk(process))


def test_a_disk_of_that_name_from_elsewhere_is_not_attached() -> None:
    """A disk that merely has the name is not put into the machine."""
    process = snapped(disk(NEW.name))
    assert "NameTaken" == refusal(process)[0]


def test_names_fit() -> None:
    """The name of the new disk fits, however long the old one's is."""
    long = SwapOsDisk(vm=MACHINE, disk=ResourceId(f"{COMPUTE}/disks/{'d' * 80}"))
    assert 80 == len(restored_id(long, context()).name)
