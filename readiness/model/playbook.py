"""What a playbook is: one upgrade as pure functions from a target to steps, doing and undoing together."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from readiness.model.context import Choice, LoginChoice
from readiness.model.disk import Disk, DiskEncryptionSet
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation
from readiness.model.steps import Change, Step, Undo
from readiness.model.verdict import Dimension, Verdict
from readiness.model.virtual_machine import Power, VirtualMachine


class OutageNeed(StrEnum):
    """Whether an upgrade needs the VM to be off."""

    NONE = "none"
    DEALLOCATE = "deallocate"


class Opening(Struct, frozen=True, kw_only=True):
    """A rule of a network security group that lets the internet reach a management port of a VM."""

    rule: ResourceId
    properties: dict[str, object]
    """The rule as it was read: what an undo puts back."""
    ports: tuple[int, ...]
    shared: bool
    """Whether the group stands before a subnet, or before other VMs too."""
    spare: tuple[int, ...] = ()
    """Free priorities of the group just before the rule, in their order, at most two."""


class Target(Struct, frozen=True, kw_only=True):
    """A VM, its disks as observed, and what was chosen for it."""

    vm: VirtualMachine
    disks: tuple[Disk, ...]
    choice: Choice
    encryption_set: DiskEncryptionSet | None = None
    """The chosen disk encryption set as it was observed."""
    openings: tuple[Opening, ...] = ()
    backup_item: ResourceId | None = None
    """Its protected item of Azure Backup."""
    backup_policy: ResourceId | None = None
    """The policy its protected item is to be moved to; None where it may stay."""

    @property
    def boots(self) -> bool:
        """Whether it is started after its change: it runs, or is to prove its boot although it is off."""
        return self.vm.power is Power.RUNNING or self.choice.starts_if_off


class SharedTarget(Struct, frozen=True, kw_only=True):
    """A security group that several VMs hang on, and what was chosen for all that a plan closes."""

    group: ResourceId
    choice: LoginChoice
    openings: tuple[Opening, ...]
    ports: dict[ResourceId, tuple[int, ...]]
    """By VM, the ports that nothing else keeps open."""


class JustInTimeTarget(Struct, frozen=True, kw_only=True):
    """A just-in-time policy that several VMs hang on, and the VMs of a plan that are to be put into it."""

    policy: ResourceId
    creates: bool
    """Whether there is none yet."""
    ports: dict[ResourceId, tuple[int, ...]]
    """By VM, the ports that are to open on request."""


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


def lacks_nothing(_target: Target) -> bool:
    """Say that whoever satisfies the dimension has everything that can be chosen."""
    return False


def nothing(_target: Target) -> tuple[Change, ...]:
    """Do nothing in this part of a campaign."""
    return ()


def nothing_to_prove(_choice: Choice, _seen: Observation) -> tuple[Verdict, ...]:
    """Prove nothing: the playbook's own steps proved it, or it did nothing."""
    return ()


class Playbook(Struct, frozen=True, kw_only=True):
    """One upgrade. Every function is pure; `undo` reads the recorded before-state, never the cloud."""

    spec: PlaybookSpec
    is_chosen: Callable[[Choice], bool]
    lacks: Callable[[Target], bool] = lacks_nothing
    """Whether a VM that is satisfied in the dimension lacks something that was chosen for it by name."""
    prepare: Callable[[Target], tuple[Change, ...]] = nothing
    """Online, days before the outage."""
    last_running: Callable[[Target], tuple[Change, ...]] = nothing
    """Inside the window, as the last work on the running VM."""
    convert: Callable[[Target], tuple[Change, ...]] = nothing
    """Inside the outage."""
    restart: Callable[[Target], tuple[Change, ...]] = nothing
    """In a second restart, once the first boot was proven."""
    fall_back: Callable[[Target], tuple[Change, ...]] = nothing
    """A weaker setting, tried before the way back if the VM does not come up."""
    close: Callable[[Target], tuple[Change, ...]] = nothing
    """Online, after the soak."""
    close_shared: Callable[[SharedTarget], tuple[Change, ...]] | None = None
    """Online, once every VM of the plan that hangs on a security group was closed, in a run of its own."""
    open_on_request: Callable[[JustInTimeTarget], tuple[Change, ...]] | None = None
    """Online, after that and in a run of its own, once for each just-in-time policy."""
    prepared: Callable[[Choice, Observation], tuple[Verdict, ...]] = nothing_to_prove
    """What its preparation has to have brought."""
    verify: Callable[[Choice, Observation], tuple[Verdict, ...]] = nothing_to_prove
    """What the outage has to have brought."""
    undo: Callable[[Before, tuple[Step, ...]], tuple[Step, ...]]
    """From the before-state and the changes that were begun, the steps that take them back."""
    undo_kind: Callable[[Target], Undo] | None = None
    """How far the way back reaches for one VM; None where the spec says it for all."""
    consent: Callable[[Target], tuple[str, ...]] | None = None
    """What an owner has to agree to beforehand."""
