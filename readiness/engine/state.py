"""Where a run stands, derived from its journal: the same answer for the runner and for a second terminal."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from readiness.engine.advance import INCONCLUSIVE, Campaign
from readiness.engine.decisions import APPROVED
from readiness.engine.elsewhere import taken_size
from readiness.engine.group import GroupCampaign
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, SUCCEEDED, Phase
from readiness.model.plan import PlannedVm, Wave
from readiness.model.playbook import Playbook
from readiness.model.run import RunInfo, RunState, StepRecord, StepResult, UnitState
from readiness.model.steps import words_for

_DOWN, _PROOF = ".deallocate", "prove-health"
_RUNS = SUCCEEDED | {Phase.ROLLED_BACK}
"""Ends with a VM that serves."""


def by_vm(records: Iterable[StepRecord]) -> dict[ResourceId, dict[str, StepRecord]]:
    """Return step records by VM and step name."""
    found: dict[ResourceId, dict[str, StepRecord]] = defaultdict(dict)
    for record in records:
        found[record.vm][record.name] = record
    return found


def run_state(  # noqa: PLR0913  what a state is folded from
    info: RunInfo,
    wave: Wave,
    playbooks: Sequence[Playbook],
    records: Iterable[StepRecord],
    *,
    now: datetime,
    held: str | None = None,
    execution: Execution | None = None,
) -> RunState:
    """Fold a journal into the state of its run."""
    known, limits = by_vm(records), execution or Execution()
    units = tuple(
        _unit(
            campaign_of(vm, playbooks, info, limits),
            batch.number,
            known.get(vm.id, {}),
            now,
        )
        for batch in wave.batches
        for vm in batch.vms
    )
    return RunState(info=info, wave_name=wave.name, units=units, held=held)


def campaign_of(
    vm: PlannedVm, playbooks: Sequence[Playbook], info: RunInfo, execution: Execution
) -> Campaign:
    """Return a VM's campaign in a run, or that of a shared group."""
    kind = GroupCampaign if vm.is_shared else Campaign
    return kind(vm, playbooks, stage=info.stage, execution=execution, started_at=info.started_at)


def _unit(campaign: Campaign, batch: int, records: dict[str, StepRecord], now: datetime) -> UnitState:
    position = campaign.position(records)
    record = records.get(position.due.name) if position.due else None
    done = sum(1 for record in records.values() if record.result is not None)
    ended_at = max((record.ended_at for record in records.values() if record.ended_at), default=None)
    away, down_since = _outages(records)
    before = campaign.before(records)
    is_still_away = position.phase is Phase.STRANDED and before is not None and before.was_running
    if position.phase in FINAL and not is_still_away:
        down_since = None
    if down_since is not None:
        away = (away or timedelta()) + (now - down_since)
    taken = taken_size(campaign.vm, before, records) if position.phase in _RUNS else ""
    note = campaign.note(records) if position.phase in SUCCEEDED else ""
    if taken and taken not in f"{note} {position.reason}":
        note = "; ".join(filter(None, (note, f"still runs as {taken}; its own size is {campaign.vm.size}")))
    return UnitState(
        vm=campaign.vm.id,
        name=campaign.vm.name,
        batch=batch,
        phase=position.phase,
        reason=position.reason,
        step=position.due.name if position.due else None,
        doing=words_for(position.due.step) if position.due else "",
        done=done,
        # Ways back and weaker settings come on top of the straight way.
        total=max(campaign.total_steps(records), done + (1 if position.due else 0)),
        downtime_seconds=int(away.total_seconds()) if away is not None else None,
        application=campaign.vm.application,
        note=note,
        ended_at=ended_at,
        since=(record.intended_at if record else ended_at) if position.due else None,
        down_since=down_since,
        runs_as=taken,
        own_size=campaign.vm.size,
    )


def _outages(records: dict[str, StepRecord]) -> tuple[timedelta | None, datetime | None]:
    """Return how long a VM was away in all, and when it was taken down without being proven healthy since.

    A VM is away from the intent to deallocate it until its health is proven; a way back, or a rollback days
    later, may take it down again.
    """
    away, since = outages(records)
    return sum((end - start for start, end in away), timedelta()) if away else None, since


def outages(records: Mapping[str, StepRecord]) -> tuple[list[tuple[datetime, datetime]], datetime | None]:
    """Return from when to when a VM was away, and when it was taken down and not proven healthy since."""
    downs = [(record.intended_at, True) for name, record in records.items() if name.endswith(_DOWN)]
    proofs = [
        (record.ended_at, False)
        for name, record in records.items()
        if name.endswith(_PROOF) and record.ended_at and _is_proof(record.result, records)
    ]
    away: list[tuple[datetime, datetime]] = []
    since = None
    for instant, is_down in sorted([*downs, *proofs]):
        if is_down:
            since = since or instant
        elif since is not None:
            away.append((since, instant))
            since = None
    return away, since


def _is_proof(result: StepResult | None, records: Mapping[str, StepRecord]) -> bool:
    """Tell whether a proof of health proved it, or left it open and a person took the VM as healthy."""
    return result is not None and (result.ok or (result.code == INCONCLUSIVE and APPROVED in records))
