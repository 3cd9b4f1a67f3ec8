"""Use cases: say where a run stands, and leave wishes for it, from any process."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import closable, taken_back, work_of
from readiness.app.next_steps import Advice, Words, going_on, next_steps, words_of
from readiness.app.people import local_user
from readiness.app.run_result import RunResult, run_result
from readiness.app.shared_actions import action_of, due, handle_of
from readiness.app.stages import only
from readiness.engine.state import run_state
from readiness.errors import Exit, JournalError, UsageError
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Plan, Wave
from readiness.model.run import Event, EventKind, RunInfo, RunState, SignalKind, StepRecord
from readiness.store.artefacts import read_kept_plan
from readiness.store.journal import is_running, leave_signal, read_head, read_rounds, read_run
from readiness.store.runs import folder_of, known_runs, run_id, second_state_of


class RunView(Struct, frozen=True, kw_only=True):
    """What a second terminal shows of a run."""

    plan: Plan
    folder: Path
    """Where its journal and its plan lie."""
    words: Words
    """Plan, place and state folder, in the words of commands."""
    state: RunState
    at: datetime
    """The instant that it shows."""
    running: bool
    records: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    head: str
    """Digest of the last event: it stands for the whole story."""

    def result(self) -> RunResult:
        """Return the run's result as one document."""
        return run_result(
            self.plan,
            self.state,
            self.records,
            rounds=read_rounds(self.folder),
            head=self.head,
            words=self.words,
        )

    def advice(self) -> tuple[Advice, ...]:
        """Return what to do now."""
        return next_steps(self.state, self.words)


def status(state: Path, run: str | None) -> RunView:
    """Return where a run stands; without a name, the one touched last."""
    folder = folder_of(state, named(state, run))
    info, records, events = read_run(folder)
    plan = read_kept_plan(folder, info.id, info.plan)
    running = is_running(folder)
    now = _instant(info, events, running=running)
    stands = run_state(
        info,
        work_in(plan, info, state, records, now),
        ALL_PLAYBOOKS,
        records,
        now=now,
        held=why_held(events),
        execution=plan.policy.execution,
    )
    return RunView(
        plan=plan,
        folder=folder,
        words=replace(
            words_of(info, state, folder, second_state_of(folder, None)),
            due=() if running else _due(plan, state, info),
            taken_back=taken_back(records),
        ),
        state=with_waits(stands, events),
        at=now,
        running=running,
        records=tuple(records),
        events=tuple(events),
        head=read_head(folder),
    )


def work_in(plan: Plan, info: RunInfo, state: Path, records: Iterable[StepRecord], now: datetime) -> Wave:
    """Return what a run is for: a closure, the VMs that can be closed, and those that it has begun with."""
    work = work_of(plan, info.wave, info.stage, info.action)
    if info.stage is not Stage.CLOSURE or info.action:
        return work
    found = {vm.id for vm in closable(plan, info.wave, state, now).wave.vms}
    return only(work, found | {record.vm for record in records})


def _due(plan: Plan, state: Path, info: RunInfo) -> tuple[str, ...]:
    waves = action_of(plan, info.action).waves if info.action else (info.wave,)
    found = (action for wave in waves for action in due(plan, state, info.place, wave))
    return tuple(dict.fromkeys(handle_of(plan, action) for action in found))


def ended(plan: Path, state: Path, outcome: RunState) -> RunView:
    """Return the view of a run that this process has just carried out, with the plan that lies at a path."""
    view = status(state, outcome.info.id)
    return replace(view, state=outcome, running=False, words=replace(view.words, plan=str(plan)))


def _instant(info: RunInfo, events: Sequence[Event], *, running: bool) -> datetime:
    """Return the instant that is shown: now on Azure itself; on a twin, which has its own, the last told."""
    if info.is_live and running:
        return datetime.now(UTC)
    return events[-1].at if events else info.started_at


def why_held(events: Sequence[Event]) -> str | None:
    """Return why nothing was started any more when the story last spoke of it."""
    for event in reversed(events):
        if event.phase is Phase.CHECKING or (event.kind is EventKind.RUN and not event.vm):
            return None
        if event.kind is EventKind.WAIT and not event.vm:
            return event.text.partition(": ")[2] or event.text
    return None


def with_waits(state: RunState, events: Sequence[Event]) -> RunState:
    """Return where a run stands, with what a VM waits for in the place of its step if that was told last."""
    last = {event.vm: event for event in events if event.vm}
    names = Counter(unit.name for unit in state.units)
    waits = {name: event.text for name, event in last.items() if event.kind is EventKind.WAIT}
    return replace(
        state,
        units=tuple(
            replace(unit, doing=waits[unit.name])
            # The story knows names alone: what two VMs bear says nothing of either.
            if unit.step is not None and unit.name in waits and names[unit.name] == 1
            else unit
            for unit in state.units
        ),
    )


