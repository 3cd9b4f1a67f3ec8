"""Reads single values out of ARM JSON.

A value that is missing or null reads as *not reported*. A value of a type that Azure never sends there
raises `MalformedError`: the resource cannot be understood, and guessing would be worse than saying so.
"""

from datetime import UTC, datetime
from math import isfinite
from sys import intern
from typing import Any

from readiness.model.ids import ResourceId

Json = dict[str, Any]


class MalformedError(ValueError):
    """A resource holds something that Azure never sends in that place."""


def obj(parent: Json, key: str) -> Json:
    """Return the object under the key, or an empty one."""
    value = parent.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise MalformedError(f"'{key}' is {_kind(value)}, not an object")


def objects(parent: Json, key: str) -> list[Json]:
    """Return the objects in the list under the key; null entries are left out."""
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"'{key}' is {_kind(value)}, not a list")
    for entry in value:
        if entry is not None and not isinstance(entry, dict):
            raise MalformedError(f"'{key}' holds {_kind(entry)}, not an object")
    return [entry for entry in value if entry is not None]


def texts(parent: Json, key: str) -> tuple[str, ...]:
    """Return the texts in the list under the key."""
    value = parent.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise MalformedError(f"'{key}' is {_kind(value)}, not a list")
    for entry in value:
        if entry is not None and not isinstance(entry, str):
            raise MalformedError(f"'{key}' holds {_kind(entry)}, not a text")
    return tuple(entry for entry in value if entry)


def text(parent: Json, key: str) -> str | None:
    """Return the text under the key; an empty one counts as not reported."""
    value = parent.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        # Short ones are words that a large estate repeats a million times: sizes, regions, states.
        return (intern(value) if len(value) <= _WORD else value) or None
    raise MalformedError(f"'{key}' is {_kind(value)}, not a text")


def flag(parent: Json, key: str) -> bool | None:
    """Return the boolean under the key; templates of Azure Policy send it as a text."""
    value = parent.get(key)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise MalformedError(f"'{key}' is {_kind(value)}, not true or false")


def number(parent: Json, key: str) -> int | None:
    """Return the whole number under the key."""
    value = parent.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_NUMBER:
        return int(value)
    raise MalformedError(f"'{key}' is {_kind(value)}, not a whole number")


def percent(parent: Json, key: str) -> float | None:
    """Return the percentage under the key as it was written, with its fraction: 99.9 is not yet done."""
    value = parent.get(key)
    return value if isinstance(value, float) and isfinite(value) else number(parent, key)


def moment(parent: Json, key: str) -> datetime | None:
    """Return the time under the key, in UTC: ISO 8601, or Unix seconds as Key Vault counts."""
    value = parent.get(key)
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        found = datetime.fromisoformat(text(parent, key) or "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        if value is None or value == "":
            return None
        raise MalformedError(f"'{key}' is not a time") from error


def resource_id(parent: Json, key: str) -> ResourceId | None:
    """Return the resource id under the key."""
    value = text(parent, key)
    return ResourceId(value) if value else None


def reference(parent: Json, key: str) -> ResourceId | None:
    """Return the id inside the `{"id": ...}` object under the key."""
    return resource_id(obj(parent, key), "id")


def references(parent: Json, key: str) -> tuple[ResourceId, ...]:
    """Return the ids inside the list of `{"id": ...}` objects under the key."""
    found = (resource_id(entry, "id") for entry in objects(parent, key))
    return tuple(entry for entry in found if entry is not None)


def own_id(resource: Json) -> ResourceId:
    """Return the resource's own id, which must lie in a subscription."""
    found = any_id(resource)
    if not found.subscription:
        raise MalformedError(f"its id '{found}' names no subscription")
    return found


def any_id(resource: Json) -> ResourceId:
    """Return the resource's own id, which may lie in no subscription, as those of management groups."""
    found = resource_id(resource, "id")
    if found is None:
        raise MalformedError("it has no 'id'")
    return found


def carrier_of(extension: ResourceId) -> ResourceId:
    """Return the resource that an extension resource hangs on: all before its own provider."""
    head, provided, _ = extension.key.rpartition("/providers/")
    if not provided:
        raise MalformedError(f"its id '{extension}' hangs on nothing")
    return ResourceId(extension.text[: len(head)])


def scope_of(resource: Json) -> str:
    """Return where an assignment holds, in lower case: as it says, or where it hangs."""
    named = text(obj(resource, "properties"), "scope") or carrier_of(any_id(resource)).text
    return named.rstrip("/").lower()


def location_of(resource: Json) -> str:
    """Return the region as Azure's APIs spell it: `West Europe` becomes `westeurope`."""
    return intern((text(resource, "location") or "").replace(" ", "").lower())


def tags_of(resource: Json) -> dict[str, str]:
    """Return the tags; a tag without a value has an empty one."""
    found = obj(resource, "tags")
    return {key: "" if value is None else intern(str(value)) for key, value in found.items()}


def generation_of(parent: Json) -> int | None:
    """Return 1 or 2 as `hyperVGeneration` says it."""
    return {"v1": 1, "v2": 2}.get((text(parent, "hyperVGeneration") or "").lower())


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    return names.get(type(value), "a number")


_LONGEST_NUMBER = 18
_WORD = 32
"""Characters: more than any name of a size, fewer than a UUID."""
