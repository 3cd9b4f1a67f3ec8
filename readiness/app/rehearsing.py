"""Use case: rehearse a plan: every wave from preparation to closure, then what VMs share, in virtual time.

One twin sees all waves as long as time goes forward. A wave that opens before the one before it was closed,
as waves side by side do, is rehearsed on a twin of its own.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import name_of_run, wave_of
from readiness.app.clocks import RehearsalClock
from readiness.app.endpoints import in_process
from readiness.app.estates import locate
from readiness.app.hooks import ToldHooks
from readiness.app.release import RELEASE
from readiness.app.run_result import run_result
from readiness.app.shared_actions import not_closed, rests_on, shared_wave, tightenings
from readiness.app.stages import part_of, soaked
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.engine.peers import as_found, down_in
from readiness.engine.run import WaveRun
from readiness.engine.work import Ports
from readiness.model.codec import encode
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.plan import ApartGroup, Plan, PlanAction, Wave
from readiness.model.run import RunInfo, RunState, StepRecord
from readiness.ports.observer import Observer
from readiness.store.artefacts import read_plan
from readiness.store.journal import SqliteJournal

_AHEAD = timedelta(hours=26)
"""How long before its first window a wave is prepared."""


class Rehearsed(Struct, frozen=True, kw_only=True):
    """What a rehearsal came to. All durations are assumed: those of a twin."""

    plan: Plan
    states: tuple[RunState, ...]
    records: tuple[tuple[StepRecord, ...], ...]
    """For each state, the records behind it."""
    ended: tuple[datetime, ...]
    """For each state, when its last step ended."""

    def report(self) -> dict[str, Any]:
        """Return everything as one JSON document."""
        runs = [
            run_result(self.plan, state, records)
            for state, records in zip(self.states, self.records, strict=True)
        ]
        document = {
            "format": "readiness/rehearsal/1",
            "durations": "assumed",
            "plan": self.plan.digest,
            "overruns": list(self.overruns()),
            "runs": runs,
        }
        answer: dict[str, Any] = json.loads(encode(document))
        return answer

    def overruns(self) -> Iterator[str]:
        """Yield a sentence for each window that was not long enough."""
        for state, ended in zip(self.states, self.ended, strict=True):
            if state.info.stage is not Stage.OUTAGE:
                continue
            wave = wave_of(self.plan, state.info.wave)
            closes = max(vm.occurrence.closes for vm in wave.vms)
            if ended > closes:
                late = int((ended - closes).total_seconds() // 60)
                yield f"wave {wave.number} ends {late} minutes after its last window closes"
            left = [unit.name for unit in state.units if unit.phase is Phase.WAITING]
            if left:
                yield f"wave {wave.number} leaves {len(left)} VMs unstarted: {state.held}"

    def sums(self) -> Iterator[str]:
        """Yield what people want to know at the end."""
        outages = sorted(
            (unit.downtime_seconds, unit.name)
            for state in self.states
            if state.info.stage is Stage.OUTAGE
            for unit in state.units
            if unit.downtime_seconds is not None
        )
        if outages:
            middle, (longest, name) = outages[len(outages) // 2][0], outages[-1]
            yield (
                f"{len(outages)} VMs were away: {middle // 60} min {middle % 60} s in the middle, "
                f"{longest // 60} min {longest % 60} s at most ({name})"
            )
        yield from self.overruns()


def rehearse(
    plan_path: Path,
    estate: str | None,
    faults: Path | None,
    observer: Observer,
    *,
    waves: tuple[int, ...] = (),
    seed: int = 0,
) -> Rehearsed:
    """Carry every stage of every wave out on a twin in this process, in virtual time.

    Args:
        plan_path: The plan, or the folder it is in.
        estate: Folder or sample name of the estate to make the twin of; by default the plan's own name.
        faults: File of scripted trouble.
        observer: Who is told what happens.
        waves: Numbers of the waves; all if there are none.
        seed: Of the twin's durations and of its troubles.
    """
    plan = read_plan(plan_path)
    chosen = [wave_of(plan, number) for number in waves] or list(plan.waves)
    stage = _Scene(plan, locate(estate or plan.target.estate), faults, seed)
    found: list[tuple[RunState, tuple[StepRecord, ...], datetime]] = []
    with Inline() as executor:
        for wave in sorted(chosen, key=_opens):
            with closing(stage.twin_for(wave)) as twin:
                down = down_in(state for state, _, _ in found if state.info.stage is Stage.OUTAGE)
                found += _Rehearsal(plan, twin, observer, executor, as_found(plan.apart, down)).whole(wave)
        known = {(state.info.wave, state.info.stage): state for state, _, _ in found}
        done: list[PlanAction] = []
        for action in tightenings(plan):
            waits = any(other not in done for other in rests_on(plan, action))
            if waits or any(not_closed(plan, action, lambda number, stage: known.get((number, stage)))):
                continue
            with closing(stage.twin_now()) as twin:
                shared = _Rehearsal(plan, twin, observer, executor, ()).shared(action)
            done += [action] * all(unit.phase in SUCCEEDED for state, _, _ in shared for unit in state.units)
            found += shared
    states, records, ended = zip(*found, strict=True) if found else ((), (), ())
    return Rehearsed(plan=plan, states=states, records=records, ended=ended)


def _opens(wave: Wave) -> datetime:
    return min(vm.occurrence.opens for vm in wave.vms)


class _Twin:
    """A twin and its clock; kept while time goes forward on it."""

    def __init__(self, connection: Connection, clock: RehearsalClock) -> None:
        self.connection = connection
        self.clock = clock

    def close(self) -> None:
        """Close what its clients opened; the next wave opens new ones."""
        self.connection.close()


class _Scene:
    """Where waves are rehearsed: the same twin, or a fresh one where time would have to go back."""

    def __init__(self, plan: Plan, folder: Path, faults: Path | None, seed: int) -> None:
        self._plan = plan
        self._folder = folder
        self._faults = faults
        self._seed = seed
        self._twin: _Twin | None = None

    def twin_for(self, wave: Wave) -> _Twin:
        """Return a twin whose time is not past the beginning of a wave's preparation."""
        begins = _opens(wave) - _AHEAD
        if self._twin is None or self._twin.clock.now() > begins:
            start = datetime.combine(self._plan.as_of, time(0), tzinfo=UTC)
            endpoint, virtual = in_process(self._folder, self._faults, min(start, begins), self._seed)
            self._twin = _Twin(Connection(endpoint), RehearsalClock(virtual))
        self._twin.clock.skip_to(begins)
        return self._twin

    def twin_now(self) -> _Twin:
        """Return the twin of the last wave, for what comes after all of them."""
        if self._twin is None:
            raise AssertionError("nothing was closed, since no wave was rehearsed")
        return self._twin


