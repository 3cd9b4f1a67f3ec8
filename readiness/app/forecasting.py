"""When a share may become whole: from the pace of the snapshots, and from a plan's windows. Pure.

Always a range or a reason why there is none, never a bare date. How each is made stands in its `method`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, timedelta
from itertools import combinations
from math import ceil, sqrt
from statistics import median

from msgspec.structs import replace

from readiness.model.history import RunRecord
from readiness.model.plan import Plan
from readiness.model.progress import Forecast, Point
from readiness.model.verdict import Dimension

LEAST_POINTS, LEAST_DAYS, RECENT_DAYS = 3, 14, 180
"""How many snapshots over how many days make a pace, and how far back it looks."""
_Z90 = 1.645
_MARGIN = 0.1
_HORIZON = 3650
_ASSUMED_SUCCESS, _LEAST_RUNS = 0.8, 20
_OPEN = ("remaining", "failed")
"""Outcomes of VMs that have not come to an end: those that nobody began, and those a person decides on."""

PACE_METHOD = (
    f"Theil-Sen: the median of the slopes between every two snapshots of the last {RECENT_DAYS} days (all "
    "of them, "
    "where these are too few), so that single outliers move it little. Slow and fast are the ends of the 90 "
    "% "
    "interval by Kendall's rank statistic. The range is the remaining share divided by these, a tenth wider "
    "at both "
    "ends; it assumes that the pace stays as it was."
)
PLAN_METHOD = (
    "Not before: the end of the last window in which the plan upgrades such a VM. Not after: the same time "
    "from the "
    "latest snapshot, stretched by the share of VMs that runs upgrade; {share}. Never by less than a tenth."
)

Series = Sequence[tuple[date, float]]


def by_pace(subject: str, series: Series) -> Forecast:
    """Return when a share becomes whole if it goes on as it did.

    Args:
        subject: What becomes whole, in words.
        series: The share on each day, oldest first.
    """
    now = series[-1][1] if series else None
    recent = _recent(series)
    span = (recent[-1][0] - recent[0][0]).days if recent else 0
    if now is not None and now >= 1:
        return Forecast(subject=subject, basis="pace", now=now, note="Reached.")
    if len(recent) < LEAST_POINTS or span < LEAST_DAYS:
        note = (
            f"Not enough history: {len(recent)} snapshots over {span} days; "
            f"{LEAST_POINTS} over {LEAST_DAYS} days are needed."
        )
        return Forecast(subject=subject, basis="pace", now=now, note=note)
    slow, middle, fast = slopes(recent)
    told = Forecast(
        subject=subject,
        basis="pace",
        now=now,
        pace=_points(middle),
        pace_low=_points(slow),
        pace_high=_points(fast),
        method=PACE_METHOD,
        note="No end in sight: even at the fast end of the range the share does not grow.",
    )
    return told if fast <= 0 else _ranged(told, recent[-1], slow, fast)


def slopes(series: Series) -> tuple[float, float, float]:
    """Return the low, middle and high slope of a series, a day: Theil-Sen with its 90 % interval."""
    found = sorted(
        (later - earlier) / (end - begin).days
        for (begin, earlier), (end, later) in combinations(series, 2)
        if end != begin
    )
    n, count = len(series), len(found)
    spread = _Z90 * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, int((count - spread) / 2))
    high = min(count - 1, ceil((count + spread) / 2))
    return found[low], median(found), found[high]


def by_plan(
    plan: Plan,
    open_vms: Mapping[Dimension, Collection[str]],
    points: Sequence[Point],
    runs: Sequence[RunRecord],
    playbooks: Mapping[str, tuple[str, Dimension]],
) -> tuple[Forecast, ...]:
    """Return for each dimension when the plan's windows have brought what they bring.

    Args:
        plan: The plan.
        open_vms: Per dimension, the keys of the VMs that are not satisfied.
        points: The trend.
        runs: The recorded runs, for how often a VM succeeds.
        playbooks: Title and dimension of each playbook by its id.
    """
    success = _success(runs)
    found = []
    for title, dimension in playbooks.values():
        ends = [
            vm.occurrence.closes.astimezone(UTC).date()
            for vm in plan.vms
            if vm.id.key in open_vms[dimension]
            and any(playbooks[action][1] is dimension for action in vm.actions if action in playbooks)
        ]
        told = Forecast(subject=f"{title}: what is planned", basis="plan", now=_share(points[-1], dimension))
        found.append(_by_windows(told, points[-1].as_of, ends, len(open_vms[dimension]), success))
    return tuple(found)


def _by_windows(
    told: Forecast, as_of: date, ends: Sequence[date], total: int, success: tuple[float, str]
) -> Forecast:
    """Return the forecast for VMs whose windows end on these days, out of all that are open."""
    if not total:
        return replace(told, note="Reached.")
    planned = f"{len(ends)} of {total} open VMs are planned"
    note = (
        f"{planned}; the plan says nothing of the other {total - len(ends)}."
        if len(ends) < total
        else f"{planned}."
    )
    if not ends:
        return replace(told, note=f"No date follows from the plan: {note}")
    days = (max(ends) - as_of).days
    if days <= 0:
        return replace(told, note=f"No date follows from the plan: its windows are over. {note}")
    rate, said = success
    return replace(
        told,
        earliest=max(ends),
        latest=as_of + timedelta(days=ceil(round(days * max(1 / rate, 1 + _MARGIN), 6))),
        method=PLAN_METHOD.format(share=said),
        note=note,
    )


def _recent(series: Series) -> Series:
    if not series:
        return series
    since = series[-1][0] - timedelta(days=RECENT_DAYS)
    recent = [entry for entry in series if entry[0] >= since]
    is_enough = len(recent) >= LEAST_POINTS and (recent[-1][0] - recent[0][0]).days >= LEAST_DAYS
    return recent if is_enough else series


def _ranged(told: Forecast, last: tuple[date, float], slow: float, fast: float) -> Forecast:
    left = 1.0 - last[1]
    soonest = int(round(left / fast * (1 - _MARGIN), 6))
    if soonest > _HORIZON:
        return replace(told, note="More than ten years away, even at the fast end of the range.")
    farthest = ceil(round(left / slow * (1 + _MARGIN), 6)) if slow > 0 else _HORIZON + 1
    return replace(
        told,
        earliest=last[0] + timedelta(days=max(1, soonest)),
        latest=last[0] + timedelta(days=max(2, farthest)) if farthest <= _HORIZON else None,
        note="",
    )


def _points(slope: float) -> float:
    return round(slope * 30 * 100, 3)


def _share(point: Point, dimension: Dimension) -> float | None:
    applicable = point.applicable.get(dimension, 0)
    return round(point.satisfied[dimension] / applicable, 6) if applicable else None


def _success(runs: Sequence[RunRecord]) -> tuple[float, str]:
    outcomes = [
        vm.succeeded
        for run in runs
        if not run.is_rehearsal
        for vm in run.vms
        if vm.decides and vm.outcome not in _OPEN
    ]
    done = sum(outcomes)
    if len(outcomes) < _LEAST_RUNS or not done:
        return _ASSUMED_SUCCESS, f"{_ASSUMED_SUCCESS:.0%} are assumed until {_LEAST_RUNS} VMs were run"
    return done / len(outcomes), f"{done} of {len(outcomes)} did so far"
