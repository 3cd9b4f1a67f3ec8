"""Run commands as an action on a machine, and the list of built-in commands.

As recorded: one runs at a time, another is a 409; the answer's code says succeeded although the script
failed, and Linux tells both streams in one message, Windows each in its own. A machine of the wrong system,
and built-in commands other than the two that run a script, are refused.
"""

from datetime import datetime

from readiness.twin.arm.guest_work import UNREADY, check_allowed, end_badly, kept, silence_of
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, same
from readiness.twin.guest import inside
from readiness.twin.guest.facts import is_windows
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import VM
from readiness.twin.world import Call, Routes, World

_OPERATION = "virtualMachines/runCommand"
_SECONDS = 5400.0
"""Learn, "Run scripts in your Linux VM by using action Run Commands": a script may take 90 minutes."""

_SCRIPT_OF = {"Windows": "RunPowerShellScript", "Linux": "RunShellScript"}
_BUILT_IN = {
    "DisableNLA": ("Windows", "Disable Network Level Authentication"),
    "DisableWindowsUpdate": ("Windows", "Disable Windows Update Automatic Updates"),
    "EnableAdminAccount": ("Windows", "Enable administrator account"),
    "EnableEMS": ("Windows", "Enable EMS"),
    "EnableRemotePS": ("Windows", "Enable remote PowerShell"),
    "EnableWindowsUpdate": ("Windows", "Enable Windows Update Automatic Updates"),
    "IPConfig": ("Windows", "List IP configuration"),
    "RDPSettings": ("Windows", "Verify RDP Listener Settings"),
    "ResetRDPCert": ("Windows", "Restore RDP Authentication mode to defaults"),
    "RunPowerShellScript": ("Windows", "Executes a PowerShell script"),
    "SetRDPPort": ("Windows", "Set Remote Desktop port"),
    "RunShellScript": ("Linux", "Executes a Linux shell script"),
    "ifconfig": ("Linux", "List network configuration"),
}


def run(world: World, call: Call) -> Response:
    """Run a script in a machine."""
    vm = world.state.need(call.address)
    ticket = world.admit(call, _OPERATION, vm["id"])
    running = world.operations.running(vm["id"])
    if running is not None and running.kind == _OPERATION:
        raise ArmError(
            409,
            "Conflict",
            "Run command extension execution is in progress. Please wait for completion before invoking a "
            "run command.",
        )
    world.idle(vm, "runCommand")
    machine = world.state.machine(vm)
    check_allowed(vm, machine, stopped="The operation requires the VM to be running (or set to run).")
    body = duplicate(call.body())
    script = _script(vm, body)
    answer: Json = {}

    def done(when: datetime) -> None:
        silence = silence_of(vm, machine)
        if silence is not None:
            end_badly(operation, silence)
            return
        outcome = inside.run(
            world.state,
            vm,
            script,
            when=when,
            seed=world.seed,
            limit=_SECONDS,
            parameters=[each for each in body.get("parameters") or [] if isinstance(each, dict)],
        )
        answer["value"] = _told(vm, outcome.output, outcome.error)

    operation = world.begin(
        call,
        ticket,
        done=done,
        failed=lambda _: None,
        output=lambda: duplicate(answer),
        within=None if machine.is_ready else UNREADY,
    )
    return world.accepted(call, ticket, operation, Response(202))


def _script(vm: Json, body: Json) -> str:
    command, system = body.get("commandId"), "Windows" if is_windows(vm) else "Linux"
    name = next((each for each in _BUILT_IN if same(each, command)), None)
    if name is None:
        raise ArmError(
            404, "NotFound", f"The run command document '{command}' was not found.", unverified=True
        )
    if _BUILT_IN[name][0] != system:
        raise ArmError(
            409,
            "Conflict",
            f"The run command '{name}' is for {_BUILT_IN[name][0]} and cannot run on a {system} VM.",
            unverified=True,
        )
    if name != _SCRIPT_OF[system]:
        raise ArmError(
            405,
            "MethodNotAllowed",
            f"The twin does not model the run command '{name}': nothing was changed.",
            unverified=True,
        )
    return "\n".join(map(str, body.get("script") or []))


def _told(vm: Json, output: str, error: str) -> list[Json]:
    usual = {"level": "Info", "displayStatus": "Provisioning succeeded"}
    if not is_windows(vm):
        message = f"Enable succeeded: \n[stdout]\n{kept(output)}\n[stderr]\n{kept(error)}"
        return [{"code": "ProvisioningState/succeeded", **usual, "message": message}]
    return [
        {"code": "ComponentStatus/StdOut/succeeded", **usual, "message": kept(output)},
        {"code": "ComponentStatus/StdErr/succeeded", **usual, "message": kept(error)},
    ]


def listed(_world: World, call: Call) -> Response:
    """Answer the built-in commands."""
    return page(call, [_document(name) for name in _BUILT_IN], duplicate)


def get(_world: World, call: Call) -> Response:
    """Answer one built-in command."""
    name = next((each for each in _BUILT_IN if same(each, call.address.name)), None)
    if name is None:
        raise ArmError(
            404, "NotFound", f"The run command document '{call.address.name}' was not found.", unverified=True
        )
    is_script = name in _SCRIPT_OF.values()
    parameters = [{"name": "arg1", "type": "string", "defaultValue": ""}] if is_script else []
    return Response(200, _document(name) | {"script": [], "parameters": parameters})


def _document(name: str) -> Json:
    system, label = _BUILT_IN[name]
    return {
        "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json",
        "id": name,
        "osType": system,
        "label": label,
        "description": label,
    }


LOCATION_COMMANDS = "microsoft.compute/locations/runcommands"

ROUTES: Routes = {
    ("POST", VM, "runcommand"): run,
    ("GET", "microsoft.compute/locations", "runcommands"): listed,
    ("GET", LOCATION_COMMANDS, ""): get,
}
