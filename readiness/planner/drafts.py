"""Waves before they are told to people, and what has its place so far."""

from datetime import datetime

from msgspec import Struct

from readiness.planner.schedule import PlacedBatch


class Draft(Struct, kw_only=True):
    """A wave before it is told to people."""

    number: int
    stage: int
    groups: tuple[int, ...]
    batches: tuple[PlacedBatch, ...]

    @property
    def closes(self) -> datetime:
        """When the last of its occurrences is over."""
        return max(batch.occurrence.closes for batch in self.batches)

    @property
    def opens(self) -> datetime:
        """When the first of its occurrences begins."""
        return min(batch.occurrence.opens for batch in self.batches)


class Placed(Struct):
    """What has its place: the state that stages hand on to one another."""

    wave_of: dict[int, int]
    drafts: list[Draft]
    lost: dict[int, str]
    """Groups that fit nowhere, and why."""
    next_number: int
    floor: datetime
    """Before which nothing of the next stage may begin."""
    refused: dict[int, str] = {}
    """Pins that cannot be honoured, by group."""

    def copy(self) -> "Placed":
        """Return a state that can be changed without changing this one."""
        return Placed(
            dict(self.wave_of),
            list(self.drafts),
            dict(self.lost),
            self.next_number,
            self.floor,
            dict(self.refused),
        )
