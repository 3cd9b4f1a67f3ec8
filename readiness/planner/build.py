"""Builds the plan: every VM of the estate placed in a wave or left out, each with a reason, and a digest."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.assessment import Assessment
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap, Origin
from readiness.model.ids import ResourceId
from readiness.model.plan import (
    Hub,
    LeftOut,
    OrderEdge,
    Plan,
    PlanTarget,
    TargetKind,
    TogetherGroup,
    Wave,
    digest_of,
)
from readiness.model.playbook import Playbook
from readiness.model.policy import PinAnswer, Policy
from readiness.planner.actions import closure_of, preparation_of
from readiness.planner.code_hints import hint_at_code
from readiness.planner.committed import Kept, keep
from readiness.planner.conflicts import name_conflicts
from readiness.planner.eligibility import Candidate, judge
from readiness.planner.exceptions import exceptions_of
from readiness.planner.graph import binding_edges, find_hubs, move_groups, order_edges
from readiness.planner.layout import Layout
from readiness.planner.placing import Placement, place
from readiness.planner.policy import VmPins, hub_rules, resolve_pins
from readiness.planner.topology import apart_groups, together_groups
from readiness.planner.waves import tell_waves
from readiness.planner.windows import Calendar

Solver = Callable[[Layout, Placement], Placement]
"""Looks for fewer waves than a placement has."""
_SHOWN = 5


class Request(Struct, frozen=True, kw_only=True):
    """What a plan is made from."""

    estate: Estate
    assessment: Assessment
    playbooks: Sequence[Playbook]
    policy: Policy
    previous: Plan | None = None
    """The plan whose waves keep their places."""
    solver: Solver | None = None


def build_plan(request: Request) -> Plan:
    """Build the plan for one estate; the calendar starts the day after the assessment's `as_of`.

    Raises:
        PlanError: What people asked for contradicts itself.
    """
    estate, assessment, policy = request.estate, request.assessment, request.policy
    pins = resolve_pins(policy, estate)
    candidates, left_out = _sort(request, pins)
    declared, observed = order_edges(estate)
    names = {vm.id: vm.name for vm in estate.vms}
    hubs = find_hubs((*declared, *observed), names, policy, hub_rules(policy, estate))
    together = together_groups(estate, pins)
    layout = _laid_out(request, candidates, pins, binding_edges(declared, hubs), hubs, together)
    kept, placement = _placed(request, layout)
    left_out += [_misfit(layout, group, reason) for group, reason in _each_lost(layout, placement)]
    waves = name_conflicts(tell_waves(layout, placement, _committed(request, kept)), estate)
    waves, iac_hints = hint_at_code(waves)
    order, hints = _kept_edges((*declared, *observed), layout, waves)
    vms = [vm for wave in waves for vm in wave.vms]
    plan = Plan(
        release=assessment.release,
        as_of=assessment.as_of,
        target=_target(estate),
        inventory=sum(entry.discovered for entry in assessment.coverage),
        waves=waves,
        left_out=tuple(sorted(left_out, key=lambda entry: entry.id)),
        order=order,
        apart=tuple(layout.apart),
        lower_bound=placement.lower_bound,
        bound=placement.bound,
        proven=placement.proven,
        solver=placement.solver,
        hints=hints,
        together=together,
        hubs=hubs,
        preparation=preparation_of(vms, estate),
        closure=closure_of(vms, estate, request.playbooks),
        unproven=placement.unproven,
        warnings=(*kept.warnings, *_warnings(estate, waves, hints)),
        iac_hints=iac_hints,
        pins=_answers(layout, placement, pins, candidates),
        policy=policy,
        calendar=estate.context.windows,
        freezes=estate.context.freezes,
        exceptions=exceptions_of(estate),
        previous=request.previous.digest if request.previous else "",
    )
    _prove_conservation(plan)
    return replace(plan, digest=digest_of(plan))


def _laid_out(
    request: Request,
    candidates: Mapping[ResourceId, Candidate],
    pins: Mapping[ResourceId, VmPins],
    edges: Sequence[OrderEdge],
    hubs: Sequence[Hub],
    together: Sequence[TogetherGroup],
) -> Layout:
    """Return what waves are made of, and what binds them."""
    estate, policy = request.estate, request.policy
    return Layout(
        candidates=candidates,
        groups=move_groups(candidates, edges, together),
        edges=edges,
        apart=apart_groups(estate, policy),
        hubs=hubs,
        pins=pins,
        calendar=Calendar(estate.context.windows, request.assessment.as_of, keeps=policy.windows),
        policy=policy,
    )


def _placed(request: Request, layout: Layout) -> tuple[Kept, Placement]:
    """Place every move group; what is committed keeps its place."""
    kept = keep(layout, request.previous)
    placement = place(layout, kept.drafts)
    return kept, placement if request.solver is None else request.solver(layout, placement)


def _committed(request: Request, kept: Kept) -> dict[int, Wave]:
    earlier = {wave.number: wave for wave in request.previous.waves} if request.previous else {}
    return {draft.number: earlier[draft.number] for draft in kept.drafts}


def _sort(
    request: Request, pins: dict[ResourceId, VmPins]
) -> tuple[dict[ResourceId, Candidate], list[LeftOut]]:
    estate = request.estate
    candidates: dict[ResourceId, Candidate] = {}
    left_out = [_unreadable(gap) for gap in estate.gaps if gap.is_vm]
    for assessed in request.assessment.vms:
        vm = estate.vm(assessed.id)
        if vm is None:
            raise AssertionError(f"{assessed.id} was assessed but is not in the estate")
        answer = judge(vm, assessed, estate, request.playbooks, request.policy)
        pin = pins.get(vm.id)
        if isinstance(answer, LeftOut):
            left_out.append(answer)
        elif pin is not None and pin.exclude:
            left_out.append(_excluded(answer, pin))
        else:
            candidates[vm.id] = replace(answer, freezes=estate.freezes_for(vm))
    return candidates, left_out


def _excluded(entry: Candidate, pin: VmPins) -> LeftOut:
    return LeftOut(
        id=entry.vm.id,
        name=entry.vm.name,
        application=entry.application.name,
        reason="ExcludedByPolicy",
        detail=pin.exclude,
        unblocked_by="migration team: remove its pin from the policy",
    )


def _unreadable(gap: Gap) -> LeftOut:
    vm = ResourceId(gap.resource)
    return LeftOut(
        id=vm,
        name=vm.name,
        application=None,
        reason="Unreadable",
        detail=f"{gap.place}: {gap.detail}",
        unblocked_by="migration team: collect it again",
    )


def _target(estate: Estate) -> PlanTarget:
    """Return where the plan may run: an invented estate only ever on a twin."""
    invented = estate.info.origin in (Origin.SAMPLE, Origin.GENERATED)
    return PlanTarget(
        kind=TargetKind.TWIN if invented else TargetKind.LIVE,
        cloud=estate.info.cloud,
        tenant=estate.info.tenant,
        subscriptions=tuple(sorted(entry.id for entry in estate.info.subscriptions)),
        estate=estate.info.name,
    )


def _each_lost(layout: Layout, placement: Placement) -> Iterable[tuple[int, str]]:
    return ((vm, reason) for group, reason in sorted(placement.lost.items()) for vm in layout.groups[group])


def _misfit(layout: Layout, number: int, reason: str) -> LeftOut:
    """Say why a VM fits into no window of its application."""
    entry = layout.vms[number]
    group = layout.groups[layout.group_of[number]]
    names = ", ".join(layout.vms[vm].vm.name for vm in group)
    together = f"{names} must go together and need" if len(group) > 1 else f"{names} needs"
    minutes = -(-max(layout.needed[vm] for vm in group) // 60)
    applications = {one.name: one for one in (layout.vms[vm].application for vm in group)}
    described = " or ".join(f"{name} ({', '.join(one.windows)})" for name, one in applications.items())
    need = f"{together} {minutes} minutes, way back included; no window of {described}"
    endings = {
        "WindowTooShort": "is long enough",
        "WindowEnded": "comes again",
        "Frozen": "is free of freezes: "
        + ", ".join(sorted({f.name for vm in group for f in layout.frozen[vm]})),
    }
    return LeftOut(
        id=entry.vm.id,
        name=entry.vm.name,
        application=entry.application.name,
        reason=reason,
        detail=f"{need} {endings[reason]}",
        unblocked_by=entry.application.owner.name,
    )


def _kept_edges(
    edges: Iterable[OrderEdge], layout: Layout, waves: Sequence[Wave]
) -> tuple[tuple[OrderEdge, ...], tuple[OrderEdge, ...]]:
    """Split what is known into what this plan keeps, and what merely informed it."""
    place = {vm.id: (vm.wave, vm.batch) for wave in waves for vm in wave.vms}
    group = {entry.vm.id: layout.group_of[number] for number, entry in enumerate(layout.vms)}
    declared = {(edge.before, edge.after) for edge in layout.edges}
    order: list[OrderEdge] = []
    hints: list[OrderEdge] = []
    for edge in edges:
        before, after = place.get(edge.before), place.get(edge.after)
        is_one_group = edge.before in group and group[edge.before] == group.get(edge.after)
        missing = before is None or after is None
        kept = missing or is_one_group or before < after  # type: ignore[operator]
        (order if kept and (edge.before, edge.after) in declared else hints).append(edge)
    return tuple(order), tuple(hints)


def _warnings(estate: Estate, waves: Sequence[Wave], hints: Iterable[OrderEdge]) -> tuple[str, ...]:
    place = {vm.id: vm.wave for wave in waves for vm in wave.vms}
    turned = sorted(
        f"{edge.after.name} goes before {edge.before.name}"
        for edge in hints
        if edge.before in place and edge.after in place and place[edge.after] < place[edge.before]
    )
    found = []
    if turned:
        more = f" and {len(turned) - _SHOWN} more" if len(turned) > _SHOWN else ""
        found.append(f"Consumers that go before what they use: {'; '.join(turned[:_SHOWN])}{more}.")
    found += [f"{gap.place}: {gap.detail}" for gap in estate.gaps if gap.reason in _SAID]
    return tuple(found)


_SAID = ("MatchesNoVm", "ApplicationHidden")


def _answers(
    layout: Layout,
    placement: Placement,
    pins: dict[ResourceId, VmPins],
    candidates: dict[ResourceId, Candidate],
) -> tuple[PinAnswer, ...]:
    """Say of every wish whether it was granted."""
    wave_of = {group: draft.number for draft in placement.drafts for group in draft.groups}
    found = []
    for vm, pin in sorted(pins.items()):
        wishes = [
            ("left out", pin.exclude) if pin.exclude else None,
            (f"wave {pin.wave}", "") if pin.wave is not None else None,
            (f"not before {pin.not_before}", "") if pin.not_before is not None else None,
            *((f"with {mate.name}", "") for mate in pin.with_vms),
        ]
        number = layout.index.get(vm)
        group = layout.group_of[number] if number is not None else None
        for wish, why in filter(None, wishes):
            if pin.exclude:
                answer = (vm not in candidates, why)
            elif group is None or group in placement.lost:
                answer = (False, "it is left out: see there")
            elif wish.startswith("wave ") and wave_of.get(group) != pin.wave:
                answer = (False, placement.refused.get(group, f"it goes in wave {wave_of.get(group)}"))
            else:
                answer = (True, pin.reason or "as wanted")
            found.append(PinAnswer(vm=vm, wish=wish, honoured=answer[0], reason=answer[1]))
    return tuple(found)


def _prove_conservation(plan: Plan) -> None:
    """Assert planned + left out = inventory: no VM may be lost between assessment and plan."""
    placed = [vm.id for wave in plan.waves for vm in wave.vms] + [entry.id for entry in plan.left_out]
    if len(placed) != plan.inventory or len(set(placed)) != plan.inventory:
        raise AssertionError(f"{plan.inventory} VMs came in, {len(set(placed))} came out")
