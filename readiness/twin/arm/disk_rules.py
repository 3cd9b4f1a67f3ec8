"""Sizes, types, tiers, shares and network access of managed disks: what there is, and what cannot change now.

Sources: Learn, "Expand virtual hard disks" (no shrinking; an operating system disk grows only while its
machine is off, a data disk also while it runs, but not across 4 TiB), "Change the performance tier", "Change
the disk type of an Azure managed disk", "Share an Azure managed disk"; recorded refusals in
kubernetes/kubernetes#64386 (size) and MicrosoftDocs/azure-docs#57951 (shrinking).
"""

from typing import Any

from readiness.twin.arm.background_copies import is_slow
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed, property_change_not_allowed
from readiness.twin.state import State, missing

_TYPES = (
    *("Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS"),
    *("PremiumV2_LRS", "UltraSSD_LRS"),
)
_LARGEST, _LARGEST_SLOW = 32_767, 65_536
_LIVE_GROWTH = 4096
_TIERS = (
    *(("P1", 4), ("P2", 8), ("P3", 16), ("P4", 32), ("P6", 64), ("P10", 128), ("P15", 256), ("P20", 512)),
    *(("P30", 1024), ("P40", 2048), ("P50", 4096), ("P60", 8192), ("P70", 16_384), ("P80", 32_767)),
)
_POLICIES = ("AllowAll", "AllowPrivate", "DenyAll")


def check(state: State, before: Json | None, after: Json) -> None:
    """Refuse a disk that cannot be, or a change that cannot be made now; set the tier that follows."""
    _check_type(before, after)
    _check_size(before, after)
    _check_tier(before, after)
    _check_shares(before, after)
    check_network(state, after)


def _user(disk: Json) -> str:
    return str(disk.get("managedBy") or next(iter(disk.get("managedByExtended") or []), ""))


def _is_in_use(disk: Json | None) -> bool:
    return same(look(disk, "properties.diskState"), "Attached")


def _check_type(before: Json | None, after: Json) -> None:
    kind = look(after, "sku.name")
    if kind is None:
        return
    if kind not in _TYPES:
        raise invalid_parameter(
            f"The value '{kind}' of parameter 'sku.name' is invalid.", "sku.name", unverified=True
        )
    if is_slow(after) and look(after, "properties.osType") is not None:
        raise invalid_parameter(
            f"Disk '{after['name']}' of type '{kind}' cannot hold an operating system.",
            "sku.name",
            unverified=True,
        )
    was = look(before, "sku.name")
    if before is None or was is None or same(was, kind):
        return
    if _is_in_use(before):
        raise not_allowed(
            f"The type of disk {before['name']} cannot be changed while it is attached to running VM "
            f"{_user(before)}.",
            unverified=True,
        )
    if is_slow(before) or is_slow(after) or str(was).endswith("_ZRS") is not kind.endswith("_ZRS"):
        raise property_change_not_allowed("sku.name", unverified=True)


def _check_size(before: Json | None, after: Json) -> None:
    size, was = look(after, "properties.diskSizeGB"), look(before, "properties.diskSizeGB")
    if size is None or size == was:
        return
    most = _LARGEST_SLOW if is_slow(after) else _LARGEST
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= most:
        raise invalid_parameter(
            f"The value '{size}' of parameter 'disk.diskSizeGB' is out of range. The value must be between "
            f"'1' and '{most}', inclusive.",
            "disk.diskSizeGB",
            unverified=True,
        )
    if before is None or not isinstance(was, int):
        return
    if size < was:
        # The words are on record, their code and status are not.
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"The disk/snapshot resource with id {before['id']} cannot be resized down. Reducing "
            "disk/snapshot size is not supported in Azure to prevent data loss. If you do need to reduce the "
            "size of the disk, please create new snapshot/disks with the appropriate size. More information "
            "is available at https://aka.ms/AzureDisksFAQ",
            unverified=True,
        )
    is_live = look(before, "properties.osType") is None and not was <= _LIVE_GROWTH < size
    if _is_in_use(before) and not (is_live and (look(before, "properties.maxShares") or 1) == 1):
        raise not_allowed(
            f"Cannot resize disk {before['name']} while it is attached to running VM {_user(before)}."
        )


def _check_tier(before: Json | None, after: Json) -> None:
    """Give a Premium SSD the tier of its size, and let a client choose a higher one."""
    properties = after["properties"]
    if str(look(after, "sku.name")) not in ("Premium_LRS", "Premium_ZRS"):
        if properties.get("tier") is not None and properties.get("tier") != look(before, "properties.tier"):
            raise invalid_parameter(
                f"Disk '{after['name']}' has no performance tier: only Premium SSD has.",
                "tier",
                unverified=True,
            )
        properties.pop("tier", None)
        return
    size = properties.get("diskSizeGB")
    names = [name for name, _ in _TIERS]
    if not isinstance(size, int):
        return
    least = next(index for index, (_, room) in enumerate(_TIERS) if size <= room)
    wanted = properties.get("tier")
    if wanted is not None and wanted not in names:
        raise invalid_parameter(f"The value '{wanted}' of parameter 'tier' is invalid.", "tier")
    if wanted is not None and names.index(wanted) < least and wanted != look(before, "properties.tier"):
        raise invalid_parameter(
            f"Tier '{wanted}' is below the tier '{names[least]}' of a disk of {size} GB.",
            "tier",
            unverified=True,
        )
    if before is None or wanted is not None:
        properties["tier"] = names[max(least, names.index(wanted) if wanted else 0)]


def _check_shares(before: Json | None, after: Json) -> None:
    shares, was = look(after, "properties.maxShares"), look(before, "properties.maxShares")
    if shares == was:
        return
    if shares is not None and (not isinstance(shares, int) or shares < 1):
        raise invalid_parameter(f"The value '{shares}' of parameter 'maxShares' is invalid.", "maxShares")
    if _is_in_use(before):
        raise not_allowed(
            f"The number of shares of disk '{after['name']}' cannot be changed while it is attached to a "
            "running virtual machine.",
            unverified=True,
        )


def check_network(state: State, after: Json) -> None:
    """Refuse a network access policy that is none, or that lacks its disk access."""
    policy = look(after, "properties.networkAccessPolicy")
    access: Any = look(after, "properties.diskAccessId")
    if policy is not None and policy not in _POLICIES:
        raise invalid_parameter(
            f"The value '{policy}' of parameter 'networkAccessPolicy' is invalid.", "networkAccessPolicy"
        )
    if policy == "AllowPrivate":
        if not isinstance(access, str):
            raise invalid_parameter("Required parameter 'diskAccessId' is missing (null).", "diskAccessId")
        if state.find(access) is None:
            raise missing(access)
