"""A new virtual machine: what Azure asks for, what it makes, and what comes of it.

Guarantees: a machine that is refused leaves nothing behind; one that is accepted holds its disks and network
interfaces from then on, whatever becomes of it, and runs once its operation has ended well. Where the
operation ends in OSProvisioningTimedOut the machine runs all the same. Machines from unmanaged disks, and
network interfaces that come with the machine, are not modelled, and a clear refusal.
"""

from collections.abc import Callable
from datetime import datetime

from readiness.twin.arm import attachments, identity, new_disks, os_profile, placement, power, security, sizes
from readiness.twin.arm.image_facts import ImageFacts, facts
from readiness.twin.arm.immediate import located
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.machine import Machine, Power
from readiness.twin.messages import ArmError, Response, invalid_parameter
from readiness.twin.operations import identifier
from readiness.twin.plausible import guest_of, wants_agent_of
from readiness.twin.protocols import COMPUTE_PUT
from readiness.twin.state import State
from readiness.twin.world import Call, World

_KEPT = ("location", "zones", "plan", "tags", "extendedLocation")
_READ_ONLY = ("provisioningState", "vmId", "timeCreated", "instanceView", "userData")

Show = Callable[[Json], Json]


def create(world: World, call: Call, show: Show) -> Response:
    """Make a machine; `show` tells how an api-version shows it."""
    ticket = world.admit(call, "virtualMachines/write", call.address.path, charge="virtualMachines/put")
    vm, disks = _planned(world, call)
    for disk in disks:
        world.state.put(disk)
    world.state.put(vm)
    machine = Machine(
        power=Power.CREATING,
        guest=guest_of(vm),
        has_agent=wants_agent_of(vm) is not False,
        is_ready=False,
        since=call.now,
    )
    world.state.machines[vm["id"].lower()] = machine
    attachments.change(world.state, {"id": vm["id"]}, vm)

    def done(when: datetime) -> None:
        identity.complete(vm, world.state, seed=world.seed, when=when)
        power.settle(vm, machine, when)
        # As recorded in Azure/azure-cli, vm/tests/latest/recordings/: creation ends once the agent was heard.
        power.boot(world, vm, when, within=(0, 0))

    def failed(when: datetime) -> None:
        identity.complete(vm, world.state, seed=world.seed, when=when)
        power.settle(vm, machine, when, trouble=operation.error)
        if (operation.error or {}).get("code") in power.LATE:
            power.boot(world, vm, when)
            return
        machine.power = Power.DEALLOCATED
        power.attach(world, vm)

    operation = world.begin(call, ticket, done=done, failed=failed, protocol=COMPUTE_PUT, within=(27.0, 33.0))
    body = show(vm)
    headers = {"ETag": vm["etag"]} if "etag" in body else {}
    return world.accepted(call, ticket, operation, Response(201, body, headers))


def _planned(world: World, call: Call) -> tuple[Json, list[Json]]:
    """Return the machine a body asks for and its new disks, or refuse; nothing is kept yet."""
    body = call.body()
    location = located(call, None)
    vm: Json = {
        "id": call.address.path,
        "name": call.address.name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": location,
        **{name: duplicate(body[name]) for name in _KEPT if body.get(name) is not None},
        "properties": {
            name: duplicate(value)
            for name, value in (body.get("properties") or {}).items()
            if name not in _READ_ONLY and value is not None
        },
    }
    _check_parts(vm)
    sizes.check_new(world.state, vm)
    image = _image(world.state, call, vm)
    generation, can = _nature(world.state, vm, image)
    security.default(world.state, vm, call.version, generation=generation, can=can)
    security.normalise(vm, body)
    security.check_new(world.state, call, vm, generation=generation, can=can)
    placement.join(world.state, vm)
    _provision(vm, image)
    attachments.check(world.state, None, vm)
    disks = new_disks.make(world, vm, image, call.now)
    if image is None:
        attachments.check_security(world.state, vm)
    _complete(world, call, vm, generation)
    return vm, disks


