"""Backup, restore points and replication as they concern an upgrade: which VM is protected, and how."""

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


class RestorePointCollection(Struct, frozen=True, kw_only=True):
    """A collection of restore points of one VM; every restore point after the first is incremental."""

    id: ResourceId
    vm: ResourceId
    points: tuple[ResourceId, ...] | None = None
    """None where the collection was read without its restore points."""


class ReplicatedItem(Struct, frozen=True, kw_only=True):
    """A VM that Azure Site Recovery replicates."""

    id: ResourceId
    vm: ResourceId
    state: str | None = None
