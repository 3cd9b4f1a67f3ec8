"""Use case: carry a stage of a wave out, or go on with it where it ended. All checks come before any change.

A run is known by its plan, wave and stage, or by its plan and its action on a shared object: the same command
twice is one run, and so is it after a crash.
"""

import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.consent import insist_on_consent, insist_on_consent_for
from readiness.app.hooks import ProcessHooks
from readiness.app.lost_memory import insist_on_memory
from readiness.app.next_steps import words_of
from readiness.app.other_waves import groups_as_found
from readiness.app.places import Place, check_subscriptions, find_place
from readiness.app.release import RELEASE
from readiness.app.shared_actions import action_of, insist_on_closed, shared_wave
from readiness.app.stages import Soaked, part_of, soaked
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.engine.decisions import RECALLED, REJECTED
from readiness.engine.run import WaveRun
from readiness.engine.state import run_state
from readiness.engine.work import Ports
from readiness.errors import PlanError, UsageError, WrongDigestError
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import DIGEST_LENGTH, Plan, Wave
from readiness.model.run import Event, EventKind, RunInfo, RunState, StepRecord
from readiness.ports.observer import Observer
from readiness.store.artefacts import keep_plan, read_plan
from readiness.store.journal import SqliteJournal, read_run
from readiness.store.runs import folder_of, run_id, second_state_of, shared_run_id
from readiness.store.second_place import SecondPlace

WORKERS = 8
"""Calls to Azure under way at once."""
_SHOWN = 10
"""VMs named in one sentence."""


class RunRequest(Struct, frozen=True, kw_only=True):
    """What an operator asks for."""

    plan: Path
    wave: int
    """0 where it is an action on a shared object."""
    approve: str
    state: Path
    twin: str | None = None
    certificate: Path | None = None
    live: bool = False
    stage: Stage = Stage.OUTAGE
    action: str = ""
    """Key of an action on a shared object, in the place of a wave."""
    again: frozenset[Phase] = frozenset()
    """VMs that ended so are tried anew, but for those that a person took back."""
    again_vm: str = ""
    """One VM, by name or id, that is tried anew even so."""
    second_state: Path | None = None
    """A second state folder, on another disk, that the journal is written to as well."""


class PreparedRun:
    """A run that was checked and is ready to go, with everything it holds open."""

    def __init__(self, plan: Plan, request: RunRequest, place: Place, observer: Observer) -> None:
        self.plan, self.place = plan, place
        self.wave = work_of(plan, request.wave, request.stage, request.action)
        wanted = RunInfo(
            id=name_of_run(plan, request.wave, request.stage, request.action),
            plan=plan.digest,
            wave=request.wave,
            place=place.name,
            approved_by=place.who.words,
            release=RELEASE,
            started_at=place.clock.now(),
            stage=request.stage,
            instance=secrets.token_hex(4),
            way=place.way,
            action=request.action,
        )
        self.folder = folder_of(request.state, wanted.id)
        self.left_out: dict[str, str] = {}
        with ExitStack() as opened:
            connection = opened.enter_context(closing(Connection(place.endpoint)))
            check_subscriptions(plan, connection, place)
            soaks = request.stage is Stage.CLOSURE and not request.action
            self._not_before = self._soaks(request) if soaks else {}
            if not (self.folder / "journal.sqlite").exists():
                insist_on_memory(connection, self.wave, wanted, words_of(wanted, request.state, request.plan))
            keep_plan(request.plan, plan, self.folder)
            journal = opened.enter_context(closing(SqliteJournal.open(self.folder, wanted)))
            self.info = journal.info()
            self._keep_in_second_place(journal, request, observer)
            self._begin_again(journal, request)
            executor = opened.enter_context(ThreadPoolExecutor(WORKERS, thread_name_prefix="azure"))
            ports = Ports(
                cloud=AzureCloud(connection, self.wave),
                journal=journal,
                clock=place.clock,
                observer=observer,
                executor=executor,
                hooks=ProcessHooks(),
                hook_executor=opened.enter_context(
                    ThreadPoolExecutor(plan.policy.execution.max_concurrency, thread_name_prefix="hook")
                ),
            )
            self._journal, self._last_head = journal, ""
            self._run = WaveRun(
                self.info,
                self.wave,
                ALL_PLAYBOOKS,
                ports,
                execution=plan.policy.execution,
                apart=groups_as_found(plan, request.wave, request.state, place.name, place.clock.now()),
                not_before=self._not_before,
            )
            self._opened = opened.pop_all()

    @property
    def last_head(self) -> str:
        """The digest of the last event of the run's story, once everything was let go of."""
        return self._last_head

    def stop(self) -> None:
        """Start nothing more; what has begun goes on to its end."""
        self._run.stop()

    def only_take_back(self) -> None:
        """Start no VM that waits: this process is for those that somebody wants back."""
        self._run.only_take_back()

    def state(self) -> RunState:
        """Return where the run stands; only for the thread that carries it out."""
        return self._run.state()

    def execute(self) -> RunState:
        """Carry the wave out, or go on with it."""
        return self._run.execute()

    def close(self) -> None:
        """Let go of the journal and of every connection."""
        self._last_head = self._journal.head()
        self._opened.close()

    def _keep_in_second_place(self, journal: SqliteJournal, request: RunRequest, observer: Observer) -> None:
        """Write the journal to its second place, too: the one that is named, or that it was begun with."""
        second = second_state_of(self.folder, request.second_state)
        if second is None:
            return

        def tell(text: str) -> None:
            event = Event(at=self.place.clock.now(), kind=EventKind.FAILURE, vm="", text=text)
            journal.tell(event)
            observer.told(event)

        place = SecondPlace(second, self.info, tell)
        journal.keep_in(place)
        try:
            if place.answers:
                keep_plan(request.plan, self.plan, folder_of(second, self.info.id))
        except UsageError as error:
            place.miss(error.details)

    def _soaks(self, request: RunRequest) -> dict[ResourceId, datetime]:
        """Keep of the wave what can be closed, and return when each VM may be."""
        found = closable(self.plan, request.wave, request.state, self.place.clock.now())
        self.wave, self.left_out = found.wave, found.left_out
        if found.left_out and not found.wave.vms:
            reasons = [f"{name}: {why}" for name, why in found.left_out.items()]
            raise PlanError(
                f"No VM of wave {request.wave} can be closed now.",
                details="; ".join(reasons[:_SHOWN]) + ("; ..." if len(reasons) > _SHOWN else ""),
                remedy="Carry the wave out first: readiness run. If that was done from another state folder, "
                "name it with --state; if that is lost, rebuild its journal: readiness recover.",
            )
        return found.not_before

    def _begin_again(self, journal: SqliteJournal, request: RunRequest) -> None:
        records, now = journal.records(), self.place.clock.now()
        left_alone = taken_back(records)
        limits = self.plan.policy.execution
        found = run_state(self.info, self.wave, ALL_PLAYBOOKS, records, now=now, execution=limits)
        for unit in found.units:
            if unit.phase not in request.again:
                continue
            named = request.again_vm.lower() in (unit.name.lower(), unit.vm.key)
            # What a person took back on purpose is not done again by trying all failures again.
            if named or (not request.again_vm and unit.vm not in left_alone):
                journal.begin_again(unit.vm)


