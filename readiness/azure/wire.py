"""ARM JSON to the model: VMs and disks. Imports no SDK, and never looks at the network.

Takes a resource as ARM's GET answers it (with or without its instance view) or as a row of Azure Resource
Graph, which keeps the instance view under `properties.extended`. Whatever is missing or null reads as not
reported. A resource that cannot be understood raises `MalformedError`; `collection` turns that into a gap.

This module and its siblings (`wire_storage`, `wire_network`, ...) are the only parsers of ARM JSON.
"""

from sys import intern

from msgspec.structs import replace

from readiness.azure.wire_controls import metadata_protection, patch_settings
from readiness.azure.wire_values import (
    Json,
    flag,
    generation_of,
    location_of,
    moment,
    number,
    obj,
    objects,
    own_id,
    percent,
    reference,
    references,
    resource_id,
    tags_of,
    text,
    texts,
)
from readiness.model.disk import Disk, Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.verdict import JsonScalar
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
    Sighting,
    VirtualMachine,
    usual_identity_type,
)


def virtual_machine(resource: Json) -> VirtualMachine:
    """Read a VM. Its generation is the instance view's until `complete` knows the OS disk."""
    vm_id = own_id(resource)
    properties = obj(resource, "properties")
    view = obj(properties, "instanceView") or obj(obj(properties, "extended"), "instanceView")
    storage = obj(properties, "storageProfile")
    os_disk = obj(storage, "osDisk")
    identity = _identity(obj(resource, "identity"))
    agent_ready, agent_word = _agent(obj(view, "vmAgent"))
    return VirtualMachine(
        id=vm_id,
        name=text(resource, "name") or vm_id.name,
        location=location_of(resource),
        size=text(obj(properties, "hardwareProfile"), "vmSize"),
        boot=_boot(obj(properties, "securityProfile"), generation_of(view)),
        os_family=_os_family(os_disk, obj(properties, "osProfile")),
        os_profile=_os_profile(properties),
        image=_image(obj(storage, "imageReference")),
        os_disk=_attachment(os_disk, vm_id) if os_disk else None,
        data_disks=_data_disks(storage, vm_id),
        nics=references(obj(properties, "networkProfile"), "networkInterfaces"),
        identity=identity,
        identity_word=_word(text(obj(resource, "identity"), "type"), usual_identity_type(identity)),
        extensions=tuple(_inline_extensions(resource)),
        power=_power(view),
        agent_ready=agent_ready,
        agent_word=agent_word,
        hibernation_enabled=flag(obj(properties, "additionalCapabilities"), "hibernationEnabled"),
        availability_set=reference(properties, "availabilitySet"),
        scale_set=reference(properties, "virtualMachineScaleSet"),
        placement_group=reference(properties, "proximityPlacementGroup"),
        capacity_reservation=reference(obj(properties, "capacityReservation"), "capacityReservationGroup"),
        managed_by=text(resource, "managedBy"),
        zones=texts(resource, "zones"),
        tags=tags_of(resource),
        os_name=text(view, "osName"),
        patching=patch_settings(obj(properties, "osProfile")),
        metadata_protected=metadata_protection(obj(properties, "securityProfile")),
        os_version=text(view, "osVersion"),
        etag=text(resource, "etag"),
        provisioning_state=text(properties, "provisioningState"),
        priority=text(properties, "priority"),
        is_on_dedicated_host=bool(obj(properties, "host") or obj(properties, "hostGroup")),
        plan=text(obj(resource, "plan"), "publisher"),
        encryption_signs=_encryption_signs(view),
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
        version=text(properties, "typeHandlerVersion"),
        downloads_from=_downloads(properties),
    )


def disk(resource: Json) -> Disk:
    """Read a managed disk."""
    properties = obj(resource, "properties")
    encryption, word = _encryption(obj(properties, "encryption"))
    return Disk(
        id=own_id(resource),
        location=location_of(resource),
        sku=text(obj(resource, "sku"), "name"),
        size_gb=number(properties, "diskSizeGB"),
        encryption=encryption,
        encryption_word=word,
        generation=generation_of(properties),
        state=text(properties, "diskState"),
        unique_id=text(properties, "uniqueId"),
        network_access=text(properties, "networkAccessPolicy"),
        public_access=text(properties, "publicNetworkAccess"),
        has_ade_settings=properties.get("encryptionSettingsCollection") is not None,
        ade_enabled=flag(obj(properties, "encryptionSettingsCollection"), "enabled"),
        max_shares=number(properties, "maxShares") or 1,
        security_type=text(obj(properties, "securityProfile"), "securityType"),
        supported_security=text(obj(properties, "supportedCapabilities"), "supportedSecurityOption"),
        architecture=text(obj(properties, "supportedCapabilities"), "architecture"),
        completion_percent=percent(properties, "completionPercent"),
        sector_size=number(obj(properties, "creationData"), "logicalSectorSize"),
        created=moment(properties, "timeCreated"),
        sharers=_sharers(resource, properties),
    )


