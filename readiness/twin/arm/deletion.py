"""The end of a virtual machine, and what becomes of what it held.

Learn, "Delete a VM and attached resources": a disk or network interface goes with its machine where its
deleteOption is Delete, and is left behind, free, where it is Detach or says nothing. `forceDeletion` changes
how fast the machine goes, and nothing else. Everything beneath the machine goes with it.
"""

from datetime import datetime

from readiness.twin.arm import attachments, power
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import model_disks
from readiness.twin.messages import Response
from readiness.twin.state import State
from readiness.twin.world import Call, World


def delete(world: World, call: Call) -> Response:
    """Delete a machine; one that is not there is already deleted."""
    vm = world.state.find(call.address.resource_id)
    if vm is None:
        return Response(204)
    ticket = world.admit(call, "virtualMachines/delete", vm["id"])
    if not same(vm["properties"].get("provisioningState"), "Deleting"):
        world.idle(vm, "delete")
    vm["properties"]["provisioningState"] = "Deleting"
    machine = world.state.machine(vm)

    def done(_: datetime) -> None:
        if world.state.find(vm["id"]) is vm:
            take_apart(world.state, vm)

    def failed(when: datetime) -> None:
        power.settle(vm, machine, when, trouble=operation.error)

    is_forced = same(call.request.query.get("forcedeletion"), "true")
    within = (9.0, 11.0) if is_forced else None
    operation = world.begin(call, ticket, done=done, failed=failed, within=within)
    return world.accepted(call, ticket, operation, Response(202))


def take_apart(state: State, vm: Json) -> None:
    """Remove a machine, all that lies beneath it, and what its model says goes with it."""
    prefix = vm["id"].lower() + "/"
    below = [each["id"] for each in state.everything() if each["id"].lower().startswith(prefix)]
    goes = [
        *(
            look(disk, "managedDisk.id")
            for disk in model_disks(vm)
            if same(disk.get("deleteOption"), "Delete")
        ),
        *_interfaces_that_go(vm),
    ]
    attachments.change(state, vm, {"id": vm["id"]})
    for resource_id in [*below, vm["id"], *goes]:
        if state.find(resource_id) is not None:
            state.remove(resource_id)
    del state.machines[vm["id"].lower()]
    state.ever_ade.discard(vm["id"].lower())


def _interfaces_that_go(vm: Json) -> list[str]:
    listed = look(vm, "properties.networkProfile.networkInterfaces") or []
    return [
        str(each["id"])
        for each in listed
        if same(look(each, "properties.deleteOption"), "Delete") and each.get("id")
    ]
