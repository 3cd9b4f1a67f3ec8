"""The timetables that Azure keeps, as instants: auto-shutdowns and windows of maintenance configurations.

Azure writes local times of a zone that it calls by the name Windows has for it. What cannot be understood
raises `TimetableError`, whose words say what it is: nobody takes it for a timetable that never comes.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from readiness.model.schedules import AutoShutdown, UpdateSchedule


class TimetableError(ValueError):
    """A time, a zone or a recurrence that cannot be understood."""


class Span(Struct, frozen=True, order=True):
    """From one instant to another; both are the same where something takes no time."""

    begins: datetime
    ends: datetime


def shutdowns(schedule: AutoShutdown, within: Span, zones: Mapping[str, str]) -> tuple[Span, ...]:
    """Return when an auto-shutdown comes within a span.

    Args:
        schedule: The auto-shutdown.
        within: The span.
        zones: Zones of the tz database by the name that Windows has for them, in lower case.

    Raises:
        TimetableError: Its time or its zone cannot be understood.
    """
    zone, moment = _zone(schedule.timezone, zones), _clock(schedule.time)
    day, last = within.begins.astimezone(zone).date(), within.ends.astimezone(zone).date()
    found = []
    while day <= last:
        at = _instant(datetime.combine(day, moment), zone)
        if within.begins <= at < within.ends:
            found.append(Span(at, at))
        day += timedelta(days=1)
    return tuple(found)


def updates(schedule: UpdateSchedule, within: Span, zones: Mapping[str, str]) -> tuple[Span, ...]:
    """Return the windows of a maintenance configuration that reach into a span; arguments as above.

    Raises:
        TimetableError: Its start, length, zone or recurrence cannot be understood.
    """
    zone = _zone(schedule.timezone, zones)
    first = _local(schedule.starts, "start")
    length = datetime.combine(first, _clock(schedule.duration)) - datetime.combine(first, time())
    end = _local(schedule.ends, "end") if schedule.ends else _NEVER
    after = within.begins.astimezone(zone).replace(tzinfo=None) - length - _DAY
    before = min(within.ends.astimezone(zone).replace(tzinfo=None) + _DAY, end)
    found = []
    for local in _starts(schedule.recurs, first, after, before):
        begins = _instant(local, zone)
        if begins < within.ends and begins + length > within.begins and first <= local <= end:
            found.append(Span(begins, begins + length))
    return tuple(found)


def _starts(recurs: str | None, first: datetime, after: datetime, before: datetime) -> Iterator[datetime]:
    """Yield the local starts between two local times, for a recurrence that counts from the first one."""
    if not recurs:
        yield first
        return
    from dateutil.rrule import MONTHLY, WEEKLY, rrule

    rule, offset = _rule(recurs)
    base = first - offset
    if offset:
        # The day that is counted from may lie in another month than the first start.
        base = base.replace(day=1)
    elif rule["freq"] != MONTHLY:
        # A start long ago is taken forward by whole steps, and not counted up day by day.
        step = _DAY * rule["interval"] * (_WEEK if rule["freq"] == WEEKLY else 1)
        base += max(0, (after - base) // step) * step
    for local in rrule(dtstart=base, until=before - offset, **rule):
        if local + offset >= after:
            yield local + offset


def _rule(recurs: str) -> tuple[dict[str, Any], timedelta]:
    """Return a recurrence as arguments of `rrule`, and the days by which it is moved."""
    from dateutil.rrule import DAILY, MONTHLY, WEEKLY, weekday

    found = _RECURRENCE.fullmatch(recurs.strip())
    every = int((found and found["every"]) or 1)
    if found is None or not every:
        raise TimetableError(f"nobody can tell when '{recurs}' comes")
    rule: dict[str, Any] = {"interval": every}
    unit, rest = found["unit"].lower(), (found["rest"] or "").lower().replace(",", " ").split()
    offset = timedelta()
    if rest and rest[-1].startswith("offset"):
        offset = timedelta(days=_whole(rest.pop()[len("offset") :], recurs))
    days = [_WEEKDAYS.index(word) for word in rest if word in _WEEKDAYS]
    others = [word for word in rest if word not in _WEEKDAYS]
    if unit == "day" and not rest:
        return {**rule, "freq": DAILY}, offset
    if unit == "week" and not others:
        return {**rule, "freq": WEEKLY, "byweekday": days or None}, offset
    if unit == "month" and not days and all(word.startswith("day") for word in others):
        numbers = [_whole(word[len("day") :], recurs) for word in others]
        return {**rule, "freq": MONTHLY, "bymonthday": numbers or None}, offset
    if unit == "month" and len(days) == 1 and len(others) == 1 and others[0] in _WEEKS:
        return {**rule, "freq": MONTHLY, "byweekday": weekday(days[0], _WEEKS[others[0]])}, offset
    raise TimetableError(f"nobody can tell when '{recurs}' comes")


def _whole(word: str, recurs: str) -> int:
    try:
        return int(word)
    except ValueError as error:
        raise TimetableError(f"nobody can tell when '{recurs}' comes") from error


def _zone(name: str | None, zones: Mapping[str, str]) -> ZoneInfo:
    known = zones.get((name or "").lower(), name)
    try:
        return ZoneInfo(known or "")
    except (ValueError, OSError, KeyError) as error:
        detail = f"nobody knows the time zone '{name}'" if name else "its time zone was not reported"
        raise TimetableError(detail) from error


def _clock(written: str | None) -> time:
    digits = (written or "").replace(":", "")
    if not (len(digits) == _DIGITS and digits.isascii() and digits.isdigit()):
        raise TimetableError(f"'{written}' is no time of day" if written else "its time was not reported")
    try:
        return time(int(digits[:2]), int(digits[2:]))
    except ValueError as error:
        raise TimetableError(f"'{written}' is no time of day") from error


def _local(written: str | None, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(written or "").replace(tzinfo=None)
    except ValueError:
        found = None
    if found is None or found.year < _AZURE_BEGAN:
        detail = f"its {what} '{written}' is no time" if written else f"its {what} was not reported"
        raise TimetableError(detail)
    return found


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


_RECURRENCE = re.compile(
    r"(?P<every>\d{0,4})\s*(?P<unit>day|week|month)s?(?:\s+(?P<rest>.*))?", re.IGNORECASE
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_NEVER = datetime(9999, 12, 31)  # noqa: DTZ001  a local time, like all that it is compared with
_AZURE_BEGAN = 2008
_DIGITS = 4
_WEEK = 7
_DAY = timedelta(days=1)
