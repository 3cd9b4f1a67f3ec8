"""ARM JSON to the model: snapshots, disk encryption sets, sizes, backup, replication and gallery images."""

from msgspec.structs import replace

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    flag,
    location_of,
    obj,
    objects,
    own_id,
    resource_id,
    tags_of,
    text,
    texts,
)
from readiness.model.backup import BackupItem, ReplicatedItem, RestorePointCollection
from readiness.model.disk import DiskEncryptionSet, Snapshot
from readiness.model.ids import ResourceId
from readiness.model.sku import Sku
from readiness.model.vault import GalleryImage


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
        has_ade_settings=properties.get("encryptionSettingsCollection") is not None,
        ade_enabled=flag(obj(properties, "encryptionSettingsCollection"), "enabled"),
    )


def disk_encryption_set(resource: Json) -> DiskEncryptionSet:
    """Read a disk encryption set."""
    properties = obj(resource, "properties")
    error = obj(properties, "autoKeyRotationError")
    identity, key = obj(resource, "identity"), obj(properties, "activeKey")
    return DiskEncryptionSet(
        id=own_id(resource),
        location=location_of(resource),
        encryption_type=text(properties, "encryptionType"),
        provisioning_state=text(properties, "provisioningState"),
        rotation_error=text(error, "code") or text(error, "message"),
        identity_type=text(identity, "type"),
        principals=_principals(identity),
        key_url=text(key, "keyUrl"),
        source_vault=resource_id(obj(key, "sourceVault"), "id"),
        rotates=flag(properties, "rotationToLatestKeyVersionEnabled"),
    )


def _principals(identity: Json) -> tuple[str, ...]:
    assigned = obj(identity, "userAssignedIdentities")
    named = [text(identity, "principalId"), *(text(obj(assigned, name), "principalId") for name in assigned)]
    return tuple(sorted({entry.lower() for entry in named if entry}))


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
    sku = Sku(
        name=name,
        hyper_v_generations=tuple(entry.strip() for entry in generations if entry.strip()),
        trusted_launch_disabled=(listed.get("TrustedLaunchDisabled") or "").lower() == "true",
        encryption_at_host_supported=_listed_flag(listed.get("EncryptionAtHostSupported")),
        vcpus=_listed_number(listed.get("vCPUs")),
        architecture=listed.get("CpuArchitectureType"),
        gpus=_listed_number(listed.get("GPUs")),
        max_data_disks=_listed_number(listed.get("MaxDataDiskCount")),
        premium_disks=_listed_flag(listed.get("PremiumIO")),
        temp_disk_mb=_listed_number(listed.get("MaxResourceVolumeMB")),
        family=text(resource, "family"),
        max_nics=_listed_number(listed.get("MaxNetworkInterfaces")),
        accelerated_networking=_listed_flag(listed.get("AcceleratedNetworkingEnabled")),
        disk_controllers=_words(listed.get("DiskControllerTypes")),
    )
    sku = _restricted(sku, objects(resource, "restrictions"))
    places = [place.replace(" ", "").lower() for place in texts(resource, "locations")]
    zones = {
        (text(entry, "location") or "").replace(" ", "").lower(): tuple(sorted(texts(entry, "zones")))
        for entry in objects(resource, "locationInfo")
    }
    return tuple(((name.lower(), place), replace(sku, zones=zones.get(place))) for place in places)


def _words(listed: str | None) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in (listed or "").split(",") if word.strip())


def _restricted(sku: Sku, restrictions: list[Json]) -> Sku:
    for entry in restrictions:
        reason = text(entry, "reasonCode") or "Restricted"
        if (text(entry, "type") or "").lower() == "zone":
            zones = texts(obj(entry, "restrictionInfo"), "zones")
            sku = replace(sku, restricted_zones=tuple(sorted({*sku.restricted_zones, *zones})))
        else:
            sku = replace(sku, restricted=reason)
    return sku


def restore_point_collection(resource: Json) -> RestorePointCollection | None:
    """Read a collection of restore points; None where its source is something else than a VM."""
    properties = obj(resource, "properties")
    vm = resource_id(obj(properties, "source"), "id")
    if vm is None:
        raise MalformedError("it names no source")
    if vm.type != "microsoft.compute/virtualmachines":
        return None
    collection = own_id(resource)
    points = None
    if properties.get("restorePoints") is not None:
        points = tuple(_point(entry, collection) for entry in objects(properties, "restorePoints"))
    return RestorePointCollection(id=collection, vm=vm, points=points)


def _point(entry: Json, collection: ResourceId) -> ResourceId:
    return resource_id(entry, "id") or ResourceId(f"{collection}/restorePoints/{text(entry, 'name')}")


def replicated_item(resource: Json) -> ReplicatedItem | None:
    """Read an item that Site Recovery replicates; None where it is no Azure VM."""
    properties = obj(resource, "properties")
    details = obj(properties, "providerSpecificDetails")
    vm = resource_id(details, "fabricObjectId")
    if vm is None or vm.type != "microsoft.compute/virtualmachines":
        return None
    return ReplicatedItem(id=own_id(resource), vm=vm, state=text(properties, "protectionState"))


def gallery_image(resource: Json) -> GalleryImage:
    """Read an image definition of a gallery."""
    features = objects(obj(resource, "properties"), "features")
    listed = {(text(entry, "name") or "").lower(): text(entry, "value") for entry in features}
    return GalleryImage(id=own_id(resource), security=listed.get("securitytype"))


def _protected_vm(item: ResourceId) -> ResourceId | None:
    # The name says it too: `VM;iaasvmcontainerv2;<resource group>;<name>`, in the vault's subscription.
    parts = item.name.split(";")
    if len(parts) < _NAMED_PARTS or parts[-3].lower() != "iaasvmcontainerv2":
        return None
    group, name = parts[-2:]
    place = f"/subscriptions/{item.subscription}/resourceGroups/{group}"
    return ResourceId(f"{place}/providers/Microsoft.Compute/virtualMachines/{name}")


def _listed_number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() else None


def _listed_flag(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").lower())


_VM_BACKUPS = ("azureiaasvm", "microsoft.compute/virtualmachines", "azureiaasvmprotecteditem")
_NAMED_PARTS = 4
