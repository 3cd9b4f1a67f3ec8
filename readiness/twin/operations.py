"""Long-running operations, and the timeline on which everything that is due later waits.

Nothing runs in the background. An effect settles when a request arrives at or after its time, in the order of
the times, so that any client sees exactly what it would have seen had the effect happened on the dot.
"""

import hashlib
import heapq
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from readiness.twin.documents import Json
from readiness.twin.durations import SECONDS, UNLISTED
from readiness.twin.faults import Ending
from readiness.twin.protocols import COMPUTE, Protocol

_NAMESPACE = uuid.UUID("6f1c1a52-0c8e-5b0e-9a3c-2f0d9b7f4e11")
_NEVER = datetime.max.replace(tzinfo=UTC)

Effect = Callable[[datetime], None]
Output = Callable[[], Json | None]


def identifier(*parts: object) -> str:
    """Return the UUID these parts always give."""
    return str(uuid.uuid5(_NAMESPACE, "|".join(str(part).lower() for part in parts)))


def draw(*parts: object) -> float:
    """Return the number in [0, 1) these parts always give: chance without a generator to share."""
    digest = hashlib.sha256("|".join(str(part).lower() for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


class Status(StrEnum):
    """Where an operation stands, in the words its body uses."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class Timeline:
    """Effects that wait for their time."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Effect]] = []
        self._count = 0

    def add(self, when: datetime, effect: Effect) -> None:
        """Let an effect wait for its time."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, effect))

    def settle(self, now: datetime) -> None:
        """Let everything happen that is due, and what follows from it."""
        while self._due and self._due[0][0] <= now:
            when, _, effect = heapq.heappop(self._due)
            effect(when)


@dataclass(slots=True, kw_only=True)
class Operation:
    """One long-running operation."""

    name: str
    kind: str
    target: str
    place: str
    """The location its addresses name."""
    protocol: Protocol
    started: datetime
    ends: datetime
    output: Output | None = None
    """What it has made, asked for once it has succeeded."""
    polls: int = 0
    status: Status = Status.IN_PROGRESS
    error: Json | None = None

    def body(self) -> Json:
        """Return what a poll reads, as recorded: an end time and an error only where there is one."""
        if not self.protocol.tells_times:
            body: Json = {"status": str(self.status)}
        else:
            body = {"startTime": self.started.isoformat()}
            if self.status is not Status.IN_PROGRESS:
                body["endTime"] = self.ends.isoformat()
            body |= {"status": str(self.status), "name": self.name}
        return body if self.error is None else body | {"error": dict(self.error)}

    def result(self) -> Json | None:
        """Return what it has made, once it has succeeded."""
        return self.output() if self.output is not None and self.status is Status.SUCCEEDED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operation does when it ends well, and when it does not."""

    done: Effect
    failed: Effect
    ending: Ending
    output: Output | None = None


class Operations:
    """All operations of a twin."""

    def __init__(self, timeline: Timeline, *, seed: int) -> None:
        self._timeline = timeline
        self._seed = seed
        self._by_name: dict[str, Operation] = {}
        self._running: dict[str, Operation] = {}
        self._count: Counter[tuple[str, str]] = Counter()

    def find(self, name: str) -> Operation | None:
        """Return the operation of a name, whatever its state."""
        return self._by_name.get(name.lower())

    def running(self, resource_id: str) -> Operation | None:
        """Return the operation in progress on a resource."""
        return self._running.get(resource_id.lower())

    def seconds(self, kind: str, target: str, *, within: tuple[float, float] | None = None) -> float:
        """Return how long the next such thing takes on this resource."""
        shortest, longest = within or SECONDS.get(kind, UNLISTED)
        count = self._count[kind, target.lower()]
        return round(shortest + (longest - shortest) * draw(self._seed, target, kind, count), 3)

    def begin(  # noqa: PLR0913  what an operation is, side by side
        self,
        kind: str,
        target: str,
        *,
        now: datetime,
        outcome: Outcome,
        place: str = "global",
        protocol: Protocol = COMPUTE,
        within: tuple[float, float] | None = None,
    ) -> Operation:
        """Begin an operation: it ends by itself once its time has come, if it ever does."""
        key = target.lower()
        self._count[kind, key] += 1
        seconds = self.seconds(kind, key, within=within) * outcome.ending.factor
        operation = Operation(
            name=identifier(self._seed, kind, key, self._count[kind, key]),
            kind=kind,
            target=target,
            place=place,
            protocol=protocol,
            started=now,
            ends=_NEVER if outcome.ending.is_stuck else now + timedelta(seconds=seconds),
            output=outcome.output,
        )
        self._by_name[operation.name] = self._running[key] = operation
        if not outcome.ending.is_stuck:
            self._timeline.add(operation.ends, lambda when: self._end(operation, outcome, when))
        return operation

    def _end(self, operation: Operation, outcome: Outcome, when: datetime) -> None:
        if self._running.get(operation.target.lower()) is operation:
            del self._running[operation.target.lower()]
        failure = outcome.ending.failure
        if failure is None:
            operation.status = Status.SUCCEEDED
            outcome.done(when)
        else:
            operation.status = Status.FAILED
            operation.error = {"code": failure.code, "message": failure.message}
            outcome.failed(when)
