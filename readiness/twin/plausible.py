"""What a seed leaves out: plausible values, so that any collected or written estate makes a working twin.

Guarantees: says nothing against the seed, and nothing that depends on the day: ids come from the seed number.
A virtual machine without an instance view runs, with a Ready agent. Beside Azure's own properties a seed line
may carry a top-level `twin` object, which no answer ever shows: `everAde` (true) and `partitionStyle`
("gpt").
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from readiness.twin import paths
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.machine import Machine, Power
from readiness.twin.operations import identifier
from readiness.twin.seed import is_size
from readiness.twin.state import DISK, ENCRYPTION_SET, SNAPSHOT, VM, State

_MODELLED = {VM, DISK, SNAPSHOT, ENCRYPTION_SET}
_POWERED = {Power.RUNNING, Power.STOPPED, Power.DEALLOCATED}
_ADE_TYPES = {"azurediskencryption", "azurediskencryptionforlinux"}


def plant(resources: Iterable[Mapping[str, Any]], *, now: datetime, seed: int) -> State:
    """Make the ground truth a twin starts from."""
    state = State()
    for position, given in enumerate(resources, start=1):
        _add(state, position, duplicate(dict(given)))
    for vm in state.of_kind(VM):
        _complete_vm(state, vm, now=now, seed=seed)
    for disk in state.of_kind(DISK):
        _complete_disk(state, disk, seed=seed)
    for snapshot in state.of_kind(SNAPSHOT):
        _complete_snapshot(state, snapshot, seed=seed)
    return state


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


def _complete_vm(state: State, vm: Json, *, now: datetime, seed: int) -> None:
    properties = vm["properties"]
    extended = properties.pop("extended", None)
    view = properties.pop("instanceView", None) or look(extended, "instanceView") or {}
    properties.setdefault("vmId", identifier(seed, "vm", vm["id"]))
    vm["etag"] = f'"{_etag_number(vm.get("etag"))}"'
    state.machines[vm["id"].lower()] = _machine(vm, view if isinstance(view, dict) else {}, now=now)
    state.link(vm)


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
    wants_agent = _wants_agent(vm)
    if power is Power.RUNNING and view and wants_agent is not False:
        is_ready = any(same(look(each, "displayStatus"), "Ready") for each in reported or [])
        # A view that says nothing of an agent, as Resource Graph's does, says nothing against one either.
        has_agent = is_ready if reported is not None else True
    else:
        has_agent = wants_agent is not False
    is_ready = has_agent and power is Power.RUNNING
    if has_agent:
        guest = _guest(vm) | guest
    return Machine(power=power, guest=guest, has_agent=has_agent, is_ready=is_ready, since=now)


def _wants_agent(vm: Json) -> object:
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


def _guest(vm: Json) -> Json:
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
    if properties.get("diskState") in (None, "Attached", "Reserved", "Unattached"):
        properties["diskState"] = disk_state(state, disk)


def disk_state(state: State, disk: Json) -> str:
    """Return the state that follows from who uses a disk: a shared one is free when all its users are off."""
    users = state.users(disk["id"])
    if not users:
        known = disk["properties"].get("diskState") or "Reserved"
        return str(known) if disk.get("managedBy") else "Unattached"
    is_off = all(state.machine(vm).power is Power.DEALLOCATED for vm in users)
    return "Reserved" if is_off else "Attached"


def _complete_snapshot(state: State, snapshot: Json, *, seed: int) -> None:
    properties = snapshot["properties"]
    properties.setdefault("uniqueId", identifier(seed, "snapshot", snapshot["id"]))
    properties.setdefault("encryption", {"type": "EncryptionAtRestWithPlatformKey"})
    creation = section(properties, "creationData")
    source = state.find(creation.get("sourceResourceId"))
    if source is not None:
        creation.setdefault("sourceUniqueId", look(source, "properties.uniqueId"))
