"""Use case: rebuild the journal of a wave from the marks it left on Azure, when its machine is gone.

What is rebuilt is where every VM stood *before*, and that its lease is ours. From there the same run goes on:
each step looks first, so that what was done already is found done. A VM that was through already is known by
its model, and is not taken down again. One that was let go of bears no lease any more: it is done if Azure
shows what the plan wanted, it is as well as before, and the run's snapshots of all its disks are there.
"""

import secrets
from contextlib import closing
from datetime import datetime

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import RunRequest, check_digest, wave_of
from readiness.app.past import EARLY, Past
from readiness.app.places import check_subscriptions, find_place
from readiness.app.release import RELEASE
from readiness.app.stages import part_of
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.azure.traces import Snapshots, Trace, released_trace_of, trace_of
from readiness.engine.advance import Campaign
from readiness.engine.state import campaign_of
from readiness.errors import JournalError, MissingError
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.observation import Health, judge_health
from readiness.model.plan import PlannedVm, Wave
from readiness.model.run import Event, EventKind, RunInfo
from readiness.model.verdict import Status
from readiness.store.artefacts import keep_plan, read_plan
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of, run_id


class Recovered(Struct, frozen=True, kw_only=True):
    """What was found of a lost run."""

    run: str
    taken_up: tuple[str, ...]
    """Names of VMs that were under way."""
    through: tuple[str, ...]
    """Names of VMs that were changed and run already."""
    untouched: int
    unreadable: dict[str, str]
    """Names of VMs whose marks cannot be read, and why: a person looks at them."""


class _Found(Struct, frozen=True, kw_only=True):
    """The VMs with marks of the run that can be read, and by name those whose marks cannot, and why."""

    traces: dict[ResourceId, Trace]
    unreadable: dict[str, str]


def recover(request: RunRequest) -> Recovered:
    """Rebuild a run's journal from Azure; nothing there is changed.

    Raises:
        JournalError: The journal is here: nothing has to be recovered. Or there is no trace of the run.
    """
    plan = read_plan(request.plan)
    check_digest(plan, request.approve)
    wave = part_of(wave_of(plan, request.wave), request.stage)
    place = find_place(plan, request)
    name = run_id(plan, request.wave, request.stage)
    folder = folder_of(request.state, name)
    if (folder / "journal.sqlite").exists():
        raise JournalError(
            f"The journal of {name} is here, in {folder}.",
            remedy="Go on with it: the same 'readiness run' again.",
        )
    with closing(Connection(place.endpoint)) as connection:
        check_subscriptions(plan, connection, place)
        found = _found(connection, plan.approval, wave, name, request.stage)
    if not found.traces:
        raise JournalError(
            f"No VM of the wave bears a mark of {name}.",
            details="; ".join(f"{vm}: {why}" for vm, why in found.unreadable.items()),
            remedy="Nothing was under way: begin it with 'readiness run'.",
        )
    leases = [trace.lease for trace in found.traces.values() if trace.lease is not None]
    info = RunInfo(
        id=name,
        plan=plan.digest,
        wave=request.wave,
        place=place.name,
        approved_by=place.who.words,
        release=RELEASE,
        started_at=min(trace.started for trace in found.traces.values()),
        stage=request.stage,
        instance=leases[0].instance if leases else secrets.token_hex(4),
        way=place.way,
    )
    keep_plan(request.plan, plan, folder)
    limits, now = plan.policy.execution, place.clock.now()
    with closing(SqliteJournal.open(folder, info)) as journal:
        through = {
            vm.id
            for vm in wave.vms
            if vm.id in found.traces
            and rebuild(journal, campaign_of(vm, ALL_PLAYBOOKS, info, limits), found.traces[vm.id], now)
        }
    return Recovered(
        run=name,
        taken_up=tuple(vm.name for vm in wave.vms if vm.id in found.traces and vm.id not in through),
        through=tuple(vm.name for vm in wave.vms if vm.id in through),
        untouched=len(wave.vms) - len(found.traces) - len(found.unreadable),
        unreadable=found.unreadable,
    )


def _found(connection: Connection, plan: str, wave: Wave, run: str, stage: Stage) -> _Found:
    """Return what a run left on the VMs of a wave."""
    cloud, snapshots = AzureCloud(connection), Snapshots(connection, plan)
    traces: dict[ResourceId, Trace] = {}
    unreadable: dict[str, str] = {}
    for vm in wave.vms:
        try:
            trace = trace_of(connection, cloud, vm.id, snapshots)
            if trace is not None and trace.lease is not None and trace.lease.run != run:
                trace = None
            if trace is None and stage is Stage.OUTAGE:
                trace = _done_before(vm, released_trace_of(cloud, vm.id, snapshots, run))
        except (ValueError, KeyError, MissingError) as error:
            unreadable[vm.name] = str(error)
            continue
        if trace is not None:
            traces[vm.id] = trace
    return _Found(traces=traces, unreadable=unreadable)


def _done_before(vm: PlannedVm, trace: Trace | None) -> Trace | None:
    """Return the trace of a VM that was let go of, if it shows that its outage was done.

    One that was brought back, or is not as well as before, is nobody's success: the run looks at it anew.
    """
    if trace is None or vm.outage is None or not _is_through(Campaign(vm, ALL_PLAYBOOKS), trace):
        return None
    is_well = not trace.before.was_running or judge_health(trace.before, trace.seen)[0] is Health.HEALTHY
    return trace if is_well else None


def rebuild(journal: SqliteJournal, campaign: Campaign, trace: Trace, now: datetime) -> bool:
    """Write the records of a VM's past; return whether it was through already, but for the proof of it."""
    vm = campaign.vm
    is_outage = campaign.stage is Stage.OUTAGE and vm.outage is not None
    through = is_outage and _is_through(campaign, trace) and not _owes_its_boot(vm, trace)
    past = Past(journal, campaign, trace, now)
    words = "is taken up from its state before"
    if trace.lease is None:
        past.write_all()
        words = "was done, by its model and its snapshots"
    elif through:
        past.write(*EARLY, Phase.READYING, Phase.CONVERTING)
        words = "was through already"
    elif _has_begun(campaign, trace):
        # Whatever the time is, it is gone on with: nothing is left off for a look at the clock.
        past.write(*EARLY, Phase.READYING)
        past.begin()
    else:
        past.write(*EARLY)
    journal.tell(Event(at=now, kind=EventKind.RUN, vm=vm.name, text=f"recovered from its marks: it {words}"))
    return through


def _has_begun(campaign: Campaign, trace: Trace) -> bool:
    """Tell whether work on the VM has begun: what has no snapshot, and is as it was found, was left alone."""
    was_stopped = trace.before.was_running and trace.seen.vm.power is not trace.before.power
    return campaign.stage is not Stage.OUTAGE or was_stopped or bool(trace.snapshots)


def _owes_its_boot(vm: PlannedVm, trace: Trace) -> bool:
    """Tell whether a VM that was found off is to prove its boot: off and still leased, it may not have."""
    return trace.lease is not None and vm.choice.starts_if_off and not trace.before.was_running


def _is_through(campaign: Campaign, trace: Trace) -> bool:
    """Tell whether Azure shows everything that was asked for, and the VM runs if it ran before."""
    choice = campaign.vm.choice
    verdicts = [verdict for book in campaign.playbooks for verdict in book.verify(choice, trace.seen)]
    shown = all(verdict.status not in (Status.UNMET, Status.UNKNOWN) for verdict in verdicts)
    return shown and trace.seen.vm.power is trace.before.power
