"""The journal port: the memory of a run. Intent is written before effect, and answers outlive the process."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from readiness.model.ids import ResourceId
from readiness.model.run import Event, Signal, StepRecord, StepResult


class Journal(Protocol):
    """Written by one process; read, and given signals, by any."""

    def records(self) -> Sequence[StepRecord]:
        """Return every step record, in the order of intent."""

    def intend(self, vm: ResourceId, name: str, at: datetime) -> None:
        """Record that a step is about to have its effect; a second intent is a further attempt."""

    def begun(self, vm: ResourceId, name: str, token: str) -> None:
        """Record the token by which a begun step can be asked about."""

    def ended(self, vm: ResourceId, name: str, result: StepResult, at: datetime) -> None:
        """Record how a step ended."""

    def begin_again(self, vm: ResourceId) -> None:
        """Begin a new round for a VM: its earlier records are kept, and decide nothing any more."""

    def tell(self, event: Event) -> None:
        """Append one event to the run's story."""

    def signals(self) -> Sequence[Signal]:
        """Return what people asked of the run and was not taken yet, oldest first."""

    def taken(self, signal: Signal) -> None:
        """Record that a signal was acted on: whoever takes the run up does not see it again."""
