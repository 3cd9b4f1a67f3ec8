"""The result of a run as one document: what became of each VM, what was left behind, what to do now.

`counts` is a partition: its numbers add up to the number of VMs, whenever it is asked for.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from readiness.app.next_steps import Words, next_steps
from readiness.engine.state import by_vm
from readiness.engine.work import SNAPSHOT_LIFE
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import DIGEST_LENGTH, Plan, PlannedVm
from readiness.model.run import RunInfo, RunState, StepEnd, StepRecord, StepState, UnitState
from readiness.model.steps import TakeSnapshot, snapshot_id

FORMAT = "readiness/run-result/1"

Outcome = Literal["done", "rolled_back", "failed", "stranded", "blocked", "skipped", "remaining"]
OUTCOMES: dict[Phase, Outcome] = {
    Phase.DONE: "done",
    Phase.DONE_UNPROVEN_BOOT: "done",
    Phase.ROLLED_BACK: "rolled_back",
    Phase.UNDECIDED: "failed",
    Phase.STRANDED: "stranded",
    Phase.BLOCKED: "blocked",
    Phase.DECLINED: "skipped",
}
"""How an end counts. *Failed* is changed and waits for a person's decision; what is not here *remains*."""


class Counts(Struct, frozen=True, kw_only=True):
    """How many VMs came to which outcome."""

    done: int = 0
    rolled_back: int = 0
    failed: int = 0
    stranded: int = 0
    blocked: int = 0
    skipped: int = 0
    remaining: int = 0


class VmEnd(Struct, frozen=True, kw_only=True):
    """What became of one VM."""

    id: str
    name: str
    outcome: Outcome
    phase: Phase
    reason: str
    outage_seconds: int | None
    steps: tuple[StepEnd, ...]


class SnapshotLeft(Struct, frozen=True, kw_only=True):
    """A snapshot that the run took and that is kept."""

    id: str
    vm: str
    disk: str
    expires: date
    """The day after which it may be deleted."""


class RunResult(Struct, frozen=True, kw_only=True):
    """Everything that is known of a run."""

    format: str = FORMAT
    run: str
    plan: str
    """Full digest of the plan."""
    wave: int
    stage: Stage
    place: str
    approved_by: str
    durations: Literal["measured", "assumed"]
    """Whether times were measured on Azure, or are those of a twin."""
    held: str | None
    """Why nothing more was started."""
    counts: Counts
    vms: tuple[VmEnd, ...]
    snapshots: tuple[SnapshotLeft, ...]
    next: tuple[str, ...]
    """What to do now, as commands."""
    audit_head: str
    """Digest of the last event of the run's story; empty in a rehearsal, which keeps none."""


def run_result(
    plan: Plan,
    state: RunState,
    records: Sequence[StepRecord],
    *,
    rounds: Sequence[tuple[int, StepRecord]] = (),
    head: str = "",
    words: Words | None = None,
) -> RunResult:
    """Return the result of a run; it can be made at any time, from any process.

    Args:
        plan: The plan.
        state: Where the run stands.
        records: The step records behind it.
        rounds: Those of earlier rounds too, by number: what they took is kept as well.
        head: Of the audit chain.
        words: Of the commands that are advised; without them nothing is advised.
    """
    known = by_vm(records)
    outcomes: list[str] = [outcome_of(unit) for unit in state.units]
    return RunResult(
        run=state.info.id,
        plan=plan.digest,
        wave=state.info.wave,
        stage=state.info.stage,
        place=state.info.place,
        approved_by=state.info.approved_by,
        durations="measured" if state.info.is_live else "assumed",
        held=state.held,
        counts=Counts(**{name: outcomes.count(name) for name in Counts.__struct_fields__}),
        vms=tuple(_vm(unit, known.get(unit.vm, {})) for unit in state.units),
        snapshots=tuple(_snapshots(plan, state, rounds or [(1, record) for record in records])),
        next=tuple(advice.command for advice in next_steps(state, words)) if words else (),
        audit_head=head,
    )


def outcome_of(unit: UnitState) -> Outcome:
    """Return how a VM counts."""
    return OUTCOMES.get(unit.phase, "remaining")


def _vm(unit: UnitState, records: dict[str, StepRecord]) -> VmEnd:
    return VmEnd(
        id=unit.vm.text,
        name=unit.name,
        outcome=outcome_of(unit),
        phase=unit.phase,
        reason=unit.reason or unit.note,
        outage_seconds=unit.downtime_seconds,
        steps=tuple(StepEnd.of(record) for record in records.values()),
    )


def _snapshots(
    plan: Plan, state: RunState, rounds: Sequence[tuple[int, StepRecord]]
) -> Iterator[SnapshotLeft]:
    known: dict[tuple[ResourceId, int], dict[str, StepRecord]] = defaultdict(dict)
    for number, record in rounds:
        known[record.vm, number][record.name] = record
    planned = {vm.id: vm for vm in plan.vms}
    numbers = sorted({number for number, _ in rounds})
    for unit in state.units:
        for number in numbers if unit.vm in planned else ():
            taken = snapshots_of(planned[unit.vm], state.info, known.get((unit.vm, number), {}))
            yield from (snapshot for snapshot, _ in taken)


def snapshots_of(
    vm: PlannedVm, info: RunInfo, records: Mapping[str, StepRecord]
) -> Iterator[tuple[SnapshotLeft, StepRecord]]:
    """Yield the snapshots that one round of a VM took, each with the step that took it."""
    if not records or vm.outage is None:
        return
    expires = (info.started_at + SNAPSHOT_LIFE).date()
    started = min(record.intended_at for record in records.values()).isoformat()
    for step in vm.outage.steps:
        record = records.get(step.name)
        if isinstance(step.step, TakeSnapshot) and record and record.state is StepState.DONE:
            taken = snapshot_id(step.step, info.plan[:DIGEST_LENGTH], started)
            disk = step.step.disk.text
            yield SnapshotLeft(id=taken.text, vm=vm.id.text, disk=disk, expires=expires), record
