"""Compares and composes ARM patches. Pure."""

from collections.abc import Iterable, Mapping
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


def with_system_identity(identity: Identity) -> dict[str, Any]:
    """Return the identity that adds a system-assigned one; without the others named, a PATCH drops them."""
    if not identity.user_assigned:
        return {"type": "SystemAssigned"}
    return {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": _named(identity.user_assigned)}


def without_system_identity(identity: Identity) -> dict[str, Any]:
    """Return the identity that takes only the system-assigned one away."""
    if not identity.user_assigned:
        return {"type": "None"}
    return {"type": "UserAssigned", "userAssignedIdentities": _named(identity.user_assigned)}


def encryption_patch(encryption: Encryption) -> dict[str, Any]:
    """Return the `encryption` of a disk; a platform key must not name a disk encryption set."""
    body: dict[str, Any] = {"type": encryption.type.value}
    if encryption.disk_encryption_set is not None and encryption.type is not EncryptionType.PLATFORM_KEY:
        body["diskEncryptionSetId"] = encryption.disk_encryption_set.text
    return body


def _named(identities: Iterable[ResourceId]) -> dict[str, dict[str, Any]]:
    return {entry.text: {} for entry in identities}
