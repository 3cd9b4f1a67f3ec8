"""Changes of a VM itself: its power, its model, its identities, and the lease that keeps others away."""

from datetime import datetime
from typing import Any, ClassVar

from readiness.model.ids import ResourceId
from readiness.model.steps.kinds import COMPUTE, IDENTITY_WRITE, VM_OPERATION, VM_WRITE, PowerNeed, StepBase


class TakeLease(StepBase, frozen=True, kw_only=True, tag="take-lease"):
    """Mark the VM as ours until an instant, and keep its state from before in the same write.

    A lease of another run that has not ended refuses it. It is never renewed.
    """

    words: ClassVar[str] = "take the lease"
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = VM_WRITE

    until: datetime
    back: bool = False
    """Whether a person wants the VM back as it was: the mark says so, too."""


class ReleaseLease(StepBase, frozen=True, kw_only=True, tag="release-lease"):
    """Take our marks from the VM, last of all. Left behind, they lapse by themselves."""

    words: ClassVar[str] = "release the lease"
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = VM_WRITE
    courtesy: ClassVar[bool] = True


class Deallocate(StepBase, frozen=True, kw_only=True, tag="deallocate"):
    """Stop the VM and give its host back."""

    words: ClassVar[str] = "deallocate"
    duration: ClassVar[str] = "deallocate"
    actions: ClassVar[tuple[str, ...]] = (*VM_OPERATION, f"{COMPUTE}/virtualMachines/deallocate/action")


class Start(StepBase, frozen=True, kw_only=True, tag="start"):
    """Start the VM."""

    words: ClassVar[str] = "start"
    duration: ClassVar[str] = "start"
    actions: ClassVar[tuple[str, ...]] = (*VM_OPERATION, f"{COMPUTE}/virtualMachines/start/action")


class StartAs(Start, frozen=True, kw_only=True, tag="start-as"):
    """Start the VM as another size, for whose own Azure had no room; `Resize` goes before it."""

    words: ClassVar[str] = "start as"

    size: str


class PutBackOff(Deallocate, frozen=True, kw_only=True, tag="put-back-off"):
    """Deallocate a VM again that was found off, and was only started to prove its boot."""

    words: ClassVar[str] = "deallocate again"
    courtesy: ClassVar[bool] = True


class Resize(StepBase, frozen=True, kw_only=True, tag="resize"):
    """Give the deallocated VM another size: one that its owner approved, or its own one back."""

    words: ClassVar[str] = "resize to"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = VM_WRITE

    size: str


class PatchVm(StepBase, frozen=True, kw_only=True, tag="patch-vm"):
    """Merge `properties` into the VM's model with one PATCH."""

    words: ClassVar[str] = "set"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = VM_WRITE

    properties: dict[str, Any]


class AssignIdentity(StepBase, frozen=True, kw_only=True, tag="assign-identity"):
    """Add identities to whatever identities the VM has when this is performed."""

    words: ClassVar[str] = "add the managed identity"
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = IDENTITY_WRITE

    system: bool = True
    """Whether the VM gets its own, system-assigned identity."""
    user_assigned: tuple[ResourceId, ...] = ()
    """Identities to add by name."""
    accept_new_default: bool = False
    """Whether it may take the place of the VM's only identity as the one that programs get unasked."""


class RemoveIdentity(StepBase, frozen=True, kw_only=True, tag="remove-identity"):
    """Take identities away again, and keep all others."""

    words: ClassVar[str] = "remove the managed identity"
    duration: ClassVar[str] = "patch-vm"
    actions: ClassVar[tuple[str, ...]] = IDENTITY_WRITE

    system: bool = True
    user_assigned: tuple[ResourceId, ...] = ()


MachineChange = (
    TakeLease
    | ReleaseLease
    | Deallocate
    | PutBackOff
    | Start
    | StartAs
    | Resize
    | PatchVm
    | AssignIdentity
    | RemoveIdentity
)
