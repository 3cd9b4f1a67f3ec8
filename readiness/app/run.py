"""Use cases: carry a wave out on a twin, rehearse a plan, and say where a run stands."""

import getpass
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RehearsalClock, RemoteTwinClock
from readiness.app.endpoints import in_process, over_https
from readiness.app.estates import locate
from readiness.app.release import RELEASE
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.azure.subscriptions import visible_subscriptions
from readiness.engine.run import Ports, WaveRun
from readiness.engine.state import run_state
from readiness.errors import Exit, JournalError, PlanError, UsageError, WrongDigestError, WrongTargetError
from readiness.model.lifecycle import Phase
from readiness.model.plan import DIGEST_LENGTH, Plan, TargetKind, Wave
from readiness.model.run import Event, RunInfo, RunState
from readiness.ports.observer import Observer
from readiness.store.artefacts import read_plan, write_plan
from readiness.store.journal import SqliteJournal, ask_to_stop, is_running, read_run
from readiness.store.runs import folder_of, known_runs, run_id

WORKERS = 8
"""Calls to Azure under way at once."""


class RunRequest(Struct, frozen=True, kw_only=True):
    """What an operator asks for."""

    plan: Path
    wave: int
    approve: str
    twin: str
    certificate: Path | None
    state: Path


class PreparedRun:
    """A run that was checked and is ready to go, with everything it holds open."""

    def __init__(self, plan: Plan, wave: Wave, request: RunRequest, observer: Observer) -> None:
        self.plan, self.wave = plan, wave
        endpoint, certificate = over_https(request.twin, request.certificate, request.state)
        clock = RemoteTwinClock(request.twin, certificate)
        self.info = RunInfo(
            id=run_id(plan, wave.number),
            plan=plan.digest,
            wave=wave.number,
            place=f"twin {clock.instance}",
            approved_by=getpass.getuser(),
            release=RELEASE,
            started_at=clock.now(),
        )
        folder = folder_of(request.state, self.info.id)
        with ExitStack() as opened:
            connection = opened.enter_context(closing(Connection(endpoint)))
            _check_target(plan, connection)
            write_plan(folder, plan)
            journal = opened.enter_context(closing(SqliteJournal.open(folder, self.info)))
            executor = opened.enter_context(ThreadPoolExecutor(WORKERS, thread_name_prefix="azure"))
            ports = Ports(
                cloud=AzureCloud(connection),
                journal=journal,
                clock=clock,
                observer=observer,
                executor=executor,
            )
            self._run = WaveRun(journal.info(), wave, ALL_PLAYBOOKS, ports)
            self._opened = opened.pop_all()

    def stop(self) -> None:
        """Start nothing more; what has begun goes on to its end."""
        self._run.stop()

    def execute(self) -> RunState:
        """Carry the wave out, or go on with it."""
        return self._run.execute()

    def close(self) -> None:
        """Let go of the journal and of every connection."""
        self._opened.close()


def prepare_run(request: RunRequest, observer: Observer) -> PreparedRun:
    """Check plan, digest, wave and target, and take the run's lock. Nothing is changed yet.

    Raises:
        WrongDigestError: What was approved is not this plan.
        WrongTargetError: The plan was not made for a twin, or for another one.
        PlanError: The plan has no such wave.
        LockedError: Another process carries this run out.
    """
    plan = read_plan(request.plan)
    _check_digest(plan, request.approve)
    wave = _wave_of(plan, request.wave)
    if plan.target.kind is not TargetKind.TWIN:
        raise WrongTargetError(
            "This plan was made for live Azure; this release carries plans out on a twin only.",
            remedy="Plan a sample estate, or rehearse this plan: readiness rehearse PLAN --estate ESTATE",
        )
    return PreparedRun(plan, wave, request, observer)