class _Rehearsal:
    """The stages of one wave, or what several VMs share, on a twin."""

    def __init__(
        self,
        plan: Plan,
        twin: _Twin,
        observer: Observer,
        executor: Executor,
        apart: tuple[ApartGroup, ...],
    ) -> None:
        self._plan = plan
        self._apart = apart
        self._twin = twin
        self._observer = observer
        self._executor = executor

    def whole(self, wave: Wave) -> list[tuple[RunState, tuple[StepRecord, ...], datetime]]:
        """Prepare a wave a day ahead, carry it out, let it soak, and close it."""
        found = [
            self._stage(wave, stage, part_of(wave, stage), {}) for stage in (Stage.PREPARATION, Stage.OUTAGE)
        ]
        outage = found[-1][0] if found[-1] else None
        rest = soaked(part_of(wave, Stage.CLOSURE), outage, self._plan.policy.execution)
        found.append(self._stage(wave, Stage.CLOSURE, rest.wave, dict(rest.not_before)))
        return [one for one in found if one is not None]

    def shared(self, action: PlanAction) -> list[tuple[RunState, tuple[StepRecord, ...], datetime]]:
        """Change what several VMs share, once all of them are closed."""
        wave = shared_wave(action)
        found = self._stage(wave, Stage.CLOSURE, wave, {}, action.key)
        return [found] if found is not None else []

    def _stage(
        self, wave: Wave, stage: Stage, part: Wave, not_before: dict[Any, datetime], action: str = ""
    ) -> tuple[RunState, tuple[StepRecord, ...], datetime] | None:
        if not part.batches:
            return None
        clock = self._twin.clock
        info = RunInfo(
            id=f"rehearsal-{name_of_run(self._plan, wave.number, stage, action)}",
            plan=self._plan.digest,
            wave=wave.number,
            place="twin in process",
            approved_by="rehearsal",
            release=RELEASE,
            started_at=clock.now(),
            stage=stage,
            instance="rehearsal",
            action=action,
        )
        with closing(SqliteJournal.in_memory(info)) as journal:
            ports = Ports(
                cloud=AzureCloud(self._twin.connection, part),
                journal=journal,
                clock=clock,
                observer=self._observer,
                executor=self._executor,
                hooks=ToldHooks(),
            )
            run = WaveRun(
                info,
                part,
                ALL_PLAYBOOKS,
                ports,
                execution=self._plan.policy.execution,
                apart=self._apart,
                not_before=not_before,
            )
            state = run.execute()
            ended = max((unit.ended_at for unit in state.units if unit.ended_at), default=info.started_at)
            return state, tuple(journal.records()), ended


class Inline(Executor):
    """Runs every call at once, in the caller's thread: a rehearsal is deterministic."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function and return its finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
