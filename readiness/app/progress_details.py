"""The parts of a progress report that are read from single snapshots: groups, controls, drift and VMs."""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from readiness.app.comparing import why
from readiness.app.standings import Catalogue, Stand, group, mean, missing
from readiness.model.assessment import ControlCount, OpenControl, Whose
from readiness.model.history import SnapshotHead, SnapshotInfo
from readiness.model.ids import ResourceId
from readiness.model.levels import Level, LevelReached
from readiness.model.progress import (
    ControlTrend,
    DimensionShare,
    ExceptionLeft,
    Group,
    Lost,
    Point,
    VmLevel,
)
from readiness.model.verdict import Dimension
from readiness.store.history import History
from readiness.store.history_counts import Pattern, Standing, classes, levels, patterns, scores

_UNNAMED = {"application": "(no application)", "owner": "(no owner)", "subscription": "(no subscription)"}


class Shown(Struct, frozen=True, kw_only=True):
    """The snapshots that a report looks at closely."""

    first: SnapshotInfo
    before: SnapshotInfo | None
    """The one before the latest."""
    last: SnapshotInfo
    head: SnapshotHead
    """Of the latest."""
    catalogue: Catalogue
    upgraded: Mapping[str, str] = {}
    """VMs that runs upgraded up to the latest, by key, with the run."""
    missed: dict[tuple[int, int], tuple[OpenControl, ...]] = {}
    """What VMs miss for their next level, by their level and the number of their set of listed controls."""


def share(point: Point, dimension: Dimension) -> float | None:
    """Return the share of the VMs to which a dimension applies that are satisfied in it."""
    applicable = point.applicable.get(dimension, 0)
    return round(point.satisfied[dimension] / applicable, 6) if applicable else None


def dimension_shares(history: History, shown: Shown, points: tuple[Point, ...]) -> tuple[DimensionShare, ...]:
    """Return where the VMs stand in each dimension, now, before and at first."""
    return tuple(
        DimensionShare(
            dimension=one,
            counts=classes(history, shown.last, one),
            share=share(points[-1], one),
            share_before=share(points[-2], one) if len(points) > 1 else None,
            share_first=share(points[0], one),
        )
        for one in Dimension
    )


def control_trends(history: History, shown: Shown) -> tuple[ControlTrend, ...]:
    """Return the catalogue of the latest snapshot with the shares that met each control."""
    before = history.head(shown.before.number).controls if shown.before else ()
    known = {one.id: one for one in before}
    return tuple(
        ControlTrend(now=one, share=_met(one), share_before=_met(known[one.id]) if one.id in known else None)
        for one in shown.head.controls
    )


def exceptions_left(shown: Shown) -> tuple[ExceptionLeft, ...]:
    """Return the exceptions, the first to run out first."""
    day = shown.last.as_of
    found = sorted(shown.head.exceptions, key=lambda one: (one.expires, one.id))
    return tuple(ExceptionLeft(exception=one, days_left=(one.expires - day).days) for one in found)


def drifted(history: History, shown: Shown) -> tuple[Lost, ...]:
    """Return every VM and dimension that is not satisfied any more, by application and VM."""
    found = []
    for dimension in Dimension:
        satisfied_on = history.last_satisfied(dimension, at=shown.last, until=shown.last)
        for record in history.members(shown.last, satisfied_on):
            standing = record.dimensions[dimension]
            found.append(
                Lost(
                    vm=record.id.text,
                    name=record.name,
                    application=record.application,
                    owner=record.owner,
                    dimension=dimension,
                    classification=standing.classification,
                    last_satisfied=satisfied_on[record.id.key],
                    upgraded_by=shown.upgraded.get(record.id.key, ""),
                    reason=why(standing),
                )
            )
    return tuple(
        sorted(found, key=lambda one: (not one.upgraded_by, one.application or "", one.name, one.vm))
    )


def vm_levels(history: History, shown: Shown) -> Iterator[VmLevel]:
    """Yield each classified VM, with what it misses for its next level."""
    named: dict[tuple[int, int], tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for one in levels(history, shown.last):
        key = (one.raw, one.controls)
        if key not in named:
            held = _missing(history, shown, one)
            ours = tuple(each.id for each in held if each.whose is Whose.OURS)
            named[key] = (ours, tuple(each.id for each in held if each.whose is not Whose.OURS))
        ours, others = named[key]
        yield VmLevel(
            id=ResourceId(one.vm),
            name=one.name,
            application=one.application,
            owner=one.owner,
            subscription=one.subscription,
            level=LevelReached(Level(one.raw), Level(one.permitted)),
            score=mean(one.score, 1) if one.score is not None else None,
            ours=ours,
            others=others,
        )


def stands(history: History, shown: Shown, kind: str) -> dict[str, list[Stand]]:
    """Return where the VMs of each group of a kind stand."""
    found: dict[str, list[Stand]] = {}
    for one in patterns(history, shown.last, kind):
        stand = Stand(one.raw, one.permitted, _missing(history, shown, one), one.vms, one.score)
        found.setdefault(one.group, []).append(stand)
    return found


def groups(history: History, shown: Shown, kind: str) -> list[Group]:
    """Return every group of a kind by name, with its score before and at first."""
    first = scores(history, shown.first, kind)
    before = scores(history, shown.before, kind) if shown.before else {}
    names = _names(shown.head) if kind == "subscription" else {}
    lowest = {one.id.lower(): one.level for one in shown.head.subscriptions} if kind == "subscription" else {}
    found = [
        replace(
            group(kind, names.get(key.lower(), key) or _UNNAMED[kind], found),
            score_before=_mean_of(before, key),
            score_first=_mean_of(first, key),
            vms_first=first.get(key, (0, 0))[0],
        )
        for key, found in stands(history, shown, kind).items()
    ]
    if lowest:
        by_name = {name: lowest[key] for key, name in names.items()}
        found = [replace(one, level=by_name.get(one.name, one.level)) for one in found]
    return sorted(found, key=lambda one: (one.name.lower(), one.name))


def _missing(history: History, shown: Shown, one: Pattern | Standing) -> tuple[OpenControl, ...]:
    key = (one.raw, one.controls)
    found = shown.missed.get(key)
    if found is None:
        found = shown.missed[key] = missing(one.raw, history.controls(one.controls), shown.catalogue)
    return found


def _names(head: SnapshotHead) -> dict[str, str]:
    """Return what subscriptions are called, by id: two of one name are told apart by their ids."""
    every = [one.name for one in head.subscriptions]
    return {
        one.id.lower(): one.name
        if one.name and every.count(one.name) == 1
        else f"{one.name} {one.id}".strip()
        for one in head.subscriptions
    }


def _mean_of(found: dict[str, tuple[int, int]], key: str) -> float | None:
    vms, score = found.get(key, (0, 0))
    return mean(score, vms)


def _met(control: ControlCount) -> float | None:
    asked = control.met + control.unmet + control.unknown
    return round(control.met / asked, 6) if asked else None
