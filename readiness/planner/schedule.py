"""One wave in time: its applications' window occurrences, and batches one after another.

Batches run one after another, as a run carries them out. Each begins when the one before is expected to be
over, within its occurrence, early enough for every VM in it to finish, be proven, and be taken back. So the
makespan of all batches and the longest way back fit, and every single batch with its own way back as well.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from readiness.model.plan import Occurrence
from readiness.planner.layout import Layout

_LONGEST = timedelta(days=31)
"""Between the first opening and the last closing of a wave."""


class Floors(Struct, frozen=True):
    """Before which instant nothing of a wave may begin, and single VMs may not."""

    wave: datetime
    vms: Mapping[int, datetime] = {}


class PlacedBatch(Struct, frozen=True):
    """VMs that are off together, where and when."""

    occurrence: Occurrence
    start: datetime
    vms: tuple[int, ...]


def arrange(
    layout: Layout, vms: Sequence[int], floors: Floors, *, spill: bool = False
) -> tuple[PlacedBatch, ...] | None:
    """Give the VMs of one wave their occurrences and batches, or None if they do not fit.

    Args:
        layout: What binds.
        vms: The VMs.
        floors: Before when nothing may begin.
        spill: Whether an application may go on in further occurrences of its windows: the wave then takes
            as long as it takes.
    """
    occurrences = _occurrences(layout, vms, floors)
    if occurrences is None:
        return None
    work = _Work(layout, vms, occurrences)
    placed: list[PlacedBatch] = []
    free = floors.wave
    while work.ready:
        occurrence = min(
            work.ready, key=lambda one: (max(free, one.opens), one.closes, one.window, one.opens)
        )
        start = max(free, occurrence.opens)
        batch, late = work.next_batch(occurrence, start)
        if late:
            if not (spill and work.push_on(occurrence, late)):
                return None
            if not batch:
                continue
        placed.append(PlacedBatch(occurrence, start, tuple(sorted(batch))))
        free = start + timedelta(seconds=max(layout.planned[vm] for vm in batch))
        work.done(batch)
    return _checked(layout, placed, spill=spill)


def _occurrences(layout: Layout, vms: Sequence[int], floors: Floors) -> dict[int, Occurrence] | None:
    """Return each VM's occurrence: the VMs of one application share one."""
    by_application: dict[int, list[int]] = defaultdict(list)
    for vm in vms:
        by_application[layout.application_of[vm]].append(vm)
    found: dict[int, Occurrence] = {}
    for members in by_application.values():
        floor = floors.wave
        if floors.vms:
            floor = max([floor, *(floors.vms[vm] for vm in members if vm in floors.vms)])
        frozen = {freeze.name: freeze for vm in members for freeze in layout.frozen[vm]}
        days = [day for vm in members if (day := layout.not_before[vm]) is not None]
        occurrence = layout.calendar.earliest(
            layout.vms[members[0]].windows,
            floor,
            frozen=frozen.values(),
            not_before=max(days, default=None),
            needed=max(layout.needed[vm] for vm in members),
        )
        if occurrence is None:
            return None
        found.update(dict.fromkeys(members, occurrence))
    return found


