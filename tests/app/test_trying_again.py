"""What is tried again: the VMs that ended as was asked for, by the journal and the limits of the plan."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from readiness.app.carrying import RunRequest, prepare_run
from readiness.app.run_status import status
from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Plan, digest_of
from readiness.model.run import RunInfo
from readiness.model.steps import RunHook
from readiness.model.virtual_machine import Power
from readiness.planner.policy import Policy
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of
from tests.engine import estates
from tests.engine.rig import Watcher
from tests.engine.served import Served
from tests.engine.test_lifecycle import Walk

NAME, WAVE = "sf-web-02", 2
DRAIN = Execution(hooks=Hooks(before_vm=(HookCommand(name="drain", command=("true",)),)))


def plan_with_a_hook() -> Plan:
    """Return a plan whose VM is drained before its outage."""
    part = replace(estates.part_of(estates.planned_by(Policy()), NAME), digest="")
    part = replace(part, policy=replace(part.policy, execution=DRAIN))
    return replace(part, digest=digest_of(part))


def fail_its_hook(info: RunInfo, state: Path) -> None:
    """Write the journal of a run whose VM was blocked by its hook."""
    walk = Walk(NAME, Stage.OUTAGE, Power.RUNNING, DRAIN)
    while walk.position.due is not None:
        walk.answer("failed" if isinstance(walk.position.due.step, RunHook) else "ok")
    with closing(SqliteJournal.open(folder_of(state, info.id), info)) as journal:
        for record in walk.records.values():
            assert record.result is not None
            journal.intend(record.vm, record.name, record.intended_at)
            journal.ended(record.vm, record.name, record.result, record.intended_at)


def test_a_vm_whose_hook_failed_is_tried_again(tmp_path: Path) -> None:
    """The hooks of the plan are part of its way: blocked by one, it is blocked for whoever tries it again."""
    plan = plan_with_a_hook()
    with Served(tmp_path, plan) as served:
        request = RunRequest(
            plan=served.folder / "plan",
            wave=WAVE,
            approve=plan.digest,
            state=served.state,
            twin=served.server.url,
            certificate=served.server.certificate,
        )
        run = prepare_run(request, Watcher())
        info = run.info
        run.close()
        fail_its_hook(info, served.state)
        (unit,) = status(served.state, info.id).state.units
        assert Phase.BLOCKED is unit.phase
        again = prepare_run(replace(request, again=frozenset({Phase.BLOCKED})), Watcher())
        phases = [each.phase for each in again.state().units]
        again.close()
    assert [Phase.WAITING] == phases
