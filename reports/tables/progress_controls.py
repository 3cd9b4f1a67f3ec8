"""Controls in a report of progress, as rows: what blocks, what is permitted, and the whole catalogue.

The shapes of all tables of progress are listed at the top of `reports/tables/progress.py`.
"""

from readiness.model.progress import Progress
from reports import words
from reports.tables.table import Column, Kind, Table

_SOON = 30
"""Days before its end from which an exception is said to end soon."""


def progress_blockers(progress: Progress) -> Table:
    """Return one row per control that holds somebody back from the next level, by effect."""
    columns = (
        Column("Level", 8, Kind.COUNT),
        Column("Control", 10),
        Column("Title", 40, Kind.PROSE),
        Column("Whose work", 16),
        Column("Counted", 14),
        Column("Held back", 10, Kind.COUNT),
        Column("Held back by it alone", 12, Kind.COUNT),
        Column("Rise with all above", 12, Kind.COUNT),
        Column("Of these unknown", 12, Kind.COUNT),
        Column("Of these excepted", 12, Kind.COUNT),
        Column("What to do", 50, Kind.PROSE),
        Column("Other catalogues", 40, Kind.PROSE),
    )
    rows = tuple(
        (
            one.level.value,
            one.control,
            one.title,
            one.whose.value,
            "VMs" if one.scope == "vm" else "subscriptions",
            one.together,
            one.alone,
            one.unlocked,
            one.unknown,
            one.excepted,
            one.remedy,
            _frameworks(one.frameworks),
        )
        for one in progress.blockers
    )
    return Table("Blockers", columns, rows)


def progress_exceptions(progress: Progress) -> Table:
    """Return one row per exception, the first to run out first."""
    columns = (
        Column("Exception", 18),
        Column("Covers", 22),
        Column("State", 12),
        Column("Days left", 10, Kind.COUNT),
        Column("Expires", 12, Kind.DAY),
        Column("VMs", 8, Kind.COUNT),
        Column("Owner", 22),
        Column("Approved by", 22),
        Column("Reason", 46, Kind.PROSE),
        Column("Compensating control", 46, Kind.PROSE),
    )
    rows = tuple(
        (
            entry.exception.id,
            words.permitted(entry.exception.covers),
            _state(entry.days_left),
            entry.days_left,
            entry.exception.expires,
            entry.exception.vms,
            entry.exception.owner,
            entry.exception.approved_by,
            entry.exception.reason,
            entry.exception.compensating_control,
        )
        for entry in progress.exceptions
    )
    return Table("Exceptions", columns, rows)


def progress_controls(progress: Progress) -> Table:
    """Return one row per control of the catalogue, with the ids that other catalogues give it."""
    names = sorted({name for entry in progress.controls for name in entry.now.frameworks})
    columns = (
        Column("Control", 10),
        Column("Title", 44, Kind.PROSE),
        Column("Level", 8, Kind.COUNT),
        Column("Mandatory", 11),
        Column("Counted", 14),
        Column("Whose work", 16),
        *(
            Column(title, 10, Kind.COUNT)
            for title in ("Met", "Unmet", "Unknown", "Not applicable", "Not eligible", "Excepted")
        ),
        Column("Share met", 10, Kind.SHARE),
        Column("Share before", 10, Kind.SHARE),
        Column("What to do", 46, Kind.PROSE),
        *(Column(name, 26, Kind.PROSE) for name in names),
    )
    rows = tuple(
        (
            entry.now.id,
            entry.now.title,
            entry.now.level.value,
            "yes" if entry.now.mandatory else "advisory",
            "VMs" if entry.now.scope == "vm" else "subscriptions",
            entry.now.whose.value,
            entry.now.met,
            entry.now.unmet,
            entry.now.unknown,
            entry.now.not_applicable,
            entry.now.not_eligible,
            entry.now.excepted,
            entry.share,
            entry.share_before,
            entry.now.remedy,
            *(", ".join(entry.now.frameworks.get(name, ())) or None for name in names),
        )
        for entry in progress.controls
    )
    return Table("Controls", columns, rows)


def _state(days_left: int) -> str:
    if days_left < 0:
        return "expired"
    return "ends soon" if days_left <= _SOON else "holds"


def _frameworks(ids: dict[str, tuple[str, ...]]) -> str:
    return "\n".join(f"{name}: {', '.join(found)}" for name, found in sorted(ids.items()))
