"""Move groups and limits -> waves with batches, each application in its own window occurrence.

Deterministic: groups come in topological order with ties broken by id, and each goes into the first wave
of its ring that it fits into. What must fit into an occurrence is the sum over its batches of the longest
reservation, automatic undo included.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from readiness.model.context import Context, Environment
from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, Batch, Occurrence, OrderEdge, PlannedVm, Wave
from readiness.planner.eligibility import Candidate
from readiness.planner.policy import Policy
from readiness.planner.windows import next_occurrence


class Layout:
    """What waves are made of and have to respect, indexed by VM."""

    def __init__(
        self,
        *,
        candidates: Mapping[ResourceId, Candidate],
        groups: tuple[tuple[ResourceId, ...], ...],
        order: Iterable[OrderEdge],
        apart: Iterable[ApartGroup],
        context: Context,
        policy: Policy,
    ) -> None:
        self.candidates = candidates
        self.groups = groups
        """Move groups, providers first."""
        self.context = context
        self.policy = policy
        self.providers: dict[ResourceId, set[ResourceId]] = defaultdict(set)
        self.hard_providers: dict[ResourceId, set[ResourceId]] = defaultdict(set)
        for edge in order:
            self.providers[edge.after].add(edge.before)
            if edge.hard:
                self.hard_providers[edge.after].add(edge.before)
        self.apart: dict[ResourceId, list[ApartGroup]] = defaultdict(list)
        for group in apart:
            for vm in group.members:
                self.apart[vm].append(group)


class Misfit(Struct, frozen=True, kw_only=True):
    """A move group that fits into no window of its application."""

    group: tuple[ResourceId, ...]
    detail: str


def lay_out(layout: Layout, after: datetime) -> tuple[tuple[Wave, ...], tuple[Misfit, ...]]:
    """Place every move group into a wave; a group that fits nowhere is returned as a misfit."""
    waves: list[Wave] = []
    misfits: list[Misfit] = []
    for ring, groups in enumerate(_rings(layout)):
        pending: list[ResourceId] = []
        for group in groups:
            proposed = _wave(layout, [*pending, *group], ring, len(waves) + 1, _start(waves, after))
            if proposed is not None:
                pending += group
                continue
            alone = _wave(layout, list(group), ring, len(waves) + 2, _start(waves, after))
            if alone is None:
                misfits.append(Misfit(group=group, detail=_why_not(layout, group)))
                continue
            if pending:
                waves.append(_required(layout, pending, ring, waves, after))
            pending = list(group)
        if pending:
            waves.append(_required(layout, pending, ring, waves, after))
    return tuple(waves), tuple(misfits)


def lower_bound(layout: Layout) -> int:
    """Return a number of waves that no plan within these limits can go below."""
    rings = _rings(layout)
    cap = layout.policy.max_vms_per_wave
    return sum(-(-sum(len(group) for group in ring) // cap) for ring in rings)


def _rings(layout: Layout) -> tuple[list[tuple[ResourceId, ...]], ...]:
    """Split the move groups into rings: non-production first, unless a hard dependency forbids it."""
    ring_of: dict[ResourceId, int] = {}
    rings: dict[int, list[tuple[ResourceId, ...]]] = defaultdict(list)
    for group in layout.groups:
        own = max(_ring(layout, vm) for vm in group)
        before = [ring_of[one] for vm in group for one in layout.hard_providers.get(vm, ()) if one in ring_of]
        ring = max([own, *before])
        ring_of.update(dict.fromkeys(group, ring))
        rings[ring].append(group)
    return tuple(rings[ring] for ring in sorted(rings))


def _ring(layout: Layout, vm: ResourceId) -> int:
    production = layout.candidates[vm].application.environment is Environment.PRODUCTION
    return 1 if production or not layout.policy.nonproduction_first else 0


def _start(waves: Sequence[Wave], after: datetime) -> datetime:
    """Return when the next wave may open: after every window of the wave before has closed."""
    return max([after, *(vm.occurrence.closes for vm in waves[-1].vms)]) if waves else after


def _required(
    layout: Layout, vms: list[ResourceId], ring: int, waves: Sequence[Wave], after: datetime
) -> Wave:
    wave = _wave(layout, vms, ring, len(waves) + 1, _start(waves, after))
    if wave is None:
        raise AssertionError("a set of VMs that fitted before does not fit any more")
    return wave


def _wave(layout: Layout, vms: list[ResourceId], ring: int, number: int, after: datetime) -> Wave | None:
    """Return a wave of these VMs, or None if a limit or a window does not allow it."""
    if len(vms) > layout.policy.max_vms_per_wave and len(vms) > _longest_group(layout, vms):
        return None
    by_occurrence: dict[tuple[datetime, str], list[ResourceId]] = defaultdict(list)
    occurrences: dict[tuple[datetime, str], Occurrence] = {}
    for vm in vms:
        occurrence = _occurrence(layout, vm, after)
        if occurrence is None:
            return None
        key = (occurrence.opens, occurrence.window)
        by_occurrence[key].append(vm)
        occurrences[key] = occurrence
    batches: list[Batch] = []
    for key in sorted(by_occurrence):
        own = _batches(layout, by_occurrence[key], occurrences[key], first=len(batches) + 1)
        if sum(batch.reserved_seconds for batch in own) > occurrences[key].seconds:
            return None
        batches += own
    return Wave(number=number, name=_name(layout, vms, ring), batches=tuple(batches))


def _longest_group(layout: Layout, vms: list[ResourceId]) -> int:
    """Return the size of the wave's only move group, which may exceed the cap since it cannot be split."""
    first = set(vms)
    return max((len(group) for group in layout.groups if first.issuperset(group)), default=0)


