"""Progress as rows: where VMs stand, how that moved, what holds them back, and when it may be done.

Pure: the same progress gives the same rows in the same order. The tables, by the name of their sheet or file:

Summary            one fact a row: Fact, Value
Levels over time   one row a snapshot, oldest first: VMs on each level, shares at or above each level (raw and
                   with exceptions), share satisfied per dimension, score; growth apart: came, went, risen,
                   fallen
Burn-up            one row a snapshot, and two more where the targets end: shares at or above Levels 1 to 3,
                   and lines from the first share of Level 3 to all VMs, 12 and 18 months after the first
By application, By owner, By subscription
                   one row a group: level, VMs on each level, shares, score now, before and first, what is
                   missing for the next level, ours and other teams'
Dimensions         one row a dimension: VMs in each class, share satisfied now, before and first
Blockers           one row a control that holds VMs back from their next level, by effect
Forecast           one row a forecast, from the pace or from the plan: always a range, or why there is none
Exceptions         one row an exception, with days left
Controls           one row a control of the catalogue, with the ids of other catalogues
Drift              one row for a VM and dimension that was satisfied once and is not any more
Changes            one row for whatever differs between two snapshots, drift first
Runs               one row a recorded run: what of, where, how its VMs came out, outages, what it left behind
Runs by VM         one row for a VM of a recorded run
VMs                one row a VM: level, score, and what it misses for the next level
Run                how the report came about: Section, Fact, Value

Shares are numbers between 0 and 1, scores between 0 and 100; an empty cell says that there is nothing to say.
"""

from datetime import date, timedelta

from readiness.model.assessment import Classification
from readiness.model.levels import LADDER
from readiness.model.progress import Counts, Forecast, Group, Hold, Point, Progress
from readiness.model.verdict import Dimension
from reports import words
from reports.tables.progress_controls import progress_blockers, progress_controls, progress_exceptions
from reports.tables.progress_runs import progress_runs, progress_runs_by_vm
from reports.tables.progress_vms import progress_changes, progress_drift, progress_run, progress_vms
from reports.tables.table import Cell, Column, Kind, Row, Table

TARGET_DAYS = (365, 548)
"""12 and 18 months: how long full alignment is said to take."""

_SHARES = tuple(Column(f"Level {level} or above", 14, Kind.SHARE) for level in (1, 2, 3))
_ON_LEVELS = tuple(Column(f"Level {rung.level.value}", 9, Kind.COUNT) for rung in LADDER)


def progress_tables(progress: Progress) -> tuple[Table, ...]:
    """Return every table of a progress report, in the order in which they are read."""
    return (
        progress_summary(progress),
        progress_levels(progress),
        progress_burn_up(progress),
        progress_groups(progress, "application"),
        progress_groups(progress, "owner"),
        progress_groups(progress, "subscription"),
        progress_dimensions(progress),
        progress_blockers(progress),
        progress_forecasts(progress),
        progress_exceptions(progress),
        progress_controls(progress),
        progress_drift(progress),
        progress_changes(progress.changes),
        progress_runs(progress.runs),
        progress_runs_by_vm(progress.runs),
        progress_vms(progress),
        progress_run(progress),
    )


def progress_summary(progress: Progress) -> Table:
    """Return the whole in a few facts."""
    now, estate = progress.latest, progress.of_kind("estate")[0]
    rows: list[Row] = [
        ("Estate", progress.estate),
        ("As of", progress.as_of),
        ("Snapshots", len(progress.points)),
        ("VMs", now.vms),
        ("Excluded VMs", now.excluded),
        ("VMs that could not be read", now.unread),
        ("Level of the estate", estate.level.raw.value),
        ("Level with exceptions", estate.level.with_exceptions.value),
        *((f"Share on Level {level} or above", _percent(share_at(now.raw, level))) for level in (1, 2, 3)),
        *(
            (f"Share on Level {level} or above, with exceptions", _percent(share_at(now.permitted, level)))
            for level in (1, 2, 3)
        ),
        *(
            (f"{words.DIMENSION[one.dimension]}: share satisfied", _percent(one.share))
            for one in progress.dimensions
        ),
        ("Posture score", now.score),
        ("Posture score in the first snapshot", progress.points[0].score),
        ("VMs that came since the snapshot before", now.came),
        ("VMs that went since the snapshot before", now.went),
        ("VMs whose level rose", now.risen),
        ("VMs whose level fell", now.fallen),
        ("VMs and dimensions that drifted", len(progress.drift)),
        ("How the score is made", progress.formula),
    ]
    return Table("Summary", (Column("Fact", 48), Column("Value", 60, Kind.PROSE)), tuple(rows))


def progress_levels(progress: Progress) -> Table:
    """Return one row per snapshot: levels, dimensions, score, and the estate's growth apart."""
    columns = (
        Column("As of", 12, Kind.DAY),
        Column("VMs", 9, Kind.COUNT),
        *_ON_LEVELS,
        *_SHARES,
        *(Column(f"{column.title}, with exceptions", 16, Kind.SHARE) for column in _SHARES),
        *(Column(title, 14, Kind.SHARE) for title in words.DIMENSION.values()),
        Column("Posture score", 10, Kind.MONEY),
        *(Column(title, 10, Kind.COUNT) for title in ("Came", "Went", "Risen", "Fallen")),
        Column("Excluded", 10, Kind.COUNT),
        Column("Not read", 10, Kind.COUNT),
        Column("Release", 10),
        Column("Snapshot", 14),
    )
    return Table("Levels over time", columns, tuple(_level_row(point) for point in progress.points))


