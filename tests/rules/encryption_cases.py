"""Cases of the disk encryption rules."""

from readiness.model.disk import Encryption, EncryptionType
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import DiskAttachment, SecurityType, Sighting
from readiness.store.reference import read_reference
from tests.builders import (
    CUSTOMER_KEY,
    ENCRYPTION_SET,
    OS_DISK,
    SUBSCRIPTION,
    backup_item,
    boot,
    disk,
    encryption_set,
    extension,
    protection,
    rid,
    sku,
    snapshot,
    vm,
)
from tests.rules.case import Case, chosen

_DATA = rid("Microsoft.Compute/disks", "vm1-data")
_DATA_VM = vm(data_disks=(DiskAttachment(disk=_DATA, lun=0),))
_VHD_VM = vm(data_disks=(DiskAttachment(disk=None, lun=0),))
_EPHEMERAL_VM = vm(os_disk=DiskAttachment(disk=OS_DISK, is_ephemeral=True))
_CONFIDENTIAL_VM = vm(boot=boot(security_type=SecurityType.CONFIDENTIAL_VM))
_DOUBLE = Encryption(type=EncryptionType.PLATFORM_AND_CUSTOMER_KEYS, disk_encryption_set=ENCRYPTION_SET)
_SNAPSHOTS = Gap(
    "collect", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/snapshots", "Denied", "403"
)
_VAULTS = Gap(
    "collect", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/vaults", "Denied", "403"
)
_SET = {"context": chosen(disk_encryption_set=ENCRYPTION_SET)}
_ITEM = backup_item().id
_STATUS = "properties.instanceView.disks[0].statuses[1].code"
_AT_HOST = {"context": chosen(encryption_at_host=True)}


def _misfit(reason: str, description: str, **changes: object) -> Case:
    return Case("EN007", description, reason, vm(), {**_SET, "encryption_sets": [encryption_set(**changes)]})


_FOREIGN = rid(
    "Microsoft.Compute/diskEncryptionSets", "des1", subscription="22222222-2222-2222-2222-222222222222"
)

_CONFIDENTIAL = ResourceId(f"{ENCRYPTION_SET}-confidential")

