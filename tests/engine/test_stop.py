"""A stop that comes before anything was written on a VM leaves it as if it had not been begun."""

from pathlib import Path

from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import SignalKind
from tests.engine.rig import Rig, wave_of
from tests.engine.test_wishes import NEXT_VM, VM, AtPhase, phases


def writes(rig: Rig) -> list[str]:
    """Return what was written on the twin; a question that is asked by POST writes nothing."""
    return [
        one.path
        for one in rig.twin.log
        if one.method != "GET" and not one.path.endswith("PolicyRestrictions")
    ]


def test_a_vm_in_its_checks_is_not_begun(tmp_path: Path) -> None:
    """It waits again, nothing was written, and the same command later begins it."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.PREPARATION)
    AtPhase(rig, VM, Phase.CHECKING, SignalKind.STOP)
    state = rig.process()
    assert ([Phase.WAITING] * 2, "a stop was asked for", []) == (phases(state), state.held, writes(rig))
    assert [Phase.DONE] * 2 == phases(rig.process())


def test_a_vm_that_bears_a_mark_goes_on(tmp_path: Path) -> None:
    """From its lease on it goes to its end, as whatever has begun does."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.PREPARATION)
    AtPhase(rig, VM, Phase.READYING, SignalKind.STOP)
    assert [Phase.DONE, Phase.WAITING] == phases(rig.process())
