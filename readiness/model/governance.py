"""Who may do what in a subscription, and what is demanded of it: roles, policies and their exemptions."""

from datetime import datetime

from msgspec import Struct

from readiness.model.ids import ResourceId


class RoleGrant(Struct, frozen=True, kw_only=True):
    """A role assignment, or the schedule instance of one (privileged identity management)."""

    id: ResourceId
    scope: str
    """In lower case: a subscription, a management group, or something within a subscription."""
    role: str
    """The role definition's own name, a GUID, in lower case."""
    principal: str
    principal_type: str | None = None
    is_scheduled: bool = False
    """A schedule instance, which says whether the role is held for good."""
    is_standing: bool = True
    """Held for good: neither activated for a while nor with an end."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What an assignment and its schedule instance have in common."""
        return self.scope, self.role, self.principal.lower()


class PolicyAssignment(Struct, frozen=True, kw_only=True):
    """An assignment of a policy or an initiative."""

    id: ResourceId
    definition: str
    """The definition's own name in lower case."""
    is_enforced: bool = True
    effect: str | None = None
    """The value of its parameter `effect`, if it has one."""


class PolicyExemption(Struct, frozen=True, kw_only=True):
    """An exemption from a policy."""

    id: ResourceId
    category: str | None = None
    """`Waiver` or `Mitigated`."""
    expires: datetime | None = None
    owner: str | None = None
    compensating_control: str | None = None


class RecommendationOwner(Struct, frozen=True, kw_only=True):
    """A governance assignment: who is to follow a recommendation, and by when."""

    id: ResourceId
    owner: str | None = None
    due: str | None = None


class Feature(Struct, frozen=True, kw_only=True):
    """A feature registration of a subscription."""

    id: ResourceId
    state: str | None = None


class FirewallTier(Struct, frozen=True, kw_only=True):
    """An Azure Firewall, as far as its tier and its policy go."""

    id: ResourceId
    tier: str | None = None
    policy: ResourceId | None = None


class FirewallInspection(Struct, frozen=True, kw_only=True):
    """What a firewall policy inspects."""

    id: ResourceId
    tier: str | None = None
    inspects_tls: bool = False
    intrusion_detection: str | None = None


class NetworkShield(Struct, frozen=True, kw_only=True):
    """A virtual network's own protection."""

    id: ResourceId
    has_ddos_plan: bool | None = None


class AddressShield(Struct, frozen=True, kw_only=True):
    """A public address's own protection."""

    id: ResourceId
    ddos_mode: str | None = None


class ImageVersion(Struct, frozen=True, kw_only=True):
    """A version of an image in a compute gallery."""

    id: ResourceId
    published: datetime | None = None


class VaultShield(Struct, frozen=True, kw_only=True):
    """What keeps the keys of a vault from being lost."""

    id: ResourceId
    purge_protection: bool | None = None
    soft_delete: bool | None = None
    retention_days: int | None = None
