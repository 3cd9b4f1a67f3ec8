"""Where a VM's campaign stands and what comes next, derived from the journal alone. Pure.

Invariants:
* The life cycle is `model.lifecycle.NEXT`; this module only feeds it outcomes.
* A step that ended is never due again; a step without an end is due, whether or not it was begun.
* The way back is computed from the recorded before-state and the changes that were begun.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from readiness.model.lifecycle import FINAL, NEXT, Outcome, Phase
from readiness.model.observation import Before
from readiness.model.outage import compose_undo, plan_steps
from readiness.model.plan import PlannedVm
from readiness.model.playbook import Playbook
from readiness.model.run import StepRecord, StepResult, StepState
from readiness.model.steps import (
    AssignIdentity,
    Change,
    Deallocate,
    PatchVm,
    PlannedStep,
    ProveHealth,
    ProveModel,
    Recheck,
    RecordBefore,
    RemoveIdentity,
    SetDiskEncryption,
    Start,
    TakeSnapshot,
)

Records = Mapping[str, StepRecord]
"""Step records of one VM by step name."""

_CHANGES = (AssignIdentity, RemoveIdentity, Deallocate, Start, TakeSnapshot, PatchVm, SetDiskEncryption)


class Position(Struct, frozen=True, kw_only=True):
    """Where a campaign stands: its phase, and the step that is due, if any."""

    phase: Phase
    due: PlannedStep | None
    reason: str = ""
    """Why it left the straight path, in the words of the step that failed."""


class Campaign:
    """One VM's way through the life cycle."""

    def __init__(self, vm: PlannedVm, playbooks: Sequence[Playbook]) -> None:
        self.vm = vm
        self.playbooks = tuple(playbook for playbook in playbooks if playbook.spec.id in vm.actions)

    def position(self, records: Records) -> Position:
        """Return where the campaign stands, given what the journal remembers of it."""
        if not records:
            return Position(phase=Phase.WAITING, due=self.steps(Phase.CHECKING, records)[0])
        phase, reason = Phase.CHECKING, ""
        while phase not in FINAL:
            due, failed = self._first_open(phase, records)
            if due is not None:
                return Position(phase=phase, due=due, reason=reason)
            if failed is not None:
                reason = reason or failed.detail
            phase = NEXT[phase, self._outcome(phase, failed, records)]
        return Position(phase=phase, due=None, reason=reason)

    def steps(self, phase: Phase, records: Records) -> tuple[PlannedStep, ...]:
        """Return the steps of a phase in order."""
        vm = self.vm
        match phase:
            case Phase.CHECKING:
                looks = (Recheck(vm=vm.id, fingerprint=vm.fingerprint), RecordBefore(vm=vm.id))
                return plan_steps(looks, stage="check")
            case Phase.PREPARING:
                return vm.preparation
            case Phase.CONVERTING:
                steps = self._offline()
                running = self._was_running(records)
                return steps if running else tuple(s for s in steps if not isinstance(s.step, Start))
            case Phase.VERIFYING:
                proof = self._health_proof() if self._was_running(records) else ()
                return (*proof, *plan_steps((ProveModel(vm=vm.id),), stage="verify"))
            case Phase.UNDOING:
                return self._undo(records)
            case _:
                return ()

    def before(self, records: Records) -> Before | None:
        """Return the recorded state from before the first effect."""
        record = records.get(_BEFORE)
        return record.result.before if record and record.result else None

    def total_steps(self, records: Records) -> int:
        """Return how many steps the campaign has on the straight path, plus those of an undo under way."""
        straight = (Phase.CHECKING, Phase.PREPARING, Phase.CONVERTING, Phase.VERIFYING)
        undoing = len(self.steps(Phase.UNDOING, records)) if _has_undo(records) else 0
        return sum(len(self.steps(phase, records)) for phase in straight) + undoing

    def _first_open(self, phase: Phase, records: Records) -> tuple[PlannedStep | None, StepResult | None]:
        """Return the step of a phase that is due, if any, and the result of the first that failed."""
        failed: StepResult | None = None
        for planned in self.steps(phase, records):
            record = records.get(planned.name)
            if record is None or record.result is None:
                return planned, failed
            if not record.result.ok:
                failed = failed or record.result
                if phase is not Phase.UNDOING:
                    break
        return None, failed

    def _outcome(self, phase: Phase, failed: StepResult | None, records: Records) -> Outcome:
        if failed is not None:
            return Outcome.REFUSED if phase is Phase.CHECKING else Outcome.FAILED
        if phase is Phase.VERIFYING and self.vm.outage and not self._was_running(records):
            return Outcome.OFF
        return Outcome.OK

    def _offline(self) -> tuple[PlannedStep, ...]:
        steps = self.vm.outage.steps if self.vm.outage else ()
        return tuple(planned for planned in steps if not isinstance(planned.step, ProveHealth))

    def _health_proof(self) -> tuple[PlannedStep, ...]:
        steps = self.vm.outage.steps if self.vm.outage else ()
        return tuple(planned for planned in steps if isinstance(planned.step, ProveHealth))

    def _was_running(self, records: Records) -> bool:
        before = self.before(records)
        return before is None or before.was_running

    def _undo(self, records: Records) -> tuple[PlannedStep, ...]:
        before = self.before(records)
        if before is None:
            raise AssertionError(f"{self.vm.name} is to be undone, but its state before was never recorded")
        begun = self._begun_offline(records)
        back = [step for playbook in reversed(self.playbooks) for step in playbook.undo(before, begun)]
        return compose_undo(self.vm.id, back, was_running=before.was_running)

    def _begun_offline(self, records: Records) -> tuple[Change, ...]:
        """Return the outage's changes that may have had an effect; preparation is kept on the way back."""
        return tuple(
            planned.step
            for planned in self._offline()
            if planned.name in records and isinstance(planned.step, _CHANGES)
        )


_BEFORE = "check.record-before"


def _has_undo(records: Records) -> bool:
    return any(name.startswith("undo.") for name in records)


def is_begun(record: StepRecord | None) -> bool:
    """Tell whether Azure accepted a step and gave a token for it."""
    return record is not None and record.state is StepState.BEGUN and record.token is not None