class _Work:
    """The VMs of a wave that are still to be placed."""

    def __init__(self, layout: Layout, vms: Sequence[int], occurrences: dict[int, Occurrence]) -> None:
        self._layout = layout
        self._occurrences = occurrences
        self._within = layout.policy.lockout_minutes * 60
        self._spare = _spare(layout, occurrences)
        self._waits: dict[int, int] = {}
        self._consumers: dict[int, list[int]] = defaultdict(list)
        self.ready: dict[Occurrence, list[int]] = {}
        """VMs that nothing in the wave has to go before any more, by occurrence."""
        for vm in vms:
            here = [one for one in layout.providers[vm] if one in occurrences]
            self._waits[vm] = len(here)
            for one in here:
                self._consumers[one].append(vm)
            if not here:
                self._release(vm)

    def next_batch(self, occurrence: Occurrence, start: datetime) -> tuple[list[int], list[int]]:
        """Return the VMs that go at an instant, and those for which the occurrence ends too early."""
        layout = self._layout
        left = (occurrence.closes - start).total_seconds()
        waiting = sorted(self.ready[occurrence], key=lambda vm: (-layout.planned[vm], vm))
        room = left - self._spare[occurrence]
        late = [vm for vm in waiting if layout.planned[vm] > room or left <= self._within]
        batch: list[int] = []
        if not late:
            off = Off(layout)
            for vm in waiting:
                if len(batch) >= layout.policy.max_vms_per_batch:
                    break
                if off.takes(vm):
                    batch.append(vm)
        return batch, late

    def push_on(self, occurrence: Occurrence, late: list[int]) -> bool:
        """Move VMs to the next occurrence of their windows; False where there is none."""
        layout = self._layout
        for vm in late:
            following = layout.calendar.earliest(
                layout.vms[vm].windows,
                occurrence.closes,
                frozen=layout.frozen[vm],
                not_before=layout.not_before[vm],
                needed=layout.needed[vm],
            )
            if following is None:
                return False
            self._take(vm)
            self._occurrences[vm] = following
            self._release(vm)
        self._spare = _spare(layout, self._occurrences)
        return True

    def done(self, batch: list[int]) -> None:
        """Take placed VMs out, and let those go that waited for them."""
        for vm in batch:
            self._take(vm)
        for vm in batch:
            for consumer in self._consumers.get(vm, ()):
                self._waits[consumer] -= 1
                if not self._waits[consumer]:
                    self._release(consumer)

    def _release(self, vm: int) -> None:
        self.ready.setdefault(self._occurrences[vm], []).append(vm)

    def _take(self, vm: int) -> None:
        waiting = self.ready[self._occurrences[vm]]
        waiting.remove(vm)
        if not waiting:
            del self.ready[self._occurrences[vm]]


class Off:
    """VMs that are off together: a hub alone, of peers as many as their group can spare, in one zone."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._count: Counter[int] = Counter()
        self._zones: dict[int, str] = {}
        self._first: int | None = None

    def takes(self, vm: int, *, hubs: bool = True) -> bool:
        """Tell whether a VM may be off with the others, and count it in if so."""
        layout = self._layout
        if hubs and self._first is not None and (vm in layout.hubs or self._first in layout.hubs):
            return False
        key = layout.vms[vm].vm.id.key
        own = layout.apart_of[vm]
        zones = {one: layout.apart[one].zones.get(key, "") for one in own if layout.apart[one].zones}
        if any(self._count[one] >= layout.apart[one].max_unavailable for one in own):
            return False
        if any(self._zones.get(one, zone) != zone for one, zone in zones.items()):
            return False
        self._count.update(own)
        self._zones |= zones
        self._first = vm if self._first is None else self._first
        return True


def _spare(layout: Layout, occurrences: Mapping[int, Occurrence]) -> dict[Occurrence, int]:
    """Return the longest way back of each occurrence, which has to fit behind its last batch."""
    found: dict[Occurrence, int] = {}
    for vm, occurrence in occurrences.items():
        spare = layout.reserved[vm] - layout.planned[vm]
        found[occurrence] = max(found.get(occurrence, 0), spare)
    return found


def _checked(layout: Layout, placed: list[PlacedBatch], *, spill: bool) -> tuple[PlacedBatch, ...] | None:
    if not placed:
        return None
    first = min(batch.occurrence.opens for batch in placed)
    last = max(batch.occurrence.closes for batch in placed)
    if layout.calendar.keeps and not spill and last - first > _LONGEST:
        return None
    if layout.calendar.keeps:
        return tuple(placed)
    return _trimmed(layout, placed)


def _trimmed(layout: Layout, placed: list[PlacedBatch]) -> tuple[PlacedBatch, ...]:
    """Let time without windows end on the day on which the last batch is proven or taken back."""
    trimmed = []
    for occurrence in dict.fromkeys(batch.occurrence for batch in placed):
        own = [batch for batch in placed if batch.occurrence == occurrence]
        ends = max(
            batch.start + timedelta(seconds=max(layout.reserved[vm] for vm in batch.vms)) for batch in own
        )
        days = -(-(ends - occurrence.opens) // timedelta(days=1))
        closes = min(occurrence.opens + timedelta(days=days), occurrence.closes)
        short = Occurrence(
            window=occurrence.window, opens=occurrence.opens, closes=closes, timezone=occurrence.timezone
        )
        trimmed += [PlacedBatch(short, batch.start, batch.vms) for batch in own]
    return tuple(sorted(trimmed, key=lambda batch: batch.start))
