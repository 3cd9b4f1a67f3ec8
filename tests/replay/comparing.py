"""Where two answers differ: status, headers that clients follow, shape, and values.

The shape of a body is its JSON paths and the kind of value at each; null and absent are one. Entries of a
list are matched by id or name where they have one. A value is compared unless chance, time or the recorder
chose it: ids, etags, times, addresses and long random words. Paths lose what is only a name, so that equal
differences count as one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HEADERS = ("azure-asyncoperation", "location", "retry-after", "etag")

_GUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
_BY_CHANCE = re.compile(
    rf"{_GUID}|[0-9a-f]{{12,}}|\d{{4}}-\d\d-\d\d|^\d+(\.\d+){{2,}}|^([0-9a-f]{{2}}-){{5}}|^W/|^\"\d+\"$|^https?://"
    r"|^.{100,}|000001$|^P(T|\d)",
    re.IGNORECASE | re.DOTALL,
)
_DEEPEST = 40
Difference = tuple[str, str]
"""What differs, and where: ("missing", "properties.vmId")."""


def headers(
    real: Mapping[str, str], twin: Mapping[str, str], *, names: Iterable[str]
) -> Iterator[Difference]:
    """Compare which headers are there."""
    folded = {name.lower() for name in twin}
    for name in names:
        if (name in real) != (name in folded):
            yield ("no header" if name in real else "header"), name


def body(real: Any, twin: Any, path: str = "") -> Iterator[Difference]:
    """Compare two bodies."""
    if len(path.split(".")) > _DEEPEST:
        return
    if isinstance(real, dict) and isinstance(twin, dict):
        for name in sorted({*real, *twin}):
            yield from _member(
                real.get(name), twin.get(name), f"{path}.{_plain(name)}" if path else _plain(name)
            )
    elif isinstance(real, list) and isinstance(twin, list):
        yield from _lists(real, twin, path)
    elif kind(real) != kind(twin):
        yield "kind", f"{path}: {kind(real)}, not {kind(twin)}"
    elif not same(real, twin):
        yield "value", f"{path}: {_short(real)}, not {_short(twin)}"


def _member(real: Any, twin: Any, path: str) -> Iterator[Difference]:
    if real is None or twin is None:
        if real is not twin:
            yield ("missing" if twin is None else "extra"), path
        return
    yield from body(real, twin, path)


def _lists(real: list[Any], twin: list[Any], path: str) -> Iterator[Difference]:
    for left, right in matched(real, twin):
        yield from _member(left, right, f"{path}[]")


def matched(real: list[Any], twin: list[Any]) -> list[tuple[Any, Any]]:
    """Return the entries of two lists side by side: by id, by name, or else by place."""
    left, right = ({_key(each): each for each in entries} for entries in (real, twin))
    if (
        None in left
        or None in right
        or len(left) != len(real)
        or len(right) != len(twin)
        or not (left and right)
    ):
        longest = max(len(real), len(twin))
        filled = [entries + [None] * (longest - len(entries)) for entries in (real, twin)]
        return list(zip(*filled, strict=True))
    pairs = [(each, right.pop(key, None)) for key, each in left.items()]
    # What is alone on both sides was named by chance.
    others = list(right.values())
    pairs = [(each, other if other is not None or not others else others.pop(0)) for each, other in pairs]
    return pairs + [(None, each) for each in others]


def _key(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    found = entry.get("id") or entry.get("name") or entry.get("code") or entry.get("lun")
    return None if found is None else str(found).lower()


def kind(value: Any) -> str:
    """Return the kind of a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", dict: "object", list: "list"}.get(type(value), "nothing")


def same(real: Any, twin: Any) -> bool:
    """Tell whether two values of one kind are equal, or differ by chance alone."""
    if real == twin:
        return True
    if not isinstance(real, str) or not isinstance(twin, str):
        return False
    return real.lower() == twin.lower() or bool(_BY_CHANCE.search(real) or _BY_CHANCE.search(twin))


def is_chance(value: str) -> bool:
    """Tell whether Azure chose a text by chance, as far as one can see."""
    return bool(re.search(rf"{_GUID}|[0-9a-f]{{12,}}", value, re.IGNORECASE))


def _plain(name: str) -> str:
    return "{id}" if "/" in name or _BY_CHANCE.search(name) else name


def _short(value: Any) -> str:
    text = re.sub(r"'[^']{1,300}'", "'...'", str(value))
    return text if len(text) <= 160 else text[:157] + "..."
