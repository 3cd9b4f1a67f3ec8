"""Managed identities of a virtual machine: what a PATCH adds, keeps and drops.

As recorded from the compute provider: `{"type": "SystemAssigned"}` alone drops every user-assigned identity;
`userAssignedIdentities` in a PATCH adds to those that are there, and a null value removes one; `None` removes
all, and the answer then has no `identity` at all. A system-assigned identity that is switched on again is a
new principal. A PUT that gives an identity gives all of it.
"""

from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError
from readiness.twin.operations import identifier
from readiness.twin.state import State

_WORDS = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned", "none": "None"}


def changed(before: Json | None, change: Json | None, *, replaces: bool) -> Json | None:
    """Return the identity a write leads to, new principals still to be filled in by `complete`."""
    if change is None:
        return None
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


def complete(vm: Json, state: State, *, seed: int) -> None:
    """Fill in principals once the operation that asked for them has ended."""
    identity = vm.get("identity")
    if not identity:
        return
    if "SystemAssigned" in identity["type"] and "principalId" not in identity:
        # Each switching-on makes a new principal; the tag differs from one write to the next.
        identity["principalId"] = identifier(seed, "principal", vm["id"], vm["etag"])
        identity["tenantId"] = tenant(seed)
    for name, value in (identity.get("userAssignedIdentities") or {}).items():
        if not value:
            seeded = look(state.find(name), "properties") or {}
            value["principalId"] = seeded.get("principalId") or identifier(seed, "principal", name)
            value["clientId"] = seeded.get("clientId") or identifier(seed, "client", name)


def tenant(seed: int) -> str:
    """Return the tenant everything in a twin belongs to, unless its seed says otherwise."""
    return identifier(seed, "tenant")
