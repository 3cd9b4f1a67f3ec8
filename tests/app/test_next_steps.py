"""What is advised once a run stands where it stands is what leads on from there, the most urgent first."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from readiness.app.next_steps import Words, next_steps, words_of
from readiness.engine.gate import Decision, Gate
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import RunState
from readiness.planner.policy import Policy
from tests.app.synthetic_runs import INFO, run_with, under_way, unit
from tests.engine import estates

WORDS = words_of(INFO, Path("state"), Path("plan"))
GOES_ON = "readiness run plan --wave 1 "


def commands(state: RunState, words: Words = WORDS) -> list[str]:
    """Return the commands that are advised."""
    return [advice.command for advice in next_steps(state, words)]


def test_what_may_be_off_goes_before_everything_that_can_wait() -> None:
    """A VM that was taken down, and that no process works on, is named, before words and other failures."""
    others = (unit(1, Phase.UNDECIDED), unit(2, Phase.ROLLED_BACK), unit(3, Phase.WAITING))
    state = replace(run_with(), units=(*others, under_way(4)))
    first, *rest = next_steps(state, WORDS)
    assert first.command.startswith(GOES_ON)
    assert "vm4 may be off" in first.why
    assert ["approve", "retry"] == [advice.command.split()[1] for advice in rest]


def test_what_a_person_took_back_is_not_among_what_is_tried_again() -> None:
    """Trying all failures again leaves it alone, and so does the advice; alone it is given none."""
    state = run_with(Phase.ROLLED_BACK, Phase.DECLINED)
    back = replace(WORDS, taken_back=frozenset({state.units[0].vm}))
    (advice,) = next_steps(state, back)
    assert "once what stopped vm2 is mended" == advice.why
    assert [] == commands(replace(state, units=state.units[:1]), back)
    assert ["readiness retry --failed"] == [one[:24] for one in commands(state)]


def test_a_wave_that_its_failures_hold_goes_on_once_one_more_is_accepted() -> None:
    """The same command alone would be held again: what lets it go on comes before it."""
    state = run_with(Phase.ROLLED_BACK, Phase.WAITING, held="2 of 6 VMs failed, and 1 may")
    raising, going_on = commands(state)[-2:]
    assert f"readiness resume {INFO.id} --raise-budget --state state" == raising
    assert going_on.startswith(GOES_ON)
    assert not any("--raise-budget" in each for each in commands(replace(state, held="it was paused")))


def test_a_window_that_was_missed_needs_a_new_plan() -> None:
    """Where a VM was too late for its window, nobody is told that the same command goes on with it."""
    plan = estates.planned_by(Policy())
    vm = next(vm for wave in plan.waves for vm in wave.vms if vm.outage is not None)
    gate = Gate([vm], plan.policy.execution, Stage.OUTAGE)
    late = gate.ask(vm, (), {}, vm.occurrence.closes + timedelta(hours=1))
    assert Decision.HOLD is late.decision
    (advice,) = next_steps(run_with(Phase.WAITING, held=late.why), WORDS)
    assert "need a new plan" in advice.why
    (advice,) = next_steps(run_with(Phase.WAITING), WORDS)
    assert "goes on with the rest" == advice.why


def test_what_comes_after_a_run_is_kept_in_its_second_place_too() -> None:
    """The next stage is a run of its own and has no second place yet; the same run remembers its own."""
    words = words_of(INFO, Path("state"), Path("plan"), Path("/mnt/share of ours"))
    (closing,) = commands(run_with(Phase.DONE), words)
    assert closing.endswith("--state state --second-state '/mnt/share of ours'")
    (going_on,) = commands(run_with(Phase.WAITING), words)
    assert "--second-state" not in going_on
