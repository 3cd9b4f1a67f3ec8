"""Recovery points: what a backup has kept of a machine's disks, in which tiers, and until when.

Learn, "Recovery Points - Get" and "Azure Instant Restore capability": a point is in the snapshot tier
(InstantRP) as soon as its snapshots are taken and in the vault (HardenedRP) once they are transferred; the
snapshot goes after the days of the policy, the point at its expiry time. The twin knows the points of its own
backups, and those of the seed by what the seed says: only the former can be restored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from readiness.twin.arm import security
from readiness.twin.arm.paging import page
from readiness.twin.arm.recovery_services import snapshot_tier
from readiness.twin.arm.recovery_services.filters import moment, terms
from readiness.twin.arm.recovery_services.kinds import ENHANCED, ITEM_TYPE, POINT, seen_item, stamp, tier
from readiness.twin.arm.recovery_services.policies import USUAL_SNAPSHOTS
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.machine import Power, model_disks
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import draw
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

_LONG_AGO = "2000-01-01T00:00:00Z"
_SNAPSHOTS = f"{POINT}/snapshots"
"""What is hidden behind a recovery point: the id of the restore point that keeps its snapshots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One disk as a recovery point holds it."""

    lun: int
    """Minus one for the operating system disk."""
    disk: Json
    is_ade: bool
    is_gpt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a recovery point holds."""

    vm: Json
    disks: tuple[Kept, ...]


def contents(state: State, point: Json) -> Contents | None:
    """Return what a recovery point of the twin's own holds."""
    found: Contents | None = state.hidden(POINT).get(point["id"].lower())
    return found


def make(world: World, item: Json, vm: Json, when: datetime, *, expires: datetime) -> Json:
    """Keep a machine's disks, in the snapshot tier."""
    state = world.state
    kept = _kept(state, item, vm)
    name = str(int(draw(world.seed, "recovery point", item["id"], when.isoformat()) * 1e14))
    point: Json = {
        "id": f"{item['id']}/recoveryPoints/{name}",
        "name": name,
        "type": f"{ITEM_TYPE}/recoveryPoints",
        "properties": _properties(state, vm, kept, when, expires),
    }
    state.put(point)
    state.hidden(POINT)[point["id"].lower()] = Contents(vm=duplicate(vm), disks=tuple(kept))
    policy = state.find(look(item, "properties.policyId"))
    days = look(policy, "properties.instantRpRetentionRangeInDays") or USUAL_SNAPSHOTS[tier(policy)]
    if policy is not None and tier(policy) == ENHANCED:
        own_id = snapshot_tier.collection_id(item, policy, vm)
        made = snapshot_tier.add(state, own_id, vm, [each.disk for each in kept], point)
        state.hidden(_SNAPSHOTS)[point["id"].lower()] = made
    world.timeline.add(when + timedelta(days=days), lambda _: _let_go(state, item, point))
    world.timeline.add(expires, lambda _: forget(state, item, point))
    _count(item, +1)
    return point


def harden(point: Json) -> None:
    """Let a recovery point be in the vault, too."""
    point["properties"]["recoveryPointTierDetails"].append({"type": "HardenedRP", "status": "Valid"})


def forget(state: State, item: Json, point: Json) -> None:
    """Remove a recovery point, if it is still there."""
    if state.find(point["id"]) is point:
        _drop_snapshots(state, point)
        state.remove(point["id"])
        state.hidden(POINT).pop(point["id"].lower(), None)
        _count(item, -1)


def tiers(point: Json) -> set[str]:
    """Return the tiers a recovery point can be restored from."""
    rows = look(point, "properties.recoveryPointTierDetails") or []
    return {str(row.get("type")) for row in rows if same(row.get("status"), "Valid")}


def _drop_snapshots(state: State, point: Json) -> bool:
    """Remove what the snapshot tier keeps; tell whether no lock forbids it."""
    made = state.hidden(_SNAPSHOTS).get(point["id"].lower())
    return made is None or snapshot_tier.let_go(state, made)


def _let_go(state: State, item: Json, point: Json) -> None:
    if state.find(point["id"]) is not point or not _drop_snapshots(state, point):
        return
    rows = point["properties"]["recoveryPointTierDetails"]
    rows[:] = [row for row in rows if row["type"] != "InstantRP"]
    if not rows:
        forget(state, item, point)


def _count(item: Json, change: int) -> None:
    info = section(section(item, "properties"), "extendedInfo")
    info["recoveryPointCount"] = max(0, int(info.get("recoveryPointCount") or 0) + change)


