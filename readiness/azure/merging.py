"""Merges several copies of one resource without losing a property.

What only one copy says is kept. Where copies contradict one another the preferred copy wins, and the
contradiction is told. An empty value never replaces a filled one. Children of a resource (`resources`,
such as extensions) are united by id. Other lists are facts of their own: a disk that one copy no longer
lists was detached, so the preferred copy's list stands, and the difference is told.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from readiness.azure.wire_values import Json

_IDENTITIES = ("id", "name", "lun", "code")
_UNITED = frozenset({"resources"})
_LONGEST = 60


class Conflict(Struct, frozen=True):
    """Two copies of one resource that say different things."""

    path: str
    kept: str
    dropped: str


def merged(preferred: Json, other: Json) -> tuple[Json, tuple[Conflict, ...]]:
    """Return one resource of two copies, and where they contradicted one another."""
    conflicts: list[Conflict] = []
    return _objects(preferred, other, "", conflicts), tuple(conflicts)


def richness(value: Any) -> int:
    """Count the facts in a JSON value: every scalar that is neither missing nor empty."""
    if isinstance(value, dict):
        return sum(richness(entry) for entry in value.values())
    if isinstance(value, list):
        return sum(richness(entry) for entry in value)
    return 0 if value is None or value == "" else 1


def _objects(preferred: Json, other: Json, path: str, conflicts: list[Conflict]) -> Json:
    result = dict(preferred)
    for key, value in other.items():
        inner = f"{path}.{key}" if path else key
        result[key] = _values(preferred[key], value, inner, conflicts) if key in preferred else value
    return result


def _values(preferred: Any, other: Any, path: str, conflicts: list[Conflict]) -> Any:
    if _is_empty(other) or _same(preferred, other, path):
        return preferred
    if _is_empty(preferred):
        return other
    if isinstance(preferred, dict) and isinstance(other, dict):
        return _objects(preferred, other, path, conflicts)
    if isinstance(preferred, list) and isinstance(other, list):
        return _lists(preferred, other, path, conflicts)
    conflicts.append(Conflict(path, _shown(preferred), _shown(other)))
    return preferred


def _lists(preferred: list[Any], other: list[Any], path: str, conflicts: list[Conflict]) -> list[Any]:
    left, right = _by_identity(preferred), _by_identity(other)
    if left is None or right is None:
        conflicts.append(Conflict(path, f"{len(preferred)} entries", f"{len(other)} other entries"))
        return preferred
    united = [
        _objects(entry, right[key], f"{path}[{_shown(key)}]", conflicts) if key in right else entry
        for key, entry in left.items()
    ]
    only_other = [entry for key, entry in right.items() if key not in left]
    if path in _UNITED:
        return united + only_other
    if only_other:
        names = ", ".join(_shown(key) for key in right if key not in left)
        conflicts.append(Conflict(path, "without them", f"with {names}"))
    return united


def _by_identity(entries: Iterable[Any]) -> dict[str, Json] | None:
    """File objects by what tells them apart; None where something does not."""
    found: dict[str, Json] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            return None
        identity = next((str(entry[key]) for key in _IDENTITIES if entry.get(key) not in (None, "")), None)
        if identity is None or identity.lower() in found:
            return None
        found[identity.lower()] = entry
    return found


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _same(left: Any, right: Any, path: str) -> bool:
    if isinstance(left, str) and isinstance(right, str) and not path.startswith("tags."):
        # Azure answers ids, regions and enum values in different letter case from different services.
        return left.lower() == right.lower()
    return bool(left == right and type(left) is type(right))


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
