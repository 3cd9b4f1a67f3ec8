"""Snapshots: GET, lists, PUT of a copy, PATCH, DELETE.

Guarantees: a snapshot is there from the moment its PUT is accepted; a PUT with the same source again changes
nothing but what it says, with another source it is refused. Learn, "Create an incremental snapshot for
managed disks": at most 500 incremental snapshots of a disk, seven of them in five minutes, three pending ones
of an Ultra disk or Premium SSD v2, whose snapshots are always incremental. Snapshots of one machine's disks
are consistent with each other only if the machine was off: the twin does not check that.
"""

from datetime import datetime, timedelta
from typing import Any

from readiness.twin import paths
from readiness.twin.arm import background_copies, disk_creation, disk_rules, encryption, immediate, storage
from readiness.twin.arm.copies import carry_marks, copied, source_of
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import Response, invalid_parameter, not_allowed, property_change_not_allowed
from readiness.twin.operations import identifier
from readiness.twin.state import DISK, SNAPSHOT
from readiness.twin.world import Call, Routes, World

_MOST, _MOST_AT_ONCE, _MOST_PENDING = 500, 7, 3
_AT_ONCE = timedelta(minutes=5)
_INSTANT = (60, 300)
_TYPES = ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
_TAKEN = "increments taken"

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
    else:
        world.idle(before, "write")
        immediate.check_location(call.address, before, call.body().get("location"))
        if is_put:
            _check_source(before, call.body())
        after = storage.changed(before, call.body(), is_put=is_put)
    if look(after, "sku.name") not in _TYPES:
        raise invalid_parameter(
            f"The value '{look(after, 'sku.name')}' of parameter 'sku.name' is invalid.",
            "sku.name",
            unverified=True,
        )
    disk_rules.check_network(world.state, after)
    encryption.check(world.state, before, after, call.now)
    if before is None:
        _begin(world, call, after)
    return storage.accept(world, call, ticket, after)


def _made(world: World, call: Call) -> Json:
    immediate.located(call, None)
    option = look(call.body(), "properties.creationData.createOption")
    if option not in ("Copy", "CopyStart", "Empty"):
        raise invalid_parameter(
            f"The value '{option}' of parameter 'creationData.createOption' is not one the twin makes a "
            "snapshot by: use 'Copy', 'CopyStart' or 'Empty'.",
            "creationData.createOption",
            unverified=True,
        )
    if option == "Empty":
        snapshot = disk_creation.empty(world, call, kind="snapshot")
    else:
        snapshot = copied(world, call, kind="snapshot")
    properties = snapshot["properties"]
    if not isinstance(properties.setdefault("incremental", False), bool):
        raise invalid_parameter("The value of parameter 'incremental' is invalid.", "incremental")
    properties.setdefault("networkAccessPolicy", "AllowAll")
    properties.setdefault("publicNetworkAccess", "Enabled")
    snapshot.setdefault("sku", {"name": "Standard_LRS", "tier": "Standard"})
    if option == "Empty":
        return snapshot
    source: Any = source_of(world.state, snapshot)
    if properties["incremental"] is True:
        family = look(source, "properties.incrementalSnapshotFamilyId")
        marks = ("family", properties["creationData"]["sourceUniqueId"])
        properties["incrementalSnapshotFamilyId"] = family or identifier(world.seed, *marks)
    if option == "CopyStart":
        _check_copy(source, snapshot)
    elif paths.parse(source["id"]).kind == DISK:
        _check_disk(world, source, snapshot, call.now)
    return snapshot


def _check_copy(source: Json, snapshot: Json) -> None:
    """Learn, "Copy an incremental snapshot to a new region": both are incremental."""
    if look(source, "properties.incremental") is not True or not snapshot["properties"]["incremental"]:
        raise invalid_parameter(
            "CreateOption 'CopyStart' is supported for incremental snapshots only.",
            "creationData.createOption",
            unverified=True,
        )


