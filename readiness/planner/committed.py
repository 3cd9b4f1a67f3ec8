"""Waves of an earlier plan that keep their place: what was agreed on is not shuffled by planning again.

A VM keeps wave, batch and start as long as all of this holds: it still has something to do; its window is
still to come, on no frozen day, and holds it with its way back; its batch leaves it the time it takes; its
peers can spare it there, zone by zone; its move group has not changed; what it cannot go without goes before
it. Whoever does not is placed anew, and the plan says so. Nobody else moves. Limits that were tightened since
take no wave apart that was agreed on: it says that it exceeds them.
"""

from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from readiness.model.plan import Occurrence, Plan, Wave
from readiness.planner.drafts import Draft
from readiness.planner.layout import Layout
from readiness.planner.schedule import Off, PlacedBatch
from readiness.planner.waves import COMMITTED
from readiness.planner.wishes import wanted_wave

_SHOWN = 5
_Place = tuple[int, int]
"""A wave's number, and the position of a batch in it."""


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
    released = dict(_regrouped(layout, where))
    for wave in previous.waves:
        for vm, reason in _of_wave(layout, wave, where.keys() - released.keys()):
            released.setdefault(vm, reason)
    _release_followers(layout, where, released, _over(previous))
    names: dict[str, list[str]] = defaultdict(list)
    for vm, reason in released.items():
        if vm in where:
            names[reason].append(layout.vms[vm].vm.name)
    warnings = tuple(
        f"Placed anew, although the plan before had a place: {_listed(found)}: {reason}."
        for reason, found in sorted(names.items())
    )
    return Kept(_drafts(layout, previous, where.keys() - released.keys()), warnings)


def _of_wave(layout: Layout, wave: Wave, known: Set[int]) -> Iterator[tuple[int, str]]:
    """Yield the VMs of a wave that cannot stay in it, each with the reason."""
    staying: list[list[int]] = []
    in_wave: dict[int, list[int]] = defaultdict(list)
    for position, batch in enumerate(wave.batches):
        following = wave.batches[position + 1].start if position + 1 < len(wave.batches) else None
        in_batch = Off(layout)
        staying.append([])
        for vm in sorted(known & {layout.index.get(vm.id, -1) for vm in batch.vms}):
            reason = ""
            if not _fits(layout, vm, batch.vms[0].occurrence, batch.start):
                reason = "its window has passed, or does not hold it any more"
            if not reason and _overruns(layout, vm, batch.start, following):
                reason = "it takes longer now than its batch leaves it"
            if not reason and not in_batch.takes(vm, hubs=False):
                reason = "its peers may not be off with it any more"
            if not reason and not _spare(layout, vm, in_wave):
                reason = "its peers may not go in one wave with it any more"
            if reason:
                yield vm, reason
            else:
                staying[-1].append(vm)
    yield from _without_way_back(layout, wave, staying)


def _regrouped(layout: Layout, where: dict[int, _Place]) -> Iterator[tuple[int, str]]:
    """Yield the VMs whose move group does not stay: it has changed, or people want it in a wave to come."""
    last = max((wave for wave, _ in where.values()), default=0)
    for number, group in enumerate(layout.groups):
        waves = {where.get(vm, (0, 0))[0] for vm in group}
        reason = ""
        if len(waves) > 1:
            reason = "its move group has other members now"
        elif (wanted_wave(layout, number) or 0) > last:
            reason = "the policy pins it to another wave"
        if reason:
            yield from ((vm, reason) for vm in group)


def _fits(layout: Layout, vm: int, occurrence: Occurrence, start: datetime | None) -> bool:
    """Tell whether an occurrence is still one of the VM's, and holds it from its start on."""
    if start is None:
        return False
    keeps = layout.calendar.keeps
    again = layout.calendar.earliest(
        (occurrence.window,) if occurrence.window in layout.vms[vm].windows else (),
        occurrence.opens,
        frozen=layout.frozen[vm],
        not_before=layout.not_before[vm],
        needed=layout.needed[vm],
    )
    if again is None or (again != occurrence if keeps else again.opens != occurrence.opens):
        return False
    closes = min(again.closes, occurrence.closes)
    last = closes - timedelta(minutes=layout.policy.lockout_minutes)
    return start + timedelta(seconds=layout.reserved[vm]) <= closes and start < last


