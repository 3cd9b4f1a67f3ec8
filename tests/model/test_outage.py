"""One outage for one VM: order, merged writes, names, durations, and the way back."""

from copy import deepcopy
from typing import Any

import pytest

from readiness.model.durations import ASSUMED_SECONDS, HEALTH_TIMEOUT
from readiness.model.outage import compose, compose_fallback, compose_undo, merge_patches
from readiness.model.steps import (
    AssignIdentity,
    Change,
    Deallocate,
    HandOver,
    PatchVm,
    ProveHealth,
    ProveRestored,
    RemoveIdentity,
    SetDiskEncryption,
    Start,
    Step,
    SwapOsDisk,
    TakeSnapshot,
    snapshot_id,
)
from tests.builders import CUSTOMER_KEY, OS_DISK, PLATFORM_KEY, rid, vm_id

VM = vm_id()
DATA_DISK = rid("Microsoft.Compute/disks", "vm1-data")
PLAN = "0123456789ab"


def _patch(**profile: Any) -> PatchVm:
    return PatchVm(vm=VM, properties={"securityProfile": profile})


def _encrypt(disk: Any, encryption: Any = CUSTOMER_KEY) -> SetDiskEncryption:
    return SetDiskEncryption(vm=VM, disk=disk, encryption=encryption)


CHANGES: tuple[Change, ...] = (
    _patch(securityType="TrustedLaunch", uefiSettings={"vTpmEnabled": True}),
    _patch(encryptionAtHost=True, uefiSettings={"secureBootEnabled": True}),
    _encrypt(OS_DISK),
    _encrypt(DATA_DISK),
)
PROOF = ProveHealth(vm=VM, timeout=HEALTH_TIMEOUT)


def test_the_order_of_an_outage() -> None:
    """Off, a snapshot of every disk, one VM write, disk writes, on, proof."""
    expected: tuple[Step, ...] = (
        Deallocate(vm=VM),
        TakeSnapshot(vm=VM, disk=OS_DISK),
        TakeSnapshot(vm=VM, disk=DATA_DISK),
        _patch(
            securityType="TrustedLaunch",
            uefiSettings={"vTpmEnabled": True, "secureBootEnabled": True},
            encryptionAtHost=True,
        ),
        _encrypt(OS_DISK),
        _encrypt(DATA_DISK),
        Start(vm=VM),
        PROOF,
    )

    assert expected == tuple(planned.step for planned in compose(VM, (OS_DISK, DATA_DISK), CHANGES).steps)


def test_the_order_does_not_depend_on_the_playbooks() -> None:
    """Disk writes that are named first still come after the VM's write."""
    forward = compose(VM, (OS_DISK,), (CHANGES[0], CHANGES[2]))

    assert forward == compose(VM, (OS_DISK,), (CHANGES[2], CHANGES[0]))


def test_durations() -> None:
    """Work is the sum of its steps; the reserve holds the whole proof and the way back with its own."""
    outage = compose(VM, (OS_DISK, DATA_DISK), CHANGES[1:])
    seconds = ASSUMED_SECONDS
    work = seconds["deallocate"] + 2 * seconds["snapshot"] + seconds["patch-vm"] + 2 * seconds["encrypt-disk"]
    back = seconds["deallocate"] + seconds["patch-vm"] + 2 * seconds["encrypt-disk"] + seconds["start"]

    assert work + seconds["start"] == outage.work_seconds
    assert sum(planned.seconds for planned in outage.steps) == outage.downtime_seconds
    assert back + seconds["prove-health"] == outage.undo_seconds
    assert outage.work_seconds + HEALTH_TIMEOUT + outage.undo_seconds == outage.reserved_seconds


def test_a_second_restart_counts_twice() -> None:
    """Each boot has its own proof, and each may take its whole time."""
    once = compose(VM, (OS_DISK,), CHANGES[:1])
    twice = compose(VM, (OS_DISK,), CHANGES[:1], restart=CHANGES[1:2])
    seconds = ASSUMED_SECONDS
    cycle = seconds["deallocate"] + seconds["patch-vm"] + seconds["start"]

    assert cycle == twice.work_seconds - once.work_seconds
    assert (seconds["prove-health"], cycle + HEALTH_TIMEOUT) == (
        twice.verify_seconds - once.verify_seconds,
        twice.reserved_seconds - once.reserved_seconds,
    )


