"""Performs one due step: a look is judged, a hook is run, and everything else is asked of the cloud.

Runs in the executor: it reads what it is given and changes nothing of the run.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from datetime import datetime, timedelta

from msgspec import Struct

from readiness.engine.advance import Campaign, is_begun
from readiness.engine.look import LookAgain, in_time, judge
from readiness.errors import CloudError
from readiness.model.plan import DIGEST_LENGTH
from readiness.model.run import RunInfo, StepRecord, StepResult
from readiness.model.steps import Look, PlannedStep, ProveTime, RunHook
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
        context = _context(info, campaign, records, ports.clock.now(), intended=record.intended_at)
        return cloud.begin(step, context)
    except CloudError as error:
        return error
    except Exception as error:  # noqa: BLE001  one odd answer must not stop the others, some of them off
        detail = f"{type(error).__name__}: {error}; this is a defect of ours"
        return StepResult(ok=False, code="InternalError", detail=detail)


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
