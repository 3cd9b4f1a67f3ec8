"""Stages, pins and committed waves -> every move group in a wave, or lost with a reason.

Several orders of packing are tried where the first needs more waves than the lower bound, and the best is
kept: fewest waves, then the earliest end. The tries are the same every time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.plan import Bound
from readiness.planner.bound import added, firm_groups, least, stage_bound
from readiness.planner.drafts import Draft, Placed
from readiness.planner.layout import Layout
from readiness.planner.numbering import by_date
from readiness.planner.packing import Packer, Priority
from readiness.planner.stages import Stage, stages_of
from readiness.planner.wishes import Refusals, wanted_wave

_IN_A_ROW = 24
"""Waves that follow one another before, where the policy leaves it open, more of them go at once."""
_AT_ONCE = 4
"""At most so many, unless the policy says more: the more there are, the less fits together."""
_TRIES = 40
_EFFORT = 5_000
"""Groups that may be placed anew while looking for fewer waves."""
_GOLDEN, _SEED, _RANGE = 2_654_435_761, 40_503_077, 2**32


class Placement(Struct, frozen=True, kw_only=True):
    """Where everything is."""

    drafts: tuple[Draft, ...]
    lost: dict[int, str]
    stages: tuple[Stage, ...]
    unproven: tuple[str, ...]
    bound: Bound
    lower_bound: int
    refused: dict[int, str]
    """Pins to a wave that could not be honoured, by group."""
    proven: bool = False
    solver: str = "heuristic"


def place(layout: Layout, committed: tuple[Draft, ...] = ()) -> Placement:
    """Place every move group; wishes that cannot be granted are refused, and the rest is placed again."""
    refused: dict[int, str] = {}
    tried: set[int] = set()
    while True:
        placement, newly = _attempt(layout, committed, refused)
        refused |= newly
        if newly:
            continue
        refusals = Refusals(layout, placement.drafts, placement.stages, refused)
        hopeful = refusals.hopeful() - tried
        if not hopeful:
            return replace(placement, refused=refusals.told())
        tried |= hopeful
        refused = {group: text for group, text in refused.items() if group not in hopeful}


def place_again(layout: Layout, placement: Placement, order: Mapping[int, int]) -> Placement | None:
    """Place everything again, the groups of each stage in an order: a rank for each group.

    What is committed stays, and wishes that were refused stay refused; None if more would have to be.
    """
    committed = tuple(draft for draft in placement.drafts if draft.stage < 0)
    found, newly = _attempt(layout, committed, placement.refused, order)
    return None if newly else found


def _attempt(
    layout: Layout,
    committed: tuple[Draft, ...],
    refused: Mapping[int, str],
    order: Mapping[int, int] | None = None,
) -> tuple[Placement, dict[int, str]]:
    placed = _begin(layout, committed)
    open_groups = [group for group in range(len(layout.groups)) if group not in placed.wave_of]
    for group in open_groups:
        reason = misfit(layout, group)
        if reason:
            placed.lost[group] = reason
    wished = _pinned(layout, open_groups, placed, refused)
    pinned_groups = {group for groups in wished.values() for group in groups}
    free = [group for group in open_groups if group not in placed.lost and group not in pinned_groups]
    sorted_out = stages_of(layout, free)
    stages = sorted_out.stages or (Stage("all", ()),)
    deadlines = _deadlines(layout, wished)
    waiting: set[int] = set()
    for number, stage in enumerate(stages):
        groups = waiting | set(stage.groups)
        is_last = number == len(stages) - 1
        before = len(placed.drafts)
        priorities = _priorities(layout, deadlines) if order is None else _as_ordered(order)
        placed, waiting = _best(layout, number, groups, placed, priorities, wished, is_last=is_last)
        if placed.refused:
            return _placement(layout, placed, sorted_out.unproven, stages, refused), placed.refused
        closes = [draft.closes for draft in placed.drafts[before:]]
        placed.floor = max([placed.floor, *closes])
    late = {group: "" for group in pinned_groups if group not in placed.wave_of and group not in placed.lost}
    if waiting and not late:
        raise AssertionError(f"{len(waiting)} move groups wait for something that never comes")
    placed.drafts = by_date(layout, placed.drafts, wished)
    return _placement(layout, placed, sorted_out.unproven, stages, refused), late


def _begin(layout: Layout, committed: tuple[Draft, ...]) -> Placed:
    floor = max([layout.calendar.begins, *(draft.closes for draft in committed)])
    return Placed(
        wave_of={group: draft.number for draft in committed for group in draft.groups},
        drafts=list(committed),
        lost={},
        next_number=max((draft.number for draft in committed), default=0) + 1,
        floor=floor,
    )


def _best(  # noqa: PLR0913  a stage is told by what it holds and what is before and after it
    layout: Layout,
    number: int,
    groups: set[int],
    placed: Placed,
    priorities: Iterator[Priority],
    pinned: Mapping[int, tuple[int, ...]],
    *,
    is_last: bool,
) -> tuple[Placed, set[int]]:
    """Pack one stage in several orders, and return the best result and what waits for a later stage."""
    fewest = least(stage_bound(layout, sorted(groups)))
    at_once = waves_at_once(layout, fewest)
    tries = min(_TRIES, _EFFORT // max(1, len(groups)))
    best: tuple[tuple[int, int, datetime], Placed, set[int]] | None = None
    for position, priority in enumerate(priorities):
        packer = Packer(
            layout,
            number,
            groups,
            placed.copy(),
            priority,
            pinned,
            is_last=is_last,
            at_once=at_once,
        )
        waiting = packer.pack()
        found = packer.placed
        if found.refused:
            return found, waiting
        closes = max((draft.closes for draft in found.drafts), default=found.floor)
        rank = (len(waiting) + len(found.lost), len(found.drafts), closes)
        if best is None or rank[:2] < best[0][:2]:
            best = (rank, found, waiting)
        if position >= tries or best[0][1] - len(placed.drafts) <= fewest:
            break
    if best is None:
        raise AssertionError("no order was tried")
    return best[1], best[2]


def waves_at_once(layout: Layout, fewest: int) -> int:
    """Return how many waves may be under way at a time in a stage that needs at least so many."""
    return layout.policy.waves_at_once or max(1, min(_AT_ONCE, -(-fewest // _IN_A_ROW)))


def _as_ordered(order: Mapping[int, int]) -> Iterator[Priority]:
    yield lambda group: (order.get(group, len(order)), group)


def _priorities(layout: Layout, deadlines: Mapping[int, int]) -> Iterator[Priority]:
    """Yield orders in which to pack: first the one that keeps applications together, then tighter ones."""
    never = len(layout.groups) + 1
    tails = _tails(layout)
    shares = [
        max((amount / layout.caps[dimension] for dimension, amount in weights.items()), default=0.0)
        for weights in layout.weights
    ]
    applications = [layout.application_of[group[0]] for group in layout.groups]

    yield lambda group: (deadlines.get(group, never), -tails[group], applications[group], group)
    yield lambda group: (deadlines.get(group, never), -tails[group], -shares[group], group)
    yield lambda group: (deadlines.get(group, never), -len(layout.after[group]), -shares[group], group)
    for seed in range(1, _TRIES):
        weight = (seed % 5) / 4

        def noisy(group: int, seed: int = seed, weight: float = weight) -> tuple[float, ...]:
            noise = ((group + 1) * _GOLDEN + seed * _SEED * (group % 97 + 1)) % _RANGE / _RANGE
            rank = weight * tails[group] + shares[group] + noise * (0.2 + seed % 3)
            return (deadlines.get(group, never), -rank, group)

        yield noisy


def _tails(layout: Layout) -> list[int]:
    """Return for each group how many later waves the chain of *next wave* orders behind it takes."""
    tails = [0] * len(layout.groups)
    for group in range(len(layout.groups) - 1, -1, -1):
        for before, strict in layout.before[group].items():
            tails[before] = max(tails[before], tails[group] + strict)
    return tails


def _pinned(
    layout: Layout, groups: list[int], placed: Placed, refused: Mapping[int, str]
) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = defaultdict(list)
    for group in groups:
        wave = wanted_wave(layout, group)
        if wave is not None and group not in placed.lost and group not in refused:
            found[wave].append(group)
    return {wave: tuple(sorted(members)) for wave, members in sorted(found.items())}


def _deadlines(layout: Layout, pinned: Mapping[int, tuple[int, ...]]) -> dict[int, int]:
    """Return the wave by which a group has to go because of pins on what needs it."""
    found = {group: wave for wave, groups in pinned.items() for group in groups}
    if not found:
        return {}
    for group in range(len(layout.groups) - 1, -1, -1):
        if group in found:
            for before in layout.hard_before[group]:
                found[before] = min(found.get(before, found[group]), found[group])
    return found


def misfit(layout: Layout, group: int) -> str:
    """Return why a group fits into no window at all, or nothing."""
    calendar = layout.calendar
    for vm in layout.groups[group]:
        windows = layout.vms[vm].windows
        frozen = tuple(freeze.name for freeze in layout.frozen[vm])
        key = (windows, frozen, layout.not_before[vm], layout.needed[vm])
        if key not in layout.fits:
            layout.fits[key] = _why_never(layout, vm, calendar.begins)
        if layout.fits[key]:
            return layout.fits[key]
    return ""


def _why_never(layout: Layout, vm: int, begins: datetime) -> str:
    calendar, windows, needed = layout.calendar, layout.vms[vm].windows, layout.needed[vm]
    day = layout.not_before[vm]
    if calendar.earliest(windows, begins, frozen=layout.frozen[vm], not_before=day, needed=needed):
        return ""
    if calendar.keeps and max((calendar.seconds(window) for window in windows), default=0) < needed:
        return "WindowTooShort"
    if layout.frozen[vm] and calendar.earliest(windows, begins, not_before=day, needed=needed):
        return "Frozen"
    return "WindowEnded"


def _placement(
    layout: Layout,
    placed: Placed,
    unproven: tuple[str, ...],
    stages: tuple[Stage, ...],
    refused: Mapping[int, str],
) -> Placement:
    new = [draft for draft in placed.drafts if draft.stage >= 0]
    lost = placed.lost.keys()
    bounds = [stage_bound(layout, groups) for groups in firm_groups(layout, stages, refused, lost)]
    committed = len(placed.drafts) - len(new)
    return Placement(
        drafts=tuple(placed.drafts),
        lost=placed.lost,
        stages=stages,
        unproven=unproven,
        bound=added(bounds),
        lower_bound=committed + sum(least(bound) for bound in bounds),
        refused=dict(refused),
        proven=len(placed.drafts) == committed + sum(least(bound) for bound in bounds),
    )
