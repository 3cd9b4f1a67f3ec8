"""Composes all deallocation work of one VM into one outage: one deallocate, one start, few writes.

The order is the safety order: check, record, deallocate, full snapshot of every disk, one VM write, disk
writes, start, prove health. A per-VM limit of 12 writes (refilled at 4 a minute) makes merging matter.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from readiness.model.durations import ASSUMED_SECONDS, HEALTH_TIMEOUT
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    Change,
    Deallocate,
    HandOver,
    PatchVm,
    PlannedStep,
    PowerNeed,
    ProveHealth,
    ProveRestored,
    SetDiskEncryption,
    Start,
    Step,
    SwapOsDisk,
    TakeSnapshot,
    name_of,
)


class Outage(Struct, frozen=True, kw_only=True):
    """The composed offline part of a VM's upgrades."""

    steps: tuple[PlannedStep, ...]
    work_seconds: int
    verify_seconds: int
    undo_seconds: int
    """Reserve for a weaker setting and the automatic undo, proofs of health included."""

    @property
    def downtime_seconds(self) -> int:
        """Return how long the VM is away if all goes well."""
        return self.work_seconds + self.verify_seconds

    @property
    def reserved_seconds(self) -> int:
        """Return what must fit into the window: work, proof, and the way back if the proof fails."""
        proofs = max(1, self.verify_seconds // ASSUMED_SECONDS["prove-health"])
        return self.work_seconds + proofs * HEALTH_TIMEOUT + self.undo_seconds


def compose(
    vm: ResourceId,
    disks: Iterable[ResourceId],
    changes: Iterable[Change],
    *,
    last_running: Iterable[Change] = (),
    restart: Iterable[Change] = (),
    fall_back: Iterable[Change] = (),
) -> Outage:
    """Compose the changes of one VM that need its outage.

    Args:
        vm: The VM.
        disks: Its managed disks, each of which gets a full snapshot before anything is written.
        changes: What the playbooks want, in playbook order; VM patches are merged into one write.
        last_running: What they want of the running VM, just before it is deallocated.
        restart: What they want in a second restart, once the first boot was proven.
        fall_back: The weaker settings that are tried before the way back; only time is kept for them here.

    Raises:
        ValueError: Two patches want different values in the same place.
    """
    wanted, again = tuple(changes), tuple(restart)
    snapshots = tuple(TakeSnapshot(vm=vm, disk=disk) for disk in disks)
    running = tuple(last_running)
    body: tuple[Step, ...] = (Deallocate(vm=vm), *snapshots, *_writes(vm, wanted), Start(vm=vm))
    proof = ProveHealth(vm=vm, timeout=HEALTH_TIMEOUT)
    steps = (*plan_steps(running, stage="guest"), *plan_steps((*body, proof), stage="outage"))
    if again:
        steps += plan_steps(_cycle(vm, again), stage="restart")
    proofs = 1 + bool(again)
    verify = ASSUMED_SECONDS[proof.duration]
    back = _seconds((Deallocate(vm=vm), *wanted, Start(vm=vm)))
    weaker = tuple(fall_back)
    return Outage(
        steps=steps,
        work_seconds=sum(planned.seconds for planned in steps) - proofs * verify,
        verify_seconds=proofs * verify,
        undo_seconds=back + verify + (_seconds(_cycle(vm, weaker)) if weaker else 0),
    )


def compose_fallback(vm: ResourceId, changes: Iterable[Change]) -> tuple[PlannedStep, ...]:
    """Compose a weaker setting: off, the change, start, and the proof of health once more."""
    wanted = tuple(changes)
    return plan_steps(_cycle(vm, wanted), stage="fallback") if wanted else ()


def compose_undo(
    vm: ResourceId,
    changes: Iterable[Step],
    *,
    was_running: bool,
    was_off: bool = True,
    was_started: bool = False,
) -> tuple[PlannedStep, ...]:
    """Compose the way back: off if a change needs it, the undoing writes, then the power state as it was.

    Args:
        vm: The VM.
        changes: What takes back what was begun, newest first.
        was_running: Whether the VM ran before, and so must run again.
        was_off: Whether the campaign may have taken it off, so that it has to be started and proven again.
        was_started: Whether the campaign may have started it, so that one that was off has to be off again.
    """
    asked = tuple(changes)
    looks = tuple(step for step in asked if isinstance(step, HandOver))
    writes = _writes(vm, tuple(step for step in asked if not isinstance(step, HandOver)))
    steps: list[Step] = []
    if any(step.power is PowerNeed.OFF for step in writes) or (was_started and not was_running):
        steps.append(Deallocate(vm=vm))
    steps.extend(writes)
    if was_running and (was_off or any(isinstance(step, Deallocate) for step in steps)):
        steps += [Start(vm=vm), ProveHealth(vm=vm, timeout=HEALTH_TIMEOUT)]
    steps += [ProveRestored(vm=vm), *looks]
    return plan_steps(steps, stage="undo")


def _seconds(steps: Iterable[Step]) -> int:
    return sum(ASSUMED_SECONDS[step.duration] for step in steps)


def _cycle(vm: ResourceId, changes: tuple[Change, ...]) -> tuple[Step, ...]:
    proof = ProveHealth(vm=vm, timeout=HEALTH_TIMEOUT)
    return (Deallocate(vm=vm), *_writes(vm, changes), Start(vm=vm), proof)


def plan_steps(steps: Iterable[Step], *, stage: str) -> tuple[PlannedStep, ...]:
    """Give every step its unique name within the campaign and its assumed duration.

    Disks of one VM may bear the same name in different resource groups; only then is the group named.
    """
    listed = tuple(steps)
    names = Counter(name_of(step) for step in listed)
    return tuple(
        PlannedStep(
            name=f"{stage}.{name_of(step, in_full=names[name_of(step)] > 1)}",
            step=step,
            seconds=ASSUMED_SECONDS[step.duration],
        )
        for step in listed
    )


def merge_patches(patches: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Merge patches deeply.

    Raises:
        ValueError: Two patches want different values in the same place.
    """
    merged: dict[str, Any] = {}
    for patch in patches:
        _merge_into(merged, patch, path="")
    return merged


def _merge_into(merged: dict[str, Any], patch: dict[str, Any], *, path: str) -> None:
    for key, value in patch.items():
        if key not in merged:
            merged[key] = merge_patches([value]) if isinstance(value, dict) else value
        elif isinstance(merged[key], dict) and isinstance(value, dict):
            _merge_into(merged[key], value, path=f"{path}{key}.")
        elif merged[key] != value:
            raise ValueError(f"two changes want {path}{key} to be {merged[key]!r} and {value!r}")


def _writes(vm: ResourceId, changes: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the changes with all VM patches merged into one write, which goes before the disks'."""
    patches = [change.properties for change in changes if isinstance(change, PatchVm)]
    merged = [PatchVm(vm=vm, properties=merge_patches(patches))] if patches else []
    disks = [change for change in changes if isinstance(change, SetDiskEncryption | SwapOsDisk)]
    rest = [change for change in changes if not isinstance(change, PatchVm | SetDiskEncryption | SwapOsDisk)]
    return (*rest, *merged, *disks)
