"""Where a VM's campaign stands and what comes next, derived from the journal alone. Pure.

Invariants:
* The life cycle is `model.lifecycle.NEXT`; this module only feeds it outcomes.
* A step that ended is never due again; a step without an end is due, whether or not it was begun.
* The way back is computed from the recorded before-state and the changes that were begun.
* What a person decides is a record too, so that the same journal always gives the same answer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from readiness.engine.decisions import (
    RECALLED,
    REJECTED,
    before_recall,
    is_decided,
    is_recalled,
    recall_refusals,
)
from readiness.engine.elsewhere import first_open, proof_notes, seconds_elsewhere, with_other_sizes
from readiness.engine.leftovers import throwaway_disks, words_for_left
from readiness.engine.parts import AFTER, Parts
from readiness.model.execution import Execution
from readiness.model.lifecycle import FINAL, NEXT, Outcome, Phase, Stage
from readiness.model.observation import Before
from readiness.model.outage import compose_undo, plan_steps
from readiness.model.plan import PlannedVm
from readiness.model.playbook import Playbook
from readiness.model.run import StepRecord, StepResult, StepState
from readiness.model.steps import (
    Deallocate,
    Look,
    PlannedStep,
    ProveTime,
    PutBackOff,
    Resize,
    Start,
    Step,
)

Records = Mapping[str, StepRecord]
"""Step records of one VM by step name."""

INCONCLUSIVE = "Inconclusive"
"""Code of a proof of health that found neither health nor illness."""
_NOT_OURS = ("RuleChangedSincePlanned", "PolicyChangedSincePlanned")
"""Codes of a write that was never sent, since what it changes was somebody else's by then."""
UNWELL = ("Unhealthy", "NotHealthyInTime")
"""Codes of a proof of health that failed. They alone call for a weaker setting; a model that is not shown
does not, and what the weaker setting brought later changes nothing of it."""
_BEFORE = "check.record-before"
_LEASE = "check.take-lease"
_LAST_LOOK = "before.prove-time"
_RESIZE = ".resize:"
_EARLY = (Phase.CHECKING, Phase.READYING)
"""Phases in which nothing was done to the VM yet but to mark it as ours."""


class Position(Struct, frozen=True, kw_only=True):
    """Where a campaign stands: its phase, and the step that is due, if any."""

    phase: Phase
    due: PlannedStep | None
    reason: str = ""
    """Why it left the straight path, in the words of the step that failed."""
    code: str = ""
    """The same as a stable word."""
    end: Phase | None = None
    """While it lets go of the VM: how it will have ended."""


class _Forward(Struct, frozen=True):
    """The outage and the weaker setting as the journal has them, and the size that the VM has after both."""

    work: tuple[PlannedStep, ...]
    weaker: tuple[PlannedStep, ...]
    size: str


