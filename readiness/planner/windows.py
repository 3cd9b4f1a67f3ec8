"""Maintenance windows as instants: recurrence in local time, comparison in UTC, freezes left out.

A window opens at its local wall-clock time, whatever daylight saving makes of it. It closes after its length
in real time, and never later than the wall clock says: on the night to summer time it is an hour shorter.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from readiness.model.context import Freeze, MaintenanceWindow
from readiness.model.plan import Occurrence

ANY_TIME = "any time"
"""The window of a plan that keeps no windows."""
_ANCHOR = date(2024, 1, 1)
"""Where recurrences count from, so that *every second week* means the same weeks in every plan."""
_HORIZON = timedelta(days=3660)
"""No plan looks further ahead: a window that does not come by then does not come."""
_LONG = timedelta(days=366)


class Calendar:
    """The occurrences that open after a day, local to their window; found once, as far as asked for."""

    def __init__(self, windows: Iterable[MaintenanceWindow], as_of: date, *, keeps: bool = True) -> None:
        self._windows = {window.name: window for window in windows}
        self._coming = {
            name: (entry for entry in occurrences(window, as_of) if _opening_day(entry) > as_of)
            for name, window in self._windows.items()
        }
        self._found: dict[str, list[Occurrence]] = {name: [] for name in self._windows}
        self.keeps = keeps
        """Whether windows are kept; if not, any time from the next day on is one."""
        self.begins = _midnight(as_of) + timedelta(days=-1 if keeps else 1)
        """Before which nothing begins; windows look at the day themselves, each in its own zone."""

    def seconds(self, window: str) -> int:
        """Return how long a window is at most; one that nobody described has no length."""
        if not self.keeps:
            return int(_LONG.total_seconds())
        known = self._windows.get(window)
        return int(known.duration.total_seconds()) if known else 0

    def earliest(
        self,
        windows: Iterable[str],
        after: datetime,
        *,
        frozen: Iterable[Freeze] = (),
        not_before: date | None = None,
        needed: int = 0,
    ) -> Occurrence | None:
        """Return the first occurrence of any of the windows that opens at or after an instant.

        Args:
            windows: Names of the windows.
            after: The instant.
            frozen: Freezes of which it may touch no day.
            not_before: The first local day on which it may open.
            needed: How many seconds it has to have.
        """
        if not self.keeps:
            return self._any_time(after, tuple(frozen), not_before, needed)
        known = tuple(frozen)
        upcoming = [
            entry
            for window in windows
            if self.seconds(window) >= needed
            and (entry := self._next(window, after, known, not_before, needed)) is not None
        ]
        return min(upcoming, key=lambda entry: (entry.opens, entry.closes, entry.window), default=None)

    def _next(
        self, window: str, after: datetime, frozen: tuple[Freeze, ...], not_before: date | None, needed: int
    ) -> Occurrence | None:
        found = self._found.get(window, [])
        position = bisect_left(found, after, key=lambda entry: entry.opens)
        while True:
            if position == len(found):
                entry = next(self._coming.get(window, iter(())), None)
                if entry is None:
                    return None
                found.append(entry)
            entry = found[position]
            position += 1
            if entry.opens < after or entry.seconds < needed:
                continue
            if not_before is not None and _opening_day(entry) < not_before:
                continue
            if not any(_touches(entry, freeze) for freeze in frozen):
                return entry

    def _any_time(
        self, after: datetime, frozen: tuple[Freeze, ...], not_before: date | None, needed: int
    ) -> Occurrence:
        """Return the time between freezes, the first of which is long enough."""
        opens = max(after, self.begins)
        if not_before is not None:
            opens = max(opens, _midnight(not_before))
        closes = opens + _LONG
        for freeze in sorted(frozen, key=lambda entry: entry.starts):
            if freeze.ends < opens.date():
                continue
            if opens + timedelta(seconds=max(needed, 1)) <= _midnight(freeze.starts):
                closes = min(closes, _midnight(freeze.starts))
                break
            opens = _midnight(freeze.ends + timedelta(days=1))
            closes = opens + _LONG
        return Occurrence(window=ANY_TIME, opens=opens, closes=closes, timezone="UTC")


def occurrences(window: MaintenanceWindow, as_of: date) -> Iterator[Occurrence]:
    """Yield the occurrences of a window, earliest first; a COUNT counts from the day after `as_of`."""
    from dateutil.rrule import rrule, rrulestr

    zone = ZoneInfo(window.timezone)
    counted = "COUNT=" in window.rrule.upper()
    first = as_of + timedelta(days=1) if counted else _ANCHOR
    found = rrulestr(window.rrule, dtstart=datetime.combine(first, window.start))
    horizon = datetime.combine(as_of, window.start) + _HORIZON
    if isinstance(found, rrule) and not counted and "UNTIL=" not in window.rrule.upper():
        # A recurrence such as every 30th of February would be looked for until the year 9999.
        found = found.replace(until=horizon)
    for local in found:
        if local > horizon:
            return
        opens = local.replace(tzinfo=zone).astimezone(UTC)
        on_the_wall = (local + window.duration).replace(tzinfo=zone).astimezone(UTC)
        closes = min(opens + window.duration, on_the_wall)
        if closes > opens:
            yield Occurrence(window=window.name, opens=opens, closes=closes, timezone=window.timezone)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _opening_day(occurrence: Occurrence) -> date:
    return occurrence.opens.astimezone(ZoneInfo(occurrence.timezone)).date()


def _touches(occurrence: Occurrence, freeze: Freeze) -> bool:
    zone = ZoneInfo(occurrence.timezone)
    last = (occurrence.closes - timedelta(seconds=1)).astimezone(zone).date()
    return occurrence.opens.astimezone(zone).date() <= freeze.ends and freeze.starts <= last
