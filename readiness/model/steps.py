"""The closed vocabulary of steps: frozen values, each safe to perform twice.

A *look* only reads and decides; a *change* has an effect in Azure. Every step says which power state it
needs, which ARM actions its identity must hold, and by which key its duration is estimated. Nothing here
runs: `azure.perform` turns changes into calls, the engine judges looks.
"""

import hashlib
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct

from readiness.model.disk import Encryption
from readiness.model.ids import ResourceId


class PowerNeed(StrEnum):
    """The power state a step needs."""

    RUNNING = "running"
    OFF = "off"
    ANY = "any"


class Undo(StrEnum):
    """How a change is taken back."""

    CONFIG = "config"
    """By configuration, automatically."""
    SWAP = "swap"
    """By swapping the OS disk for one made from the full snapshot."""
    REBUILD = "rebuild"
    """By recreating the VM around its disks: printed steps and explicit consent, never automatic."""
    NONE = "none"
    """Not at all: a point of no return that the plan's consent must name."""


_COMPUTE = "Microsoft.Compute"
_LOOK = (
    f"{_COMPUTE}/virtualMachines/read",
    f"{_COMPUTE}/virtualMachines/instanceView/read",
    f"{_COMPUTE}/disks/read",
)
_VM_OPERATION = (*_LOOK, f"{_COMPUTE}/locations/operations/read")
_DISK_OPERATION = (f"{_COMPUTE}/disks/read", f"{_COMPUTE}/locations/diskOperations/read")


class Recheck(Struct, frozen=True, kw_only=True, tag="recheck"):
    """Look whether the VM still is what was planned, and may be worked on now."""

    words: ClassVar[str] = "compare with the plan"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _LOOK

    vm: ResourceId
    fingerprint: str


class RecordBefore(Struct, frozen=True, kw_only=True, tag="record-before"):
    """Look at the state that an undo will restore, and keep it."""

    words: ClassVar[str] = "record its state from before"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _LOOK

    vm: ResourceId


class ProveHealth(Struct, frozen=True, kw_only=True, tag="prove-health"):
    """Look until the VM is as healthy as it was before, or `timeout` seconds have passed."""

    words: ClassVar[str] = "prove its health"
    power: ClassVar[PowerNeed] = PowerNeed.RUNNING
    duration: ClassVar[str] = "prove-health"
    actions: ClassVar[tuple[str, ...]] = _LOOK

    vm: ResourceId
    timeout: int


class ProveModel(Struct, frozen=True, kw_only=True, tag="prove-model"):
    """Look whether Azure shows everything that was asked for."""

    words: ClassVar[str] = "prove the change"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _LOOK

    vm: ResourceId


class ProveRestored(Struct, frozen=True, kw_only=True, tag="prove-restored"):
    """Look whether the VM is configured as it was recorded before."""

    words: ClassVar[str] = "prove that it is as before"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _LOOK

    vm: ResourceId