def test_time_is_kept_for_a_weaker_setting() -> None:
    """What is tried before the way back takes no time if all goes well, and is reserved."""
    plain = compose(VM, (OS_DISK,), CHANGES[:1])
    weaker = compose(VM, (OS_DISK,), CHANGES[:1], fall_back=CHANGES[1:2])
    tried = sum(planned.seconds for planned in compose_fallback(VM, CHANGES[1:2]))

    assert (plain.steps, plain.downtime_seconds) == (weaker.steps, weaker.downtime_seconds)
    assert tried == weaker.reserved_seconds - plain.reserved_seconds
    assert () == compose_fallback(VM, ())


def test_work_on_the_running_vm_comes_first() -> None:
    """What the guest does precedes everything of the outage; its snapshot is told from the one while off."""
    early = TakeSnapshot(vm=VM, disk=OS_DISK, moment="before")
    steps = compose(VM, (OS_DISK,), CHANGES[:1], last_running=(early,)).steps

    assert ["guest.take-snapshot:vm1-os@before", "outage.deallocate", "outage.take-snapshot:vm1-os"] == [
        planned.name for planned in steps[:3]
    ]


def test_a_way_back_may_end_with_a_person() -> None:
    """The VM is started and looked at all the same; the hand-over comes last."""
    over = HandOver(vm=VM, code="RebuildNeeded", reason="r")
    steps = compose_undo(VM, (over,), was_running=True)

    assert (Start(vm=VM), PROOF, ProveRestored(vm=VM), over) == tuple(planned.step for planned in steps)


def test_a_swap_needs_the_vm_off() -> None:
    """The OS disk is swapped while the VM is deallocated, after its settings."""
    swap = SwapOsDisk(vm=VM, disk=OS_DISK, moment="before")
    steps = compose_undo(VM, (swap, CHANGES[0]), was_running=True)

    assert (Deallocate(vm=VM), CHANGES[0], swap, Start(vm=VM)) == tuple(step.step for step in steps[:4])


def test_a_merge_conflict_is_refused() -> None:
    """Two changes that want different values in one place are named with the place."""
    message = r"securityProfile\.uefiSettings\.vTpmEnabled to be True and False"
    with pytest.raises(ValueError, match=message):
        compose(VM, (), (CHANGES[0], _patch(uefiSettings={"vTpmEnabled": False})))
    with pytest.raises(ValueError, match=r"a to be \{'b': 1\} and None"):
        merge_patches([{"a": {"b": 1}}, {"a": None}])


def test_agreeing_patches_merge() -> None:
    """Two changes that want the same are no conflict."""
    assert {"a": {"b": 1}} == merge_patches([{"a": {"b": 1}}, {"a": {"b": 1}}])


