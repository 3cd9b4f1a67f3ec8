"""Restore points of virtual machines: GET, PUT, DELETE, and the disk restore points they are made of.

Learn, "Overview of VM restore points" and "Troubleshoot restore point failures", whose wordings these are
(their statuses are not told): without a consistency mode the guest has to answer; shared and ephemeral disks
have to be left out, and, where only a crash is to be survived, Ultra disks, Premium SSD v2 and Write
Accelerator, too; at most 500 of a machine, three of one mode in an hour, one at a time. A restore point is
never changed. Copies from another region's collection have a platform key.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from readiness.twin import paths
from readiness.twin.arm import background_copies, disk_keys, immediate, restore_point_collections
from readiness.twin.arm.encryption import DISK_RESTORE_POINT, PLATFORM_KEY, RESTORE_POINT
from readiness.twin.arm.storage import shown
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.machine import Power, model_disks
from readiness.twin.messages import ArmError, Response, invalid_parameter, not_allowed
from readiness.twin.operations import identifier
from readiness.twin.state import VM, State, missing
from readiness.twin.world import Call, Routes, World

_MOST, _MOST_IN_AN_HOUR = 500, 3
_HOUR = timedelta(hours=1)
_TAKEN = "restore points taken"
_INHERITED = (
    *("osType", "hyperVGeneration", "securityProfile", "purchasePlan", "supportedCapabilities"),
    *("supportsHibernation", "encryption", "diskSizeGB", "diskSizeBytes", "encryptionSettingsCollection"),
)
_METADATA = ("hardwareProfile", "osProfile", "diagnosticsProfile", "licenseType", "vmId", "securityProfile")


def get(world: World, call: Call) -> Response:
    """Answer one restore point, with its instance view where that is asked for."""
    found = world.state.need(call.address)
    body: Json = duplicate(found)
    if same(call.request.query.get("$expand"), "instanceView"):
        parts = world.state.of_kind(DISK_RESTORE_POINT, found["id"])
        view = {"diskRestorePoints": [{"id": part["id"]} for part in parts], "statuses": []}
        section(body, "properties")["instanceView"] = view
    return Response(200, body)


def get_part(world: World, call: Call) -> Response:
    """Answer one disk restore point."""
    return Response(200, shown(world, world.state.need(call.address), call.now))


def write(world: World, call: Call) -> Response:
    """Make a restore point."""
    restore_point_collections.check_version(call)
    collection = immediate.need_parent(world, call.address.resource_id.rsplit("/", 2)[0])
    ticket = world.admit(call, "restorePoints/write", call.address.path)
    if world.state.find(call.address.path) is not None:
        raise not_allowed(f"Restore point '{call.address.name}' cannot be changed.", unverified=True)
    point = immediate.fresh(call, "Microsoft.Compute/restorePointCollections/restorePoints")
    source_id = look(call.body(), "properties.sourceRestorePoint.id")
    if source_id is not None:
        parts = _copied(world, call, point, source_id)
    else:
        parts = _taken(world, call, point, collection)
    point["properties"] |= {"provisioningState": "Creating", "timeCreated": call.now.isoformat()}
    world.state.put(point)
    for part in parts:
        if source_id is not None:
            background_copies.begin(world, part, call.now)
        world.state.put(part)

    def done(_: datetime) -> None:
        point["properties"]["provisioningState"] = "Succeeded"

    def failed(_: datetime) -> None:
        point["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed, output=lambda: duplicate(point))
    return world.accepted(call, ticket, operation, Response(201, duplicate(point)))


def _taken(world: World, call: Call, point: Json, collection: Json) -> list[Json]:
    vm = world.state.find(look(collection, "properties.source.id"))
    if vm is None or paths.parse(vm["id"]).kind != VM:
        raise missing(str(look(collection, "properties.source.id")))
    world.idle(vm, "Create Restore Point")
    given: Any = call.body().get("properties") or {}
    mode = given.get("consistencyMode")
    listed = given.get("excludeDisks") or []
    if not isinstance(listed, list) or not all(isinstance(look(each, "id"), str) for each in listed):
        raise invalid_parameter("The value of parameter 'excludeDisks' is invalid.", "excludeDisks")
    excluded = {each["id"].lower() for each in listed}
    entries = [each for each in model_disks(vm) if str(look(each, "managedDisk.id")).lower() not in excluded]
    _check_mode(world, vm, mode)
    _check_disks(world.state, entries, mode)
    _check_numbers(world, vm, str(mode), call.now)
    _check_keys(world.state, entries, call.now)
    parts = _parts(world, call, entries)
    point["properties"] = {
        "consistencyMode": mode or "ApplicationConsistent",
        "sourceMetadata": _metadata(world.state, vm, entries, parts),
    }
    if listed:
        point["properties"]["excludeDisks"] = duplicate(listed)
    world.state.hidden(_TAKEN)[vm["id"].lower()].append((call.now, str(mode)))
    return list(parts.values())


def _check_mode(world: World, vm: Json, mode: object) -> None:
    if mode is not None and not same(mode, "CrashConsistent"):
        raise invalid_parameter(
            f"The value '{mode}' of parameter 'consistencyMode' is invalid.", "consistencyMode"
        )
    machine = world.state.machine(vm)
    if mode is None and not (machine.power is Power.RUNNING and machine.is_ready):
        raise ArmError(
            409,
            "VMAgentStatusCommunicationError",
            "VM has not reported status for VM agent or extensions.",
            unverified=True,
        )


def _check_disks(state: State, entries: Iterable[Json], mode: object) -> None:
    for entry in entries:
        disk = state.find(look(entry, "managedDisk.id"))
        if (look(disk, "properties.maxShares") or 1) > 1:
            raise ArmError(
                409,
                "VMRestorePointClientError",
                "Creation of Restore Point of a Virtual Machine with Shared disks is not supported. You may "
                "exclude this disk from the restore point via excludeDisks property.",
                unverified=True,
            )
        if same(look(entry, "diffDiskSettings.option"), "Local"):
            raise not_allowed(
                "Creation of Restore Point of a Virtual Machine with an ephemeral OS disk is not supported.",
                unverified=True,
            )
        has_accelerator = entry.get("writeAcceleratorEnabled") is True
        if mode is not None and (has_accelerator or background_copies.is_slow(disk)):
            raise not_allowed(
                f"Disk '{entry.get('name')}' is not supported in a CrashConsistent restore point: exclude it "
                "via excludeDisks property.",
                unverified=True,
            )


def _check_numbers(world: World, vm: Json, mode: str, now: datetime) -> None:
    state, own = world.state, vm["id"]
    points = [point for point in state.of_kind(RESTORE_POINT) if same(_machine_of(state, point), own)]
    if any(same(look(point, "properties.provisioningState"), "Creating") for point in points):
        raise ArmError(
            409,
            "VMRestorePointClientError",
            "RestorePoint creation failed since a concurrent 'Create RestorePoint' operation was triggered "
            "on the VM.",
            unverified=True,
        )
    if len(points) >= _MOST:
        raise ArmError(
            409,
            "VMRestorePointClientError",
            "Restore Point creation failed as the maximum allowed snapshot limit of one or more disk blobs "
            "has been reached. Please delete some existing restore points of this VM and then retry.",
            unverified=True,
        )
    taken = state.hidden(_TAKEN).setdefault(own.lower(), [])
    taken[:] = [(when, how) for when, how in taken if when > now - _HOUR]
    if sum(how == mode for _, how in taken) >= _MOST_IN_AN_HOUR:
        raise ArmError(
            429,
            "TooManyRequests",
            f"VM '{vm['name']}' had {_MOST_IN_AN_HOUR} restore points within an hour.",
            unverified=True,
        )


def _machine_of(state: State, point: Json) -> object:
    return look(state.find(point["id"].rsplit("/", 2)[0]), "properties.source.id")


def _check_keys(state: State, entries: Iterable[Json], now: datetime) -> None:
    for entry in entries:
        disk = state.find(look(entry, "managedDisk.id"))
        found = state.find(look(disk, "properties.encryption.diskEncryptionSetId"))
        if found is not None:
            disk_keys.check_set(state, found, now)


def _parts(world: World, call: Call, entries: Iterable[Json]) -> dict[str, Json]:
    """Return a disk restore point of each disk, by the disk's id in lower case."""
    parts = {}
    for entry in entries:
        disk = world.state.find(look(entry, "managedDisk.id"))
        if disk is None:
            continue
        told: Json = disk["properties"]
        part = _part(world, call, disk["name"])
        part["properties"] = {name: duplicate(told[name]) for name in _INHERITED if name in told} | {
            "timeCreated": call.now.isoformat(),
            "sourceResourceId": disk["id"],
            "sourceUniqueId": told["uniqueId"],
            "familyId": identifier(world.seed, "family", told["uniqueId"]),
            "networkAccessPolicy": told.get("networkAccessPolicy", "AllowAll"),
            "publicNetworkAccess": told.get("publicNetworkAccess", "Enabled"),
            "completionPercent": 100.0,
        }
        _carry(world.state, disk, part)
        parts[disk["id"].lower()] = part
    return parts


