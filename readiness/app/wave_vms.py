"""What became of each VM of a wave, from the journals of its stages. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.run_result import snapshots_of
from readiness.app.wave_sources import Source, Told
from readiness.engine.state import campaign_of, outages
from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, SUCCEEDED, Phase, Stage
from readiness.model.plan import PlannedVm
from readiness.model.run import StepRecord, UnitState
from readiness.model.steps import words_for
from readiness.model.wave_report import NEEDS_A_PERSON, End, Passage, SnapshotTold, Span, StepTold, VmTold

_ENDS = {
    Phase.DONE: End.DONE,
    Phase.DONE_UNPROVEN_BOOT: End.DONE,
    Phase.ROLLED_BACK: End.ROLLED_BACK,
    Phase.UNDECIDED: End.UNDECIDED,
    Phase.STRANDED: End.STRANDED,
    Phase.BLOCKED: End.BLOCKED,
    Phase.DECLINED: End.DECLINED,
}
"""What is not here remains to be done."""
_UNPROVEN_BOOT = "changed, and left off as it was found: its next boot proves it"
_UNDO, _PROOF = ("undo.", "recall."), "prove-health"

Round = dict[str, StepRecord]
"""The records of one try of a VM, by the name of the step, in the order of intent."""


def end_of(unit: UnitState) -> End:
    """Return how a VM stands in a run."""
    return _ENDS.get(unit.phase, End.REMAINING)


def signature(decision: Decision | None) -> str:
    """Return who signed for a VM, when, and with which ticket; empty where nobody approved it."""
    if decision is None or decision.answer is not Answer.APPROVE:
        return ""
    day = decision.decided_on.isoformat() if decision.decided_on else ""
    return ", ".join(part for part in (decision.approver, day, decision.ticket) if part)


class WaveVms:
    """The VMs of a wave, with what each of its runs tells of them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rounds = {stage: _rounds(told) for stage, told in source.runs.items()}
        self._units = {
            stage: {unit.vm: unit for unit in told.state.units} for stage, told in source.runs.items()
        }
        self._signed = {decision.vm: signature(decision) for decision in source.plan.decisions}
        self._exceptions: dict[ResourceId, list[str]] = defaultdict(list)
        for entry in source.plan.exceptions:
            words = f"{entry.id}: {entry.covers} until {entry.expires}, approved by {entry.approved_by}"
            for vm in entry.vms:
                self._exceptions[vm].append(words)

    def told(self) -> tuple[VmTold, ...]:
        """Return every VM, in batch order."""
        return tuple(self._vm(vm) for vm in self._source.wave.vms)

    def snapshots(self) -> Iterator[SnapshotTold]:
        """Yield every snapshot that was taken, those of earlier rounds too."""
        run = self._source.runs.get(Stage.OUTAGE)
        for vm in self._source.wave.vms if run else ():
            for number, records in self._rounds[Stage.OUTAGE].get(vm.id, {}).items():
                for taken, record in snapshots_of(vm, run.story.info, records) if run else ():
                    yield SnapshotTold(
                        id=taken.id,
                        vm=vm.name,
                        name=ResourceId(taken.id).name,
                        disk=ResourceId(taken.disk).name,
                        round=number,
                        taken_at=record.ended_at or record.intended_at,
                        expires=taken.expires,
                    )

    def _vm(self, vm: PlannedVm) -> VmTold:
        units = {stage: known[vm.id] for stage, known in self._units.items() if vm.id in known}
        passages = tuple(self._passage(vm, stage, unit) for stage, unit in units.items())
        away = [span for passage in passages for span in passage.away]
        end, reason = _stands(vm, {passage.stage: passage for passage in passages})
        outage = units.get(Stage.OUTAGE)
        soak = timedelta(minutes=self._source.plan.policy.execution.soak_minutes)
        is_soaking = bool(vm.closure) and outage is not None and outage.phase in SUCCEEDED
        return VmTold(
            id=vm.id.text,
            name=vm.name,
            application=vm.application,
            owner=vm.owner,
            environment=vm.environment,
            batch=vm.batch,
            actions=vm.actions,
            undo=vm.undo,
            end=end,
            reason=reason,
            opens=vm.occurrence.opens,
            closes=vm.occurrence.closes,
            planned_seconds=vm.outage.downtime_seconds if vm.outage else None,
            reserved_seconds=vm.outage.reserved_seconds if vm.outage else None,
            outage_seconds=int(sum((span.end - span.start).total_seconds() for span in away))
            if away
            else None,
            closure_from=outage.ended_at + soak if is_soaking and outage and outage.ended_at else None,
            passages=passages,
            consents=vm.consent,
            exceptions=tuple(self._exceptions.get(vm.id, ())),
            signed=self._signed.get(vm.id, ""),
        )

    def _passage(self, vm: PlannedVm, stage: Stage, unit: UnitState) -> Passage:
        rounds = self._rounds[stage].get(vm.id, {})
        reason = unit.reason or unit.note
        if unit.phase is Phase.DONE_UNPROVEN_BOOT:
            reason = reason or _UNPROVEN_BOOT
        return Passage(
            stage=stage,
            end=end_of(unit),
            phase=unit.phase.value,
            reason=reason,
            rounds=tuple(self._steps(vm, stage, records) for records in rounds.values()),
            away=tuple(span for number in rounds for span in self._away(stage, unit, rounds, number)),
        )

    def _steps(self, vm: PlannedVm, stage: Stage, records: Round) -> tuple[StepTold, ...]:
        told = self._source.runs[stage]
        campaign = campaign_of(vm, ALL_PLAYBOOKS, told.story.info, self._source.plan.policy.execution)
        is_undone = campaign.before(records) is not None and any(name.startswith(_UNDO) for name in records)
        words = {
            planned.name: words_for(planned.step)
            for phase in Phase
            if phase is not Phase.UNDOING or is_undone
            for planned in campaign.steps(phase, records)
        }
        return tuple(
            StepTold.of(record, words=words.get(name) or name.partition(".")[2].replace("-", " "))
            for name, record in records.items()
        )

    def _away(self, stage: Stage, unit: UnitState, rounds: dict[int, Round], number: int) -> Iterator[Span]:
        """Yield when a VM was away in one round; never where it was found off."""
        records = rounds[number]
        before = next(
            (one.result.before for one in records.values() if one.result and one.result.before), None
        )
        if before is not None and not before.was_running:
            return
        ended, since = outages(records)
        yield from (Span(start=start, end=end) for start, end in ended)
        if since is None:
            return
        proofs = [one.ended_at for name, one in records.items() if name.endswith(_PROOF) and one.ended_at]
        if number != max(rounds):
            last = max(one.ended_at or one.intended_at for one in records.values())
            yield Span(start=since, end=last, is_open=True)
        elif unit.phase in FINAL and unit.phase is not Phase.STRANDED and proofs:
            # As provable as it was before: a VM without an agent never proves its health.
            yield Span(start=since, end=max(proofs))
        else:
            yield Span(start=since, end=self._source.runs[stage].at, is_open=True)


def _stands(vm: PlannedVm, passages: Mapping[Stage, Passage]) -> tuple[End, str]:
    """Return how a VM stands in the wave as a whole, and why."""
    outage, closure = passages.get(Stage.OUTAGE), passages.get(Stage.CLOSURE)
    if outage is None:
        prepared = passages.get(Stage.PREPARATION)
        if prepared is not None and prepared.end in NEEDS_A_PERSON:
            return prepared.end, prepared.reason
        return End.REMAINING, ""
    if outage.end is not End.DONE or not vm.closure:
        return outage.end, outage.reason
    if closure is None or closure.end is End.REMAINING:
        return End.CLOSURE_DUE, outage.reason
    return closure.end, closure.reason or outage.reason


def _rounds(told: Told) -> dict[ResourceId, dict[int, Round]]:
    found: dict[ResourceId, dict[int, Round]] = defaultdict(lambda: defaultdict(dict))
    for number, record in told.story.rounds:
        found[record.vm][number][record.name] = record
    return found
