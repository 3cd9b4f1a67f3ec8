"""The machine behind a virtual machine resource: power, boots and guest agent, and its instance view.

Guarantees: a deallocated machine reports neither agent nor operating system, but still its disks; a running
machine whose agent has not reported says "Not Ready", as Azure does between a boot and the first report. The
status codes of generalized and hibernated machines are those of Learn, "Hibernate virtual machines" and
"Virtual Machines - Instance View".
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from readiness.twin.documents import Json, duplicate, look


class Power(StrEnum):
    """Power states, in the words of the status code `PowerState/...`."""

    CREATING = "creating"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"


@dataclass(slots=True, kw_only=True)
class Machine:
    """What a virtual machine is, besides its model."""

    power: Power
    guest: Json = field(default_factory=dict)
    """What the guest reports once its agent is Ready: operating system, agent, extensions."""
    has_agent: bool = True
    is_ready: bool = True
    boots: int = 0
    """Boots since the seed was planted."""
    can_boot: bool = True
    """False once the firmware no longer fits the disk: the machine runs, and nothing ever comes up."""
    is_hibernated: bool = False
    """Deallocated with its memory on the operating system disk."""
    is_generalized: bool = False
    """Marked as a source of images: it never starts again."""
    since: datetime
    """When the provisioning state last changed."""
    trouble: Json | None = None
    """The error of the last operation, where it failed."""
    generation: str | None = None
    """As the seed's instance view told it: what counts where no disk says it."""
    encryption: dict[str, Json] = field(default_factory=dict)
    """What the seed's instance view told of encryption in the guest, by disk name."""


_BUSY = ("creating", "updating", "deleting", "migrating")

_NOT_READY: Json = {
    "vmAgentVersion": "Unknown",
    "statuses": [
        {
            "code": "ProvisioningState/Unavailable",
            "level": "Warning",
            "displayStatus": "Not Ready",
            "message": "VM status blob is found but not yet populated.",
        }
    ],
}


def instance_view(machine: Machine, vm: Json, *, generation: str | None) -> Json:
    """Return the instance view of a machine."""
    view: Json = {}
    if machine.power is not Power.DEALLOCATED:
        view = duplicate(machine.guest) if machine.is_ready else {"vmAgent": duplicate(_NOT_READY)}
    stamp = {"time": machine.since.isoformat()}
    agent = view.get("vmAgent")
    for status in agent.get("statuses") or [] if isinstance(agent, dict) else []:
        status.setdefault("time", stamp["time"])
    if generation is not None:
        view["hyperVGeneration"] = generation
    provisioned = _status("ProvisioningState/succeeded", "Provisioning succeeded") | stamp
    view["disks"] = [_disk_view(machine, name, provisioned) for name in _disk_names(vm)]
    if look(vm, "properties.diagnosticsProfile.bootDiagnostics.enabled") is True:
        view["bootDiagnostics"] = _boot_diagnostics(vm)
    view["statuses"] = [_provisioning(machine, vm)]
    if machine.is_generalized:
        view["statuses"].append(_status("OSState/generalized", "VM generalized"))
    view["statuses"].append(_status(f"PowerState/{machine.power}", f"VM {machine.power}"))
    if machine.is_hibernated:
        view["statuses"].append(_status("HibernationState/Hibernated", "VM hibernated"))
    return view


def _disk_view(machine: Machine, name: str, provisioned: Json) -> Json:
    told = duplicate(machine.encryption.get(name, {}))
    return {"name": name, **told, "statuses": [duplicate(provisioned), *told.get("statuses", ())]}


def _boot_diagnostics(vm: Json) -> Json:
    """Return where screenshot and serial log are: nowhere public, unless a storage account is named."""
    account = look(vm, "properties.diagnosticsProfile.bootDiagnostics.storageUri")
    if not isinstance(account, str):
        return {}
    blob = f"{account.rstrip('/')}/bootdiagnostics-{vm['name']}-{look(vm, 'properties.vmId')}/{vm['name']}"
    return {
        "consoleScreenshotBlobUri": f"{blob}.screenshot.bmp",
        "serialConsoleLogBlobUri": f"{blob}.serialconsole.log",
    }


def _provisioning(machine: Machine, vm: Json) -> Json:
    state = str(look(vm, "properties.provisioningState") or "Succeeded").lower()
    if state == "failed":
        trouble = machine.trouble or {"code": "Unknown", "message": ""}
        status = _status(f"ProvisioningState/failed/{trouble['code']}", "Provisioning failed")
        return status | {"level": "Error", "message": trouble["message"], "time": machine.since.isoformat()}
    shown = state.capitalize() if state in _BUSY else f"Provisioning {state}"
    return _status(f"ProvisioningState/{state}", shown) | {"time": machine.since.isoformat()}


def _status(code: str, shown: str) -> Json:
    return {"code": code, "level": "Info", "displayStatus": shown}


def _disk_names(vm: Json) -> list[str]:
    return [str(disk["name"]) for disk in model_disks(vm) if disk.get("name")]


def model_disks(vm: Json) -> list[Json]:
    """Return the disks of a model, operating system disk first."""
    profile = look(vm, "properties.storageProfile")
    if not isinstance(profile, dict):
        return []
    disks = [profile.get("osDisk"), *(profile.get("dataDisks") or [])]
    return [disk for disk in disks if isinstance(disk, dict)]


def os_disk_id(vm: Json) -> str | None:
    """Return the id of the managed operating system disk; an unmanaged one has none."""
    found = look(vm, "properties.storageProfile.osDisk.managedDisk.id")
    return found if isinstance(found, str) else None


def disk_ids(vm: Json) -> list[str]:
    """Return the ids of all managed disks of a model, operating system disk first."""
    found = (look(disk, "managedDisk.id") for disk in model_disks(vm))
    return [disk_id for disk_id in found if isinstance(disk_id, str)]
