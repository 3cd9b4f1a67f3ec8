"""Whether the permissions that Azure tells of a scope allow an action. Pure.

Each entry stands for one role: what it allows, less what it leaves out. What one role leaves out, another
may allow. Deny assignments are not among them: Azure tells of those elsewhere
(`preflight_deny_assignments`). Their permissions are read alike: what they name they deny.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from readiness.azure.wire_values import texts


def missing(needed: Iterable[str], permissions: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return which of the actions no entry allows."""
    return tuple(action for action in needed if not any(allows(entry, action) for entry in permissions))


def allows(permission: Mapping[str, Any], action: str) -> bool:
    """Tell whether one entry allows an action; a star stands for any text, and case does not matter."""
    entry = dict(permission)
    return _names(texts(entry, "actions"), action) and not _names(texts(entry, "notActions"), action)


def _names(patterns: Iterable[str], action: str) -> bool:
    # A bracket or question mark is no wildcard there, and occurs in no action.
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
