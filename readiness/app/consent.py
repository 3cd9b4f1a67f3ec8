"""Who has to agree before something runs live, and whether they did. On a twin nobody has to.

* Each production VM has its owner's sign-off: an approving decision with approver, date and change ticket.
* A wave with production VMs has an approval by a second person: neither the plan's author nor the runner. Of
  a plan that does not say who made it nobody can be told to be one.
* What cannot be taken back by configuration has its owner's sign-off in any environment, a move of the backup
  to an Enhanced policy included.
* Whoever owns a VM's infrastructure code has confirmed: the next apply could replace the VM.
* What several VMs hang on has an approval of its own, which also speaks for the owners of VMs that the plan
  does not close.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from readiness.app.people import Person, may_be_author, names_its_authors
from readiness.app.places import Place
from readiness.errors import ConsentError
from readiness.model.context import Environment
from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan, PlanAction, PlannedVm, TargetKind, Wave
from readiness.store.approvals import Approval, approvals_of

_SHOWN = 8
_NO_AUTHOR = "the plan does not say who made it, so that nobody can be told to be its second person"
_NAME_IT = "Plan again: 'readiness plan create ESTATE' names whoever makes a plan, or --author NAME."


def insist_on_consent(plan: Plan, wave: Wave, state: Path, place: Place) -> None:
    """Refuse to go on live without everybody's word.

    Raises:
        ConsentError: Somebody has not agreed who has to; all are named.
    """
    missing = [] if not place.is_live else agreements_missing(plan, wave, state, place.who)
    if missing:
        more = f"; … and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise ConsentError(
            f"Wave {wave.number} may not run live yet: {len(missing)} agreements are missing.",
            details="; ".join(missing[:_SHOWN]) + more,
            remedy=_NAME_IT
            if _NO_AUTHOR in missing
            else "Owners sign in the workbook ('readiness plan import' takes it in); "
            f"a second person approves with 'readiness approve PLAN --wave {wave.number}'.",
        )


def agreements_missing(plan: Plan, wave: Wave, state: Path, runner: Person) -> list[str]:
    """Return a sentence for every agreement that a live run of a wave misses."""
    return list(missing_consent(plan, wave, approvals_of(state, plan.digest, wave.number), runner))


def insist_on_consent_for(plan: Plan, action: PlanAction, state: Path, place: Place) -> None:
    """Refuse to change a shared object live without everybody's word.

    Raises:
        ConsentError: Somebody has not agreed who has to; all are named.
    """
    missing = [] if not place.is_live else list(agreements_missing_for(plan, action, state, place.who))
    if missing:
        raise ConsentError(
            f"{action.name} may not be changed live yet: {len(missing)} agreements are missing.",
            details="; ".join(missing),
            remedy=_NAME_IT
            if _NO_AUTHOR in missing
            else f"A second person approves with 'readiness approve PLAN --action {action.name}'.",
        )


def agreements_missing_for(plan: Plan, action: PlanAction, state: Path, runner: Person) -> Iterator[str]:
    """Yield a sentence for every agreement that a live change of a shared object misses."""
    given = approvals_of(state, plan.digest, 0, action.key)
    seconds = [one for one in given if _is_second(one, plan, runner)]
    if not names_its_authors(plan.author):
        yield _NO_AUTHOR
    elif not seconds:
        own = " (only its author or runner did)" if given else ""
        yield f"no second person approved the change of {action.name}{own}"
    elif action.others and not any(one.owners_agreed for one in seconds):
        names = ", ".join(vm.name for vm in action.others[:_SHOWN])
        more = f" and {len(action.others) - _SHOWN} more" if len(action.others) > _SHOWN else ""
        yield (
            f"the plan does not close {names}{more}, which lose the way in, too: whoever approves says "
            "with --owners-agreed that their owners have agreed"
        )
    decisions = {decision.vm: decision for decision in plan.decisions}
    for vm in plan.vms:
        if vm.id in action.vms:
            yield from _missing_for(vm, decisions)


def insist_on_somebody_else(plan: Plan, who: Person, wave: Wave | None = None) -> None:
    """Refuse the approval of a plan for Azure itself by whoever made it, or may have made it.

    Args:
        plan: The plan.
        who: Who wants to approve.
        wave: What is approved; None: a change of what several VMs hang on.

    Raises:
        ConsentError: It is the author who wants to approve it, or a second person is needed and nobody knows
            who the first is.
    """
    if plan.target.kind is not TargetKind.LIVE:
        return
    if (wave is None or _is_production(wave)) and not names_its_authors(plan.author):
        raise ConsentError(f"Nobody can approve this yet: {_NO_AUTHOR}.", remedy=_NAME_IT)
    if may_be_author(plan.author, who.name, who.object_id):
        raise ConsentError(
            f"{plan.author} made this plan, and cannot be its second person, too.",
            details=f"Logged in here is {who.words}.",
            remedy="Have somebody else approve it, logged in under a name of their own.",
        )


def missing_consent(plan: Plan, wave: Wave, approvals: Iterable[Approval], runner: Person) -> Iterator[str]:
    """Yield a sentence for every agreement that is missing."""
    if _is_production(wave):
        given = list(approvals)
        if not names_its_authors(plan.author):
            yield _NO_AUTHOR
        elif not any(_is_second(approval, plan, runner) for approval in given):
            own = " (only its author or runner did)" if given else ""
            yield f"no second person approved the wave{own}"
    decisions = {decision.vm: decision for decision in plan.decisions}
    for vm in wave.vms:
        yield from _missing_for(vm, decisions)


def _is_production(wave: Wave) -> bool:
    return any(vm.environment is Environment.PRODUCTION for vm in wave.vms)


def _is_second(approval: Approval, plan: Plan, runner: Person) -> bool:
    """Tell whether an approval is somebody else's, and by somebody whom Entra knows."""
    if not approval.object_id or runner.is_same_as(approval.by, approval.object_id):
        return False
    return not may_be_author(plan.author, approval.by, approval.object_id)


def _missing_for(vm: PlannedVm, decisions: dict[ResourceId, Decision]) -> Iterator[str]:
    needs = vm.environment is Environment.PRODUCTION or vm.needs_sign_off
    if needs and not _is_signed(decisions.get(vm.id)):
        yield f"{vm.name}: {vm.owner or 'its owner'} has not signed (approval, approver, date and ticket)"
    if vm.iac.endswith("(not confirmed yet)"):
        yield f"{vm.name}: {vm.iac}"


def _is_signed(decision: Decision | None) -> bool:
    return decision is not None and all(
        (decision.answer is Answer.APPROVE, decision.approver, decision.decided_on, decision.ticket)
    )
