"""Recorded runs as of a day that is past: what came after it is left out. Pure.

The history keeps of a run how it ended last. Of one that went on after the day only its beginning is known to
have been: whatever else is recorded of it may have come later.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from msgspec.structs import replace

from readiness.model.history import RunRecord

_REMAINING = "remaining"
_LATER = "it went on after this report ends"


def known_on(runs: Iterable[RunRecord], day: date) -> tuple[RunRecord, ...]:
    """Return the runs that began up to the end of a day in UTC; those that went on later as just begun."""
    return tuple(_as_of(run, day) for run in runs if _day(run.started_at) <= day)


def upgraded_by(runs: Iterable[RunRecord], day: date) -> dict[str, str]:
    """Return the VMs that runs begun up to a day upgraded in Azure, by key, with the last that did."""
    return {
        vm.vm.key: run.id
        for run in runs
        if not run.is_rehearsal and _day(run.started_at) <= day
        for vm in run.vms
        if vm.is_upgraded
    }


def _as_of(run: RunRecord, day: date) -> RunRecord:
    if run.ended_at is not None and _day(run.ended_at) <= day:
        return run
    vms = tuple(
        replace(vm, outcome=_REMAINING, succeeded=False, reason=_LATER, actions=(), downtime_seconds=None)
        for vm in run.vms
    )
    return replace(run, ended_at=None, vms=vms, held="", snapshots=0, audit_head="")


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
