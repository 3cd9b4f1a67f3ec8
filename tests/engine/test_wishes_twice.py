"""Whatever people ask for, and however often: each VM goes one way at a time, and within the limits."""

from pathlib import Path

from readiness.model.execution import Execution
from readiness.model.lifecycle import FINAL, Phase, Stage
from readiness.model.run import Event, SignalKind
from tests.engine.gated import phases, side_by_side
from tests.engine.rig import Rig, Truth, wave_of
from tests.engine.test_wishes import UNCLEAR, VM, AtPhase, leave

NEXT = "bo-app-01"


def test_asked_for_twice_a_vm_is_taken_back_once(tmp_path: Path) -> None:
    """Two who ask for the same VM, or for the wave with it, do not have it taken down side by side."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.OUTAGE)
    for vm in (VM, VM, ""):
        leave(rig, SignalKind.ROLLBACK, vm)
    state = rig.process()
    wrote = [one.path.rpartition("/")[2].lower() for one in rig.twin.log if one.method == "POST"]
    assert {VM: "rolled-back"} == phases(state)
    assert (1, 1) == (wrote.count("deallocate"), wrote.count("start")), wrote
    assert "running" == Truth(rig.twin.resources(), VM).power


def test_a_vm_that_is_rejected_waits_for_its_turn(tmp_path: Path) -> None:
    """The way back of an undecided VM takes it down: not beside more VMs than may be under way."""
    rig = Rig(
        tmp_path,
        side_by_side((UNCLEAR,), (NEXT,)),
        after=Stage.PREPARATION,
        execution=Execution(max_concurrency=1),
    )
    AtPhase(rig, NEXT, Phase.CONVERTING, SignalKind.REJECT)
    busy: set[str] = set()
    most: list[int] = []

    def count(event: Event) -> None:
        told(event)
        if event.phase is not None:
            is_over = event.phase in FINAL or event.phase is Phase.UNDECIDED
            busy.discard(event.vm) if is_over else busy.add(event.vm)
            most.append(len(busy))

    told = rig.watcher.told
    rig.watcher.told = count  # type: ignore[method-assign]
    state = rig.process()
    assert {UNCLEAR: "rolled-back", NEXT: "done"} == phases(state)
    assert 1 == max(most)


def test_the_first_decision_holds_while_it_waits_for_its_turn(tmp_path: Path) -> None:
    """Who approves a VM that somebody has rejected before is told that it is too late."""
    rig = Rig(
        tmp_path,
        side_by_side((UNCLEAR,), (NEXT,)),
        after=Stage.PREPARATION,
        execution=Execution(max_concurrency=1),
    )
    AtPhase(rig, NEXT, Phase.CONVERTING, SignalKind.REJECT)
    AtPhase(rig, NEXT, Phase.VERIFYING, SignalKind.APPROVE)
    assert {UNCLEAR: "rolled-back", NEXT: "done"} == phases(rig.process())
    assert any("approve all: none can be" in event.text for event in rig.watcher.events)
