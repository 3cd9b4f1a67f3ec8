"""Before a shared group is changed live: an approval of its own, and the word of all who lose by it."""

from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from readiness.app.consent import agreements_missing_for, insist_on_consent_for
from readiness.app.estates import load
from readiness.app.next_steps import Words, next_steps
from readiness.app.permissions import run_actions
from readiness.app.rehearsing import rehearse
from readiness.app.runbook import runbook_of
from readiness.app.shared_actions import action_of, handle_of, not_closed, shared_wave
from readiness.errors import ConsentError, UsageError
from readiness.model.context import Environment
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Batch, Plan, PlanAction, PlannedVm, digest_of
from readiness.model.run import RunInfo, RunState, UnitState
from readiness.store.approvals import Approval, add_approval
from readiness.store.artefacts import write_plan
from reports.runbook import runbook_html, runbook_markdown
from tests.app.test_consent import ANN, BEN, NOW, Where, signed
from tests.app.test_run import Silence
from tests.engine import shared_estate


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of an estate with an open subnet group, made by somebody who neither approves nor runs it."""
    made = replace(shared_estate.plan(), author="kim@example.com", digest="")
    return replace(made, digest=digest_of(made))


@pytest.fixture(scope="module")
def action(plan: Plan) -> PlanAction:
    """Its action on that group."""
    return action_of(plan, "")


def in_production(plan: Plan) -> Plan:
    """Return the plan with all its VMs in production."""
    waves = []
    for wave in plan.waves:
        vms = [replace(vm, environment=Environment.PRODUCTION) for vm in wave.vms]
        waves.append(replace(wave, batches=(Batch(number=1, vms=tuple(vms)),)))
    return replace(plan, waves=tuple(waves))


def approve(state: Path, plan: Plan, **changes: Any) -> None:
    """Let Ben approve the change of the group, or something else."""
    given: dict[str, Any] = {"wave": 0, "action": action_of(plan, "").key} | changes
    add_approval(state, Approval(digest=plan.digest, by=BEN.name, object_id=BEN.object_id, at=NOW, **given))


def missing(plan: Plan, action: PlanAction, state: Path) -> list[str]:
    """Return what Ann misses to tighten the group."""
    return list(agreements_missing_for(plan, action, state, ANN))


def test_an_approval_of_its_own_is_needed(plan: Plan, action: PlanAction, tmp_path: Path) -> None:
    """The approvals of all its waves say nothing of the group; on a twin nobody has to agree."""
    for wave in action.waves:
        approve(tmp_path, plan, wave=wave, action="")
    assert [f"no second person approved the change of {shared_estate.GROUP}"] == missing(
        plan, action, tmp_path
    )
    with pytest.raises(ConsentError, match="1 agreements are missing") as caught:
        insist_on_consent_for(plan, action, tmp_path, cast(Any, Where(is_live=True)))
    assert f"readiness approve PLAN --action {shared_estate.GROUP}" in caught.value.remedy
    insist_on_consent_for(plan, action, tmp_path, cast(Any, Where(is_live=False)))


def test_owners_of_vms_outside_the_plan_are_named(plan: Plan, action: PlanAction, tmp_path: Path) -> None:
    """Whoever approves has to say that those agreed whose VMs the plan does not close."""
    approve(tmp_path, plan)
    (sentence,) = missing(plan, action, tmp_path)
    assert shared_estate.UNPLANNED in sentence
    assert "--owners-agreed" in sentence
    approve(tmp_path, plan, owners_agreed=True)
    assert [] == missing(plan, action, tmp_path)


def test_owners_in_production_have_signed(plan: Plan, action: PlanAction, tmp_path: Path) -> None:
    """Each production VM of the plan that hangs on the group has its owner's signature."""
    made = in_production(plan)
    approve(tmp_path, made, owners_agreed=True)
    assert list(shared_estate.CLOSED) == [each.partition(":")[0] for each in missing(made, action, tmp_path)]
    one = next(vm for vm in made.vms if vm.name == shared_estate.CLOSED[0])
    assert 1 == len(missing(signed(made, one), action, tmp_path))


