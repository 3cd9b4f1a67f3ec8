"""ARM JSON to the model: roles, policies and their exemptions, and who follows a recommendation.

Some of these lie outside any subscription, such as the role assignments of a management group.
"""

from sys import intern

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    any_id,
    moment,
    obj,
    own_id,
    resource_id,
    scope_of,
    text,
    texts,
)
from readiness.model.governance import PolicyAssignment, PolicyExemption, RecommendationOwner, RoleGrant


def role_grant(resource: Json) -> RoleGrant:
    """Read a role assignment, the schedule instance of one, or that of an eligibility."""
    properties = obj(resource, "properties")
    principal, role = text(properties, "principalId"), resource_id(properties, "roleDefinitionId")
    if principal is None or role is None:
        raise MalformedError("it does not say who may do what")
    activated = (text(properties, "assignmentType") or "").lower() == "activated"
    return RoleGrant(
        id=any_id(resource),
        scope=scope_of(resource),
        role=role.name.lower(),
        role_id=intern(role.text),
        principal=principal.lower(),
        principal_type=text(properties, "principalType"),
        is_conditional=text(properties, "condition") is not None,
        is_scheduled="assignmentType" in properties,
        is_standing=not activated and text(properties, "endDateTime") is None,
    )


def policy_assignment(resource: Json) -> PolicyAssignment:
    """Read an assignment of a policy or an initiative."""
    properties = obj(resource, "properties")
    definition = resource_id(properties, "policyDefinitionId")
    if definition is None:
        raise MalformedError("it names no policy")
    return PolicyAssignment(
        id=any_id(resource),
        definition=definition.name.lower(),
        definition_id=intern(definition.text),
        scope=scope_of(resource),
        excluded=tuple(entry.rstrip("/").lower() for entry in texts(properties, "notScopes")),
        is_enforced=(text(properties, "enforcementMode") or "Default").lower() == "default",
        parameters=_parameters(obj(properties, "parameters")),
    )


def policy_exemption(resource: Json) -> PolicyExemption:
    """Read an exemption from a policy assignment."""
    properties = obj(resource, "properties")
    notes = obj(properties, "metadata")
    controls = notes.get("compensatingControls")
    return PolicyExemption(
        id=any_id(resource),
        scope=scope_of(resource),
        assignment=resource_id(properties, "policyAssignmentId"),
        is_partial=bool(texts(properties, "policyDefinitionReferenceIds")),
        category=text(properties, "exemptionCategory"),
        expires=moment(properties, "expiresOn"),
        owner=text(notes, "owner"),
        compensating_control=str(controls) if controls else None,
    )


def recommendation_owner(resource: Json) -> RecommendationOwner:
    """Read who has promised to follow a recommendation."""
    properties = obj(resource, "properties")
    return RecommendationOwner(
        id=own_id(resource), owner=text(properties, "owner"), due=text(properties, "remediationDueDate")
    )


def _parameters(given: Json) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in given:
        value = obj(given, name).get("value")
        if isinstance(value, str):
            found[name.lower()] = (value,)
        elif isinstance(value, list):
            found[name.lower()] = tuple(entry for entry in value if isinstance(entry, str))
    return found
