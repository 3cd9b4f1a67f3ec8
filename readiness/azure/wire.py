"""ARM JSON to the model: compute, disks and backup. Imports no SDK, and never looks at the network.

Takes a resource as ARM's GET answers it (with or without its instance view) or as a row of Azure Resource
Graph, which keeps the instance view under `properties.extended`. Whatever is missing or null reads as not
reported. A resource that cannot be understood raises `MalformedError`; `collection` turns that into a gap.

This module and its siblings `wire_network` and `wire_values` are the only parsers of ARM JSON.
"""

from msgspec.structs import replace

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    flag,
    generation_of,
    location_of,
    number,
    obj,
    objects,
    own_id,
    reference,
    references,
    resource_id,
    tags_of,
    text,
    texts,
)
from readiness.model.backup import BackupItem
from readiness.model.disk import Disk, DiskEncryptionSet, Encryption, EncryptionType, Snapshot
from readiness.model.ids import ResourceId
from readiness.model.sku import Sku
from readiness.model.virtual_machine import (
    BootProfile,
    DiskAttachment,
    Extension,
    Identity,
    Image,
    OsFamily,
    OsProfile,
    Power,
    SecurityType,
    VirtualMachine,
)


def virtual_machine(resource: Json) -> VirtualMachine:
    """Read a VM. Its generation is the instance view's until `complete` knows the OS disk."""
    vm_id = own_id(resource)
    properties = obj(resource, "properties")
    view = obj(properties, "instanceView") or obj(obj(properties, "extended"), "instanceView")
    storage = obj(properties, "storageProfile")
    os_disk = obj(storage, "osDisk")
    return VirtualMachine(
        id=vm_id,
        name=text(resource, "name") or vm_id.name,
        location=location_of(resource),
        size=text(obj(properties, "hardwareProfile"), "vmSize"),
        boot=_boot(obj(properties, "securityProfile"), generation_of(view)),
        os_family=_OS_FAMILIES.get((text(os_disk, "osType") or "").lower()),
        os_profile=_os_profile(properties),
        image=_image(obj(storage, "imageReference")),
        os_disk=_attachment(os_disk, vm_id) if os_disk else None,
        data_disks=_data_disks(storage, vm_id),
        nics=references(obj(properties, "networkProfile"), "networkInterfaces"),
        identity=_identity(obj(resource, "identity")),
        extensions=tuple(_inline_extensions(resource)),
        power=_power(view),
        agent_ready=_agent_ready(obj(view, "vmAgent")),
        hibernation_enabled=flag(obj(properties, "additionalCapabilities"), "hibernationEnabled") or False,
        availability_set=reference(properties, "availabilitySet"),
        scale_set=reference(properties, "virtualMachineScaleSet"),
        managed_by=text(resource, "managedBy"),
        zones=texts(resource, "zones"),
        tags=tags_of(resource),
        os_name=text(view, "osName"),
        etag=text(resource, "etag"),
        provisioning_state=text(properties, "provisioningState"),
    )


def complete(
    vm: VirtualMachine, *, os_disk: Disk | None, extensions: tuple[Extension, ...] = ()
) -> VirtualMachine:
    """Add what other resources know of a VM: the OS disk its generation, child resources its extensions.

    A child resource replaces the inline extension of the same name.
    """
    generation = os_disk.generation if os_disk and os_disk.generation else vm.boot.generation
    if generation == vm.boot.generation and not extensions:
        return vm
    by_name = {entry.name.lower(): entry for entry in (*vm.extensions, *extensions)}
    return replace(
        vm,
        boot=replace(vm.boot, generation=generation),
        extensions=tuple(by_name[name] for name in sorted(by_name)),
    )


def extension(resource: Json) -> Extension:
    """Read a VM extension; one without publisher and type was not read well enough to say what it is."""
    properties = obj(resource, "properties")
    name = text(resource, "name") or (own_id(resource).name)
    return Extension(
        name=name.rpartition("/")[2],
        publisher=text(properties, "publisher") or "",
        type=text(properties, "type") or "",
        provisioning_state=text(properties, "provisioningState"),
    )


