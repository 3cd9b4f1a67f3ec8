"""The time of a wave on a line: stretches in which something went on, one beside the other, without the rest.

Preparation comes days before a window of hours, and on one scale nothing of the window could be seen. So a
stretch in which nothing happened is left out, and whoever draws says where.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reports.tables.times import utc

_IDLE = timedelta(minutes=90)
"""A longer time without anything is left out."""
_LEAST = timedelta(minutes=5)
"""What happens in one instant still takes room."""
_STEPS = tuple(timedelta(minutes=one) for one in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
_BREAK = 14
"""Pixels between two stretches."""
_TICK_ROOM, _DAY_ROOM = 52, 84
"""Pixels that the label of a time needs, and that of a day."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which something went on, and where it lies on the line."""

    start: datetime
    end: datetime
    left: float
    right: float

    def at(self, moment: datetime) -> float:
        """Return where an instant lies."""
        share = (moment - self.start) / (self.end - self.start)
        return round(self.left + share * (self.right - self.left), 2)


class TimeLine:
    """Instants to pixels, from left to right."""

    def __init__(
        self, spans: Iterable[tuple[datetime, datetime]], left: float, right: float, *, day: str = "%a %d %b"
    ) -> None:
        self._day = day
        joined = list(_joined(spans))
        total = sum(((end - start) for start, end in joined), timedelta())
        room = right - left - _BREAK * (len(joined) - 1)
        # A short stretch gets room for its label; the others share what is left.
        least = min(_TICK_ROOM + 12, room / len(joined)) if joined else 0.0
        short = [end - start for start, end in joined if room * ((end - start) / total) < least]
        rest = total - sum(short, timedelta())
        self.stretches: list[Stretch] = []
        at = float(left)
        for start, end in joined:
            wide = least
            if room * ((end - start) / total) >= least:
                wide = (room - least * len(short)) * ((end - start) / rest)
            self.stretches.append(Stretch(start, end, at, at + wide))
            at += wide + _BREAK

    def at(self, moment: datetime) -> float:
        """Return where an instant lies; the nearest place where it lies in none of the stretches."""
        for stretch in self.stretches:
            if moment <= stretch.end:
                return stretch.at(max(moment, stretch.start))
        return self.stretches[-1].right

    def breaks(self) -> Iterator[float]:
        """Yield the places where time was left out."""
        for before in self.stretches[:-1]:
            yield before.right + _BREAK / 2

    def ticks(self) -> list[tuple[float, str, str]]:
        """Return places with the time to write there, and the day where it is another than before.

        The first of each stretch is always named; of the others only what does not run into a neighbour.
        """
        found: list[tuple[float, str, str]] = []
        for place, stretch in enumerate(self.stretches):
            after = self.stretches[place + 1 :]
            end = after[0].at(_ticks(after[0])[0]) if after else float("inf")
            day, last = "", 0.0
            for moment in _ticks(stretch):
                at, shown = stretch.at(moment), utc(moment)
                if day and end - at < _TICK_ROOM:
                    break
                today = f"{shown:{self._day}}"
                is_named = today != day and (not day or (at - last > _DAY_ROOM and end - at > _DAY_ROOM))
                found.append((at, f"{shown:%H:%M}", today if is_named else ""))
                if is_named:
                    day, last = today, at
        return found


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Yield spans in order, those with little or nothing between them as one."""
    start, end = None, None
    for begin, until in sorted(spans):
        if start is None or end is None:
            start, end = begin, until
        elif begin - end > _IDLE:
            yield start, max(end, start + _LEAST)
            start, end = begin, until
        else:
            end = max(end, until)
    if start is not None and end is not None:
        yield start, max(end, start + _LEAST)


def _ticks(stretch: Stretch) -> list[datetime]:
    """Return round instants of a stretch, as many as there is room for; its beginning where there is none."""
    most = max(int((stretch.right - stretch.left) / _TICK_ROOM), 1)
    length = stretch.end - stretch.start
    step = next((one for one in _STEPS if length / one <= most), _STEPS[-1])
    midnight = stretch.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + -(-(stretch.start - midnight) // step) * step
    found = []
    while moment <= stretch.end:
        found.append(moment)
        moment += step
    return found or [stretch.start]
