"""Deny policies of an estate, as far as they are modelled: which of them refuse what would come of a write.

The same judgement answers whoever asks beforehand (`arm/policy_restrictions.py`) and refuses the write.

An assignment counts where it is enforced, its scope covers the resource, no notScope and no exemption does,
and its effect is deny; initiatives are not looked into. The rule is that of the definition, where the estate
holds it, or of a few built-in ones known here. A condition that is not understood refuses nothing: the twin
never makes a denial up. Comparisons ignore case, as Azure Policy's do.
"""

import json
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from readiness.twin.documents import Json, look, merged, same
from readiness.twin.messages import ArmError
from readiness.twin.paths import Address
from readiness.twin.state import State

ASSIGNMENT = "microsoft.authorization/policyassignments"
EXEMPTION = "microsoft.authorization/policyexemptions"

_BUILT_IN: dict[str, Json] = {
    # Allowed locations
    "e56962a6-4747-49cd-b67b-bf8b01975c4c": {
        "not": {"field": "location", "in": "[parameters('listOfAllowedLocations')]"}
    },
    # Allowed virtual machine size SKUs
    "cccc23c7-8427-4f53-ad12-b6a63eb452b3": {
        "allOf": [
            {"field": "type", "equals": "Microsoft.Compute/virtualMachines"},
            {
                "not": {
                    "field": "Microsoft.Compute/virtualMachines/sku.name",
                    "in": "[parameters('listOfAllowedSKUs')]",
                }
            },
        ]
    },
    # Managed disks should use a specific set of disk encryption sets for customer-managed key encryption
    "d461a302-a187-421a-89ac-84acdb4edc04": {
        "allOf": [
            {"field": "type", "equals": "Microsoft.Compute/disks"},
            {"field": "Microsoft.Compute/disks/encryption.diskEncryptionSetId", "exists": True},
            {
                "field": "Microsoft.Compute/disks/encryption.diskEncryptionSetId",
                "notIn": "[parameters('allowedEncryptionSets')]",
            },
        ]
    },
}
_ALIASES = {"microsoft.compute/virtualmachines/sku.name": "properties.hardwareProfile.vmSize"}


class _UnknownError(Exception):
    """A condition that is not modelled."""


def check(state: State, body: object, address: Address, resource_id: str, *, now: datetime) -> None:
    """Refuse a write whose outcome a deny policy forbids, naming every such policy."""
    if not state.above(ASSIGNMENT, resource_id):
        return
    outcome: Json = merged(state.find(resource_id) or {}, body if isinstance(body, dict) else {})
    outcome |= {"type": address.kind, "id": resource_id, "name": address.name}
    found = [each for each, _ in violated(state, outcome, now=now)]
    if found:
        raise _refusal(state, address.name, found)


def violated(
    state: State, outcome: Json, *, now: datetime, effects: tuple[str, ...] = ("deny",)
) -> list[tuple[Json, str]]:
    """Return the assignments that a resource as it would be does not meet, and their effects."""
    resource_id = outcome["id"]
    return [
        (assignment, effect)
        for assignment in state.above(ASSIGNMENT, resource_id)
        if _applies(assignment, resource_id) and not _is_exempt(state, assignment, resource_id, now)
        if (effect := _violated(state, assignment, outcome, effects)) is not None
    ]


def _applies(assignment: Json, resource_id: str) -> bool:
    if same(look(assignment, "properties.enforcementMode"), "DoNotEnforce"):
        return False
    own = resource_id.lower() + "/"
    excluded = look(assignment, "properties.notScopes") or []
    return not any(own.startswith(str(scope).lower().rstrip("/") + "/") for scope in excluded)


def _is_exempt(state: State, assignment: Json, resource_id: str, now: datetime) -> bool:
    return any(
        same(look(each, "properties.policyAssignmentId"), assignment["id"])
        and str(look(each, "properties.expiresOn") or "9999") > now.isoformat()
        for each in state.above(EXEMPTION, resource_id)
    )