class Left(Struct, frozen=True, kw_only=True):
    """A wish that was left for a run."""

    run: str
    running: bool
    """Whether a process carries the run out, and will act on it within a second."""
    command: str
    """What goes on with the run, and acts on the wish, where no process does."""


def leave(state: Path, run: str | None, kind: SignalKind, *, vm: str = "", note: str = "") -> Left:
    """Leave a wish for a run.

    Raises:
        JournalError: There is no such run; or there is nothing to stop or pause, since no process goes on.
        UsageError: The run has no such VM, or several of that name; or nothing can be taken back now.
    """
    view = status(state, run)
    name, folder, running = view.state.info.id, view.folder, view.running
    if not running and kind in (SignalKind.STOP, SignalKind.PAUSE):
        raise JournalError(f"No process is carrying out {name}.", remedy=f"There is nothing to {kind}.")
    if vm:
        _insist_on_one(view.state, vm)
    if not running and kind in (SignalKind.APPROVE, SignalKind.REJECT):
        _insist_on_undecided(view.state, vm)
    if kind is SignalKind.ROLLBACK:
        _insist_on_order(state, view)
    leave_signal(folder, kind, at=datetime.now(UTC), sent_by=local_user(), vm=vm, note=note)
    return Left(run=name, running=running, command=going_on(view.state.info, view.words))


def _insist_on_one(state: RunState, vm: str) -> None:
    """Refuse a name that no VM of a run bears, or several."""
    if any(unit.vm.key == vm.lower() for unit in state.units):
        return
    found = [unit.vm.text for unit in state.units if unit.name.lower() == vm.lower()]
    if not found:
        names = ", ".join(sorted(unit.name for unit in state.units)) or "none"
        raise UsageError(f"{state.info.id} has no VM {vm}.", remedy=f"Its VMs are: {names}.")
    if len(found) > 1:
        raise UsageError(
            f"{state.info.id} has {len(found)} VMs called {vm}.",
            remedy=f"Name one by its id: {', '.join(found)}.",
        )


def _insist_on_undecided(state: RunState, vm: str) -> None:
    """Refuse a decision that nothing waits for: it would be noted, and come to nothing."""
    waiting = [unit for unit in state.units if unit.phase is Phase.UNDECIDED]
    if any(not vm or vm.lower() in (unit.name.lower(), unit.vm.key) for unit in waiting):
        return
    names = ", ".join(unit.name for unit in waiting) or "none"
    raise UsageError(
        f"{vm or 'No VM'} of {state.info.id} is {'not ' if vm else ''}undecided.",
        remedy=f"Those that wait for a decision are: {names}. See where all stand: readiness status",
    )


def _insist_on_order(state: Path, view: RunView) -> None:
    """Refuse to take back what others rest on: preparation stays, a closure goes before its outage."""
    info = view.state.info
    if info.stage is Stage.PREPARATION:
        raise UsageError(
            f"{info.id} only prepared its VMs, and preparation stays.",
            remedy="Nothing of it stands in the way: it added identities and extensions, and changed none.",
        )
    closing = run_id(view.plan, info.wave, Stage.CLOSURE)
    if info.stage is not Stage.OUTAGE or not (folder_of(state, closing) / "journal.sqlite").exists():
        return
    closed = [unit.name for unit in status(state, closing).state.units if unit.phase is Phase.DONE]
    if closed:
        raise UsageError(
            f"The logins of {', '.join(closed)} are closed: the rescue path has to be open first.",
            remedy=f"Take the closure back: readiness rollback --run {closing}",
        )


def exit_of(*states: RunState) -> Exit:
    """Return the exit code of what happened; the worst outcome decides."""
    if any(state.count(Phase.STRANDED, Phase.BLOCKED, Phase.DECLINED, Phase.UNDECIDED) for state in states):
        return Exit.NEEDS_A_PERSON
    if any(state.held or state.is_unfinished for state in states):
        return Exit.HELD
    if any(state.count(Phase.ROLLED_BACK) for state in states):
        return Exit.SOME_ROLLED_BACK
    return Exit.DONE


def named(state: Path, run: str | None) -> str:
    """Return the name of a run that is on record; without a name, of the one touched last.

    Raises:
        UsageError: There are no runs.
        JournalError: There is no such run.
    """
    runs = known_runs(state)
    if run is not None and run not in runs:
        known = f"Those on record are: {', '.join(runs)}." if runs else "None are on record there."
        raise JournalError(f"There is no run {run} in {state}.", remedy=known)
    if not runs:
        raise UsageError(
            f"There are no runs in {state}.",
            remedy="Start one: readiness run PLAN --wave 1 --approve DIGEST --twin URL",
        )
    return run or runs[0]
