"""What is asked of a twin, as the actions by which Azure RBAC judges it, and which step asked.

The names of actions are made here from what went over the wire, by nothing that the steps declare.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.model.ids import ResourceId
from readiness.model.observation import Observation
from readiness.model.steps import Change
from readiness.ports.cloud import Progress, StepContext
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.engine.rig import Rig

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_QUESTIONS = ("checkpolicyrestrictions", "resources")
"""Asked by POST, and read all the same: policies, and Resource Graph."""
_RENAMED = {"jitnetworkaccesspolicies": "locations/jitnetworkaccesspolicies"}
"""Lists of a whole subscription whose rights are named by location (Learn, "Enable just-in-time access")."""


def action_of(method: str, path: str) -> str:
    """Return the action, in lower case, that a request needs."""
    _, found, tail = path.lower().rpartition("/providers/")
    provider, *words = (
        tail.split("/") if found else ["microsoft.resources", *path.lower().strip("/").split("/")]
    )
    kind = _RENAMED.get("/".join(words[::2]), "/".join(words[::2]))
    if method == "POST":
        return f"{provider}/{kind}/{'read' if kind in _QUESTIONS else 'action'}"
    return f"{provider}/{kind}/{_VERBS[method]}"


class Heard:
    """Actions that were needed, by who needed them."""

    def __init__(self) -> None:
        self.asking: object = None
        """The kind of step that is at work, or words."""
        self.needed: dict[tuple[object, str], str] = {}
        """A path by which it was asked."""

    def hear(self, request: HttpRequest) -> None:
        """Remember a request."""
        path = urlsplit(request.url).path
        self.needed.setdefault((self.asking, action_of(request.method, path)), path)

    @contextmanager
    def connection(self, twin: Twin) -> Iterator[Connection]:
        """Connect to a twin, and listen."""
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: _Transport(twin, self),
        )
        connection = Connection(endpoint)
        try:
            yield connection
        finally:
            connection.close()


class _Transport(TwinTransport):
    def __init__(self, twin: Twin, heard: Heard) -> None:
        super().__init__(twin)
        self._heard = heard

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """Remember, and answer."""
        self._heard.hear(request)
        return super().send(request, **options)


class Listening:
    """A cloud port that says which step is at work."""

    def __init__(self, cloud: AzureCloud, heard: Heard) -> None:
        self._cloud, self._heard = cloud, heard

    def observe(self, vm: ResourceId) -> Observation:
        """Look."""
        self._heard.asking = "a look at a VM"
        return self._cloud.observe(vm)

    def begin(self, change: Change, context: StepContext) -> Progress:
        """Begin."""
        self._heard.asking = type(change)
        return self._cloud.begin(change, context)

    def poll(self, change: Change, token: str) -> Progress:
        """Ask."""
        self._heard.asking = type(change)
        return self._cloud.poll(change, token)


class HeardRig(Rig):
    """A rig whose processes are listened to from some moment on."""

    heard: Heard | None = None

    @contextmanager
    def cloud(self) -> Iterator[Any]:
        """Connect to the twin as one process would."""
        if self.heard is None:
            with super().cloud() as cloud:
                yield cloud
        else:
            with self.heard.connection(self.twin) as connection:
                yield Listening(AzureCloud(connection), self.heard)
