"""Template functions that need nothing but their arguments. Pure.

Learn, "ARM template functions". `uniqueString` and `guid` answer the same for the same arguments, as Azure's
do, but not the same as Azure's: how those are computed is not public.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from readiness.twin.operations import identifier

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_UNIQUE = 13
_HOLE = re.compile(r"\{(\d+)\}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    return (
        value
        if isinstance(value, str)
        else json.dumps(value)
        if isinstance(value, dict | list)
        else str(value)
    )


def _concat(*parts: Any) -> Any:
    if parts and isinstance(parts[0], list):
        return [each for part in parts for each in part]
    return "".join(map(_text, parts))


def _format(pattern: str, *parts: Any) -> str:
    return _HOLE.sub(lambda found: _text(parts[int(found[1])]), pattern)


def _unique(*parts: str) -> str:
    digest = hashlib.sha256("|".join(parts).lower().encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_UNIQUE])


def _contains(container: Any, wanted: Any) -> bool:
    if isinstance(container, dict):
        return str(wanted).lower() in {key.lower() for key in container}
    return wanted in container


def _equals(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _split(text: str, delimiters: Any) -> list[str]:
    signs = [delimiters] if isinstance(delimiters, str) else delimiters
    return re.split("|".join(map(re.escape, signs)), text)


def _union(*parts: Any) -> Any:
    if isinstance(parts[0], dict):
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= part
        return merged
    listed = [each for part in parts for each in part]
    return [each for at, each in enumerate(listed) if each not in listed[:at]]


def _object(*parts: Any) -> dict[str, Any]:
    return dict(zip(parts[0::2], parts[1::2], strict=True))


def _int(value: Any) -> int:
    return int(value)


def _coalesce(*parts: Any) -> Any:
    return next((part for part in parts if part is not None), None)


def _substring(text: str, start: int, length: int | None = None) -> str:
    if not 0 <= start <= len(text) or (length is not None and start + length > len(text)):
        raise ValueError("the index and length parameters must refer to a location within the string")
    return text[start : None if length is None else start + length]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda one, other: one + other,
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "bool": lambda value: str(value).lower() in ("true", "1"),
    "coalesce": _coalesce,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *parts: list(parts),
    "createobject": _object,
    "div": lambda one, other: int(one / other),
    "empty": lambda value: not value,
    "endswith": lambda value, end: value.lower().endswith(end.lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": lambda value: value[0] if value else None,
    "format": _format,
    "greater": lambda one, other: one > other,
    "greaterorequals": lambda one, other: one >= other,
    "guid": lambda *parts: identifier("guid", *parts),
    "indexof": lambda value, wanted: value.lower().find(wanted.lower()),
    "int": _int,
    "join": lambda value, sign: sign.join(map(_text, value)),
    "json": json.loads,
    "last": lambda value: value[-1] if value else None,
    "length": len,
    "less": lambda one, other: one < other,
    "lessorequals": lambda one, other: one <= other,
    "max": lambda *parts: max(parts[0] if isinstance(parts[0], list) else parts),
    "min": lambda *parts: min(parts[0] if isinstance(parts[0], list) else parts),
    "mod": lambda one, other: one % other,
    "mul": lambda one, other: one * other,
    "not": lambda value: not value,
    "null": lambda: None,
    "padleft": lambda value, width, sign=" ": str(value).rjust(width, sign),
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda value, old, new: value.replace(old, new),
    "skip": lambda value, count: value[count:],
    "split": _split,
    "startswith": lambda value, start: value.lower().startswith(start.lower()),
    "string": _text,
    "sub": lambda one, other: one - other,
    "substring": _substring,
    "take": lambda value, count: value[:count],
    "tolower": lambda value: value.lower(),
    "toupper": lambda value: value.upper(),
    "trim": lambda value: value.strip(),
    "true": lambda: True,
    "union": _union,
    "uniquestring": _unique,
}
