"""Builds the plan: every VM of the estate placed in a wave or left out, each with a reason, and a digest."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.assessment import Assessment
from readiness.model.estate import Estate
from readiness.model.estate_info import Gap, Origin
from readiness.model.ids import ResourceId
from readiness.model.plan import LeftOut, Plan, PlanTarget, TargetKind, digest_of
from readiness.model.playbook import Playbook
from readiness.planner.batches import Layout
from readiness.planner.eligibility import Candidate, judge
from readiness.planner.graph import apart_groups, move_groups, order_edges
from readiness.planner.policy import Policy
from readiness.planner.waves import Misfit, lay_out
from readiness.planner.windows import Calendar


class Request(Struct, frozen=True, kw_only=True):
    """What a plan is made from."""

    estate: Estate
    assessment: Assessment
    playbooks: Sequence[Playbook]
    policy: Policy


def build_plan(request: Request) -> Plan:
    """Build the plan for one estate; the calendar starts the day after the assessment's `as_of`."""
    estate, assessment = request.estate, request.assessment
    candidates, left_out = _sort(request)
    order = order_edges(estate)
    apart = apart_groups(estate)
    layout = Layout(
        candidates=candidates,
        groups=move_groups(candidates, order),
        order=order,
        apart=apart,
        calendar=Calendar(estate.context.windows, assessment.as_of),
        policy=request.policy,
    )
    laid = lay_out(layout)
    left_out += [_unplaced(candidates[vm], misfit) for misfit in laid.misfits for vm in misfit.group]
    plan = Plan(
        release=assessment.release,
        as_of=assessment.as_of,
        target=_target(estate),
        inventory=sum(entry.discovered for entry in assessment.coverage),
        waves=laid.waves,
        left_out=tuple(sorted(left_out, key=lambda entry: entry.id)),
        order=order,
        apart=apart,
        lower_bound=laid.lower_bound,
    )
    _prove_conservation(plan)
    return replace(plan, digest=digest_of(plan))


def _sort(request: Request) -> tuple[dict[ResourceId, Candidate], list[LeftOut]]:
    candidates: dict[ResourceId, Candidate] = {}
    left_out = [_unreadable(gap) for gap in request.estate.gaps if gap.is_vm]
    for assessed in request.assessment.vms:
        vm = request.estate.vm(assessed.id)
        if vm is None:
            raise AssertionError(f"{assessed.id} was assessed but is not in the estate")
        answer = judge(vm, assessed, request.estate, request.playbooks)
        if isinstance(answer, Candidate):
            candidates[vm.id] = answer
        else:
            left_out.append(answer)
    return candidates, left_out


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


def _unplaced(entry: Candidate, misfit: Misfit) -> LeftOut:
    return LeftOut(
        id=entry.vm.id,
        name=entry.vm.name,
        application=entry.application.name,
        reason=misfit.reason,
        detail=misfit.detail,
        unblocked_by=entry.application.owner.name,
    )


def _prove_conservation(plan: Plan) -> None:
    """Assert planned + left out = inventory: no VM may be lost between assessment and plan."""
    placed = [vm.id for wave in plan.waves for vm in wave.vms] + [entry.id for entry in plan.left_out]
    if len(placed) != plan.inventory or len(set(placed)) != plan.inventory:
        raise AssertionError(f"{plan.inventory} VMs came in, {len(set(placed))} came out")
