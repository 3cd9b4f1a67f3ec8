"""What disks and snapshots share: how they are written, answered and settled.

As recorded from the disk provider: 202 with a body that lacks id and type, an operation under
`DiskOperations`, and the resource itself in the operation's output once it has succeeded.
"""

from collections.abc import Callable
from datetime import datetime

from readiness.twin.arm.encryption import with_upper_group
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, merged, section
from readiness.twin.messages import Response, invalid_parameter
from readiness.twin.world import Call, Ticket, World

_TAKEN = {"location", "zones", "sku", "tags", "properties", "extendedLocation"}
_READ_ONLY = {
    *("provisioningState", "uniqueId", "timeCreated", "diskState", "hyperVGeneration", "osType"),
    *(
        "diskSizeBytes",
        "securityProfile",
        "creationData",
        "encryptionSettingsCollection",
        "completionPercent",
    ),
    *("incremental", "incrementalSnapshotFamilyId", "isArmResource", "shareInfo", "LastOwnershipUpdateTime"),
}


def get(world: World, call: Call) -> Response:
    """Answer one resource."""
    return Response(200, duplicate(world.state.need(call.address)))


def listed(kind: str) -> Callable[[World, Call], Response]:
    """Make the answer to a list of one kind."""

    def answer(world: World, call: Call) -> Response:
        return page(call, world.state.of_kind(kind, call.address.scope), duplicate)

    return answer


def changed(before: Json, body: Json, *, is_put: bool) -> Json:
    """Return the resource a body leads to: what it leaves out stays, what cannot be set is passed over."""
    given = {name: value for name, value in body.items() if name in _TAKEN - {"tags"}}
    properties = {
        name: value for name, value in (body.get("properties") or {}).items() if name not in _READ_ONLY
    }
    given["properties"] = {name: value for name, value in properties.items() if name != "encryption"}
    after: Json = merged(before, given)
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    if properties.get("encryption") is not None:
        if not isinstance(properties["encryption"], dict):
            raise invalid_parameter("The property 'encryption' is no object.", "encryption")
        own = {} if is_put else before["properties"].get("encryption")
        after["properties"]["encryption"] = merged(own, properties["encryption"])
        _echo_encryption(after)
    return after


def _echo_encryption(resource: Json) -> None:
    encryption = section(resource["properties"], "encryption")
    if isinstance(encryption.get("diskEncryptionSetId"), str):
        encryption["diskEncryptionSetId"] = with_upper_group(encryption["diskEncryptionSetId"])


def accept(
    world: World, call: Call, ticket: Ticket, after: Json, *, settled: Callable[[Json], None] | None = None
) -> Response:
    """Begin a write, putting a resource that is new where it will be, and answer as the provider does."""
    resource = world.state.find(after["id"])
    if resource is None:
        resource = {**after, "properties": dict(after["properties"])}
        world.state.put(resource)
    resource["properties"]["provisioningState"] = "Updating"

    def done(_: datetime) -> None:
        # Meanwhile the machine may have started, or let go of the disk.
        after["properties"]["diskState"] = resource["properties"].get("diskState")
        owner = {"managedBy": resource["managedBy"]} if "managedBy" in resource else {}
        resource.clear()
        resource.update({name: value for name, value in after.items() if name != "managedBy"} | owner)
        resource["properties"]["provisioningState"] = "Succeeded"
        if settled is not None:
            settled(resource)

    def failed(_: datetime) -> None:
        resource["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed)
    echo = {
        name: value for name, value in duplicate(after).items() if name not in ("id", "type", "managedBy")
    }
    echo["properties"] |= {"provisioningState": "Updating", "isArmResource": True}
    return world.accepted(call, ticket, operation, Response(202, echo))
