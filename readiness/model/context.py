"""What people add to an estate: applications, windows, freezes, dependencies, targets, exceptions and more.

Nothing here was observed; everything here was decided by somebody, and names them where it matters.
"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import VirtualMachine


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


class IdentityKind(StrEnum):
    """Kinds of managed identity a VM can be given."""

    SYSTEM = "system"
    USER = "user"


class RoleWish(Struct, frozen=True, kw_only=True):
    """A role that a VM's own identity is to hold on a scope."""

    role: str
    """The name of a role, or its definition's id."""
    scope: ResourceId


class IdentityChoice(Struct, frozen=True, kw_only=True):
    """The managed identities a VM is to get, added to those it has, and what its own one may do."""

    type: IdentityKind = IdentityKind.SYSTEM
    user_assigned: tuple[ResourceId, ...] = ()
    """Identities to add by name, beside the VM's own or alone."""
    roles: tuple[RoleWish, ...] = ()
    accept_new_default: bool = False
    """Somebody answers for it that no program on the VM relies on its only identity being the default."""

    @property
    def wants_system(self) -> bool:
        """Whether the VM gets an identity of its own."""
        return self.type is IdentityKind.SYSTEM


class LoginMethod(StrEnum):
    """What takes the place of passwords on a Linux VM, and on a Windows VM that is in no domain."""

    ENTRA = "entra"
    """Entra accounts, let in by an extension and a role."""
    KEY = "key"
    """SSH keys that are there already; on Windows nothing: its ports are closed, no more."""


class LoginChoice(Struct, frozen=True, kw_only=True):
    """How people sign in to a VM once passwords are off, and from where."""

    method: LoginMethod
    admin_groups: tuple[str, ...] = ()
    """Object ids of Entra groups whose members may sign in as administrators."""
    user_groups: tuple[str, ...] = ()
    accepted_password_logins: tuple[str, ...] = ()
    """Accounts that sign in by password today, and whose owners accept that they no longer can."""
    allow_from: tuple[str, ...] = ()
    """Addresses (CIDR) that may still reach the ports from the internet; none, if empty."""
    ports: tuple[int, ...] = (22, 3389, 5985, 5986)
    """Ports that the internet is no longer to reach."""


class SecureBoot(StrEnum):
    """Whether a VM is to boot with Secure Boot."""

    ON = "on"
    OFF = "off"
    STAGED = "staged"
    """Off until a first boot under Trusted Launch was proven, then on, in a second restart."""


class Generation1(StrEnum):
    """What is to become of a VM of generation 1."""

    CONVERT = "convert"
    """Its disk is converted; only rebuilding the VM leads back."""


class TrustedLaunchChoice(Struct, frozen=True, kw_only=True):
    """How a VM is to run under Trusted Launch."""

    secure_boot: SecureBoot | None = None
    """None where nobody said: the planner settles it by what the VM shows, and a playbook takes it as on."""
    fall_back: bool = True
    """Whether Secure Boot may be left off if the VM does not come up with it."""
    generation_1: Generation1 | None = None
    """None leaves a VM of generation 1 as it is."""


class Choice(Struct, frozen=True, kw_only=True):
    """What a VM is to become. A part that is None was not chosen, and so is not done."""

    trusted_launch: TrustedLaunchChoice | None = None
    disk_encryption_set: ResourceId | None = None
    encryption_at_host: bool | None = None
    identity: IdentityChoice | None = None
    login: LoginChoice | None = None
    backup_policy: ResourceId | None = None
    """The Enhanced policy that a Standard one gives way to before Trusted Launch. There is no way back."""
    alternative_sizes: tuple[str, ...] | UnsetType = UNSET
    """Sizes it may run as where Azure has no room for its own, in the order in which they are tried."""
    start_if_off: bool | UnsetType = UNSET
    """Whether it is started to prove its boot where it is found off, and deallocated again.

    These two are left out of a written plan that nobody chose them for: older plans keep their digests.
    """

    @property
    def sizes(self) -> tuple[str, ...]:
        """Return the sizes it may run as beside its own."""
        return self.alternative_sizes or ()

    @property
    def starts_if_off(self) -> bool:
        """Whether it is started to prove its boot although it was found off."""
        return self.start_if_off is True


def overlay(choices: Iterable[Choice]) -> Choice:
    """Lay choices over one another: a part that is chosen later replaces one chosen earlier."""
    result = Choice()
    for choice in choices:
        chosen = {part: value for part, value in asdict(choice).items() if value not in (None, UNSET)}
        result = replace(result, **chosen)
    return result


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
