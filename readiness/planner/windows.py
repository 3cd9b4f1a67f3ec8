"""Maintenance windows as instants: recurrence in local time, comparison in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from readiness.model.context import MaintenanceWindow
from readiness.model.plan import Occurrence


def occurrences(window: MaintenanceWindow, after: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences of a window that open at or after an instant, earliest first.

    The start is local wall-clock time, so it moves with daylight saving; the length is real time.
    """
    from dateutil.rrule import rrulestr

    zone = ZoneInfo(window.timezone)
    first_day = after.astimezone(zone).date()
    naive = datetime.combine(first_day, window.start)
    for local in rrulestr(window.rrule, dtstart=naive):
        opens = local.replace(tzinfo=zone).astimezone(UTC)
        if opens >= after:
            yield Occurrence(
                window=window.name,
                opens=opens,
                closes=opens + window.duration,
                timezone=window.timezone,
            )


def next_occurrence(windows: tuple[MaintenanceWindow, ...], after: datetime) -> Occurrence | None:
    """Return the earliest occurrence of any of the windows at or after an instant."""
    upcoming = [entry for window in windows for entry in islice(occurrences(window, after), 1)]
    return min(upcoming, key=lambda entry: (entry.opens, entry.window), default=None)
