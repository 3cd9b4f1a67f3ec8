"""Use case: the progress of one estate over its snapshots, read from the history and written to files."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.forecasting import by_pace, by_plan
from readiness.app.history import changes_between, choose, only_estate
from readiness.app.progress_details import (
    Shown,
    control_trends,
    dimension_shares,
    drifted,
    exceptions_left,
    groups,
    share,
    stands,
    vm_levels,
)
from readiness.app.release import RELEASE
from readiness.app.report_files import FORMATS, Forms, Written, write_forms
from readiness.app.runs_as_of import known_on, upgraded_by
from readiness.app.standings import blockers, group, mean, own_stands
from readiness.app.ticking import Tick, silent
from readiness.errors import UsageError
from readiness.model.history import RunRecord, SnapshotInfo
from readiness.model.plan import Plan
from readiness.model.progress import Blocker, Forecast, Group, Point, Progress
from readiness.model.verdict import Dimension
from readiness.store.artefacts import read_plan
from readiness.store.history import History
from readiness.store.history_counts import trend

LATEST = "latest"
_TITLES = {
    Dimension.TRUSTED_LAUNCH: "Trusted Launch",
    Dimension.CMK: "Customer-managed keys",
    Dimension.PASSWORD_ACCESS: "Password access",
    Dimension.MANAGED_IDENTITY: "Managed identity",
}


class ProgressRequest(Struct, frozen=True, kw_only=True):
    """What progress is asked for."""

    state: Path
    estate: str | None = None
    at: str = LATEST
    """The snapshot it ends with. With an earlier one nothing is told that came after its day."""
    plan: Path | None = None
    """A plan whose windows are forecast from, too."""


def progress_of(request: ProgressRequest, tick: Tick = silent) -> Progress:
    """Return the progress of an estate up to one of its snapshots.

    Raises:
        HistoryError: There is no history, or it cannot be read.
        UsageError: No such estate or snapshot, or the plan is for other VMs, or was made after the day at
            which the report is to end.
        PlanError: There is no such plan.
    """
    plan = read_plan(request.plan) if request.plan else None
    with History.opened(request.state) as history:
        known = history.snapshots(only_estate(history, request.estate))
        until = known[: known.index(choose(known, request.at)) + 1]
        days = tuple(list(same)[-1] for _, same in groupby(until, key=lambda one: one.as_of))
        runs = history.runs(days[-1].estate)
        if request.at != LATEST:
            runs = known_on(runs, days[-1].as_of)
            _refuse_later(plan, days[-1].as_of)
        return _made(history, days, len(until) - len(days), runs, plan, tick)


def write(progress: Progress, to: Path, formats: Sequence[str] = FORMATS) -> Written:
    """Write a progress report into a folder, and return what was done there."""
    from reports.tables.progress import progress_tables

    forms = Forms(
        stem="progress",
        title=f"Progress of {progress.estate}",
        value=progress,
        tables=progress_tables(progress),
        workbook=partial(_workbook, progress),
        page=partial(_page, progress),
    )
    return write_forms(forms, to, formats)


def _workbook(progress: Progress) -> bytes:
    from reports.progress_workbook import progress_workbook

    return progress_workbook(progress)


def _page(progress: Progress) -> bytes:
    from reports.page import progress_page

    return progress_page(progress)


def _refuse_later(plan: Plan | None, day: date) -> None:
    if plan is not None and plan.as_of > day:
        raise UsageError(
            f"The plan {plan.approval} was made on {plan.as_of}, after {day}: nobody could forecast from it.",
            remedy="Give a plan of that day or earlier, or leave --plan out.",
        )


def _made(
    history: History,
    days: tuple[SnapshotInfo, ...],
    left_out: int,
    runs: tuple[RunRecord, ...],
    plan: Plan | None,
    tick: Tick,
) -> Progress:
    last = days[-1]
    head = history.head(last.number)
    shown = Shown(
        first=days[0],
        before=days[-2] if len(days) > 1 else None,
        last=last,
        head=head,
        catalogue={control.id: control for control in head.controls},
        upgraded=upgraded_by(runs, last.as_of),
    )
    points = _points(history, days, tick)
    whole, held = _estate(history, shown, points)
    forecasts = [*_paces(points)]
    if plan is not None:
        open_vms = _open_vms(history, last, plan)
        forecasts += by_plan(plan, open_vms, points, runs, _PLAYBOOKS)
    catalogue, changes = (
        changes_between(history, shown.before, last, shown.upgraded) if shown.before else ((), ())
    )
    return Progress(
        estate=last.estate,
        as_of=last.as_of,
        release=RELEASE,
        points=points,
        left_out=left_out,
        groups=(
            whole,
            *(
                one
                for kind in ("subscription", "application", "owner")
                for one in groups(history, shown, kind)
            ),
        ),
        dimensions=dimension_shares(history, shown, points),
        blockers=held,
        controls=control_trends(history, shown),
        exceptions=exceptions_left(shown),
        drift=drifted(history, shown),
        forecasts=tuple(forecasts),
        changes=changes,
        catalogue=catalogue,
        runs=runs,
        vms=tuple(vm_levels(history, shown)),
        plan=plan.digest if plan else "",
    )


def _points(history: History, days: tuple[SnapshotInfo, ...], tick: Tick) -> tuple[Point, ...]:
    found: list[Point] = []
    for one, (counts, moved) in zip(days, trend(history, days), strict=True):
        found.append(
            Point(
                snapshot=one.label,
                as_of=one.as_of,
                release=one.release,
                vms=counts.vms,
                excluded=counts.excluded,
                unread=one.unread,
                raw=counts.raw,
                permitted=counts.permitted,
                satisfied=counts.satisfied,
                applicable=counts.applicable,
                score=mean(counts.score, counts.vms) if counts.score is not None else None,
                came=moved.came,
                went=moved.went,
                risen=moved.risen,
                fallen=moved.fallen,
            )
        )
        tick("snapshots", len(found), len(days))
    return tuple(found)


def _estate(history: History, shown: Shown, points: tuple[Point, ...]) -> tuple[Group, tuple[Blocker, ...]]:
    """Return where the estate stands as a whole, and what holds its VMs and its subscriptions back."""
    found = stands(history, shown, "estate").get("", [])
    whole = group("estate", shown.last.estate, found)
    whole = replace(
        whole,
        level=shown.head.level or whole.level,
        score_before=points[-2].score if len(points) > 1 else None,
        score_first=points[0].score,
        vms_first=points[0].vms,
    )
    own = own_stands(shown.head.subscriptions, shown.catalogue)
    held = (*blockers(found, shown.catalogue, "vm"), *blockers(own, shown.catalogue, "subscription"))
    return whole, tuple(sorted(held, key=lambda one: (one.level, one.scope != "vm")))


def _paces(points: tuple[Point, ...]) -> list[Forecast]:
    """Forecast every share that is to become whole."""
    found = []
    filled = [one for one in points if one.vms]
    for level in (1, 2, 3):
        subject = f"All VMs on Level {level} or above"
        raw = [(one.as_of, round(sum(one.raw[level:]) / one.vms, 6)) for one in filled]
        permitted = [(one.as_of, round(sum(one.permitted[level:]) / one.vms, 6)) for one in filled]
        found += [by_pace(subject, raw), by_pace(f"{subject}, with exceptions", permitted)]
    for dimension, title in _TITLES.items():
        shares = [(one.as_of, share(one, dimension)) for one in points]
        found.append(
            by_pace(f"{title}: all VMs satisfied", [(day, one) for day, one in shares if one is not None])
        )
    return found


def _open_vms(history: History, last: SnapshotInfo, plan: Plan) -> dict[Dimension, frozenset[str]]:
    """Return the VMs that are not satisfied yet, per dimension.

    Raises:
        UsageError: No VM of the plan is in the snapshot.
    """
    if plan.vms and not any(history.members(last, (vm.id.key for vm in plan.vms))):
        raise UsageError(
            f"The plan {plan.approval} is for other VMs than those of {last.estate}.",
            details=f"It was made for {plan.target.estate}.",
            remedy="Give the plan of this estate, or leave --plan out.",
        )
    return {one: history.unsatisfied(last, one) for one in Dimension}


_PLAYBOOKS = {one.spec.id: (one.spec.title, one.spec.dimension) for one in ALL_PLAYBOOKS}