def disk(resource: Json) -> Disk:
    """Read a managed disk."""
    properties = obj(resource, "properties")
    return Disk(
        id=own_id(resource),
        location=location_of(resource),
        sku=text(obj(resource, "sku"), "name"),
        size_gb=number(properties, "diskSizeGB"),
        encryption=_encryption(obj(properties, "encryption")),
        generation=generation_of(properties),
        state=text(properties, "diskState"),
        unique_id=text(properties, "uniqueId"),
        has_ade_settings=properties.get("encryptionSettingsCollection") is not None,
        max_shares=number(properties, "maxShares") or 1,
        security_type=text(obj(properties, "securityProfile"), "securityType"),
        supported_security=text(obj(properties, "supportedCapabilities"), "supportedSecurityOption"),
    )


def snapshot(resource: Json) -> Snapshot:
    """Read a snapshot of a managed disk."""
    properties = obj(resource, "properties")
    creation = obj(properties, "creationData")
    return Snapshot(
        id=own_id(resource),
        incremental=flag(properties, "incremental") or False,
        source=resource_id(creation, "sourceResourceId"),
        source_unique_id=text(creation, "sourceUniqueId"),
        tags=tags_of(resource),
    )


def disk_encryption_set(resource: Json) -> DiskEncryptionSet:
    """Read a disk encryption set."""
    properties = obj(resource, "properties")
    error = obj(properties, "autoKeyRotationError")
    return DiskEncryptionSet(
        id=own_id(resource),
        location=location_of(resource),
        encryption_type=text(properties, "encryptionType"),
        provisioning_state=text(properties, "provisioningState"),
        rotation_error=text(error, "code") or text(error, "message"),
    )


def backup_item(resource: Json) -> BackupItem | None:
    """Read a protected item of a vault; None where it protects something else than a VM."""
    item = own_id(resource)
    properties = obj(resource, "properties")
    kind = (text(properties, "backupManagementType") or text(properties, "protectedItemType") or "").lower()
    if kind and kind not in _VM_BACKUPS:
        return None
    vm = (
        resource_id(properties, "sourceResourceId")
        or resource_id(properties, "virtualMachineId")
        or _protected_vm(item)
    )
    if vm is None:
        raise MalformedError("it names no VM that it protects")
    return BackupItem(
        id=item,
        vm=vm,
        policy_type=text(properties, "policyType"),
        protection_state=text(properties, "protectionState"),
        last_backup_status=text(properties, "lastBackupStatus"),
        last_backup_time=text(properties, "lastBackupTime"),
    )


def policy_of(resource: Json) -> ResourceId | None:
    """Return the backup policy that a protected item is under."""
    return resource_id(obj(resource, "properties"), "policyId")


def backup_policy_type(resource: Json) -> str | None:
    """Return a backup policy's type: `V1` is the Standard policy, `V2` the Enhanced one."""
    return text(obj(resource, "properties"), "policyType")


def skus(resource: Json) -> tuple[tuple[tuple[str, str], Sku], ...]:
    """Read one entry of the Resource SKUs list: its capabilities by (size, location), in lower case."""
    name = text(resource, "name")
    if name is None:
        raise MalformedError("it has no 'name'")
    listed = {text(entry, "name"): text(entry, "value") for entry in objects(resource, "capabilities")}
    generations = (listed.get("HyperVGenerations") or "").split(",")
    vcpus = listed.get("vCPUs") or ""
    sku = Sku(
        name=name,
        hyper_v_generations=tuple(entry.strip() for entry in generations if entry.strip()),
        trusted_launch_disabled=(listed.get("TrustedLaunchDisabled") or "").lower() == "true",
        encryption_at_host_supported=_listed_flag(listed.get("EncryptionAtHostSupported")),
        vcpus=int(vcpus) if vcpus.isascii() and vcpus.isdigit() else None,
    )
    return tuple(
        ((name.lower(), place.replace(" ", "").lower()), sku) for place in texts(resource, "locations")
    )


def _boot(profile: Json, generation: int | None) -> BootProfile:
    firmware = obj(profile, "uefiSettings")
    security_type = (text(profile, "securityType") or "Standard").lower()
    return BootProfile(
        generation=generation,
        security_type=_SECURITY_TYPES.get(security_type, SecurityType.OTHER),
        secure_boot=flag(firmware, "secureBootEnabled"),
        vtpm=flag(firmware, "vTpmEnabled"),
        encryption_at_host=flag(profile, "encryptionAtHost") or False,
    )


