"""What people add to an estate: applications, windows, freezes, dependencies, targets, exceptions and more.

Nothing here was observed; everything here was decided by somebody, and names them where it matters.
"""

from datetime import date, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct

from readiness.model.choice import (
    Choice,
    Generation1,
    IdentityChoice,
    IdentityKind,
    LoginChoice,
    LoginMethod,
    ManagementAccess,
    RoleWish,
    SecureBoot,
    TrustedLaunchChoice,
    overlay,
)
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import VirtualMachine

__all__ = [
    "Application",
    "Attestation",
    "Choice",
    "Context",
    "Criticality",
    "Dependency",
    "Environment",
    "Estimate",
    "Freeze",
    "Generation1",
    "IacTool",
    "IdentityChoice",
    "IdentityKind",
    "LoginChoice",
    "LoginMethod",
    "MaintenanceWindow",
    "ManagementAccess",
    "Match",
    "Owner",
    "Ownership",
    "RoleWish",
    "RuleException",
    "SecureBoot",
    "TargetEntry",
    "TrustedLaunchChoice",
    "overlay",
]


class Environment(StrEnum):
    """Where an application lives. Unknown counts as production."""

    PRODUCTION = "production"
    TEST = "test"
    DEVELOPMENT = "development"


class Criticality(StrEnum):
    """How much hangs on an application."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    MISSION_CRITICAL = "mission-critical"


class Match(Struct, frozen=True, kw_only=True):
    """Which VMs an entry speaks of. Every field that is given must hit; an empty match hits every VM."""

    ids: tuple[ResourceId, ...] = ()
    """VMs, or subscriptions and resource groups that hold them."""
    names: tuple[str, ...] = ()
    """Shell patterns on the VM's name, compared without case."""
    resource_groups: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    """Names are compared without case, as in Azure; values with it."""
    applications: tuple[str, ...] = ()

    def hits(self, vm: VirtualMachine, application: str | None = None) -> bool:
        """Tell whether this match speaks of the VM, which belongs to the named application."""
        return (
            (not self.ids or any(vm.id.is_within(scope) for scope in self.ids))
            and (not self.names or self._names(vm.name.lower()))
            and (not self.resource_groups or self._groups(vm.id.resource_group.lower()))
            and all(vm.tag(name) == value for name, value in self.tags.items())
            and (not self.applications or application in self.applications)
        )

    @property
    def is_everything(self) -> bool:
        """Whether it hits every VM there can be, and so speaks of whatever is left."""
        return self in (Match(), Match(names=("*",)))

    def _names(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern.lower()) for pattern in self.names)

    def _groups(self, group: str) -> bool:
        return any(group == entry.lower() for entry in self.resource_groups)


class Owner(Struct, frozen=True, kw_only=True):
    """Who answers for an application."""

    name: str
    email: str = ""


class Application(Struct, frozen=True, kw_only=True):
    """A business application, its owner, and the windows in which its VMs may be off."""

    name: str
    owner: Owner
    match: Match
    criticality: Criticality = Criticality.MEDIUM
    environment: Environment = Environment.PRODUCTION
    windows: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    """Applications further down whose VMs it has where both match: without it, a VM of two is no plan's."""
    may_be_empty: bool = False
    """Nobody minds that it matches no VM."""


class MaintenanceWindow(Struct, frozen=True, kw_only=True):
    """A recurring maintenance window in local time."""

    name: str
    rrule: str
    """RFC 5545 recurrence of the days, such as `FREQ=WEEKLY;BYDAY=SA`."""
    start: time
    duration: timedelta
    timezone: str
    """An IANA zone, such as `Europe/Berlin`."""


class Dependency(Struct, frozen=True, kw_only=True):
    """*source needs target*: the target is the provider and goes first."""

    source: ResourceId
    target: ResourceId
    hard: bool = False
    """Binds waves too: the provider's wave is never later than the consumer's."""
    strict: bool = False
    """The consumer's wave is later than the provider's; implies `hard`."""
    observed: bool = False
    """Seen in traffic, declared by nobody: informs, and binds nothing."""
    evidence: str = ""
    """Where it is known from, in words."""
    confidence: float = 1.0
    """How sure it is, up to 1."""


class TargetEntry(Struct, frozen=True, kw_only=True):
    """One entry of `targets`: a choice for the VMs it matches."""

    match: Match
    choice: Choice


class RuleException(Struct, frozen=True, kw_only=True):
    """An owned, dated, justified permission not to meet a rule or a whole dimension."""

    id: str
    match: Match
    owner: str
    reason: str
    approved_by: str
    expires: date
    dimension: Dimension | None = None
    rule: str | None = None
    compensating_control: str = ""

    def covers(self, rule: str, dimension: Dimension, as_of: date) -> bool:
        """Tell whether this exception, on that day, permits not meeting the rule."""
        return self.expires >= as_of and (self.rule == rule or self.dimension == dimension)


class Freeze(Struct, frozen=True, kw_only=True):
    """Days on which nothing may be changed, the first and the last included."""

    name: str
    match: Match
    starts: date
    ends: date
    reason: str = ""


class Attestation(Struct, frozen=True, kw_only=True):
    """Somebody's word, for a time, that a control is met which no API shows."""

    control: str
    match: Match
    owner: str
    given: date
    expires: date
    statement: str

    def is_valid(self, as_of: date) -> bool:
        """Tell whether the word holds on that day."""
        return self.given <= as_of <= self.expires


class IacTool(StrEnum):
    """What infrastructure is written in."""

    TERRAFORM = "terraform"
    BICEP = "bicep"
    ARM = "arm"
    PULUMI = "pulumi"
    OTHER = "other"


class Ownership(Struct, frozen=True, kw_only=True):
    """Infrastructure code that owns VMs: its next run could undo a change, or replace the VM."""

    match: Match
    tool: IacTool
    repository: str
    confirmed_by: str = ""
    """Who froze the pipeline or merged the change; empty until somebody did."""


class Estimate(Struct, frozen=True, kw_only=True):
    """How long changes take on some VMs, where people know better than the defaults."""

    match: Match
    playbook: str | None = None
    """None where it holds for every playbook."""
    duration: timedelta | None = None
    """Time within the outage."""
    effort: timedelta | None = None
    """Time that people spend."""


class Context(Struct, frozen=True, kw_only=True):
    """Everything people added to one estate."""

    applications: tuple[Application, ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    targets: tuple[TargetEntry, ...] = ()
    exceptions: tuple[RuleException, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    ownership: tuple[Ownership, ...] = ()
    estimates: tuple[Estimate, ...] = ()

    def window(self, name: str) -> MaintenanceWindow | None:
        """Return the maintenance window of that name."""
        return next((entry for entry in self.windows if entry.name == name), None)
