"""What holds a VM fast, whatever is to be changed: locks, its own state, replication, and its way back.

Each question stands here once and counts in every dimension whose change it would refuse.
"""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.vault import Lock
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import SecurityType, VirtualMachine
from readiness.rules import sightings
from readiness.rules.rule import Role, rule

_LEARN = "https://learn.microsoft.com/azure"
_LOCKS = Source(
    "Lock your resources to protect your infrastructure",
    f"{_LEARN}/azure-resource-manager/management/lock-resources",
    "2026-11",
)
_STATES = Source(
    "States and billing status of Azure Virtual Machines",
    f"{_LEARN}/virtual-machines/states-billing",
    "2026-11",
)
_REPLICATION = Source(
    "Azure Site Recovery support for Azure trusted launch virtual machines",
    f"{_LEARN}/site-recovery/concepts-trusted-vm",
    "2026-11",
)
_REPLICATED_KEYS = Source(
    "Replicate machines with customer-managed keys enabled disks",
    f"{_LEARN}/site-recovery/azure-to-azure-how-to-enable-replication-cmk-disks",
    "2026-11",
)
_BACKUP = Source(
    "Troubleshooting backup failures on Azure virtual machines",
    f"{_LEARN}/backup/backup-azure-vms-troubleshoot",
    "2026-11",
)
_ALLOCATION = Source(
    "Troubleshoot allocation failures when you create, restart, or resize VMs in Azure",
    "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure",
    "2026-11",
)


