"""What the rule of a policy says of a resource as it is to be, as far as that shows without Azure. Pure.

Judged are conditions on what every resource has: its type, name, id, location, kind and tags. A condition on
anything else, such as an alias, leaves the answer open unless the other conditions settle it, and is named.
Comparisons ignore case, as Azure Policy's do (Learn, "Azure Policy definition structure policy rule").
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from readiness.azure.wire_values import Json

UNCLEAR: Final = object()
"""A value that only Azure can work out."""
_PARAMETER = re.compile(r"parameters\('([^']*)'\)", re.IGNORECASE)
_JOINED = re.compile(r"concat\((.*)\)", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"\s*(?:'((?:[^']|'')*)'|parameters\('([^']*)'\))\s*(?:,|$)", re.IGNORECASE)
_TAG = re.compile(r"tags(?:\.|\[')?(?:\[)?(.*?)(?:'\]|\])?", re.IGNORECASE)
_PLAIN = ("type", "name", "id", "kind", "location")


class Told(Struct, frozen=True):
    """Whether a rule holds for a resource: it would be denied, it would not, or it depends on something."""

    holds: bool | None
    unclear: tuple[str, ...] = ()
    """On what it depends."""


def judged(rule: object, content: Json, values: Mapping[str, Any]) -> Told:
    """Hold a rule, the `if` of a definition, against the content of a resource.

    Args:
        rule: The rule.
        content: The resource with its `type`, `name` and `id`. Its tags, or some of them, may be `UNCLEAR`.
        values: The parameters of the definition by name in lower case, each a value or `UNCLEAR`.
    """
    if not isinstance(rule, Mapping):
        return _open("a rule that is not understood")
    words = {str(word).lower(): said for word, said in rule.items()}
    for joint, settling in (("allof", False), ("anyof", True)):
        if isinstance(words.get(joint), list):
            return _joined((judged(each, content, values) for each in words[joint]), settling)
    if "not" in words:
        inner = judged(words["not"], content, values)
        return inner if inner.holds is None else Told(not inner.holds)
    return _compared(words, content, values)


def settled(said: object, values: Mapping[str, Any]) -> Any:
    """Return a value with the expression in it worked out, or `UNCLEAR`."""
    if isinstance(said, list):
        found = [settled(each, values) for each in said]
        return UNCLEAR if any(each is UNCLEAR for each in found) else found
    if not isinstance(said, str) or not said.startswith("[") or not said.endswith("]"):
        return said
    if said.startswith("[["):
        return said[1:]
    inner = said[1:-1].strip()
    if (named := _PARAMETER.fullmatch(inner)) is not None:
        return values.get(named[1].lower(), UNCLEAR)
    if (joined := _JOINED.fullmatch(inner)) is not None:
        return _concatenated(joined[1], values)
    return UNCLEAR


def _concatenated(arguments: str, values: Mapping[str, Any]) -> Any:
    result, at = "", 0
    while at < len(arguments):
        part = _PART.match(arguments, at)
        if part is None or part.end() == at:
            return UNCLEAR
        value = part[1].replace("''", "'") if part[1] is not None else values.get(part[2].lower())
        if not isinstance(value, str):
            return UNCLEAR
        result, at = result + value, part.end()
    return result


def _joined(inner: Iterable[Told], settling: bool) -> Told:  # noqa: FBT001  False settles allOf, True anyOf
    unclear: dict[str, None] = {}
    for told in inner:
        if told.holds is settling:
            return Told(settling)
        if told.holds is None:
            unclear |= dict.fromkeys(told.unclear)
    return Told(None, tuple(unclear)) if unclear else Told(not settling)


def _compared(words: Mapping[str, Any], content: Json, values: Mapping[str, Any]) -> Told:
    operators = [word for word in words if word not in ("field", "value")]
    if len(operators) != 1 or ("field" in words) is ("value" in words):
        return _open("a count" if "count" in words else "a condition that is not understood")
    operator, wanted = operators[0], settled(words[operators[0]], values)
    if "value" in words:
        name, found = "a computed value", settled(words["value"], values)
    else:
        given = settled(words["field"], values)
        name = given if isinstance(given, str) else "a computed field"
        found = _field(given, content) if isinstance(given, str) else UNCLEAR
    compare = _OPERATORS.get(operator)
    if found is UNCLEAR or wanted is UNCLEAR or compare is None or not _is_settled(operator, found, wanted):
        return _open(name)
    if name.lower() == "location":
        found, wanted = _place(found), _place(wanted)
    return Told(compare(_folded(found), _folded(wanted)))


def _field(name: str, content: Json) -> Any:
    folded = name.lower()
    if folded in _PLAIN:
        return content.get(folded)
    if folded == "tags" or folded.startswith(("tags.", "tags[")):
        tags, tag = content.get("tags") or {}, tag_of(name)
        if tags is UNCLEAR:
            return UNCLEAR
        if tag is None:
            return UNCLEAR if UNCLEAR in tags.values() else tags or None
        if "*" in tag:
            return UNCLEAR
        return next((value for key, value in tags.items() if key.lower() == tag.lower()), None)
    return UNCLEAR


def tag_of(name: str) -> str | None:
    """Return the tag that a field names; None where it is another field, or all tags."""
    found = _TAG.fullmatch(name) if name.lower().startswith(("tags.", "tags[")) else None
    return found[1] if found is not None else None


def _is_settled(operator: str, found: Any, wanted: Any) -> bool:
    """Tell whether it is known how Azure compares: nothing may be the same as an empty text, and 7 as '7'."""
    if operator == "exists":
        return True
    if operator in ("in", "notin"):
        return isinstance(wanted, list) and all(_is_settled("equals", found, each) for each in wanted)
    return not (found is None and wanted == "") and (found is None or _is_number(found) is _is_number(wanted))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _place(value: Any) -> Any:
    """Return a region as Azure compares it: West Europe is westeurope."""
    if isinstance(value, list):
        return [_place(each) for each in value]
    return value.replace(" ", "") if isinstance(value, str) else value


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(each) for each in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.lower() if isinstance(value, str) else value


def _like(found: Any, pattern: Any) -> bool:
    words = [re.escape(word) for word in str(pattern).split("*")]
    return isinstance(found, str) and re.fullmatch(".*".join(words), found, re.DOTALL) is not None


def _contains(found: Any, wanted: Any) -> bool:
    return isinstance(found, str) and str(wanted) in found


def _is_in(found: Any, wanted: Any) -> bool:
    return isinstance(wanted, list) and found in wanted


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda found, wanted: bool(found == wanted),
    "notequals": lambda found, wanted: bool(found != wanted),
    "in": _is_in,
    "notin": lambda found, wanted: not _is_in(found, wanted),
    "like": _like,
    "notlike": lambda found, wanted: not _like(found, wanted),
    "contains": _contains,
    "notcontains": lambda found, wanted: not _contains(found, wanted),
    "exists": lambda found, wanted: (found is not None) == (wanted == "true"),
}


def _open(what: str) -> Told:
    return Told(None, (what,))
