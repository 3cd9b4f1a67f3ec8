"""ARM shapes of compute: VMs with their extensions, sets and sizes."""

from collections.abc import Iterable, Iterator

from sample_estates.generator.catalogue import EXTENSIONS, SIZES, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.disks import COMPUTE, disk, disk_id, resource
from sample_estates.generator.machine import Machine, Place

VM_TYPE = f"{COMPUTE}/virtualMachines"
_OK = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}
_POWER = {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"}
_SAMPLE_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFNBTVBMRSBLRVksIE5PVCBBIFJFQUwgT05FIDAwMDAx "
    "sample-key-not-in-use@example.com"
)


def compute_of(vm: Machine, dice: Dice) -> Iterator[Json]:
    """Yield the VM, its managed disks, and its extensions where they are resources of their own."""
    yield virtual_machine(vm, dice)
    if not vm.ephemeral:
        yield disk(vm, None, dice)
    for lun in range(len(vm.data)):
        yield disk(vm, lun, dice)
    if not vm.inline:
        for name in vm.extensions:
            yield extension(vm, name)


def virtual_machine(vm: Machine, dice: Dice) -> Json:
    """Return a VM as ARM's GET answers it with its instance view, or as a row of Resource Graph."""
    found = resource(vm.id, VM_TYPE, vm.place, vm.tags)
    identity = _identity(vm, dice)
    properties = _properties(vm, dice)
    if vm.graph:
        view = properties.pop("instanceView")
        properties["extended"] = {"instanceView": _graph_view(vm, view)}
        found["type"] = VM_TYPE.lower()
        found |= {"tenantId": vm.place.tenant, "subscriptionId": vm.place.subscription, "kind": ""}
        found |= {"resourceGroup": vm.place.group.lower(), "managedBy": vm.scale_set or "", "plan": None}
        return found | {
            "identity": identity,
            "zones": [vm.zone] if vm.zone else None,
            "properties": properties,
        }
    if identity:
        found["identity"] = identity
    if vm.scale_set:
        found["managedBy"] = vm.scale_set
    if vm.zone:
        found["zones"] = [vm.zone]
    found["etag"] = f'"{dice.between(2, 40)}"'
    found["properties"] = properties
    if vm.inline and vm.extensions:
        found["resources"] = [extension(vm, name) for name in vm.extensions]
    return found


