"""ARM shapes of managed disks and their snapshots."""

from sample_estates.generator.catalogue import SIZES, Image, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk, Machine, Place

COMPUTE = "Microsoft.Compute"
PLATFORM_KEY = "EncryptionAtRestWithPlatformKey"


def resource(identifier: str, kind: str, place: Place, tags: dict[str, str] | None = None) -> Json:
    """Return the head of a resource; `properties` are still to come."""
    found: Json = {"id": identifier, "name": identifier.rpartition("/")[2], "type": kind}
    found["location"] = place.region
    if tags:
        found["tags"] = tags
    return found


def disk_id(vm: Machine, lun: int | None) -> str:
    """Return the id of a VM's OS disk, or of the data disk at a LUN."""
    name = "osdisk" if lun is None else f"{vm.data[lun].role}-{lun}"
    return vm.place.id(f"{COMPUTE}/disks", f"{vm.name}-{name}")


def disk(vm: Machine, lun: int | None, dice: Dice) -> Json:
    """Return the managed disk of a VM: its OS disk, or the data disk at a LUN."""
    given = DataDisk(gb=vm.os_gb, sku=vm.os_sku) if lun is None else vm.data[lun]
    found = resource(disk_id(vm, lun), f"{COMPUTE}/disks", vm.place, vm.tags)
    found["sku"] = {"name": given.sku, "tier": given.sku.partition("_")[0].removesuffix("SSD")}
    found["managedBy"] = vm.id
    if vm.zone:
        found["zones"] = [vm.zone]
    properties = _os_disk(vm, vm.source) if lun is None else {"creationData": {"createOption": "Empty"}}
    properties |= {"diskSizeGB": given.gb, "diskSizeBytes": given.gb << 30}
    if vm.ade:
        properties["encryptionSettingsCollection"] = _ade_settings(vm.ade, dice)
    properties["encryption"] = _encryption(vm, lun)
    is_closed = vm.disks_closed or vm.key_set is not None
    properties |= {
        "networkAccessPolicy": "DenyAll" if is_closed else "AllowAll",
        "publicNetworkAccess": "Disabled" if is_closed else "Enabled",
        "timeCreated": dice.moment(vm.created),
        "provisioningState": "Succeeded",
        "diskState": "Reserved" if vm.off else "Attached",
        "uniqueId": dice.guid(),
    }
    found["properties"] = properties
    return found


def _os_disk(vm: Machine, image: Image | None) -> Json:
    found: Json = {"osType": "Windows" if vm.windows else "Linux", "hyperVGeneration": vm.generation}
    if image and image.security:
        arm = SIZES[vm.size].extra.get("CpuArchitectureType")
        found["supportedCapabilities"] = {
            "acceleratedNetwork": True,
            "architecture": arm or "x64",
            "supportedSecurityOption": image.security,
        }
    if vm.security == "TrustedLaunch":
        found["securityProfile"] = {"securityType": "TrustedLaunch"}
    elif vm.security:
        kind = "DiskEncryptedWithCustomerKey" if vm.key_set else "VMGuestStateEncryptedOnlyWithPlatformKey"
        found["securityProfile"] = {"securityType": f"{vm.security}_{kind}"}
        if vm.key_set:
            found["securityProfile"]["secureVMDiskEncryptionSetId"] = vm.key_set
    found["creationData"] = {"createOption": "FromImage" if image and not vm.specialised else "Upload"}
    if vm.gallery:
        found["creationData"]["galleryImageReference"] = {"id": vm.gallery}
    elif image and not vm.specialised:
        tail = f"Publishers/{image.publisher}/ArtifactTypes/VMImage/Offers/{image.offer}/Skus/{image.sku}"
        head = f"/Subscriptions/{vm.place.subscription}/Providers/{COMPUTE}/Locations/{vm.place.region}"
        found["creationData"]["imageReference"] = {"id": f"{head}/{tail}/Versions/{image.version}"}
    return found


def _encryption(vm: Machine, lun: int | None) -> Json:
    if vm.key_set is None or (lun is None and vm.security == "ConfidentialVM"):
        return {"type": PLATFORM_KEY}
    return {"type": vm.encryption, "diskEncryptionSetId": vm.key_set}


def _ade_settings(vault: str, dice: Dice) -> Json:
    name = vault.rpartition("/")[2]
    secret = f"https://{name}.vault.azure.net/secrets/{dice.guid().upper()}/{dice.hex(32)}"
    key = {"sourceVault": {"id": vault}, "secretUrl": secret}
    return {
        "enabled": True,
        "encryptionSettings": [{"diskEncryptionKey": key}],
        "encryptionSettingsVersion": "1.1",
    }


def snapshot(vm: Machine, source: Json, name: str, *, incremental: bool, dice: Dice) -> Json:
    """Return a snapshot of one of the VM's disks."""
    found = resource(vm.place.id(f"{COMPUTE}/snapshots", name), f"{COMPUTE}/snapshots", vm.place, vm.tags)
    found["sku"] = {"name": "Standard_ZRS" if incremental else "Standard_LRS", "tier": "Standard"}
    origin = {"sourceResourceId": source["id"], "sourceUniqueId": source["properties"]["uniqueId"]}
    found["properties"] = {
        "creationData": {"createOption": "Copy", **origin},
        "diskSizeGB": source["properties"]["diskSizeGB"],
        "encryption": source["properties"]["encryption"],
        "incremental": incremental,
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
        "timeCreated": dice.moment("2026-10-30"),
        "provisioningState": "Succeeded",
        "diskState": "Unattached",
        "uniqueId": dice.guid(),
        "completionPercent": 100.0,
    }
    return found