def prepare_run(request: RunRequest, observer: Observer) -> PreparedRun:
    """Check plan, digest, wave, place and consent, and take the run's lock. Nothing is changed yet.

    Raises:
        WrongDigestError: What was approved is not this plan.
        WrongTargetError: The plan was made for another place.
        ConsentError: Somebody has not agreed who has to.
        PlanError: The plan has no such wave; or VMs that hang on a shared object are not closed.
        LockedError: Another process carries this run out.
    """
    plan = read_plan(request.plan)
    check_digest(plan, request.approve)
    action = action_of(plan, request.action) if request.action else None
    wave = wave_of(plan, request.wave) if action is None else None
    place = find_place(plan, request)
    if wave is not None:
        insist_on_consent(plan, wave, request.state, place)
    elif action is not None:
        insist_on_closed(plan, action, request.state, place.name)
        insist_on_consent_for(plan, action, request.state, place)
    return PreparedRun(plan, request, place, observer)


def check_digest(plan: Plan, approved: str) -> None:
    """Insist that what somebody approved is this plan.

    Raises:
        WrongDigestError: It is not.
    """
    if len(approved) < DIGEST_LENGTH or not plan.digest.startswith(approved.lower()):
        raise WrongDigestError(
            f"The digest {approved!r} does not approve this plan.",
            details=f"At least the first {DIGEST_LENGTH} characters of the plan's own digest are needed.",
            remedy="Compare it with the Summary of the workbook that was approved: this may be another plan.",
        )


def work_of(plan: Plan, number: int, stage: Stage, action: str = "") -> Wave:
    """Return what a run carries out: the part of a wave that its stage is for, or a shared object."""
    if action:
        return shared_wave(action_of(plan, action))
    return part_of(wave_of(plan, number), stage)


def closable(plan: Plan, number: int, state: Path, now: datetime) -> Soaked:
    """Return which VMs of a wave can be closed, by the journal of its outage."""
    outage, folder = None, folder_of(state, run_id(plan, number))
    if (folder / "journal.sqlite").exists():
        info, records, _ = read_run(folder)
        limits = plan.policy.execution
        outage = run_state(info, wave_of(plan, number), ALL_PLAYBOOKS, records, now=now, execution=limits)
    return soaked(work_of(plan, number, Stage.CLOSURE), outage, plan.policy.execution)


def taken_back(records: Iterable[StepRecord]) -> frozenset[ResourceId]:
    """Return the VMs that a person took back on purpose."""
    return frozenset(record.vm for record in records if record.name in (RECALLED, REJECTED))


def name_of_run(plan: Plan, number: int, stage: Stage, action: str = "") -> str:
    """Return the id of a run, always the same."""
    return shared_run_id(plan, action) if action else run_id(plan, number, stage)


def wave_of(plan: Plan, number: int) -> Wave:
    """Return a wave of a plan, or say which it has."""
    wave = plan.wave(number)
    if wave is None:
        known = ", ".join(str(entry.number) for entry in plan.waves) or "none"
        raise PlanError(f"The plan has no wave {number}.", remedy=f"Its waves are: {known}.")
    return wave
