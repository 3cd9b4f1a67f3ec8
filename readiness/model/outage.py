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
    PatchVm,
    PlannedStep,
    PowerNeed,
    ProveHealth,
    ProveRestored,
    SetDiskEncryption,
    Start,
    Step,
    TakeSnapshot,
    name_of,
)


class Outage(Struct, frozen=True, kw_only=True):
    """The composed offline part of a VM's upgrades."""

    steps: tuple[PlannedStep, ...]
    work_seconds: int
    verify_seconds: int
    undo_seconds: int
    """Reserve for the automatic undo, proof of health included."""

    @property
    def downtime_seconds(self) -> int:
        """Return how long the VM is away if all goes well."""
        return self.work_seconds + self.verify_seconds

    @property
    def reserved_seconds(self) -> int:
        """Return what must fit into the window: work, proof, and the way back if the proof fails."""
        return self.work_seconds + HEALTH_TIMEOUT + self.undo_seconds


def compose(vm: ResourceId, disks: Iterable[ResourceId], changes: Iterable[Change]) -> Outage:
    """Compose the offline changes of one VM into one outage.

    Args:
        vm: The VM.
        disks: Its managed disks, each of which gets a full snapshot before anything is written.
        changes: What the playbooks want, in playbook order; VM patches are merged into one write.

    Raises:
        ValueError: Two patches want different values in the same place.
    """
    wanted = tuple(changes)
    snapshots = tuple(TakeSnapshot(vm=vm, disk=disk) for disk in disks)
    body: tuple[Step, ...] = (Deallocate(vm=vm), *snapshots, *_writes(vm, wanted), Start(vm=vm))
    proof = ProveHealth(vm=vm, timeout=HEALTH_TIMEOUT)
    verify = ASSUMED_SECONDS[proof.duration]
    back = sum(ASSUMED_SECONDS[step.duration] for step in (Deallocate(vm=vm), *wanted, Start(vm=vm)))
    return Outage(
        steps=plan_steps((*body, proof), stage="outage"),
        work_seconds=sum(ASSUMED_SECONDS[step.duration] for step in body),
        verify_seconds=verify,
        undo_seconds=back + verify,
    )


def compose_undo(vm: ResourceId, changes: Iterable[Change], *, was_running: bool) -> tuple[PlannedStep, ...]:
    """Compose the way back: off if a change needs it, the undoing writes, then the power state as it was."""
    writes = _writes(vm, tuple(changes))
    steps: list[Step] = []
    if any(step.power is PowerNeed.OFF for step in writes):
        steps.append(Deallocate(vm=vm))
    steps.extend(writes)
    if was_running:
        steps += [Start(vm=vm), ProveHealth(vm=vm, timeout=HEALTH_TIMEOUT)]
    steps.append(ProveRestored(vm=vm))
    return plan_steps(steps, stage="undo")


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


def _writes(vm: ResourceId, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes with all VM patches merged into one write, which goes first."""
    patches = [change.properties for change in changes if isinstance(change, PatchVm)]
    merged = [PatchVm(vm=vm, properties=merge_patches(patches))] if patches else []
    disks = [change for change in changes if isinstance(change, SetDiskEncryption)]
    rest = [change for change in changes if not isinstance(change, PatchVm | SetDiskEncryption)]
    return (*rest, *merged, *disks)
