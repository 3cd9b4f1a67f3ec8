"""What an assignment of a policy or an initiative comes to: which definitions, with which values and effect.

Pure. Read are parameters at every level, overrides of the effect, and selectors of resources (Learn, "Azure
Policy assignment structure" and "initiative definition structure"). What is not understood is `UNCLEAR`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from readiness.azure.policy_rules import UNCLEAR, Told, judged, settled, tag_of
from readiness.azure.wire_values import Json, obj, objects, text, texts

_BUILT_IN = "/providers/microsoft.authorization/"
_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"
DENIES, CHANGES = ("deny",), ("modify", "append")
"""Effects: those that refuse a write, and those that change what is written before it is judged."""


class Part(Struct, frozen=True, kw_only=True):
    """One policy of an assignment: its only one, or one of its initiative's."""

    definition: str
    """The id of its definition."""
    reference: str = ""
    """What an initiative calls it; empty outside of one."""
    given: dict[str, Any]
    """Values for its parameters by name in lower case, each `UNCLEAR` where only Azure knows it."""


def is_initiative(definition: str) -> bool:
    """Tell whether an id is that of an initiative."""
    return "/policysetdefinitions/" in definition.lower()


def is_built_in(definition: str) -> bool:
    """Tell whether an id is that of a definition which Azure brings along."""
    return definition.lower().startswith(_BUILT_IN)


def parts_of(assignment: Json, initiative: Json | None) -> list[Part]:
    """Return the policies of an assignment; `initiative` is what it assigns, if that is one."""
    properties = obj(assignment, "properties")
    given = _given(obj(properties, "parameters"), {})
    if initiative is None:
        return [Part(definition=text(properties, "policyDefinitionId") or "", given=given)]
    own = obj(initiative, "properties")
    outer = _values(obj(own, "parameters"), given)
    return [
        Part(
            definition=text(member, "policyDefinitionId") or "",
            reference=text(member, "policyDefinitionReferenceId") or "",
            given=_given(obj(member, "parameters"), outer),
        )
        for member in objects(own, "policyDefinitions")
    ]


def may_have(assignment: Json, part: Part, effects: tuple[str, ...] = DENIES) -> bool:
    """Tell whether a policy may have one of these effects, before its definition was read.

    Built-in definitions that have a parameter `effect` take their effect from it; custom ones need not.
    """
    overrides = objects(obj(assignment, "properties"), "overrides")
    if any((text(each, "value") or "").lower() in effects for each in overrides):
        return True
    stated = part.given.get("effect", UNCLEAR)
    return stated is UNCLEAR or not is_built_in(part.definition) or str(stated).lower() in effects


def judge(
    assignment: Json, part: Part, definition: Json, content: Json, effects: tuple[str, ...] = DENIES
) -> Told:
    """Tell whether a policy has one of these effects on a resource as it is to be."""
    own = obj(definition, "properties")
    mode = (text(own, "mode") or "indexed").lower()
    # Indexed looks at what has a location; modes of resource providers look inside of resources.
    if mode not in ("all", "indexed") or (mode == "indexed" and not content.get("location")):
        return Told(holds=False)
    properties, values = obj(assignment, "properties"), _values(obj(own, "parameters"), part.given)
    rule = obj(own, "policyRule")
    said = _overridden(objects(properties, "overrides"), part, content)
    effect = settled(obj(rule, "then").get("effect"), values) if said is None else said
    doubts = ["its effect"] if effect is UNCLEAR else []
    reached = reaches(properties, content)
    if reached is False or (effect is not UNCLEAR and str(effect).lower() not in effects):
        return Told(holds=False)
    if reached is None:
        doubts.append("what the assignment leaves out")
    told = judged(rule.get("if"), content, values)
    if told.holds is False or not doubts:
        return told
    return Told(None, (*doubts, *told.unclear))


def tags_written(part: Part, definition: Json) -> Iterator[str | None]:
    """Yield the tags that a policy writes where it modifies or appends; None where it may be any."""
    own = obj(definition, "properties")
    values = _values(obj(own, "parameters"), part.given)
    details = obj(obj(own, "policyRule"), "then").get("details")
    written = details.get("operations") if isinstance(details, dict) else details
    for each in written if isinstance(written, list) else ():
        field = settled(each.get("field"), values) if isinstance(each, dict) else UNCLEAR
        if not isinstance(field, str) or field.lower() == "tags":
            yield None
        elif (tag := tag_of(field)) is not None:
            yield tag


def reaches(properties: Json, content: Json) -> bool | None:
    """Tell whether an assignment leaves a resource in; None where only Azure knows."""
    key, doubtful = str(content.get("id") or "").lower(), False
    for scope in texts(properties, "notScopes"):
        left_out = scope.rstrip("/").lower()
        if key == left_out or key.startswith(f"{left_out}/"):
            return False
        # Which subscriptions a management group holds is not told here.
        doubtful = doubtful or left_out.startswith(_MANAGEMENT_GROUP)
    chosen = selected(objects(properties, "resourceSelectors"), content)
    return chosen if chosen is False or not doubtful else None


def selected(selectors: list[Json], content: Json) -> bool | None:
    """Tell whether one of the `resourceSelectors` chooses a resource; without any, all are chosen."""
    if not selectors:
        return True
    found = [_all(_matches(rule, "", content) for rule in objects(each, "selectors")) for each in selectors]
    return True if True in found else None if None in found else False


def _overridden(overrides: list[Json], part: Part, content: Json) -> Any:
    """Return the effect that an override sets, `UNCLEAR` where that is not known, None where none does."""
    for each in overrides:
        if (text(each, "kind") or "").lower() != "policyeffect":
            continue
        is_meant = _all(_matches(rule, part.reference, content) for rule in objects(each, "selectors"))
        if is_meant is not False:
            return each.get("value") if is_meant else UNCLEAR
    return None


def _matches(rule: Json, reference: str, content: Json) -> bool | None:
    kind = (text(rule, "kind") or "").lower()
    own: dict[str, object] = {
        "policydefinitionreferenceid": reference,
        "resourcelocation": str(content.get("location") or "").replace(" ", ""),
        "resourcetype": content.get("type"),
        "resourcewithoutlocation": "false" if content.get("location") else "true",
    }
    if kind not in own:
        return None
    key = str(own[kind]).lower()
    wanted = {each.lower() for each in texts(rule, "in")}
    unwanted = {each.lower() for each in texts(rule, "notIn")}
    return key in wanted if wanted else key not in unwanted


def _all(found: Iterable[bool | None]) -> bool | None:
    seen = set(found)
    return False if False in seen else None if None in seen else True


def _given(parameters: Json, outer: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): settled(obj(parameters, name).get("value"), outer) for name in parameters}


def _values(declared: Json, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {name.lower(): obj(declared, name).get("defaultValue", UNCLEAR) for name in declared}
    return {**defaults, **given}
