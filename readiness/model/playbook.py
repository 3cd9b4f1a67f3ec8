"""What a playbook is: one upgrade as pure functions from a target to steps, doing and undoing together."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from readiness.model.context import Choice
from readiness.model.disk import Disk, DiskEncryptionSet
from readiness.model.observation import Before, Observation
from readiness.model.steps import Change, Undo
from readiness.model.verdict import Dimension, Verdict
from readiness.model.virtual_machine import VirtualMachine


class OutageNeed(StrEnum):
    """Whether an upgrade needs the VM to be off."""

    NONE = "none"
    DEALLOCATE = "deallocate"


class Target(Struct, frozen=True, kw_only=True):
    """A VM, its disks as observed, and what was chosen for it."""

    vm: VirtualMachine
    disks: tuple[Disk, ...]
    choice: Choice
    encryption_set: DiskEncryptionSet | None = None
    """The chosen disk encryption set as it was observed."""


class PlaybookSpec(Struct, frozen=True, kw_only=True):
    """What a planner needs to know of a playbook."""

    id: str
    title: str
    dimension: Dimension
    level: int
    outage: OutageNeed
    needs: tuple[str, ...]
    """Rules that must not be unmet or unknown."""
    undo: Undo


class Playbook(Struct, frozen=True, kw_only=True):
    """One upgrade. Every function is pure; `undo` reads the recorded before-state, never the cloud."""

    spec: PlaybookSpec
    is_chosen: Callable[[Choice], bool]
    prepare: Callable[[Target], tuple[Change, ...]]
    """Online, before the outage."""
    convert: Callable[[Target], tuple[Change, ...]]
    """Inside the outage."""
    verify: Callable[[Choice, Observation], tuple[Verdict, ...]]
    undo: Callable[[Before, tuple[Change, ...]], tuple[Change, ...]]
    """From the before-state and the changes that were begun, the changes that take them back."""
