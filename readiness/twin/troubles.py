"""Scripted trouble, as values: what can be told to go wrong, one class a kind.

Guarantees: troubles hold no state. What a file gives as `kind` and keys is what stands here; the text that a
user reads about each is in docs/faults.md.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

FOREVER = 1_000_000_000

# Learn, "Troubleshoot allocation failures": the message a start meets when the region is short of capacity.
ALLOCATION = (
    409,
    "AllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read "
    "more about improving likelihood of allocation success at https://aka.ms/allocation-guidance",
)
REFUSED = (409, "OperationNotAllowed", "The operation is not allowed at this time. Please try again later.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Which calls meet a trouble."""

    operation: str = "*"
    resource: str = "*"
    nth: int = 1
    times: int = 1
    probability: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Aim):
    """A call that is refused, or an operation that ends badly."""

    kind: ClassVar[str] = "fail"
    at: Literal["begin", "end"] = "begin"
    size: str = "*"
    """A pattern over sizes of virtual machines: only what has such a size meets it."""
    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle(Aim):
    """A call that is answered 429."""

    kind: ClassVar[str] = "throttle"
    retry_after: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied(Aim):
    """A right that the caller has not got, or has lost."""

    kind: ClassVar[str] = "denied"
    times: int = FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Aim):
    """A connection that is gone before anything has happened."""

    kind: ClassVar[str] = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Aim):
    """An answer that is lost after everything has happened."""

    kind: ClassVar[str] = "lost-answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Aim):
    """An operation that takes so many times as long."""

    kind: ClassVar[str] = "slow"
    factor: float = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(Aim):
    """An operation that never ends."""

    kind: ClassVar[str] = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoHeaders(Aim):
    """An accepted write whose answer does not say where to follow it."""

    kind: ClassVar[str] = "no-headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Aim):
    """Somebody else changes the resource just before the call arrives."""

    kind: ClassVar[str] = "changed"
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotQuota:
    """A region that holds so many new snapshots and no more."""

    kind: ClassVar[str] = "snapshot-quota"
    resource: str = "*"
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLost:
    """A disk encryption set that loses its key once the nth such call of the whole twin has arrived."""

    kind: ClassVar[str] = "key-lost"
    resource: str = "*"
    operation: str = "*"
    nth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSilent:
    """A boot after which the agent stays silent."""

    kind: ClassVar[str] = "agent-silent"
    resource: str = "*"
    while_security_type: str | None = None
    while_secure_boot: bool | None = None
    boots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFails:
    """A boot that gets no further than the firmware, with Secure Boot on unless it says otherwise."""

    kind: ClassVar[str] = "boot-fails"
    resource: str = "*"
    while_security_type: str | None = None
    while_secure_boot: bool | None = True
    boots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """A boot, as faults see it."""

    resource_id: str
    nth: int
    security_type: str
    has_secure_boot: bool


Aimed: TypeAlias = Fail | Throttle | Denied | Reset | Lost | Slow | Stuck | NoHeaders | Changed
Trouble: TypeAlias = Aimed | SnapshotQuota | KeyLost | AgentSilent | BootFails
