"""What people ask of a run from another process is acted on once, and only where it can be."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from readiness.model.execution import Execution
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import ApartGroup
from readiness.model.run import EventKind, RunState, SignalKind
from readiness.store.journal import leave_signal
from tests.engine.rig import STARTED, Rig, Truth, wave_of

VM, NEXT_VM = "sf-web-01", "sf-web-02"
UNCLEAR = "bo-appliance-01"
"""Its agent was never ready, so that nothing proves its boot."""
LEAVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from readiness.model.run import SignalKind
from readiness.store.journal import leave_signal
leave_signal(
    Path(sys.argv[1]), SignalKind(sys.argv[2]), at=datetime.now(UTC), sent_by="other", vm=sys.argv[3]
)
"""


def leave(rig: Rig, kind: SignalKind, vm: str = "") -> None:
    """Leave a wish for the outage's run, while nobody carries it out or within the process that does."""
    leave_signal(rig.folder / Stage.OUTAGE, kind, at=STARTED, sent_by="somebody", vm=vm, note="a reason")


class AtPhase:
    """Leaves wishes as soon as a VM comes to a phase, as somebody who watches would."""

    def __init__(self, rig: Rig, vm: str, phase: Phase, *kinds: SignalKind) -> None:
        self._rig, self._vm, self._phase, self._kinds = rig, vm, phase, kinds
        self._told = rig.watcher.told
        rig.watcher.told = self._watch  # type: ignore[method-assign]

    def _watch(self, event: object) -> None:
        self._told(event)  # type: ignore[arg-type]
        if (getattr(event, "vm", ""), getattr(event, "phase", None)) == (self._vm, self._phase):
            kinds, self._kinds = self._kinds, ()
            for kind in kinds:
                leave(self._rig, kind)


def phases(state: RunState) -> list[Phase]:
    """Return where the VMs stand."""
    return [unit.phase for unit in state.units]


def told(rig: Rig, kind: EventKind = EventKind.RUN) -> list[str]:
    """Return what was told of a run, in the words of one kind."""
    return [event.text for event in rig.watcher.events if event.kind is kind]


# Steering -----------------------------------------------------------------------------------------------


def test_stop_finishes_what_has_begun(tmp_path: Path) -> None:
    """A VM under way goes on to its end, no other is started, and the same command later goes on."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.PREPARATION)
    AtPhase(rig, VM, Phase.CONVERTING, SignalKind.STOP)
    state = rig.process()
    assert ([Phase.DONE, Phase.WAITING], "a stop was asked for") == (phases(state), state.held)
    assert "somebody asks to stop" in told(rig)
    assert [Phase.DONE, Phase.DONE] == phases(rig.process())


def test_a_pause_lasts_until_resume(tmp_path: Path) -> None:
    """Paused, a run starts nothing and goes on waiting; resumed, it carries the rest out."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.PREPARATION)
    AtPhase(rig, VM, Phase.CONVERTING, SignalKind.PAUSE)
    waited: list[datetime] = []

    def resume_after_a_while(due: datetime) -> None:
        skip(due)
        if any("it was paused" in text for text in told(rig, EventKind.WAIT)):
            waited.append(rig.clock.now())
            if waited[-1] - waited[0] > timedelta(seconds=30):
                leave(rig, SignalKind.RESUME)

    skip = rig.clock.skip_to
    rig.clock.skip_to = resume_after_a_while  # type: ignore[method-assign]
    state = rig.process()
    assert ([Phase.DONE, Phase.DONE], None) == (phases(state), state.held)
    assert len(waited) > 10


