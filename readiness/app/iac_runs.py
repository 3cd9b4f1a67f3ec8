"""What a wave's VMs really got, by the journals of its three stages: the source of hints after a run.

A step counts once its journal says that it is done. What preparation gave stays, whatever came of the outage;
what an outage or a closure did counts only where the VM came to a good end: all else was taken back, or waits
for a person.
"""

from collections.abc import Iterator
from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import wave_of, work_of
from readiness.app.run_status import RunView, status
from readiness.engine.state import by_vm, campaign_of
from readiness.model.iac import NotDone, VmCode, code_after
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.plan import Plan, PlannedVm
from readiness.model.run import StepRecord, StepState, UnitState
from readiness.model.steps import PlannedStep
from readiness.store.runs import known_runs, run_id

Done = tuple[Plan, tuple[VmCode, ...], tuple[NotDone, ...]]


def code_after_run(state: Path, run: str) -> Done:
    """Return the plan of a run, the hints for what the VMs of its wave got, and what was not done.

    Args:
        state: The folder that remembers runs.
        run: A run of any stage; those of the others are looked for beside it.

    Raises:
        JournalError: There is no such run, or one of the wave's journals cannot be read.
    """
    view = status(state, run)
    info, plan = view.state.info, view.plan
    if info.action:
        views = {info.stage: view}
        vms = work_of(plan, info.wave, info.stage, info.action).vms
    else:
        known = known_runs(state)
        runs = {stage: run_id(plan, info.wave, stage) for stage in Stage}
        views = {stage: status(state, found) for stage, found in runs.items() if found in known}
        vms = wave_of(plan, info.wave).vms
    stages = [_Told(stage, views.get(stage)) for stage in Stage]
    found = (code_after(vm, [step for told in stages for step in told.done(vm)]) for vm in vms)
    codes = tuple(code for code in found if code.settings or code.unknown)
    return plan, codes, tuple(one for vm in vms for told in stages for one in told.not_done(vm))


class _Told:
    """What the journal of one stage tells of VMs; `view` is None where there was no such run."""

    def __init__(self, stage: Stage, view: RunView | None) -> None:
        self._stage = stage
        self._view = view
        self._records = by_vm(view.records) if view else {}
        self._units: dict[str, UnitState] = {unit.vm.key: unit for unit in view.state.units} if view else {}

    def done(self, vm: PlannedVm) -> Iterator[PlannedStep]:
        """Yield the steps that were done and count, in the order in which they are done."""
        unit = self._units.get(vm.id.key)
        if self._view is None or unit is None:
            return
        if self._stage is not Stage.PREPARATION and unit.phase not in SUCCEEDED:
            return
        records = self._records.get(vm.id, {})
        execution = self._view.plan.policy.execution
        campaign = campaign_of(vm, ALL_PLAYBOOKS, self._view.state.info, execution)
        for phase in _PHASES[self._stage]:
            yield from (step for step in campaign.steps(phase, records) if _is_done(records.get(step.name)))

    def not_done(self, vm: PlannedVm) -> Iterator[NotDone]:
        """Yield this stage of a VM, where it was to do something and did not, or not yet."""
        unit = self._units.get(vm.id.key)
        if not _has_work(vm, self._stage) or (unit is not None and unit.phase in SUCCEEDED):
            return
        if unit is None:
            # A closure comes days later, and others may have prepared the VM: only the outage is missed.
            if self._stage is Stage.OUTAGE or self._view is not None:
                yield _not_done(vm, self._stage, "", "it is not on record here")
            return
        records = self._records.get(vm.id, {})
        swapped = any(".swap-os-disk" in name and _is_done(record) for name, record in records.items())
        reason = f"{unit.reason.rstrip('.') or 'not done yet'}{_SWAPPED if swapped else ''}"
        yield _not_done(vm, self._stage, unit.phase, f"{reason}{_MEANS.get(unit.phase, '')}")


_PHASES = {
    Stage.PREPARATION: (Phase.PREPARING,),
    Stage.OUTAGE: (Phase.CONVERTING, Phase.FALLING_BACK),
    Stage.CLOSURE: (Phase.CLOSING,),
}
"""Phases of a stage that change a VM for good; a weaker setting counts after the one that it replaces."""
_MEANS = {
    Phase.ROLLED_BACK: "; of it code has nothing to follow",
    Phase.STRANDED: "; look at it before its code is changed or applied",
    Phase.UNDECIDED: "; decide on it before its code is changed or applied",
}
_SWAPPED = (
    "; its OS disk is another one now, made from the snapshot: where code writes os_disk.name or "
    "os_managed_disk_id, the old value forces a new VM"
)


def _has_work(vm: PlannedVm, stage: Stage) -> bool:
    work = {Stage.PREPARATION: vm.preparation, Stage.OUTAGE: vm.outage, Stage.CLOSURE: vm.closure}
    return bool(work[stage])


def _is_done(record: StepRecord | None) -> bool:
    return record is not None and record.state is StepState.DONE


def _not_done(vm: PlannedVm, stage: Stage, phase: str, reason: str) -> NotDone:
    return NotDone(id=vm.id, name=vm.name, stage=stage, phase=phase, reason=reason)