def _violated(state: State, assignment: Json, outcome: Json, effects: tuple[str, ...]) -> str | None:
    """Return the effect of an assignment, if it is one of these and the outcome is what its rule is about."""
    definition_id = str(look(assignment, "properties.policyDefinitionId") or "")
    definition = state.find(definition_id) or {}
    rule = look(definition, "properties.policyRule.if") or _BUILT_IN.get(
        definition_id.lower().rsplit("/", 1)[-1]
    )
    effect = look(assignment, "properties.parameters.effect.value")
    if effect is None:
        effect = _value(look(definition, "properties.policyRule.then.effect"), assignment, definition)
    if rule is None or str(effect).lower() not in effects:
        return None
    try:
        return str(effect) if _holds(rule, outcome, assignment, definition) else None
    except _UnknownError:
        return None


def _value(said: Any, assignment: Json, definition: Json) -> Any:
    """Return a value, looked up where it is a parameter."""
    if not isinstance(said, str) or not said.lower().startswith("[parameters('"):
        return said
    name = said[len("[parameters('") :].partition("'")[0]
    given = look(assignment, f"properties.parameters.{name}.value")
    return given if given is not None else look(definition, f"properties.parameters.{name}.defaultValue")


def _holds(rule: Json, outcome: Json, assignment: Json, definition: Json) -> bool:
    def inner(each: Json) -> bool:
        return _holds(each, outcome, assignment, definition)

    if "allOf" in rule:
        return all(inner(each) for each in rule["allOf"])
    if "anyOf" in rule:
        return any(inner(each) for each in rule["anyOf"])
    if "not" in rule:
        return not inner(rule["not"])
    said = [name for name in rule if name != "field"]
    if "field" not in rule or len(said) != 1:
        raise _UnknownError
    return _compares(
        said[0], _field(str(rule["field"]), outcome), _value(rule[said[0]], assignment, definition)
    )


def _field(name: str, outcome: Json) -> Any:
    folded = name.lower()
    if folded in ("type", "location", "name", "id", "kind"):
        return outcome.get(folded)
    if folded.startswith("tags"):
        tag = name[len("tags") :].strip("[]'.")
        values = outcome.get("tags") or {}
        return next((value for key, value in values.items() if same(key, tag)), None)
    if folded in _ALIASES:
        return _look(outcome, _ALIASES[folded])
    prefix = f"{str(outcome['type']).lower()}/"
    if not folded.startswith(prefix) or "[" in name:
        if folded.count("/") > 1 and "[" not in name:
            return None  # an alias of another type
        raise _UnknownError
    rest = name[len(prefix) :]
    found = _look(outcome, f"properties.{rest}")
    return found if found is not None else _look(outcome, rest)


def _look(document: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(document, dict):
            return None
        document = next((value for key, value in document.items() if same(key, name)), None)
    return document


def _compares(operator: str, found: Any, wanted: Any) -> bool:
    match operator:
        case "equals":
            return _folded(found) == _folded(wanted)
        case "notEquals":
            return _folded(found) != _folded(wanted)
        case "in":
            return _folded(found) in [_folded(each) for each in wanted or []]
        case "notIn":
            return _folded(found) not in [_folded(each) for each in wanted or []]
        case "exists":
            return (found is not None) == (_folded(wanted) == "true")
        case "like":
            return fnmatchcase(_folded(found), _folded(wanted))
        case "notLike":
            return not fnmatchcase(_folded(found), _folded(wanted))
        case "contains":
            return _folded(wanted) in _folded(found)
        case _:
            raise _UnknownError


def _folded(value: Any) -> str:
    return value.lower() if isinstance(value, str) else json.dumps(value).lower()


def _refusal(state: State, name: str, found: list[Json]) -> ArmError:
    identified = [
        {
            "policyAssignment": {"name": _title(each), "id": each["id"]},
            "policyDefinition": {
                "name": _title(state.find(look(each, "properties.policyDefinitionId")) or each),
                "id": look(each, "properties.policyDefinitionId"),
            },
        }
        for each in found
    ]
    violations = [
        {
            "type": "PolicyViolation",
            "info": {
                "policyDefinitionId": look(each, "properties.policyDefinitionId"),
                "policyDefinitionEffect": "deny",
                "policyAssignmentId": each["id"],
                "policyAssignmentName": each.get("name"),
                "policyAssignmentDisplayName": _title(each),
            },
        }
        for each in found
    ]
    return ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: '{json.dumps(identified)}'.",
        target=name,
        info=violations,
    )


def _title(resource: Json) -> str:
    return str(look(resource, "properties.displayName") or resource.get("name"))
