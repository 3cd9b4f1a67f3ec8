"""Managed disks: GET, lists, PATCH, PUT, and PUT of a copy.

Guarantees: a change shows once its operation has ended; the models of the machines that use a disk then name
its encryption set too; a copy inherits everything its source cannot shed, Azure Disk Encryption's mark
included. Empty disks, uploads and deletion are not modelled.
"""

from readiness.twin.arm import encryption, storage
from readiness.twin.arm.copies import copied
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import model_disks
from readiness.twin.messages import Response, property_change_not_allowed
from readiness.twin.state import DISK, State, missing
from readiness.twin.world import Call, World

get = storage.get
listed = storage.listed(DISK)


def write(world: World, call: Call) -> Response:
    """Change a disk, or make one by PUT as a copy of a disk or a snapshot."""
    before = world.state.find(call.address.resource_id)
    is_put = call.request.method == "PUT"
    if before is None and not is_put:
        raise missing(call.address.resource_id)
    resource_id = call.address.path if before is None else before["id"]
    ticket = world.admit(call, "disks/write", resource_id)
    if before is None:
        after = copied(world, call, kind="disk")
        encryption.check(world.state, None, after)
    else:
        world.idle(before, "write")
        wanted = look(call.body(), "properties.creationData.sourceResourceId")
        if wanted is not None and not same(wanted, look(before, "properties.creationData.sourceResourceId")):
            raise property_change_not_allowed("creationData.sourceResourceId")
        after = storage.changed(before, call.body(), is_put=is_put)
        encryption.check(world.state, before, after)
    return storage.accept(world, call, ticket, after, settled=lambda disk: _tell_users(world.state, disk))


def _tell_users(state: State, disk: Json) -> None:
    """Let the models of the machines that use a disk name its encryption set, or none."""
    set_id = disk["properties"]["encryption"].get("diskEncryptionSetId")
    for vm in state.users(disk["id"]):
        for entry in model_disks(vm):
            if not same(look(entry, "managedDisk.id"), disk["id"]):
                continue
            entry["managedDisk"].pop("diskEncryptionSet", None)
            if set_id is not None:
                entry["managedDisk"]["diskEncryptionSet"] = {"id": set_id}
