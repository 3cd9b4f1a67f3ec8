"""A process of ours on a twin, for the tests of single changes: it can listen to, or break, what is asked."""

from collections.abc import Callable
from datetime import date
from typing import Any

from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.model.steps import Change
from readiness.ports.cloud import Pending, Progress, StepContext
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import Wire

Before = Callable[[HttpRequest], HttpResponse | None]


class Listening(TwinTransport):
    """A way to a twin that remembers what was asked; something may happen just before a request arrives."""

    def __init__(self, wire: Wire, asked: list[str], before: Before | None) -> None:
        super().__init__(wire.twin)
        self._asked = asked
        self._before = before

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """Remember, and answer."""
        self._asked.append(f"{request.method} {request.url}")
        answered = self._before(request) if self._before else None
        return answered or super().send(request, **options)


class Process:
    """A process on a twin; a second one knows nothing of the first but the tokens it is told."""

    def __init__(self, wire: Wire, before: Before | None = None) -> None:
        self.wire = wire
        self.asked: list[str] = []
        endpoint = Endpoint(
            base_url="https://twin.invalid",
            credential=TwinCredential(),
            make_transport=lambda: Listening(wire, self.asked, before),
        )
        self.cloud = AzureCloud(Connection(endpoint))

    def begin(self, change: Change) -> Progress:
        """Begin a change as the run does at this moment."""
        context = StepContext(
            plan="0123456789ab",
            run="run-1",
            instance="abcd",
            now=self.wire.clock.now(),
            started="2026-11-28T21:00:00+00:00",
            expires=date(2026, 12, 1),
            before=None,
        )
        return self.cloud.begin(change, context)

    def finish(self, change: Change, progress: Progress) -> Progress:
        """Ask about a change until it has ended."""
        for _ in range(1000):
            if not isinstance(progress, Pending):
                return progress
            self.wire.clock.sleep(progress.retry_after)
            token = progress.token
            progress = self.begin(change) if token is None else self.cloud.poll(change, token)
        raise AssertionError(f"it does not end: {progress}")

    def do(self, change: Change) -> Progress:
        """Carry a change out to its end."""
        return self.finish(change, self.begin(change))

    def writes(self) -> list[str]:
        """Return the writes that the twin has heard of, accepted or not."""
        return [f"{exchange.method} {exchange.status}" for exchange in self.wire.twin.log]

    def count(self, words: str) -> int:
        """Return how many requests had these words in their address, in any case."""
        return sum(words.lower() in each.lower() for each in self.asked)
