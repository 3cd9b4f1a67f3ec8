"""A rig between whose processes and twin something stands: it may answer in the twin's place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.model.lifecycle import Stage
from readiness.model.plan import Batch, Wave
from readiness.model.run import EventKind, RunState
from readiness.twin.credential import TwinCredential
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse, TwinTransport
from tests.engine.rig import Rig, planned, wave_of

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

    def __init__(
        self,
        folder: Path,
        wave: str | Wave,
        faults: list[dict[str, object]] | None = None,
        *,
        after: Stage | None = Stage.PREPARATION,
    ) -> None:
        self.gate: Gate = let_in
        super().__init__(folder, wave_of(wave) if isinstance(wave, str) else wave, faults, after=after)

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

    def told(self, kind: EventKind, name: str | None = None) -> list[str]:
        """Return what was told of one kind, of all or of one VM."""
        events = [event for event in self.watcher.events if event.kind is kind]
        return [event.text for event in events if name in (None, event.vm)]


def let_in(_request: HttpRequest, _now: datetime) -> Response | None:
    """Answer nothing in the twin's place."""
    return None


def side_by_side(*batches: tuple[str, ...]) -> Wave:
    """Return a wave of batches whose VMs run at the same time."""
    named = enumerate(batches, start=1)
    made = tuple(Batch(number=n, vms=tuple(planned(name) for name in names)) for n, names in named)
    return Wave(number=1, name="test", batches=made)


def refused(code: str, message: str = "no") -> Response:
    """Refuse for want of a login."""
    return Response(401, {"error": {"code": code, "message": message}})


def of_another_tenant() -> Response:
    """Refuse a login of another tenant as Resource Manager does."""
    return refused(
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer 'https://sts.windows.net/{OTHER}/'. It must match the "
        f"tenant 'https://sts.windows.net/{TENANT}/' associated with this subscription.",
    )


def throttled(wait: str = "60") -> Response:
    """Refuse since there were too many requests."""
    return Response(429, {"error": {"code": "TooManyRequests", "message": "later"}}, {"Retry-After": wait})


def is_about(request: HttpRequest, name: str) -> bool:
    """Tell whether a request is for a VM, or something named after it."""
    return f"/{name}" in request.url.split("?")[0].lower()


def once_down(
    rig: GatedRig, answer: Response, lasts: timedelta, name: str = "", *, words: str = "", method: str = ""
) -> None:
    """Answer for a while from the moment at which a VM was accepted to go down: all, or what is named."""
    began: list[datetime] = []

    def gate(request: HttpRequest, now: datetime) -> Response | None:
        downs = [one.path for one in rig.twin.log if one.path.lower().endswith(f"{name}/deallocate")]
        if not began and downs:
            began.append(now)
        is_meant = is_about(request, name) and words in request.url.lower() and method in ("", request.method)
        return answer if began and now < began[0] + lasts and is_meant else None

    rig.gate = gate


def phases(state: RunState) -> dict[str, str]:
    """Return where each VM stands, by name."""
    return {unit.name: unit.phase.value for unit in state.units}
