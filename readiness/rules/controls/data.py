"""Controls of the data on a VM's disks."""

from readiness.model.assessment import Source, Whose
from readiness.model.disk import DiskEncryptionSet
from readiness.model.levels import Level
from readiness.model.verdict import Dimension, Evidence, Status, Verdict, met, not_applicable, unknown, unmet
from readiness.rules.controls.absence import missing
from readiness.rules.controls.control import (
    EvidenceClass,
    SubscriptionControl,
    SubscriptionFacts,
    VmControl,
    VmFacts,
)

_LEARN = "https://learn.microsoft.com/azure"
_REST = Source(
    "Server-side encryption of Azure Disk Storage", f"{_LEARN}/virtual-machines/disk-encryption", "2026-04"
)
_MANAGED = Source(
    "Migrate your Azure unmanaged disks",
    f"{_LEARN}/virtual-machines/unmanaged-disks-deprecation",
    "2026-04",
)
_AT_HOST = Source(
    "Use the Azure portal to enable end-to-end encryption using encryption at host",
    f"{_LEARN}/virtual-machines/disks-enable-host-based-encryption-portal",
    "2026-04",
)
_ADE = Source(
    "Migrate from Azure Disk Encryption to encryption at host",
    f"{_LEARN}/virtual-machines/disk-encryption-migrate",
    "2026-04",
)
_VAULT = Source(
    "Azure Key Vault recovery management with soft delete and purge protection",
    f"{_LEARN}/key-vault/general/key-vault-recovery",
    "2026-04",
)
_EXPORT = Source(
    "Restrict managed disks from being imported or exported",
    f"{_LEARN}/virtual-machines/disks-restrict-import-export-overview",
    "2026-04",
)
_BACKUP = Source(
    "An overview of Azure VM backup", f"{_LEARN}/backup/backup-azure-vms-introduction", "2026-04"
)
_STORAGE = Source(
    "Azure Storage encryption for data at rest",
    f"{_LEARN}/storage/common/storage-service-encryption",
    "2026-04",
)


def encrypted_at_rest(facts: VmFacts) -> Verdict:
    """Azure encrypts every managed disk at rest, with its own key unless somebody brings another."""
    if not facts.vm.disks:
        return unknown("DisksNotReported", "Azure did not report the VM's disks; read the VM itself.")
    if all(entry.disk is None for entry in facts.vm.disks):
        return not_applicable("UnmanagedDisk", "The VM has no managed disk; another control asks for them.")
    return met("EncryptedByDesign")


def managed_disks(facts: VmFacts) -> Verdict:
    """A VHD in a storage account has none of the protections of a managed disk."""
    if not facts.vm.disks:
        return unknown("DisksNotReported", "Azure did not report the VM's disks; read the VM itself.")
    if any(entry.disk is None for entry in facts.vm.disks):
        path = "properties.storageProfile"
        return unmet(
            "UnmanagedDisk", "A disk is a VHD in a storage account.", Evidence(facts.vm.id, path, "vhd")
        )
    return met("ManagedDisks")


def encrypted_at_host(facts: VmFacts) -> Verdict:
    """The host encrypts caches and temporary disks too, which keys on disks leave out."""
    is_on = facts.vm.boot.encryption_at_host
    at = Evidence(facts.vm.id, "properties.securityProfile.encryptionAtHost", is_on)
    return met("AtHostOn", "", at) if is_on else unmet("AtHostOff", "Encryption at host is off.", at)


def no_guest_encryption(facts: VmFacts) -> Verdict:
    """Azure Disk Encryption retires on 2028-09-15; VMs under it do not start after that."""
    return facts.rule("EN002")


def customer_key(facts: VmFacts) -> Verdict:
    """Whoever holds the key decides who reads the disks."""
    return facts.rule("EN001")


def key_hygiene(facts: VmFacts) -> Verdict:
    """A lost key is lost data: vaults keep deleted keys, nobody can purge them, and keys are renewed."""
    estate = facts.estate
    wanted = {disk.encryption.disk_encryption_set for disk in estate.disks_of(facts.vm) if disk is not None}
    names = [name for name in wanted if name is not None]
    if not names:
        return not_applicable("NoCustomerKey", "No disk of the VM is under a customer-managed key.")
    answers = [_key_kept(estate.encryption_sets.get(name), facts) for name in sorted(names)]
    failing = [answer for answer in answers if answer.status is Status.UNMET]
    unsure = [answer for answer in answers if answer.status is Status.UNKNOWN]
    return (failing or unsure or answers)[0]


def _key_kept(found: DiskEncryptionSet | None, facts: VmFacts) -> Verdict:
    if found is None:
        return unknown("SetNotRead", "A disk encryption set was not read; collect it.")
    if found.rotation_error is not None:
        at = Evidence(found.id, "properties.autoKeyRotationError.code", found.rotation_error)
        return unmet("KeyRotationFailed", f"{found.id.name} cannot reach its newest key.", at)
    if not found.rotates:
        at = Evidence(found.id, "properties.rotationToLatestKeyVersionEnabled", found.rotates)
        return unmet("KeyNotRotated", f"{found.id.name} does not follow new versions of its key.", at)
    vault = facts.estate.protection.vaults.get(found.source_vault) if found.source_vault else None
    if vault is None:
        return unknown("VaultNotRead", f"The key vault of {found.id.name} was not read; collect it.")
    purge = Evidence(vault.id, "properties.enablePurgeProtection", vault.purge_protection)
    if not vault.purge_protection:
        return unmet("KeyCanBePurged", f"{vault.id.name} has no purge protection.", purge)
    # Purge protection cannot be had without soft delete, which newer vaults do not report any more.
    if vault.soft_delete is False:
        deleted = Evidence(vault.id, "properties.enableSoftDelete", value=False)
        return unmet("KeyCanBePurged", f"{vault.id.name} forgets deleted keys.", deleted)
    return met("KeyKept", "", purge)


