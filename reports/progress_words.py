"""Progress in sentences, and what to show first: the same in the workbook and on the page."""

from msgspec.structs import replace

from readiness.model.history import ChangeKind
from readiness.model.levels import Level
from readiness.model.progress import Forecast, Group, Progress
from reports import words
from reports.tables.progress import in_words, share_at
from reports.tables.progress_pareto import progress_pareto
from reports.tables.table import Cell
from reports.tables.times import utc

_SEVERAL = 3
_ALL_ON_TOP = f"All VMs on Level {Level.FULL.value} or above"


def road_in_words(progress: Progress) -> str:
    """Return how far the estate has come on the way to the highest level, and when it may be there."""
    first, now = progress.points[0], progress.points[-1]
    moved = ", ".join(
        f"Level {level}{'' if level == Level.FULL else ' or above'} from {_share(was)} to {_share(share)}"
        for level in (1, 2, 3)
        if (was := share_at(first.raw, level)) is not None and (share := share_at(now.raw, level)) is not None
    )
    ahead = next((one for one in progress.forecasts if one.subject == _ALL_ON_TOP), None)
    road = f"Share of VMs since {first.as_of}: {moved}." if moved and len(progress.points) > 1 else ""
    when = in_words(ahead) if ahead else ""
    end = f"All on Level {Level.FULL.value}, at the pace so far: {when[0].lower()}{when[1:]}" if when else ""
    return f"{road} {end}".strip()


def next_in_words(progress: Progress) -> str:
    """Return the control that holds most VMs back from their next level, and what to do about it."""
    heaviest_blockers = progress_pareto(progress)
    if heaviest_blockers is None:
        return ""
    most = heaviest_blockers.blockers[0]
    return (
        f"What holds most back: {most.control} {most.title} ({most.whose.value}) keeps {_vms(most.together)} "
        f"from Level {most.level.value}. {most.remedy}"
    )


def later_runs_in_words(progress: Progress) -> str:
    """Return that runs began after the latest snapshot: what they brought stands in no number yet."""
    later = sum(1 for one in progress.runs if utc(one.started_at).date() > progress.as_of)
    if not later:
        return ""
    runs = "1 run" if later == 1 else f"{later:,} runs"
    return f"{runs} began after {progress.as_of}: assess again to see in the numbers what came of it."


def assumptions_in_words(progress: Progress) -> str:
    """Return what the forecasts take for granted."""
    made = {one.basis for one in progress.forecasts if one.method}
    return " ".join(f"From the {basis}: {words.ASSUMES[basis]}" for basis in words.ASSUMES if basis in made)


def levels_in_words(progress: Progress) -> str:
    """Return where the estate stands, and why that is so low while most of its VMs may stand higher."""
    now, estate = progress.latest, progress.of_kind("estate")[0]
    on = ", ".join(f"{vms:,} on Level {level}" for level, vms in enumerate(now.raw))
    said = f"{_vms(now.vms)}: {on}. "
    said += f"The estate stands on Level {estate.level.raw.value}, as its lowest VM or subscription does"
    if estate.level.raw != estate.level.with_exceptions:
        said += f"; with exceptions on Level {estate.level.with_exceptions.value}"
    return f"{said}."


def movement_in_words(progress: Progress) -> str:
    """Return what moved since the snapshot before, growth of the estate apart."""
    if len(progress.points) == 1:
        return "This is the first snapshot: there is nothing to compare it with yet."
    now, before = progress.points[-1], progress.points[-2]
    moved = f"Since {before.as_of}, {_vms(now.risen)} rose to a higher level and {_vms(now.fallen)} fell."
    return f"{moved} The estate itself changed: {_vms(now.came)} came, {_vms(now.went)} went."


def dimensions_in_words(progress: Progress) -> str:
    """Return how the share that satisfies each dimension moved; they move before levels do."""
    moved = [
        f"{words.DIMENSION[one.dimension]} from {one.share_before:.1%} to {one.share:.1%}"
        for one in progress.dimensions
        if one.share is not None and one.share_before is not None and one.share != one.share_before
    ]
    if len(progress.points) == 1 or not moved:
        return ""
    said = f"Share satisfied: {', '.join(moved)}."
    is_waiting = not progress.latest.risen
    return f"{said} A level needs all of its controls, other teams' too." if is_waiting else said


def drift_in_words(progress: Progress) -> str:
    """Return whether something that was reached is lost again."""
    worse = sum(one.kind is ChangeKind.DRIFT for one in progress.changes)
    if not progress.drift and worse:
        times = "once" if worse == 1 else f"{worse:,} times"
        return (
            "Whatever dimension an earlier snapshot shows satisfied is satisfied still. But something got "
            f"worse {times} on VMs that runs had upgraded: the changes name it."
        )
    if not progress.drift:
        return "No drift: whatever an earlier snapshot shows satisfied is satisfied still."
    times = "once" if len(progress.drift) == 1 else f"{len(progress.drift):,} times"
    return (
        f"Drift: {times} a VM lost a dimension that an earlier snapshot shows satisfied. Look at these first."
    )


def change_in_points(now: float | None, before: float | None) -> str:
    """Return by how much a score moved; nothing where there is nothing to compare."""
    if now is None or before is None:
        return ""
    return f"{now - before:+.1f}"


def first_forecasts(progress: Progress) -> tuple[Forecast, ...]:
    """Return the forecasts to show first: without exceptions; that the history is too short is said once."""
    shown = [one for one in progress.forecasts if not one.subject.endswith("with exceptions")]
    early = [one for one in shown if one.basis == "pace" and one.pace is None and (one.now or 0) < 1]
    if len(early) < _SEVERAL or len({one.note for one in early}) > 1:
        return tuple(shown)
    first, *others = early
    whole = replace(first, subject=f"{first.subject}, and {len(others)} more", now=None)
    return (whole, *(one for one in shown if one not in early))


def heaviest(progress: Progress, kind: str) -> list[Group]:
    """Return the groups of a kind, the ones with most VMs below Level 3 first."""
    return sorted(
        progress.of_kind(kind), key=lambda one: (-sum(one.raw[:3]), one.score or 0.0, one.name or "")
    )


def fact(label: Cell, value: Cell) -> str:
    """Return a fact of the summary as it is read."""
    match value:
        case None:
            return "-"
        case float() if "hare" in str(label):
            return f"{value:.1%}"
        case float():
            return f"{value:.1f}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def _share(share: float) -> str:
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count:,} VMs"