def _kept(state: State, item: Json, vm: Json) -> list[Kept]:
    exclusion: Any = look(item, "properties.extendedProperties.diskExclusionProperties") or {}
    named, wants = set(exclusion.get("diskLunList") or []), exclusion.get("isInclusionList") is True
    kept = []
    for entry in model_disks(vm):
        disk = state.find(look(entry, "managedDisk.id"))
        lun = entry.get("lun", -1)
        # Azure Backup always takes the operating system disk.
        if disk is None or (exclusion and lun >= 0 and (lun in named) is not wants):
            continue
        key = disk["id"].lower()
        kept.append(
            Kept(lun=lun, disk=duplicate(disk), is_ade=key in state.ever_ade, is_gpt=key in state.gpt)
        )
    return kept


def _properties(state: State, vm: Json, kept: list[Kept], when: datetime, expires: datetime) -> Json:
    luns = {each.lun for each in kept}
    entries = model_disks(vm)
    rows = {
        entry.get("lun", -1): {"lun": entry.get("lun", -1), "name": entry.get("name")} for entry in entries
    }
    os_type = str(look(vm, "properties.storageProfile.osDisk.osType") or "Linux")
    kind = security.security_type(vm)
    skus = {str(look(each.disk, "sku.name")).partition("_")[0].lower() for each in kept}
    return {
        "objectType": "IaasVMRecoveryPoint",
        "recoveryPointType": _consistency(state, vm, os_type),
        "recoveryPointTime": stamp(when),
        "recoveryPointAdditionalInfo": "",
        "sourceVMStorageType": "PremiumStorage" if "premium" in skus else "NormalStorage",
        "isSourceVMEncrypted": any(each.is_ade for each in kept),
        "isInstantIlrSessionActive": False,
        "recoveryPointTierDetails": [{"type": "InstantRP", "status": "Valid"}],
        "isManagedVirtualMachine": True,
        "virtualMachineSize": look(vm, "properties.hardwareProfile.vmSize"),
        "originalStorageAccountOption": False,
        "osType": os_type,
        "securityType": None if kind == "Standard" else kind,
        "zones": list(vm.get("zones") or []),
        "recoveryPointDiskConfiguration": {
            "numberOfDisksIncludedInBackup": len(kept),
            "numberOfDisksAttachedToVm": len(entries),
            "includedDiskList": [row for lun, row in rows.items() if lun in luns],
            "excludedDiskList": [row for lun, row in rows.items() if lun not in luns],
        },
        "recoveryPointProperties": {"expiryTime": stamp(expires), "isSoftDeleted": False},
    }


def _consistency(state: State, vm: Json, os_type: str) -> str:
    """A machine that is off gives a crash-consistent point; one that runs is asked by its agent."""
    if state.machine(vm).power is not Power.RUNNING:
        return "CrashConsistent"
    return "AppConsistent" if same(os_type, "Windows") else "FileSystemConsistent"


def need(state: State, call: Call) -> Json:
    """Return the recovery point a call names, or refuse."""
    item = seen_item(state, call.address)
    found = state.find(f"{item['id']}/recoveryPoints/{call.address.names[4]}")
    if found is None:
        raise ArmError(
            404,
            "BMSUserErrorRecoveryPointNotFound",
            f"Recovery point '{call.address.names[4]}' was not found. It may have expired.",
            unverified=True,
        )
    return found


def get(world: World, call: Call) -> Response:
    """Answer one recovery point."""
    return Response(200, duplicate(need(world.state, call)))


def listed(world: World, call: Call) -> Response:
    """Answer the recovery points of an item, the newest first."""
    item, wanted = seen_item(world.state, call.address), terms(call)
    found = world.state.of_kind(POINT, item["id"])
    times = {each["id"]: moment(look(each, "properties.recoveryPointTime") or _LONG_AGO) for each in found}
    if "startdate" in wanted:
        found = [each for each in found if times[each["id"]] >= moment(wanted["startdate"])]
    if "enddate" in wanted:
        found = [each for each in found if times[each["id"]] <= moment(wanted["enddate"])]
    found.sort(key=lambda each: times[each["id"]], reverse=True)
    return page(call, found, duplicate)


ROUTES: Routes = {
    ("GET", POINT.rpartition("/")[0], "recoverypoints"): listed,
    ("GET", POINT, ""): get,
}
