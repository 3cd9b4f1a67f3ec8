"""The ladder of maturity: four rungs, and how high somebody stands by the controls that hold.

The rungs are this project's own reading of published advice; Microsoft publishes no such levels.
"""

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct

from readiness.model.verdict import Status


class Level(IntEnum):
    """A rung of the ladder. Whoever stands on one meets every mandatory control of it and of those below."""

    NONE = 0
    BASIC = 1
    ADVANCED = 2
    FULL = 3


class Rung(Struct, frozen=True):
    """What a level is called, and what it means."""

    level: Level
    name: str
    means: str


LADDER = (
    Rung(Level.NONE, "Not yet safe", "A mandatory control of Level 1 does not hold, or nobody knows."),
    Rung(
        Level.BASIC, "Basic hygiene", "No open door: ports, passwords, retired agents and disks are in order."
    ),
    Rung(
        Level.ADVANCED,
        "Advanced protection",
        "Trusted Launch, managed identity, encryption at host, patching, monitoring and backup are in place.",
    ),
    Rung(
        Level.FULL,
        "Full alignment",
        "No standing access, customer-managed keys, segmented networks, and drift that corrects itself.",
    ),
)


class LevelReached(Struct, frozen=True):
    """How high something stands: by what holds alone, and with what was permitted not to hold."""

    raw: Level
    with_exceptions: Level


class Answered(Struct, frozen=True):
    """One mandatory control's answer."""

    level: Level
    status: Status
    is_permitted: bool = False
    """An exception that has not expired covers it."""


def reached(answers: Iterable[Answered]) -> LevelReached:
    """Return the highest level whose mandatory controls, and those of all levels below, hold.

    Unknown never holds. A control that does not apply stands in nobody's way.
    """
    raw = permitted = int(Level.FULL)
    for answer in answers:
        if answer.status not in _HOLDS:
            below = answer.level - 1
            raw = min(raw, below)
            if not answer.is_permitted:
                permitted = min(permitted, below)
    return LevelReached(Level(raw), Level(permitted))


def lowest(levels: Iterable[LevelReached]) -> LevelReached:
    """Return the level of a whole: that of its lowest part, and the highest one where it has no parts."""
    raw = permitted = Level.FULL
    for entry in levels:
        raw = min(raw, entry.raw)
        permitted = min(permitted, entry.with_exceptions)
    return LevelReached(raw, permitted)


_HOLDS = (Status.MET, Status.NOT_APPLICABLE)
