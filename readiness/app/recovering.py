"""Use case: rebuild the journal of a run, when its machine is gone: from a second place, or from its marks.

From the marks on Azure that is where every VM stood *before*, and that its lease is ours; what became of it
is judged by `rebuilding`. From there the same run goes on: each step looks first, so that what was done
already is found done. What a second place holds goes first, but for VMs of which it plainly knows too little.
Nothing on Azure is changed.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from shutil import rmtree

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import RunRequest, check_digest, name_of_run, work_of
from readiness.app.places import Place, check_subscriptions, find_place
from readiness.app.rebuilding import Stands, is_behind, leave_alone, rebuild, rebuild_group
from readiness.app.release import RELEASE
from readiness.app.stages import COMMANDS
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.azure.traces import (
    GroupMark,
    Snapshots,
    Trace,
    group_mark_of,
    released_trace_of,
    trace_of,
)
from readiness.engine.advance import Campaign
from readiness.engine.state import by_vm, campaign_of
from readiness.errors import JournalError, MissingError, WrongTargetError
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, SUCCEEDED, Phase, Stage
from readiness.model.plan import Plan, Wave
from readiness.model.run import RunInfo
from readiness.model.steps import SetSecurityRule
from readiness.store.artefacts import keep_plan, read_plan
from readiness.store.journal import SqliteJournal, is_running
from readiness.store.runs import folder_of, second_state_of
from readiness.store.second_place import Copy, read_back, read_copy


class Recovered(Struct, frozen=True, kw_only=True):
    """What was found of a lost run."""

    run: str
    taken_up: tuple[str, ...]
    """Names of VMs, or of the shared object, that were under way."""
    through: tuple[str, ...]
    """Names of VMs that were changed and run already."""
    ended: tuple[str, ...] = ()
    """Names of VMs that were brought back, or are neither as before nor as planned."""
    untouched: int
    unreadable: dict[str, str]
    """Names of VMs whose marks cannot be read, and why: a person looks at them."""
    copied_until: datetime | None = None
    """When the last of what the second place holds was recorded; None where it was not asked, or has none."""
    nothing_in: str = ""
    """The second place that was asked, where it holds nothing of the run."""


_UNTOUCHED = (Phase.WAITING, Phase.DECLINED)


class Found(Struct, frozen=True, kw_only=True):
    """What bears marks of the run that can be read, and by name what bears others, and why not."""

    traces: dict[ResourceId, Trace | GroupMark]
    unreadable: dict[str, str]
    is_marked: bool
    """Whether anything bears a mark, be it one that cannot be read."""


def recover(request: RunRequest) -> Recovered:
    """Rebuild a run's journal; nothing on Azure is changed.

    Raises:
        JournalError: The journal is here: nothing has to be recovered. Or there is no trace of the run.
        WrongTargetError: The second place holds a run of another place.
    """
    plan = read_plan(request.plan)
    check_digest(plan, request.approve)
    work = work_of(plan, request.wave, request.stage, request.action)
    place = find_place(plan, request)
    name = name_of_run(plan, request.wave, request.stage, request.action)
    folder = folder_of(request.state, name)
    command = "tighten" if request.action else COMMANDS[request.stage]
    if (folder / "journal.sqlite").exists():
        raise JournalError(
            f"The journal of {name} is here, in {folder}.",
            remedy=f"Go on with it: the same 'readiness {command}' again.",
        )
    copy = read_copy(request.second_state, name) if request.second_state else None
    if copy is not None and (copy.info.plan, copy.info.place) != (plan.digest, place.name):
        raise WrongTargetError(f"What the second place holds of {name} is of {copy.info.place}.")
    with closing(Connection(place.endpoint)) as connection:
        check_subscriptions(plan, connection, place)
        found = look_for(connection, plan.approval, work, name, request.stage)
    if not found.is_marked and copy is None:
        raise _nothing_of(name, request, found)
    info = copy.info if copy is not None else _info(plan, request, place, found)
    keep_plan(request.plan, plan, folder)
    second_state_of(folder, request.second_state)
    with _whole(folder, info) as journal:
        campaigns = [campaign_of(vm, ALL_PLAYBOOKS, info, plan.policy.execution) for vm in work.vms]
        stands = rebuild_all(journal, campaigns, found, copy, place.clock.now())
    return Recovered(
        run=name,
        taken_up=_those(stands, Stands.UNDER_WAY),
        through=_those(stands, Stands.THROUGH),
        ended=_those(stands, Stands.ENDED),
        untouched=len(work.vms) - len(stands.keys() | found.unreadable.keys()),
        unreadable=found.unreadable,
        copied_until=copy.last if copy is not None else None,
        nothing_in=str(request.second_state) if request.second_state and copy is None else "",
    )


@contextmanager
def _whole(folder: Path, info: RunInfo) -> Iterator[SqliteJournal]:
    """Give a journal that is there only once all is written: half of one would hide VMs that are off."""
    draft = folder / "recovering"
    if not is_running(draft):
        rmtree(draft, ignore_errors=True)
    with closing(SqliteJournal.open(draft, info)) as journal:
        yield journal
    (draft / "journal.sqlite").replace(folder / "journal.sqlite")
    rmtree(draft, ignore_errors=True)


def _nothing_of(name: str, request: RunRequest, found: Found) -> JournalError:
    if request.action:
        return JournalError(
            f"What is shared bears no mark of {name}.",
            details="; ".join(f"{each}: {why}" for each, why in found.unreadable.items()),
            remedy="Nothing has to be recovered: 'readiness tighten' looks at all of it before it writes.",
        )
    return JournalError(
        f"No VM of the wave bears a mark of {name}.",
        details="; ".join(f"{vm}: {why}" for vm, why in found.unreadable.items()),
        remedy=f"Nothing was under way: begin it with 'readiness {COMMANDS[request.stage]}'.",
    )


def look_for(connection: Connection, plan: str, wave: Wave, run: str, stage: Stage) -> Found:
    """Return what a run left on the VMs of a wave, or on a shared object."""
    cloud, snapshots = AzureCloud(connection), Snapshots(connection, plan)
    traces: dict[ResourceId, Trace | GroupMark] = {}
    unreadable: dict[str, str] = {}
    is_marked = False
    for vm in wave.vms:
        trace: Trace | GroupMark | None
        try:
            if vm.is_shared:
                # A just-in-time policy bears no tags.
                has_rules = any(isinstance(planned.step, SetSecurityRule) for planned in vm.closure)
                trace = group_mark_of(connection, vm.id, plan) if has_rules else None
            else:
                trace = trace_of(connection, cloud, vm.id, snapshots)
            if trace is not None and trace.lease is not None and trace.lease.run != run:
                trace = None
            if trace is None and stage is Stage.OUTAGE and vm.outage is not None:
                trace = released_trace_of(cloud, vm.id, snapshots, run)
        except MissingError as error:
            unreadable[vm.name] = str(error)
        except (ValueError, KeyError) as error:
            told = f"its tag {error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            unreadable[vm.name], is_marked = told, True
        else:
            if trace is not None:
                traces[vm.id] = trace
    return Found(traces=traces, unreadable=unreadable, is_marked=is_marked or bool(traces))


def rebuild_all(
    journal: SqliteJournal, campaigns: Sequence[Campaign], found: Found, copy: Copy | None, now: datetime
) -> dict[str, Stands]:
    """Write the past of everything that was found, and return by name where it stands."""
    read_back(copy.lines if copy is not None else (), journal)
    known = by_vm(journal.records())
    stands: dict[str, Stands] = {}
    for campaign in campaigns:
        vm, trace, records = campaign.vm, found.traces.get(campaign.vm.id), known.get(campaign.vm.id, {})
        if trace is not None and (not records or is_behind(campaign, records, trace, journal.info().plan)):
            if records:
                journal.begin_again(vm.id)
            stands[vm.name] = _rebuilt(journal, campaign, trace, now)
        elif vm.name in found.unreadable and not any(name.endswith(".take-lease") for name in records):
            if records:
                journal.begin_again(vm.id)
            # Begun anew, one that its run took down would be taken for one that was found off.
            leave_alone(journal, campaign, found.unreadable[vm.name], now)
        elif records:
            position = campaign.position(records)
            phase = position.end or position.phase
            if phase not in _UNTOUCHED:
                stands[vm.name] = _stands(phase)
    return stands


def _rebuilt(journal: SqliteJournal, campaign: Campaign, trace: Trace | GroupMark, now: datetime) -> Stands:
    if isinstance(trace, Trace):
        return rebuild(journal, campaign, trace, now)
    rebuild_group(journal, campaign, trace, now)
    return Stands.UNDER_WAY


def _stands(phase: Phase) -> Stands:
    if phase in FINAL:
        return Stands.THROUGH if phase in SUCCEEDED else Stands.ENDED
    return Stands.UNDER_WAY


def _info(plan: Plan, request: RunRequest, place: Place, found: Found) -> RunInfo:
    """Return what the lost run was, as far as its marks tell."""
    leases = [trace.lease for trace in found.traces.values() if trace.lease is not None]
    return RunInfo(
        id=name_of_run(plan, request.wave, request.stage, request.action),
        plan=plan.digest,
        wave=request.wave,
        place=place.name,
        approved_by=place.who.words,
        release=RELEASE,
        started_at=min((trace.started for trace in found.traces.values()), default=place.clock.now()),
        stage=request.stage,
        instance=leases[0].instance if leases else secrets.token_hex(4),
        way=place.way,
        action=request.action,
    )


def _those(stands: dict[str, Stands], wanted: Stands) -> tuple[str, ...]:
    return tuple(name for name, each in stands.items() if each is wanted)
