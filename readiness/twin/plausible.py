"""What a seed leaves out: plausible values, so that any collected or written estate makes a working twin.

Guarantees: says nothing against the seed, and nothing that depends on the day: ids come from the seed number.
A virtual machine without an instance view runs, with a Ready agent. Beside Azure's own properties a seed line
may carry a top-level `twin` object, which no answer ever shows: `everAde` (true), `partitionStyle` ("gpt")
and, of a machine, `guest`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from readiness.twin import paths
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.guest import inside
from readiness.twin.machine import Machine, Power
from readiness.twin.operations import identifier
from readiness.twin.seed import is_size
from readiness.twin.state import DISK, ENCRYPTION_SET, SNAPSHOT, VM, State

_MODELLED = {VM, DISK, SNAPSHOT, ENCRYPTION_SET}
_POWERED = {Power.RUNNING, Power.STOPPED, Power.DEALLOCATED}
_HELD = {"ActiveSAS", "ActiveSASFrozen", "ActiveUpload", "ReadyToUpload"}
"""States of a disk that do not follow from who uses it."""
_ADE_TYPES = {"azurediskencryption", "azurediskencryptionforlinux"}


def plant(resources: Iterable[Mapping[str, Any]], *, now: datetime, seed: int) -> State:
    """Make the ground truth a twin starts from."""
    state = State()
    for position, given in enumerate(resources, start=1):
        _add(state, position, duplicate(dict(given)))
    extensions = _by_parent(state)
    for vm in state.of_kind(VM):
        _complete_vm(state, vm, extensions.get(vm["id"].lower(), []), now=now, seed=seed)
    for disk in state.of_kind(DISK):
        _complete_disk(state, disk, seed=seed)
    for snapshot in state.of_kind(SNAPSHOT):
        _complete_snapshot(state, snapshot, seed=seed)
    return state


def _by_parent(state: State) -> dict[str, list[Json]]:
    """Return the extensions of each machine, by its lower-case id."""
    found: dict[str, list[Json]] = {}
    for extension in state.of_kind(f"{VM}/extensions"):
        found.setdefault(extension["id"].lower().rsplit("/extensions/", 1)[0], []).append(extension)
    return found


def _add(state: State, position: int, resource: Json) -> None:
    if is_size(resource):
        state.sizes.append(resource)
        return
    if not resource.get("id"):
        raise ValueError(f"seed resource {position} has no id: every ARM resource has one")
    address = paths.parse(str(resource["id"]))
    hidden = resource.pop("twin", None)
    resource["id"] = address.path
    resource.setdefault("name", address.name)
    if address.kind in _MODELLED:
        section(resource, "properties").setdefault("provisioningState", "Succeeded")
        resource.setdefault("type", _type_of(address))
    if look(hidden, "everAde") is True or _carries_ade(address, resource):
        state.ever_ade.add(address.path.lower())
        if address.kind == f"{VM}/extensions":
            state.ever_ade.add(address.path.lower().rsplit("/extensions/", 1)[0])
    if same(look(hidden, "partitionStyle"), "gpt"):
        state.gpt.add(address.path.lower())
    if look(hidden, "guest") is not None:
        inside.tell(state, address.path, hidden["guest"])
    state.put(resource)


def _type_of(address: paths.Address) -> str:
    words = address.path[len(address.scope) :].strip("/").split("/")
    return "/".join([words[1], *words[2::2]])


def _carries_ade(address: paths.Address, resource: Json) -> bool:
    """Tell whether a resource shows a trace of Azure Disk Encryption; a switched-off one is a trace too."""
    if address.kind in (DISK, SNAPSHOT):
        return bool(look(resource, "properties.encryptionSettingsCollection"))
    if address.kind == VM:
        return bool(look(resource, "properties.storageProfile.osDisk.encryptionSettings"))
    kind = str(look(resource, "properties.type") or "").lower()
    return address.kind == f"{VM}/extensions" and kind in _ADE_TYPES


def _complete_vm(state: State, vm: Json, extensions: list[Json], *, now: datetime, seed: int) -> None:
    properties = vm["properties"]
    extended = properties.pop("extended", None)
    view = properties.pop("instanceView", None) or look(extended, "instanceView") or {}
    properties.setdefault("vmId", identifier(seed, "vm", vm["id"]))
    vm["etag"] = f'"{_etag_number(vm.get("etag"))}"'
    machine = _machine(vm, view if isinstance(view, dict) else {}, now=now)
    if extensions and machine.has_agent:
        machine.guest.setdefault("extensions", [_extension_view(each) for each in extensions])
    state.machines[vm["id"].lower()] = machine
    state.link(vm)


def _extension_view(extension: Json) -> Json:
    """Return what the agent reports of an extension of which only the resource was seeded."""
    properties = extension.get("properties") or {}
    outcome = str(properties.get("provisioningState") or "Succeeded").lower()
    has_failed = outcome == "failed"
    return {
        "name": extension["name"],
        "type": f"{properties.get('publisher')}.{properties.get('type')}",
        "typeHandlerVersion": str(properties.get("typeHandlerVersion") or "1.0"),
        "statuses": [
            {
                "code": f"ProvisioningState/{'failed' if has_failed else 'succeeded'}",
                "level": "Error" if has_failed else "Info",
                "displayStatus": "Provisioning failed" if has_failed else "Provisioning succeeded",
            }
        ],
    }


def _etag_number(etag: object) -> int:
    digits = str(etag or "").strip('W/"')
    return int(digits) if digits.isdecimal() else 1


def _machine(vm: Json, view: Json, *, now: datetime) -> Machine:
    power = _power(view)
    guest: Json = {
        name: value
        for name, value in view.items()
        if name not in ("statuses", "disks", "hyperVGeneration", "powerState")
    }
    reported = look(guest, "vmAgent.statuses")
    wants_agent = wants_agent_of(vm)
    if power is Power.RUNNING and view and wants_agent is not False:
        is_ready = any(same(look(each, "displayStatus"), "Ready") for each in reported or [])
        # A view that says nothing of an agent, as Resource Graph's does, says nothing against one either.
        has_agent = is_ready if reported is not None else True
    else:
        has_agent = wants_agent is not False
    is_ready = has_agent and power is Power.RUNNING
    if has_agent:
        guest = guest_of(vm) | guest
    return Machine(
        power=power,
        guest=guest,
        has_agent=has_agent,
        is_ready=is_ready,
        is_hibernated=power is Power.DEALLOCATED and "hibernationstate/hibernated" in _codes(view),
        is_generalized="osstate/generalized" in _codes(view),
        since=now,
        generation=_text(view.get("hyperVGeneration")),
        encryption=_encryption(view),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _encryption(view: Json) -> dict[str, Json]:
    """Return what a view tells of encryption in the guest, by disk name."""
    found: dict[str, Json] = {}
    seen = view.get("disks")
    for disk in seen if isinstance(seen, list) else []:
        statuses = look(disk, "statuses")
        states = [
            each
            for each in (statuses if isinstance(statuses, list) else [])
            if str(look(each, "code") or "").lower().startswith("encryptionstate/")
        ]
        settings = look(disk, "encryptionSettings")
        told = {"encryptionSettings": settings} if settings else {}
        if (states or told) and isinstance(disk.get("name"), str):
            found[disk["name"]] = {"statuses": states, **told}
    return found


def _codes(view: Json) -> set[str]:
    return {str(look(each, "code") or "").lower() for each in view.get("statuses") or []}


def wants_agent_of(vm: Json) -> object:
    """Tell whether the model of a machine asks for an agent, or None where it does not say."""
    profile = look(vm, "properties.osProfile")
    linux = look(profile, "linuxConfiguration.provisionVMAgent")
    return linux if linux is not None else look(profile, "windowsConfiguration.provisionVMAgent")


def _power(view: Json) -> Power:
    """Read the power state from Azure's statuses or from Resource Graph's shorthand."""
    codes = [look(each, "code") for each in view.get("statuses") or []]
    codes.append(look(view, "powerState.code"))
    for code in codes:
        kind, _, word = str(code or "").partition("/")
        if kind.lower() == "powerstate" and word.lower() in set(_POWERED):
            return Power(word.lower())
    return Power.RUNNING


def guest_of(vm: Json) -> Json:
    """Return what the agent of a machine reports, unless the seed says it better."""
    is_windows = same(look(vm, "properties.storageProfile.osDisk.osType"), "Windows")
    return {
        "computerName": look(vm, "properties.osProfile.computerName") or vm["name"],
        "osName": "Windows Server 2022 Datacenter" if is_windows else "ubuntu",
        "osVersion": "10.0.20348.2700" if is_windows else "22.04",
        "vmAgent": {
            "vmAgentVersion": "2.7.41491.1131" if is_windows else "2.12.0.4",
            "statuses": [
                {
                    "code": "ProvisioningState/succeeded",
                    "level": "Info",
                    "displayStatus": "Ready",
                    "message": "Guest Agent is running",
                }
            ],
            "extensionHandlers": [],
        },
    }


def _complete_disk(state: State, disk: Json, *, seed: int) -> None:
    properties = disk["properties"]
    properties.setdefault("uniqueId", identifier(seed, "disk", disk["id"]))
    properties.setdefault("encryption", {"type": "EncryptionAtRestWithPlatformKey"})
    size = properties.get("diskSizeGB")
    if isinstance(size, int):
        properties.setdefault("diskSizeBytes", size * 1024**3)
    users = state.users(disk["id"])
    if users:
        disk.setdefault("managedBy", users[0]["id"])
    if properties.get("diskState") in (None, "Attached", "Reserved", "Unattached", "Frozen"):
        properties["diskState"] = disk_state(state, disk)


def disk_state(state: State, disk: Json) -> str:
    """Return the state that follows from who uses a disk: a shared one is free when all its users are off."""
    if (held := disk["properties"].get("diskState")) in _HELD:
        return str(held)
    users = state.users(disk["id"])
    if not users:
        known = disk["properties"].get("diskState") or "Reserved"
        return str(known) if disk.get("managedBy") else "Unattached"
    machines = [state.machine(vm) for vm in users]
    if any(machine.power is not Power.DEALLOCATED for machine in machines):
        return "Attached"
    return "Frozen" if any(machine.is_hibernated for machine in machines) else "Reserved"


def _complete_snapshot(state: State, snapshot: Json, *, seed: int) -> None:
    properties = snapshot["properties"]
    properties.setdefault("uniqueId", identifier(seed, "snapshot", snapshot["id"]))
    properties.setdefault("encryption", {"type": "EncryptionAtRestWithPlatformKey"})
    creation = section(properties, "creationData")
    source = state.find(creation.get("sourceResourceId"))
    if source is not None:
        creation.setdefault("sourceUniqueId", look(source, "properties.uniqueId"))
