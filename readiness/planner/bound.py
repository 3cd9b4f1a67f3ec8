"""Why there cannot be fewer waves: capacity, critical path and conflicts of what is packed together.

Each part holds for itself, so the largest counts; stages follow one another, so theirs add up.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from readiness.model.plan import Bound
from readiness.planner.layout import Dimension, Layout
from readiness.planner.stages import Stage


def stage_bound(layout: Layout, groups: Sequence[int]) -> Bound:
    """Return how many waves the move groups of one stage need at least."""
    if not groups:
        return Bound()
    found: dict[str, int] = {"peers of": 1, "": 1}
    for dimension, amounts in _amounts(layout, groups).items():
        kind = dimension[0] if dimension[0] == "peers of" else ""
        found[kind] = max(found[kind], _fewest(amounts, layout.caps[dimension]))
    if layout.calendar.keeps:
        found[""] = max(found[""], _window_bound(layout, groups))
    return Bound(capacity=found[""], critical_path=_longest_path(layout, groups), conflicts=found["peers of"])


def firm_groups(
    layout: Layout, stages: Sequence[Stage], refused: Collection[int], lost: Collection[int]
) -> list[tuple[int, ...]]:
    """Return for each stage the move groups that go in no other stage, whatever the packing makes of them.

    One that is pinned to a wave goes wherever that wave is. One that must not go before a day may wait for a
    later stage, and whatever needs it waits too; the last stage leaves nothing behind.
    """
    loose: set[int] = set()
    for group, vms in enumerate(layout.groups):
        pins = [layout.pins[vm] for vm in vms if vm in layout.pins]
        has_place = any(pin.wave is not None for pin in pins) and group not in refused
        has_day = any(pin.not_before is not None for pin in pins)
        if has_place or has_day or not loose.isdisjoint(layout.before[group]):
            loose.add(group)
    found = []
    for number, stage in enumerate(stages, start=1):
        may_leave = set() if number == len(stages) else loose
        found.append(tuple(group for group in stage.groups if group not in lost and group not in may_leave))
    return found


def least(bound: Bound) -> int:
    """Return the number of waves that a bound of one stage stands for."""
    return max(bound.capacity, bound.critical_path, bound.conflicts)


def added(bounds: Iterable[Bound]) -> Bound:
    """Return each part added up over stages."""
    known = list(bounds)
    return Bound(
        capacity=sum(bound.capacity for bound in known),
        critical_path=sum(bound.critical_path for bound in known),
        conflicts=sum(bound.conflicts for bound in known),
    )


def _amounts(layout: Layout, groups: Iterable[int]) -> dict[Dimension, list[int]]:
    found: dict[Dimension, list[int]] = defaultdict(list)
    for group in groups:
        for dimension, amount in layout.weights[group].items():
            found[dimension].append(amount)
    return found


def _fewest(amounts: Sequence[int], cap: int) -> int:
    """Return how many bins these amounts need; one that exceeds the cap shares its bin with no other.

    For every threshold: amounts that leave no room for the threshold stand alone, those above half share no
    bin, and what does not fit beside these needs bins of its own.
    """
    alone = sum(1 for amount in amounts if amount > cap)
    rest = sorted(amount for amount in amounts if amount <= cap)
    best = -(-sum(rest) // cap) if rest else 0
    large = [amount for amount in rest if 2 * amount > cap]
    if large and len(large) < len(rest):
        for least_amount in sorted({amount for amount in rest if 2 * amount <= cap}):
            full = [amount for amount in large if amount > cap - least_amount]
            halves = [amount for amount in large if amount <= cap - least_amount]
            small = sum(amount for amount in rest if least_amount <= amount and 2 * amount <= cap)
            room = len(halves) * cap - sum(halves)
            best = max(best, len(full) + len(halves) + max(0, -(-(small - room) // cap)))
    return alone + max(best, len(large))


def _longest_path(layout: Layout, groups: Sequence[int]) -> int:
    """Return how many waves the longest chain of *next wave* orders takes; groups come providers first."""
    within = set(groups)
    depth: dict[int, int] = {}
    for group in sorted(groups):
        depth[group] = max(
            (
                depth[before] + strict
                for before, strict in layout.before[group].items()
                if before in within and before in depth
            ),
            default=1,
        )
    return max(depth.values())


def _window_bound(layout: Layout, groups: Sequence[int]) -> int:
    """Return how many occurrences the busiest application needs: one in each wave, except for large groups.

    A batch takes at least as long as the shortest VM of the application, and the last one its reserve too.
    """
    by_application: dict[int, list[int]] = defaultdict(list)
    for group in groups:
        if len(layout.groups[group]) == 1:  # a larger group may go on in further occurrences
            vm = layout.groups[group][0]
            by_application[layout.application_of[vm]].append(vm)
    best = 1
    for vms in by_application.values():
        longest = max(layout.calendar.seconds(window) for window in layout.vms[vms[0]].windows)
        shortest = min(layout.planned[vm] for vm in vms)
        reserve = min(layout.reserved[vm] - layout.planned[vm] for vm in vms)
        batches = max(1, (longest - reserve) // max(1, shortest))
        best = max(best, -(-len(vms) // (batches * layout.policy.max_vms_per_batch)))
        best = max(best, _peer_bound(layout, vms, batches))
    return best


def _peer_bound(layout: Layout, vms: Sequence[int], batches: int) -> int:
    peers: dict[int, int] = defaultdict(int)
    for vm in vms:
        for position in layout.apart_of[vm]:
            peers[position] += 1
    return max(
        (
            -(-count // (batches * layout.apart[position].max_unavailable))
            for position, count in peers.items()
        ),
        default=1,
    )
