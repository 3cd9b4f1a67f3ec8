"""What a run waits for beside Azure's work: a quota that comes back, and somebody who logs in again."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from azure.core.rest import HttpRequest

from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.model.lifecycle import SUCCEEDED, Phase
from readiness.model.run import EventKind
from readiness.twin.messages import Response
from tests.engine.gated import TENANT, GatedRig, let_in, of_another_tenant, once_down, refused
from tests.engine.rig import Truth, planned

NAME = "bo-app-02"


def test_a_login_that_comes_back_in_time_is_waited_for(tmp_path: Path) -> None:
    """A login that ends in the middle of an outage is told once, with what to do, and the outage goes on."""
    rig = GatedRig(tmp_path, "sf-web-02")
    once_down(rig, refused("ExpiredAuthenticationToken"), timedelta(minutes=9))
    state = rig.process()
    assert state.units[0].phase in SUCCEEDED
    (told,) = rig.told(EventKind.FAILURE)
    assert "az login" in told
    assert "waited for until" in told


def test_a_login_that_was_away_for_long_costs_no_step_its_time(tmp_path: Path) -> None:
    """What Azure was not asked for in hours has not taken hours: it is begun, and the outage goes on."""
    rig = GatedRig(tmp_path, "sf-web-02")
    once_down(rig, refused("ExpiredAuthenticationToken"), timedelta(hours=3), words="snapshots")
    state = rig.process()
    assert state.units[0].phase in SUCCEEDED
    assert "TookTooLong" not in [record.result.code for record in rig.records().values() if record.result]


def test_a_login_that_does_not_come_back_ends_the_process(tmp_path: Path) -> None:
    """After the window nobody is waited for: the process ends as it stands, and the next goes on."""
    rig = GatedRig(tmp_path, "sf-web-02")
    once_down(rig, refused("ExpiredAuthenticationToken"), timedelta(days=3))
    state = rig.process()
    closes = planned("sf-web-02").occurrence.closes
    assert state.held is not None
    assert "az login" in state.held
    assert Phase.CONVERTING is state.units[0].phase
    assert closes <= rig.clock.now() <= closes + timedelta(hours=2)
    rig.gate = let_in
    after = rig.process()
    assert after.held is None
    assert after.units[0].phase in SUCCEEDED
    assert "running" == Truth(rig.twin.resources(), "sf-web-02").power


def test_the_teams_word_after_a_wave_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """A process that gives up waiting has VMs under way: who ends them runs what comes after."""
    rig = GatedRig(tmp_path, "sf-web-02")
    rig.execution = Execution(hooks=Hooks(after_wave=(HookCommand(name="fill-pool", command=("true",)),)))
    once_down(rig, refused("ExpiredAuthenticationToken"), timedelta(days=3))
    assert rig.process().held is not None
    assert "after-wave.fill-pool" not in rig.records()
    rig.gate = let_in
    assert rig.process().units[0].phase in SUCCEEDED
    assert "after-wave.fill-pool" in rig.records()


def test_a_login_of_another_tenant_is_not_waited_for(tmp_path: Path) -> None:
    """Somebody of another tenant is never let in: the process ends at once, and names the tenant it wants."""
    rig = GatedRig(tmp_path, "sf-web-02")
    once_down(rig, of_another_tenant(), timedelta(days=3))
    began = rig.clock.now()
    state = rig.process()
    assert state.held is not None
    assert f"az login --tenant {TENANT}" in state.held
    assert Phase.CONVERTING is state.units[0].phase
    assert rig.clock.now() < max(began, planned("sf-web-02").occurrence.opens) + timedelta(hours=1)
    rig.gate = let_in
    assert rig.process().units[0].phase in SUCCEEDED


@pytest.mark.parametrize(("header", "least"), [({"Retry-After": "90"}, 90), ({}, 15)])
def test_azure_is_not_asked_before_it_wants_to_be(tmp_path: Path, header: dict[str, str], least: int) -> None:
    """Once the client's own retries are used up, the next try comes when Azure said, and not sooner."""
    rig = GatedRig(tmp_path, NAME)
    asked: list[tuple[datetime, str]] = []

    def gate(request: HttpRequest, now: datetime) -> Response | None:
        if not request.url.split("?")[0].lower().endswith(f"/virtualmachines/{NAME}") or len(asked) > 23:
            return None
        asked.append((now, request.headers["x-ms-client-request-id"]))
        return Response(429, {"error": {"code": "TooManyRequests", "message": "later"}}, header)

    rig.gate = gate
    assert rig.process().units[0].phase in SUCCEEDED
    # The client's own retries bear the id of the request that they repeat.
    pauses = [(other[0] - one[0]).total_seconds() for one, other in pairwise(asked) if one[1] != other[1]]
    assert len(pauses) >= 2, asked
    assert least == min(pauses), pauses
