"""Performs one due step: a look is judged, a hook is run, and everything else is asked of the cloud.

Runs in the executor: it reads what it is given and changes nothing of the run.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from datetime import datetime, timedelta

from msgspec import Struct

from readiness.engine.advance import Campaign, is_begun
from readiness.engine.look import LookAgain, in_time, judge
from readiness.engine.patience import is_too_late, latest_descent
from readiness.errors import CloudError
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import DIGEST_LENGTH
from readiness.model.run import RunInfo, StepRecord, StepResult
from readiness.model.steps import Look, PlannedStep, ProveTime, RunHook, Step
from readiness.model.virtual_machine import Power
from readiness.ports.clock import Clock
from readiness.ports.cloud import Cloud, Progress, StepContext
from readiness.ports.hooks import Hooks
from readiness.ports.journal import Journal
from readiness.ports.observer import Observer

SNAPSHOT_LIFE = timedelta(days=30)
"""How long the snapshots behind a change are kept before they may be deleted."""

Answer = Progress | StepResult | LookAgain | CloudError


class Ports(Struct, frozen=True, kw_only=True):
    """Everything a run needs from outside."""

    cloud: Cloud
    journal: Journal
    clock: Clock
    observer: Observer
    executor: Executor
    hooks: Hooks
    hook_executor: Executor | None = None
    """For hooks, which may take long: they keep nobody from asking about VMs that are off."""

    def executor_for(self, step: Step) -> Executor:
        """Return what a step is performed by."""
        return (self.hook_executor or self.executor) if isinstance(step, RunHook) else self.executor


def perform(
    ports: Ports,
    info: RunInfo,
    campaign: Campaign,
    planned: PlannedStep,
    record: StepRecord,
    records: Mapping[str, StepRecord],
) -> Answer:
    """Perform or look at one step; what Azure refuses is an answer, too."""
    cloud, step = ports.cloud, planned.step
    try:
        if isinstance(step, ProveTime) and campaign.was_running(records):
            return in_time(step, ports.clock.now())
        if isinstance(step, Look):
            seen = cloud.observe(campaign.vm.id)
            now = ports.clock.now()
            return judge(step, seen, campaign, records, since=record.intended_at, now=now)
        if isinstance(step, RunHook):
            return ports.hooks.run(step)
        if is_begun(record) and record.token is not None:
            return cloud.poll(step, record.token)
        now = ports.clock.now()
        late = _stays_up(cloud, campaign, planned, record, records, now)
        return late or cloud.begin(step, _context(info, campaign, records, now, intended=record.intended_at))
    except CloudError as error:
        return error
    except Exception as error:  # noqa: BLE001  one odd answer must not stop the others, some of them off
        detail = f"{type(error).__name__}: {error}; this is a defect of ours"
        return StepResult(ok=False, code="InternalError", detail=detail)


def _stays_up(
    cloud: Cloud,
    campaign: Campaign,
    planned: PlannedStep,
    record: StepRecord,
    records: Mapping[str, StepRecord],
    now: datetime,
) -> StepResult | None:
    """Keep up a VM that runs, and was kept from going down until it was too late for it.

    Between its last look at the clock and its first effect a process may have died, or waited for a login.
    """
    if campaign.stage is not Stage.OUTAGE or campaign.vm.outage is None:
        return None
    if not is_too_late(campaign.vm, record.intended_at, now):
        return None
    first = next(iter(campaign.steps(Phase.CONVERTING, records)), None)
    if planned != first or cloud.observe(campaign.vm.id).vm.power is not Power.RUNNING:
        return None
    until = latest_descent(campaign.vm)
    detail = f"it had to go down by {until:%Y-%m-%d %H:%M} UTC, and was not taken down"
    return StepResult(ok=False, code="WindowTooShort", detail=detail)


def ask(cloud: Cloud, info: RunInfo, campaign: Campaign, planned: PlannedStep, now: datetime) -> Answer:
    """Ask one check of a VM outside of a run; only for steps without effect."""
    step = planned.step
    try:
        if isinstance(step, Look):
            return judge(step, cloud.observe(campaign.vm.id), campaign, {}, since=now, now=now)
        if isinstance(step, RunHook):
            return StepResult(ok=True, detail=step.name)
        return cloud.begin(step, _context(info, campaign, {}, now))
    except CloudError as error:
        return error


def _context(
    info: RunInfo,
    campaign: Campaign,
    records: Mapping[str, StepRecord],
    now: datetime,
    *,
    intended: datetime | None = None,
) -> StepContext:
    began = min((record.intended_at for record in records.values()), default=info.started_at)
    return StepContext(
        plan=info.plan[:DIGEST_LENGTH],
        run=info.id,
        instance=info.instance,
        now=now,
        started=began.isoformat(),
        intended=(intended or now).isoformat(),
        expires=(info.started_at + SNAPSHOT_LIFE).date(),
        before=campaign.before(records),
    )
