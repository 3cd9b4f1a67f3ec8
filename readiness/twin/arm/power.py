"""Power: start, restart, powerOff, deallocate, hibernate, redeploy and reapply, and what a boot brings up.

Guarantees: a machine's disks are Reserved only once it is deallocated (Frozen, where it hibernates), and
Attached from the moment it starts; a boot's agent reports half a minute after the boot, or never; asking for
the state a machine is already in succeeds and changes nothing. Where a start ends in VMStartTimedOut, the
machine may be up all the same, as its message says: here it is. Most wordings are the templates of Learn,
"Understand common error messages when you manage virtual machines in Azure".
"""

from datetime import datetime, timedelta

from readiness.twin.arm import data_access, disk_keys, sizes
from readiness.twin.arm.etag import bump
from readiness.twin.documents import Json, look, same
from readiness.twin.durations import AGENT, NOTHING_TO_DO
from readiness.twin.faults import Boot
from readiness.twin.guest import inside
from readiness.twin.machine import Machine, Power
from readiness.twin.messages import Response, not_allowed
from readiness.twin.plausible import disk_state
from readiness.twin.state import VM
from readiness.twin.world import Call, Routes, Ticket, World

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
LATE = ("VMStartTimedOut", "OSProvisioningTimedOut")
"""Errors that say the machine may still come up."""


def deallocate(world: World, call: Call) -> Response:
    """Stop a machine and give its hardware back, keeping its memory where `hibernate` is asked for."""
    hibernates = same(call.request.query.get("hibernate"), "true")
    return _change(world, call, "deallocate", hibernates=hibernates)


def start(world: World, call: Call) -> Response:
    """Start a machine."""
    return _change(world, call, "start")


def power_off(world: World, call: Call) -> Response:
    """Stop a machine that keeps its hardware, and its disks attached; `skipShutdown` makes no difference."""
    return _change(world, call, "powerOff")


def restart(world: World, call: Call) -> Response:
    """Restart a running machine."""
    return _reboot(world, call, "restart")


def redeploy(world: World, call: Call) -> Response:
    """Move a running machine to other hardware, which restarts it."""
    return _reboot(world, call, "redeploy")


def reapply(world: World, call: Call) -> Response:
    """Set the provisioning state right again, and touch nothing else."""
    vm, machine, ticket = _let_in(world, call, "reapply")
    vm["properties"]["provisioningState"] = "Updating"

    def done(when: datetime) -> None:
        settle(vm, machine, when)

    def failed(when: datetime) -> None:
        settle(vm, machine, when, trouble=operation.error)

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))


def _let_in(world: World, call: Call, action: str) -> tuple[Json, Machine, Ticket]:
    """Let an action in, unless the machine is busy, is being deleted, or was generalized."""
    vm = world.state.need(call.address)
    ticket = world.admit(call, f"virtualMachines/{action}", vm["id"])
    machine = world.state.machine(vm)
    if same(vm["properties"].get("provisioningState"), "Deleting"):
        raise not_allowed(
            f"Operation '{action}' is not allowed on VM '{vm['name']}' since the VM is marked for deletion. "
            "You can only retry the Delete operation (or wait for an ongoing one to complete)."
        )
    world.idle(vm, action)
    if machine.is_generalized and action in ("start", "restart", "redeploy"):
        raise not_allowed(
            f"Operation '{action}' is not allowed on VM '{vm['name']}' since the VM is generalized."
        )
    return vm, machine, ticket


