"""What a virtual machine holds on to: its disks and its network interfaces.

Guarantees: a disk that is not shared belongs to one machine at a time, and a network interface always does;
what a machine lets go of is free, and says so. Sources of the wordings: Learn, "Understand common error
messages when you manage virtual machines in Azure"; recorded refusals of interfaces in use and of disks in
another zone; Azure/azure-powershell#24253 (security types).
"""

from typing import Any

from readiness.twin.arm import data_access, etag, security
from readiness.twin.arm.encryption import same_key
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import Machine, Power, disk_ids, model_disks, os_disk_id
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed
from readiness.twin.operations import identifier
from readiness.twin.plausible import disk_state
from readiness.twin.state import VM, State, missing, place

NIC = "microsoft.network/networkinterfaces"


def check(state: State, before: Json | None, after: Json, machine: Machine | None = None) -> None:
    """Refuse disks and interfaces a machine cannot have; before its creation there is no machine."""
    _check_numbers(after)
    held = {disk_id.lower() for disk_id in disk_ids(before or {})}
    for entry in model_disks(after):
        disk_id = look(entry, "managedDisk.id")
        if isinstance(disk_id, str) and disk_id.lower() not in held:
            _check_disk(state, after, disk_id)
    if before is not None and not same(os_disk_id(before), os_disk_id(after)):
        _check_swap(state, before, after)
    _check_nics(state, before, after, machine)


def _check_numbers(vm: Json) -> None:
    seen: set[Any] = set()
    for entry in look(vm, "properties.storageProfile.dataDisks") or []:
        lun = entry.get("lun")
        if lun is None:
            raise invalid_parameter("Required parameter 'dataDisk.lun' is missing (null).", "dataDisk.lun")
        if lun in seen:
            raise invalid_parameter(f"A disk at LUN {lun} already exists.", "dataDisk.lun")
        seen.add(lun)


def _check_disk(state: State, vm: Json, disk_id: str) -> None:
    disk = state.find(disk_id)
    if disk is None:
        raise missing(disk_id)
    data_access.check_free(disk)
    owners = [other for other in state.users(disk_id) if not same(other["id"], vm["id"])]
    shares = look(disk, "properties.maxShares")
    if len(owners) >= (shares if isinstance(shares, int) else 1):
        raise ArmError(
            409,
            "ConflictingUserInput",
            f"Disk '{disk['id']}' cannot be attached as the disk is already owned by VM '{owners[0]['id']}'.",
        )
    zones, own = vm.get("zones") or [], disk.get("zones") or []
    is_local = not str(look(disk, "sku.name") or "").lower().endswith("_zrs")
    if zones and is_local and [str(zone) for zone in own] != [str(zone) for zone in zones]:
        raise ArmError(
            400,
            "BadRequest",
            f"Disk {disk['id']} cannot be attached to the VM because it is not in zone '{zones[0]}'.",
        )
    if place(disk.get("location")) != place(vm.get("location")):
        raise ArmError(
            400,
            "BadRequest",
            f"Disk {disk['id']} cannot be attached to the VM because it is in another region.",
            unverified=True,
        )


def check_security(state: State, vm: Json) -> None:
    """Refuse an operating system disk whose security type is not its machine's."""
    own = str(look(state.os_disk(vm), "properties.securityProfile.securityType") or "Standard").lower()
    wanted = security.security_type(vm).lower()
    if state.os_disk(vm) is not None and not own.startswith(wanted):
        raise ArmError(
            400,
            "BadRequest",
            "Security type of VM is not compatible with the security type of attached OS Disk.",
        )


def _check_swap(state: State, before: Json, after: Json) -> None:
    """Learn, "Swap the OS disk": the same size, generation and security type, and a compatible encryption."""
    check_security(state, after)
    old, new = state.os_disk(before), state.os_disk(after)
    if old is None or new is None:
        return
    for name, shown in (("diskSizeGB", "sizes"), ("hyperVGeneration", "hypervisor generations")):
        was, wanted = (look(disk, f"properties.{name}") for disk in (old, new))
        if None not in (was, wanted) and was != wanted:
            raise not_allowed(
                f"OS disk '{old['name']}' cannot be swapped with disk '{new['name']}' since their {shown} "
                "differ.",
                unverified=True,
            )
    if not same_key(*(look(disk, "properties.encryption") or {} for disk in (old, new))):
        raise not_allowed(
            f"OS disk '{old['name']}' cannot be swapped with disk '{new['name']}' since their encryption "
            "settings differ.",
            unverified=True,
        )