def _boot(profile: Json, generation: int | None) -> BootProfile:
    firmware = obj(profile, "uefiSettings")
    written = text(profile, "securityType")
    security_type = _SECURITY_TYPES.get((written or "Standard").lower(), SecurityType.OTHER)
    is_implied = security_type in (SecurityType.STANDARD, SecurityType.OTHER)
    return BootProfile(
        generation=generation,
        security_type=security_type,
        security_word=_word(written, None if is_implied else security_type.value),
        secure_boot=flag(firmware, "secureBootEnabled"),
        vtpm=flag(firmware, "vTpmEnabled"),
        encryption_at_host=flag(profile, "encryptionAtHost"),
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
        certificate=_certificate(profile),
    )


def _certificate(profile: Json) -> Sighting | None:
    for position, entry in enumerate(objects(profile, "secrets")):
        for held in objects(entry, "vaultCertificates")[:1]:
            path = f"properties.osProfile.secrets[{position}].vaultCertificates[0].certificateUrl"
            return Sighting(path, text(held, "certificateUrl"))
    return None


def _downloads(properties: Json) -> tuple[str, ...]:
    # Settings are each publisher's own business: what does not look like a list of addresses is none.
    settings = properties.get("settings")
    listed = settings.get("fileUris") if isinstance(settings, dict) else None
    addresses = [entry for entry in listed if isinstance(entry, str)] if isinstance(listed, list) else []
    hosts = (entry.partition("://")[2].partition("/")[0].lower() for entry in addresses)
    return tuple(dict.fromkeys(host for host in hosts if host))


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
        ade_enabled=flag(obj(entry, "encryptionSettings"), "enabled"),
        confidential_set=reference(obj(obj(entry, "managedDisk"), "securityProfile"), "diskEncryptionSet"),
    )


def _os_family(os_disk: Json, os_profile: Json) -> OsFamily | None:
    """Return what the OS disk says, or else which of the two configurations the VM was provisioned with."""
    declared = text(os_disk, "osType")
    if declared is not None:
        return _OS_FAMILIES.get(declared.lower())
    found = [
        family for name, family in _OS_FAMILIES.items() if os_profile.get(f"{name}Configuration") is not None
    ]
    return found[0] if len(found) == 1 else None


def _identity(identity: Json) -> Identity:
    kinds = {kind.strip().lower() for kind in (text(identity, "type") or "").split(",")}
    # Before 2018-06-01 they were a list by another name.
    assigned = obj(identity, "userAssignedIdentities") or texts(identity, "identityIds")
    return Identity(
        system_assigned="systemassigned" in kinds,
        user_assigned=tuple(sorted(map(ResourceId, assigned))) if "userassigned" in kinds else (),
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


def _agent(agent: Json) -> tuple[bool | None, str | None]:
    """Return whether the agent is ready, and the word for it where that is not the usual one."""
    statuses = objects(agent, "statuses")
    if not statuses:
        return None, None
    written = text(statuses[-1], "displayStatus")
    return (written or "").lower() == "ready", _word(written, "Ready")


def _encryption_signs(view: Json) -> tuple[Sighting, ...]:
    """Return the codes on encryption in the guest, and settings for it that are not switched off."""
    found: dict[JsonScalar, Sighting] = {}
    for place, entry in enumerate(objects(view, "disks")):
        at = f"properties.instanceView.disks[{place}]"
        for position, status in enumerate(objects(entry, "statuses")):
            code = text(status, "code") or ""
            if code.lower().startswith("encryptionstate/"):
                found.setdefault(code, Sighting(f"{at}.statuses[{position}].code", code))
        for position, settings in enumerate(objects(entry, "encryptionSettings")):
            is_on = flag(settings, "enabled")
            if is_on is not False:
                found.setdefault(is_on, Sighting(f"{at}.encryptionSettings[{position}].enabled", is_on))
    return tuple(found.values())


def _sharers(resource: Json, properties: Json) -> tuple[ResourceId, ...]:
    named = [ResourceId(entry) for entry in texts(resource, "managedByExtended")]
    shared = [resource_id(entry, "vmUri") for entry in objects(properties, "shareInfo")]
    return tuple(sorted({*named, *(entry for entry in shared if entry is not None)}))


def _encryption(encryption: Json) -> tuple[Encryption, str | None]:
    """Return how a disk is encrypted, and the word for it where that is not the usual one."""
    written = text(encryption, "type")
    kind = _ENCRYPTION_TYPES.get((written or "").lower(), EncryptionType.OTHER)
    found = Encryption(type=kind, disk_encryption_set=resource_id(encryption, "diskEncryptionSetId"))
    return found, _word(written, None if kind is EncryptionType.OTHER else kind.value)


def _word(written: str | None, usual: str | None) -> str | None:
    """Return what Azure wrote where it is not what our value says already; the same word is held once."""
    return None if written is None or written == usual else intern(written)


_OS_FAMILIES = {entry.value.lower(): entry for entry in OsFamily}
_SECURITY_TYPES = {entry.value.lower(): entry for entry in SecurityType}
_ENCRYPTION_TYPES = {entry.value.lower(): entry for entry in EncryptionType}
_POWERS = {entry.value.lower(): entry for entry in Power}
