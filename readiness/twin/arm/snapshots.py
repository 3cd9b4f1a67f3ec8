"""Snapshots: GET, lists, PUT of a copy, PATCH of tags, DELETE.

Guarantees: a snapshot is there from the moment its PUT is accepted and usable once that has succeeded; a PUT
with the same source again changes nothing but what it says; with another source it is refused. Snapshots of
one machine's disks are consistent with each other only if the machine was off: the twin does not check that.
"""

from datetime import datetime

from readiness.twin.arm import encryption, storage
from readiness.twin.arm.copies import copied
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import Response, property_change_not_allowed
from readiness.twin.operations import identifier
from readiness.twin.state import SNAPSHOT
from readiness.twin.world import Call, World

get = storage.get
listed = storage.listed(SNAPSHOT)


def write(world: World, call: Call) -> Response:
    """Make a snapshot, or change one that is there."""
    before = world.state.find(call.address.resource_id)
    is_put = call.request.method == "PUT"
    if not is_put:
        before = world.state.need(call.address)
    ticket = world.admit(call, "snapshots/write", call.address.path if before is None else before["id"])
    if before is None:
        after = _made(world, call)
        encryption.check(world.state, None, after)
    else:
        world.idle(before, "write")
        if is_put:
            _check_source(before, call.body())
        after = storage.changed(before, call.body(), is_put=is_put)
        encryption.check(world.state, before, after)
    return storage.accept(world, call, ticket, after)


def _made(world: World, call: Call) -> Json:
    snapshot = copied(world, call, kind="snapshot")
    properties = snapshot["properties"]
    properties.setdefault("incremental", False)
    properties.setdefault("networkAccessPolicy", "AllowAll")
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties["completionPercent"] = 100.0
    if properties["incremental"]:
        source = properties["creationData"]["sourceUniqueId"]
        properties["incrementalSnapshotFamilyId"] = identifier(world.seed, "family", source)
    snapshot.setdefault("sku", {"name": "Standard_LRS", "tier": "Standard"})
    return snapshot


def _check_source(before: Json, body: Json) -> None:
    given = look(body, "properties.creationData.sourceResourceId")
    if given is not None and not same(given, look(before, "properties.creationData.sourceResourceId")):
        raise property_change_not_allowed("creationData.sourceResourceId")
    incremental = look(body, "properties.incremental")
    if incremental is not None and incremental is not (look(before, "properties.incremental") is True):
        raise property_change_not_allowed("incremental")


def delete(world: World, call: Call) -> Response:
    """Delete a snapshot; one that is not there is already deleted."""
    snapshot = world.state.find(call.address.resource_id)
    if snapshot is None:
        return Response(204)
    ticket = world.admit(call, "snapshots/delete", snapshot["id"])
    world.idle(snapshot, "delete")
    snapshot["properties"]["provisioningState"] = "Deleting"

    def done(_: datetime) -> None:
        world.state.remove(snapshot["id"])

    def failed(_: datetime) -> None:
        snapshot["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))