def _os_profile(properties: Json) -> OsProfile | None:
    profile = obj(properties, "osProfile")
    if not profile:
        return None
    linux = obj(profile, "linuxConfiguration")
    windows = obj(profile, "windowsConfiguration")
    return OsProfile(
        computer_name=text(profile, "computerName"),
        password_disabled=flag(linux, "disablePasswordAuthentication"),
        extension_operations_allowed=flag(profile, "allowExtensionOperations") is not False,
        agent_provisioned=flag(linux or windows, "provisionVMAgent"),
    )


def _image(image: Json) -> Image | None:
    if not image:
        return None
    gallery = text(image, "sharedGalleryImageId") or text(image, "communityGalleryImageId")
    return Image(
        publisher=text(image, "publisher"),
        offer=text(image, "offer"),
        sku=text(image, "sku"),
        id=text(image, "id") or gallery,
    )


def _data_disks(storage: Json, vm: ResourceId) -> tuple[DiskAttachment, ...]:
    found = [_attachment(entry, vm) for entry in objects(storage, "dataDisks")]
    return tuple(sorted(found, key=lambda entry: -1 if entry.lun is None else entry.lun))


def _attachment(entry: Json, vm: ResourceId) -> DiskAttachment:
    lun = number(entry, "lun")
    managed = reference(entry, "managedDisk")
    if managed is None and not obj(entry, "vhd"):
        # Neither a managed disk nor a VHD was reported: an id that no disk has keeps the attachment unread.
        managed = ResourceId(f"{vm}/{'osDisk' if lun is None else f'dataDisks/{lun}'}")
    return DiskAttachment(
        disk=managed,
        lun=lun,
        is_ephemeral=(text(obj(entry, "diffDiskSettings"), "option") or "").lower() == "local",
        has_dual_pass_ade=entry.get("encryptionSettings") is not None,
    )


def _identity(identity: Json) -> Identity:
    kinds = {kind.strip().lower() for kind in (text(identity, "type") or "").split(",")}
    assigned = obj(identity, "userAssignedIdentities") if "userassigned" in kinds else {}
    return Identity(
        system_assigned="systemassigned" in kinds,
        user_assigned=tuple(sorted(ResourceId(entry) for entry in assigned)),
        principal_id=text(identity, "principalId"),
    )


def _inline_extensions(resource: Json) -> list[Extension]:
    children = objects(resource, "resources")
    kind = "extensions"
    return [extension(child) for child in children if (text(child, "type") or "").lower().endswith(kind)]


def _power(view: Json) -> Power:
    codes = [text(entry, "code") for entry in objects(view, "statuses")]
    codes.append(text(obj(view, "powerState"), "code"))
    for code in codes:
        prefix, _, state = (code or "").lower().rpartition("/")
        if prefix == "powerstate":
            return _POWERS.get(state, Power.UNKNOWN)
    return Power.UNKNOWN


def _agent_ready(agent: Json) -> bool | None:
    statuses = objects(agent, "statuses")
    if not statuses:
        return None
    return (text(statuses[-1], "displayStatus") or "").lower() == "ready"


def _encryption(encryption: Json) -> Encryption:
    kind = (text(encryption, "type") or "").lower()
    return Encryption(
        type=_ENCRYPTION_TYPES.get(kind, EncryptionType.OTHER),
        disk_encryption_set=resource_id(encryption, "diskEncryptionSetId"),
    )


def _protected_vm(item: ResourceId) -> ResourceId | None:
    # The name says it too: `VM;iaasvmcontainerv2;<resource group>;<name>`, in the vault's subscription.
    parts = item.name.split(";")
    if len(parts) < _NAMED_PARTS or parts[-3].lower() != "iaasvmcontainerv2":
        return None
    group, name = parts[-2:]
    place = f"/subscriptions/{item.subscription}/resourceGroups/{group}"
    return ResourceId(f"{place}/providers/Microsoft.Compute/virtualMachines/{name}")


def _listed_flag(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").lower())


_OS_FAMILIES = {entry.value.lower(): entry for entry in OsFamily}
_SECURITY_TYPES = {entry.value.lower(): entry for entry in SecurityType}
_ENCRYPTION_TYPES = {entry.value.lower(): entry for entry in EncryptionType}
_POWERS = {entry.value.lower(): entry for entry in Power}
_VM_BACKUPS = ("azureiaasvm", "microsoft.compute/virtualmachines", "azureiaasvmprotecteditem")
_NAMED_PARTS = 4
