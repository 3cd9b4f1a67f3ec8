"""Azure Backup as preparation: a fresh recovery point, and an Enhanced policy in the place of a Standard one.

No upgrade of its own: every upgrade with an outage asks for it, and it is done once for a VM.

Sources: Microsoft Learn, "Back up Azure VMs in a Recovery Services vault" (on-demand backup:
https://learn.microsoft.com/azure/backup/backup-during-vm-creation#run-a-backup-immediately), and "Migrate
Azure VM backups from standard to enhanced policy"
(https://learn.microsoft.com/azure/backup/backup-azure-vm-migrate-enhanced-policy): Trusted Launch cannot be
enabled on a VM whose backup has a Standard policy; the move is one-way, takes managed disks, and is refused
while a backup job runs.
Does not: choose a policy, protect a VM that is not protected, or take a policy back.
"""

from readiness.model.playbook import Target
from readiness.model.steps import BackUp, Change, ChangeBackupPolicy

MAX_AGE_HOURS = 24
"""How young a recovery point has to be to count as fresh."""


def fresh(target: Target) -> tuple[Change, ...]:
    """Have a young recovery point of a VM that Azure Backup protects; taken now unless there is one."""
    if target.backup_item is None:
        return ()
    return (BackUp(vm=target.vm.id, item=target.backup_item, max_age_hours=MAX_AGE_HOURS),)


def enhanced(target: Target) -> tuple[Change, ...]:
    """Move the backup to the chosen Enhanced policy. It comes first: the move is refused during a backup."""
    if target.backup_item is None or target.backup_policy is None:
        return ()
    return (ChangeBackupPolicy(vm=target.vm.id, item=target.backup_item, policy=target.backup_policy),)


def consent(target: Target) -> tuple[str, ...]:
    """Return what its owner agrees to where the policy changes."""
    if not enhanced(target) or target.backup_policy is None:
        return ()
    return (
        f"its backup moves to policy {target.backup_policy.name}: there is no way back to a Standard one",
    )