def nic_ids(vm: Json) -> list[str]:
    """Return the ids of a machine's network interfaces."""
    found = (each.get("id") for each in look(vm, "properties.networkProfile.networkInterfaces") or [])
    return [nic_id for nic_id in found if isinstance(nic_id, str)]


def _check_nics(state: State, before: Json | None, after: Json, machine: Machine | None) -> None:
    held = {nic_id.lower() for nic_id in nic_ids(before or {})}
    wanted = nic_ids(after)
    if machine is not None and {nic.lower() for nic in wanted} != held:
        if not wanted:
            raise not_allowed(
                f"Virtual machine '{after['name']}' must have at least one network interface.",
                unverified=True,
            )
        if machine.power is not Power.DEALLOCATED:
            raise not_allowed(
                f"Operation 'update networkProfile.networkInterfaces' is not allowed on VM "
                f"'{after['name']}' since the VM is not deallocated.",
                unverified=True,
            )
    for nic_id in wanted:
        if nic_id.lower() not in held:
            _check_nic(state, after, nic_id)


def _check_nic(state: State, vm: Json, nic_id: str) -> None:
    nic = state.find(nic_id)
    if nic is None or place(nic.get("location")) != place(vm.get("location")):
        raise ArmError(
            400,
            "InvalidResourceReference",
            f"Resource {nic_id} referenced by resource {vm['id']} was not found. Please make sure that the "
            "referenced resource exists, and that both resources are in the same region.",
        )
    # A seed may tell of it on the machine's side alone.
    named = [other["id"] for other in state.of_kind(VM) if nic_id.lower() in map(str.lower, nic_ids(other))]
    owner = look(nic, "properties.virtualMachine.id") or next(iter(named), None)
    if owner is not None and not same(owner, vm["id"]):
        raise ArmError(400, "NicInUse", f"Network Interface {nic['id']} is used by existing VM {owner}.")


def change(state: State, before: Json, after: Json) -> None:
    """Let disks and interfaces know who holds them now; `before` and `after` are the models."""
    held = {disk_id.lower() for disk_id in disk_ids(before)}
    for entry in look(after, "properties.storageProfile.dataDisks") or []:
        if str(look(entry, "managedDisk.id")).lower() not in held:
            entry.setdefault("toBeDetached", False)
    if disk_ids(before) != disk_ids(after):
        state.link({**after, "id": after.get("id") or before["id"]}, before)
        for disk in [*state.disks(before), *state.disks(after)]:
            set_owner(state, disk)
    gone = {nic_id.lower() for nic_id in nic_ids(before)} - {nic_id.lower() for nic_id in nic_ids(after)}
    for nic_id in gone:
        _hold(state.find(nic_id), None)
    for nic_id in nic_ids(after):
        _hold(state.find(nic_id), after["id"])


def set_owner(state: State, disk: Json) -> None:
    """Let a disk name the machine that uses it, or none, and follow that machine's power."""
    users = state.users(disk["id"])
    disk.pop("managedBy", None)
    if users:
        disk["managedBy"] = users[0]["id"]
    disk["properties"]["diskState"] = disk_state(state, disk)


def _hardware_address(nic_id: str) -> str:
    octets = identifier("mac", nic_id).replace("-", "")[:6].upper()
    return "-".join(("00", "0D", "3A", octets[:2], octets[2:4], octets[4:6]))


def _hold(nic: Json | None, owner: str | None) -> None:
    if nic is None or same(look(nic, "properties.virtualMachine.id"), owner):
        return
    properties = nic.setdefault("properties", {})
    properties.pop("virtualMachine", None)
    if owner is not None:
        properties["virtualMachine"] = {"id": owner}
        properties.setdefault("primary", True)
        # As recorded in Azure/azure-cli, network/tests/latest/recordings/: none before the first machine.
        properties.setdefault("macAddress", _hardware_address(nic["id"]))
    if "etag" in nic:
        etag.bump(nic)
