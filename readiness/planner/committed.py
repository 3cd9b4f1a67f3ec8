"""Waves of an earlier plan that keep their place: what was agreed on is not shuffled by planning again.

A VM keeps wave, batch and start if it still has something to do, its window is still to come, and its batch
still fits. A move group that has changed its members, or peers that may not be off together any more, are
placed anew, and the plan says so.
"""

from collections import Counter
from datetime import datetime, timedelta

from msgspec import Struct

from readiness.model.plan import Occurrence, Plan
from readiness.planner.drafts import Draft
from readiness.planner.layout import Layout
from readiness.planner.schedule import PlacedBatch
from readiness.planner.waves import COMMITTED

_SHOWN = 5


class Kept(Struct, frozen=True):
    """Waves taken over, and what could not be."""

    drafts: tuple[Draft, ...] = ()
    warnings: tuple[str, ...] = ()


def keep(layout: Layout, previous: Plan | None) -> Kept:
    """Take over from an earlier plan whatever still can stand where it stood."""
    if previous is None:
        return Kept()
    where = {
        layout.index[vm.id]: (wave.number, number)
        for wave in previous.waves
        for number, batch in enumerate(wave.batches)
        for vm in batch.vms
        if vm.id in layout.index
    }
    released: dict[str, list[str]] = {}
    stays = set(where)
    for wave in previous.waves:
        for batch in wave.batches:
            known = [layout.index[vm.id] for vm in batch.vms if vm.id in layout.index]
            for vm in known:
                reason = _why_not(layout, vm, where)
                if not reason and not _fits(layout, vm, batch.vms[0].occurrence, batch.start):
                    reason = "its window has passed, or does not hold it any more"
                if reason:
                    released.setdefault(reason, []).append(layout.vms[vm].vm.name)
                    stays.discard(vm)
            for vm in _crowded(layout, [vm for vm in known if vm in stays]):
                released.setdefault("its peers may not be off with it any more", []).append(
                    layout.vms[vm].vm.name
                )
                stays.discard(vm)
    for group in layout.groups:
        if not stays.issuperset(group):
            stays.difference_update(group)
    drafts = _drafts(layout, previous, stays)
    warnings = tuple(
        f"Placed anew, although the plan before had a place: {_listed(names)}: {reason}."
        for reason, names in sorted(released.items())
    )
    return Kept(drafts, warnings)


def _why_not(layout: Layout, vm: int, where: dict[int, tuple[int, int]]) -> str:
    group = layout.groups[layout.group_of[vm]]
    if len({where.get(one, (0, 0))[0] for one in group}) > 1:
        return "its move group has other members now"
    pin = layout.pins.get(vm)
    if pin is not None and pin.wave is not None and pin.wave != where[vm][0]:
        return "the policy pins it to another wave"
    return ""


def _fits(layout: Layout, vm: int, occurrence: Occurrence, start: datetime | None) -> bool:
    if start is None:
        return False
    frozen, day = layout.frozen[vm], layout.not_before[vm]
    if not layout.calendar.keeps:
        return occurrence.opens >= layout.calendar.begins
    again = layout.calendar.earliest(
        (occurrence.window,) if occurrence.window in layout.vms[vm].windows else (),
        occurrence.opens,
        frozen=frozen,
        not_before=day,
        needed=layout.needed[vm],
    )
    ends = timedelta(seconds=layout.reserved[vm])
    return again == occurrence and start + ends <= occurrence.closes


def _crowded(layout: Layout, batch: list[int]) -> list[int]:
    off: Counter[int] = Counter()
    found = []
    for vm in batch:
        own = layout.apart_of[vm]
        if any(off[position] >= layout.apart[position].max_unavailable for position in own):
            found.append(vm)
        else:
            off.update(own)
    return found


def _drafts(layout: Layout, previous: Plan, stays: set[int]) -> tuple[Draft, ...]:
    drafts = []
    for wave in previous.waves:
        batches = []
        for batch in wave.batches:
            vms = tuple(sorted(layout.index[vm.id] for vm in batch.vms if layout.index.get(vm.id) in stays))
            if vms and batch.start is not None:
                batches.append(PlacedBatch(batch.vms[0].occurrence, batch.start, vms))
        if batches:
            groups = {layout.group_of[vm] for batch in batches for vm in batch.vms}
            drafts.append(
                Draft(
                    number=wave.number,
                    stage=COMMITTED,
                    groups=tuple(sorted(groups)),
                    batches=tuple(batches),
                )
            )
    return tuple(drafts)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(sorted(names)[:_SHOWN]) + more