def test_a_closure_that_was_taken_back_is_none(plan: Plan, action: PlanAction) -> None:
    """Only a VM whose closure is done does not need its way in any more."""

    def state_of(phase: Phase) -> Any:
        def find(number: int, stage: Stage) -> RunState | None:
            assert stage is Stage.CLOSURE
            vms = [vm for vm in plan.vms if vm.wave == number]
            return RunState(info=cast(Any, None), wave_name="", units=tuple(unit(vm, phase) for vm in vms))

        return find

    assert [] == list(not_closed(plan, action, state_of(Phase.DONE)))
    for phase in (Phase.ROLLED_BACK, Phase.WAITING, Phase.CLOSING, Phase.DECLINED, Phase.STRANDED):
        told = list(not_closed(plan, action, state_of(phase)))
        assert [True] * len(shared_estate.CLOSED) == [f"its closure is {phase}" in each for each in told]
    assert ["not on record here" in each for each in not_closed(plan, action, lambda _n, _s: None)] == [
        True
    ] * 2


def unit(vm: PlannedVm, phase: Phase) -> UnitState:
    """Return a VM that stands somewhere."""
    return UnitState(
        vm=vm.id,
        name=vm.name,
        batch=1,
        phase=phase,
        reason="",
        step=None,
        doing="",
        done=1,
        total=1,
        downtime_seconds=None,
    )


def test_groups_of_one_name_are_told_apart(plan: Plan, action: PlanAction) -> None:
    """Where two groups are called the same, the name is refused and the key is given instead."""
    twin = replace(action, key=f"{action.key}-2", target=action.target.sibling("x/y", action.target.name))
    both = replace(plan, closure=(action, twin))
    assert (shared_estate.GROUP, action.key) == (handle_of(plan, action), handle_of(both, action))
    for wanted in ("", shared_estate.GROUP):
        with pytest.raises(UsageError, match="Say which group") as caught:
            action_of(both, wanted)
        assert twin.key in caught.value.remedy
    assert twin is action_of(both, twin.key.upper())


def test_what_is_left_to_people_is_told(plan: Plan, action: PlanAction) -> None:
    """Where the plan has no steps for a group, the command says what is to be done by hand."""
    with pytest.raises(UsageError, match="no shared group") as caught:
        action_of(replace(plan, closure=(replace(action, steps=()),)), "")
    assert action.title in caught.value.details


def test_a_run_goes_on_by_its_own_command(plan: Plan, action: PlanAction) -> None:
    """What is advised for a group that is not through names the group, and no wave."""
    info = RunInfo(
        id="r",
        plan=plan.digest,
        wave=0,
        place="twin",
        approved_by="x",
        release="r",
        started_at=NOW,
        stage=Stage.CLOSURE,
        action=action.key,
    )
    (vm,) = shared_wave(action).vms
    state = RunState(info=info, wave_name="w", units=(unit(vm, Phase.CLOSING),))
    (advice,) = next_steps(state, Words(plan="p", place=("--live",), state=()))
    command = f"readiness tighten p --action {action.key} --approve {plan.approval} --live"
    assert command == advice.command


def test_a_rehearsal_tightens_it_last(plan: Plan, tmp_path: Path) -> None:
    """Once every wave was closed the group is rehearsed, too; of some waves alone it is not."""
    write_plan(tmp_path, plan)
    whole = rehearse(tmp_path, str(shared_estate.folder()), None, Silence())
    last = whole.states[-1]
    assert (shared_estate.GROUP, Phase.DONE) == (last.units[0].name, last.units[0].phase)
    assert whole.report()["runs"][-1]["run"] == last.info.id
    part = rehearse(tmp_path, str(shared_estate.folder()), None, Silence(), waves=(1,))
    assert not [state for state in part.states if state.info.action]


def test_the_runbook_of_the_last_wave_has_it(plan: Plan, action: PlanAction) -> None:
    """Each step of the run is in it, by its name, and the way back; an earlier wave says nothing of it."""
    estate = load(shared_estate.folder())
    books = {wave.number: runbook_of(plan, wave, estate) for wave in plan.waves}
    assert () == books[min(action.waves)].shared
    shared = books[max(action.waves)].shared
    names = [entry.name for part in shared for entry in part.entries]
    assert ["check.prove-rules", *(planned.name for planned in action.steps)] == names[
        : 1 + len(action.steps)
    ]
    assert "undo.prove-rules" == names[-1]
    assert [False, False, False, True] == [part.is_way_back for part in shared]
    for text in (runbook_html(books[max(action.waves)]), runbook_markdown(books[max(action.waves)])):
        assert b"What several VMs share" in text
        assert b"the rule, with these values" in text


def test_the_role_allows_it(action: PlanAction) -> None:
    """The role that is printed for runs holds every action of the group's steps."""
    assert {one for planned in action.steps for one in planned.step.actions} <= run_actions()