def _check_parts(vm: Json) -> None:
    for name in ("hardwareProfile", "storageProfile", "networkProfile"):
        if not isinstance(vm["properties"].get(name), dict):
            raise invalid_parameter(f"Required parameter '{name}' is missing (null).", name)
    if not sizes.name_of(vm):
        raise invalid_parameter("Required parameter 'vmSize' is missing (null).", "vmSize")
    disk = look(vm, "properties.storageProfile.osDisk")
    if not isinstance(disk, dict):
        raise invalid_parameter("Required parameter 'osDisk' is missing (null).", "osDisk")
    if not attachments.nic_ids(vm):
        if look(vm, "properties.networkProfile.networkInterfaceConfigurations"):
            raise invalid_parameter(
                "The twin models network interfaces that exist before their machine only: give "
                "'networkProfile.networkInterfaces'.",
                "networkProfile.networkInterfaceConfigurations",
                unverified=True,
            )
        raise invalid_parameter(
            "Required parameter 'networkProfile.networkInterfaces' is missing (null).", "networkInterfaces"
        )
    if "vhd" in disk:
        raise invalid_parameter(
            "The twin models managed disks only: give 'osDisk.managedDisk'.", "osDisk.vhd", unverified=True
        )


def _image(state: State, call: Call, vm: Json) -> ImageFacts | None:
    """Return the image a machine is made from, or None where an existing disk is attached."""
    storage = vm["properties"]["storageProfile"]
    reference, disk = storage.get("imageReference"), storage["osDisk"]
    option = str(disk.get("createOption") or "")
    if same(option, "Attach"):
        if reference:
            raise invalid_parameter(
                "Cannot attach an existing OS disk if the VM is created from a platform or user image.",
                "osDisk",
            )
        disk.setdefault("osType", look(state.os_disk(vm), "properties.osType"))
        return None
    if not same(option, "FromImage"):
        raise invalid_parameter(
            "The value of parameter osDisk.createOption is invalid.", "osDisk.createOption"
        )
    if not isinstance(reference, dict) or not (reference.get("id") or reference.get("publisher")):
        raise invalid_parameter("Required parameter 'imageReference' is missing (null).", "imageReference")
    found = facts(
        state,
        reference,
        subscription=call.address.subscription,
        location=vm["location"],
        os_type=disk.get("osType"),
    )
    image_id = reference.get("id")
    if isinstance(image_id, str) and "/galleries/" not in image_id.lower() and state.find(image_id) is None:
        raise ArmError(404, "NotFound", f"The Image {image_id} cannot be found.")
    storage["imageReference"] = found.reference
    disk.setdefault("osType", found.os_type)
    return found


def _nature(state: State, vm: Json, image: ImageFacts | None) -> tuple[str, bool | None]:
    """Return the generation of a new machine, and whether what it starts from takes Trusted Launch."""
    if image is not None:
        return image.generation, image.takes_trusted_launch
    disk = state.os_disk(vm)
    own = str(look(disk, "properties.securityProfile.securityType") or "")
    return str(look(disk, "properties.hyperVGeneration") or "V1"), own == "TrustedLaunch"


def _provision(vm: Json, image: ImageFacts | None) -> None:
    properties = vm["properties"]
    given = properties.get("osProfile")
    if image is None or image.is_specialized:
        if given is not None:
            raise invalid_parameter("Parameter 'osProfile' is not allowed.", "osProfile")
        return
    os_type = properties["storageProfile"]["osDisk"]["osType"]
    os_profile.check_new(given, os_type, vm["name"])
    properties["osProfile"] = os_profile.completed(given, os_type, vm["name"])


def _complete(world: World, call: Call, vm: Json, generation: str) -> None:
    """Fill in what the provider fills in, as recorded."""
    properties = vm["properties"]
    storage = section(properties, "storageProfile")
    storage["dataDisks"] = storage.get("dataDisks") or []
    if generation == "V2":
        # As recorded in Azure/azure-cli, vm/tests/latest/recordings/: told of generation 2 alone.
        storage.setdefault("diskControllerType", "SCSI")
    for interface in look(properties, "networkProfile.networkInterfaces") or []:
        asked = interface.pop("properties", None) or {}
        if kept := {name: value for name, value in asked.items() if value is not None}:
            interface["properties"] = kept
    world.calls["new machines", vm["id"].lower()] += 1
    nth = world.calls["new machines", vm["id"].lower()]
    properties |= {
        "provisioningState": "Creating",
        "vmId": identifier(world.seed, "vm", vm["id"], nth),
        "timeCreated": call.now.isoformat(),
    }
    vm["etag"] = '"1"'
    own = identity.changed(None, call.body().get("identity"), replaces=True)
    if own is not None:
        vm["identity"] = own
