"""The restore point collection in which an Enhanced policy keeps a machine's snapshots until they go.

Learn, "Troubleshoot Azure Backup failure: Issues with the agent or extension": Azure Backup keeps them in a
resource group of its own, `AzureBackupRG_{region}_{number}` unless the policy names another; a lock on that
group stops the clean-up, and at most 18 of them can be kept. A Standard policy's snapshots are not seen as
resources.
"""

from readiness.twin import gates
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.machine import model_disks
from readiness.twin.messages import ArmError
from readiness.twin.operations import identifier
from readiness.twin.paths import parse
from readiness.twin.state import State, place

MOST = 18
_COLLECTION = "Microsoft.Compute/restorePointCollections"
_POINT = "microsoft.compute/restorepointcollections/restorepoints"


def collection_id(item: Json, policy: Json, vm: Json) -> str:
    """Return where the snapshots of a machine are kept."""
    told = look(policy, "properties.instantRPDetails") or {}
    prefix = told.get("azureBackupRGNamePrefix") or f"AzureBackupRG_{place(vm.get('location'))}_"
    group = f"{prefix}1{told.get('azureBackupRGNameSuffix') or ''}"
    number = look(item, "properties.protectedItemDataId") or "0"
    scope = f"/subscriptions/{parse(vm['id']).subscription}/resourceGroups/{group}"
    return f"{scope}/providers/{_COLLECTION}/AzureBackup_{vm['name']}_{number}"


def is_full(state: State, own_id: str) -> bool:
    """Tell whether a collection holds as many restore points as it can."""
    return len(state.of_kind(_POINT, own_id)) >= MOST


def add(state: State, own_id: str, vm: Json, kept: list[Json], point: Json) -> str:
    """Make the restore point of a backup, and return its id; `point` is the backup's recovery point."""
    location = vm.get("location")
    if state.find(own_id) is None:
        state.put(
            {
                "id": own_id,
                "name": parse(own_id).name,
                "type": _COLLECTION,
                "location": location,
                "properties": {
                    "source": {"id": vm["id"], "location": location},
                    "provisioningState": "Succeeded",
                },
            }
        )
    made = f"{own_id}/restorePoints/AzureBackup_{point['name']}"
    told = point["properties"]
    profile = duplicate(look(vm, "properties.storageProfile") or {})
    parts = {disk["id"].lower(): _part(made, disk, told["recoveryPointTime"]) for disk in kept}
    for entry in model_disks({"properties": {"storageProfile": profile}}):
        part = parts.get(str(look(entry, "managedDisk.id")).lower())
        if part is not None:
            entry["diskRestorePoint"] = {"id": part["id"]}
    restore_point = {
        "id": made,
        "name": parse(made).name,
        "type": f"{_COLLECTION}/restorePoints",
        "properties": {
            "provisioningState": "Succeeded",
            "consistencyMode": told["recoveryPointType"].replace("AppConsistent", "ApplicationConsistent"),
            "timeCreated": told["recoveryPointTime"],
            "sourceMetadata": {"location": location, "vmId": look(vm, "properties.vmId")}
            | {"storageProfile": profile},
        },
    }
    for each in (restore_point, *parts.values()):
        state.put(each)
    return made


def _part(made: str, disk: Json, time: str) -> Json:
    name = f"{disk['name']}_{identifier(made, disk['id'])}"
    names = ("osType", "hyperVGeneration", "encryption", "securityProfile")
    return {
        "id": f"{made}/diskRestorePoints/{name}",
        "name": name,
        "type": f"{_COLLECTION}/restorePoints/diskRestorePoints",
        "properties": {
            "sourceResourceId": disk["id"],
            "sourceResourceLocation": disk.get("location"),
            "sourceUniqueId": look(disk, "properties.uniqueId"),
            "familyId": identifier("family", look(disk, "properties.uniqueId")),
            "timeCreated": time,
            "replicationState": "Succeeded",
            "completionPercent": 100,
            "networkAccessPolicy": "AllowAll",
            **{word: duplicate(disk["properties"][word]) for word in names if word in disk["properties"]},
        },
    }


def let_go(state: State, made: str) -> bool:
    """Remove a restore point, and its collection with the last one; tell whether no lock forbids it."""
    if state.find(made) is None:
        return True
    try:
        gates.check_locks(state, "DELETE", parse(made), made)
    except ArmError:
        return False
    for each in [*state.of_kind(f"{_POINT}/diskrestorepoints", made), {"id": made}]:
        state.remove(each["id"])
    own_id = made.rpartition("/restorePoints/")[0]
    if not state.of_kind(_POINT, own_id):
        state.remove(own_id)
    return True
