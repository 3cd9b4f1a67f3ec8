"""Customer-managed keys: whether all of a VM's disks are under one, and what stands in the way."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.disk import Disk, EncryptionType
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.sku import Sku
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import Extension, SecurityType, Sighting, VirtualMachine
from readiness.rules import sightings
from readiness.rules.not_read import nameless_extensions
from readiness.rules.rule import Role, rule
from readiness.rules.sizes import with_table_said

_LEARN = "https://learn.microsoft.com/azure/virtual-machines"
_ENCRYPTION = Source("Server-side encryption of Azure Disk Storage", f"{_LEARN}/disk-encryption", "2026-11")
CUSTOMER_KEYS = Source(
    "Use the Azure portal to enable server-side encryption with customer-managed keys for managed disks",
    f"{_LEARN}/disks-enable-customer-managed-keys-portal",
    "2026-11",
)
MIGRATE = Source(
    "Migrate from Azure Disk Encryption to encryption at host", f"{_LEARN}/disk-encryption-migrate", "2026-11"
)
AT_HOST = Source(
    "Use the Azure portal to enable end-to-end encryption using encryption at host",
    f"{_LEARN}/disks-enable-host-based-encryption-portal",
    "2026-11",
)

_encryption_rule = partial(rule, dimension=Dimension.CMK, level=3)


@_encryption_rule(
    id="EN001",
    title="Has all its disks under a customer-managed key",
    role=Role.GOAL,
    remedy="Choose a disk encryption set for the VM where none is chosen, and bring all its disks under it.",
    source=_ENCRYPTION,
)
def customer_key(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Whoever holds the key decides who reads the disks; double encryption has a customer's key as well.

    Azure Disk Encryption does not count: it encrypts inside the guest and leaves the platform's key outside.
    """
    if not vm.disks:
        detail = "Azure did not report the VM's disks; read the VM itself."
        return unknown("DisksNotReported", detail, sightings.os_disk_missing(vm))
    if any(entry.disk is None for entry in vm.disks):
        detail = "The VM has a VHD in a storage account, which no key of this kind protects."
        return unmet("UnmanagedDisk", detail, *sightings.unmanaged_disks_of(vm))
    disks = [disk for disk in estate.disks_of(vm) if disk is not None]
    kinds = [(disk, _uses_customer_key(vm, disk)) for disk in disks]
    plain = [disk for disk, uses in kinds if uses is False]
    if plain:
        detail = f"Not under a customer-managed key: {_names([disk.id for disk in plain])}."
        return unmet("PlatformKey", detail, *map(_key_evidence, plain))
    unread = _unread_disks(vm, estate)
    if unread:
        detail = f"Not read: {_names(unread)}; read these disks."
        return unknown("DiskNotRead", detail, *sightings.unread_of(unread, estate))
    unclear = [disk for disk, uses in kinds if uses is None]
    if unclear:
        names = _names([disk.id for disk in unclear])
        detail = f"Azure did not report the encryption of {names}, or in unknown words."
        return unknown("EncryptionNotReported", detail, *map(_key_evidence, unclear))
    return met("CustomerKey", "", *map(_key_evidence, disks))


