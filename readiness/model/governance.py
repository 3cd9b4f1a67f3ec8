"""Who may do what in a subscription, and what is demanded of it: roles, policies and their exemptions."""

from datetime import datetime

from msgspec import field

from readiness.model.fact import Fact
from readiness.model.ids import ResourceId


class RoleGrant(Fact, frozen=True, kw_only=True):
    """A role that is held, its schedule instance, or an eligibility (privileged identity management)."""

    scope: str
    """In lower case: a management group, a subscription, something within one; empty at the tenant's root."""
    role: str
    """The role definition's own name, a GUID, in lower case."""
    role_id: str | None = None
    """`roleDefinitionId` as Azure wrote it."""
    principal: str
    """The object id in lower case."""
    principal_type: str | None = None
    is_conditional: bool = False
    is_scheduled: bool = False
    """A schedule instance, which says whether the role is held for good."""
    is_standing: bool = True
    """Held for good: neither activated for a while nor with an end."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What an assignment and its schedule instance have in common."""
        return self.scope, self.role, self.principal

    def covers(self, resource: ResourceId) -> bool:
        """Whether it holds for the resource. A management group may hold any subscription."""
        return _reaches(self.scope, resource)


class PolicyAssignment(Fact, frozen=True, kw_only=True):
    """An assignment of a policy or an initiative."""

    definition: str
    """The definition's own name in lower case."""
    definition_id: str | None = None
    """`policyDefinitionId` as Azure wrote it."""
    scope: str
    """In lower case: a management group, subscription, resource group or resource."""
    excluded: tuple[str, ...] = ()
    """Scopes within it that are left out, in lower case."""
    is_enforced: bool = True
    parameters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Values by parameter in lower case, as far as they are texts or lists of texts."""

    @property
    def effect(self) -> str | None:
        """The value of its parameter `effect`; None where the definition decides."""
        return next(iter(self.parameters.get("effect", ())), None)

    def covers(self, resource: ResourceId) -> bool:
        """Whether it acts on the resource. A management group may hold any subscription."""
        left_out = any(_within(scope, resource) for scope in self.excluded)
        return not left_out and _reaches(self.scope, resource)


class PolicyExemption(Fact, frozen=True, kw_only=True):
    """An exemption from a policy."""

    scope: str
    """In lower case, as of an assignment."""
    assignment: ResourceId | None = None
    is_partial: bool = False
    """It names policies of an initiative, and leaves the others in force."""
    category: str | None = None
    """`Waiver` or `Mitigated`."""
    expires: datetime | None = None
    owner: str | None = None
    compensating_control: str | None = None

    def frees(self, resource: ResourceId, assignment: PolicyAssignment, at: datetime) -> bool:
        """Whether it lifts the whole assignment from the resource at that moment."""
        is_over = self.expires is not None and self.expires <= at
        is_meant = self.assignment == assignment.id and not self.is_partial
        return is_meant and not is_over and self.covers(resource)

    def covers(self, resource: ResourceId) -> bool:
        """Whether the resource lies where it holds. A management group may hold any subscription."""
        return _reaches(self.scope, resource)


class RecommendationOwner(Fact, frozen=True, kw_only=True):
    """A governance assignment: who is to follow a recommendation, and by when."""

    owner: str | None = None
    due: str | None = None


class ImageVersion(Fact, frozen=True, kw_only=True):
    """A version of an image in a compute gallery."""

    published: datetime | None = None


def _within(scope: str, resource: ResourceId) -> bool:
    return resource.key == scope or resource.key.startswith(f"{scope}/")


def _reaches(scope: str, resource: ResourceId) -> bool:
    # Which subscriptions a management group holds only the tenant's hierarchy says; all may be.
    return not scope or "/managementgroups/" in scope or _within(scope, resource)
