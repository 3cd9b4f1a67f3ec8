"""Decisions of owners as pins, and the plan made again with them: whatever they do not touch stays."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.release import RELEASE
from readiness.errors import PlanError
from readiness.model.context import Match
from readiness.model.decision import Answer, Decision
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan
from readiness.model.policy import Pin
from readiness.planner.build import Request, build_plan
from readiness.rules.evaluate import evaluate


def decided(plan: Plan, decisions: tuple[Decision, ...], estate: Callable[[], Estate]) -> Plan:
    """Return the plan with these decisions, not sealed yet.

    Args:
        plan: The plan that was decided about.
        decisions: Every decision that holds, earlier ones included.
        estate: Reads the estate; asked only if VMs are to be placed anew.

    Raises:
        PlanError: The estate is not the one that the plan was made from, or wishes contradict one another.
    """
    earlier = {entry.source for entry in plan.decisions}
    own = tuple(pin for pin in plan.policy.pins if pin.place not in earlier)
    planned = {vm.id for vm in plan.vms}
    pins = tuple(
        pin for entry in decisions for pin in pins_of(entry) if not (pin.exclude and entry.vm not in planned)
    )
    policy = replace(plan.policy, pins=own + pins)
    if policy.pins == plan.policy.pins:
        return replace(plan, decisions=decisions)
    found = estate()
    _refuse_other_estate(plan, found)
    assessment = evaluate(found, as_of=plan.as_of, release=RELEASE)
    made = build_plan(
        Request(estate=found, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=policy, previous=plan)
    )
    return replace(made, decisions=decisions)


def pins_of(decision: Decision) -> Iterable[Pin]:
    """Return what a decision asks of the planner; approval alone asks for nothing."""
    who = decision.approver or "its owner"
    told = f" ({decision.note})" if decision.note else ""
    is_put_off = decision.answer is Answer.LATER and decision.not_before is None
    if decision.answer is Answer.EXCLUDE or is_put_off:
        verb = "postponed" if is_put_off else "excluded"
        yield _pin(decision, exclude=True, reason=f"{verb} by {who}{told}")
        return
    if decision.wave is None and decision.not_before is None and decision.goes_with is None:
        return
    yield _pin(
        decision,
        wave=decision.wave,
        not_before=decision.not_before,
        with_vm=decision.goes_with.key if decision.goes_with else None,
        reason=f"wanted by {who}{told}",
    )


def _pin(decision: Decision, **wishes: object) -> Pin:
    return Pin(match=Match(ids=(decision.vm,)), place=decision.source, **wishes)  # type: ignore[arg-type]


def _refuse_other_estate(plan: Plan, estate: Estate) -> None:
    before = {vm.id for vm in plan.vms} | {entry.id for entry in plan.left_out}
    unread = {ResourceId(gap.resource) for gap in estate.gaps if gap.is_vm}
    now = {vm.id for vm in estate.vms} | unread
    if before != now or plan.target.estate != estate.info.name:
        brief = "The estate is not the one that the plan was made from, or not as it was then."
        details = (
            f"It is {estate.info.name!r}: {len(now - before)} VMs are new and {len(before - now)} are gone."
        )
        remedy = (
            "Give the right one with --estate, or plan again: readiness plan create ESTATE --previous PLAN."
        )
        raise PlanError(brief, details=details, remedy=remedy)
