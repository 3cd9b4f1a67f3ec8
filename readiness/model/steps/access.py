"""Changes of who may do what and who reaches what: roles, security rules, just-in-time access."""

from typing import Any, ClassVar

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.steps.kinds import LOOK, StepBase
from readiness.model.steps.machine import ReleaseLease, TakeLease

_ROLES = (
    *LOOK,
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.Authorization/roleDefinitions/read",
)
_NETWORK = "Microsoft.Network"
_RULES = (
    f"{_NETWORK}/networkSecurityGroups/read",
    f"{_NETWORK}/networkSecurityGroups/securityRules/read",
    f"{_NETWORK}/networkSecurityGroups/securityRules/write",
    f"{_NETWORK}/networkSecurityGroups/securityRules/delete",
    f"{_NETWORK}/locations/operations/read",
)


class AssignRole(StepBase, frozen=True, kw_only=True, tag="assign-role"):
    """Let a principal hold a role on a scope; the assignment's name follows from all three."""

    words: ClassVar[str] = "assign the role"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _ROLES

    role: str
    """Name of a built-in role, or a role definition's id."""
    scope: ResourceId
    principal: str = ""
    """Object id of a user, group or identity; empty: the VM's own identity, looked up when performed."""
    kind: str = "ServicePrincipal"
    """`principalType`: `ServicePrincipal`, `Group` or `User`."""


class RemoveRole(StepBase, frozen=True, kw_only=True, tag="remove-role"):
    """Delete the assignment that `AssignRole` made, and no other."""

    words: ClassVar[str] = "remove the role"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _ROLES

    role: str
    scope: ResourceId
    principal: str = ""
    kind: str = "ServicePrincipal"


class SetSecurityRule(StepBase, frozen=True, kw_only=True, tag="set-security-rule"):
    """Create or replace one rule of a network security group, held against its etag."""

    words: ClassVar[str] = "set the security rule"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _RULES

    rule: ResourceId
    properties: dict[str, Any]
    earlier: dict[str, Any] | None = None
    """The rule as it was planned on: an undo puts it back. None where there was none."""


class RemoveSecurityRule(StepBase, frozen=True, kw_only=True, tag="remove-security-rule"):
    """Delete one rule of a network security group that this campaign created, as long as it says the same."""

    words: ClassVar[str] = "remove the security rule"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _RULES

    rule: ResourceId
    made: dict[str, Any]
    """What was made; a rule that says something else is somebody's by now."""


_TAGS = ("Microsoft.Resources/tags/read", "Microsoft.Resources/tags/write")
"""Enough to mark a group, and to change nothing else of it."""


class MarkGroup(TakeLease, frozen=True, kw_only=True, tag="mark-group"):
    """The same of a shared security group, with what each rule says that is going to be changed."""

    actions: ClassVar[tuple[str, ...]] = _TAGS

    rules: tuple[SetSecurityRule, ...]


class UnmarkGroup(ReleaseLease, frozen=True, kw_only=True, tag="unmark-group"):
    """Take our marks from a shared security group, last of all."""

    actions: ClassVar[tuple[str, ...]] = _TAGS


class RuleStates(Struct, frozen=True, kw_only=True):
    """What one rule of a security group may say."""

    rule: ResourceId
    allowed: tuple[dict[str, Any] | None, ...]
    """Its properties, one of these; None where it may be absent."""


class ProveRules(StepBase, frozen=True, kw_only=True, tag="prove-rules"):
    """Look whether rules of a shared security group say what they may, and whether they may be written."""

    words: ClassVar[str] = "look whether rules are as they were in"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = (
        *_RULES[:2],
        "Microsoft.Authorization/permissions/read",
        "Microsoft.Authorization/locks/read",
        "Microsoft.Authorization/denyAssignments/read",
        "Microsoft.Authorization/policyAssignments/read",
        "Microsoft.Authorization/policyDefinitions/read",
        "Microsoft.Authorization/policySetDefinitions/read",
        "Microsoft.Authorization/policyExemptions/read",
        "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
    )

    rules: tuple[RuleStates, ...]
    """What each may say; the last is what it is to say."""
    needed: tuple[str, ...] = ()
    """What permissions and locks have to allow on the group; nothing where it is only looked at."""


class ProveClosed(StepBase, frozen=True, kw_only=True, tag="prove-closed"):
    """Ask Azure for the rules in force at the VM's interfaces: is a port still open to the internet?"""

    words: ClassVar[str] = "prove that the internet does not reach"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = (
        *LOOK,
        f"{_NETWORK}/networkInterfaces/read",
        f"{_NETWORK}/networkInterfaces/effectiveNetworkSecurityGroups/action",
        f"{_NETWORK}/locations/operationResults/read",
        f"{_NETWORK}/locations/operations/read",
    )

    ports: tuple[int, ...]


class ProveClosedBehind(ProveClosed, frozen=True, kw_only=True, tag="prove-closed-behind"):
    """The same of one of the VMs behind a shared group: one that is off or gone keeps nobody waiting."""


AccessChange = (
    AssignRole
    | RemoveRole
    | SetSecurityRule
    | RemoveSecurityRule
    | MarkGroup
    | UnmarkGroup
    | ProveRules
    | ProveClosed
    | ProveClosedBehind
)
