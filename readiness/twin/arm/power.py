"""Power: deallocate, start, powerOff, and what a boot brings up.

Guarantees: a machine's disks are Reserved only once it is deallocated, and Attached from the moment it
starts; a boot's agent reports half a minute after the boot, or never; asking for the state a machine is
already in succeeds and changes nothing.
"""

from datetime import datetime, timedelta

from readiness.twin.arm.etag import bump
from readiness.twin.documents import Json, look, same
from readiness.twin.faults import Boot
from readiness.twin.machine import Machine, Power
from readiness.twin.messages import Response, not_allowed
from readiness.twin.plausible import disk_state
from readiness.twin.world import Call, World

_ON_THE_WAY = {
    "deallocate": Power.DEALLOCATING,
    "start": Power.STARTING,
    "powerOff": Power.STOPPING,
}
_ARRIVED = {
    "deallocate": Power.DEALLOCATED,
    "start": Power.RUNNING,
    "powerOff": Power.STOPPED,
}


def deallocate(world: World, call: Call) -> Response:
    """Stop a machine and give its hardware back."""
    return _change(world, call, "deallocate")


def start(world: World, call: Call) -> Response:
    """Start a machine."""
    return _change(world, call, "start")


def power_off(world: World, call: Call) -> Response:
    """Stop a machine that keeps its hardware, and its disks attached."""
    return _change(world, call, "powerOff")


def _change(world: World, call: Call, action: str) -> Response:
    vm = world.state.need(call.address)
    ticket = world.admit(call, f"virtualMachines/{action}", vm["id"])
    world.idle(vm, action)
    machine = world.state.machine(vm)
    _refuse(vm, machine, action)
    bump(vm)
    before, is_idle = machine.power, machine.power is _ARRIVED[action]
    vm["properties"]["provisioningState"] = "Updating"
    if not is_idle:
        machine.power = _ON_THE_WAY[action]
        attach(world, vm)

    def done(when: datetime) -> None:
        settle(vm, machine, when)
        if not is_idle:
            _arrive(world, vm, _ARRIVED[action], when)

    def failed(when: datetime) -> None:
        settle(vm, machine, when, trouble=operation.error)
        machine.power = before
        attach(world, vm)

    operation = world.begin(call, ticket, done=done, failed=failed, is_idle=is_idle)
    return world.accepted(call, ticket, operation, Response(202))


def _refuse(vm: Json, machine: Machine, action: str) -> None:
    if action == "deallocate" and same(
        look(vm, "properties.storageProfile.osDisk.diffDiskSettings.option"), "Local"
    ):
        # Learn, "Ephemeral OS disks": stop-deallocate is not supported. The wording is an assumption.
        raise not_allowed(
            "Operation 'deallocate' is not supported on VMs or VM Scale Set instances using an ephemeral OS "
            "disk."
        )
    if action == "powerOff" and machine.power is Power.DEALLOCATED:
        # Template: Learn, "Azure virtual machine error messages" (OperationNotAllowed).
        raise not_allowed(
            f"Operation 'powerOff' is not allowed on VM '{vm['name']}' since the VM is either deallocated or "
            "marked to be deallocated."
        )


def settle(vm: Json, machine: Machine, when: datetime, *, trouble: Json | None = None) -> None:
    """Set the provisioning state in which an operation leaves a machine."""
    vm["properties"]["provisioningState"] = "Succeeded" if trouble is None else "Failed"
    machine.trouble = trouble
    machine.since = when


def _arrive(world: World, vm: Json, power: Power, when: datetime) -> None:
    if power is Power.RUNNING:
        boot(world, vm, when)
        return
    machine = world.state.machine(vm)
    machine.power = power
    machine.is_ready = False
    attach(world, vm)


def attach(world: World, vm: Json) -> None:
    """Let the disks of a machine follow its power."""
    for disk in world.state.disks(vm):
        disk["properties"]["diskState"] = disk_state(world.state, disk)


def boot(world: World, vm: Json, when: datetime) -> None:
    """Boot a machine: it runs at once, and its agent reports later, if it ever does."""
    machine = world.state.machine(vm)
    machine.power = Power.RUNNING
    machine.is_ready = False
    machine.boots += 1
    this = machine.boots
    attach(world, vm)
    profile = look(vm, "properties.securityProfile")
    seen = Boot(
        resource_id=vm["id"],
        nth=this,
        security_type=str(look(profile, "securityType") or "Standard"),
        has_secure_boot=look(profile, "uefiSettings.secureBootEnabled") is True,
    )
    if not machine.has_agent or not machine.can_boot or world.faults.silences(seen):
        return

    def report(_: datetime) -> None:
        if machine.boots == this and machine.power is Power.RUNNING:
            machine.is_ready = True

    seconds = world.operations.seconds("agent", vm["id"])
    world.timeline.add(when + timedelta(seconds=seconds), report)