def export_locked(facts: VmFacts) -> Verdict:
    """Whoever may read a disk's metadata cannot download its contents over the internet.

    Signing in for the download is not asked for: Azure Backup fails on disks that demand it.
    """
    if not facts.vm.managed_disks:
        return not_applicable("UnmanagedDisk", "The VM has no managed disk.")
    unread = []
    for disk_id, disk in zip(facts.vm.managed_disks, facts.estate.disks_of(facts.vm), strict=True):
        if disk is None or disk.network_access is None:
            unread.append(disk_id.name)
            continue
        access = disk.network_access.lower()
        is_private = access == "allowprivate" and (disk.public_access or "").lower() == "disabled"
        if access != "denyall" and not is_private:
            at = Evidence(disk_id, "properties.networkAccessPolicy", disk.network_access)
            return unmet("ExportOpen", f"{disk_id.name} can be exported over the internet.", at)
    if unread:
        return unknown("DiskNotRead", f"How it can be exported was not read: {', '.join(unread)}.")
    return met("ExportLocked")


def restorable(facts: VmFacts) -> Verdict:
    """The last backup went well, and somebody has restored from it and says so."""
    item = facts.estate.backup_of(facts.vm)
    if item is None:
        return missing(facts, _ITEMS, "NotBackedUp", "Azure Backup does not protect this VM.")
    at = Evidence(item.id, "properties.lastBackupStatus", item.last_backup_status)
    state = (item.protection_state or "").lower()
    if (item.last_backup_status or "").lower() in ("failed", "unhealthy") or state in _UNPROTECTED:
        return unmet("BackupUnhealthy", "The last backup failed, or protection has been stopped.", at)
    return unknown(
        "RestoreNotAttested", "It is backed up; nobody has attested that a restore was tested.", at
    )


def storage_keys(_facts: SubscriptionFacts) -> Verdict:
    """Storage accounts have keys of their own; they are no part of an estate of VMs."""
    return not_applicable("OutOfScope", "Storage accounts are not assessed.")


_ITEMS = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
_UNPROTECTED = ("protectionstopped", "protectionerror", "irpending", "protectionpaused")

CONTROLS = (
    VmControl(
        id="DP-1",
        title="Data are encrypted at rest",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Nothing is to be done for managed disks; read the VM if its disks were not reported.",
        source=_REST,
        whose=Whose.OURS,
        dimension=Dimension.CMK,
        check=encrypted_at_rest,
    ),
    VmControl(
        id="DP-2",
        title="All disks are managed",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Convert the VM to managed disks.",
        source=_MANAGED,
        whose=Whose.OTHER_TEAM,
        dimension=Dimension.CMK,
        seed_claim="Unmanaged disks are said to need encryption. They are retired, and are to be converted.",
        check=managed_disks,
    ),
    VmControl(
        id="DP-3",
        title="The host encrypts everything",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch encryption at host on while the VM is deallocated.",
        source=_AT_HOST,
        whose=Whose.OURS,
        dimension=Dimension.CMK,
        rests_on=("EN008",),
        seed_claim="Azure Disk Encryption is said to be required on all disks. It retires; encryption at "
        "host takes its place.",
        check=encrypted_at_host,
    ),
    VmControl(
        id="DP-4",
        title="Azure Disk Encryption is gone",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Build the VM anew with encryption at host before 2028-09-15.",
        source=_ADE,
        whose=Whose.OURS,
        dimension=Dimension.CMK,
        rests_on=("EN002",),
        seed_claim="Azure Disk Encryption is said to be required on all disks. It retires on 2028-09-15.",
        check=no_guest_encryption,
    ),
    VmControl(
        id="DP-5",
        title="All disks are under a customer-managed key",
        level=Level.FULL,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Bring every disk under the disk encryption set that was chosen for it.",
        source=_REST,
        whose=Whose.OURS,
        dimension=Dimension.CMK,
        rests_on=("EN001",),
        check=customer_key,
    ),
    VmControl(
        id="DP-6",
        title="Keys cannot be lost",
        level=Level.FULL,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch on purge protection and rotation, and repair what fails.",
        source=_VAULT,
        whose=Whose.OTHER_TEAM,
        dimension=Dimension.CMK,
        comes_with=Dimension.CMK,
        seed_claim="Keys are said to need renewal every hour. That is risky, and is not asked for.",
        check=key_hygiene,
    ),
    VmControl(
        id="DP-7",
        title="Disks cannot be exported over the internet",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Set the network access policy to deny all, or to a disk access with public access disabled.",
        source=_EXPORT,
        whose=Whose.OTHER_TEAM,
        check=export_locked,
    ),
    VmControl(
        id="DP-8",
        title="Backed up, and restored for a test",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Protect the VM with Azure Backup, test a restore, and attest it.",
        source=_BACKUP,
        whose=Whose.OTHER_TEAM,
        check=restorable,
    ),
    SubscriptionControl(
        id="DP-9",
        title="Storage accounts have keys of their own",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Nothing is to be done here.",
        source=_STORAGE,
        whose=Whose.OTHER_TEAM,
        check=storage_keys,
    ),
)
