"""Disks on their way to another key: what state they are in, what was taken of them, and who shares them."""

from datetime import UTC, datetime
from functools import partial

from readiness.model.disk import Disk
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.encryption import AT_HOST, CUSTOMER_KEYS
from readiness.rules.rule import Role, rule
from readiness.rules.sightings import list_missing

_disk_rule = partial(rule, dimension=Dimension.CMK, level=3)


@_disk_rule(
    id="EN009",
    title="Has no restore points of Azure Backup that could hold its disks",
    role=Role.BLOCKER,
    remedy="Try the change on a pilot VM with this backup policy, or let the instant restore points expire.",
    source=CUSTOMER_KEYS,
)
def no_restore_points(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Enhanced backup keeps incremental restore points; whether they forbid a new key is not documented.

    Incremental snapshots do, so until a pilot has answered the question, nobody knows.
    """
    item = estate.backup_of(vm)
    if item is None:
        gap = estate.unread("Microsoft.RecoveryServices/vaults", vm.id.subscription)
        if gap is not None:
            detail = f"The backup vaults were not read ({gap.reason})."
            return unknown("BackupNotRead", detail, list_missing(gap))
        return met("NotBackedUp", "Azure Backup does not protect this VM.")
    evidence = Evidence(item.id, "properties.policyType", item.policy_type)
    if (item.policy_type or "").upper() == "V1":
        return met("StandardPolicy", "", evidence)
    return unknown("RestorePointsMayHoldIt", "Its backup may keep incremental restore points.", evidence)


@_disk_rule(
    id="EN018",
    title="Has no restore points that hold its disks",
    role=Role.WORK,
    remedy="Delete the VM's restore points, or let them expire, and stop what makes new ones.",
    source=CUSTOMER_KEYS,
)
def no_restore_point_collections(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Restore points are incremental copies, and a disk and its incremental copies must share one key.

    Unverified: Microsoft says it of incremental snapshots; of restore points only refusals are reported.
    """
    collections = estate.protection.restore_points_of(vm.id)
    points = [point for entry in collections for point in entry.points or ()]
    if points:
        names = ", ".join(f"{point.parent.name}/{point.name}" for point in points[:_SHOWN])
        evidence = [Evidence(point, "id", point.text) for point in points[:_SHOWN]]
        detail = f"{len(points)} restore points hold its disks, such as {names}."
        return unmet("RestorePoints", detail, *evidence)
    unlisted = next((entry for entry in collections if entry.points is None), None)
    if unlisted is not None:
        at = Evidence(unlisted.id, "properties.restorePoints", None)
        detail = f"Whether {unlisted.id.name} holds restore points was not read; read it with $expand."
        return unknown("RestorePointsNotListed", detail, at)
    gap = estate.unread("Microsoft.Compute/restorePointCollections", vm.id.subscription)
    if gap is not None:
        detail = f"The subscription's restore points were not read ({gap.reason})."
        return unknown("RestorePointsNotRead", detail, list_missing(gap))
    return met("NoRestorePoints")


@_disk_rule(
    id="EN019",
    title="Has disks in a state in which a key can be changed",
    role=Role.WORK,
    remedy="Revoke shared access to the disks, finish uploads, and wait until each disk is filled.",
    source=CUSTOMER_KEYS,
)
def disks_at_rest(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A disk that is exported, uploaded to or still filling from a snapshot keeps the key it has.

    Unverified: that Azure refuses the change while shared access is open; it is taken to.
    """
    disks = [disk for disk in estate.disks_of(vm) if disk is not None]
    for disk in disks:
        state = Evidence(disk.id, "properties.diskState", disk.state)
        if (disk.state or "").lower() in _IN_TRANSFER:
            return unmet("DiskInTransfer", f"{disk.id.name} is in state {disk.state}.", state)
        filled = disk.completion_percent
        if disk.is_provisioned_performance and filled is not None and filled < _WHOLE:
            at = Evidence(disk.id, "properties.completionPercent", filled)
            return unmet("DiskFilling", f"{disk.id.name} is still filling from its source ({filled} %).", at)
    unclear = [disk for disk in disks if disk.state is None]
    if unclear:
        at = Evidence(unclear[0].id, "properties.diskState", None)
        return unknown("DiskStateNotReported", f"Azure did not report the state of {_names(unclear)}.", at)
    return met("DisksAtRest")


@_disk_rule(
    id="EN020",
    title="Shares no disk with another VM",
    role=Role.WORK,
    remedy="Plan the change for all VMs on the disk together, with their owners' consent.",
    source=CUSTOMER_KEYS,
)
def no_shared_disks(vm: VirtualMachine, estate: Estate) -> Verdict:
    """The key of a shared disk changes only while every VM on it is deallocated.

    Unverified for keys: Microsoft says it of resizing a shared disk.
    """
    shared = [disk for disk in estate.disks_of(vm) if disk is not None and disk.max_shares > 1]
    if not shared:
        return met("NoSharedDisk")
    others = sorted({sharer.name for disk in shared for sharer in disk.sharers if sharer != vm.id})
    evidence = [Evidence(disk.id, "properties.maxShares", disk.max_shares) for disk in shared]
    with_whom = f"with {', '.join(others)}" if others else "with whoever is attached then"
    return unmet("SharedDisk", f"{_names(shared)} can be shared, {with_whom}.", *evidence)


@_disk_rule(
    id="EN021",
    level=2,
    title="Is in a subscription with encryption at host, where that was chosen",
    role=Role.WORK,
    remedy="Register the feature Microsoft.Compute/EncryptionAtHost, then the provider Microsoft.Compute.",
    source=AT_HOST,
)
def at_host_registered(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Azure refuses encryption at host in subscriptions that have not registered it."""
    if not estate.choice_for(vm).encryption_at_host or vm.boot.encryption_at_host:
        return not_applicable("AtHostNotWanted", "Encryption at host is on already, or was not chosen.")
    state = estate.protection.features.get((vm.id.subscription, "microsoft.compute/encryptionathost"))
    provider = f"/subscriptions/{vm.id.subscription}/providers/Microsoft.Features/providers"
    feature = ResourceId(f"{provider}/Microsoft.Compute/features/EncryptionAtHost")
    at = Evidence(feature, "properties.state", state)
    if state is None:
        detail = (
            "Whether the subscription has registered encryption at host was not read; "
            "collect its feature registrations."
        )
        return unknown("FeatureNotRead", detail, at)
    if state.lower() != "registered":
        return unmet("FeatureNotRegistered", f"Encryption at host is {state} in the subscription.", at)
    return met("FeatureRegistered", "", at)


@_disk_rule(
    id="EN022",
    level=2,
    title="Has no old Ultra or Premium SSD v2 disk with small sectors, where encryption at host was chosen",
    role=Role.WORK,
    remedy="Make a new disk from a snapshot of the old one, and attach it in its place.",
    source=AT_HOST,
)
def sectors_fit_at_host(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Encryption at host takes 512-byte sectors only on disks that were created after 13 May 2023."""
    if not estate.choice_for(vm).encryption_at_host or vm.boot.encryption_at_host:
        return not_applicable("AtHostNotWanted", "Encryption at host is on already, or was not chosen.")
    small = [
        disk
        for disk in estate.disks_of(vm)
        if disk is not None and disk.is_provisioned_performance and disk.sector_size == _SMALL_SECTOR
    ]
    path = "properties.creationData.logicalSectorSize"
    evidence = [Evidence(disk.id, path, _SMALL_SECTOR) for disk in small]
    old = [disk for disk in small if disk.created is not None and disk.created <= _SMALL_SECTORS_SINCE]
    if old:
        return unmet("OldSmallSectors", f"{_names(old)}: 512-byte sectors, and too old for them.", *evidence)
    ageless = [disk for disk in small if disk.created is None]
    if ageless:
        detail = f"Azure did not report when {_names(ageless)} was created; read the disk."
        return unknown("DiskAgeNotReported", detail, *evidence)
    return met("SectorsFit", "", *evidence)


def _names(disks: list[Disk]) -> str:
    return ", ".join(disk.id.name for disk in disks)


_SHOWN = 3
_WHOLE = 100
_IN_TRANSFER = frozenset(("activesas", "activesasfrozen", "activeupload", "readytoupload"))
_SMALL_SECTOR = 512
_SMALL_SECTORS_SINCE = datetime(2023, 5, 13, 23, 59, 59, tzinfo=UTC)

RULES = (
    no_restore_points,
    no_restore_point_collections,
    disks_at_rest,
    no_shared_disks,
    at_host_registered,
    sectors_fit_at_host,
)