def _part(world: World, call: Call, name: str) -> Json:
    part_name = f"{name}_{identifier(world.seed, 'part', call.address.path, name, call.now)}"
    return {
        "id": f"{call.address.path}/diskRestorePoints/{part_name}",
        "name": part_name,
        "type": "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints",
    }


def _carry(state: State, source: Json, part: Json) -> None:
    key, own = source["id"].lower(), part["id"].lower()
    if key in state.ever_ade:
        state.ever_ade.add(own)
    if key in state.gpt or same(look(source, "tags.guestPartitionStyle"), "gpt"):
        state.gpt.add(own)


def _metadata(state: State, vm: Json, entries: list[Json], parts: dict[str, Json]) -> Json:
    """Return what a restore point remembers of its machine."""
    profile: Json = {}
    for entry in entries:
        kept: Json = {
            name: duplicate(entry[name])
            for name in ("lun", "osType", "name", "caching", "diskSizeGB", "managedDisk")
            if name in entry
        }
        part = parts.get(str(look(entry, "managedDisk.id")).lower())
        if part is not None:
            kept["diskRestorePoint"] = {"id": part["id"]}
        if entry is look(vm, "properties.storageProfile.osDisk"):
            profile["osDisk"] = kept
        else:
            profile.setdefault("dataDisks", []).append(kept)
    told = {name: duplicate(vm["properties"][name]) for name in _METADATA if name in vm["properties"]}
    told |= {"storageProfile": profile, "location": vm.get("location")}
    generation = state.generation(vm)
    return told if generation is None else told | {"hyperVGeneration": generation}


