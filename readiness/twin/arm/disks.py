"""Managed disks: GET, lists, PUT, PATCH, DELETE.

Guarantees: a change shows once its operation has ended; the models of the machines that use a disk then tell
of it, too; a copy inherits everything its source cannot shed, Azure Disk Encryption's mark included. What
refuses a write stands in `disk_rules` and `encryption`. The refusal of a deletion is recorded in
ansible/ansible#54644.
"""

from typing import Any

from readiness.twin.arm import disk_creation, disk_rules, encryption, immediate, storage
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import model_disks
from readiness.twin.messages import Response, not_allowed, property_change_not_allowed
from readiness.twin.state import DISK, State, missing
from readiness.twin.world import Call, Routes, World

get = storage.get
listed = storage.listed(DISK)


def write(world: World, call: Call) -> Response:
    """Change a disk, or make one by PUT."""
    before = world.state.find(call.address.resource_id)
    is_put = call.request.method == "PUT"
    if before is None and not is_put:
        raise missing(call.address.resource_id)
    resource_id = call.address.path if before is None else before["id"]
    ticket = world.admit(call, "disks/write", resource_id)
    if before is None:
        after = disk_creation.made(world, call)
    else:
        world.idle(before, "write")
        _check_fixed(call, before)
        after = storage.changed(before, call.body(), is_put=is_put)
    disk_rules.check(world.state, before, after)
    encryption.check(world.state, before, after, call.now)
    if before is None:
        disk_creation.begin(world, call, after)
    return storage.accept(world, call, ticket, after, settled=lambda disk: _tell_users(world.state, disk))


def _check_fixed(call: Call, before: Json) -> None:
    """Refuse to change what is settled when a disk is made."""
    body = call.body()
    immediate.check_location(call.address, before, body.get("location"))
    for name in ("creationData.createOption", "creationData.sourceResourceId"):
        wanted: Any = look(body, f"properties.{name}")
        if wanted is not None and not same(wanted, look(before, f"properties.{name}")):
            raise property_change_not_allowed(name)
    security = look(body, "properties.securityProfile.securityType")
    if security is not None and not same(security, look(before, "properties.securityProfile.securityType")):
        raise property_change_not_allowed("securityProfile.securityType")
    if "zones" in body and (body["zones"] or []) != (before.get("zones") or []):
        raise property_change_not_allowed("zones", unverified=True)


def _tell_users(state: State, disk: Json) -> None:
    """Let the models of the machines that use a disk name its encryption set, its size and its type."""
    set_id = disk["properties"]["encryption"].get("diskEncryptionSetId")
    for vm in state.users(disk["id"]):
        for entry in model_disks(vm):
            if not same(look(entry, "managedDisk.id"), disk["id"]):
                continue
            managed = entry["managedDisk"]
            managed.pop("diskEncryptionSet", None)
            if set_id is not None:
                managed["diskEncryptionSet"] = {"id": set_id}
            if "storageAccountType" in managed and look(disk, "sku.name"):
                managed["storageAccountType"] = disk["sku"]["name"]
            if "diskSizeGB" in entry and disk["properties"].get("diskSizeGB"):
                entry["diskSizeGB"] = disk["properties"]["diskSizeGB"]


def _check_removal(world: World, disk: Json) -> None:
    users = [vm["id"] for vm in world.state.users(disk["id"])]
    owner = next(iter(users), disk.get("managedBy"))
    if owner is not None:
        raise not_allowed(f"Disk {disk['name']} is attached to VM {owner}.")
    if str(look(disk, "properties.diskState")).startswith("Active"):
        raise not_allowed(
            f"There is an active shared access signature outstanding for disk {disk['name']}. Call "
            "EndGetAccess before attaching or deleting the disk.",
            unverified=True,
        )


delete = storage.removal("disks/delete", _check_removal)

ROUTES: Routes = {
    ("GET", "microsoft.compute", "disks"): listed,
    ("GET", DISK, ""): get,
    ("PATCH", DISK, ""): write,
    ("PUT", DISK, ""): write,
    ("DELETE", DISK, ""): delete,
}
