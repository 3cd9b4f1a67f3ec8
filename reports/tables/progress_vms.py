"""Progress VM by VM as rows: drift, changes and levels; and how the report came about.

The shapes of all tables of progress are listed at the top of `reports/tables/progress.py`.
"""

from collections.abc import Sequence

from readiness.model.history import Change
from readiness.model.progress import Progress, VmLevel
from readiness.model.verdict import Dimension
from reports import words
from reports.tables.table import Column, Kind, Row, Rows, Table

_VM = (Column("VM", 24), Column("Application", 22), Column("Owner", 22))
_ID = Column("Resource id", 60)


def progress_drift(progress: Progress) -> Table:
    """Return one row for each VM and dimension that was satisfied once and is not any more."""
    columns = (
        *_VM,
        Column("Dimension", 22),
        Column("Now", 16),
        Column("Last satisfied", 12, Kind.DAY),
        Column("Upgraded by run", 26),
        Column("Why", 60, Kind.PROSE),
        _ID,
    )
    rows = tuple(
        (
            lost.name,
            lost.application,
            lost.owner,
            words.DIMENSION[lost.dimension],
            lost.classification.value,
            lost.last_satisfied,
            lost.upgraded_by or None,
            lost.reason,
            lost.vm,
        )
        for lost in progress.drift
    )
    return Table("Drift", columns, rows)


def progress_changes(changes: Sequence[Change]) -> Table:
    """Return one row for whatever differs between two snapshots, drift first."""
    columns = (
        Column("Change", 18),
        *_VM,
        Column("Of", 22),
        Column("Title", 40, Kind.PROSE),
        Column("Before", 18),
        Column("After", 18),
        Column("Why", 60, Kind.PROSE),
        Column("Last reached", 12, Kind.DAY),
        _ID,
    )
    return Table("Changes", columns, tuple(_change_row(change) for change in changes))


def progress_vms(progress: Progress) -> Table:
    """Return one row per VM: its level, its score, and what it misses for the next level."""
    columns = (
        *_VM,
        Column("Subscription", 38),
        Column("Level", 8, Kind.COUNT),
        Column("Level with exceptions", 12, Kind.COUNT),
        Column("Posture score", 10, Kind.MONEY),
        Column("Missing for the next level: ours", 40, Kind.PROSE),
        Column("Missing for the next level: other teams'", 40, Kind.PROSE),
        _ID,
    )
    return Table("VMs", columns, Rows(progress.vms, _vm_row))


def progress_run(progress: Progress) -> Table:
    """Return how the report came about, and how its figures are made."""
    latest, first = progress.latest, progress.points[0]
    methods = dict.fromkeys((one.basis, one.method) for one in progress.forecasts if one.method)
    rows: list[Row] = [
        ("Report", "Release", progress.release),
        ("Report", "Format", progress.format),
        ("History", "Estate", progress.estate),
        ("History", "First snapshot", f"{first.snapshot} of {first.as_of}, by release {first.release}"),
        ("History", "Latest snapshot", f"{latest.snapshot} of {latest.as_of}, by release {latest.release}"),
        ("History", "Snapshots shown", len(progress.points)),
        ("History", "Snapshots replaced by a later one of their day", progress.left_out),
        ("History", "Controls that came or went with the latest", ", ".join(progress.catalogue) or "none"),
        ("History", "Recorded runs", len(progress.runs)),
        ("Forecast", "Plan", progress.plan or "none given"),
        *(("Forecast", f"Method: {basis}", method) for basis, method in methods),
        ("Figures", "Posture score", progress.formula),
    ]
    return Table(
        "Run", (Column("Section", 16), Column("Fact", 46), Column("Value", 90, Kind.PROSE)), tuple(rows)
    )


def _change_row(change: Change) -> Row:
    of = words.DIMENSION[Dimension(change.subject)] if change.subject in tuple(Dimension) else change.subject
    return (
        change.kind.value,
        change.name,
        change.application,
        change.owner,
        of,
        change.title,
        change.before or None,
        change.after or None,
        change.reason,
        change.reached_on,
        change.vm,
    )


def _vm_row(vm: VmLevel) -> Row:
    return (
        vm.name,
        vm.application,
        vm.owner,
        vm.subscription,
        vm.level.raw.value,
        vm.level.with_exceptions.value,
        vm.score,
        ", ".join(vm.ours),
        ", ".join(vm.others),
        vm.id.text,
    )
