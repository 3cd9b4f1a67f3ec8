"""Cases of what holds a VM fast, whatever the change: each is asked for Trusted Launch and for its keys."""

from dataclasses import replace

from readiness.model.backup import ReplicatedItem
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.vault import Lock
from readiness.model.virtual_machine import SecurityType
from tests.builders import (
    OS_DISK,
    REGION,
    SUBSCRIPTION,
    backup_item,
    boot,
    disk,
    extension,
    protection,
    rid,
    sku,
    vm,
    vm_id,
)
from tests.rules.case import Case

_LOCKS = Gap(
    "collect", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks", "Denied", "403"
)
_VAULTS = Gap(
    "collect", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/vaults", "Denied", "403"
)
_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-APP"
_ITEM = ReplicatedItem(id=rid("Microsoft.RecoveryServices/vaults", "rsv/replicationFabrics/f"), vm=vm_id())


def _lock(scope: str, level: str = "ReadOnly") -> dict[str, object]:
    own = ResourceId(f"{scope}/providers/Microsoft.Authorization/locks/l")
    return {"protected": protection(locks=(Lock(id=own, scope=ResourceId(scope), level=level),))}


_BOTH = (
    Case("TL011", "no lock", "met NotLocked"),
    Case("TL011", "one on the VM", "unmet ReadOnlyLock", vm(), _lock(vm_id().text)),
    Case("TL011", "one on a disk", "unmet ReadOnlyLock", vm(), _lock(OS_DISK.text.upper(), "readonly")),
    Case("TL011", "one on its resource group", "unmet ReadOnlyLock", vm(), _lock(_GROUP)),
    Case(
        "TL011",
        "one on its subscription",
        "unmet ReadOnlyLock",
        vm(),
        _lock(f"/subscriptions/{SUBSCRIPTION}"),
    ),
    Case("TL011", "one on something else", "met NotLocked", vm(), _lock(f"{_GROUP}-two")),
    Case("TL011", "one against deletion", "met DeleteLockOnly", vm(), _lock(_GROUP, "CanNotDelete")),
    Case("TL011", "one of the future", "unknown LockNotUnderstood", vm(), _lock(_GROUP, "NotReported")),
    Case("TL011", "locks that could not be listed", "unknown LocksNotRead", vm(), {"gaps": [_LOCKS]}),
    Case("TL012", "a VM at rest", "met Settled"),
    Case("TL012", "a VM in the midst of it", "unmet OperationInProgress", vm(provisioning_state="Updating")),
    Case("TL012", "a VM that failed", "unmet LastOperationFailed", vm(provisioning_state="failed")),
    Case("TL012", "a VM without a state", "unknown StateNotReported", vm(provisioning_state=None)),
    Case("TL013", "a VM that is awake", "met NotHibernated"),
    Case("TL013", "a hibernated one", "unmet Hibernated", vm(), {"disks": [disk(state="Frozen")]}),
    Case("TL014", "nothing special", "met FreeToStart"),
    Case(
        "TL014",
        "a size that the subscription cannot have any more",
        "unmet SizeRestricted",
        vm(),
        {"skus": [sku(restricted="NotAvailableForSubscription")]},
    ),
    Case(
        "TL014",
        "a size that is closed in its zone",
        "unmet SizeRestricted",
        vm(zones=("2",)),
        {"skus": [sku(restricted_zones=("2", "3"))]},
    ),
    Case(
        "TL014",
        "a size that is closed in another zone",
        "met FreeToStart",
        vm(zones=("1",)),
        {"skus": [sku(restricted_zones=("2",))]},
    ),
    Case("TL014", "a Spot VM", "met SpotMayNotReturn", vm(priority="Spot")),
    Case("TL014", "a dedicated host", "met NeedsRoomOnHost", vm(is_on_dedicated_host=True)),
    Case(
        "TL014",
        "an availability set",
        "met TiedToCluster",
        vm(availability_set=rid("Microsoft.Compute/availabilitySets", "as1")),
    ),
    Case("TL010", "no replication", "met NotReplicated"),
    Case(
        "TL010",
        "a replicated item",
        "unmet ReplicationActive",
        vm(),
        {"protected": protection(replicated=(_ITEM,))},
    ),
    Case(
        "TL010",
        "its extension",
        "unmet ReplicationExtension",
        vm(extensions=(extension("Microsoft.Azure.RecoveryServices.SiteRecovery2", "Linux"),)),
    ),
    Case("TL010", "vaults that could not be read", "unknown ReplicationNotRead", vm(), {"gaps": [_VAULTS]}),
)
CASES = (
    *_BOTH,
    *(replace(case, rule=case.rule.replace("TL", "EN")) for case in _BOTH),
    *(replace(case, rule="MI006") for case in _BOTH if case.rule == "TL011"),
    Case(
        "TL010",
        "upgraded already",
        "not-applicable AlreadyUpgraded",
        vm(boot=boot(security_type=SecurityType.TRUSTED_LAUNCH), location=REGION),
    ),
    *(
        Case(
            rule,
            description,
            expected,
            vm(),
            {"backup_items": [backup_item(protection_state=state, last_backup_status=last)]},
        )
        for rule in ("TL022", "EN023")
        for description, expected, state, last in (
            ("a backup", "met BackupWorks", "Protected", "Completed"),
            ("nothing reported", "met BackupStateNotReported", None, None),
            ("a first backup to come", "unmet FirstBackupPending", "IRPending", None),
            ("a stopped backup", "unmet BackupStopped", "ProtectionStopped", "Completed"),
            ("a paused backup", "unmet BackupStopped", "ProtectionPaused", "Completed"),
            ("a running job", "unmet BackupRunning", "Protected", "InProgress"),
            ("a failed job", "unmet LastBackupFailed", "Protected", "Failed"),
        )
    ),
    Case("TL022", "no backup", "not-applicable NoBackupToCheck"),
    Case("EN023", "no backup", "not-applicable NoBackupToCheck"),
)
