"""Steps around the change: Azure Backup, and the owners' own commands."""

from typing import ClassVar

from readiness.model.ids import ResourceId
from readiness.model.steps.kinds import LOOK, StepBase, Undo

_BACKUP = "Microsoft.RecoveryServices/vaults"
_BACKUP_READ = (
    *LOOK,
    f"{_BACKUP}/backupJobs/read",
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/read",
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read",
    f"{_BACKUP}/backupPolicies/read",
)
_BACKUP_WRITE = (
    *_BACKUP_READ,
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/backup/action",
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/write",
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/operationResults/read",
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/operationsStatus/read",
)


class BackUp(StepBase, frozen=True, kw_only=True, tag="back-up"):
    """Have a recovery point that is young enough: take one now unless there is one."""

    words: ClassVar[str] = "back up"
    duration: ClassVar[str] = "backup"
    actions: ClassVar[tuple[str, ...]] = _BACKUP_WRITE

    item: ResourceId
    """The protected item of Azure Backup."""
    max_age_hours: int = 24
    retain_days: int = 30


class ProveBackup(StepBase, frozen=True, kw_only=True, tag="prove-backup"):
    """Ask Azure Backup whether there is a recovery point that is young enough."""

    words: ClassVar[str] = "prove its backup"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _BACKUP_READ

    item: ResourceId
    max_age_hours: int = 168
    """Preparation is done days before the window."""
    policy: ResourceId | None = None
    """The policy that its preparation was to move it to, if any."""


class ChangeBackupPolicy(StepBase, frozen=True, kw_only=True, tag="change-backup-policy"):
    """Put the VM's protected item under an Enhanced policy of the same vault: Azure knows no way back."""

    words: ClassVar[str] = "change the backup policy to"
    duration: ClassVar[str] = "backup-policy"
    actions: ClassVar[tuple[str, ...]] = _BACKUP_WRITE
    undo: ClassVar[Undo] = Undo.NONE

    item: ResourceId
    policy: ResourceId


class RunHook(StepBase, frozen=True, kw_only=True, tag="run-hook"):
    """Run a command of the team on the machine of the runner: silence an alert, drain a pool."""

    words: ClassVar[str] = "hook"
    duration: ClassVar[str] = "hook"
    actions: ClassVar[tuple[str, ...]] = ()

    name: str
    command: tuple[str, ...]
    """Program and arguments; no shell reads them."""
    timeout: int = 300


class RunHookAfter(RunHook, frozen=True, kw_only=True, tag="run-hook-after"):
    """The same once the VM is through: a failure is told, and changes nothing."""

    courtesy: ClassVar[bool] = True


ProtectionStep = BackUp | ProveBackup | ChangeBackupPolicy