class Campaign:
    """One VM's way through one stage of the life cycle."""

    def __init__(
        self,
        vm: PlannedVm,
        playbooks: Sequence[Playbook],
        *,
        stage: Stage = Stage.OUTAGE,
        execution: Execution | None = None,
        started_at: datetime | None = None,
    ) -> None:
        self.vm = vm
        self.stage = stage
        self.playbooks = tuple(playbook for playbook in playbooks if playbook.spec.id in vm.actions)
        self._started_at = started_at
        self._parts = Parts(vm, stage, execution or Execution())

    @property
    def needs_guest(self) -> bool:
        """Whether its outage begins with work inside the running guest."""
        steps = self.vm.outage.steps if self.vm.outage and self.stage is Stage.OUTAGE else ()
        return any(planned.name.startswith("guest.") for planned in steps)

    def position(self, records: Records) -> Position:
        """Return where the campaign stands, given what the journal remembers of it."""
        if not records:
            return Position(phase=Phase.WAITING, due=self.steps(Phase.CHECKING, records)[0])
        phase, reason, code = Phase.CHECKING, "", ""
        while True:
            if phase in FINAL and not (is_recalled(records) and (phase, Outcome.RECALLED) in NEXT):
                return self._end(phase, reason, code, records)
            due, failed = self._first_open(phase, records)
            if due is not None or (phase is Phase.UNDECIDED and not is_decided(records)):
                return Position(phase=phase, due=due, reason=reason, code=code)
            if failed is not None:
                reason, code = reason or failed.detail, code or failed.code
            phase = NEXT[phase, self._outcome(phase, failed, records)]

    def steps(self, phase: Phase, records: Records) -> tuple[PlannedStep, ...]:  # noqa: PLR0911
        """Return the steps of a phase in order."""
        parts = self._parts
        match phase:
            case Phase.CHECKING:
                return parts.checks(self._lease_end(records))
            case Phase.READYING:
                return parts.hooks_before()
            case Phase.PREPARING:
                return parts.preparation()
            case Phase.CONVERTING:
                return self._forward(records).work
            case Phase.VERIFYING:
                return (*parts.proof(running=self._boots(records)), *self._put_off("verify", records))
            case Phase.FALLING_BACK:
                return self._forward(records).weaker
            case Phase.CLOSING:
                return parts.closure()
            case Phase.UNDOING:
                return self._undo(records)
            case _:
                return ()

    def is_approved(self, size: str | None, records: Records) -> bool:
        """Tell whether the VM may have a size: one that was approved, and that it was given."""
        given = [name.rpartition(":")[2].lower() for name in records if _RESIZE in name]
        return (size or "").lower() in given

    def before(self, records: Records) -> Before | None:
        """Return the recorded state from before the first effect."""
        record = records.get(_BEFORE)
        return record.result.before if record and record.result else None

    def has_answered(self, records: Records) -> bool:
        """Tell whether the VM was proven healthy after a change: then no disk is put back any more.

        A proof on the way back does not count: what was put back before it stays part of the way back.
        """
        return any(
            name.endswith(".prove-health") and record.result is not None and record.result.ok
            for name, record in records.items()
            if not name.startswith("undo.")
        )

    def outdated_look(self, records: Records, now: datetime) -> str | None:
        """Return the name of the last look at the clock, if it was passed, and may not be now.

        Only as long as nothing was done to the VM: after a crash its window may have closed, and somebody
        may have started one that was found off.
        """
        known = {one.name: one for phase in _EARLY for one in self.steps(phase, records)}
        look, passed = known.get(_LAST_LOOK), records.get(_LAST_LOOK)
        if look is None or passed is None or passed.result is None or not records.keys() <= known.keys():
            return None
        late = isinstance(look.step, ProveTime) and now > look.step.until
        is_in_doubt = late or not self.was_running(records)
        return _LAST_LOOK if is_in_doubt and passed.result.ok else None

    def note(self, records: Records) -> str:
        """Return what has to be known of a VM that is done."""
        fell_back = any(name.startswith("fallback.") for name in records)
        weaker = ["with the weaker setting it fell back to: Secure Boot is off"] if fell_back else []
        off = (*self._put_off("verify", records), *self._put_off("fallback", records))
        last = (*self._parts.closure(), *off, *self._parts.release())
        answers = [records[planned.name].result for planned in last if planned.name in records]
        failed = [answer.detail for answer in answers if answer and not answer.ok]
        return "; ".join([*weaker, *proof_notes(records), *failed])

    def total_steps(self, records: Records) -> int:
        """Return how many steps the campaign has on the straight path, plus those of a way back under way."""
        straight = self._parts.straight(running=self._boots(records))
        undoing = len(self._undo(records)) if any(name.startswith("undo.") for name in records) else 0
        return straight + undoing

    def _end(self, phase: Phase, reason: str, code: str, records: Records) -> Position:
        """Return the end, or what is left to do before it: letting go of the VM."""
        refused = next((records[name].result for name in recall_refusals(records)), None)
        if refused is not None:
            return Position(
                phase=phase, due=None, reason=f"not taken back: {refused.detail}", code=refused.code
            )
        if phase is Phase.ROLLED_BACK:
            reason = "; ".join(filter(None, (reason, *proof_notes(records))))
        if _LEASE in records and phase is not Phase.WAITING:
            again = "-again" if RECALLED in records else ""
            throwaway = throwaway_disks(self.vm, records)
            reason += words_for_left(throwaway, records)
            for planned in (*throwaway, *self._parts.release(again)):
                record = records.get(planned.name)
                if record is None or record.result is None:
                    return Position(phase=Phase.RELEASING, due=planned, reason=reason, code=code, end=phase)
        return Position(phase=phase, due=None, reason=reason, code=code)

    def _first_open(self, phase: Phase, records: Records) -> tuple[PlannedStep | None, StepResult | None]:
        """Return the step of a phase that is due, if any, and the result of the first that failed."""
        is_back = phase is Phase.UNDOING
        # A VM on its way back is as provable as it was: one without an agent never was.
        excused = (INCONCLUSIVE,) if is_back else ()
        return first_open(self.steps(phase, records), records, is_way_back=is_back, excused=excused)

    def _outcome(self, phase: Phase, failed: StepResult | None, records: Records) -> Outcome:
        if phase in FINAL:
            return Outcome.RECALLED
        if phase is Phase.UNDECIDED:
            return Outcome.FAILED if REJECTED in records else Outcome.OK
        if failed is not None:
            return self._failure(phase, failed)
        if phase is Phase.CHECKING:
            return _CHECKED[self.stage]
        if phase is Phase.VERIFYING and self.vm.outage and not self._boots(records):
            return Outcome.OFF
        return Outcome.OK

    def _failure(self, phase: Phase, failed: StepResult) -> Outcome:
        if phase is Phase.CHECKING:
            return Outcome.REFUSED
        if phase is Phase.VERIFYING and failed.code == INCONCLUSIVE:
            return Outcome.UNCLEAR
        if phase is Phase.VERIFYING and self.vm.fallback and failed.code in UNWELL:
            return Outcome.RETRY_WEAKER
        return Outcome.FAILED

    def was_running(self, records: Records) -> bool:
        """Tell whether it ran when it was found, as far as is known."""
        before = self.before(records)
        return before is None or before.was_running

    def _boots(self, records: Records) -> bool:
        """Tell whether it is started after its change: it ran before, or is to prove its boot."""
        return self.was_running(records) or self.vm.choice.starts_if_off

    def _put_off(self, stage: str, records: Records) -> tuple[PlannedStep, ...]:
        """Return what ends the campaign of a VM that was started only to prove its boot."""
        if self.vm.outage is None or self.was_running(records) or not self._boots(records):
            return ()
        return plan_steps((PutBackOff(vm=self.vm.id),), stage=stage)

    def _sizes(self, records: Records) -> tuple[str, ...]:
        """Return the VM's own size and those that were approved; a VM that was off is never resized."""
        before = self.before(records)
        if before is None or before.size is None or not before.was_running:
            return ()
        return (before.size, *self.vm.choice.sizes)

    def _forward(self, records: Records) -> "_Forward":
        """Return the outage and the weaker setting, each with the other sizes that are tried in it."""
        sizes = self._sizes(records)
        conversion = self._parts.conversion(running=self._boots(records))
        work, size = with_other_sizes(conversion, records, sizes, sizes[0] if sizes else "")
        off = self._put_off("fallback", records) if self.vm.fallback else ()
        weaker, size = with_other_sizes((*self.vm.fallback, *off), records, sizes, size)
        return _Forward(work, weaker, size)

    def _undo(self, records: Records) -> tuple[PlannedStep, ...]:
        before = self.before(records)
        if before is None:
            raise AssertionError(f"{self.vm.name} is to be undone, but its state before was never recorded")
        begun = self._begun(records)
        back = [step for playbook in reversed(self.playbooks) for step in playbook.undo(before, begun)]
        if RECALLED in records or self.has_answered(records):
            back = [step for step in back if step.undo is not AFTER]
        if before.size is not None and any(isinstance(step, Resize) for step in begun):
            back.insert(0, Resize(vm=self.vm.id, size=before.size))
        undo = compose_undo(
            self.vm.id,
            back,
            was_running=before.was_running,
            was_off=any(isinstance(step, Deallocate | Start) for step in begun),
            was_started=any(isinstance(step, Start) for step in begun),
        )
        undo, _ = with_other_sizes(undo, records, self._sizes(records), self._forward(records).size)
        return (*before_recall(self.vm, before, records), *undo)

    def _lease_end(self, records: Records) -> datetime:
        """Return when the lease lapses: with the window and the way back, or half a day for online work."""
        if self.stage is Stage.OUTAGE or self._started_at is None:
            elsewhere = seconds_elsewhere(self.vm.choice.sizes)
            return self.vm.occurrence.closes + timedelta(seconds=self.vm.reserved_seconds + elsewhere)
        began = min((record.intended_at for record in records.values()), default=self._started_at)
        return began + _ONLINE_LEASE

    def _begun(self, records: Records) -> tuple[Step, ...]:
        """Return the changes that may have had an effect; preparation is kept on the way back."""
        phases = (Phase.CLOSING,) if self.stage is Stage.CLOSURE else (Phase.CONVERTING, Phase.FALLING_BACK)
        return tuple(
            planned.step
            for phase in phases
            for planned in self.steps(phase, records)
            if not isinstance(planned.step, Look) and may_have_written(planned, records)
        )


_CHECKED = {
    Stage.PREPARATION: Outcome.TO_PREPARE,
    Stage.OUTAGE: Outcome.OK,
    Stage.CLOSURE: Outcome.TO_CLOSE,
}
_ONLINE_LEASE = timedelta(hours=12)


def may_have_written(planned: PlannedStep, records: Records) -> bool:
    """Tell whether a step was begun, and not left unsent because its object was somebody else's by then."""
    record = records.get(planned.name)
    return record is not None and (record.result is None or record.result.code not in _NOT_OURS)


def is_begun(record: StepRecord | None) -> bool:
    """Tell whether Azure accepted a step and gave a token for it."""
    return record is not None and record.state is StepState.BEGUN and record.token is not None
