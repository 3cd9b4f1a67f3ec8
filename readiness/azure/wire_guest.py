"""ARM JSON to the model: just-in-time access, what guests say of themselves, and who hands out identities."""

from collections.abc import Iterator
from datetime import UTC, datetime

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    number,
    obj,
    objects,
    own_id,
    resource_id,
    text,
    texts,
)
from readiness.model.access import GuestCheck, IdentityPolicy, JitAccess, JitRequest, UserIdentity
from readiness.model.ids import ResourceId


def just_in_time(resource: Json) -> tuple[JitAccess, ...]:
    """Read a just-in-time policy: what it says of each VM it names."""
    policy = own_id(resource)
    properties = obj(resource, "properties")
    granted = [*_granted(properties)]
    return tuple(
        JitAccess(
            policy=policy,
            vm=vm,
            ports=tuple(port for rule in objects(entry, "ports") if (port := number(rule, "number"))),
            requests=tuple(request for named, request in granted if named == vm),
        )
        for entry in objects(properties, "virtualMachines")
        if (vm := resource_id(entry, "id"))
    )


def guest_check(resource: Json) -> GuestCheck | None:
    """Read a guest configuration assignment; None where it looks into something else than a VM."""
    check = own_id(resource)
    properties = obj(resource, "properties")
    target = resource_id(properties, "targetResourceId") or ResourceId(
        check.text[: max(check.key.rfind("/providers/microsoft.guestconfiguration/"), 0)]
    )
    if target.type != "microsoft.compute/virtualmachines":
        return None
    name = text(obj(properties, "guestConfiguration"), "name") or text(resource, "name") or check.name
    return GuestCheck(
        id=check,
        vm=target,
        name=name.rpartition("/")[2].partition("$")[0],
        status=text(properties, "complianceStatus") or "Pending",
    )


def user_identity(resource: Json) -> UserIdentity:
    """Read a user-assigned managed identity."""
    properties = obj(resource, "properties")
    return UserIdentity(
        id=own_id(resource),
        client_id=text(properties, "clientId"),
        principal_id=text(properties, "principalId"),
    )


def identity_policy(resource: Json) -> IdentityPolicy | None:
    """Read a policy assignment; None where it does not add identities, or only says that it would."""
    properties = obj(resource, "properties")
    definition = (text(properties, "policyDefinitionId") or "").rstrip("/").rpartition("/")[2].lower()
    if definition not in ADDS_IDENTITIES:
        return None
    if (text(properties, "enforcementMode") or "Default").lower() != "default":
        return None
    found = resource_id(resource, "id")
    if found is None:
        raise MalformedError("it has no 'id'")
    scope = text(properties, "scope") or found.key.rpartition("/providers/microsoft.authorization/")[0]
    return IdentityPolicy(
        id=found,
        definition=definition,
        scope=scope.rstrip("/").lower(),
        excluded=tuple(entry.rstrip("/").lower() for entry in texts(properties, "notScopes")),
    )


def _granted(properties: Json) -> Iterator[tuple[ResourceId, JitRequest]]:
    for request in objects(properties, "requests"):
        for entry in objects(request, "virtualMachines"):
            vm = resource_id(entry, "id")
            for rule in objects(entry, "ports"):
                port, until = number(rule, "number"), _instant(text(rule, "endTimeUtc"))
                running = (text(rule, "status") or "Initiated").lower() in ("initiated", "initiating")
                if vm and port and until and running:
                    yield vm, JitRequest(port=port, until=until)


def _instant(written: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


ADDS_IDENTITIES = frozenset(
    (
        "497dff13-db2a-4c0f-8603-28fa3b331ab6",
        "12794019-7a00-42cf-95c2-882eed337cc8",
    )
)
"""Built-in policies, as of 2026-11, that add a system identity to VMs that have user-assigned ones: the guest
configuration prerequisites, alone and as the initiative that holds them."""
