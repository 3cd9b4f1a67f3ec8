"""Who has to agree before a wave runs live, and whether they did. On a twin nobody has to.

* Each production VM has its owner's sign-off: an approving decision with approver, date and change ticket.
* A wave with production VMs has an approval by a second person: neither the plan's author nor the runner.
* What cannot be taken back by configuration has its owner's sign-off in any environment.
* Whoever owns a VM's infrastructure code has confirmed: the next apply could replace the VM.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from readiness.app.people import Person
from readiness.app.places import Place
from readiness.errors import ConsentError
from readiness.model.context import Environment
from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan, PlannedVm, Wave
from readiness.model.steps import Undo
from readiness.store.approvals import Approval, approvals_of

_SHOWN = 8


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
            remedy="Owners sign in the workbook ('readiness plan import' takes it in); "
            f"a second person approves with 'readiness approve PLAN --wave {wave.number}'.",
        )


def agreements_missing(plan: Plan, wave: Wave, state: Path, runner: Person) -> list[str]:
    """Return a sentence for every agreement that a live run of a wave misses."""
    return list(missing_consent(plan, wave, approvals_of(state, plan.digest, wave.number), runner))


def missing_consent(plan: Plan, wave: Wave, approvals: Iterable[Approval], runner: Person) -> Iterator[str]:
    """Yield a sentence for every agreement that is missing."""
    if any(vm.environment is Environment.PRODUCTION for vm in wave.vms):
        given = list(approvals)
        if not any(_is_second(approval, plan, runner) for approval in given):
            own = " (only its author or runner did)" if given else ""
            yield f"no second person approved the wave{own}"
    decisions = {decision.vm: decision for decision in plan.decisions}
    for vm in wave.vms:
        yield from _missing_for(vm, decisions)


def _is_second(approval: Approval, plan: Plan, runner: Person) -> bool:
    """Tell whether an approval is somebody else's, and by somebody whom Entra knows."""
    if not approval.object_id or runner.is_same_as(approval.by, approval.object_id):
        return False
    return not plan.author or plan.author.lower() not in (approval.by.lower(), approval.object_id.lower())


def _missing_for(vm: PlannedVm, decisions: dict[ResourceId, Decision]) -> Iterator[str]:
    needs = vm.environment is Environment.PRODUCTION or vm.undo in (Undo.REBUILD, Undo.NONE)
    if needs and not _is_signed(decisions.get(vm.id)):
        yield f"{vm.name}: {vm.owner or 'its owner'} has not signed (approval, approver, date and ticket)"
    if vm.iac.endswith("(not confirmed yet)"):
        yield f"{vm.name}: {vm.iac}"


def _is_signed(decision: Decision | None) -> bool:
    return decision is not None and all(
        (decision.answer is Answer.APPROVE, decision.approver, decision.decided_on, decision.ticket)
    )
