"""Drafts -> waves as people read them: names, windows, batches, and one sentence for every VM.

Nothing is decided here. What was decided is told, with the reason.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import UNSET

from readiness.model.plan import AppWindow, Batch, Manner, Occurrence, PlannedVm, Wave
from readiness.planner.drafts import Draft
from readiness.planner.layout import Layout, Load
from readiness.planner.placing import Placement
from readiness.planner.stages import ring_name, ring_of

_NAMED = 4
"""How many applications a wave is named for."""
COMMITTED = -1
"""The stage of waves that were taken over from an earlier plan."""


def tell_waves(layout: Layout, placement: Placement, earlier: Mapping[int, Wave]) -> tuple[Wave, ...]:
    """Return the waves of a placement; committed ones keep the name they had."""
    return tuple(
        _wave(layout, placement, draft, earlier.get(draft.number))
        for draft in sorted(placement.drafts, key=lambda draft: draft.number)
    )


def _wave(layout: Layout, placement: Placement, draft: Draft, earlier: Wave | None) -> Wave:
    ring, is_pilot = _ring(placement, draft, earlier)
    index = {vm: number for number, batch in enumerate(draft.batches) for vm in batch.vms}
    batches = tuple(
        Batch(
            number=number,
            start=batch.start,
            vms=tuple(
                _planned(
                    layout,
                    vm,
                    (draft.number, number, batch.start, batch.occurrence),
                    _reason(layout, placement, vm, draft, index, ring=ring, is_pilot=is_pilot),
                )
                for vm in sorted(batch.vms, key=lambda one: layout.vms[one].vm.id)
            ),
        )
        for number, batch in enumerate(draft.batches, start=1)
    )
    vms = [vm for batch in draft.batches for vm in batch.vms]
    reserve = max(layout.reserved[vm] - layout.planned[vm] for vm in vms)
    makespan = sum(max(layout.planned[vm] for vm in batch.vms) for batch in draft.batches)
    return Wave(
        number=draft.number,
        name=earlier.name if earlier else _name(layout, vms, ring, is_pilot=is_pilot),
        ring="pilot" if is_pilot else ring,
        batches=batches,
        windows=_windows(layout, draft),
        work_minutes=sum(-(-_seconds(layout, group) // 60) for group in draft.groups),
        makespan_minutes=-(-makespan // 60),
        reserve_minutes=-(-reserve // 60),
        reasons=_wave_reasons(layout, draft, ring, is_pilot=is_pilot),
        committed=earlier is not None,
    )


def _seconds(layout: Layout, group: int) -> int:
    return sum(layout.planned[vm] for vm in layout.groups[group])


def _ring(placement: Placement, draft: Draft, earlier: Wave | None) -> tuple[str, bool]:
    if earlier is not None:
        return earlier.ring, earlier.ring == "pilot"
    stage = placement.stages[draft.stage]
    return stage.ring, stage.is_pilot


def _planned(layout: Layout, vm: int, place: tuple[int, int, datetime, Occurrence], reason: str) -> PlannedVm:
    entry = layout.vms[vm]
    wave, batch, start, occurrence = place
    group = layout.groups[layout.group_of[vm]]
    facts, application = entry.facts, entry.application
    return PlannedVm(
        id=entry.vm.id,
        name=entry.vm.name,
        application=application.name,
        owner=application.owner.name,
        environment=application.environment,
        actions=entry.actions,
        refusals=entry.refusals,
        choice=entry.choice,
        fingerprint=entry.fingerprint,
        preparation=entry.preparation,
        outage=entry.outage,
        undo=entry.undo,
        occurrence=occurrence,
        reason=reason,
        wave=wave,
        batch=batch,
        start=start,
        criticality=application.criticality,
        windows=application.windows,
        region=entry.vm.location,
        os=facts.os,
        zone=entry.vm.zones[0] if entry.vm.zones else UNSET,
        size=entry.vm.size or "",
        vcpus=facts.vcpus,
        stratum=facts.stratum,
        group=layout.vms[group[0]].vm.name if len(group) > 1 else "",
        consent=facts.consent,
        snapshot_count=entry.snapshot_count,
        snapshot_gb=facts.snapshot_gb if entry.snapshot_count else 0,
        snapshot_cost=round(facts.snapshot_gb * layout.policy.snapshot_price, 2)
        if entry.snapshot_count
        else 0.0,
        conflicts=facts.conflicts,
        iac=facts.iac,
        closure=entry.closure,
        fallback=entry.fallback,
        backup_item=entry.backup_item,
    )


# Sentences ------------------------------------------------------------------------------------------


def _reason(  # noqa: PLR0913  a sentence draws on everything
    layout: Layout,
    placement: Placement,
    vm: int,
    draft: Draft,
    index: Mapping[int, int],
    *,
    ring: str,
    is_pilot: bool,
) -> str:
    """Say in one sentence why the VM stands in its wave and batch."""
    application = layout.vms[vm].application
    parts = [
        f"{application.name} is {application.environment}: "
        f"{_why_wave(layout, placement, vm, draft, ring, is_pilot=is_pilot)}"
    ]
    needed = sorted(
        layout.vms[one].vm.name
        for one in layout.providers[vm]
        if one in index and vm in index and index[one] < index[vm]
    )
    if needed:
        parts.append(f"after {', '.join(needed)}, which it needs")
    group = layout.groups[layout.group_of[vm]]
    if len(group) > 1:
        others = [layout.vms[one].vm.name for one in group if one != vm]
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        parts.append(f"together with {', '.join(others[:_NAMED])}{more}, as they need one another")
    if vm in layout.hubs:
        parts.append(f"alone in its batch, as a hub: {layout.hubs[vm].reason}")
    peers = [layout.apart[position].evidence for position in layout.apart_of[vm]]
    if peers:
        parts.append(f"apart from its peers in {' and '.join(peers)}")
    day = layout.not_before[vm]
    if day is not None:
        parts.append(f"not before {day}, as the policy wants")
    return "; ".join(parts)


def _why_wave(
    layout: Layout, placement: Placement, vm: int, draft: Draft, ring: str, *, is_pilot: bool
) -> str:
    group = layout.group_of[vm]
    pin = next((pin for one in layout.groups[group] if (pin := layout.pins.get(one)) and pin.wave), None)
    if draft.stage == COMMITTED:
        return "it keeps the place it had in the plan before"
    if pin is not None and pin.wave == draft.number and group not in placement.refused:
        return f"the policy pins it to wave {pin.wave}"
    if is_pilot:
        return f"it goes first in {ring}, as the pilot for {layout.vms[vm].facts.stratum}"
    if not layout.policy.rings:
        return "no environment goes before another"
    own = ring_name(layout, ring_of(layout, vm))
    if own != ring:
        return f"not {ring}, but {ring} that it cannot go before holds it back"
    if ring == "production":
        return "production goes after the rest"
    if ring == "non-production":
        return "not production, so it goes first"
    return f"it goes with the ring {ring}"


def _name(layout: Layout, vms: list[int], ring: str, *, is_pilot: bool) -> str:
    names = sorted({layout.vms[vm].application.name for vm in vms})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(names[:_NAMED]) + more
    if not layout.policy.rings and not is_pilot:
        return listed
    return f"{'Pilot, ' + ring if is_pilot else ring.capitalize()}: {listed}"


def _wave_reasons(layout: Layout, draft: Draft, ring: str, *, is_pilot: bool) -> tuple[str, ...]:
    found = [f"Pilots of {ring}." if is_pilot else f"Ring: {ring}."]
    if draft.stage == COMMITTED:
        found = ["Committed: taken over from the plan before."]
    load = Load(layout)
    for group in draft.groups:
        load.add(group)
    found += [
        f"More {layout.named(dimension)} than the limit of {layout.caps[dimension]}: "
        f"{'agreed on before' if draft.stage == COMMITTED else 'one move group alone has so many'}."
        for dimension in load.over()
    ]
    spans: dict[int, set[Occurrence]] = {}
    for batch in draft.batches:
        for vm in batch.vms:
            spans.setdefault(layout.application_of[vm], set()).add(batch.occurrence)
    found += [
        f"{layout.applications[application]} is larger than one window: "
        f"its batches go on over {len(occurrences)} of them."
        for application, occurrences in sorted(spans.items())
        if len(occurrences) > 1
    ]
    return tuple(found)


def _windows(layout: Layout, draft: Draft) -> tuple[AppWindow, ...]:
    found: dict[tuple[str, Occurrence], list[int]] = {}
    for batch in draft.batches:
        for vm in batch.vms:
            name = layout.vms[vm].application.name
            found.setdefault((name, batch.occurrence), []).append(vm)
    windows = [
        AppWindow(
            application=name,
            owner=layout.vms[vms[0]].application.owner.name,
            window=occurrence.window,
            start=occurrence.opens,
            end=occurrence.closes,
            zone=occurrence.timezone,
            mode=Manner.ROLLING if any(layout.apart_of[vm] for vm in vms) else Manner.COLD,
        )
        for (name, occurrence), vms in found.items()
    ]
    return tuple(sorted(windows, key=lambda one: (one.start, one.end, one.application, one.window)))