CASES = (
    Case(
        "EN004",
        "a confidential OS disk with a set of its own",
        "met ConfidentialSetNamed",
        vm(os_disk=DiskAttachment(disk=OS_DISK, confidential_set=_CONFIDENTIAL)),
    ),
    Case(
        "EN004",
        "a confidential OS disk, and a data disk that its set cannot serve",
        "unmet NoSetNamedForDataDisks",
        vm(
            os_disk=DiskAttachment(disk=OS_DISK, confidential_set=_CONFIDENTIAL),
            data_disks=(DiskAttachment(disk=OS_DISK, lun=0),),
        ),
    ),
    Case("EN001", "platform key", "unmet PlatformKey"),
    Case("EN001", "customer key", "met CustomerKey", vm(), {"disks": [disk(encryption=CUSTOMER_KEY)]}),
    Case("EN001", "double encryption counts", "met CustomerKey", vm(), {"disks": [disk(encryption=_DOUBLE)]}),
    Case(
        "EN001",
        "a disk of a deallocated VM counts",
        "unmet PlatformKey",
        vm(),
        {"disks": [disk(state="Reserved")]},
    ),
    Case(
        "EN001",
        "a data disk that was not read",
        "unknown DiskNotRead",
        _DATA_VM,
        {"disks": [disk(encryption=CUSTOMER_KEY)]},
    ),
    Case("EN001", "one that was not read hides no plain one", "unmet PlatformKey", _DATA_VM),
    Case(
        "EN001",
        "an encryption that is not reported",
        "unknown EncryptionNotReported",
        vm(),
        {"disks": [disk(encryption=Encryption(type=EncryptionType.OTHER))]},
    ),
    Case("EN001", "a VHD", "unmet UnmanagedDisk", _VHD_VM),
    Case("EN001", "no disks", "unknown DisksNotReported", vm(os_disk=None)),
    Case(
        "EN001",
        "a confidential OS disk under a customer's key",
        "met CustomerKey",
        _CONFIDENTIAL_VM,
        {"disks": [disk(security_type="ConfidentialVM_DiskEncryptedWithCustomerKey")]},
    ),
    Case(
        "EN001",
        "a confidential OS disk whose outer key alone is the customer's",
        "unmet PlatformKey",
        _CONFIDENTIAL_VM,
        {
            "disks": [
                disk(encryption=CUSTOMER_KEY, security_type="ConfidentialVM_DiskEncryptedWithPlatformKey")
            ]
        },
    ),
    Case("EN002", "no sign of it", "met NoAde"),
    Case(
        "EN002",
        "its extension, in any letter case",
        "unmet AdeExtension",
        vm(extensions=(extension("microsoft.azure.security", "AzureDiskEncryptionForLinux"),)),
    ),
    Case("EN002", "a mark on a disk", "unmet AdeMarker", vm(), {"disks": [disk(has_ade_settings=True)]}),
    Case(
        "EN002",
        "a mark of the old kind on the VM",
        "unmet AdeMarker",
        vm(os_disk=DiskAttachment(disk=OS_DISK, has_dual_pass_ade=True)),
    ),
    Case(
        "EN002",
        "what the instance view says",
        "unmet AdeReported",
        vm(encryption_signs=(Sighting(_STATUS, "EncryptionState/encrypted"),)),
    ),
    Case(
        "EN002",
        "what the instance view says is off",
        "unknown AdeOffNow",
        vm(encryption_signs=(Sighting(_STATUS, "EncryptionState/notEncrypted"),)),
    ),
    Case(
        "EN002",
        "a mark on a snapshot, full or not",
        "unmet AdeSnapshot",
        vm(),
        {"snapshots": [snapshot(incremental=False, has_ade_settings=True)]},
    ),
    Case(
        "EN002",
        "a recovery point from the time",
        "unmet AdeRecoveryPoint",
        vm(),
        {
            "backup_items": [backup_item()],
            "protected": protection(encrypted_items={_ITEM: ResourceId(f"{_ITEM}/recoveryPoints/1")}),
        },
    ),
    Case("EN002", "a disk that was not read", "unknown DiskNotRead", vm(), {"disks": []}),
    Case(
        "EN002",
        "an extension nobody can name",
        "unknown ExtensionNotRead",
        vm(extensions=(extension("", ""),)),
    ),
    Case("EN009", "no backup", "met NotBackedUp"),
    Case(
        "EN009",
        "Standard policy",
        "met StandardPolicy",
        vm(),
        {"backup_items": [backup_item(policy_type="V1")]},
    ),
    Case(
        "EN009", "Enhanced policy", "unknown RestorePointsMayHoldIt", vm(), {"backup_items": [backup_item()]}
    ),
    Case(
        "EN009",
        "a policy of unknown kind",
        "unknown RestorePointsMayHoldIt",
        vm(),
        {"backup_items": [backup_item(policy_type=None)]},
    ),
    Case("EN009", "vaults that could not be read", "unknown BackupNotRead", vm(), {"gaps": [_VAULTS]}),
    Case("EN003", "no snapshots", "met NoIncrementalSnapshots"),
    Case("EN003", "an incremental one", "unmet IncrementalSnapshots", vm(), {"snapshots": [snapshot()]}),
    Case(
        "EN003",
        "a full one",
        "met NoIncrementalSnapshots",
        vm(),
        {"snapshots": [snapshot(incremental=False)]},
    ),
    Case(
        "EN003",
        "one of an earlier disk of the same name",
        "met NoIncrementalSnapshots",
        vm(),
        {"snapshots": [snapshot(source_unique_id="disk-0")]},
    ),
    Case(
        "EN003",
        "one of a disk whose key need not change",
        "met NoIncrementalSnapshots",
        vm(),
        {"snapshots": [snapshot()], "disks": [disk(encryption=CUSTOMER_KEY)]},
    ),
    Case("EN003", "a disk that was not read", "unknown DiskNotRead", vm(), {"disks": []}),
    Case(
        "EN003",
        "snapshots that could not be listed",
        "unknown SnapshotsNotRead",
        vm(),
        {"gaps": [_SNAPSHOTS]},
    ),
    Case("EN004", "none chosen", "unmet NoSetNamed"),
    Case("EN004", "one chosen", "met SetNamed", vm(), _SET),
    Case(
        "EN004",
        "one chosen that is not in the estate",
        "unknown SetNotRead",
        vm(),
        {**_SET, "encryption_sets": []},
    ),
    Case("EN005", "a managed disk", "met ChangeableDisks"),
    Case("EN005", "a VHD", "unmet UnmanagedDisk", _VHD_VM),
    Case("EN005", "an ephemeral OS disk", "unmet EphemeralOsDisk", _EPHEMERAL_VM),
    Case("EN005", "no OS disk reported", "unknown DisksNotReported", vm(os_disk=None)),
    Case(
        "EN005",
        "a confidential OS disk under the platform's key",
        "unmet ConfidentialOsDisk",
        _CONFIDENTIAL_VM,
        {"disks": [disk(security_type="ConfidentialVM_DiskEncryptedWithPlatformKey")]},
    ),
    Case(
        "EN005",
        "a confidential OS disk under a customer's key",
        "met ConfidentialKey",
        _CONFIDENTIAL_VM,
        {"disks": [disk(security_type="ConfidentialVM_DiskEncryptedWithCustomerKey")]},
    ),
    Case("EN005", "a confidential VM without details", "unknown EncryptionNotReported", _CONFIDENTIAL_VM),
    Case("EN006", "not chosen", "not-applicable AtHostNotWanted"),
    Case("EN006", "chosen, and the size can", "met SizeSupportsAtHost", vm(), _AT_HOST),
    Case("EN006", "no SKU data", "unknown SizeNotRead", vm(), {**_AT_HOST, "skus": []}),
    Case(
        "EN006",
        "no SKU data, but a size of the bundled table",
        "met SizeSupportsAtHostFromTable",
        vm(),
        {**_AT_HOST, "skus": [], "reference": read_reference()},
    ),
    Case(
        "EN006",
        "a size that cannot, by the table",
        "unmet SizeWithoutAtHostFromTable",
        vm(size="Standard_A2_v2"),
        {**_AT_HOST, "skus": [], "reference": read_reference()},
    ),
    Case(
        "EN006",
        "a size that cannot",
        "unmet SizeWithoutAtHost",
        vm(),
        {**_AT_HOST, "skus": [sku(encryption_at_host_supported=False)]},
    ),
    Case("EN007", "one that fits", "met SetFits", vm(), _SET),
    Case("EN007", "none chosen", "not-applicable NoSetToCheck"),
    Case(
        "EN007",
        "one in another subscription",
        "unmet OtherSubscription",
        vm(),
        {
            "context": chosen(disk_encryption_set=_FOREIGN),
            "encryption_sets": [encryption_set(id=_FOREIGN)],
        },
    ),
    _misfit("unmet OtherRegion", "one in another region", location="northeurope"),
    _misfit(
        "unmet ConfidentialSet",
        "a confidential one",
        encryption_type="ConfidentialVmEncryptedWithCustomerKey",
    ),
    _misfit("unmet KeyRotationFailed", "one that lost its key", rotation_error="KeyVaultAccessForbidden"),
    _misfit("unmet SetNotReady", "one that failed", provisioning_state="Failed"),
    _misfit("unknown SetStateNotReported", "one without a state", provisioning_state=None),
    Case(
        "EN007",
        "double encryption for an Ultra disk",
        "unmet DoubleEncryptionOnUltra",
        _DATA_VM,
        {
            **_SET,
            "disks": [disk(), disk(id=_DATA, sku="UltraSSD_LRS")],
            "encryption_sets": [
                encryption_set(encryption_type="EncryptionAtRestWithPlatformAndCustomerKeys")
            ],
        },
    ),
    Case("EN008", "not chosen", "not-applicable AtHostNotChosen"),
    Case("EN008", "chosen and off", "unmet AtHostOff", vm(), _AT_HOST),
    Case("EN008", "on", "met AtHostOn", vm(boot=boot(encryption_at_host=True))),
)