def _occurrence(layout: Layout, vm: ResourceId, after: datetime) -> Occurrence | None:
    names = layout.candidates[vm].application.windows
    windows = tuple(window for name in names if (window := layout.context.window(name)) is not None)
    return next_occurrence(windows, after)


def _batches(
    layout: Layout, vms: list[ResourceId], occurrence: Occurrence, *, first: int
) -> tuple[Batch, ...]:
    """Split VMs of one occurrence into batches: providers earlier, peers apart."""
    index = _batch_index(layout, vms)
    grouped: dict[int, list[PlannedVm]] = defaultdict(list)
    for vm in vms:
        grouped[index[vm]].append(_place(layout, vm, occurrence, index))
    return tuple(
        Batch(number=first + position, vms=tuple(sorted(grouped[key], key=lambda entry: entry.id)))
        for position, key in enumerate(sorted(grouped))
    )


def _batch_index(layout: Layout, vms: list[ResourceId]) -> dict[ResourceId, int]:
    index: dict[ResourceId, int] = {}
    filled: dict[int, list[ResourceId]] = defaultdict(list)
    for vm in vms:
        candidate = max([index[one] + 1 for one in layout.providers.get(vm, ()) if one in index], default=0)
        while not _may_join(layout, vm, filled[candidate]):
            candidate += 1
        index[vm] = candidate
        filled[candidate].append(vm)
    return index


def _may_join(layout: Layout, vm: ResourceId, batch: Sequence[ResourceId]) -> bool:
    if len(batch) >= layout.policy.max_vms_per_batch:
        return False
    return all(
        sum(1 for other in batch if other in group.members) < group.max_unavailable
        for group in layout.apart.get(vm, ())
    )


def _place(
    layout: Layout, vm: ResourceId, occurrence: Occurrence, index: Mapping[ResourceId, int]
) -> PlannedVm:
    entry = layout.candidates[vm]
    return PlannedVm(
        id=vm,
        name=entry.vm.name,
        application=entry.application.name,
        owner=entry.application.owner.name,
        environment=entry.application.environment,
        actions=entry.actions,
        refusals=entry.refusals,
        choice=entry.choice,
        fingerprint=entry.fingerprint,
        preparation=entry.preparation,
        outage=entry.outage,
        undo=entry.undo,
        occurrence=occurrence,
        reason=_reason(layout, vm, index),
    )


def _reason(layout: Layout, vm: ResourceId, index: Mapping[ResourceId, int]) -> str:
    """Say in one sentence why the VM stands in its wave and batch."""
    application = layout.candidates[vm].application
    ring = "production goes after the rest" if _ring(layout, vm) else "not production, so it goes first"
    parts = [f"{application.name} is {application.environment}: {ring}"]
    earlier = [one for one in layout.providers.get(vm, ()) if one in index and index[one] < index[vm]]
    needed = sorted(one.name for one in earlier)
    if needed:
        parts.append(f"after {', '.join(needed)}, which it needs")
    peers = layout.apart.get(vm, ())
    if peers:
        parts.append(f"apart from its peers in {' and '.join(group.evidence for group in peers)}")
    return "; ".join(parts)


def _why_not(layout: Layout, group: tuple[ResourceId, ...]) -> str:
    entry = layout.candidates[group[0]]
    reserve = sum(one.outage.reserved_seconds for vm in group if (one := layout.candidates[vm]).outage)
    names = ", ".join(vm.name for vm in group)
    return (
        f"{names} must go together and need {reserve // 60} minutes, way back included; "
        f"no window of {entry.application.name} ({', '.join(entry.application.windows)}) is long enough"
    )


def _name(layout: Layout, vms: list[ResourceId], ring: int) -> str:
    applications = sorted({layout.candidates[vm].application.name for vm in vms})
    return f"{'Production' if ring else 'Non-production'}: {', '.join(applications)}"
