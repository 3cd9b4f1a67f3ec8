"""What people decide about one VM, as records of its campaign, and what goes before a way back. Pure.

A decision is a record like the end of a step, so that the same journal always gives the same answer.
"""

from collections.abc import Mapping
from datetime import timedelta

from readiness.model.observation import Before
from readiness.model.outage import plan_steps
from readiness.model.plan import PlannedVm
from readiness.model.run import StepRecord
from readiness.model.steps import PlannedStep, ProveTime, TakeLease

APPROVED, REJECTED, RECALLED = "decision.approve", "decision.reject", "decision.rollback"
"""Names under which a person's decisions are recorded."""
_LEASE, _LOOK = "recall.take-lease", "recall.prove-time"
_LASTS = timedelta(hours=4)
"""Beside what its outage reserves: a way back that was asked for may wait for room in Azure."""

_Records = Mapping[str, StepRecord]


def is_decided(records: _Records) -> bool:
    """Tell whether a person said what becomes of an undecided VM."""
    return APPROVED in records or REJECTED in records


def is_recalled(records: _Records) -> bool:
    """Tell whether a person wants the VM back, and nothing that is asked before refused it."""
    return RECALLED in records and not recall_refusals(records)


def recall_refusals(records: _Records) -> list[str]:
    """Return what refused to take a VM back: it was started since, or another run has its lease."""
    results = {name: records[name].result for name in (_LOOK, _LEASE) if name in records}
    return [name for name, result in results.items() if result is not None and not result.ok]


def before_recall(vm: PlannedVm, before: Before, records: _Records) -> tuple[PlannedStep, ...]:
    """Return what is asked before a VM goes back because a person wants it; nothing where nobody does."""
    if RECALLED not in records:
        return ()
    until = records[RECALLED].intended_at + timedelta(seconds=vm.reserved_seconds) + _LASTS
    # It goes back to being off: one that somebody started since serves, and is nobody's to take down.
    is_looked_at = not before.was_running and (_LEASE not in records or _LOOK in records)
    looks = (ProveTime(vm=vm.id, until=until),) if is_looked_at else ()
    return plan_steps((*looks, TakeLease(vm=vm.id, until=until, back=True)), stage="recall")