class AssignIdentity(Struct, frozen=True, kw_only=True, tag="assign-identity"):
    """Add a system-assigned identity to whatever identities the VM has when this is performed."""

    words: ClassVar[str] = "add the managed identity"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = (
        *_VM_OPERATION,
        f"{_COMPUTE}/virtualMachines/write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    )
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId


class RemoveIdentity(Struct, frozen=True, kw_only=True, tag="remove-identity"):
    """Take the system-assigned identity away again and keep the user-assigned ones."""

    words: ClassVar[str] = "remove the managed identity"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = AssignIdentity.actions
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId


class Deallocate(Struct, frozen=True, kw_only=True, tag="deallocate"):
    """Stop the VM and give its host back."""

    words: ClassVar[str] = "deallocate"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "deallocate"
    actions: ClassVar[tuple[str, ...]] = (*_VM_OPERATION, f"{_COMPUTE}/virtualMachines/deallocate/action")
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId


class Start(Struct, frozen=True, kw_only=True, tag="start"):
    """Start the VM."""

    words: ClassVar[str] = "start"
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    duration: ClassVar[str] = "start"
    actions: ClassVar[tuple[str, ...]] = (*_VM_OPERATION, f"{_COMPUTE}/virtualMachines/start/action")
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId


class TakeSnapshot(Struct, frozen=True, kw_only=True, tag="take-snapshot"):
    """Take a **full** snapshot of one disk.

    Never an incremental one: a disk that has incremental snapshots refuses a change of its encryption.
    """

    words: ClassVar[str] = "full snapshot"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "snapshot"
    actions: ClassVar[tuple[str, ...]] = (
        *_DISK_OPERATION,
        f"{_COMPUTE}/disks/beginGetAccess/action",
        f"{_COMPUTE}/snapshots/read",
        f"{_COMPUTE}/snapshots/write",
    )
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId
    disk: ResourceId


class PatchVm(Struct, frozen=True, kw_only=True, tag="patch-vm"):
    """Merge `properties` into the VM's model with one PATCH."""

    words: ClassVar[str] = "set"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = (*_VM_OPERATION, f"{_COMPUTE}/virtualMachines/write")
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId
    properties: dict[str, Any]


class SetDiskEncryption(Struct, frozen=True, kw_only=True, tag="set-disk-encryption"):
    """Bring one disk under another key; a platform key drops the disk encryption set."""

    words: ClassVar[str] = "key"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "encrypt-disk"
    actions: ClassVar[tuple[str, ...]] = (
        *_DISK_OPERATION,
        f"{_COMPUTE}/disks/write",
        f"{_COMPUTE}/diskEncryptionSets/read",
    )
    undo: ClassVar[Undo] = Undo.CONFIG

    vm: ResourceId
    disk: ResourceId
    encryption: Encryption


Look = Recheck | RecordBefore | ProveHealth | ProveModel | ProveRestored
Change = AssignIdentity | RemoveIdentity | Deallocate | Start | TakeSnapshot | PatchVm | SetDiskEncryption
Step = Look | Change


class PlannedStep(Struct, frozen=True, kw_only=True):
    """A step with its name, unique within one VM's campaign, and its estimated seconds."""

    name: str
    step: Step
    seconds: int


def name_of(step: Step, *, in_full: bool = False) -> str:
    """Return a step's name: what it does, and to which disk; in full with the disk's resource group."""
    kind = str(step.__struct_config__.tag)
    match step:
        case TakeSnapshot() | SetDiskEncryption():
            group = f"{step.disk.resource_group}/" if in_full else ""
            return f"{kind}:{group}{step.disk.name}"
        case _:
            return kind


def words_for(step: Step) -> str:
    """Return what a step does, for people watching it."""
    match step:
        case TakeSnapshot():
            return f"{step.words} of {step.disk.name}"
        case SetDiskEncryption():
            owner = "customer-managed" if step.encryption.uses_customer_key else "platform-managed"
            return f"{owner} {step.words} for {step.disk.name}"
        case PatchVm():
            settings = (key for part in step.properties.values() if isinstance(part, dict) for key in part)
            return f"{step.words} {', '.join(sorted(settings))}"
        case _:
            return step.words


def snapshot_id(step: TakeSnapshot, plan: str, started: str) -> ResourceId:
    """Return the snapshot's deterministic id beside its disk: `<vm>-<disk>-<hash>-<plan>`, cut to fit.

    The hash keeps disk `1-data` of VM `web` apart from disk `data` of VM `web-1`, and a run begun anew from
    a snapshot that an earlier one took: an old snapshot protects nothing.
    """
    digest = hashlib.sha256(f"{step.disk.key} {started}".encode()).hexdigest()[:8]
    tail = f"-{digest}-{plan}"
    name = f"{step.vm.name}-{step.disk.name}"[: _LONGEST_NAME - len(tail)] + tail
    return step.disk.sibling("Microsoft.Compute/snapshots", name)


_LONGEST_NAME = 80
