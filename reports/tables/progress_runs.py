"""Recorded runs as rows: one for each run, and one for each VM of each run.

The shapes of all tables of progress are listed at the top of `reports/tables/progress.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from readiness.model.history import RunRecord
from readiness.model.plan import DIGEST_LENGTH
from reports import words
from reports.tables.table import Column, Kind, Row, Table
from reports.tables.times import minutes, utc

OUTCOMES = ("done", "rolled_back", "failed", "stranded", "blocked", "skipped", "remaining")
"""How VMs come out of a run, in the order in which they are counted: together they are all of its VMs."""


def progress_runs(runs: Sequence[RunRecord]) -> Table:
    """Return one row for each recorded run, the first one first."""
    columns = (
        Column("Run", 30),
        Column("Wave name", 26),
        Column("Stage", 14),
        Column("Where", 10),
        Column("Started (UTC)", 21, Kind.MOMENT),
        Column("Ended (UTC)", 21, Kind.MOMENT),
        Column("Approved by", 22),
        Column("VMs", 8, Kind.COUNT),
        *(Column(_outcome(name).capitalize(), 12, Kind.COUNT) for name in OUTCOMES),
        Column("Longest away (minutes)", 15, Kind.MINUTES),
        Column("Median away (minutes)", 15, Kind.MINUTES),
        Column("Snapshots left", 13, Kind.COUNT),
        Column("Held because", 40, Kind.PROSE),
        Column("Wave", 8, Kind.COUNT),
        Column("Plan", 15),
        Column("Place", 24),
        Column("Audit head", 68),
    )
    return Table("Runs", columns, tuple(_run_row(run) for run in runs))


def progress_runs_by_vm(runs: Sequence[RunRecord]) -> Table:
    """Return one row for each VM of each recorded run."""
    columns = (
        Column("Run", 30),
        Column("Stage", 14),
        Column("Where", 10),
        Column("Started (UTC)", 21, Kind.MOMENT),
        Column("VM", 24),
        Column("Outcome", 14),
        Column("Away (minutes)", 12, Kind.MINUTES),
        Column("Brought", 40, Kind.PROSE),
        Column("Why", 60, Kind.PROSE),
        Column("Resource id", 60),
    )
    return Table("Runs by VM", columns, tuple(row for run in runs for row in _vm_rows(run)))


def _run_row(run: RunRecord) -> Row:
    away = [vm.downtime_seconds for vm in run.vms if vm.downtime_seconds is not None]
    return (
        run.id,
        run.wave_name,
        run.stage.value,
        _where(run),
        _moment(run.started_at),
        _moment(run.ended_at) if run.ended_at else None,
        run.approved_by,
        len(run.vms),
        *(run.count(name) for name in OUTCOMES),
        minutes(max(away)) if away else None,
        minutes(median(away)) if away else None,
        run.snapshots,
        run.held or None,
        run.wave or None,
        run.plan[:DIGEST_LENGTH],
        run.place,
        run.audit_head or None,
    )


def _vm_rows(run: RunRecord) -> list[Row]:
    return [
        (
            run.id,
            run.stage.value,
            _where(run),
            _moment(run.started_at),
            vm.name,
            _outcome(vm.outcome),
            minutes(vm.downtime_seconds) if vm.downtime_seconds is not None else None,
            ", ".join(words.playbook(action) for action in vm.actions),
            vm.reason,
            vm.vm.text,
        )
        for vm in run.vms
    ]


def _moment(at: datetime) -> datetime:
    return utc(at).replace(microsecond=0)


def _where(run: RunRecord) -> str:
    return "twin" if run.is_rehearsal else "Azure"


def _outcome(name: str) -> str:
    return name.replace("_", " ")
