"""A role that lapses in the middle of an outage is waited for, as a login is: the VM is off, or changed."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from azure.core.rest import HttpRequest

from readiness.model.lifecycle import Phase
from readiness.model.run import EventKind
from readiness.twin.messages import Response
from tests.engine.gated import GatedRig, once_down, phases, side_by_side
from tests.engine.rig import Truth, planned
from tests.engine.test_failures import NEW, OLD, configuration

VM, OTHER = "sf-web-01", "sf-web-02"
CLOSES = planned(VM).occurrence.closes
FORBIDDEN = Response(
    403, {"error": {"code": "AuthorizationFailed", "message": "the client is not authorized to do this"}}
)


def started(rig: GatedRig) -> bool:
    """Tell whether the VM runs."""
    return Truth(rig.twin.resources(), VM).power == "running"


def test_a_start_that_is_allowed_again_in_time_costs_nothing(tmp_path: Path) -> None:
    """Its start is refused for a while: it is asked for again, and the VM ends as planned."""
    rig = GatedRig(tmp_path, VM)
    once_down(rig, FORBIDDEN, timedelta(minutes=25), VM, words="/start", method="POST")
    unit = rig.process().units[0]
    assert (Phase.DONE, NEW) == (unit.phase, configuration(rig)), unit.reason


def test_a_vm_that_nobody_may_look_at_is_not_taken_back_for_it(tmp_path: Path) -> None:
    """It was started, and looks at it are refused for a while: nobody takes it down again."""
    rig = GatedRig(tmp_path, VM)
    began: list[datetime] = []

    def gate(_request: HttpRequest, now: datetime) -> Response | None:
        if not began and any(one.path.endswith("/start") for one in rig.twin.log):
            began.append(now)
        return FORBIDDEN if began and now < began[0] + timedelta(minutes=20) else None

    rig.gate = gate
    unit = rig.process().units[0]
    assert (Phase.DONE, NEW) == (unit.phase, configuration(rig)), unit.reason


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", ""])
def test_whatever_a_role_no_longer_allows_the_vm_runs_again(tmp_path: Path, method: str) -> None:
    """All of it is refused for a while: it ends as planned or as it was, and nobody has to come."""
    rig = GatedRig(tmp_path, VM)
    once_down(rig, FORBIDDEN, timedelta(minutes=25), method=method)
    unit = rig.process().units[0]
    ends = {Phase.DONE: NEW, Phase.ROLLED_BACK: OLD}
    assert configuration(rig) == ends[unit.phase], unit.reason
    assert started(rig)


def test_a_role_that_does_not_come_back_strands_the_vm_after_its_window_only(tmp_path: Path) -> None:
    """It is told at once, and again, and at the end with what to do."""
    rig = GatedRig(tmp_path, VM)
    once_down(rig, FORBIDDEN, timedelta(days=2), VM, words="/start", method="POST")
    unit = rig.process().units[0]
    assert Phase.STRANDED is unit.phase
    assert rig.clock.now() >= CLOSES
    told = rig.told(EventKind.FAILURE, VM)
    assert "waited for until" in told[0]
    assert len(told) > 2
    assert "readiness permissions --for run" in unit.reason
    assert not started(rig)


def test_nothing_more_is_started_meanwhile(tmp_path: Path) -> None:
    """Who may not start one VM takes no other down."""
    rig = GatedRig(tmp_path, side_by_side((VM,), (OTHER,)))
    once_down(rig, FORBIDDEN, timedelta(days=2), VM, words="/start", method="POST")
    state = rig.process()
    assert {VM: "stranded", OTHER: "waiting"} == phases(state)
    assert "stranded" in str(state.held), "what it waited for is over"
