"""Azure Backup as it concerns an upgrade: which VM is protected, and by which kind of policy."""

from msgspec import Struct

from readiness.model.ids import ResourceId


class BackupItem(Struct, frozen=True, kw_only=True):
    """A protected item of a Recovery Services vault."""

    id: ResourceId
    vm: ResourceId
    policy_type: str | None = None
    """`V1` is the Standard policy, `V2` the Enhanced one."""
    protection_state: str | None = None
    last_backup_status: str | None = None
    last_backup_time: str | None = None