def progress_burn_up(progress: Progress) -> Table:
    """Return the shares of each snapshot beside the pace that 12 and 18 months ask for."""
    columns = (
        Column("As of", 12, Kind.DAY),
        *_SHARES,
        Column("Target in 12 months", 14, Kind.SHARE),
        Column("Target in 18 months", 14, Kind.SHARE),
    )
    first = progress.points[0]
    begin = share_at(first.raw, 3) or 0.0
    rows: list[tuple[date, tuple[Cell, ...]]] = [
        (point.as_of, tuple(share_at(point.raw, level) for level in (1, 2, 3))) for point in progress.points
    ]
    known = {day for day, _ in rows}
    ends = (first.as_of + timedelta(days=days) for days in TARGET_DAYS)
    rows += [(day, (None, None, None)) for day in ends if day not in known]
    made = tuple(
        (day, *shares, *(_target(begin, (day - first.as_of).days, days) for days in TARGET_DAYS))
        for day, shares in sorted(rows, key=lambda row: row[0])
    )
    return Table("Burn-up", columns, made)


def progress_groups(progress: Progress, kind: str) -> Table:
    """Return one row per application, owner or subscription."""
    columns = (
        Column(kind.capitalize(), 30),
        Column("VMs", 9, Kind.COUNT),
        Column("VMs at first", 9, Kind.COUNT),
        Column("Level", 8, Kind.COUNT),
        Column("Level with exceptions", 12, Kind.COUNT),
        *_ON_LEVELS,
        *_SHARES,
        *(Column(f"{column.title}, with exceptions", 16, Kind.SHARE) for column in _SHARES),
        *(Column(title, 10, Kind.MONEY) for title in ("Posture score", "Score before", "Score at first")),
        Column("Missing for the next level: ours", 46, Kind.PROSE),
        Column("Missing for the next level: other teams'", 46, Kind.PROSE),
    )
    groups = progress.of_kind(kind)
    return Table(f"By {kind}", columns, tuple(_group_row(group) for group in groups))


def progress_dimensions(progress: Progress) -> Table:
    """Return one row per dimension: how many VMs stand where, and the share that is satisfied."""
    columns = (
        Column("Dimension", 24),
        *(Column(one.value.capitalize(), 14, Kind.COUNT) for one in Classification),
        *(Column(title, 14, Kind.SHARE) for title in ("Share satisfied", "Share before", "Share at first")),
    )
    rows = tuple(
        (
            words.DIMENSION[one.dimension],
            *(one.counts.get(entry, 0) for entry in Classification),
            one.share,
            one.share_before,
            one.share_first,
        )
        for one in progress.dimensions
    )
    return Table("Dimensions", columns, rows)


def progress_forecasts(progress: Progress) -> Table:
    """Return one row per forecast: a range, or the reason why there is none."""
    columns = (
        Column("What", 40),
        Column("From", 8),
        Column("Share now", 10, Kind.SHARE),
        *(Column(f"Points in 30 days, {end}", 12, Kind.MONEY) for end in ("slow", "middle", "fast")),
        Column("Not before", 12, Kind.DAY),
        Column("Not after", 12, Kind.DAY),
        Column("In words", 50, Kind.PROSE),
        Column("Assumes that", 60, Kind.PROSE),
    )
    rows = tuple(
        (
            one.subject,
            one.basis,
            one.now,
            one.pace_low,
            one.pace,
            one.pace_high,
            one.earliest,
            one.latest,
            in_words(one),
            words.ASSUMES.get(one.basis) if one.method else None,
        )
        for one in progress.forecasts
    )
    return Table("Forecast", columns, rows)


def in_words(forecast: Forecast) -> str:
    """Return a forecast as a sentence: never a bare date."""
    if forecast.earliest is None:
        return forecast.note
    end = f"and {forecast.latest}" if forecast.latest else "and never, at the slow end of the range"
    said = f"Between {forecast.earliest} {end}."
    return f"{said} {forecast.note}".strip()


def share_at(counts: Counts, level: int) -> float | None:
    """Return the share of VMs on a level or above."""
    total = sum(counts)
    return round(sum(counts[level:]) / total, 6) if total else None


def _level_row(point: Point) -> Row:
    return (
        point.as_of,
        point.vms,
        *point.raw,
        *(share_at(point.raw, level) for level in (1, 2, 3)),
        *(share_at(point.permitted, level) for level in (1, 2, 3)),
        *(
            round(point.satisfied[one] / point.applicable[one], 6) if point.applicable.get(one) else None
            for one in Dimension
        ),
        point.score,
        point.came,
        point.went,
        point.risen,
        point.fallen,
        point.excluded,
        point.unread,
        point.release,
        point.snapshot,
    )


def _group_row(group: Group) -> Row:
    return (
        group.name,
        group.vms,
        group.vms_first,
        group.level.raw.value,
        group.level.with_exceptions.value,
        *group.raw,
        *(share_at(group.raw, level) for level in (1, 2, 3)),
        *(share_at(group.permitted, level) for level in (1, 2, 3)),
        group.score,
        group.score_before,
        group.score_first,
        _holds(group.ours),
        _holds(group.others),
    )


def _holds(holds: tuple[Hold, ...]) -> str:
    return ", ".join(f"{hold.control} ({hold.vms})" for hold in holds)


def _target(begin: float, passed: int, days: int) -> float:
    return round(min(1.0, begin + (1.0 - begin) * passed / days), 6)


def _percent(share: float | None) -> str:
    return "none applies" if share is None else f"{share:.1%}"