def _overruns(layout: Layout, vm: int, start: datetime | None, following: datetime | None) -> bool:
    ends = timedelta(seconds=layout.planned[vm])
    return start is not None and following is not None and start + ends > following


def _spare(layout: Layout, vm: int, in_wave: dict[int, list[int]]) -> bool:
    """Tell whether peers that want separate waves can spare a VM in this one, and count it in if so.

    Args:
        layout: What binds.
        vm: The VM.
        in_wave: Move groups of the peers that stay in the wave, by redundant group. One move group alone
            may be more than can be spared.
    """
    group = layout.group_of[vm]
    for position in layout.apart_of[vm]:
        if layout.apart[position].separate_waves:
            known = in_wave[position]
            if len(known) >= layout.apart[position].max_unavailable and {group} != set(known):
                return False
            known.append(group)
    return True


def _without_way_back(layout: Layout, wave: Wave, staying: list[list[int]]) -> Iterator[tuple[int, str]]:
    """Yield the VMs whose way back does not fit behind the last batch of their occurrence any more."""
    over: dict[Occurrence, datetime] = {}
    for batch, vms in zip(wave.batches, staying, strict=True):
        if vms and batch.start is not None:
            seconds = max(layout.planned[vm] for vm in vms)
            over[batch.vms[0].occurrence] = batch.start + timedelta(seconds=seconds)
    for batch, vms in zip(wave.batches, staying, strict=True):
        occurrence = batch.vms[0].occurrence
        for vm in vms:
            spare = timedelta(seconds=layout.reserved[vm] - layout.planned[vm])
            if over[occurrence] + spare > occurrence.closes:
                yield vm, "its way back does not fit behind the last batch of its window any more"


def _over(previous: Plan) -> datetime:
    """Return when the last window of a plan closes: whatever is new goes after it."""
    closes = [vm.occurrence.closes for wave in previous.waves for vm in wave.vms]
    return max(closes, default=datetime.min.replace(tzinfo=UTC))


def _release_followers(
    layout: Layout, where: dict[int, _Place], released: dict[int, str], over: datetime
) -> None:
    """Release whole move groups, and whatever would go before something that it cannot go without."""
    for number, group in enumerate(layout.groups):  # providers first
        gone = [vm for vm in group if vm in released or vm not in where]
        if not gone:
            reason = _out_of_order(layout, number, where, released, over)
        elif len(gone) == len(group):
            continue
        else:
            reason = f"it goes with {layout.vms[gone[0]].vm.name}, which is placed anew"
        if reason:
            for vm in group:
                released.setdefault(vm, reason)


def _out_of_order(
    layout: Layout, group: int, where: dict[int, _Place], released: dict[int, str], over: datetime
) -> str:
    for before in sorted(layout.hard_before[group]):
        provider = layout.groups[before][0]
        name = layout.vms[provider].vm.name
        if provider not in where or provider in released:
            if not _goes_after(layout, before, over):
                continue  # what goes nowhere holds nothing back
            return f"it cannot go before {name}, which is placed anew"
        wave, own = where[provider][0], where[layout.groups[group][0]][0]
        if wave + layout.before[group][before] > own:
            return f"it cannot go before {name} any more"
    for vm in layout.groups[group]:
        for provider in layout.providers[vm]:
            is_hard = layout.group_of[provider] in layout.hard_before[group]
            if is_hard and provider in where and provider not in released and where[provider] >= where[vm]:
                return f"it cannot go before {layout.vms[provider].vm.name} any more"
    return ""


def _goes_after(layout: Layout, group: int, over: datetime) -> bool:
    """Tell whether a move group that is placed anew still has a window."""
    return all(
        layout.calendar.earliest(
            layout.vms[vm].windows,
            max(over, layout.calendar.begins),
            frozen=layout.frozen[vm],
            not_before=layout.not_before[vm],
            needed=layout.needed[vm],
        )
        for vm in layout.groups[group]
    )


def _drafts(layout: Layout, previous: Plan, stays: Set[int]) -> tuple[Draft, ...]:
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