@_encryption_rule(
    id="EN002",
    title="Was never under Azure Disk Encryption",
    role=Role.BLOCKER,
    remedy="Build the VM anew with encryption at host and customer-managed keys, "
    "before Azure Disk Encryption retires on 2028-09-15.",
    source=MIGRATE,
)
def never_ade(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A disk that Azure Disk Encryption ever touched stays marked, and Azure refuses it a customer's key.

    Azure keeps the mark even where no API shows it: no sign means that none was found, and Azure has the
    last word. Every sign counts, those on copies included.
    """
    found = next((entry for entry in vm.extensions if _is_ade(entry)), None)
    if found is not None:
        at = sightings.extension_of(vm, found)
        return unmet("AdeExtension", "Azure Disk Encryption is installed.", at)
    live = next((sign for sign in vm.encryption_signs if is_live(sign)), None)
    if live is not None:
        at = Evidence(vm.id, live.path, live.value)
        return unmet("AdeReported", "The instance view reports encryption inside the guest.", at)
    marked = [disk for disk in estate.disks_of(vm) if disk is not None and disk.has_ade_settings]
    evidence = [*map(sightings.ade_mark_of, marked), *_dual_pass(vm)]
    if evidence:
        detail = "Disks bear the marks of Azure Disk Encryption, past or present, switched on or off."
        return unmet("AdeMarker", detail, *evidence)
    return _tainted_copies(vm, estate) or _ade_in_doubt(vm, estate) or met("NoAde", _NO_SIGN)


def _tainted_copies(vm: VirtualMachine, estate: Estate) -> Verdict | None:
    """A copy that carries the marks proves that its disk once did, even if the disk shows none any more."""
    disks = [disk for disk in estate.disks_of(vm) if disk is not None] if estate.snapshots else []
    copies = [entry for disk in disks for entry in estate.snapshots_of(disk) if entry.has_ade_settings]
    if copies:
        evidence = [sightings.ade_mark_of(entry) for entry in copies]
        detail = f"Snapshots of its disks bear the marks: {', '.join(entry.id.name for entry in copies)}."
        return unmet("AdeSnapshot", detail, *evidence)
    item = estate.backup_of(vm)
    point = estate.protection.encrypted_items.get(item.id) if item is not None else None
    if point is not None:
        at = Evidence(point, "properties.isSourceVMEncrypted", value=True)
        return unmet("AdeRecoveryPoint", "A recovery point was taken while the VM was encrypted.", at)
    return None


def _ade_in_doubt(vm: VirtualMachine, estate: Estate) -> Verdict | None:
    unread = _unread_disks(vm, estate)
    if unread:
        detail = f"Not read: {_names(unread)}; read these disks."
        return unknown("DiskNotRead", detail, *sightings.unread_of(unread, estate))
    if vm.encryption_signs:
        detail = "The instance view speaks of encryption that is off; ask whether it was ever on."
        sign = vm.encryption_signs[0]
        return unknown("AdeOffNow", detail, Evidence(vm.id, sign.path, sign.value))
    return nameless_extensions(vm)


@_encryption_rule(
    id="EN003",
    title="Has no incremental snapshots",
    role=Role.WORK,
    remedy="Delete the disks' incremental snapshots, or let them expire, and stop what makes new ones.",
    source=CUSTOMER_KEYS,
)
def no_incremental_snapshots(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A disk and its incremental snapshots must share one key, so Azure refuses to change the disk alone."""
    disks = [
        disk for disk in estate.disks_of(vm) if disk is not None and not disk.encryption.uses_customer_key
    ]
    found = [entry for disk in disks for entry in estate.incremental_snapshots_of(disk)]
    if found:
        evidence = [Evidence(entry.id, "properties.incremental", value=True) for entry in found]
        detail = f"Incremental snapshots: {', '.join(entry.id.name for entry in found)}."
        return unmet("IncrementalSnapshots", detail, *evidence)
    unread = _unread_disks(vm, estate)
    if unread:
        detail = f"Not read: {_names(unread)}; read these disks."
        return unknown("DiskNotRead", detail, *sightings.unread_of(unread, estate))
    gap = estate.unread("Microsoft.Compute/snapshots", vm.id.subscription)
    if gap is not None:
        detail = f"The subscription's snapshots were not read ({gap.reason})."
        return unknown("SnapshotsNotRead", detail, sightings.list_missing(gap))
    return met("NoIncrementalSnapshots")


@_encryption_rule(
    id="EN005",
    title="Has only disks whose key can be changed in place",
    role=Role.BLOCKER,
    remedy="Convert VHDs to managed disks; build a VM with an ephemeral or confidential OS disk anew.",
    source=CUSTOMER_KEYS,
)
def changeable_disks(vm: VirtualMachine, estate: Estate) -> Verdict:
    """VHDs have no such key; ephemeral and confidential OS disks get theirs when the VM is created."""
    if vm.os_disk is None:
        detail = "Azure did not report the VM's OS disk; read the VM itself."
        return unknown("DisksNotReported", detail, sightings.os_disk_missing(vm))
    if any(entry.disk is None for entry in vm.disks):
        detail = "The VM has a VHD in a storage account."
        return unmet("UnmanagedDisk", detail, *sightings.unmanaged_disks_of(vm))
    if vm.os_disk.is_ephemeral:
        path = "properties.storageProfile.osDisk.diffDiskSettings.option"
        return unmet("EphemeralOsDisk", "The OS disk is ephemeral.", Evidence(vm.id, path, "Local"))
    disk = estate.os_disk_of(vm)
    if vm.boot.security_type is not SecurityType.CONFIDENTIAL_VM or disk is None:
        return met("ChangeableDisks")
    match _uses_customer_key(vm, disk):
        case True:
            return met("ConfidentialKey", "", _key_evidence(disk))
        case False:
            detail = "The OS disk of a confidential VM gets its key when the VM is created."
            return unmet("ConfidentialOsDisk", detail, _key_evidence(disk))
        case None:
            detail = (
                "Azure did not report how the OS disk of this confidential VM is encrypted; read the disk."
            )
            return unknown("EncryptionNotReported", detail, _key_evidence(disk))


@_encryption_rule(
    id="EN006",
    level=2,
    title="Has a size that supports encryption at host, where that was chosen",
    role=Role.WORK,
    remedy="Resize the VM to a size that supports encryption at host.",
    source=AT_HOST,
)
def size_supports_at_host(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Encryption at host is done by the host, and not every host can."""
    if not estate.choice_for(vm).encryption_at_host or vm.boot.encryption_at_host:
        return not_applicable("AtHostNotWanted", "Encryption at host is on already, or was not chosen.")
    sku, from_table = estate.size_of(vm)
    if sku is not None and from_table:
        return with_table_said(_at_host_verdict(vm, sku), vm, estate)
    return _at_host_verdict(vm, sku)


def _at_host_verdict(vm: VirtualMachine, sku: Sku | None) -> Verdict:
    size = sightings.size_of(vm)
    if sku is None or sku.encryption_at_host_supported is None:
        detail = f"The capabilities of size {vm.size or '(not reported)'} in {vm.location} were not read; "
        return unknown("SizeNotRead", detail + "collect the compute SKUs of this region.", size)
    if not sku.encryption_at_host_supported:
        return unmet("SizeWithoutAtHost", f"Size {sku.name} has no encryption at host.", size)
    return met("SizeSupportsAtHost", "", size)


@_encryption_rule(
    id="EN008",
    level=2,
    title="Is encrypted at host, where that was chosen",
    role=Role.GOAL,
    remedy="Turn encryption at host on while the VM is deallocated.",
    source=AT_HOST,
)
def at_host(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Keys on disks leave caches and temporary disks out; encryption at host covers these as well."""
    evidence = Evidence(vm.id, "properties.securityProfile.encryptionAtHost", vm.boot.encryption_at_host)
    if vm.boot.encryption_at_host:
        return met("AtHostOn", "", evidence)
    if not estate.choice_for(vm).encryption_at_host:
        return not_applicable(
            "AtHostNotChosen", "Nobody has chosen encryption at host for this VM.", evidence
        )
    absent = "" if vm.boot.encryption_at_host is False else ", as nobody ever set it"
    return unmet("AtHostOff", f"Encryption at host was chosen and is off{absent}.", evidence)


_NOT_ENCRYPTED = "encryptionstate/notencrypted"
_NO_SIGN = "There is no sign of Azure Disk Encryption."

RULES = (
    customer_key,
    never_ade,
    no_incremental_snapshots,
    changeable_disks,
    size_supports_at_host,
    at_host,
)


def _uses_customer_key(vm: VirtualMachine, disk: Disk) -> bool | None:
    is_confidential = vm.boot.security_type is SecurityType.CONFIDENTIAL_VM
    if is_confidential and vm.os_disk is not None and vm.os_disk.disk == disk.id:
        return _confidential_key(disk)
    if disk.encryption.type is EncryptionType.OTHER:
        return None
    return disk.encryption.uses_customer_key


def _confidential_key(disk: Disk) -> bool | None:
    # Only the encryption inside the confidential boundary counts for such a disk, not the one around it.
    kind = (disk.security_type or "").lower()
    if not kind.startswith("confidentialvm"):
        return None
    return kind == "confidentialvm_diskencryptedwithcustomerkey"


def _is_ade(extension: Extension) -> bool:
    kind = extension.type.lower()
    return extension.publisher.lower() == "microsoft.azure.security" and kind.startswith(
        "azurediskencryption"
    )


def is_live(sign: Sighting) -> bool:
    """Whether the instance view says with this that a disk is encrypted in the guest now."""
    return not (isinstance(sign.value, str) and sign.value.lower() == _NOT_ENCRYPTED)


def _dual_pass(vm: VirtualMachine) -> list[Evidence]:
    return [
        Evidence(vm.id, f"{sightings.attachment_path(entry)}.encryptionSettings.enabled", entry.ade_enabled)
        for entry in vm.disks
        if entry.has_dual_pass_ade
    ]


def _unread_disks(vm: VirtualMachine, estate: Estate) -> list[ResourceId]:
    if None not in estate.disks_of(vm):
        return []
    return [disk for disk in vm.managed_disks if disk not in estate.disks]


def _names(disks: list[ResourceId]) -> str:
    return ", ".join(disk.name for disk in disks)


def _key_evidence(disk: Disk) -> Evidence:
    if (disk.security_type or "").lower().startswith("confidentialvm"):
        return Evidence(disk.id, "properties.securityProfile.securityType", disk.security_type)
    return Evidence(disk.id, "properties.encryption.type", disk.written_encryption)
