"""Maintenance windows as instants: recurrence in local time, comparison in UTC.

The start is local wall-clock time, so it moves with daylight saving; the length is real time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from readiness.model.context import MaintenanceWindow
from readiness.model.plan import Occurrence

_ANCHOR = date(2024, 1, 1)
"""Where every recurrence counts from, so that *every second week* means the same weeks in every plan."""


class Calendar:
    """The occurrences that open after a day, local to their window; found once, as far as asked for."""

    def __init__(self, windows: Iterable[MaintenanceWindow], as_of: date) -> None:
        self._windows = {window.name: window for window in windows}
        self._coming = {
            name: (entry for entry in occurrences(window) if _opening_day(entry) > as_of)
            for name, window in self._windows.items()
        }
        self._found: dict[str, list[Occurrence]] = {name: [] for name in self._windows}

    def seconds(self, window: str) -> int:
        """Return how long a window is; one that nobody described has no length."""
        known = self._windows.get(window)
        return int(known.duration.total_seconds()) if known else 0

    def earliest(self, windows: Iterable[str], after: datetime) -> Occurrence | None:
        """Return the first occurrence of any of the windows that opens at or after an instant."""
        upcoming = [entry for window in windows if (entry := self._next(window, after)) is not None]
        return min(upcoming, key=lambda entry: (entry.opens, entry.window), default=None)

    def _next(self, window: str, after: datetime) -> Occurrence | None:
        found = self._found.get(window, [])
        while not found or found[-1].opens < after:
            entry = next(self._coming.get(window, iter(())), None)
            if entry is None:
                return None
            found.append(entry)
        return found[bisect_left(found, after, key=lambda entry: entry.opens)]


def occurrences(window: MaintenanceWindow) -> Iterator[Occurrence]:
    """Yield the occurrences of a window, earliest first."""
    from dateutil.rrule import rrulestr

    zone = ZoneInfo(window.timezone)
    for local in rrulestr(window.rrule, dtstart=datetime.combine(_ANCHOR, window.start)):
        opens = local.replace(tzinfo=zone).astimezone(UTC)
        yield Occurrence(
            window=window.name,
            opens=opens,
            closes=opens + window.duration,
            timezone=window.timezone,
        )


def _opening_day(occurrence: Occurrence) -> date:
    return occurrence.opens.astimezone(ZoneInfo(occurrence.timezone)).date()
