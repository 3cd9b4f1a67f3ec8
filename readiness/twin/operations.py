"""Long-running operations, and the timeline on which everything that is due later waits.

Nothing runs in the background. An effect settles when a request arrives at or after its time, in the order of
the times, so that any client sees exactly what it would have seen had the effect happened on the dot.
Durations are plausible, not measured: one table, with a jitter drawn from seed, resource, operation and
count.
"""

import hashlib
import heapq
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from readiness.twin.documents import Json
from readiness.twin.faults import Fail

SECONDS = {
    "virtualMachines/deallocate": 60.0,
    "virtualMachines/start": 40.0,
    "virtualMachines/powerOff": 20.0,
    "virtualMachines/write": 10.0,
    "disks/write": 5.0,
    "snapshots/write": 15.0,
    "snapshots/delete": 5.0,
    "agent": 30.0,
    "nothing to do": 2.0,
}
JITTER = 0.1
"""Durations lie within a tenth of the table, on either side."""

_NAMESPACE = uuid.UUID("6f1c1a52-0c8e-5b0e-9a3c-2f0d9b7f4e11")

Effect = Callable[[datetime], None]


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
    family: str
    """The collection its URL stands in: `operations`, or `DiskOperations`."""
    started: datetime
    ends: datetime
    status: Status = Status.IN_PROGRESS
    error: Json | None = None

    def body(self) -> Json:
        """Return what a poll reads, as recorded: an end time and an error only where there is one."""
        body: Json = {"startTime": self.started.isoformat()}
        if self.status is not Status.IN_PROGRESS:
            body["endTime"] = self.ends.isoformat()
        body |= {"status": str(self.status), "name": self.name}
        return body if self.error is None else body | {"error": dict(self.error)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operation does when it ends well, and when it does not."""

    done: Effect
    failed: Effect
    trouble: Fail | None = None


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

    def seconds(self, kind: str, target: str, *, table: str | None = None) -> float:
        """Return how long the next such thing takes on this resource."""
        count = self._count[kind, target.lower()]
        swing = 1 - JITTER + 2 * JITTER * draw(self._seed, target, kind, count)
        return round(SECONDS[table or kind] * swing, 3)

    def begin(
        self, kind: str, target: str, *, now: datetime, outcome: Outcome, is_idle: bool = False
    ) -> Operation:
        """Begin an operation: it ends by itself once its time has come."""
        key = target.lower()
        self._count[kind, key] += 1
        operation = Operation(
            name=identifier(self._seed, kind, key, self._count[kind, key]),
            kind=kind,
            target=target,
            family="operations" if kind.startswith("virtualMachines/") else "DiskOperations",
            started=now,
            ends=now + timedelta(seconds=self.seconds(kind, key, table="nothing to do" if is_idle else None)),
        )
        self._by_name[operation.name] = self._running[key] = operation
        self._timeline.add(operation.ends, lambda when: self._end(operation, outcome, when))
        return operation

    def _end(self, operation: Operation, outcome: Outcome, when: datetime) -> None:
        del self._running[operation.target.lower()]
        if outcome.trouble is None:
            operation.status = Status.SUCCEEDED
            outcome.done(when)
        else:
            operation.status = Status.FAILED
            operation.error = {"code": outcome.trouble.code, "message": outcome.trouble.message}
            outcome.failed(when)
