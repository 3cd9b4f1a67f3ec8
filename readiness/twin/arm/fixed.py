"""What is fixed when a virtual machine is made, and what only its disks can change.

Sources: the refusals recorded in Azure/bicep#15273 (Linux configuration), Azure/azure-powershell#1820
(availability set), hashicorp/terraform-provider-azurerm#3277 (zones) and #921 (type of a disk), and
MicrosoftDocs/azure-docs#20344 (type of operating system).
"""

from typing import Any

from readiness.twin import paths
from readiness.twin.arm.immediate import check_location
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import Machine, Power, model_disks
from readiness.twin.messages import ArmError, not_allowed, property_change_not_allowed
from readiness.twin.state import State

_OF_PROFILE = (
    *("linuxConfiguration.disablePasswordAuthentication", "linuxConfiguration.ssh.publicKeys"),
    *("linuxConfiguration.provisionVMAgent", "windowsConfiguration.provisionVMAgent"),
    *("adminUsername", "computerName"),
)
_DEFAULTS: Json = {
    "linuxConfiguration.disablePasswordAuthentication": False,
    "linuxConfiguration.provisionVMAgent": True,
    "windowsConfiguration.provisionVMAgent": True,
}


def check(state: State, before: Json, after: Json, body: Json, machine: Machine) -> None:
    """Refuse a change to what is fixed, in the words recorded for each property."""
    check_location(paths.parse(before["id"]), before, body.get("location"))
    _check_profile(before, after, body)
    _check_place(before, after)
    _check_os_disk(before, after)
    for entry in model_disks(after):
        _check_disk(state, before, after, entry, machine)
    _check_hibernated(before, after, machine)


def _check_profile(before: Json, after: Json, body: Json) -> None:
    was, wanted = (look(vm, "properties.osProfile") for vm in (before, after))
    if was is None and wanted is not None:
        raise property_change_not_allowed("osProfile")
    for name in _OF_PROFILE:
        usual = _DEFAULTS.get(name)
        old, new = (usual if (value := look(each, name)) is None else value for each in (was, wanted))
        if old != new:
            raise property_change_not_allowed(name if "." in name else f"osProfile.{name}")
    if look(body, "properties.osProfile.adminPassword") is not None:
        raise property_change_not_allowed("osProfile.adminPassword")


def _check_place(before: Json, after: Json) -> None:
    group = "properties.availabilitySet.id"
    if not same(look(before, group), look(after, group)):
        raise property_change_not_allowed("availabilitySet.id")
    if list(before.get("zones") or []) != list(after.get("zones") or []):
        raise property_change_not_allowed("zones")


def _check_os_disk(before: Json, after: Json) -> None:
    old, new = (look(vm, "properties.storageProfile.osDisk") or {} for vm in (before, after))
    for name in ("createOption", "osType"):
        if not same(old.get(name), new.get(name)):
            raise property_change_not_allowed(f"osDisk.{name}")
    is_same_disk = same(look(old, "managedDisk.id"), look(new, "managedDisk.id"))
    if is_same_disk and not same(old.get("name"), new.get("name")):
        raise property_change_not_allowed("osDisk.name")
    images: Any = [look(vm, "properties.storageProfile.imageReference") or {} for vm in (before, after)]
    if any(
        not same(images[0].get(word), images[1].get(word)) for word in ("id", "publisher", "offer", "sku")
    ):
        raise property_change_not_allowed("imageReference")


def _check_disk(state: State, before: Json, after: Json, entry: Json, machine: Machine) -> None:
    """Refuse to change a disk through its machine: what the machine last told of it may be sent again."""
    disk = state.find(look(entry, "managedDisk.id"))
    was = next(
        (each for each in model_disks(before) if same(look(each, "managedDisk.id"), (disk or {}).get("id"))),
        None,
    )
    if disk is None or was is None:
        return
    kind = look(entry, "managedDisk.storageAccountType")
    if kind is not None and kind not in (look(was, "managedDisk.storageAccountType"), look(disk, "sku.name")):
        raise not_allowed(
            f"Managed disk storage account type change through Virtual Machine '{after['name']}' is not "
            f"allowed. Please update disk resource at {disk['id']}."
        )
    path = "managedDisk.diskEncryptionSet.id"
    own = look(disk, "properties.encryption.diskEncryptionSetId")
    wanted = look(entry, path)
    if not same(wanted, look(was, path)) and not same(wanted, own):
        place = "osDisk" if entry is look(after, "properties.storageProfile.osDisk") else "dataDisk"
        raise property_change_not_allowed(f"{place}.{path}", unverified=True)
    size, known = entry.get("diskSizeGB"), look(disk, "properties.diskSizeGB")
    if size not in (None, was.get("diskSizeGB"), known) and machine.power is not Power.DEALLOCATED:
        raise ArmError(
            409, "Conflict", "Disk resizing is allowed only when creating a VM or when the VM is deallocated."
        )


def _check_hibernated(before: Json, after: Json, machine: Machine) -> None:
    """Learn, "Hibernate virtual machines": no new size, disks or network interfaces while hibernated."""
    if not machine.is_hibernated:
        return
    for name in ("hardwareProfile", "storageProfile", "networkProfile", "securityProfile"):
        if look(before, f"properties.{name}") != look(after, f"properties.{name}"):
            raise not_allowed(
                f"Operation 'update {name}' is not allowed on VM '{before['name']}' since the VM is "
                "hibernated.",
                unverified=True,
            )
