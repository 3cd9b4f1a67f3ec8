"""What disks and snapshots share: how they are shown, written, answered, settled and deleted.

As recorded from the disk provider: 202, an operation under `DiskOperations`, and the resource itself in the
operation's output once it has succeeded. A PUT is answered with what it asks for and nothing that follows
from it (Azure/azure-cli, vm/tests/latest/recordings/test_accelerated_network.yaml); a PATCH with the
resource, without id and type. Neither has an entity tag.
"""

from collections.abc import Callable
from datetime import datetime

from readiness.twin import paths
from readiness.twin.arm import background_copies, disk_performance
from readiness.twin.arm.encryption import with_upper_group
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, merged, section
from readiness.twin.messages import Response, invalid_parameter
from readiness.twin.protocols import DISKS
from readiness.twin.state import DISK
from readiness.twin.world import Call, Ticket, World

_TAKEN = {"location", "zones", "sku", "tags", "properties", "extendedLocation"}
READ_ONLY = {
    *("provisioningState", "uniqueId", "timeCreated", "diskState", "hyperVGeneration", "osType"),
    *("diskSizeBytes", "securityProfile", "creationData", "encryptionSettingsCollection"),
    *("completionPercent", "incremental", "incrementalSnapshotFamilyId", "isArmResource", "shareInfo"),
    *("LastOwnershipUpdateTime", "burstingEnabledTime", "propertyUpdatesInProgress", "snapshotAccessState"),
}
"""Properties that a write of an existing resource may send back, and that it cannot set."""
BORN_WITH = {"osType", "hyperVGeneration", "creationData", "incremental", "securityProfile"}
"""Read-only properties that a new resource may be given all the same."""


def get(world: World, call: Call) -> Response:
    """Answer one resource."""
    return Response(200, shown(world, world.state.need(call.address), call.now))


def listed(kind: str) -> Callable[[World, Call], Response]:
    """Make the answer to a list of one kind."""

    def answer(world: World, call: Call) -> Response:
        found = world.state.of_kind(kind, call.address.scope)
        return page(call, found, lambda each: shown(world, each, call.now))

    return answer


def shown(world: World, resource: Json, now: datetime) -> Json:
    """Return a resource as a client sees it: how far its copy is, and all machines that share it."""
    body: Json = duplicate(resource)
    if paths.parse(resource["id"]).kind == DISK:
        disk_performance.show(body)
        if look(body, "properties.diskState") == "ReadyToUpload":
            # As recorded in Azure/azure-cli, vm/tests/latest/recordings/test_vm_disk_upload.yaml.
            for name in ("diskSizeGB", "diskSizeBytes"):
                body["properties"].pop(name, None)
    percent = background_copies.percent(world.state, resource, now)
    if percent is not None:
        body["properties"]["completionPercent"] = percent
    shares = look(resource, "properties.maxShares")
    if isinstance(shares, int) and shares > 1 and (users := world.state.users(resource["id"])):
        body["managedByExtended"] = [vm["id"] for vm in users]
        body["properties"]["shareInfo"] = [{"vmUri": vm["id"]} for vm in users]
    return body


def changed(before: Json, body: Json, *, is_put: bool) -> Json:
    """Return the resource a body leads to: what it leaves out stays, what cannot be set is passed over."""
    given = {name: value for name, value in body.items() if name in _TAKEN - {"tags"}}
    properties = {
        name: value for name, value in (body.get("properties") or {}).items() if name not in READ_ONLY
    }
    given["properties"] = {name: value for name, value in properties.items() if name != "encryption"}
    after: Json = merged(before, given)
    drop_limits(after)
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    if properties.get("encryption") is not None:
        own = {} if is_put else before["properties"].get("encryption")
        after["properties"]["encryption"] = merged(own, properties["encryption"])
    complete(after)
    return after


def drop_limits(resource: Json) -> None:
    """Pass over limits given to a disk whose type and size settle them."""
    if not background_copies.is_slow(resource):
        for name in disk_performance.GIVEN:
            resource["properties"].pop(name, None)


