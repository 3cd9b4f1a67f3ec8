"""A VM's past as step records, written from what its run left on Azure.

The campaign itself says which step comes next, so that what is written is what a run would have written:
nothing else takes the VM up, and nothing is skipped that may not have happened.
"""

from datetime import datetime

from readiness.azure.traces import Trace
from readiness.engine.advance import Campaign
from readiness.engine.elsewhere import pair
from readiness.engine.look import size_note
from readiness.model.lifecycle import Phase
from readiness.model.run import StepRecord, StepResult, StepState
from readiness.model.steps import PlannedStep, ProveHealth, RecordBefore, Resize, Start, StartAs, name_of
from readiness.store.journal import SqliteJournal

EARLY = (Phase.WAITING, Phase.CHECKING)
_WORDS = "recovered from the marks on Azure"
_OTHER_SIZE = "recovered from the size that it has now"


class Past:
    """Writes step after step of a VM's past, in the order in which its campaign takes them."""

    def __init__(self, journal: SqliteJournal, campaign: Campaign, trace: Trace, now: datetime) -> None:
        self._journal = journal
        self._campaign = campaign
        self._trace = trace
        self._now = now
        self._known: dict[str, StepRecord] = {}

    def write(self, *phases: Phase) -> None:
        """Write every step up to the first phase that is none of these."""
        position = self._campaign.position(self._known)
        while position.due is not None and position.phase in phases:
            self._end(position.due)
            position = self._campaign.position(self._known)

    def write_all(self) -> None:
        """Write every step up to the end."""
        self.write(*Phase)

    def begin(self) -> None:
        """Write the intent of the first step of the work, and that another size was taken, if one was."""
        position = self._campaign.position(self._known)
        if position.due is None:
            return
        self._journal.intend(self._campaign.vm.id, position.due.name, self._trace.started)
        work = self._campaign.steps(position.phase, self._known)
        start = next((planned for planned in work if isinstance(planned.step, Start)), None)
        if start is not None and self._other_size is not None:
            self._end(start)
            self._end(pair(start, self._other_size)[0])

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

    def _end(self, planned: PlannedStep) -> None:
        """Write a step that had ended."""
        vm, began, result = self._campaign.vm.id, self._trace.started, self._result(planned)
        self._journal.intend(vm, planned.name, began)
        self._journal.ended(vm, planned.name, result, self._now)
        self._known[planned.name] = StepRecord(
            vm=vm,
            name=planned.name,
            state=StepState.DONE if result.ok else StepState.FAILED,
            attempt=1,
            intended_at=began,
            ended_at=self._now,
            result=result,
        )

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
                return StepResult(ok=True, detail=_WORDS)
            case Start() if self._other_size is not None and not self._was_resized:
                return StepResult(ok=False, code="OtherSize", detail=_OTHER_SIZE, no_room=True)
            case Resize(size=size) if size.lower() != (trace.seen.vm.size or "").lower():
                return StepResult(ok=False, code="OtherSize", detail=_OTHER_SIZE)
            case _:
                return StepResult(ok=True, detail=_WORDS)