def _unlocked(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A read-only lock on the VM, its disks, their resource groups or the subscription refuses every write.

    A lock against deletion refuses no upgrade, but snapshots made under it stay until it is lifted.
    """
    locks = estate.protection.locks_on((vm.id, *vm.managed_disks))
    by_level = {level: [lock for lock in locks if lock.level.lower() == level] for level in _LEVELS}
    if by_level["readonly"]:
        return unmet(
            "ReadOnlyLock",
            f"Locked read-only: {_lock_names(by_level['readonly'])}.",
            *_lock_evidence(by_level["readonly"]),
        )
    odd = [lock for lock in locks if lock.level.lower() not in _LEVELS]
    if odd:
        detail = f"Nobody can tell what these locks forbid: {_lock_names(odd)}; read them."
        return unknown("LockNotUnderstood", detail, *_lock_evidence(odd))
    gap = estate.unread("Microsoft.Authorization/locks", vm.id.subscription)
    if gap is not None:
        detail = f"The locks of its subscription were not read ({gap.reason})."
        return unknown("LocksNotRead", detail, sightings.list_missing(gap))
    kept = by_level["cannotdelete"]
    if kept:
        detail = f"Snapshots cannot be deleted while {_lock_names(kept)} holds."
        return met("DeleteLockOnly", detail, *_lock_evidence(kept))
    return met("NotLocked")


def _lock_names(locks: list[Lock]) -> str:
    return ", ".join(f"{lock.id.name} on {lock.scope.name}" for lock in locks)


def _lock_evidence(locks: list[Lock]) -> list[Evidence]:
    return [Evidence(lock.id, "properties.level", lock.level) for lock in locks]


def _settled(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Azure changes a VM only between operations, and one that failed once mostly fails again."""
    at = Evidence(vm.id, "properties.provisioningState", vm.provisioning_state)
    match (vm.provisioning_state or "").lower():
        case "succeeded":
            return met("Settled", "", at)
        case "":
            return unknown("StateNotReported", "Azure did not report the VM's state; read the VM itself.", at)
        case "failed" | "canceled":
            return unmet("LastOperationFailed", f"Its last operation {vm.provisioning_state}.", at)
        case _:
            return unmet("OperationInProgress", f"It is {vm.provisioning_state} just now.", at)


def _awake(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A hibernated VM keeps its memory on its disks, and they are frozen until it is resumed."""
    disks = [disk for disk in estate.disks_of(vm) if disk is not None]
    frozen = [disk for disk in disks if (disk.state or "").lower() in ("frozen", "activesasfrozen")]
    if frozen:
        evidence = [Evidence(disk.id, "properties.diskState", disk.state) for disk in frozen]
        return unmet("Hibernated", "The VM is hibernated: its disks are frozen.", *evidence)
    return met("NotHibernated")


def _replicated(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Azure accepts the upgrade of a replicated VM, ends its protection and deletes its recovery points."""
    if vm.boot.security_type is not SecurityType.STANDARD:
        return not_applicable("AlreadyUpgraded", "The VM has been upgraded already.")
    return _replication(vm, estate)


def _replication(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A replica whose disks have another key than their source is not kept up to date any more.

    Replication is switched off and on again around the change, or the replica's disks get a set of their own.
    """
    item = estate.protection.replication_of(vm.id)
    if item is not None:
        at = Evidence(item.id, "properties.providerSpecificDetails.fabricObjectId", item.vm.text)
        return unmet("ReplicationActive", "Azure Site Recovery replicates this VM.", at)
    found = next((entry for entry in vm.extensions if _is_mobility(entry.publisher)), None)
    if found is not None:
        at = sightings.extension_publisher_of(vm, found)
        return unmet("ReplicationExtension", "Azure Site Recovery's extension is installed.", at)
    gap = estate.unread("Microsoft.RecoveryServices/vaults", vm.id.subscription)
    if gap is not None:
        detail = f"The recovery vaults were not read ({gap.reason})."
        return unknown("ReplicationNotRead", detail, sightings.list_missing(gap))
    return met("NotReplicated")


def _is_mobility(publisher: str) -> bool:
    return publisher.lower().startswith("microsoft.azure.recoveryservices.siterecovery")


def _comes_back(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A deallocated VM gives its place up, and starts again only where its size is to be had.

    Availability sets, dedicated hosts and Spot make that less certain; it is said, and forbids nothing.
    """
    sku = estate.sku_of(vm)
    size = sightings.size_of(vm)
    closed = set(vm.zones) & set(sku.restricted_zones) if sku else set()
    if sku is not None and (sku.restricted or closed):
        where = f"zone {', '.join(sorted(closed))} of {vm.location}" if closed else vm.location
        detail = f"Size {sku.name} is closed to the subscription in {where} ({sku.restricted or 'Zone'})."
        return unmet("SizeRestricted", detail, size)
    if (vm.priority or "").lower() in ("spot", "low"):
        at = Evidence(vm.id, "properties.priority", vm.priority)
        return met("SpotMayNotReturn", "A Spot VM starts again only while Azure has capacity to spare.", at)
    if vm.is_on_dedicated_host:
        detail = "It needs room on its dedicated host to start again."
        return met("NeedsRoomOnHost", detail, size)
    if vm.availability_set is not None:
        at = Evidence(vm.id, "properties.availabilitySet.id", vm.availability_set.text)
        detail = "Its availability set ties it to one cluster, which may be full when it starts again."
        return met("TiedToCluster", detail, at)
    return met("FreeToStart", "", size)


def _backed_up(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Whoever changes a VM counts on its backup: one that was stopped, or failed, is no way back.

    A job that runs just now holds snapshots of the disks, and has to end first.
    """
    item = estate.backup_of(vm)
    if item is None:
        return not_applicable("NoBackupToCheck", "No backup of this VM was seen.")
    state = Evidence(item.id, "properties.protectionState", item.protection_state)
    last = Evidence(item.id, "properties.lastBackupStatus", item.last_backup_status)
    match (item.protection_state or "").lower(), (item.last_backup_status or "").lower():
        case "irpending", _:
            return unmet("FirstBackupPending", "Its first backup has not run yet.", state)
        case (("protectionstopped" | "protectionpaused" | "backupssuspended" | "protectionerror"), _):
            return unmet("BackupStopped", f"Its backup is in state {item.protection_state}.", state)
        case _, ("inprogress" | "in progress"):
            return unmet("BackupRunning", "A backup of it is running.", last)
        case _, "failed":
            return unmet("LastBackupFailed", "Its last backup failed.", last)
        case "", "":
            # Old exports leave both out; the plan takes full snapshots of its own in any case.
            return met("BackupStateNotReported", "How its last backup ended was not reported.", state, last)
        case _:
            return met("BackupWorks", "", state, last)


_unlocked_rule = partial(
    rule,
    title="Is under no read-only lock",
    level=2,
    role=Role.BLOCKER,
    remedy="Let whoever set the lock lift it for the time of the change.",
    source=_LOCKS,
)
_settled_rule = partial(
    rule,
    title="Is between operations, and its last one succeeded",
    level=2,
    role=Role.WORK,
    remedy="Wait for the operation to end, or repair the VM until its provisioning state is Succeeded.",
    source=_STATES,
)
_awake_rule = partial(
    rule,
    title="Is not hibernated",
    level=2,
    role=Role.WORK,
    remedy="Resume the VM and shut it down in full.",
    source=_STATES,
)
_comes_back_rule = partial(
    rule,
    title="Has a size that it can be started in again",
    level=2,
    role=Role.WORK,
    remedy="Have the restriction lifted by Azure's support, or name another size, before it is deallocated.",
    source=_ALLOCATION,
)

_backed_up_rule = partial(
    rule,
    title="Has a backup that works, where it has one",
    level=2,
    role=Role.WORK,
    remedy="Let the backup's owner resume or repair it, and wait until a backup has succeeded.",
    source=_BACKUP,
)

not_replicated_for_boot = rule(
    id="TL010",
    dimension=Dimension.TRUSTED_LAUNCH,
    title="Is not replicated by Azure Site Recovery",
    level=2,
    role=Role.WORK,
    remedy="Let the owner of its recovery plan disable replication, remove the extension and the mobility "
    "service, and enable replication again after the upgrade.",
    source=_REPLICATION,
)(_replicated)
not_replicated_for_keys = rule(
    id="EN010",
    dimension=Dimension.CMK,
    title="Is not replicated by Azure Site Recovery",
    level=3,
    role=Role.WORK,
    remedy="Let the owner of its recovery plan disable replication, and enable it again after the change "
    "with a disk encryption set in the target region.",
    source=_REPLICATED_KEYS,
)(_replication)
unlocked_for_boot = _unlocked_rule(id="TL011", dimension=Dimension.TRUSTED_LAUNCH)(_unlocked)
unlocked_for_keys = _unlocked_rule(id="EN011", dimension=Dimension.CMK, level=3)(_unlocked)
unlocked_for_identity = _unlocked_rule(id="MI006", dimension=Dimension.MANAGED_IDENTITY)(_unlocked)
settled_for_boot = _settled_rule(id="TL012", dimension=Dimension.TRUSTED_LAUNCH)(_settled)
settled_for_keys = _settled_rule(id="EN012", dimension=Dimension.CMK, level=3)(_settled)
awake_for_boot = _awake_rule(id="TL013", dimension=Dimension.TRUSTED_LAUNCH)(_awake)
awake_for_keys = _awake_rule(id="EN013", dimension=Dimension.CMK, level=3)(_awake)
comes_back_for_boot = _comes_back_rule(id="TL014", dimension=Dimension.TRUSTED_LAUNCH)(_comes_back)
comes_back_for_keys = _comes_back_rule(id="EN014", dimension=Dimension.CMK, level=3)(_comes_back)

backed_up_for_boot = _backed_up_rule(id="TL022", dimension=Dimension.TRUSTED_LAUNCH)(_backed_up)
backed_up_for_keys = _backed_up_rule(id="EN023", dimension=Dimension.CMK, level=3)(_backed_up)

_LEVELS = ("readonly", "cannotdelete")

RULES = (
    not_replicated_for_boot,
    unlocked_for_boot,
    settled_for_boot,
    awake_for_boot,
    comes_back_for_boot,
    backed_up_for_boot,
    not_replicated_for_keys,
    unlocked_for_keys,
    settled_for_keys,
    awake_for_keys,
    comes_back_for_keys,
    backed_up_for_keys,
    unlocked_for_identity,
)
