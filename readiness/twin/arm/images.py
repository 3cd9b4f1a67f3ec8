"""What makes images of virtual machines, and what is told of their boots.

Guarantees: a machine that was generalized is marked for good and never starts again; a managed image cannot
be made of a Trusted Launch machine, nor of one that was not generalized. Making managed images, and images of
galleries, is not modelled otherwise. Templates of the wordings: Learn, "Understand common error messages when
you manage virtual machines in Azure"; hashicorp/packer#13189 (Trusted Launch).
"""

from readiness.twin.arm import security
from readiness.twin.arm.etag import bump
from readiness.twin.documents import Json, look
from readiness.twin.machine import Power, model_disks
from readiness.twin.messages import ArmError, Response, not_allowed
from readiness.twin.state import VM, missing
from readiness.twin.world import Call, Routes, World

IMAGE = "microsoft.compute/images"


def generalize(world: World, call: Call) -> Response:
    """Mark a machine that is off as a source of images."""
    vm = world.state.need(call.address)
    ticket = world.admit(call, "virtualMachines/generalize", vm["id"])
    world.idle(vm, "generalize")
    machine = world.state.machine(vm)
    if machine.power not in (Power.STOPPED, Power.DEALLOCATED):
        raise not_allowed(
            f"Operation 'generalize' is not allowed on VM '{vm['name']}' since the VM is running. Please "
            "power off explicitly in case you shut down the VM from inside the guest operating system."
        )
    if not machine.is_generalized:
        machine.is_generalized = True
        bump(vm)
    return world.finished(ticket, Response(200))


def capture(world: World, call: Call) -> Response:
    """Refuse the old way to make an image."""
    vm = world.state.need(call.address)
    world.admit(call, "virtualMachines/capture", vm["id"])
    if _is_managed(vm):
        raise not_allowed(
            "The Capture action is only supported on a Virtual Machine with blob based disks. Please use the "
            "'Image' resource APIs to create an Image from a managed Virtual Machine."
        )
    raise _not_modelled("capture")


def convert(world: World, call: Call) -> Response:
    """Refuse to turn unmanaged disks into managed ones."""
    vm = world.state.need(call.address)
    world.admit(call, "virtualMachines/convertToManagedDisks", vm["id"])
    if _is_managed(vm):
        raise not_allowed(f"VM '{vm['name']}' is already using managed disks.")
    if world.state.machine(vm).power is not Power.DEALLOCATED:
        raise not_allowed(
            f"Operation 'convertToManagedDisks' is not allowed on VM '{vm['name']}' since the VM is not "
            "deallocated."
        )
    raise _not_modelled("convertToManagedDisks")


def write(world: World, call: Call) -> Response:
    """Refuse a managed image: in Azure's words where Azure refuses, too."""
    source = look(call.body(), "properties.sourceVirtualMachine.id")
    ticket = world.admit(call, "images/write", call.address.path)
    if isinstance(source, str):
        vm = world.state.find(source)
        if vm is None:
            raise missing(source)
        if security.security_type(vm) == "TrustedLaunch":
            raise not_allowed(
                "Creation of managed images are not supported for virtual machine with TrustedLaunch "
                "security type."
            )
        if not world.state.machine(vm).is_generalized:
            raise not_allowed(
                f"The operation '{ticket.operation}' requires the Virtual Machine '{vm['name']}' to be "
                "Generalized."
            )
    raise _not_modelled("images/write")


def boot_diagnostics(world: World, call: Call) -> Response:
    """Answer where screenshot and serial log are: addresses of the right form that lead nowhere."""
    vm = world.state.need(call.address)
    ticket = world.admit(call, "virtualMachines/retrieveBootDiagnosticsData", vm["id"])
    if look(vm, "properties.diagnosticsProfile.bootDiagnostics.enabled") is not True:
        raise not_allowed(
            f"Boot diagnostics is not enabled for VM '{vm['name']}'.",
            unverified=True,
        )
    head = f"https://boot-diagnostics.invalid/bootdiagnostics-{vm['name']}-{look(vm, 'properties.vmId')}"
    body = {
        "consoleScreenshotBlobUri": f"{head}/{vm['name']}.screenshot.bmp",
        "serialConsoleLogBlobUri": f"{head}/{vm['name']}.serialconsole.log",
    }
    return world.finished(ticket, Response(200, body))


def _is_managed(vm: Json) -> bool:
    return any("managedDisk" in disk for disk in model_disks(vm))


def _not_modelled(operation: str) -> ArmError:
    return ArmError(
        405,
        "MethodNotAllowed",
        f"The twin does not model '{operation}': nothing was changed.",
        unverified=True,
    )


ROUTES: Routes = {
    ("POST", VM, "generalize"): generalize,
    ("POST", VM, "capture"): capture,
    ("POST", VM, "converttomanageddisks"): convert,
    ("POST", VM, "retrievebootdiagnosticsdata"): boot_diagnostics,
    ("PUT", IMAGE, ""): write,
}
