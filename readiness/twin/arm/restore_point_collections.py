"""Restore point collections: GET, lists, PUT, PATCH of tags, DELETE.

Learn, "Overview of VM restore points": a collection holds the restore points of one machine, in that
machine's region; a collection of another region holds copies, and its source is the first collection. A
collection is deleted with all its restore points.
"""

from datetime import datetime
from typing import Any

from readiness.twin import paths
from readiness.twin.arm import immediate
from readiness.twin.arm.encryption import DISK_RESTORE_POINT, RESTORE_POINT
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import ArmError, Response, invalid_parameter, property_change_not_allowed
from readiness.twin.operations import identifier
from readiness.twin.state import VM, State, missing, place
from readiness.twin.world import Call, Routes, World

COLLECTION = "microsoft.compute/restorepointcollections"
_SINCE = "2021-03-01"


def get(world: World, call: Call) -> Response:
    """Answer one collection, with its restore points where these are asked for."""
    found = world.state.need(call.address)
    body: Json = duplicate(found)
    if same(call.request.query.get("$expand"), "restorePoints"):
        points = world.state.of_kind(RESTORE_POINT, found["id"])
        section(body, "properties")["restorePoints"] = duplicate(points)
    return Response(200, body)


def listed(world: World, call: Call) -> Response:
    """Answer the collections of a resource group or a subscription."""
    return page(call, world.state.of_kind(COLLECTION, call.address.scope), duplicate)


def write(world: World, call: Call) -> Response:
    """Make a collection, or set its tags."""
    check_version(call)
    before = world.state.find(call.address.resource_id)
    location = immediate.located(call, before)
    ticket = world.admit(call, "restorePointCollections/write", call.address.path)
    after: Json = (
        duplicate(before) if before else immediate.fresh(call, "Microsoft.Compute/restorePointCollections")
    )
    after["location"] = location
    if "tags" in call.body():
        after["tags"] = duplicate(call.body()["tags"] or {})
    told = section(after, "properties")
    source_id: Any = look(call.body(), "properties.source.id") or look(before, "properties.source.id")
    if before is None:
        told["source"] = _source(world.state, source_id, location)
        told["restorePointCollectionId"] = identifier(world.seed, "collection", call.address.path, ticket.nth)
    elif not same(source_id, look(before, "properties.source.id")):
        raise property_change_not_allowed("source.id", unverified=True)
    instant = look(call.body(), "properties.instantAccess")
    if instant is not None:
        told["instantAccess"] = instant
    told["provisioningState"] = "Succeeded"
    return immediate.save(world, ticket, before, after)


def check_version(call: Call) -> None:
    """Refuse an api-version that is older than restore points are (recorded as two versions)."""
    if call.version[: len(_SINCE)] < _SINCE:
        raise ArmError(400, "BadRequest", f"This request can be made with api-version '{_SINCE}' or newer.")


def _source(state: State, source_id: Any, location: str) -> Json:
    if not isinstance(source_id, str):
        raise invalid_parameter("Required parameter 'source.id' is missing (null).", "source.id")
    found = state.find(source_id)
    if found is None:
        raise missing(source_id)
    kind = paths.parse(found["id"]).kind
    if kind not in (VM, COLLECTION):
        raise invalid_parameter(f"The value '{source_id}' of parameter 'source.id' is invalid.", "source.id")
    if kind == VM and place(found.get("location")) != place(location):
        raise invalid_parameter(
            f"Virtual machine '{found['name']}' is in another region than its restore point collection.",
            "location",
            unverified=True,
        )
    return {"id": found["id"], "location": found.get("location")}


def delete(world: World, call: Call) -> Response:
    """Delete a collection and all its restore points."""
    found = world.state.find(call.address.resource_id)
    if found is None:
        return Response(204)
    ticket = world.admit(call, "restorePointCollections/delete", found["id"])
    world.idle(found, "delete")
    check_free(world.state, found["id"])
    told = section(found, "properties")
    told["provisioningState"] = "Deleting"

    def done(_: datetime) -> None:
        remove(world.state, found["id"])

    def failed(_: datetime) -> None:
        told["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))


def check_free(state: State, scope: str) -> None:
    """Refuse to delete restore points whose data somebody may read (recorded by Azure's support articles)."""
    for part in state.of_kind(DISK_RESTORE_POINT, scope):
        if look(part, "properties.diskState") is not None:
            raise ArmError(
                409,
                "DiskRestorePointUsedByCustomer",
                "There is an active shared access signature outstanding for disk restore point. Call "
                "EndGetAccess before deleting the restore point.",
            )


def remove(state: State, resource_id: str) -> None:
    """Remove a collection or a restore point with everything beneath it."""
    for kind in (DISK_RESTORE_POINT, RESTORE_POINT):
        for each in state.of_kind(kind, resource_id):
            state.ever_ade.discard(each["id"].lower())
            state.gpt.discard(each["id"].lower())
            state.remove(each["id"])
    state.remove(resource_id)


ROUTES: Routes = {
    ("GET", "microsoft.compute", "restorepointcollections"): listed,
    ("GET", COLLECTION, ""): get,
    ("PUT", COLLECTION, ""): write,
    ("PATCH", COLLECTION, ""): immediate.tagged("restorePointCollections/write"),
    ("DELETE", COLLECTION, ""): delete,
}
