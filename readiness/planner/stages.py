"""Pilots and rings: which move groups go before which, whatever the packing makes of them.

Rings follow one another (by default test and development, then production). In each ring pilots go first:
one VM for every stratum that no earlier pilot has proven. Nothing that a hard dependency holds back goes in
an earlier stage than what it needs.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import Struct

from readiness.model.context import Criticality, Environment
from readiness.planner.layout import Layout

_WORTH_IT = 5
"""VMs of a stratum for which a pilot may go before what it merely uses."""
_CALM = {name: number for number, name in enumerate(Criticality)}


class Stage(Struct, frozen=True):
    """Move groups that are packed into waves of their own."""

    ring: str
    groups: tuple[int, ...]
    is_pilot: bool = False

    @property
    def name(self) -> str:
        """What waves of this stage are called."""
        return f"pilot, {self.ring}" if self.is_pilot else self.ring


class Stages(Struct, frozen=True):
    """All stages in order, and the strata that stay unproven."""

    stages: tuple[Stage, ...]
    unproven: tuple[str, ...]


def stages_of(layout: Layout, groups: Sequence[int]) -> Stages:
    """Sort move groups into rings, and choose their pilots."""
    policy = layout.policy
    rings = _rings(layout, groups)
    stages: list[Stage] = []
    budget = 0
    if policy.pilot is not None:
        budget = max(policy.pilot.max_vms, int(policy.pilot.max_percent * len(layout.vms) / 100))
    proven: set[str] = set()
    unproven: list[str] = []
    for number, members in sorted(rings.items()):
        name = ring_name(layout, number)
        chosen: list[int] = []
        if policy.pilot is not None:
            chosen, missed = _pilots(layout, members, proven, budget)
            budget -= sum(len(layout.groups[group]) for group in chosen)
            unproven += [stratum for stratum in missed if stratum not in unproven]
        if chosen:
            stages.append(Stage(name, tuple(chosen), is_pilot=True))
        picked = set(chosen)
        rest = tuple(group for group in members if group not in picked)
        if rest:
            stages.append(Stage(name, rest))
    return Stages(tuple(stages), tuple(unproven))


def ring_of(layout: Layout, vm: int) -> int:
    """Return the ring of a VM by its environment; one that no ring names counts as production."""
    rings = layout.policy.rings
    own = layout.vms[vm].application.environment
    for number, environments in enumerate(rings):
        if own in environments:
            return number
    for number, environments in enumerate(rings):
        if Environment.PRODUCTION in environments:
            return number
    return len(rings)


def ring_name(layout: Layout, number: int) -> str:
    """Return what a ring is called."""
    rings = layout.policy.rings
    if not rings:
        return "all"
    if number >= len(rings):
        return "rest"
    if Environment.PRODUCTION not in rings[number]:
        others = [ring for ring in rings if Environment.PRODUCTION not in ring]
        return "non-production" if len(others) == 1 else " and ".join(rings[number])
    return "production" if len(rings[number]) == 1 else " and ".join(rings[number])


def _rings(layout: Layout, groups: Sequence[int]) -> dict[int, list[int]]:
    ring: dict[int, int] = {}
    found: dict[int, list[int]] = defaultdict(list)
    for group in groups:  # providers first
        own = max(ring_of(layout, vm) for vm in layout.groups[group])
        ring[group] = max([own, *(ring[one] for one in layout.hard_before[group] if one in ring)])
        found[ring[group]].append(group)
    return found


def _pilots(
    layout: Layout, members: Sequence[int], proven: set[str], budget: int
) -> tuple[list[int], list[str]]:
    """Choose pilots of one ring; return them, and the strata for which there is none.

    A pilot needs nothing that goes later, hangs on as little as possible, and is as uncritical as possible.
    """
    sizes = Counter(layout.vms[vm].facts.stratum for group in members for vm in layout.groups[group])
    best = _best_pilots(layout, members, sizes)
    chosen: list[int] = []
    missed: list[str] = []
    for stratum in sorted(sizes, key=lambda one: (-sizes[one], one)):
        if stratum in proven or sizes[stratum] == 1:
            continue
        group = best.get(stratum)
        size = 0 if group is None else len(layout.groups[group])
        if group is None or size > budget or size == len(members):
            missed.append(stratum)
            continue
        if group not in chosen:
            chosen.append(group)
            budget -= size
        proven.update(layout.vms[vm].facts.stratum for vm in layout.groups[group])
    return ([], missed) if len(chosen) == len(members) else (sorted(chosen), missed)


def _best_pilots(layout: Layout, members: Sequence[int], sizes: Counter[str]) -> dict[str, int]:
    known = set(members)
    best: dict[str, tuple[tuple[int, ...], int]] = {}
    for group in members:
        vms = layout.groups[group]
        has_day = any(layout.not_before[vm] is not None for vm in vms)
        if has_day or not known.isdisjoint(layout.hard_before[group]):
            continue
        needs = len(known.intersection(layout.before[group]))
        critical = max(_CALM[layout.vms[vm].application.criticality] for vm in vms)
        rank = (needs, len(vms), critical, len(layout.after[group]), group)
        for stratum in {layout.vms[vm].facts.stratum for vm in vms}:
            if needs and sizes[stratum] < _WORTH_IT:
                continue
            if stratum not in best or rank < best[stratum][0]:
                best[stratum] = (rank, group)
    return {stratum: group for stratum, (_, group) in best.items()}
