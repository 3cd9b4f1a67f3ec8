"""Scripted trouble: which of it meets which call.

A faults file is `{"format": "readiness/faults/1", "faults": [...]}`; `faultfile` reads it, `troubles` says
what there is. Guarantees: faults hold no state; the same calls in the same order meet the same trouble, and
chance is drawn from the file's seed, the fault, the resource and the count. A retry is a call and counts.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from readiness.twin import faultfile
from readiness.twin.durations import SECONDS
from readiness.twin.faultfile import FORMAT, FaultFileError
from readiness.twin.troubles import (
    AgentSilent,
    Aim,
    Aimed,
    Boot,
    BootFails,
    Changed,
    Denied,
    Fail,
    KeyLost,
    Lost,
    NoHeaders,
    Reset,
    Slow,
    SnapshotQuota,
    Stuck,
    Throttle,
    Trouble,
)

__all__ = ["FORMAT", "OPERATIONS", "Arrival", "Boot", "Ending", "FaultFileError", "Faults"]

OPERATIONS = tuple(sorted(SECONDS))

AimedKind = TypeVar("AimedKind", bound=Aim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call, as faults see it: the nth of its operation on its resource."""

    operation: str
    resource_id: str
    nth: int
    size: str = ""
    """Of the virtual machine that is called, if it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an accepted operation goes on."""

    failure: Fail | None = None
    factor: float = 1.0
    is_stuck: bool = False
    is_silent: bool = False
    """Whether the answer leaves out where to follow it."""


SMOOTH = Ending()


class Faults:
    """All scripted trouble of a twin."""

    def __init__(self, faults: tuple[Trouble, ...] = (), *, seed: int = 0) -> None:
        self.faults = faults
        self._seed = seed
        self._aimed = tuple((index, fault) for index, fault in enumerate(faults) if isinstance(fault, Aimed))
        self._about_keys = tuple(fault for fault in faults if isinstance(fault, KeyLost))
        self._about_boots = tuple(fault for fault in faults if isinstance(fault, AgentSilent | BootFails))

    def __bool__(self) -> bool:
        """Tell whether there is any trouble at all."""
        return bool(self.faults)

    @classmethod
    def parse(cls, document: object) -> "Faults":
        """Read a faults document."""
        faults, seed = faultfile.read(document, operations=OPERATIONS)
        return cls(faults, seed=seed)

    def refusal(self, arrival: Arrival) -> Fail | Throttle | Denied | Reset | None:
        """Return the trouble that meets a call at once: the first in the file."""
        for index, fault in self._aimed:
            if isinstance(fault, Fail) and fault.at == "end":
                continue
            if isinstance(fault, Fail | Throttle | Denied | Reset) and self._meets(index, fault, arrival):
                return fault
        return None

    def loses(self, arrival: Arrival) -> bool:
        """Tell whether the answer to a call is lost."""
        return self._first(Lost, arrival) is not None

    def change(self, arrival: Arrival) -> Changed | None:
        """Return what somebody else changes just before a call."""
        return self._first(Changed, arrival)

    def ending(self, arrival: Arrival) -> Ending:
        """Return how the operation of a call goes on."""
        if not self._aimed:
            return SMOOTH
        slow = self._first(Slow, arrival)
        return Ending(
            failure=next(
                (
                    fault
                    for index, fault in self._aimed
                    if isinstance(fault, Fail) and fault.at == "end" and self._meets(index, fault, arrival)
                ),
                None,
            ),
            factor=1.0 if slow is None else slow.factor,
            is_stuck=self._first(Stuck, arrival) is not None,
            is_silent=self._first(NoHeaders, arrival) is not None,
        )

    def silences(self, boot: Boot) -> bool:
        """Tell whether the agent stays silent after this boot."""
        return any(_silences(fault, boot) for fault in self._about_boots)

    def stops(self, boot: Boot) -> bool:
        """Tell whether a boot gets no further than the firmware."""
        return any(isinstance(fault, BootFails) and _silences(fault, boot) for fault in self._about_boots)

    def snapshots_allowed(self, resource_id: str) -> int | None:
        """Return how many new snapshots the file allows, or None where it does not say."""
        limits = [
            fault.limit
            for fault in self.faults
            if isinstance(fault, SnapshotQuota) and names(fault.resource, resource_id)
        ]
        return min(limits, default=None)

    def lost_keys(self, set_ids: Iterable[str], counts: dict[str, int]) -> str | None:
        """Return the first of these disk encryption sets that has lost its key."""
        for fault in self._about_keys:
            seen = sum(count for name, count in counts.items() if _fits(fault.operation, name))
            if seen >= fault.nth:
                for set_id in set_ids:
                    if names(fault.resource, set_id):
                        return set_id
        return None

    def _first(self, kind: type[AimedKind], arrival: Arrival) -> AimedKind | None:
        for index, fault in self._aimed:
            if isinstance(fault, kind) and self._meets(index, fault, arrival):
                return fault
        return None

    def _meets(self, index: int, fault: Aim, arrival: Arrival) -> bool:
        return (
            fault.nth <= arrival.nth < fault.nth + fault.times
            and _fits(fault.operation, arrival.operation)
            and names(fault.resource, arrival.resource_id)
            and (not isinstance(fault, Fail) or _has_size(fault, arrival))
            and (fault.probability >= 1 or self._chance(index, arrival) < fault.probability)
        )

    def _chance(self, index: int, arrival: Arrival) -> float:
        parts = (self._seed, index, arrival.operation, arrival.resource_id.lower(), arrival.nth)
        digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _fits(pattern: str, operation: str) -> bool:
    # What is read meets trouble only where a file says so: `*` alone is about writes.
    if operation.endswith("/read") and not pattern.lower().endswith("read"):
        return False
    return fnmatchcase(operation.lower(), pattern.lower())


def _has_size(fault: Fail, arrival: Arrival) -> bool:
    return fault.size == "*" or fnmatchcase(arrival.size.lower(), fault.size.lower())


def names(pattern: str, resource_id: str) -> bool:
    """Tell whether a pattern names a resource, by its name or its id, without case."""
    folded, wanted = resource_id.lower(), pattern.lower()
    return fnmatchcase(folded.rsplit("/", 1)[-1], wanted) or fnmatchcase(folded, wanted)


def _silences(fault: AgentSilent | BootFails, boot: Boot) -> bool:
    wanted = fault.while_security_type
    return (
        names(fault.resource, boot.resource_id)
        and (wanted is None or wanted.lower() == boot.security_type.lower())
        and (fault.while_secure_boot is None or fault.while_secure_boot == boot.has_secure_boot)
        and (fault.boots is None or boot.nth <= fault.boots)
    )
