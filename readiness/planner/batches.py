"""Move groups -> window occurrences and batches: who may be off at the same time, and whether it all fits.

Batches of a wave run one after another, those of the window that opens first before the others. What must
fit into an occurrence is the sum over its batches of the longest reservation, automatic undo included,
counted from when the batches before them are over.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, Occurrence, OrderEdge
from readiness.planner.eligibility import Candidate
from readiness.planner.policy import Policy
from readiness.planner.windows import Calendar

MoveGroup = tuple[ResourceId, ...]
"""VMs that need one another and so go in one wave."""


class Layout:
    """What waves are made of and have to respect, indexed by VM."""

    def __init__(
        self,
        *,
        candidates: Mapping[ResourceId, Candidate],
        groups: tuple[MoveGroup, ...],
        order: Iterable[OrderEdge],
        apart: Sequence[ApartGroup],
        calendar: Calendar,
        policy: Policy,
    ) -> None:
        self.candidates = candidates
        self.groups = groups
        """Move groups, providers first."""
        self.apart = apart
        self.calendar = calendar
        self.policy = policy
        self.providers: dict[ResourceId, set[ResourceId]] = defaultdict(set)
        self.hard_providers: dict[ResourceId, set[ResourceId]] = defaultdict(set)
        for edge in order:
            self.providers[edge.after].add(edge.before)
            if edge.hard:
                self.hard_providers[edge.after].add(edge.before)
        self.apart_of: dict[ResourceId, list[int]] = defaultdict(list)
        """Positions in `apart` of the groups a VM belongs to."""
        for position, redundant in enumerate(apart):
            for vm in redundant.members:
                self.apart_of[vm].append(position)
        self.windows: dict[ResourceId, tuple[str, ...]] = {}
        """Windows of a VM's application that hold all the application has in the VM's move group."""
        for group in groups:
            self.windows.update(_roomy(self, group))


class Slot(Struct, frozen=True):
    """One occurrence as a wave uses it: batches of VMs, in order."""

    occurrence: Occurrence
    batches: tuple[tuple[ResourceId, ...], ...]


def arrange(layout: Layout, groups: Sequence[MoveGroup], after: datetime) -> tuple[Slot, ...] | None:
    """Give the VMs of one wave their occurrences and batches, or None if a limit or window forbids it."""
    vms = [vm for group in groups for vm in group]
    if len(vms) > layout.policy.max_vms_per_wave and len(groups) > 1:
        return None
    by_occurrence: dict[Occurrence, list[ResourceId]] = defaultdict(list)
    for vm in vms:
        occurrence = layout.calendar.earliest(layout.windows[vm], after)
        if occurrence is None:
            return None
        by_occurrence[occurrence].append(vm)
    slots: list[Slot] = []
    over = after
    for occurrence in sorted(by_occurrence, key=lambda entry: (entry.opens, entry.closes, entry.window)):
        batches = split(layout, by_occurrence[occurrence])
        over = max(over, occurrence.opens) + timedelta(seconds=reservation(layout, batches))
        if over > occurrence.closes:
            return None
        slots.append(Slot(occurrence, batches))
    return tuple(slots)


def split(layout: Layout, vms: Iterable[ResourceId]) -> tuple[tuple[ResourceId, ...], ...]:
    """Split VMs that come providers first into batches: providers earlier, peers apart."""
    index: dict[ResourceId, int] = {}
    batches: list[list[ResourceId]] = []
    for vm in vms:
        number = max([index[one] + 1 for one in layout.providers.get(vm, ()) if one in index], default=0)
        while number < len(batches) and not _may_join(layout, vm, batches[number]):
            number += 1
        if number == len(batches):
            batches.append([])
        index[vm] = number
        batches[number].append(vm)
    return tuple(tuple(sorted(batch)) for batch in batches)


def reservation(layout: Layout, batches: Iterable[Sequence[ResourceId]]) -> int:
    """Return how many seconds batches take one after another, the way back included."""
    return sum(max(_reserved(layout, vm) for vm in batch) for batch in batches)


def _may_join(layout: Layout, vm: ResourceId, batch: Sequence[ResourceId]) -> bool:
    if len(batch) >= layout.policy.max_vms_per_batch:
        return False
    own = layout.apart_of.get(vm, ())
    off = Counter(position for other in batch for position in layout.apart_of.get(other, ())) if own else {}
    return all(off[position] < layout.apart[position].max_unavailable for position in own)


def _reserved(layout: Layout, vm: ResourceId) -> int:
    outage = layout.candidates[vm].outage
    return outage.reserved_seconds if outage else 0


def _roomy(layout: Layout, group: MoveGroup) -> dict[ResourceId, tuple[str, ...]]:
    by_application: dict[str, list[ResourceId]] = defaultdict(list)
    for vm in group:
        by_application[layout.candidates[vm].application.name].append(vm)
    found: dict[ResourceId, tuple[str, ...]] = {}
    for vms in by_application.values():
        needed = reservation(layout, split(layout, vms))
        windows = layout.candidates[vms[0]].application.windows
        roomy = tuple(window for window in windows if layout.calendar.seconds(window) >= max(needed, 1))
        found.update(dict.fromkeys(vms, roomy))
    return found
