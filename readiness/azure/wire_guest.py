"""ARM JSON to the model: just-in-time access, what guests say of themselves, and user-assigned identities."""

from collections.abc import Iterator
from datetime import datetime

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    carrier_of,
    moment,
    number,
    obj,
    objects,
    own_id,
    resource_id,
    text,
)
from readiness.model.access import JitAccess, JitRequest, UserIdentity
from readiness.model.ids import ResourceId
from readiness.model.monitoring import GuestAssignment


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


def guest_assignment(resource: Json) -> GuestAssignment | None:
    """Read a guest configuration assignment; None where it looks into something else than a VM."""
    found = own_id(resource)
    properties = obj(resource, "properties")
    guest = obj(properties, "guestConfiguration")
    target = resource_id(properties, "targetResourceId") or carrier_of(found)
    if target.type != "microsoft.compute/virtualmachines":
        return None
    name = text(guest, "name") or text(resource, "name") or found.name
    return GuestAssignment(
        id=found,
        vm=target,
        configuration=name.rpartition("/")[2].partition("$")[0].lower(),
        status=text(properties, "complianceStatus") or "Pending",
        kind=text(guest, "assignmentType"),
    )


def user_identity(resource: Json) -> UserIdentity:
    """Read a user-assigned managed identity."""
    properties = obj(resource, "properties")
    return UserIdentity(
        id=own_id(resource),
        client_id=text(properties, "clientId"),
        principal_id=text(properties, "principalId"),
    )


def _granted(properties: Json) -> Iterator[tuple[ResourceId, JitRequest]]:
    for request in objects(properties, "requests"):
        for entry in objects(request, "virtualMachines"):
            vm = resource_id(entry, "id")
            for rule in objects(entry, "ports"):
                port, until = number(rule, "number"), _until(rule)
                running = (text(rule, "status") or "Initiated").lower() in ("initiated", "initiating")
                if vm and port and until and running:
                    yield vm, JitRequest(port=port, until=until)


def _until(rule: Json) -> datetime | None:
    try:
        return moment(rule, "endTimeUtc")
    except MalformedError:
        return None  # The policy itself is understood: one odd request must not hide it.
