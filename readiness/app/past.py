"""The past of a VM or of a shared object as step records, written from what its run left on Azure.

The campaign itself says which step comes next, so that what is written is what a run would have written:
nothing else takes the VM up, and nothing is skipped that may not have happened.
"""

from collections.abc import Callable
from datetime import datetime

from readiness.azure.run_commands import named
from readiness.azure.traces import Trace
from readiness.engine.advance import Campaign, Position
from readiness.engine.decisions import RECALLED
from readiness.engine.elsewhere import pair
from readiness.engine.look import size_note
from readiness.model.lifecycle import Phase
from readiness.model.run import StepRecord, StepResult, StepState
from readiness.model.steps import (
    PlannedStep,
    ProveHealth,
    RecordBefore,
    Resize,
    RunInGuest,
    Start,
    StartAs,
    name_of,
)
from readiness.store.journal import SqliteJournal

EARLY = (Phase.WAITING, Phase.CHECKING)
_WORDS = "recovered from the marks on Azure"
_OTHER_SIZE = "recovered from the size that it has now"


class Past:
    """Writes step after step of a campaign's past, in the order in which it takes them."""

    def __init__(self, journal: SqliteJournal, campaign: Campaign, started: datetime, now: datetime) -> None:
        self._journal = journal
        self._campaign = campaign
        self._started = started
        self._now = now
        self._known: dict[str, StepRecord] = {}

    @property
    def position(self) -> Position:
        """Where what was written so far leads to."""
        return self._campaign.position(self._known)

    def write(self, *phases: Phase) -> None:
        """Write every step up to the first phase that is none of these."""
        self.write_while(lambda position: position.phase in phases)

    def write_all(self) -> None:
        """Write every step up to the end."""
        self.write(*Phase)

    def write_while(self, condition: Callable[[Position], bool]) -> None:
        """Write every step up to the first where the campaign does not stand as is said."""
        position = self.position
        while position.due is not None and condition(position):
            self._end(position.due)
            position = self.position

    def fail(self, code: str, detail: str) -> None:
        """Write that the step that is due ended badly."""
        due = self.position.due
        if due is not None:
            self._end(due, StepResult(ok=False, code=code, detail=detail))

    def recall(self, since: datetime) -> None:
        """Write that a person wanted it back since an instant, and what was asked before that began."""
        self.write_all()
        told = StepResult(ok=True, detail="recovered: somebody wanted it back as it was")
        self._keep(RECALLED, told, since, since)
        self.write_while(lambda position: _is_of(position, "recall."))

    def _end(self, planned: PlannedStep, result: StepResult | None = None) -> None:
        """Write a step that had ended."""
        self._keep(planned.name, result or self._result(planned), self._started, self._now)

    def _keep(self, name: str, result: StepResult, began: datetime, ended: datetime) -> None:
        vm = self._campaign.vm.id
        self._journal.intend(vm, name, began)
        self._journal.ended(vm, name, result, ended)
        self._known[name] = StepRecord(
            vm=vm,
            name=name,
            state=StepState.DONE if result.ok else StepState.FAILED,
            attempt=1,
            intended_at=began,
            ended_at=ended,
            result=result,
        )

    def _result(self, _planned: PlannedStep) -> StepResult:
        """Return how a step of the past ended."""
        return StepResult(ok=True, detail=_WORDS)


class VmPast(Past):
    """That of a VM: what its marks tell of its state before, of another size, and of scripts in its guest."""

    def __init__(self, journal: SqliteJournal, campaign: Campaign, trace: Trace, now: datetime) -> None:
        super().__init__(journal, campaign, trace.started, now)
        self._trace = trace

    def begin(self) -> None:
        """Write the intent of the next step of the work, and that another size was taken, if one was."""
        position = self.position
        if position.due is None:
            return
        self._journal.intend(self._campaign.vm.id, position.due.name, self._started)
        work = self._campaign.steps(position.phase, self._known)
        start = next((planned for planned in work if isinstance(planned.step, Start)), None)
        if start is not None and self._other_size is not None:
            self._end(start)
            self._end(pair(start, self._other_size)[0])

    def take_up_scripts(self) -> None:
        """Write the intents of scripts whose answers are there to be read, so that none is run again."""
        vm, started = self._campaign.vm, self._started.isoformat()
        outage = vm.outage.steps if vm.outage else ()
        back = self._campaign.steps(Phase.UNDOING, self._known) if RECALLED in self._known else ()
        left = {script.name: script.intended for script in self._trace.scripts}
        for planned in (*vm.preparation, *outage, *vm.closure, *back):
            if not isinstance(planned.step, RunInGuest) or planned.name in self._known:
                continue
            for name, intended in left.items():
                if name == named(planned.step, started, intended.isoformat()):
                    self._journal.intend(vm.id, planned.name, intended)

    @property
    def _other_size(self) -> str | None:
        """The approved size that it has in the place of its own, as the plan spells it."""
        size = (self._trace.seen.vm.size or "").lower()
        own = (self._trace.before.size or "").lower()
        approved = {one.lower(): one for one in self._campaign.vm.choice.sizes}
        return approved.get(size) if size != own else None

    @property
    def _was_resized(self) -> bool:
        """Whether what was written so far gave it that size: later starts are starts as it."""
        resized = f".{name_of(Resize(vm=self._campaign.vm.id, size=self._other_size or ''))}"
        ends = [record.result for name, record in self._known.items() if name.endswith(resized)]
        return any(result is not None and result.ok for result in ends)

    def _result(self, planned: PlannedStep) -> StepResult:
        """Return how a step of the past ended; a VM has another size only where its own had no room."""
        trace = self._trace
        match planned.step:
            case RecordBefore():
                return StepResult(ok=True, detail=_WORDS, before=trace.before)
            case ProveHealth():
                taken = ", ".join(snapshot.name for snapshot in trace.snapshots)
                note = size_note(trace.before, trace.seen)
                return StepResult(ok=True, detail=_WORDS, note=note, evidence=f"its snapshots: {taken}")
            case StartAs():
                return super()._result(planned)
            case Start() if self._other_size is not None and not self._was_resized:
                return StepResult(ok=False, code="OtherSize", detail=_OTHER_SIZE, no_room=True)
            case Resize(size=size) if size.lower() != (trace.seen.vm.size or "").lower():
                return StepResult(ok=False, code="OtherSize", detail=_OTHER_SIZE)
            case _:
                return super()._result(planned)


def _is_of(position: Position, stage: str) -> bool:
    return position.due is not None and position.due.name.startswith(stage)