def _change(world: World, call: Call, action: str, *, hibernates: bool = False) -> Response:
    vm, machine, ticket = _let_in(world, call, action)
    _refuse(vm, machine, action)
    if action == "start" and machine.power is Power.DEALLOCATED:
        _refuse_start(world, call, vm)
    if hibernates:
        _refuse_hibernation(vm, machine)
    bump(vm)
    before = machine.power
    # Deallocating a hibernated machine gives its memory up.
    is_idle = before is _ARRIVED[action] and machine.is_hibernated is hibernates
    vm["properties"]["provisioningState"] = "Updating"
    if not is_idle:
        machine.power = _ON_THE_WAY[action]
        attach(world, vm)

    def done(when: datetime) -> None:
        settle(vm, machine, when)
        if not is_idle:
            _arrive(world, vm, _ARRIVED[action], when)
            machine.is_hibernated = hibernates
            attach(world, vm)

    def failed(when: datetime) -> None:
        settle(vm, machine, when, trouble=operation.error)
        machine.power = before
        attach(world, vm)
        if action == "start" and (operation.error or {}).get("code") in LATE:
            machine.is_hibernated = False
            boot(world, vm, when)

    within = NOTHING_TO_DO if is_idle else None
    operation = world.begin(call, ticket, done=done, failed=failed, within=within)
    return world.accepted(call, ticket, operation, Response(202))


def _refuse_hibernation(vm: Json, machine: Machine) -> None:
    """Learn, "Hibernate virtual machines": it needs the capability, and a running machine."""
    if look(vm, "properties.additionalCapabilities.hibernationEnabled") is not True:
        raise not_allowed(
            f"Operation 'hibernate' is not allowed on VM '{vm['name']}' since hibernation is not enabled on "
            "the VM.",
            unverified=True,
        )
    if machine.power is not Power.RUNNING and not machine.is_hibernated:
        raise not_allowed("The operation requires the VM to be running (or set to run).", unverified=True)


def _reboot(world: World, call: Call, action: str) -> Response:
    vm, machine, ticket = _let_in(world, call, action)
    if machine.power is not Power.RUNNING:
        raise not_allowed("The operation requires the VM to be running (or set to run).")
    bump(vm)
    vm["properties"]["provisioningState"] = "Updating"
    machine.is_ready = False

    def done(when: datetime) -> None:
        settle(vm, machine, when)
        boot(world, vm, when)

    def failed(when: datetime) -> None:
        settle(vm, machine, when, trouble=operation.error)
        boot(world, vm, when)

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))


def _refuse(vm: Json, machine: Machine, action: str) -> None:
    if action == "deallocate" and same(
        look(vm, "properties.storageProfile.osDisk.diffDiskSettings.option"), "Local"
    ):
        # As several clients have recorded it.
        raise not_allowed(
            "Operation 'deallocate' is not supported for VMs or VM Scale Set instances using an ephemeral OS "
            "disk."
        )
    if action == "powerOff" and machine.power is Power.DEALLOCATED:
        raise not_allowed(
            f"Operation 'powerOff' is not allowed on VM '{vm['name']}' since the VM is either deallocated or "
            "marked to be deallocated."
        )


def _refuse_start(world: World, call: Call, vm: Json) -> None:
    """Refuse where Azure has no such hardware to give, or a disk cannot have its key."""
    size = world.state.size(sizes.name_of(vm), vm.get("location"))
    if size is not None:
        sizes.check_capacity(vm, size)
    for disk in world.state.disks(vm):
        data_access.check_free(disk)
    disk_keys.check_start(world.state, vm, call.now)


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


def boot(world: World, vm: Json, when: datetime, *, within: tuple[float, float] = AGENT) -> None:
    """Boot a machine: it runs at once, and its agent reports within so many seconds, if it ever does."""
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
    is_up = inside.boot(
        world.state,
        vm,
        when=when,
        seed=world.seed,
        is_stopped=not machine.can_boot or world.faults.stops(seen),
    )
    if not machine.has_agent or not is_up or world.faults.silences(seen):
        return

    def report(_: datetime) -> None:
        if machine.boots == this and machine.power is Power.RUNNING:
            machine.is_ready = True

    seconds = world.operations.seconds("agent", vm["id"], within=within)
    world.timeline.add(when + timedelta(seconds=seconds), report)


ROUTES: Routes = {
    ("POST", VM, "deallocate"): deallocate,
    ("POST", VM, "start"): start,
    ("POST", VM, "poweroff"): power_off,
    ("POST", VM, "restart"): restart,
    ("POST", VM, "redeploy"): redeploy,
    ("POST", VM, "reapply"): reapply,
}