def complete(resource: Json) -> None:
    """Fill in what follows from the rest, and echo the encryption set as the provider does."""
    properties = resource["properties"]
    if not isinstance(properties.get("encryption") or {}, dict):
        raise invalid_parameter("The property 'encryption' is no object.", "encryption")
    encryption = section(properties, "encryption")
    if isinstance(encryption.get("diskEncryptionSetId"), str):
        encryption["diskEncryptionSetId"] = with_upper_group(encryption["diskEncryptionSetId"])
    size = properties.get("diskSizeGB")
    if isinstance(size, int) and -(-properties.get("diskSizeBytes", 0) // 1024**3) != size:
        properties["diskSizeBytes"] = size * 1024**3
    if resource.get("sku") is not None:
        if not isinstance(look(resource, "sku.name"), str):
            raise invalid_parameter("The value of parameter 'sku.name' is invalid.", "sku.name")
        resource["sku"] = disk_performance.sku(resource["sku"]["name"])


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
        # Meanwhile the machine may have started, or let go of the disk, and a copy may have gone on.
        for name in ("diskState", "completionPercent", "snapshotAccessState", "LastOwnershipUpdateTime"):
            if name in resource["properties"]:
                after["properties"][name] = resource["properties"][name]
        owner = {"managedBy": resource["managedBy"]} if "managedBy" in resource else {}
        resource.clear()
        resource.update({name: value for name, value in after.items() if name != "managedBy"} | owner)
        resource["properties"]["provisioningState"] = "Succeeded"
        if settled is not None:
            settled(resource)

    def failed(_: datetime) -> None:
        resource["properties"]["provisioningState"] = "Failed"

    def output() -> Json | None:
        found = world.state.find(resource["id"])
        return None if found is None else shown(world, found, world.clock.now())

    operation = world.begin(call, ticket, done=done, failed=failed, protocol=DISKS, output=output)
    return world.accepted(call, ticket, operation, Response(202, _echo(call, after)))


def _echo(call: Call, after: Json) -> Json:
    if call.request.method != "PUT":
        echo = {
            name: value for name, value in duplicate(after).items() if name not in ("id", "type", "managedBy")
        }
        echo["properties"] |= {"provisioningState": "Updating", "isArmResource": True}
        return echo
    body: Json = duplicate(call.body())
    echo = {name: after[name] for name in ("name", "id", "type", "location")}
    echo |= {name: body[name] for name in ("tags", "sku") if body.get(name) is not None}
    properties = {
        name: value
        for name, value in (body.get("properties") or {}).items()
        if value is not None and name not in READ_ONLY - BORN_WITH
    }
    echo["properties"] = properties | {"provisioningState": "Updating"}
    drop_limits(echo)
    return echo


def removal(operation: str, check: Callable[[World, Json], None]) -> Callable[[World, Call], Response]:
    """Make the answer to a deletion; what is not there is already deleted."""

    def answer(world: World, call: Call) -> Response:
        found = world.state.find(call.address.resource_id)
        if found is None:
            return Response(204)
        ticket = world.admit(call, operation, found["id"])
        world.idle(found, "delete")
        check(world, found)
        found["properties"]["provisioningState"] = "Deleting"

        def done(_: datetime) -> None:
            forget(world, found)

        def failed(_: datetime) -> None:
            found["properties"]["provisioningState"] = "Failed"

        begun = world.begin(call, ticket, done=done, failed=failed, protocol=DISKS, output=lambda: None)
        return world.accepted(call, ticket, begun, Response(202))

    return answer


def forget(world: World, resource: Json) -> None:
    """Remove a resource and its hidden marks: another one of that name is another resource."""
    key = resource["id"].lower()
    if world.state.find(key) is not None:
        world.state.remove(key)
    world.state.ever_ade.discard(key)
    world.state.gpt.discard(key)
    background_copies.forget(world.state, key)
