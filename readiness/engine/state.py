"""Where a run stands, derived from its journal: the same answer for the runner and for a second terminal."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from readiness.engine.advance import Campaign, Position
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL
from readiness.model.plan import Wave
from readiness.model.playbook import Playbook
from readiness.model.run import RunInfo, RunState, StepRecord, UnitState
from readiness.model.steps import words_for


def by_vm(records: Iterable[StepRecord]) -> dict[ResourceId, dict[str, StepRecord]]:
    """Return step records by VM and step name."""
    found: dict[ResourceId, dict[str, StepRecord]] = defaultdict(dict)
    for record in records:
        found[record.vm][record.name] = record
    return found


def run_state(
    info: RunInfo,
    wave: Wave,
    playbooks: Sequence[Playbook],
    records: Iterable[StepRecord],
    *,
    now: datetime,
    held: str | None = None,
) -> RunState:
    """Fold a journal into the state of its run."""
    known = by_vm(records)
    units = tuple(
        _unit(Campaign(vm, playbooks), batch.number, known.get(vm.id, {}), now)
        for batch in wave.batches
        for vm in batch.vms
    )
    return RunState(info=info, wave_name=wave.name, units=units, held=held)


def _unit(campaign: Campaign, batch: int, records: dict[str, StepRecord], now: datetime) -> UnitState:
    position = campaign.position(records)
    return UnitState(
        vm=campaign.vm.id,
        name=campaign.vm.name,
        batch=batch,
        phase=position.phase,
        reason=position.reason,
        step=position.due.name if position.due else None,
        doing=words_for(position.due.step) if position.due else "",
        done=sum(1 for record in records.values() if record.result is not None),
        total=campaign.total_steps(records),
        downtime_seconds=_downtime(records, position, now),
    )


def _downtime(records: dict[str, StepRecord], position: Position, now: datetime) -> int | None:
    """Return the seconds from the first deallocate to the last proof of health, or to now."""
    down = records.get("outage.deallocate")
    if down is None:
        return None
    ends = [
        record.ended_at
        for name, record in records.items()
        if name.endswith("prove-health") and record.ended_at and record.result and record.result.ok
    ]
    if ends:
        return int((max(ends) - down.intended_at).total_seconds())
    return None if position.phase in FINAL else int((now - down.intended_at).total_seconds())
