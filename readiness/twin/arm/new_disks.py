"""Disks that come into being with a virtual machine, or with a change of one: FromImage, and Empty.

As recorded from the compute provider: a disk without a name is called after its machine, as in
`vm_disk1_cb9f699a7f544e5e9fe6b234ae3637e3`, and lies in the machine's resource group.
"""

import re
from datetime import datetime

from readiness.twin import paths
from readiness.twin.arm import disk_performance, encryption, security, sizes
from readiness.twin.arm.encryption import PLATFORM_KEY, with_upper_group
from readiness.twin.arm.image_facts import ImageFacts
from readiness.twin.documents import Json, look, same, section
from readiness.twin.messages import ArmError, invalid_parameter
from readiness.twin.operations import identifier
from readiness.twin.state import State, capability
from readiness.twin.world import World

_PREMIUM_NAME = re.compile(r"_(DS|GS)\d|_[A-Z]+\d+(-\d+)?[a-rt-z]*s", re.IGNORECASE)


def make(world: World, vm: Json, image: ImageFacts | None, now: datetime) -> list[Json]:
    """Return the new disks a model asks for, and let the model name them; nothing is kept yet."""
    made = []
    profile = section(vm["properties"], "storageProfile")
    entries = [profile.get("osDisk"), *(profile.get("dataDisks") or [])]
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or look(entry, "managedDisk.id") is not None or "vhd" in entry:
            continue
        if same(entry.get("createOption"), "Attach"):
            raise invalid_parameter(
                "Required parameter 'managedDisk.id' is missing (null).", "managedDisk.id"
            )
        is_os = number == 1
        if not is_os and not isinstance(entry.get("diskSizeGB"), int):
            raise invalid_parameter(
                "Required parameter 'dataDisk.diskSizeGB' is missing (null).", "dataDisk.diskSizeGB"
            )
        disk = _disk(world, vm, entry, number, now)
        if is_os and image is not None:
            _from_image(vm, entry, disk, image)
        properties = disk["properties"]
        properties["diskSizeBytes"] = properties["diskSizeGB"] * 1024**3
        encryption.check(world.state, None, disk, now)
        made.append(disk)
    return made


def _disk(world: World, vm: Json, entry: Json, number: int, now: datetime) -> Json:
    own = paths.parse(vm["id"])
    marks = (world.seed, "new disk", vm["id"], number, now.isoformat())
    name = str(entry.setdefault("name", f"{own.name}_disk{number}_{identifier(*marks).replace('-', '')}"))
    disk_id = f"{own.scope}/providers/Microsoft.Compute/disks/{name}"
    if world.state.find(disk_id) is not None:
        raise invalid_parameter(f"A disk named '{name}' already exists.", "disk.name")
    managed = section(entry, "managedDisk")
    kind = str(managed.setdefault("storageAccountType", _usual_type(world.state, vm)))
    managed["id"] = disk_id
    entry.setdefault("caching", "ReadWrite" if number == 1 else "None")
    entry.setdefault("deleteOption", "Detach")
    disk: Json = {
        "id": disk_id,
        "name": name,
        "type": "Microsoft.Compute/disks",
        "location": vm["location"],
        "sku": disk_performance.sku(kind),
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": entry.get("diskSizeGB"),
            "diskState": "Unattached",
            "encryption": _encryption(world.state, managed),
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "provisioningState": "Succeeded",
            "timeCreated": now.isoformat(),
            "uniqueId": identifier("unique", *marks),
        },
    }
    return disk | ({"zones": list(vm["zones"])} if vm.get("zones") else {})


def _usual_type(state: State, vm: Json) -> str:
    """Return the type a disk gets where none is asked for: Premium, where the size carries it.

    As recorded in Azure/azure-cli, vm/tests/latest/recordings/test_vm_create_ubuntu.yaml. Of a size the seed
    says nothing of, the name tells: an s is capable of it (Learn, "Azure VM sizes naming conventions").
    """
    name = sizes.name_of(vm)
    size = state.size(name, vm.get("location"))
    if size is not None:
        has_premium = same(capability(size, "PremiumIO"), "True")
    else:
        has_premium = _PREMIUM_NAME.search(name) is not None
    return "Premium_LRS" if has_premium else "Standard_LRS"


def _encryption(state: State, managed: Json) -> Json:
    set_id = look(managed, "diskEncryptionSet.id")
    if not isinstance(set_id, str):
        return {"type": PLATFORM_KEY}
    kind = look(state.find(set_id), "properties.encryptionType") or "EncryptionAtRestWithCustomerKey"
    return {"type": kind, "diskEncryptionSetId": with_upper_group(set_id)}


def _from_image(vm: Json, entry: Json, disk: Json, image: ImageFacts) -> None:
    wanted = entry.get("diskSizeGB")
    if isinstance(wanted, int) and wanted < image.size_gb:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Disk with size {wanted}GB, which is smaller than the size {image.size_gb}GB of corresponding "
            "disk in Image, is not allowed.",
        )
    size = wanted if isinstance(wanted, int) else image.size_gb
    entry["diskSizeGB"] = size
    entry.setdefault("osType", image.os_type)
    disk["properties"] |= {
        "osType": entry["osType"],
        "hyperVGeneration": image.generation,
        "diskSizeGB": size,
        "creationData": {"createOption": "FromImage", "imageReference": {"id": _id_of(vm, image.reference)}},
    }
    kind = security.security_type(vm)
    if kind == "TrustedLaunch":
        disk["properties"]["securityProfile"] = {"securityType": kind}
    elif kind == "ConfidentialVM":
        how = str(look(entry, "managedDisk.securityProfile.securityEncryptionType") or "VMGuestStateOnly")
        type_of = {
            "DiskWithVMGuestState": "ConfidentialVM_DiskEncryptedWithPlatformKey",
            "VMGuestStateOnly": "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey",
        }
        disk["properties"]["securityProfile"] = {
            "securityType": type_of.get(how, "ConfidentialVM_NonPersistedTPM")
        }


def _id_of(vm: Json, reference: Json) -> str:
    if isinstance(reference.get("id"), str):
        return str(reference["id"])
    return (
        f"/Subscriptions/{paths.parse(vm['id']).subscription}/Providers/Microsoft.Compute/Locations"
        f"/{vm['location']}/Publishers/{reference.get('publisher')}/ArtifactTypes/VMImage"
        f"/Offers/{reference.get('offer')}/Skus/{reference.get('sku')}"
        f"/Versions/{reference.get('exactVersion') or reference.get('version')}"
    )