def _properties(vm: Machine, dice: Dice) -> Json:
    found: Json = {"hardwareProfile": {"vmSize": vm.size}, "provisioningState": "Succeeded"}
    found["vmId"] = dice.guid()
    links = {
        "availabilitySet": vm.availability_set,
        "virtualMachineScaleSet": vm.scale_set,
        "proximityPlacementGroup": vm.placement_group,
    }
    found |= {name: {"id": target} for name, target in links.items() if target}
    found["additionalCapabilities"] = {"hibernationEnabled": vm.hibernation}
    found["storageProfile"] = _storage(vm)
    if not vm.specialised:
        found["osProfile"] = _os_profile(vm)
    security = _security(vm)
    if security:
        found["securityProfile"] = security
    found["networkProfile"] = {
        "networkInterfaces": [{"id": vm.nic_id, "properties": {"primary": True, "deleteOption": "Detach"}}]
    }
    found["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    if vm.spot:
        found |= {"priority": "Spot", "evictionPolicy": "Deallocate", "billingProfile": {"maxPrice": -1}}
    if vm.windows:
        found["licenseType"] = "Windows_Server"
    found["timeCreated"] = dice.moment(vm.created)
    found["instanceView"] = _instance_view(vm)
    return found


def _identity(vm: Machine, dice: Dice) -> Json | None:
    kinds = ["SystemAssigned"] * vm.system_identity + ["UserAssigned"] * bool(vm.user_identities)
    if not kinds:
        return None
    found: Json = {"type": ", ".join(kinds)}
    if vm.system_identity:
        found |= {"principalId": dice.guid(), "tenantId": vm.place.tenant}
    if vm.user_identities:
        found["userAssignedIdentities"] = {
            name: {"principalId": dice.guid(), "clientId": dice.guid()} for name in vm.user_identities
        }
    return found


def _storage(vm: Machine) -> Json:
    image = vm.source
    found: Json = {}
    if vm.gallery:
        found["imageReference"] = {"id": vm.gallery, "exactVersion": vm.gallery.rpartition("/")[2]}
    elif image and not vm.specialised:
        found["imageReference"] = {
            "publisher": image.publisher,
            "offer": image.offer,
            "sku": image.sku,
            "version": "latest",
            "exactVersion": image.version,
        }
    os_disk: Json = {
        "osType": "Windows" if vm.windows else "Linux",
        "name": disk_id(vm, None).rpartition("/")[2],
        "createOption": "Attach" if vm.specialised else "FromImage",
        "caching": "ReadOnly" if vm.ephemeral else "ReadWrite",
    }
    if vm.ephemeral:
        os_disk["diffDiskSettings"] = {"option": "Local", "placement": "CacheDisk"}
    os_disk["managedDisk"] = _managed(vm, None)
    os_disk |= {"deleteOption": "Detach", "diskSizeGB": vm.os_gb}
    found["osDisk"] = os_disk
    found["dataDisks"] = [_attached(vm, lun) for lun in range(len(vm.data))]
    found["diskControllerType"] = "SCSI"
    return found


def _attached(vm: Machine, lun: int) -> Json:
    given = vm.data[lun]
    return {
        "lun": lun,
        "name": disk_id(vm, lun).rpartition("/")[2],
        "createOption": "Attach",
        "caching": given.caching,
        "writeAcceleratorEnabled": False,
        "managedDisk": _managed(vm, lun),
        "deleteOption": "Detach",
        "diskSizeGB": given.gb,
        "toBeDetached": False,
    }


def _managed(vm: Machine, lun: int | None) -> Json:
    target = disk_id(vm, lun)
    if vm.shouting:
        target = target.replace(f"/{vm.place.group}/", f"/{vm.place.group.upper()}/")
    sku = vm.os_sku if lun is None else vm.data[lun].sku
    # Azure leaves the storage type out while a VM is deallocated.
    found: Json = {"id": target} if vm.off else {"storageAccountType": sku, "id": target}
    key = {"diskEncryptionSet": {"id": vm.key_set}} if vm.key_set else {}
    if lun is None and vm.security == "ConfidentialVM":
        # Such a disk is encrypted inside the confidential boundary, and its key set is named there.
        sealed = {"securityEncryptionType": "DiskWithVMGuestState" if key else "VMGuestStateOnly"}
        return found | {"securityProfile": sealed | key}
    return found | key


def _os_profile(vm: Machine) -> Json:
    found: Json = {"computerName": vm.name[:15] if vm.windows else vm.name, "adminUsername": "azureadmin"}
    patching: Json = {"patchMode": vm.patching, "assessmentMode": vm.patching}
    if vm.own_schedule:
        patching["automaticByPlatformSettings"] = {"bypassPlatformSafetyChecksOnUserSchedule": True}
    if vm.windows:
        patching["patchMode"] = "AutomaticByOS" if vm.patching == "ImageDefault" else vm.patching
        found["windowsConfiguration"] = {
            "provisionVMAgent": True,
            "enableAutomaticUpdates": True,
            "patchSettings": patching,
        }
    else:
        linux: Json = {"disablePasswordAuthentication": vm.keys_only}
        if vm.keys_only:
            path = "/home/azureadmin/.ssh/authorized_keys"
            linux["ssh"] = {"publicKeys": [{"path": path, "keyData": _SAMPLE_KEY}]}
        found["linuxConfiguration"] = linux | {"provisionVMAgent": True, "patchSettings": patching}
    return found | {"secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True}


def _security(vm: Machine) -> Json:
    found: Json = {}
    if vm.security:
        flags = {"secureBootEnabled": vm.secure_boot, "vTpmEnabled": vm.vtpm}
        found["uefiSettings"] = {name: value for name, value in flags.items() if value is not None}
        found["securityType"] = vm.security
    if vm.at_host:
        found["encryptionAtHost"] = True
    if vm.guarded_metadata:
        mode = {"mode": "Enforce"}
        found["proxyAgentSettings"] = {"enabled": True, "imds": mode, "wireServer": mode}
    return found


def _instance_view(vm: Machine) -> Json:
    if vm.off:
        statuses = [
            _OK,
            {"code": "PowerState/deallocated", "level": "Info", "displayStatus": "VM deallocated"},
        ]
        return {"hyperVGeneration": vm.generation, "statuses": statuses}
    found: Json = {}
    ready = vm.agent == "Ready"
    if ready and vm.source:
        found = {"computerName": vm.name, "osName": vm.source.os_name, "osVersion": vm.source.os_version}
    status = {
        "code": f"ProvisioningState/{'succeeded' if ready else 'Unavailable'}",
        "level": "Info" if ready else "Warning",
        "displayStatus": vm.agent,
    }
    version = ("2.7.41491.1189" if vm.windows else "2.15.0.1") if ready else "Unknown"
    found["vmAgent"] = {"vmAgentVersion": version, "statuses": [status], "extensionHandlers": []}
    found["hyperVGeneration"] = vm.generation
    state = _POWER
    if vm.power != "running":
        state = {"code": f"PowerState/{vm.power}", "level": "Info", "displayStatus": f"VM {vm.power}"}
    found["statuses"] = [_OK, state]
    return found


def _graph_view(vm: Machine, view: Json) -> Json:
    found = {name: view[name] for name in ("computerName", "osName", "osVersion") if name in view}
    return found | {"hyperVGeneration": vm.generation, "powerState": view["statuses"][1]}


def extension(vm: Machine, name: str) -> Json:
    """Return an extension of a VM."""
    kind = EXTENSIONS[name]
    own = name.removesuffix(".Linux").removesuffix(".Windows") if name.startswith("Guest") else name
    return {
        "id": f"{vm.id}/extensions/{own}",
        "name": own,
        "type": f"{VM_TYPE}/extensions",
        "location": vm.place.region,
        "properties": {
            "autoUpgradeMinorVersion": True,
            "provisioningState": "Succeeded",
            "publisher": kind.publisher,
            "type": kind.type,
            "typeHandlerVersion": kind.version,
        },
    }


def availability_set(place: Place, name: str, members: Iterable[Machine]) -> Json:
    """Return an availability set; Azure answers its members' ids in capitals."""
    kind = f"{COMPUTE}/availabilitySets"
    found = resource(place.id(kind, name), kind, place)
    group = f"/{place.group}/"
    inside = [{"id": vm.id.replace(group, group.upper())} for vm in members]
    found["sku"] = {"name": "Aligned"}
    found["properties"] = {
        "platformUpdateDomainCount": 5,
        "platformFaultDomainCount": 2,
        "virtualMachines": inside,
    }
    return found


def scale_set(place: Place, name: str, size: str, capacity: int) -> Json:
    """Return a scale set in flexible orchestration, whose members are VMs."""
    kind = f"{COMPUTE}/virtualMachineScaleSets"
    found = resource(place.id(kind, name), kind, place)
    found["sku"] = {"name": size, "tier": "Standard", "capacity": capacity}
    profile = {"storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}}}
    found["properties"] = {
        "singlePlacementGroup": False,
        "orchestrationMode": "Flexible",
        "provisioningState": "Succeeded",
        "platformFaultDomainCount": 1,
        "virtualMachineProfile": profile,
    }
    return found


def placement_group(place: Place, name: str, members: Iterable[Machine]) -> Json:
    """Return a proximity placement group, whose members stand close to one another."""
    kind = f"{COMPUTE}/proximityPlacementGroups"
    found = resource(place.id(kind, name), kind, place)
    inside = [{"id": vm.id} for vm in members]
    found["properties"] = {"proximityPlacementGroupType": "Standard", "virtualMachines": inside}
    return found


def size(subscription: str, name: str, regions: list[str]) -> Json:
    """Return a line of the list of compute sizes, with its capabilities."""
    given = SIZES[name]
    listed: Json = {
        "vCPUs": given.vcpus,
        "MemoryGB": given.memory,
        "HyperVGenerations": given.generations,
        "CpuArchitectureType": "x64",
        "PremiumIO": True,
        "EncryptionAtHostSupported": True,
        "AcceleratedNetworkingEnabled": True,
    }
    listed |= given.extra
    return {
        "id": f"/subscriptions/{subscription}/providers/{COMPUTE}/skus/{name}",
        "type": f"{COMPUTE}/skus",
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "size": name.removeprefix("Standard_"),
        "family": given.family,
        "locations": regions,
        "locationInfo": [{"location": region, "zones": ["1", "2", "3"]} for region in regions],
        "capabilities": [{"name": key, "value": str(value)} for key, value in listed.items()],
        "restrictions": [],
    }
