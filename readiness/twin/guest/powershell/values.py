"""PowerShell's values: text of them, comparisons, and properties without case."""

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

_NOT = "not"


def shown(value: Any) -> str:
    """Return a value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list):
        return " ".join(map(shown, value))
    if isinstance(value, Mapping):
        return "@{" + "; ".join(f"{name}={shown(inner)}" for name, inner in value.items()) + "}"
    return str(value)


def lines_of(value: Any) -> list[str]:
    """Return the lines in which a value is written out; an object has one for each property."""
    if isinstance(value, Mapping):
        width = max((len(name) for name in value), default=0)
        return ["", *(f"{name:{width}} : {_listed(inner)}" for name, inner in value.items()), ""]
    return shown(value).split("\n")


def _listed(value: Any) -> str:
    return "{" + ", ".join(map(shown, value)) + "}" if isinstance(value, list) else shown(value)


def as_list(value: Any) -> list[Any]:
    """Return what a value gives when it goes down a pipeline."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def one(values: list[Any]) -> Any:
    """Return values as one: nothing, the single one, or all of them."""
    return None if not values else values[0] if len(values) == 1 else values


def truth(value: Any) -> bool:
    """Tell whether a value counts as true."""
    if isinstance(value, list) and len(value) == 1:
        return truth(value[0])
    return bool(value)


def member(value: Any, name: str) -> Any:
    """Return a property, of each value where there are several; a missing one is nothing."""
    folded = name.lower()
    if isinstance(value, Mapping):
        found = next((inner for key, inner in value.items() if key.lower() == folded), None)
        return len(value) if found is None and folded == "count" else found
    if folded in ("count", "length"):
        return len(value) if isinstance(value, list | str) else int(value is not None)
    if isinstance(value, list):
        return one([inner for each in value if (inner := member(each, name)) is not None])
    return None


def _alike(left: Any, right: Any) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return shown(left).lower() == shown(right).lower()
    return bool(left == right)


def compare(operator: str, left: Any, right: Any) -> Any:
    """Apply an operator; on several values most of them choose among the values."""
    name = operator.lstrip("-")
    if name in ("contains", "notcontains"):
        return any(_alike(each, right) for each in as_list(left)) is not name.startswith(_NOT)
    if name in ("in", "notin"):
        return any(_alike(left, each) for each in as_list(right)) is not name.startswith(_NOT)
    if name == "join":
        return shown(right).join(map(shown, as_list(left)))
    if isinstance(left, list):
        return [each for each in left if compare(operator, each, right)]
    found = _OPERATORS.get(name)
    return _ordered(name, left, right) if found is None else found(left, right)


def _matches(left: Any, right: Any) -> bool:
    return re.search(shown(right), shown(left), re.IGNORECASE) is not None


def _is_like(left: Any, right: Any) -> bool:
    return fnmatchcase(shown(left).lower(), shown(right).lower())


def _replaced(left: Any, right: Any) -> str:
    old, new = (right, "") if not isinstance(right, list) else right[:2]
    return re.sub(shown(old), shown(new).replace("$", "\\"), shown(left), flags=re.IGNORECASE)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": _alike,
    "ieq": _alike,
    "ceq": _alike,
    "ne": lambda left, right: not _alike(left, right),
    "match": _matches,
    "notmatch": lambda left, right: not _matches(left, right),
    "like": _is_like,
    "notlike": lambda left, right: not _is_like(left, right),
    "replace": _replaced,
    "split": lambda left, right: re.split(shown(right), shown(left)),
    "f": lambda left, right: shown(left).format(*as_list(right)),
}


def _ordered(name: str, left: Any, right: Any) -> bool:
    try:
        pair = (float(left or 0), float(right or 0))
    except (TypeError, ValueError):
        pair = (shown(left).lower(), shown(right).lower())  # type: ignore[assignment]
    return {"gt": pair[0] > pair[1], "ge": pair[0] >= pair[1], "lt": pair[0] < pair[1]}.get(
        name, pair[0] <= pair[1]
    )


def json_of(value: Any, *, is_compressed: bool) -> str:
    """Return a value as JSON."""
    if is_compressed:
        return json.dumps(value, separators=(",", ":"), default=shown)
    return json.dumps(value, indent=4, default=shown)


def unary(operator: str, value: Any) -> Any:
    """Apply `-not`, the minus sign or a cast."""
    match operator:
        case "-not":
            return not truth(value)
        case "-":
            return -value
        case "[int]" | "[int32]" | "[int64]" | "[long]":
            return int(value or 0)
        case "[string]":
            return shown(value)
        case "[bool]":
            return truth(value)
        case "[void]":
            return None
        case _:
            return value


def indexed(target: Any, at: Any) -> Any:
    """Return one of several values, or nothing where there is none."""
    if isinstance(target, Mapping):
        return member(target, shown(at))
    listed = as_list(target) if not isinstance(target, str) else list(target)
    try:
        return listed[int(at)]
    except (IndexError, ValueError, TypeError):
        return None


def added(left: Any, right: Any) -> Any:
    """Return what `+` makes of two values."""
    if isinstance(left, list):
        return left + as_list(right)
    if left is None:
        return right
    if isinstance(left, str):
        return left + shown(right)
    return left + (right or 0)


METHODS: dict[str, Callable[..., Any]] = {
    "tostring": str,
    "trim": str.strip,
    "tolower": str.lower,
    "tolowerinvariant": str.lower,
    "toupper": str.upper,
    "toupperinvariant": str.upper,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "replace": str.replace,
    "split": str.split,
}
"""Methods of text, by name in lower case."""
