"""What every step says of itself: the power it needs, the ARM actions behind it, and how it is undone."""

from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

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


class StepBase(Struct, frozen=True, kw_only=True):
    """One step of a VM's campaign. Safe to perform twice: whoever performs it looks first."""

    words: ClassVar[str]
    """What it does, for people watching."""
    duration: ClassVar[str]
    """Key of its assumed duration."""
    actions: ClassVar[tuple[str, ...]]
    """ARM actions its identity must hold; those of the data plane stand nowhere, since no step needs one."""
    power: ClassVar[PowerNeed] = PowerNeed.ANY
    undo: ClassVar[Undo] = Undo.CONFIG
    courtesy: ClassVar[bool] = False
    """Whether its failure is told and changes nothing: what it does lapses by itself, or is a kindness."""

    vm: ResourceId
    """The VM whose campaign it belongs to."""


COMPUTE = "Microsoft.Compute"
LOOK = (
    f"{COMPUTE}/virtualMachines/read",
    f"{COMPUTE}/virtualMachines/instanceView/read",
    f"{COMPUTE}/disks/read",
)
VM_OPERATION = (*LOOK, f"{COMPUTE}/locations/operations/read")
VM_WRITE = (*VM_OPERATION, f"{COMPUTE}/virtualMachines/write")
DISK_OPERATION = (f"{COMPUTE}/disks/read", f"{COMPUTE}/locations/diskOperations/read")
IDENTITY_WRITE = (*VM_WRITE, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action")
"""Whoever writes a VM that has user-assigned identities must be allowed to assign them."""