def test_merging_leaves_the_patches_alone() -> None:
    """The playbooks' values are frozen: composing an outage changes none of them, however deep."""
    patches = [{"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}}]
    kept = deepcopy(patches)

    assert {"a": {"b": {"c": 1, "d": 2}}} == merge_patches(patches)
    assert kept == patches


def test_names_are_unique_within_a_campaign() -> None:
    """Disks of one name in two resource groups have steps of their own, so that neither is skipped."""
    here, there = (rid("Microsoft.Compute/disks", "data", group=group) for group in ("rg-a", "rg-b"))
    steps = compose(VM, (OS_DISK, here, there), (_encrypt(OS_DISK), _encrypt(here), _encrypt(there))).steps

    assert [
        "outage.deallocate",
        "outage.take-snapshot:vm1-os",
        "outage.take-snapshot:rg-a/data",
        "outage.take-snapshot:rg-b/data",
        "outage.set-disk-encryption:vm1-os",
        "outage.set-disk-encryption:rg-a/data",
        "outage.set-disk-encryption:rg-b/data",
        "outage.start",
        "outage.prove-health",
    ] == [planned.name for planned in steps]


def test_the_way_back_of_a_running_vm() -> None:
    """Off, the undoing writes in the order given, on, health, and the proof that all is as before."""
    back = (
        _patch(encryptionAtHost=False),
        _encrypt(DATA_DISK, PLATFORM_KEY),
        _encrypt(OS_DISK, PLATFORM_KEY),
    )
    steps = compose_undo(VM, (*back[1:], back[0]), was_running=True)

    assert (Deallocate(vm=VM), *back, Start(vm=VM), PROOF, ProveRestored(vm=VM)) == tuple(
        planned.step for planned in steps
    )
    assert all(planned.name.startswith("undo.") for planned in steps)


def test_the_way_back_when_nothing_was_written() -> None:
    """A running VM is started again; one that was off is only proven to be as before."""
    running = compose_undo(VM, (), was_running=True)
    off = compose_undo(VM, (), was_running=False)

    assert (Start(vm=VM), PROOF, ProveRestored(vm=VM)) == tuple(planned.step for planned in running)
    assert (ProveRestored(vm=VM),) == tuple(planned.step for planned in off)


def test_an_online_way_back_needs_no_outage() -> None:
    """Taking an identity away does not stop the VM."""
    steps = compose_undo(VM, (RemoveIdentity(vm=VM),), was_running=False)

    assert (RemoveIdentity(vm=VM), ProveRestored(vm=VM)) == tuple(planned.step for planned in steps)


@pytest.mark.parametrize(
    "step",
    [
        AssignIdentity(vm=VM),
        RemoveIdentity(vm=VM),
        Deallocate(vm=VM),
        Start(vm=VM),
        TakeSnapshot(vm=VM, disk=OS_DISK),
        CHANGES[0],
        _encrypt(OS_DISK),
        PROOF,
        ProveRestored(vm=VM),
    ],
    ids=lambda step: type(step).__name__,
)
def test_every_step_says_what_it_needs(step: Step) -> None:
    """Every kind of step has an assumed duration and names the ARM actions of its identity."""
    assert ASSUMED_SECONDS[step.duration] > 0
    assert all("/" in action for action in step.actions)


def _snapshot(vm: str, disk: str, plan: str = PLAN, started: str = "2026-11-28") -> str:
    step = TakeSnapshot(vm=vm_id(vm), disk=rid("Microsoft.Compute/disks", disk))
    return snapshot_id(step, plan, started).name


def test_a_snapshot_lies_beside_its_disk() -> None:
    """A snapshot is named for VM, disk and plan, in the disk's own resource group."""
    disk = rid("Microsoft.Compute/disks", "data", group="rg-disks")
    found = snapshot_id(TakeSnapshot(vm=VM, disk=disk), PLAN, "2026-11-28")

    assert ("microsoft.compute/snapshots", "rg-disks") == (found.type, found.resource_group)
    assert found.name.startswith("vm1-data-")
    assert found.name.endswith(f"-{PLAN}")


def test_a_run_begun_anew_takes_its_own_snapshots() -> None:
    """A snapshot of an earlier run of the same plan is not taken for one of this run."""
    assert _snapshot("vm1", "data", started="2026-11-28") != _snapshot("vm1", "data", started="2026-11-29")


@pytest.mark.parametrize(
    ("vm", "disk"), [("v", "d"), ("v" * 15, "d" * 80), ("v" * 64, "d" * 80), ("v", "d" * 80)]
)
def test_a_snapshot_name_fits(vm: str, disk: str) -> None:
    """However long the names are, Azure accepts the snapshot's, and it is the same every time."""
    found = _snapshot(vm, disk)

    assert len(found) <= 80
    assert found == _snapshot(vm, disk)
    assert found.endswith(f"-{PLAN}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("v" * 40, "d" * 79 + "1"), ("v" * 40, "d" * 79 + "2")),
        (("web", "1-data"), ("web-1", "data")),
        (("v", "d"), ("v", "e")),
    ],
    ids=["long names", "names that join alike", "short names"],
)
def test_snapshots_of_two_disks_are_two(one: tuple[str, str], other: tuple[str, str]) -> None:
    """No disk's snapshot is ever taken for another's."""
    assert _snapshot(*one) != _snapshot(*other)


def test_another_plan_takes_another_snapshot() -> None:
    """A snapshot of an earlier plan is not taken for this one's."""
    assert _snapshot("v", "d") != _snapshot("v", "d", "ba9876543210")