def rehearse(
    plan_path: Path, estate: str | None, faults: Path | None, observer: Observer
) -> tuple[RunState, ...]:
    """Carry every wave out on a twin in this process, in virtual time.

    Args:
        plan_path: The plan, or the folder it is in.
        estate: Folder or sample name of the estate to make the twin of; by default the plan's own name.
        faults: File of scripted trouble.
        observer: Who is told what happens.
    """
    plan = read_plan(plan_path)
    folder = locate(estate or plan.target.estate)
    start = datetime.combine(plan.as_of, time(0), tzinfo=UTC)
    endpoint, virtual = in_process(folder, faults, start)
    clock = RehearsalClock(virtual)
    connection = Connection(endpoint)
    states = []
    with closing(connection), _Inline() as executor:
        for wave in plan.waves:
            info = RunInfo(
                id=f"rehearsal-{run_id(plan, wave.number)}",
                plan=plan.digest,
                wave=wave.number,
                place="twin in process",
                approved_by="rehearsal",
                release=RELEASE,
                started_at=clock.now(),
            )
            with closing(SqliteJournal.in_memory(info)) as journal:
                ports = Ports(
                    cloud=AzureCloud(connection),
                    journal=journal,
                    clock=clock,
                    observer=observer,
                    executor=executor,
                )
                states.append(WaveRun(info, wave, ALL_PLAYBOOKS, ports).execute())
    return tuple(states)


class RunView(Struct, frozen=True, kw_only=True):
    """What a second terminal shows of a run."""

    state: RunState
    running: bool
    events: tuple[Event, ...]


def status(state: Path, run: str | None) -> RunView:
    """Return where a run stands; without a name, the one touched last."""
    name = run or _latest(state)
    folder = folder_of(state, name)
    info, records, events = read_run(folder)
    wave = _wave_of(read_plan(folder), info.wave)
    now = events[-1].at if events else info.started_at
    return RunView(
        state=run_state(info, wave, ALL_PLAYBOOKS, records, now=now),
        running=is_running(folder),
        events=tuple(events),
    )


def request_stop(state: Path, run: str | None) -> str:
    """Ask a running process to start nothing more; return the run's name."""
    name = run or _latest(state)
    folder = folder_of(state, name)
    if not is_running(folder):
        raise JournalError(f"No process is carrying out {name}.", remedy="There is nothing to stop.")
    ask_to_stop(folder, at=datetime.now(UTC), sent_by=getpass.getuser())
    return name


def exit_of(*states: RunState) -> Exit:
    """Return the exit code of what happened; the worst outcome decides."""
    if any(state.count(Phase.STRANDED, Phase.BLOCKED, Phase.DECLINED) for state in states):
        return Exit.NEEDS_A_PERSON
    if any(state.held or state.is_unfinished for state in states):
        return Exit.HELD
    if any(state.count(Phase.ROLLED_BACK) for state in states):
        return Exit.SOME_ROLLED_BACK
    return Exit.DONE


def _check_digest(plan: Plan, approved: str) -> None:
    if len(approved) < DIGEST_LENGTH or not plan.digest.startswith(approved.lower()):
        raise WrongDigestError(
            f"The digest {approved!r} does not approve this plan.",
            details=f"At least the first {DIGEST_LENGTH} characters of the plan's own digest are needed.",
            remedy="Compare it with the Summary of the workbook that was approved: this may be another plan.",
        )


def _check_target(plan: Plan, connection: Connection) -> None:
    """Insist that the endpoint shows the subscriptions the plan was made for."""
    wanted = frozenset(entry.lower() for entry in plan.target.subscriptions)
    missing = wanted - visible_subscriptions(connection, min(wanted)) if wanted else frozenset()
    if missing:
        raise WrongTargetError(
            f"The plan was made for {plan.target.estate}, and this is another place.",
            details=f"It does not show the subscription {', '.join(sorted(missing))}.",
            remedy="Serve a twin of the estate that was planned, or plan the estate that is served.",
        )


def _wave_of(plan: Plan, number: int) -> Wave:
    wave = plan.wave(number)
    if wave is None:
        known = ", ".join(str(entry.number) for entry in plan.waves) or "none"
        raise PlanError(f"The plan has no wave {number}.", remedy=f"Its waves are: {known}.")
    return wave


def _latest(state: Path) -> str:
    runs = known_runs(state)
    if not runs:
        raise UsageError(
            f"There are no runs in {state}.",
            remedy="Start one: readiness run PLAN --wave 1 --approve DIGEST --twin URL",
        )
    return runs[0]


class _Inline(Executor):
    """Runs every call at once, in the caller's thread: a rehearsal is deterministic."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function and return its finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
