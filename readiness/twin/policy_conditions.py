"""Conditions of policies, as far as they are modelled: whether a resource as it would be meets one.

A condition that is not understood raises, so that who asks never takes it for a denial. Comparisons ignore
case, as Azure Policy's do. A value may be a parameter, or text and parameters joined by `concat`.
"""

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from readiness.twin.documents import Json, same

_ALIASES = {"microsoft.compute/virtualmachines/sku.name": "properties.hardwareProfile.vmSize"}
_PARAMETER = re.compile(r"parameters\('([^']*)'\)", re.IGNORECASE)
_PARTS = re.compile(r"'([^']*)'|parameters\('([^']*)'\)", re.IGNORECASE)


class UnknownConditionError(Exception):
    """A condition that is not modelled."""


def value(said: Any, given: Mapping[str, Any]) -> Any:
    """Return a value with its expression worked out; `given` has parameters by name in lower case."""
    if isinstance(said, list):
        return [value(each, given) for each in said]
    if not isinstance(said, str) or not said.startswith("[") or said.startswith("[["):
        return said
    inner = said[1:-1].strip()
    if named := _PARAMETER.fullmatch(inner):
        return given.get(named[1].lower())
    if inner.lower().startswith("concat("):
        parts = _PARTS.findall(inner)
        return "".join(text or str(given.get(name.lower()) or "") for text, name in parts)
    raise UnknownConditionError


def holds(rule: Json, outcome: Json, given: Mapping[str, Any]) -> bool:
    """Tell whether a resource meets a condition.

    Raises:
        UnknownConditionError: It is not modelled.
    """
    if "allOf" in rule:
        return all(holds(each, outcome, given) for each in rule["allOf"])
    if "anyOf" in rule:
        return any(holds(each, outcome, given) for each in rule["anyOf"])
    if "not" in rule:
        return not holds(rule["not"], outcome, given)
    said = [name for name in rule if name != "field"]
    if "field" not in rule or len(said) != 1:
        raise UnknownConditionError
    return _compares(said[0], _field(str(value(rule["field"], given)), outcome), value(rule[said[0]], given))


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
        raise UnknownConditionError
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
            raise UnknownConditionError


def _folded(value: Any) -> str:
    return value.lower() if isinstance(value, str) else json.dumps(value).lower()
