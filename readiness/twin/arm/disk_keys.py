"""The keys disks hang on: whether a disk encryption set reaches its key, now and when a machine starts.

Learn, "Server-side encryption of Azure managed disks", customer-managed keys: a machine does not start while
the key of one of its disks is disabled, expired, or out of reach of the disk encryption set. A vault the twin
does not hold, and a set without an identity in the seed, are never a reason to refuse.
"""

from datetime import datetime

from readiness.twin.arm.key_access import Holder, KeyAccess, key_access
from readiness.twin.documents import Json, look
from readiness.twin.state import State

_ASKED_ONCE = ("KeyVaultNotRecoverable",)
"""Refusals that are about giving a disk its key, and not about using it later."""


def check_start(state: State, vm: Json, now: datetime) -> None:
    """Refuse to start a machine one of whose disks cannot have its key."""
    sets = {
        set_id.lower()
        for disk in state.disks(vm)
        if isinstance(set_id := look(disk, "properties.encryption.diskEncryptionSetId"), str)
    }
    for set_id in sorted(sets):
        found = state.find(set_id)
        answer = None if found is None else ask(state, found, now)
        if answer is not None and answer.refusal is not None and answer.refusal.code not in _ASKED_ONCE:
            raise answer.refusal


def check_set(state: State, found: Json, now: datetime) -> None:
    """Refuse to give a disk or snapshot the key of a set that cannot use it."""
    answer = ask(state, found, now)
    if answer is not None and answer.refusal is not None:
        raise answer.refusal


def ask(state: State, found: Json, now: datetime) -> KeyAccess | None:
    """Let a set ask for its key, or return None where the twin does not know enough to tell."""
    url, principal = look(found, "properties.activeKey.keyUrl"), principal_of(state, found)
    if not isinstance(url, str) or principal is None or look(found, "properties.federatedClientId"):
        return None
    answer = asked(state, found, principal, now)
    return None if answer.vault is None else answer


def asked(state: State, found: Json, principal: str, now: datetime) -> KeyAccess:
    """Let a principal ask for the key of a set."""
    return key_access(state, str(look(found, "properties.activeKey.keyUrl")), _holder(found, principal), now)


def _holder(found: Json, principal: str) -> Holder:
    assigned = next(iter(look(found, "identity.userAssignedIdentities") or {}), None)
    is_own = principal == look(found, "identity.principalId") or assigned is None
    named = f"disk encryption set '{found['name']}'" if is_own else f"user-assigned identity '{assigned}'"
    return Holder(principal_id=principal, named=named, encryption_set=str(found["name"]))


def principal_of(state: State, found: Json) -> str | None:
    """Return the principal by which a set reaches its key: its own, or its user-assigned identity's."""
    own = look(found, "identity.principalId")
    assigned = look(found, "identity.userAssignedIdentities") or {}
    given = [
        look(each, "principalId") or look(state.find(name), "properties.principalId")
        for name, each in assigned.items()
    ]
    return next((each for each in (own, *given) if isinstance(each, str)), None)