def _check_disk(world: World, disk: Json, snapshot: Json, now: datetime) -> None:
    """Refuse a snapshot of a disk that can have none, or none of its kind, or no more."""
    is_slow, name = background_copies.is_slow(disk), disk["name"]
    minutes = look(snapshot, "properties.creationData.instantAccessDurationMinutes")
    is_span = isinstance(minutes, int) and _INSTANT[0] <= minutes <= _INSTANT[1]
    if minutes is not None and not (is_slow and is_span):
        raise invalid_parameter(
            f"The value '{minutes}' of parameter 'creationData.instantAccessDurationMinutes' is invalid.",
            "creationData.instantAccessDurationMinutes",
            unverified=True,
        )
    if not snapshot["properties"]["incremental"]:
        if is_slow:
            raise not_allowed(
                f"Only incremental snapshots are supported for disk '{name}' since it has "
                f"'{disk['sku']['name']}' SKU.",
                unverified=True,
            )
        return
    own = [
        each
        for each in map(world.state.find, world.state.increments)
        if same(look(each, "properties.creationData.sourceUniqueId"), disk["properties"]["uniqueId"])
    ]
    if len(own) >= _MOST:
        raise not_allowed(f"Disk '{name}' has {_MOST} incremental snapshots already.", unverified=True)
    if len(_recent(world, disk, now)) >= _MOST_AT_ONCE:
        raise not_allowed(
            f"Disk '{name}' had {_MOST_AT_ONCE} incremental snapshots within five minutes.", unverified=True
        )
    copying = background_copies.pending(world.state)
    if sum(each is not None and each["id"].lower() in copying for each in own) >= _MOST_PENDING:
        raise not_allowed(
            f"Disk '{name}' has {_MOST_PENDING} pending incremental snapshots already.", unverified=True
        )


def _recent(world: World, disk: Json, now: datetime) -> list[datetime]:
    taken = world.state.hidden(_TAKEN).setdefault(disk["id"].lower(), [])
    taken[:] = [when for when in taken if when > now - _AT_ONCE]
    return list(taken)


def _begin(world: World, call: Call, snapshot: Json) -> None:
    """Let everything begin that comes with a new snapshot, once nothing refuses it any more."""
    carry_marks(world.state, snapshot)
    source: Any = source_of(world.state, snapshot)
    if source is None:
        return
    properties = snapshot["properties"]
    if properties["incremental"]:
        _recent(world, source, call.now)
        world.state.hidden(_TAKEN)[source["id"].lower()].append(call.now)
    if background_copies.is_slow(source):
        minutes = look(properties, "creationData.instantAccessDurationMinutes")
        properties["snapshotAccessState"] = "Pending" if minutes is None else "InstantAccess"
        background_copies.begin(world, snapshot, call.now)
    elif look(properties, "creationData.createOption") == "CopyStart":
        background_copies.begin(world, snapshot, call.now)


def _check_source(before: Json, body: Json) -> None:
    given = look(body, "properties.creationData.sourceResourceId")
    if given is not None and not same(given, look(before, "properties.creationData.sourceResourceId")):
        raise property_change_not_allowed("creationData.sourceResourceId")
    incremental = look(body, "properties.incremental")
    if incremental is not None and incremental is not (look(before, "properties.incremental") is True):
        raise property_change_not_allowed("incremental")


def _check_removal(_: World, snapshot: Json) -> None:
    if str(look(snapshot, "properties.diskState")).startswith("Active"):
        raise not_allowed(
            f"There is an active shared access signature outstanding for snapshot {snapshot['name']}. Call "
            "EndGetAccess before deleting the snapshot.",
            unverified=True,
        )


delete = storage.removal("snapshots/delete", _check_removal)

ROUTES: Routes = {
    ("GET", "microsoft.compute", "snapshots"): listed,
    ("GET", SNAPSHOT, ""): get,
    ("PATCH", SNAPSHOT, ""): write,
    ("PUT", SNAPSHOT, ""): write,
    ("DELETE", SNAPSHOT, ""): delete,
}
