"""Where in Azure's JSON the facts stand that several rules show, as evidence: id, path and value there.

The value is what Azure wrote, or None where nothing is written; what that means the rule's sentence says.
"""

from collections.abc import Iterable

from readiness.model.disk import Disk, Snapshot
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.verdict import Evidence
from readiness.model.virtual_machine import DiskAttachment, Extension, VirtualMachine
from readiness.rules.systems import System


def security_type_of(vm: VirtualMachine) -> Evidence:
    """Return the VM's security type."""
    return Evidence(vm.id, "properties.securityProfile.securityType", vm.boot.written_type)


def size_of(vm: VirtualMachine) -> Evidence:
    """Return the VM's size."""
    return Evidence(vm.id, "properties.hardwareProfile.vmSize", vm.size)


def identity_of(vm: VirtualMachine) -> Evidence:
    """Return which kinds of managed identity the VM has."""
    return Evidence(vm.id, "identity.type", vm.identity_type)


def agent_of(vm: VirtualMachine) -> Evidence:
    """Return the last status of the VM's agent."""
    return Evidence(vm.id, "properties.instanceView.vmAgent.statuses[-1].displayStatus", vm.agent_status)


def extension_of(vm: VirtualMachine, extension: Extension) -> Evidence:
    """Return an extension's type; an extension is a resource of its own, below its VM."""
    return Evidence(_extension_id(vm, extension), "properties.type", extension.type or None)


def extension_state_of(vm: VirtualMachine, extension: Extension) -> Evidence:
    """Return whether Azure installed an extension."""
    return Evidence(
        _extension_id(vm, extension), "properties.provisioningState", extension.provisioning_state
    )


def extension_publisher_of(vm: VirtualMachine, extension: Extension) -> Evidence:
    """Return who made an extension."""
    return Evidence(_extension_id(vm, extension), "properties.publisher", extension.publisher or None)


def download_hosts_of(vm: VirtualMachine, extension: Extension) -> Evidence:
    """Return the hosts an extension downloads from: whole addresses may carry a signature, a secret."""
    hosts = ", ".join(extension.downloads_from)
    return Evidence(_extension_id(vm, extension), "properties.settings.fileUris", hosts)


def image_of(vm: VirtualMachine) -> tuple[Evidence, ...]:
    """Return the image a VM was made from, part by part."""
    image = vm.image
    named = {"publisher": image.publisher, "offer": image.offer, "sku": image.sku} if image else {}
    found = tuple(
        Evidence(vm.id, f"{_IMAGE}.{part}", value) for part, value in named.items() if value is not None
    )
    return found or (Evidence(vm.id, f"{_IMAGE}.publisher", None),)


def system_of(vm: VirtualMachine, system: System) -> tuple[Evidence, ...]:
    """Return what an operating system was recognised by: the instance view, or the image."""
    if not system.is_running:
        return image_of(vm)
    seen = {"osName": vm.os_name, "osVersion": vm.os_version}
    found = tuple(
        Evidence(vm.id, f"properties.instanceView.{name}", value)
        for name, value in seen.items()
        if value is not None
    )
    return found or (Evidence(vm.id, "properties.instanceView.osName", None),)


def os_disk_missing(vm: VirtualMachine) -> Evidence:
    """Return that Azure reported no OS disk."""
    return Evidence(vm.id, "properties.storageProfile.osDisk", None)


def os_family_missing(vm: VirtualMachine) -> Evidence:
    """Return that Azure did not report the kind of operating system."""
    return Evidence(vm.id, "properties.storageProfile.osDisk.osType", None)


def attachment_path(entry: DiskAttachment) -> str:
    """Return where a VM's JSON speaks of one of its disks."""
    place = "osDisk" if entry.lun is None else f"dataDisks[lun={entry.lun}]"
    return f"properties.storageProfile.{place}"


def unmanaged_disks_of(vm: VirtualMachine) -> list[Evidence]:
    """Return the disks of a VM that are VHDs: each is attached, and names no managed disk."""
    return [
        Evidence(vm.id, f"{attachment_path(entry)}.managedDisk.id", None)
        for entry in vm.disks
        if entry.disk is None
    ]


def unread_of(resources: Iterable[ResourceId], estate: Estate) -> list[Evidence]:
    """Return resources that are named somewhere, and were seen nowhere or could not be understood."""
    seen = estate.remembered(
        ("seen but not understood",), lambda: frozenset(ResourceId(gap.resource) for gap in estate.gaps)
    )
    return [Evidence(entry, "id", entry.text if entry in seen else None) for entry in resources]


def list_missing(gap: Gap) -> Evidence:
    """Return that a list of resources has no answer; its address is the collection's."""
    return Evidence(ResourceId(gap.resource), "value", None)


def ade_mark_of(marked: Disk | Snapshot) -> Evidence:
    """Return the mark of Azure Disk Encryption on a disk or snapshot, whose settings may be switched off."""
    return Evidence(marked.id, "properties.encryptionSettingsCollection.enabled", marked.ade_enabled)


def _extension_id(vm: VirtualMachine, extension: Extension) -> ResourceId:
    return ResourceId(f"{vm.id}/extensions/{extension.name}")


_IMAGE = "properties.storageProfile.imageReference"
