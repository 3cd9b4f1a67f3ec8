"""What somebody who watches a run wants to see: where it stands, and what is left of window and budget."""

from datetime import datetime

from msgspec import Struct

from readiness.app.carrying import PreparedRun, work_of
from readiness.app.run_status import RunView
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Plan, Wave
from readiness.model.run import RunState


class Outlook(Struct, frozen=True, kw_only=True):
    """One instant of a run."""

    state: RunState
    at: datetime
    rate: float
    """Seconds of the run's clock in one of the wall clock; 0 where that is not known."""
    place: str
    closes: datetime | None
    """When the last window that is open closes; None where none binds."""
    failures_allowed: int

    @property
    def failed(self) -> int:
        """How many VMs count against the failure budget."""
        return self.state.count(Phase.ROLLED_BACK, Phase.STRANDED, Phase.UNDECIDED)


def outlook_of(prepared: PreparedRun) -> Outlook:
    """Return the outlook of a run that this thread carries out."""
    clock = prepared.place.clock
    return _outlook(
        prepared.plan, prepared.wave, prepared.state(), clock.now(), clock.rate, prepared.place.words
    )


def outlook_from(view: RunView) -> Outlook:
    """Return the outlook of a run that another process carries out, or none any more."""
    info = view.state.info
    wave = work_of(view.plan, info.wave, info.stage, info.action)
    rate = 1.0 if info.is_live and view.running else 0.0
    return _outlook(view.plan, wave, view.state, view.at, rate, info.place)


def _outlook(plan: Plan, wave: Wave, state: RunState, at: datetime, rate: float, place: str) -> Outlook:
    closes = [
        vm.occurrence.closes
        for vm in wave.vms
        if vm.outage and vm.occurrence.opens <= at and state.info.stage is Stage.OUTAGE
    ]
    return Outlook(
        state=state,
        at=at,
        rate=rate,
        place=place,
        closes=max(closes, default=None),
        failures_allowed=plan.policy.execution.failures_allowed(len(state.units)),
    )
