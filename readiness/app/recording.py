"""Use case: runs become history. What is recorded of a run is read from its journal, whoever asks.

A process that carries a stage out records its run at its end; a report takes in before it reads whatever the
history does not know yet, such as a run whose process was killed. Both give the same record.
"""

from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import work_of
from readiness.app.history import record_run
from readiness.app.run_result import VmEnd
from readiness.app.run_status import RunView, status
from readiness.app.shared_actions import action_of
from readiness.errors import HistoryError, ReadinessError
from readiness.model.history import RunRecord, VmRun
from readiness.model.lifecycle import SUCCEEDED, Stage
from readiness.model.plan import PlannedVm
from readiness.model.playbook import OutageNeed, Playbook, nothing
from readiness.model.run import RunInfo
from readiness.store.history import History
from readiness.store.history_tables import FILE
from readiness.store.journal import is_running, read_head
from readiness.store.runs import folder_of, known_runs


def record_of(view: RunView) -> RunRecord:
    """Return what is remembered of a run, as it stands."""
    result, state, info = view.result(), view.state, view.state.info
    work = {vm.id.text: vm for vm in work_of(view.plan, info.wave, info.stage, info.action).vms}
    hanging = action_of(view.plan, info.action).vms if info.action else ()
    return RunRecord(
        id=info.id,
        estate=view.plan.target.estate,
        plan=info.plan,
        wave=info.wave,
        wave_name=state.wave_name,
        stage=info.stage,
        place=info.place,
        is_rehearsal=not info.is_live,
        approved_by=info.approved_by,
        started_at=info.started_at,
        ended_at=None if state.is_unfinished or not view.events else view.events[-1].at,
        vms=tuple(_vm(end, work[end.id], info) for end in result.vms),
        hanging=hanging,
        held=state.held or "",
        snapshots=len(result.snapshots),
        audit_head=view.head,
    )


def record_end(state: Path, run: str) -> ReadinessError | None:
    """Record a run that a process has just let go of; return what went wrong, and never raise it.

    The run itself is over and has its own exit code: whatever becomes of the history changes nothing of it.
    """
    try:
        record_run(state, record_of(status(state, run)))
    except ReadinessError as error:
        return _not_recorded(run, error)
    except OSError as error:
        return _not_recorded(run, HistoryError(str(error)))
    return None


def take_in(state: Path) -> tuple[ReadinessError, ...]:
    """Record every run of which the history does not know the last word; return what went wrong.

    A run that a process carries out at this moment is left to it.

    Raises:
        HistoryError: The history is there, and cannot be read.
    """
    runs = known_runs(state)
    known = _known_heads(state) if runs else {}
    trouble: list[ReadinessError] = []
    for run in sorted(runs):
        folder = folder_of(state, run)
        try:
            if is_running(folder) or read_head(folder) == known.get(run):
                continue
            found = record_of(status(state, run))
        except ReadinessError as error:
            trouble.append(_not_recorded(run, error))
            continue
        try:
            record_run(state, found)
        except ReadinessError as error:
            # The next one would meet the same.
            return (*trouble, _not_recorded(run, error))
    return tuple(trouble)


def _known_heads(state: Path) -> dict[str, str]:
    if not (state / FILE).exists():
        return {}
    with History.opened(state) as history:
        return {run.id: run.audit_head for run in history.runs()}


def _not_recorded(run: str, error: ReadinessError) -> ReadinessError:
    return HistoryError(
        f"{run} is not recorded in the history: {error.brief}",
        details=error.details,
        remedy=f"{_sentence(error.remedy)}The run lost nothing; the next 'readiness report' records it.",
    )


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}. " if text else ""


def _vm(end: VmEnd, vm: PlannedVm, info: RunInfo) -> VmRun:
    succeeded = end.phase in SUCCEEDED
    playbooks = [
        one for one in ALL_PLAYBOOKS if one.spec.id in vm.actions and _ends_in(one, vm) is info.stage
    ]
    return VmRun(
        vm=vm.id,
        name=end.name,
        outcome=end.outcome,
        succeeded=succeeded,
        reason=end.reason,
        actions=tuple(one.spec.id for one in playbooks) if succeeded else (),
        downtime_seconds=end.outage_seconds,
        decides=not info.action and _decisive(vm) is info.stage,
    )


def _ends_in(playbook: Playbook, vm: PlannedVm) -> Stage:
    """Return the stage in which a playbook has brought a VM what it is for."""
    if playbook.spec.outage is OutageNeed.DEALLOCATE and vm.outage:
        return Stage.OUTAGE
    return Stage.CLOSURE if playbook.close is not nothing and vm.closure else Stage.PREPARATION


def _decisive(vm: PlannedVm) -> Stage:
    """Return the stage that upgrades a VM: its outage or, where there is none, its last online work."""
    if vm.outage:
        return Stage.OUTAGE
    return Stage.CLOSURE if vm.closure else Stage.PREPARATION
