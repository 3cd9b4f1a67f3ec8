"""The observer port: whoever watches a run, so that the engine need not print."""

from typing import Protocol

from readiness.model.run import Event


class Observer(Protocol):
    """Somebody who is told what happens."""

    def told(self, event: Event) -> None:
        """Take note of one event."""
