"""Compares and composes ARM patches. Pure."""

from collections.abc import Mapping
from typing import Any

from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import Identity

_SAME_AS_ABSENT = (None, False, "Standard")
"""Values that Azure may leave out: `Standard` and nothing are the same security type."""


def holds(resource: object, patch: Mapping[str, Any]) -> bool:
    """Tell whether a resource's properties show everything a patch asks for."""
    here = resource if isinstance(resource, Mapping) else {}
    return all(_shows(here.get(key), wanted) for key, wanted in patch.items())


def _shows(value: object, wanted: object) -> bool:
    if isinstance(wanted, Mapping):
        return holds(value, wanted)
    if wanted is None and isinstance(value, Mapping):
        return not any(value.values())
    return value == wanted or (wanted in _SAME_AS_ABSENT and value in _SAME_AS_ABSENT)


def with_identities(has: Identity, wanted: Identity) -> dict[str, Any]:
    """Return the identity that adds some; those that are there are named too, for a PATCH may drop others."""
    named = dict.fromkeys((*has.user_assigned, *wanted.user_assigned))
    return _identity({one: {} for one in named}, system=wanted.system_assigned or has.system_assigned)


def without_identities(has: Identity, gone: Identity) -> dict[str, Any]:
    """Return the identity that takes some away and keeps the others."""
    keeps_system = has.system_assigned and not gone.system_assigned
    named: dict[ResourceId, dict[str, Any] | None] = {
        one: None if one in gone.user_assigned else {} for one in has.user_assigned
    }
    if all(value is None for value in named.values()):
        return {"type": "SystemAssigned" if keeps_system else "None"}
    return _identity(named, system=keeps_system)


def has_all(has: Identity, wanted: Identity) -> bool:
    """Tell whether every wanted identity is there."""
    system = has.system_assigned or not wanted.system_assigned
    return system and set(wanted.user_assigned) <= set(has.user_assigned)


def has_any(has: Identity, gone: Identity) -> bool:
    """Tell whether any of these identities is there."""
    system = has.system_assigned and gone.system_assigned
    return system or not set(gone.user_assigned).isdisjoint(has.user_assigned)


def moves_default(has: Identity, wanted: Identity) -> bool:
    """Tell whether programs that name no identity would lose the only one there is as their default."""
    is_only = not has.system_assigned and len(has.user_assigned) == 1
    return is_only and not has_all(has, wanted)


def encryption_patch(encryption: Encryption) -> dict[str, Any]:
    """Return the `encryption` of a disk; a platform key must not name a disk encryption set."""
    body: dict[str, Any] = {"type": encryption.type.value}
    if encryption.disk_encryption_set is not None and encryption.type is not EncryptionType.PLATFORM_KEY:
        body["diskEncryptionSetId"] = encryption.disk_encryption_set.text
    return body


def _identity(named: Mapping[ResourceId, dict[str, Any] | None], *, system: bool) -> dict[str, Any]:
    if not named:
        return {"type": "SystemAssigned"}
    kind = "SystemAssigned, UserAssigned" if system else "UserAssigned"
    return {"type": kind, "userAssignedIdentities": {entry.text: value for entry, value in named.items()}}
