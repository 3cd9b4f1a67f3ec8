"""Move groups and limits -> waves with batches, each application in its own window occurrence.

Deterministic: groups come in topological order with ties broken by id, and each joins the wave before it
or, if it does not fit there, begins the next one. A wave begins when every window of the wave before has
closed. Non-production goes first, unless a hard dependency forbids it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from readiness.model.context import Environment
from readiness.model.ids import ResourceId
from readiness.model.plan import Batch, Occurrence, PlannedVm, Wave
from readiness.planner.batches import Layout, MoveGroup, Slot, arrange, reservation, split

_FIRST, _PRODUCTION = 0, 1
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Misfit(Struct, frozen=True, kw_only=True):
    """A move group that fits into no window of its applications, and why."""

    group: MoveGroup
    reason: str
    detail: str


class Waves(Struct, frozen=True, kw_only=True):
    """Every move group in a wave, or a misfit."""

    waves: tuple[Wave, ...]
    misfits: tuple[Misfit, ...]
    lower_bound: int
    """No plan within these limits has fewer waves for what was placed."""


def lay_out(layout: Layout) -> Waves:
    """Place every move group into a wave; a group that fits nowhere is returned as a misfit."""
    waves: list[Wave] = []
    misfits: list[Misfit] = []
    bound, start = 0, _BEGINNING
    for ring, groups in _rings(layout).items():
        runs, unplaced = _pack(layout, groups, start)
        for slots in runs:
            waves.append(_wave(layout, slots, ring, len(waves) + 1))
            start = _closing(slots)
        misfits += unplaced
        lost = {misfit.group for misfit in unplaced}
        bound += _fewest(
            [len(group) for group in groups if group not in lost], layout.policy.max_vms_per_wave
        )
    return Waves(waves=tuple(waves), misfits=tuple(misfits), lower_bound=bound)


def _pack(
    layout: Layout, groups: Sequence[MoveGroup], start: datetime
) -> tuple[list[tuple[Slot, ...]], list[Misfit]]:
    """Fill one wave after another; return what the waves hold, and the groups that fit nowhere."""
    runs: list[tuple[Slot, ...]] = []
    unplaced: list[Misfit] = []
    pending: list[MoveGroup] = []
    slots: tuple[Slot, ...] = ()
    for group in groups:
        grown = arrange(layout, [*pending, group], start)
        if grown is not None:
            pending, slots = [*pending, group], grown
            continue
        following = _closing(slots) if slots else start
        alone = arrange(layout, [group], following)
        if alone is None:
            unplaced.append(_misfit(layout, group, following))
            continue
        runs.append(slots)
        start, pending, slots = following, [group], alone
    return ([*runs, slots] if slots else runs), unplaced


def _closing(slots: Sequence[Slot]) -> datetime:
    return max(slot.occurrence.closes for slot in slots)


def _fewest(sizes: Sequence[int], cap: int) -> int:
    """Return how many waves groups of these sizes need; one that fills a wave shares it with nobody."""
    full = sum(1 for size in sizes if size >= cap)
    return full - (-sum(size for size in sizes if size < cap) // cap)


def _rings(layout: Layout) -> dict[int, list[MoveGroup]]:
    """Split the move groups into rings, in order."""
    ring_of: dict[ResourceId, int] = {}
    rings: dict[int, list[MoveGroup]] = {_FIRST: [], _PRODUCTION: []}
    for group in layout.groups:
        own = max(_ring(layout, vm) for vm in group)
        before = [ring_of[one] for vm in group for one in layout.hard_providers.get(vm, ()) if one in ring_of]
        ring = max([own, *before])
        ring_of.update(dict.fromkeys(group, ring))
        rings[ring].append(group)
    return rings


def _ring(layout: Layout, vm: ResourceId) -> int:
    if not layout.policy.nonproduction_first:
        return _PRODUCTION
    return _PRODUCTION if _is_production(layout, vm) else _FIRST


def _is_production(layout: Layout, vm: ResourceId) -> bool:
    return layout.candidates[vm].application.environment is Environment.PRODUCTION


def _wave(layout: Layout, slots: Sequence[Slot], ring: int, number: int) -> Wave:
    batches: list[Batch] = []
    for slot in slots:
        index = {vm: position for position, vms in enumerate(slot.batches) for vm in vms}
        for vms in slot.batches:
            placed = tuple(
                _place(layout, vm, slot.occurrence, _reason(layout, vm, ring, index)) for vm in vms
            )
            batches.append(Batch(number=len(batches) + 1, vms=placed))
    return Wave(number=number, name=_name(layout, slots, ring), batches=tuple(batches))


def _place(layout: Layout, vm: ResourceId, occurrence: Occurrence, reason: str) -> PlannedVm:
    entry = layout.candidates[vm]
    return PlannedVm(
        id=entry.vm.id,
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
        reason=reason,
    )


def _reason(layout: Layout, vm: ResourceId, ring: int, index: dict[ResourceId, int]) -> str:
    """Say in one sentence why the VM stands in its wave and batch."""
    application = layout.candidates[vm].application
    parts = [f"{application.name} is {application.environment}: {_ring_reason(layout, vm, ring)}"]
    earlier = [one for one in layout.providers.get(vm, ()) if one in index and index[one] < index[vm]]
    needed = sorted(layout.candidates[one].vm.name for one in earlier)
    if needed:
        parts.append(f"after {', '.join(needed)}, which it needs")
    peers = [layout.apart[position].evidence for position in layout.apart_of.get(vm, ())]
    if peers:
        parts.append(f"apart from its peers in {' and '.join(peers)}")
    return "; ".join(parts)


def _ring_reason(layout: Layout, vm: ResourceId, ring: int) -> str:
    if not layout.policy.nonproduction_first:
        return "no environment goes before another"
    if _is_production(layout, vm):
        return "production goes after the rest"
    if ring == _PRODUCTION:
        return "not production, but production that it cannot go before holds it back"
    return "not production, so it goes first"


def _name(layout: Layout, slots: Sequence[Slot], ring: int) -> str:
    vms = [vm for slot in slots for batch in slot.batches for vm in batch]
    applications = ", ".join(sorted({layout.candidates[vm].application.name for vm in vms}))
    if not layout.policy.nonproduction_first:
        return applications
    return f"{'Production' if ring == _PRODUCTION else 'Non-production'}: {applications}"


def _misfit(layout: Layout, group: MoveGroup, after: datetime) -> Misfit:
    names = ", ".join(layout.candidates[vm].vm.name for vm in group)
    together = f"{names} must go together and need" if len(group) > 1 else f"{names} needs"
    minutes = -(-reservation(layout, split(layout, group)) // 60)
    applications = {entry.name: entry for entry in (layout.candidates[vm].application for vm in group)}
    described = " or ".join(f"{name} ({', '.join(entry.windows)})" for name, entry in applications.items())
    need = f"{together} {minutes} minutes, way back included; no window of {described}"
    roomy = [layout.windows[vm] for vm in group]
    if all(roomy) and not all(layout.calendar.earliest(windows, after) for windows in roomy):
        return Misfit(group=group, reason="WindowEnded", detail=f"{need} comes again")
    return Misfit(group=group, reason="WindowTooShort", detail=f"{need} is long enough")
