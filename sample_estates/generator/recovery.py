"""ARM shapes of copies of VMs and of what they are built from: restore points, replicas, gallery images."""

from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.disks import COMPUTE, disk_id, resource
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.vaults import RECOVERY

_POINTS = f"{COMPUTE}/restorePointCollections"


def restore_points(vm: Machine, days: tuple[str, ...]) -> list[Json]:
    """Return the collection that Azure Backup keeps of a VM, with a restore point of each day."""
    place = vm.place.beside(f"AzureBackupRG_{vm.place.region}_1")
    number = Dice("restore", vm.id).between(10**14, 10**15)
    found = resource(place.id(_POINTS, f"AzureBackup_{vm.name}_{number}"), _POINTS, place)
    source = {"id": vm.id, "location": vm.place.region}
    found["properties"] = {"source": source, "provisioningState": "Succeeded", "restorePoints": []}
    for day in days:
        own = f"{found['id']}/restorePoints/AzureBackup_{day.replace('-', '')}"
        found["properties"]["restorePoints"].append({"id": own, "name": own.rpartition("/")[2]})
    points: list[Json] = [
        {
            **entry,
            "type": f"{_POINTS}/restorePoints",
            "properties": {
                "provisioningState": "Succeeded",
                "consistencyMode": "CrashConsistent",
                "timeCreated": f"{day}T20:31:09.1180042+00:00",
                "sourceMetadata": {"location": vm.place.region},
            },
        }
        for entry, day in zip(found["properties"]["restorePoints"], days, strict=True)
    ]
    return [found, *points]


def replica(vault: str, vm: Machine, target: str) -> Json:
    """Return the item under which Site Recovery replicates a VM to another region."""
    name = Dice("replica", vm.id).guid()
    region = vm.place.region
    fabric = f"{vault}/replicationFabrics/asr-a2a-default-{region}"
    container = f"{fabric}/replicationProtectionContainers/asr-a2a-default-{region}-container"
    return {
        "id": f"{container}/replicationProtectedItems/{name}",
        "name": name,
        "type": f"{RECOVERY}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems",
        "properties": {
            "friendlyName": vm.name,
            "protectedItemType": "",
            "protectionState": "Protected",
            "replicationHealth": "Normal",
            "activeLocation": "Primary",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "fabricObjectId": vm.id,
                "osType": "Windows" if vm.windows else "Linux",
                "primaryFabricLocation": region,
                "recoveryFabricLocation": target,
                "protectedManagedDisks": [{"diskId": disk_id(vm, None), "diskState": "Protected"}],
            },
        },
    }


def gallery(place: Place, name: str, image: str, published: tuple[str, ...], security: str) -> list[Json]:
    """Return a gallery with one image definition and a version for each day on which it was published."""
    kind = f"{COMPUTE}/galleries"
    own = resource(place.id(kind, name), kind, place)
    own["properties"] = {"provisioningState": "Succeeded"}
    definition = resource(f"{own['id']}/images/{image}", f"{kind}/images", place)
    definition["properties"] = {
        "osType": "Linux",
        "osState": "Generalized",
        "hyperVGeneration": "V2",
        "features": [{"name": "SecurityType", "value": security}],
        "identifier": {"publisher": place.group, "offer": name, "sku": image},
        "provisioningState": "Succeeded",
    }
    versions = []
    for day in published:
        made = resource(image_version(str(definition["id"]), day), f"{kind}/images/versions", place)
        made["properties"] = {
            "publishingProfile": {"publishedDate": f"{day}T04:20:11.2093381+00:00", "replicaCount": 1},
            "provisioningState": "Succeeded",
        }
        versions.append(made)
    return [own, definition, *versions]


def image_version(definition: str, day: str) -> str:
    """Return the id of the version of a gallery's image that was published on a day."""
    year, month, number = day.split("-")
    return f"{definition}/versions/{year}.{int(month)}.{int(number)}"
