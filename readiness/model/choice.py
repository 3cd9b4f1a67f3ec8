"""What VMs are to become, as people choose it: boot, disks, identity, login, backup, and what is left open.

A part that nobody chose is not done. Choices are laid over one another, so that one for many VMs can be
departed from for a few.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from readiness.model.ids import ResourceId


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


class ManagementAccess(StrEnum):
    """What becomes of a VM's management ports once the internet does not reach them."""

    CLOSED = "closed"
    JUST_IN_TIME = "just-in-time"
    """A just-in-time policy opens one for a while, for whoever asks and may."""


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
    management_access: ManagementAccess | UnsetType = UNSET
    """Left out of a plan that nobody chose it for: older plans keep their digests."""


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
