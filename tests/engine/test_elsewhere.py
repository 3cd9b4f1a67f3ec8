"""Other sizes in the life cycle: each is tried once a phase, in order, and only for want of room."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.engine.advance import Campaign
from readiness.engine.decisions import RECALLED
from readiness.model.lifecycle import FINAL, Phase, Stage
from readiness.model.run import StepResult
from readiness.model.steps import Deallocate, PlannedStep, PutBackOff, Resize, Start, StartAs
from readiness.model.virtual_machine import Power
from tests.engine.rig import planned
from tests.engine.test_lifecycle import AT, HOOKS, Walk

NAMES = ("sf-app-01", "sf-web-02", "bo-app-01", "sf-legacy-01")
SIZES = ("Standard_D4s_v5", "Standard_D2as_v5")
WORDS = ("ok", "ok", "no-room", "no-room", "failed")
answers = st.lists(st.sampled_from(WORDS), max_size=60)


class SizedWalk(Walk):
    """A campaign with other sizes approved, whose starts may find no room."""

    def __init__(self, name: str, power: Power, *, starts_if_off: bool = False) -> None:
        super().__init__(name, Stage.OUTAGE, power)
        vm = planned(name)
        choice = replace(vm.choice, alternative_sizes=SIZES)
        if starts_if_off:
            choice = replace(choice, start_if_off=True)
        vm = replace(vm, choice=choice)
        self.campaign = Campaign(vm, ALL_PLAYBOOKS, stage=Stage.OUTAGE, execution=HOOKS, started_at=AT)
        self.refused: list[PlannedStep] = []

    def answer(self, word: str) -> None:
        """Answer the step that is due; only a start can be without room."""
        due = self.position.due
        assert due is not None
        if word == "no-room" and isinstance(due.step, Start):
            self.refused.append(due)
            self.record(due.name, StepResult(ok=False, code="AllocationFailed", detail=word, no_room=True))
            self.done.append((self.position.phase, due, False))
        else:
            super().answer("ok" if word == "no-room" else word)


@given(name=st.sampled_from(NAMES), words=answers, recalls=st.booleans())
@settings(max_examples=200)
def test_a_size_is_tried_only_after_a_refusal_for_room(name: str, words: list[str], *, recalls: bool) -> None:
    """Without one no VM is resized; with one it is, to an approved size or its own; and the campaign ends."""
    walk = SizedWalk(name, Power.RUNNING)
    end = walk.go(words, approves=True, recalls=recalls)
    assert end.phase in FINAL
    tried = [each.step for _, each, _ in walk.done if isinstance(each.step, Resize | StartAs)]
    assert bool(tried) <= bool(walk.refused)
    assert {step.size for step in tried} <= {walk.before.size, *SIZES}
    power = [each.step for _, each, _ in walk.done if isinstance(each.step, Deallocate | Start)]
    assert not power or isinstance(power[-1], Start), "it was not asked to start last"


@given(name=st.sampled_from(NAMES), words=answers)
@settings(max_examples=200)
def test_a_vm_that_started_as_another_size_has_started(name: str, words: list[str]) -> None:
    """A start without room is no failure once the VM runs as another size, and is one if it does not."""
    walk = SizedWalk(name, Power.RUNNING)
    end = walk.go(words, approves=True, recalls=False)
    last: dict[Phase, bool] = {}
    for phase, each, ok in walk.done:
        if isinstance(each.step, Start):
            last[phase] = ok
    if end.phase is Phase.DONE:
        assert all(ok for phase, ok in last.items() if phase is not Phase.VERIFYING)
    if last.get(Phase.UNDOING) is False:
        assert Phase.STRANDED is end.phase


@given(name=st.sampled_from(NAMES), words=answers, recalls=st.booleans())
@settings(max_examples=150)
def test_a_vm_started_for_a_proof_is_off_at_its_end(name: str, words: list[str], *, recalls: bool) -> None:
    """However a campaign goes, the last word on the power of a VM that was off is off; none is resized."""
    walk = SizedWalk(name, Power.DEALLOCATED, starts_if_off=True)
    end = walk.go(words, approves=True, recalls=recalls)
    power = [each.step for _, each, _ in walk.done if isinstance(each.step, Deallocate | Start)]
    assert not power or isinstance(power[-1], Deallocate)
    assert not [each for _, each, _ in walk.done if isinstance(each.step, Resize)]
    if end.phase is Phase.DONE and RECALLED not in walk.records:
        assert isinstance(power[-1], PutBackOff)
