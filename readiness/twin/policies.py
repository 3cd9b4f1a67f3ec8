"""Deny policies of an estate, as far as they are modelled: which of them refuse what would come of a write.

The same judgement answers whoever asks beforehand (`arm/policy_restrictions.py`) and refuses the write.

An assignment counts where it is enforced, its scope covers the resource, no notScope and no exemption does,
and the effect of its policy, or of one in its initiative, is deny. Definitions are those of the estate, and
a few built-in ones. A condition that is not understood refuses nothing: the twin never makes a denial up.
Mode Indexed, which is meant where none is said, looks at resources with tags or a location (Learn, "Azure
Policy definition structure basics").
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from readiness.twin.built_in_policies import BUILT_IN
from readiness.twin.documents import Json, look, merged, same
from readiness.twin.messages import ArmError
from readiness.twin.paths import Address
from readiness.twin.policy_conditions import UnknownConditionError, holds, value
from readiness.twin.state import State

ASSIGNMENT = "microsoft.authorization/policyassignments"
EXEMPTION = "microsoft.authorization/policyexemptions"
_PARTS = ("/securityrules", "/subnets", "/virtualnetworkpeerings")
"""Types that have neither tags nor a location, and are kept inside of what has both."""


class _Part(NamedTuple):
    """A policy of an assignment: its only one, or one of its initiative's."""

    reference: str
    definition: Json
    given: Mapping[str, Any]


def definition_of(state: State, definition_id: object) -> Json | None:
    """Return a definition of the estate, or a built-in one."""
    found = state.find(str(definition_id or ""))
    if found is not None:
        return found
    place, _, name = str(definition_id or "").lower().rpartition("/")
    is_built_in = place == "/providers/microsoft.authorization/policydefinitions"
    return BUILT_IN.get(name) if is_built_in else None


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
    return [
        (assignment, effect)
        for assignment in state.above(ASSIGNMENT, outcome["id"])
        if _applies(assignment, outcome["id"])
        if (effect := _violated(state, assignment, outcome, effects, now)) is not None
    ]


def _applies(assignment: Json, resource_id: str) -> bool:
    if same(look(assignment, "properties.enforcementMode"), "DoNotEnforce"):
        return False
    own = resource_id.lower() + "/"
    excluded = look(assignment, "properties.notScopes") or []
    return not any(own.startswith(str(scope).lower().rstrip("/") + "/") for scope in excluded)


def _is_exempt(state: State, assignment: Json, reference: str, resource_id: str, now: datetime) -> bool:
    return any(
        same(look(each, "properties.policyAssignmentId"), assignment["id"])
        and str(look(each, "properties.expiresOn") or "9999") > now.isoformat()
        and _is_meant(look(each, "properties.policyDefinitionReferenceIds"), reference)
        for each in state.above(EXEMPTION, resource_id)
    )


def _is_meant(references: list[str] | None, reference: str) -> bool:
    return not references or any(same(each, reference) for each in references)


def _violated(
    state: State, assignment: Json, outcome: Json, effects: tuple[str, ...], now: datetime
) -> str | None:
    """Return the effect of an assignment, if it is one of these and the outcome is what its rule is about."""
    for part in _parts(state, assignment):
        effect = _effect(assignment, part)
        if effect.lower() not in effects or not _looks_at(part.definition, outcome):
            continue
        try:
            is_about = holds(look(part.definition, "properties.policyRule.if") or {}, outcome, part.given)
        except UnknownConditionError:
            continue
        if is_about and not _is_exempt(state, assignment, part.reference, outcome["id"], now):
            return effect
    return None


def _parts(state: State, assignment: Json) -> Iterator[_Part]:
    definition = definition_of(state, look(assignment, "properties.policyDefinitionId"))
    if definition is None:
        return
    given = _given(definition, look(assignment, "properties.parameters"), {})
    members = look(definition, "properties.policyDefinitions")
    if members is None:
        yield _Part("", definition, given)
        return
    for member in members:
        inner = definition_of(state, look(member, "policyDefinitionId"))
        if inner is not None:
            reference = str(look(member, "policyDefinitionReferenceId") or "")
            yield _Part(reference, inner, _given(inner, look(member, "parameters"), given))


def _given(definition: Json, parameters: Json | None, outer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a definition's parameters: what is given, or what it takes by itself."""
    declared = look(definition, "properties.parameters") or {}
    found = {name.lower(): look(each, "defaultValue") for name, each in declared.items()}
    for name, each in (parameters or {}).items():
        try:
            found[name.lower()] = value(look(each, "value"), outer)
        except UnknownConditionError:
            found[name.lower()] = None
    return found


def _effect(assignment: Json, part: _Part) -> str:
    for each in look(assignment, "properties.overrides") or []:
        chosen = look(each, "selectors") or []
        if same(look(each, "kind"), "policyEffect") and all(_selects(one, part.reference) for one in chosen):
            return str(look(each, "value"))
    try:
        return str(value(look(part.definition, "properties.policyRule.then.effect"), part.given))
    except UnknownConditionError:
        return ""


def _selects(selector: Json, reference: str) -> bool:
    """Tell whether a selector of an override means a policy; other kinds are not modelled."""
    wanted, unwanted = selector.get("in") or [], selector.get("notIn") or []
    is_named = any(same(each, reference) for each in wanted or unwanted)
    return same(selector.get("kind"), "policyDefinitionReferenceId") and is_named is bool(wanted)


def _looks_at(definition: Json, outcome: Json) -> bool:
    mode = str(look(definition, "properties.mode") or "Indexed").lower()
    if mode != "indexed":
        return mode == "all"
    is_part = str(outcome["type"]).lower().endswith(_PARTS)
    return not is_part and ("location" in outcome or "tags" in outcome)


def _refusal(state: State, name: str, found: list[Json]) -> ArmError:
    identified = [
        {
            "policyAssignment": {"name": _title(each), "id": each["id"]},
            "policyDefinition": {
                "name": _title(definition_of(state, look(each, "properties.policyDefinitionId")) or each),
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
