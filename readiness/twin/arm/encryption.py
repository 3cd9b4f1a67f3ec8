"""Disk encryption: which keys a disk or snapshot can have, and which changes Azure refuses.

Learn, "Server-side encryption of Azure managed disks", restrictions: the encryption set lies in the
subscription and region of the disk and reaches its key; the disk is unattached or its machines are
deallocated; a disk that Azure Disk Encryption ever touched can never have a customer-managed key; a disk and
its incremental snapshots and restore points share one key; Ultra and Premium SSD v2 have no double encryption
and keep their key while they are being filled.
"""

from datetime import datetime
from typing import Any

from readiness.twin import paths
from readiness.twin.arm import background_copies, disk_keys
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed
from readiness.twin.state import DISK, ENCRYPTION_SET, SNAPSHOT, State, missing, place

PLATFORM_KEY = "EncryptionAtRestWithPlatformKey"
DOUBLE = "EncryptionAtRestWithPlatformAndCustomerKeys"
_TYPES = (PLATFORM_KEY, "EncryptionAtRestWithCustomerKey", DOUBLE)

RESTORE_POINT = "microsoft.compute/restorepointcollections/restorepoints"
DISK_RESTORE_POINT = f"{RESTORE_POINT}/diskrestorepoints"


def check(state: State, before: Json | None, after: Json, now: datetime) -> None:
    """Refuse an encryption a disk or snapshot cannot have, or cannot have now."""
    wanted: Any = look(after, "properties.encryption") or {}
    found = _wanted_set(state, after, wanted)
    kind = paths.parse(after["id"]).kind
    _check_family(state, after, wanted)
    if before is not None and same_key(look(before, "properties.encryption") or {}, wanted):
        return
    if kind == DISK:
        _check_type(after, wanted, found)
        _check_disk(state, before, after, now)
    if found is not None:
        disk_keys.check_set(state, found, now)


def same_key(one: Json, other: Json) -> bool:
    """Tell whether two encryptions are the same."""
    return same(one.get("type") or PLATFORM_KEY, other.get("type") or PLATFORM_KEY) and same(
        one.get("diskEncryptionSetId"), other.get("diskEncryptionSetId")
    )


def _wanted_set(state: State, after: Json, wanted: Json) -> Json | None:
    kind, set_id = wanted.get("type") or PLATFORM_KEY, wanted.get("diskEncryptionSetId")
    if kind not in _TYPES:
        raise invalid_parameter(
            f"The value '{kind}' of parameter 'encryption.type' is invalid.", "encryption.type"
        )
    if kind == PLATFORM_KEY:
        if set_id is not None:
            raise invalid_parameter(
                f"Resource {after['name']} encrypted with platform key has disk encryption set id specified"
            )
        return None
    if set_id is None:
        raise invalid_parameter(
            f"Resource {after['name']} encrypted with customer key has no disk encryption set id specified",
            unverified=True,
        )
    found = state.find(set_id) if isinstance(set_id, str) else None
    if found is None or paths.parse(found["id"]).kind != ENCRYPTION_SET:
        raise missing(str(set_id))
    _check_set(after, kind, found)
    return found


def _check_set(after: Json, kind: str, found: Json) -> None:
    """The rules are Learn's; the wordings are assumptions."""
    here, there = paths.parse(after["id"]), paths.parse(found["id"])
    if not same(here.subscription, there.subscription):
        raise invalid_parameter(
            f"Disk encryption set '{there.name}' is in another subscription than resource '{here.name}'.",
            unverified=True,
        )
    if place(after.get("location")) != place(found.get("location")):
        raise invalid_parameter(
            f"Disk encryption set '{there.name}' is in another region than resource '{here.name}'.",
            unverified=True,
        )
    if (own := look(found, "properties.encryptionType")) not in (None, kind):
        raise invalid_parameter(
            f"Encryption type '{kind}' of resource '{here.name}' does not match type '{own}' of disk "
            f"encryption set '{there.name}'.",
            unverified=True,
        )


def _check_type(disk: Json, wanted: Json, found: Json | None) -> None:
    """Refuse what Ultra disks and Premium SSD v2 cannot have."""
    if not background_copies.is_slow(disk):
        return
    name, sku = disk["name"], disk["sku"]["name"]
    if wanted.get("type") == DOUBLE:
        raise not_allowed(
            f"Encryption type '{DOUBLE}' is not supported for disk '{name}' since it has '{sku}' SKU.",
            unverified=True,
        )
    if "UserAssigned" in str(look(found, "identity.type")):
        # Learn has it as a preview by now; only the older refusal is on record.
        raise ArmError(
            400,
            "BadRequest",
            f"DiskEncryptionSet {found['name'] if found else ''} with UserAssigned identity type is not "
            f"supported for disk {name} since it has '{sku}' SKU.",
            unverified=True,
        )


