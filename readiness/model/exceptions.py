"""What an exception has to say before it counts as kept, how long it may run, and where it stands on a day.

Pure, and the one place where these demands are written down: the register, the workbooks and the control
that asks whether exceptions are kept all take them from here.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

LONGEST = timedelta(days=180)
"""How long an exception may still run on the day it is looked at; then somebody has to decide again."""
SOON = timedelta(days=30)
"""How long before its end an exception is told as ending soon."""


class State(StrEnum):
    """Where an exception stands on a day."""

    IN_FORCE = "in force"
    ENDS_SOON = "ends soon"
    EXPIRED = "expired"


class Permission(Protocol):
    """Whatever says who permitted what until when, and what protects meanwhile."""

    @property
    def owner(self) -> str:
        """Who carries the risk."""

    @property
    def reason(self) -> str:
        """Why it cannot be met now."""

    @property
    def approved_by(self) -> str:
        """Who permitted it."""

    @property
    def expires(self) -> date:
        """The last day on which it holds."""

    @property
    def compensating_control(self) -> str:
        """What protects meanwhile."""


class Fault(Struct, frozen=True, kw_only=True):
    """One demand that an exception does not meet, and what mends it."""

    reason: str
    """For machines: `TooLong`, `Expired`, `NoOwner` and so on."""
    key: str
    """The key of its entry that is wrong or missing."""
    detail: str
    remedy: str


NO_COMPENSATING_CONTROL = "NoCompensatingControl"


def days_left(entry: Permission, as_of: date) -> int:
    """Return for how many days after this one it still holds; negative once it has expired."""
    return (entry.expires - as_of).days


def state_of(entry: Permission, as_of: date) -> State:
    """Return where it stands on that day; on its last day it still holds."""
    left = days_left(entry, as_of)
    if left < 0:
        return State.EXPIRED
    return State.ENDS_SOON if left <= SOON.days else State.IN_FORCE


def faults_of(entry: Permission, as_of: date, longest: timedelta = LONGEST) -> tuple[Fault, ...]:
    """Return everything that keeps an exception from being accepted on that day; all of it, not the first."""
    found = [
        Fault(reason=reason, key=key, detail=detail, remedy=remedy)
        for key, written, reason, detail, remedy in (
            ("owner", entry.owner, "NoOwner", "Nobody carries the risk.", "Name who does as 'owner'."),
            (
                "reason",
                entry.reason,
                "NoReason",
                "It does not say why the rule cannot be met.",
                "Write the reason: what stands in the way, and what will end it.",
            ),
            (
                "approved_by",
                entry.approved_by,
                "NoApprover",
                "Nobody approved it.",
                "Have it approved, and name who did as 'approved_by'.",
            ),
            (
                "compensating_control",
                entry.compensating_control,
                NO_COMPENSATING_CONTROL,
                "Nothing is named that protects meanwhile.",
                "Name it as 'compensating_control': no public IP, just-in-time access, Bastion, or a narrow "
                "source range.",
            ),
        )
        if not written.strip()
    ]
    left = days_left(entry, as_of)
    if left < 0:
        found.append(
            Fault(
                reason="Expired",
                key="expires",
                detail=f"It expired on {entry.expires} and permits nothing any more.",
                remedy="Meet the rule, or have the exception approved anew with a later 'expires'; else "
                "remove it.",
            )
        )
    if left > longest.days:
        found.append(
            Fault(
                reason="TooLong",
                key="expires",
                detail=f"It runs for {left} more days; {longest.days} are the most.",
                remedy=f"Let it expire on {as_of + longest} or earlier, and have it approved again then.",
            )
        )
    return tuple(found)
