"""A login of another tenant: of everybody it holds the run, of one VM it keeps no other from its end."""

from datetime import datetime, timedelta
from pathlib import Path

from azure.core.rest import HttpRequest

from readiness.engine.waits import LEAST_PATIENCE
from readiness.model.execution import Execution
from readiness.model.run import EventKind
from readiness.twin.messages import Response
from tests.engine.gated import (
    TENANT,
    GatedRig,
    is_about,
    let_in,
    of_another_tenant,
    once_down,
    phases,
    side_by_side,
)
from tests.engine.rig import Truth, planned

ODD, OTHER, LATER = "sf-web-01", "sf-web-02", "sf-app-01"
LONG = timedelta(days=3)


def refuse(rig: GatedRig, name: str) -> None:
    """Refuse whoever is logged in at one VM, and nowhere else."""

    def gate(request: HttpRequest, _now: datetime) -> Response | None:
        return of_another_tenant() if is_about(request, name) else None

    rig.gate = gate


def power(rig: GatedRig, name: str) -> str:
    """Return whether a VM runs on the twin."""
    return Truth(rig.twin.resources(), name).power


def test_one_vm_that_lets_nobody_in_is_declined_and_the_others_go_on(tmp_path: Path) -> None:
    """A VM that nothing was done to is declined with the tenant to log in to; no other one is stopped."""
    rig = GatedRig(tmp_path, side_by_side((ODD, OTHER), (LATER,)))
    refuse(rig, ODD)
    state = rig.process()
    assert {ODD: "declined", OTHER: "done", LATER: "done"} == phases(state)
    assert state.held is None
    reason = state.units[0].reason
    assert "another tenant" in reason
    assert f"az login --tenant {TENANT}" in reason
    assert "running" == power(rig, ODD)


def test_a_vm_that_is_down_and_lets_nobody_in_is_waited_for_while_the_others_end(tmp_path: Path) -> None:
    """It is let in again after a while, and ends as all the others do; it is told once, with what to do."""
    rig = GatedRig(tmp_path, side_by_side((ODD, OTHER)))
    once_down(rig, of_another_tenant(), timedelta(minutes=9), ODD)
    state = rig.process()
    assert {ODD: "done", OTHER: "done"} == phases(state)
    assert state.held is None
    (told,) = rig.told(EventKind.FAILURE)
    assert f"az login --tenant {TENANT}" in told
    assert "waited for until" in told


def test_nothing_more_is_started_while_a_vm_is_down_that_lets_nobody_in(tmp_path: Path) -> None:
    """What is under way beside it is finished, nothing else goes down, and the next process goes on."""
    rig = GatedRig(tmp_path, side_by_side((ODD, OTHER, LATER)))
    rig.execution = Execution(max_concurrency=2)
    once_down(rig, of_another_tenant(), LONG, ODD)
    state = rig.process()
    assert {ODD: "converting", OTHER: "done", LATER: "waiting"} == phases(state)
    assert state.held is not None
    assert ODD in state.held
    assert f"az login --tenant {TENANT}" in state.held
    assert ("deallocated", "running", "running") == tuple(power(rig, name) for name in (ODD, OTHER, LATER))
    closes = planned(ODD).occurrence.closes
    assert closes <= rig.clock.now() <= closes + 2 * LEAST_PATIENCE
    rig.gate = let_in
    after = rig.process()
    assert {ODD: "done", OTHER: "done"} == {name: phases(after)[name] for name in (ODD, OTHER)}
    assert "running" == power(rig, ODD)


def test_a_login_of_another_tenant_declines_no_vm(tmp_path: Path) -> None:
    """Where nobody lets it in, it is the login that is wrong: all is held as it stands, and then goes on."""
    rig = GatedRig(tmp_path, side_by_side((ODD, OTHER)))
    rig.gate = lambda _request, _now: of_another_tenant()
    state = rig.process()
    assert set(phases(state).values()) <= {"waiting", "checking"}
    assert f"az login --tenant {TENANT}" in str(state.held)
    rig.gate = let_in
    assert {ODD: "done", OTHER: "done"} == phases(rig.process())


def test_a_login_that_sees_other_subscriptions_is_the_wrong_one(tmp_path: Path) -> None:
    """A login is let in at its own tenant: that shows none of the wave's subscriptions, and is no proof."""
    rig = GatedRig(tmp_path, side_by_side((ODD, OTHER)))
    elsewhere = {"value": [{"subscriptionId": "eeeeeeee-0000-4000-8000-00000000000e"}]}

    def gate(request: HttpRequest, _now: datetime) -> Response | None:
        is_list = request.url.split("?")[0].endswith("/subscriptions")
        return Response(200, elsewhere) if is_list else of_another_tenant()

    rig.gate = gate
    state = rig.process()
    assert set(phases(state).values()) <= {"waiting", "checking"}
    assert state.held is not None


def test_a_lease_that_lets_nobody_in_keeps_no_vm_from_its_end(tmp_path: Path) -> None:
    """A VM that is done and cannot be let go of is done, and its result says what is left on it."""
    rig = GatedRig(tmp_path, side_by_side((ODD,)))
    releasing: list[str] = []

    def gate(request: HttpRequest, _now: datetime) -> Response | None:
        releasing.extend(event.text for event in rig.watcher.events if event.phase == "releasing")
        return of_another_tenant() if releasing and is_about(request, ODD) else None

    rig.gate = gate
    state = rig.process()
    assert {ODD: "done"} == phases(state)
    assert "another tenant" in state.units[0].note