def _check_disk(state: State, before: Json | None, after: Json, now: datetime) -> None:
    name = after["name"]
    wanted: Any = look(after, "properties.encryption") or {}
    held = look(before, "properties.diskState")
    if str(held).startswith("Active"):
        raise not_allowed(
            f"There is an active shared access signature outstanding for disk {name}. Call EndGetAccess "
            "before changing its encryption.",
            unverified=True,
        )
    if before is not None and held not in ("Unattached", "Reserved"):
        # The sentence is the portal's; that the API refuses in the same words is an assumption.
        raise not_allowed(
            "Changes to encryption settings can only be made when the disk is unattached or the managing "
            "virtual machine(s) are deallocated.",
            unverified=True,
        )
    if (wanted.get("type") or PLATFORM_KEY) != PLATFORM_KEY and _is_marked(state, before, after):
        raise not_allowed(
            f"Disk '{name}' was previously encrypted with Azure Disk Encryption. Server-side encryption with "
            "customer managed keys cannot be enabled on this disk at this time.",
            unverified=True,
        )
    if before is None:
        return
    if any(_is_copy_of(before, state.find(snapshot_id)) for snapshot_id in state.increments):
        # The rule is Learn's; only the beginning of the sentence is on public record.
        raise not_allowed(
            f"Cannot update encryption properties for disk '{name}' because it already has incremental "
            "snapshots.",
            unverified=True,
        )
    if _has_restore_point(state, before):
        raise not_allowed(
            f"Cannot update encryption properties for disk '{name}' because it already has incremental "
            "restore points.",
            unverified=True,
        )
    if background_copies.is_slow(before) and not background_copies.is_complete(state, before, now):
        raise not_allowed(
            f"Encryption of disk '{name}' cannot be changed before its background copy is complete.",
            unverified=True,
        )


def _is_marked(state: State, before: Json | None, after: Json) -> bool:
    """Tell whether Azure Disk Encryption touched a disk, or what a new one is made from."""
    keys = {after["id"].lower()}
    if before is None:
        keys = {str(look(after, "properties.creationData.sourceResourceId")).lower()}
    return not keys.isdisjoint(state.ever_ade)


def _check_family(state: State, after: Json, wanted: Json) -> None:
    """Refuse an incremental snapshot under another key than its disk's."""
    if look(after, "properties.incremental") is not True:
        return
    disk = state.find(look(after, "properties.creationData.sourceResourceId"))
    if disk is None or paths.parse(disk["id"]).kind == SNAPSHOT or not _is_copy_of(disk, after):
        return
    if not same_key(look(disk, "properties.encryption") or {}, wanted):
        raise invalid_parameter(
            f"Incremental snapshot '{after['name']}' must have the encryption of its disk '{disk['name']}'.",
            "encryption",
            unverified=True,
        )


def _is_copy_of(disk: Json, snapshot: Json | None) -> bool:
    """Match by unique id, which survives a reused name, and by source where there is none."""
    creation: Any = look(snapshot, "properties.creationData") or {}
    if creation.get("sourceUniqueId"):
        return same(creation["sourceUniqueId"], disk["properties"]["uniqueId"])
    return same(creation.get("sourceResourceId"), disk["id"])


def _has_restore_point(state: State, disk: Json) -> bool:
    """Tell whether a restore point holds a disk; of a seeded one its parts may not be known."""
    for part in state.of_kind(DISK_RESTORE_POINT):
        told = part["properties"]
        if same(told.get("sourceUniqueId"), disk["properties"]["uniqueId"]):
            return True
        if told.get("sourceUniqueId") is None and same(told.get("sourceResourceId"), disk["id"]):
            return True
    for point in state.of_kind(RESTORE_POINT):
        profile: Any = look(point, "properties.sourceMetadata.storageProfile") or {}
        for entry in (profile.get("osDisk"), *(profile.get("dataDisks") or [])):
            is_known = state.find(look(entry, "diskRestorePoint.id")) is not None
            if not is_known and same(look(entry, "managedDisk.id"), disk["id"]):
                return True
    return False


def with_upper_group(resource_id: str) -> str:
    """Return an id the way the disk provider echoes it: its resource group in upper case (recorded)."""
    words = resource_id.split("/")
    for index, word in enumerate(words[:-1]):
        if word.lower() == "resourcegroups":
            words[index + 1] = words[index + 1].upper()
    return "/".join(words)
