"""Managed identities of a virtual machine: what a PATCH adds, keeps and drops.

As recorded from the compute provider: `{"type": "SystemAssigned"}` alone drops every user-assigned identity;
`userAssignedIdentities` in a PATCH adds to those that are there, and a null value removes one; `None` removes
all, and the answer then has no `identity` at all. A system-assigned identity that is switched on again is a
new principal. A PUT that gives an identity gives all of it.
"""

from datetime import datetime

from readiness.twin.arm.directory import USER_ASSIGNED, announce
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError
from readiness.twin.operations import identifier
from readiness.twin.state import SUBSCRIPTION, State

_WORDS = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned", "none": "None"}


def changed(before: Json | None, change: Json | None, *, replaces: bool) -> Json | None:
    """Return the identity a write leads to, new principals still to be filled in by `complete`."""
    if change is None:
        return None
    if "identityIds" in change:
        raise ArmError(
            400,
            "InvalidRequestContent",
            "The property 'identity.identityIds' is not supported: use 'userAssignedIdentities'.",
            target="identity",
            unverified=True,
        )
    if not isinstance(change.get("userAssignedIdentities") or {}, dict):
        raise ArmError(
            400,
            "InvalidRequestContent",
            "The property 'identity.userAssignedIdentities' is no object.",
            target="identity",
            unverified=True,
        )
    before = before or {}
    wanted = _words(change.get("type") or before.get("type") or "None")
    if "None" in wanted:
        return None
    result: Json = {"type": ", ".join(sorted(wanted))}
    if "SystemAssigned" in wanted and before.get("principalId"):
        result |= {name: before[name] for name in ("principalId", "tenantId") if name in before}
    if "UserAssigned" in wanted:
        kept = {} if replaces else duplicate(before.get("userAssignedIdentities") or {})
        result["userAssignedIdentities"] = _assigned(
            kept, change.get("userAssignedIdentities") or {}, before.get("userAssignedIdentities") or {}
        )
    return result


def _words(kind: object) -> set[str]:
    words = [word.strip().lower() for word in str(kind).split(",")]
    if any(word not in _WORDS for word in words):
        raise ArmError(
            400,
            "InvalidRequestContent",
            f"The value '{kind}' is not a valid identity type.",
            target="identity",
        )
    return {_WORDS[word] for word in words}


def _assigned(kept: Json, change: Json, known: Json) -> Json:
    names = {name.lower(): name for name in kept}
    values = {name.lower(): value for name, value in known.items()}
    for given, value in change.items():
        name = names.get(given.lower(), given)
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = duplicate(values.get(given.lower()) or {})
    if not kept:
        raise ArmError(
            400,
            "InvalidIdentityValues",
            "The identity ids must not be null or empty for 'UserAssigned' identity type.",
            target="identity",
        )
    return kept


def complete(vm: Json, state: State, *, seed: int, when: datetime) -> None:
    """Fill in principals once the operation that asked for them has ended, and tell the directory."""
    identity = vm.get("identity")
    if not identity:
        return
    if "SystemAssigned" in identity["type"] and "principalId" not in identity:
        # Each switching-on makes a new principal; the tag differs from one write to the next.
        marks = (vm["id"], look(vm, "properties.vmId"), vm["etag"])
        identity["principalId"] = identifier(seed, "principal", *marks)
        identity["tenantId"] = home(state, seed)
        announce(state, identity["principalId"], when)
    for name, value in (identity.get("userAssignedIdentities") or {}).items():
        if not value:
            seeded = look(state.find(name), "properties") or {}
            value["principalId"] = seeded.get("principalId") or identifier(seed, "principal", name)
            value["clientId"] = seeded.get("clientId") or identifier(seed, "client", name)


def check(state: State, before: Json | None, after: Json | None) -> None:
    """Refuse a user-assigned identity that is not there, where the twin knows any at all."""
    known = {name.lower() for name in (before or {}).get("userAssignedIdentities") or {}}
    for name in (after or {}).get("userAssignedIdentities") or {}:
        if name.lower() in known or state.find(name) is not None or not state.knows(USER_ASSIGNED):
            continue
        raise ArmError(
            400,
            "FailedIdentityOperation",
            "Identity operation for resource failed with error 'Failed to perform resource identity "
            f"operation. Status: 'BadRequest'. Response: 'Resource '{name}' was not found.''.",
            unverified=True,
        )


def tenant(seed: int) -> str:
    """Return the tenant everything in a twin belongs to, unless its seed says otherwise."""
    return identifier(seed, "tenant")


def home(state: State, seed: int) -> str:
    """Return the tenant of the seed's subscriptions, or the twin's own where they name none."""
    named = (each.get("tenantId") for each in state.of_kind(SUBSCRIPTION))
    return next((each for each in named if isinstance(each, str) and each), tenant(seed))
