"""Use case: what the history says, as CSV."""

from datetime import UTC

from readiness.app.history import Comparison, Listed
from reports.comma_separated import csv_bytes
from reports.tables.progress_vms import progress_changes
from reports.tables.table import Column, Kind, Table


def changes_csv(comparison: Comparison) -> bytes:
    """Return a comparison, one line a change."""
    return _as_csv(progress_changes(comparison.changes))


def history_csv(listed: Listed) -> bytes:
    """Return the list of snapshots, one line each."""
    columns = (
        Column("Estate", 24),
        Column("As of", 12, Kind.DAY),
        Column("Snapshot", 64),
        Column("VMs", 9, Kind.COUNT),
        Column("Not read", 9, Kind.COUNT),
        Column("Recorded at (UTC)", 18, Kind.MOMENT),
        Column("Release", 10),
    )
    rows = tuple(
        (
            one.estate,
            one.as_of,
            one.digest,
            one.vms,
            one.unread,
            one.recorded_at.astimezone(UTC).replace(tzinfo=None, microsecond=0),
            one.release,
        )
        for one in listed.snapshots
    )
    return _as_csv(Table("History", columns, rows))


def _as_csv(table: Table) -> bytes:
    return b"".join(csv_bytes([column.title for column in table.columns], table.rows))
