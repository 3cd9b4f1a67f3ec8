"""What a run waits for beside Azure's work: a quota that comes back, and somebody who logs in again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.run import EventKind
from readiness.twin.credential import TwinCredential
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse, TwinTransport
from tests.engine.rig import Rig, Truth, planned, wave_of

NAME = "bo-app-02"
TENANT, OTHER = "aaaaaaaa-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b"
Gate = Callable[[HttpRequest, datetime], Response | None]


class Gated(TwinTransport):
    """A way to a twin that something else may answer on."""

    def __init__(self, rig: "GatedRig") -> None:
        super().__init__(rig.twin)
        self._rig = rig

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """Answer in the twin's place, or let it answer."""
        found = self._rig.gate(request, self._rig.clock.now())
        return super().send(request, **options) if found is None else TwinResponse(request, found)


class GatedRig(Rig):
    """A rig between whose processes and twin something stands."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.gate: Gate = lambda _request, _now: None
        super().__init__(folder, wave_of(name), after=Stage.PREPARATION)

    @contextmanager
    def cloud(self) -> Iterator[AzureCloud]:
        """Connect through the gate."""
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: Gated(self),
        )
        connection = Connection(endpoint)
        try:
            yield AzureCloud(connection, self.wave)
        finally:
            connection.close()

    def told(self, kind: EventKind) -> list[str]:
        """Return what was told of one kind."""
        return [event.text for event in self.watcher.events if event.kind is kind]


def refused(code: str, message: str = "no") -> Response:
    """Refuse for want of a login."""
    return Response(401, {"error": {"code": code, "message": message}})


def from_deallocation(rig: GatedRig, answer: Response, lasts: timedelta) -> None:
    """Refuse everything for a while, from the moment at which the VM was accepted to go down."""
    began: list[datetime] = []

    def gate(_request: HttpRequest, now: datetime) -> Response | None:
        if not began and any(one.path.endswith("/deallocate") for one in rig.twin.log):
            began.append(now)
        return answer if began and now < began[0] + lasts else None

    rig.gate = gate


def test_a_login_that_comes_back_in_time_is_waited_for(tmp_path: Path) -> None:
    """A login that ends in the middle of an outage is told once, with what to do, and the outage goes on."""
    rig = GatedRig(tmp_path, "sf-web-02")
    from_deallocation(rig, refused("ExpiredAuthenticationToken"), timedelta(minutes=9))
    state = rig.process()
    assert state.units[0].phase in SUCCEEDED
    (told,) = rig.told(EventKind.FAILURE)
    assert "az login" in told
    assert "waited for until" in told


def test_a_login_that_does_not_come_back_ends_the_process(tmp_path: Path) -> None:
    """After the window nobody is waited for: the process ends as it stands, and the next goes on."""
    rig = GatedRig(tmp_path, "sf-web-02")
    from_deallocation(rig, refused("ExpiredAuthenticationToken"), timedelta(days=3))
    state = rig.process()
    closes = planned("sf-web-02").occurrence.closes
    assert state.held is not None
    assert "az login" in state.held
    assert Phase.CONVERTING is state.units[0].phase
    assert closes <= rig.clock.now() <= closes + timedelta(hours=2)
    rig.gate = lambda _request, _now: None
    after = rig.process()
    assert after.held is None
    assert after.units[0].phase in SUCCEEDED
    assert "running" == Truth(rig.twin.resources(), "sf-web-02").power


def test_the_teams_word_after_a_wave_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """A process that gives up waiting has VMs under way: who ends them runs what comes after."""
    rig = GatedRig(tmp_path, "sf-web-02")
    rig.execution = Execution(hooks=Hooks(after_wave=(HookCommand(name="fill-pool", command=("true",)),)))
    from_deallocation(rig, refused("ExpiredAuthenticationToken"), timedelta(days=3))
    assert rig.process().held is not None
    assert "after-wave.fill-pool" not in rig.records()
    rig.gate = lambda _request, _now: None
    assert rig.process().units[0].phase in SUCCEEDED
    assert "after-wave.fill-pool" in rig.records()


def test_a_login_of_another_tenant_is_not_waited_for(tmp_path: Path) -> None:
    """Somebody of another tenant is never let in: the process ends at once, and names the tenant it wants."""
    rig = GatedRig(tmp_path, "sf-web-02")
    message = (
        f"The access token is from the wrong issuer 'https://sts.windows.net/{OTHER}/'. It must match the "
        f"tenant 'https://sts.windows.net/{TENANT}/' associated with this subscription."
    )
    from_deallocation(rig, refused("InvalidAuthenticationTokenTenant", message), timedelta(days=3))
    began = rig.clock.now()
    state = rig.process()
    assert state.held is not None
    assert f"az login --tenant {TENANT}" in state.held
    assert Phase.CONVERTING is state.units[0].phase
    assert rig.clock.now() < max(began, planned("sf-web-02").occurrence.opens) + timedelta(hours=1)
    rig.gate = lambda _request, _now: None
    assert rig.process().units[0].phase in SUCCEEDED


@pytest.mark.parametrize(("header", "least"), [({"Retry-After": "90"}, 90), ({}, 15)])
def test_azure_is_not_asked_before_it_wants_to_be(tmp_path: Path, header: dict[str, str], least: int) -> None:
    """Once the client's own retries are used up, the next try comes when Azure said, and not sooner."""
    rig = GatedRig(tmp_path)
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
