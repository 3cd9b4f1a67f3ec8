"""How long a request that Azure does not let through is repeated. Pure.

Guarantees: a VM that nothing was taken from yet does not go down once the rest of its window holds no change
and no way back. A write that is throttled for an hour has failed, within an outage not before the time begins
that is reserved for the way back. Never given up are a start, and a look at a VM that was changed: nothing is
gained by leaving a VM off, or by taking one back that nobody could look at. That holds where a role lapsed,
too, as on the whole way back: what was allowed on the way there will be allowed again.
"""

from datetime import datetime, timedelta

from readiness.errors import CloudError, DeniedError, ThrottledError, UnreachableError
from readiness.model.lifecycle import UNAVAILABLE, Phase, Stage
from readiness.model.plan import PlannedVm
from readiness.model.steps import Look, PlannedStep, Start

LEAST_PATIENCE = timedelta(hours=1)
_OF_A_POLICY = "requestdisallowedbypolicy"
_AT_ONCE = timedelta(minutes=5)
_EARLY = (Phase.CHECKING, Phase.READYING)
_FORWARD = (Phase.CONVERTING, Phase.FALLING_BACK)


def latest_descent(vm: PlannedVm) -> datetime:
    """Return until when a VM has to go down, so that the change and the way back end within its window."""
    # The gate let it in with time for its checks and proofs, which are behind it by then.
    return vm.occurrence.closes - timedelta(seconds=vm.reserved_seconds - vm.lead_seconds)


def is_too_late(vm: PlannedVm, intended: datetime, now: datetime) -> bool:
    """Tell whether a VM that was to go down at an instant, and was in time then, would be too late now."""
    return now > max(latest_descent(vm), intended + _AT_ONCE)


def is_waited_for(error: CloudError, phase: Phase, due: PlannedStep | None) -> bool:
    """Tell whether what was refused, or not answered, is asked for again."""
    if isinstance(error, DeniedError):
        is_of_a_role = error.code.lower() != _OF_A_POLICY
        return is_of_a_role and due is not None and (_is_off_or_unseen(due, phase) or phase is Phase.UNDOING)
    return isinstance(error, ThrottledError | UnreachableError)


def last_try(
    vm: PlannedVm, stage: Stage, phase: Phase, planned: PlannedStep, error: CloudError, first: datetime
) -> datetime | None:
    """Return until when a step is asked for again that was first refused at an instant; None without end."""
    if stage is Stage.OUTAGE and vm.outage is not None and phase in _EARLY:
        return latest_descent(vm)
    # Whoever does not answer at all answers no way back either.
    if _is_off_or_unseen(planned, phase) or not isinstance(error, ThrottledError):
        return None
    least = first + LEAST_PATIENCE
    if vm.outage is None or phase not in _FORWARD:
        return least
    return max(least, vm.occurrence.closes - timedelta(seconds=vm.outage.undo_seconds))


def _is_off_or_unseen(planned: PlannedStep, phase: Phase) -> bool:
    return isinstance(planned.step, Start | Look) and phase in UNAVAILABLE