def _copied(world: World, call: Call, point: Json, source_id: object) -> list[Json]:
    """Copy a restore point of another collection, which keeps what it says of its machine."""
    source = world.state.find(str(source_id))
    if source is None:
        raise missing(str(source_id))
    metadata: Json = duplicate(look(source, "properties.sourceMetadata") or {})
    parts, renamed = [], {}
    for old in world.state.of_kind(DISK_RESTORE_POINT, source["id"]):
        part = _part(world, call, old["name"].rsplit("_", 1)[0])
        part["properties"] = duplicate(old["properties"]) | {
            "sourceResourceId": old["id"],
            "sourceUniqueId": identifier(world.seed, "part", old["id"]),
            "encryption": {"type": PLATFORM_KEY},
            "timeCreated": call.now.isoformat(),
        }
        _carry(world.state, old, part)
        renamed[old["id"].lower()] = part["id"]
        parts.append(part)
    profile = metadata.get("storageProfile") or {}
    for entry in (profile.get("osDisk"), *(profile.get("dataDisks") or [])):
        old_id = str(look(entry, "diskRestorePoint.id")).lower()
        if entry is not None and old_id in renamed:
            entry["diskRestorePoint"] = {"id": renamed[old_id]}
    point["properties"] = {
        "sourceRestorePoint": {"id": source["id"]},
        "consistencyMode": look(source, "properties.consistencyMode"),
        "sourceMetadata": metadata,
    }
    return parts


def delete(world: World, call: Call) -> Response:
    """Delete a restore point and its disk restore points."""
    found = world.state.find(call.address.resource_id)
    if found is None:
        return Response(204)
    ticket = world.admit(call, "restorePoints/delete", found["id"])
    world.idle(found, "delete")
    restore_point_collections.check_free(world.state, found["id"])
    found["properties"]["provisioningState"] = "Deleting"

    def done(_: datetime) -> None:
        restore_point_collections.remove(world.state, found["id"])

    def failed(_: datetime) -> None:
        found["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))


ROUTES: Routes = {
    ("GET", RESTORE_POINT, ""): get,
    ("PUT", RESTORE_POINT, ""): write,
    ("DELETE", RESTORE_POINT, ""): delete,
    ("GET", DISK_RESTORE_POINT, ""): get_part,
}
