"""Use cases around a run: rehearsals under trouble, and what a clock of a twin elsewhere says."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from readiness.app.clocks import RehearsalClock, RemoteTwinClock
from readiness.app.estates import locate
from readiness.app.plan import create_plan
from readiness.app.rehearsing import rehearse
from readiness.app.run_status import exit_of
from readiness.errors import Exit, UnreachableError
from readiness.model.lifecycle import Phase
from readiness.model.run import Event
from readiness.twin.clock import ScaledClock, VirtualClock
from readiness.twin.core import Twin
from readiness.twin.server import TwinServer
from tests.twin.seeds import START, estate

RATE = 500
SILENT = {"kind": "agent-silent", "resource": "sf-app-02", "while_security_type": "TrustedLaunch"}
NO_ROOM = {"kind": "fail", "operation": "virtualMachines/start", "resource": "sf-app-02", "times": 999}


class Silence:
    """An observer that looks away."""

    def told(self, event: Event) -> None:
        """Look away."""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of the starter estate."""
    folder = tmp_path_factory.mktemp("plan")
    create_plan(locate("starter"), folder, date(2026, 11, 22))
    return folder


@pytest.mark.parametrize(
    ("fault", "phase", "expected"),
    [
        (SILENT, Phase.ROLLED_BACK, Exit.SOME_ROLLED_BACK),
        (NO_ROOM, Phase.STRANDED, Exit.NEEDS_A_PERSON),
    ],
    ids=["rolled-back", "stranded"],
)
def test_rehearsed_trouble(
    plan: Path, tmp_path: Path, fault: dict[str, object], phase: Phase, expected: Exit
) -> None:
    """A rehearsal with scripted trouble ends where a run would, and says so by its exit code."""
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps({"format": "readiness/faults/1", "faults": [fault]}))
    states = rehearse(plan, None, faults, Silence(), waves=(2,)).states
    stands = {unit.name: unit.phase for unit in states[1].units}
    assert (phase, expected) == (stands["sf-app-02"], exit_of(*states))


def test_another_estate_is_declined(plan: Path) -> None:
    """A plan that is rehearsed on what became of its estate declines what was changed since."""
    states = rehearse(plan, "starter", None, Silence(), waves=(2,)).states
    assert Exit.DONE is exit_of(*states)
    with pytest.raises(Exception, match="no estate folder"):
        rehearse(plan, "elsewhere", None, Silence())


def test_a_rehearsals_clock_jumps() -> None:
    """In a rehearsal waiting takes no time, and time never goes back."""
    virtual = VirtualClock(START)
    clock = RehearsalClock(virtual)
    clock.sleep_until(START + timedelta(hours=5))
    assert START + timedelta(hours=5) == clock.now() == virtual.now()
    assert clock.skip_to(START)
    assert START + timedelta(hours=5) == clock.now()


def test_a_remote_clock_follows_its_twin(tmp_path: Path) -> None:
    """The clock of a twin elsewhere has its pace, waits at that pace, and can be moved forward."""
    twin = Twin(estate(), clock=ScaledClock(START, rate=RATE))
    with TwinServer(twin, certificate_folder=tmp_path) as server:
        clock = RemoteTwinClock(server.url, str(server.certificate))
        assert RATE == clock.rate
        clock.sleep_until(clock.now() + timedelta(seconds=100))
        assert clock.now() >= START + timedelta(seconds=100)
        assert clock.skip_to(START + timedelta(days=9))
        assert clock.now() >= START + timedelta(days=9)
        drift = abs((twin.clock.now() - clock.now()).total_seconds())
        assert drift < RATE, "a wall-clock second apart at most"


def test_each_served_twin_is_another_place(tmp_path: Path) -> None:
    """Two twins of one estate are told apart: what was changed in one is unknown to the other."""
    instances = []
    for _ in range(2):
        twin = Twin(estate(), clock=ScaledClock(START))
        with TwinServer(twin, certificate_folder=tmp_path) as server:
            clocks = [RemoteTwinClock(server.url, str(server.certificate)) for _ in range(2)]
            assert clocks[0].instance == clocks[1].instance
            instances.append(clocks[0].instance)
    assert instances[0] != instances[1]


def test_a_twin_that_is_gone_is_told(tmp_path: Path) -> None:
    """A clock whose twin does not answer any more says which, and how to start one."""
    with TwinServer(Twin(estate(), clock=ScaledClock(START)), certificate_folder=tmp_path) as server:
        clock = RemoteTwinClock(server.url, str(server.certificate))
    with pytest.raises(UnreachableError, match=server.url) as caught:
        clock.skip_to(START)
    assert "twin serve" in caught.value.remedy