def test_stop_ends_a_pause(tmp_path: Path) -> None:
    """A run that is paused and told to stop ends, since nobody would resume it."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.PREPARATION)
    AtPhase(rig, VM, Phase.CONVERTING, SignalKind.PAUSE, SignalKind.STOP)
    assert [Phase.DONE, Phase.WAITING] == phases(rig.process())


def test_a_raised_budget_lets_the_wave_go_on(tmp_path: Path) -> None:
    """A wave that is held by its budget goes on when somebody accepts one more failure; resuming does not."""
    faults: list[dict[str, object]] = [
        {"kind": "agent-silent", "resource": VM, "while_security_type": "TrustedLaunch"}
    ]
    strict = Execution(failure_minimum=0, failure_percent=0.0)
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), faults, after=Stage.PREPARATION, execution=strict)
    state = rig.process()
    assert [Phase.ROLLED_BACK, Phase.WAITING] == phases(state)
    assert "1 of 2 VMs failed, and 0 may" == state.held
    leave(rig, SignalKind.RESUME)
    assert [Phase.ROLLED_BACK, Phase.WAITING] == phases(rig.process())
    leave(rig, SignalKind.RAISE)
    assert [Phase.ROLLED_BACK, Phase.DONE] == phases(rig.process())


# Decisions on VMs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "end"), [(SignalKind.APPROVE, Phase.DONE), (SignalKind.REJECT, Phase.ROLLED_BACK)]
)
def test_a_person_decides_on_what_cannot_be_told(tmp_path: Path, kind: SignalKind, end: Phase) -> None:
    """A VM whose health nothing tells waits for a decision, which the next process carries out."""
    rig = Rig(tmp_path, wave_of(UNCLEAR), after=Stage.PREPARATION)
    assert [Phase.UNDECIDED] == phases(rig.process())
    assert [Phase.UNDECIDED] == phases(rig.process()), "nobody decided"
    leave(rig, kind, vm=UNCLEAR)
    state = rig.process()
    assert ([end], "running") == (phases(state), Truth(rig.twin.resources(), UNCLEAR).power)
    assert any("the decision of somebody: a reason" in text for text in told(rig))


def test_the_first_decision_holds(tmp_path: Path) -> None:
    """Of two people who decide otherwise the first is heard, and the second told that it is too late."""
    rig = Rig(tmp_path, wave_of(UNCLEAR), after=Stage.PREPARATION)
    rig.process()
    leave(rig, SignalKind.APPROVE, vm=UNCLEAR)
    leave(rig, SignalKind.REJECT, vm=UNCLEAR)
    assert [Phase.DONE] == phases(rig.process())
    assert f"somebody asks to reject {UNCLEAR}: none can be" in told(rig)


def test_what_was_done_is_taken_back_on_demand(tmp_path: Path) -> None:
    """A VM that was done is taken back as it was, its snapshots kept, and no second time."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.PREPARATION)
    assert [Phase.DONE] == phases(rig.process())
    leave(rig, SignalKind.ROLLBACK, vm=VM)
    assert [Phase.ROLLED_BACK] == phases(rig.process())
    truth = Truth(rig.twin.resources(), VM)
    assert ("running", "Standard", False) == (truth.power, truth.security_type, truth.encryption_at_host)
    before = len(rig.twin.log)
    leave(rig, SignalKind.ROLLBACK, vm=VM)
    assert ([Phase.ROLLED_BACK], before) == (phases(rig.process()), len(rig.twin.log))


def test_peers_are_taken_back_one_after_the_other(tmp_path: Path) -> None:
    """Taking VMs back is an outage of theirs: redundant peers are not away together, and our marks go."""
    wave = wave_of(VM, NEXT_VM)
    peers = ApartGroup(members=tuple(vm.id for vm in wave.vms), max_unavailable=1, evidence="the web set")
    rig = Rig(tmp_path, wave, after=Stage.OUTAGE, apart=[peers])
    leave(rig, SignalKind.ROLLBACK)
    assert [Phase.ROLLED_BACK, Phase.ROLLED_BACK] == phases(rig.process())
    verbs = ("deallocate", "start")
    calls = [one.path.rsplit("/", 2)[-2:] for one in rig.twin.log if one.path.endswith(verbs)]
    assert [[VM, "deallocate"], [VM, "start"], [NEXT_VM, "deallocate"], [NEXT_VM, "start"]] == calls
    marks = [tag for name in (VM, NEXT_VM) for tag in Truth(rig.twin.resources(), name).vm["tags"]]
    assert not [tag for tag in marks if tag.startswith("readiness")]


def test_stop_keeps_further_vms_from_being_taken_back(tmp_path: Path) -> None:
    """A stop holds a way back on demand, too: what has begun ends, and a later process goes on with it."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.OUTAGE, execution=Execution(max_concurrency=1))
    leave(rig, SignalKind.ROLLBACK)
    AtPhase(rig, VM, Phase.UNDOING, SignalKind.STOP)
    state = rig.process()
    assert ([Phase.ROLLED_BACK, Phase.DONE], "a stop was asked for") == (phases(state), state.held)
    assert [Phase.ROLLED_BACK, Phase.ROLLED_BACK] == phases(rig.process())


@pytest.mark.parametrize("kind", [SignalKind.APPROVE, SignalKind.REJECT, SignalKind.ROLLBACK])
@pytest.mark.parametrize("vm", ["", VM, "no-such-vm"])
def test_a_wish_that_cannot_be_fulfilled_is_told(tmp_path: Path, kind: SignalKind, vm: str) -> None:
    """A decision on a VM that does not wait for one changes nothing, and says so."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.PREPARATION)
    AtPhase(rig, VM, Phase.CONVERTING, kind)
    if vm:
        rig.clock.skip_to(rig.wave.vms[0].occurrence.closes)
        rig.process()
        leave(rig, kind, vm=vm)
        assert [Phase.WAITING] == phases(rig.process())
    else:
        assert [Phase.DONE] == phases(rig.process())
    assert any(text.endswith("none can be") for text in told(rig))


def test_a_wish_comes_from_another_process(tmp_path: Path) -> None:
    """Another process leaves a wish while this one holds the run, and it is acted on."""
    rig = Rig(tmp_path, wave_of(VM, NEXT_VM), after=Stage.PREPARATION)
    shown = rig.watcher.told

    def leave_it(event: object) -> None:
        shown(event)  # type: ignore[arg-type]
        if getattr(event, "phase", None) is Phase.CONVERTING and not commands:
            commands.append([sys.executable, "-c", LEAVE, str(tmp_path / Stage.OUTAGE), "stop", ""])
            subprocess.run(commands[0], check=True, capture_output=True)

    commands: list[Sequence[str]] = []
    rig.watcher.told = leave_it  # type: ignore[method-assign]
    assert [Phase.DONE, Phase.WAITING] == phases(rig.process())
    assert "other asks to stop" in told(rig)
