"""Windows as instants: daylight saving, zones, recurrences, and the day of the plan."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.model.context import Freeze, Match
from readiness.model.plan import Occurrence
from readiness.planner.windows import Calendar
from tests.planner.plans import window

BEGINNING = datetime.min.replace(tzinfo=UTC)


def _next(as_of: date, *, after: datetime = BEGINNING, **changes: object) -> Occurrence | None:
    return Calendar([window(**changes)], as_of).earliest(["saturday"], after)


@pytest.mark.parametrize(
    ("as_of", "opens", "closes", "local_end"),
    [
        (date(2026, 10, 16), (2026, 10, 17, 20), (2026, 10, 18, 2), time(4)),
        (date(2026, 10, 23), (2026, 10, 24, 20), (2026, 10, 25, 2), time(3)),
        (date(2026, 10, 30), (2026, 10, 31, 21), (2026, 11, 1, 3), time(4)),
        (date(2027, 3, 26), (2027, 3, 27, 21), (2027, 3, 28, 2), time(4)),
        (date(2027, 4, 2), (2027, 4, 3, 20), (2027, 4, 4, 2), time(4)),
    ],
    ids=["summer", "night to winter", "winter", "night to summer", "summer again"],
)
def test_daylight_saving(
    as_of: date, opens: tuple[int, ...], closes: tuple[int, ...], local_end: time
) -> None:
    """The window opens at 22:00 on the wall; it lasts six hours of real time, and not past 04:00."""
    found = _next(as_of)
    assert found is not None
    berlin = ZoneInfo("Europe/Berlin")

    assert (datetime(*opens, tzinfo=UTC), datetime(*closes, tzinfo=UTC)) == (found.opens, found.closes)
    assert (time(22), local_end) == (
        found.opens.astimezone(berlin).time(),
        found.closes.astimezone(berlin).time(),
    )
    assert (5 if found.closes.month == 3 else 6) * 3600 == found.seconds


def test_a_start_that_the_clock_skips() -> None:
    """A start between two and three on the night to summer time is an hour later on the wall."""
    found = _next(date(2027, 3, 27), rrule="FREQ=DAILY", start=time(2, 30))

    assert found is not None
    assert datetime(2027, 3, 28, 1, 30, tzinfo=UTC) == found.opens


@pytest.mark.parametrize(
    "timezone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"]
)
@pytest.mark.parametrize("start", [time(0, 15), time(12), time(23, 45)])
def test_not_on_the_day_of_the_plan(timezone: str, start: time) -> None:
    """A window never opens on the day of the plan, and may on the next, both as its own zone counts days."""
    found = _next(date(2026, 11, 20), rrule="FREQ=DAILY", start=start, timezone=timezone)

    assert found is not None
    assert date(2026, 11, 21) == found.opens.astimezone(ZoneInfo(timezone)).date()


def test_the_next_one_after_an_instant() -> None:
    """An occurrence that opens at the very instant is taken, one that opened before is not."""
    opens = datetime(2026, 11, 28, 21, tzinfo=UTC)
    as_of = date(2026, 11, 20)
    later = _next(as_of, after=opens + timedelta(seconds=1))

    assert opens == getattr(_next(as_of, after=opens), "opens", None)
    assert opens + timedelta(days=7) == getattr(later, "opens", None)


def test_every_second_week_is_the_same_week_in_every_plan() -> None:
    """The cadence does not begin anew with each plan or wave."""
    found = [_next(date(2026, 11, day), rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=SU") for day in (1, 8, 9, 20)]
    first, second, third, fourth = (entry.opens for entry in found if entry is not None)

    assert second == third
    assert fourth - second in (timedelta(0), timedelta(days=14))
    assert second - first in (timedelta(0), timedelta(days=14))


def test_a_calendar_remembers() -> None:
    """Asking for an earlier instant after a later one gives the earlier occurrence again."""
    calendar = Calendar([window()], date(2026, 11, 20))
    first = calendar.earliest(["saturday"], BEGINNING)
    calendar.earliest(["saturday"], datetime(2030, 1, 1, tzinfo=UTC))

    assert first == calendar.earliest(["saturday"], BEGINNING)


def test_the_earliest_of_several() -> None:
    """Of several windows the one that opens first is taken, by name where they open together."""
    windows = [window("b"), window("a"), window("c", rrule="FREQ=WEEKLY;BYDAY=SU")]
    calendar = Calendar(windows, date(2026, 11, 20))

    assert "a" == getattr(calendar.earliest(["c", "b", "a"], BEGINNING), "window", None)


def test_a_recurrence_that_is_over() -> None:
    """A window whose recurrence has ended has no occurrence, and an unknown one has no length."""
    calendar = Calendar([window(rrule="FREQ=DAILY;UNTIL=20260101T000000")], date(2026, 11, 20))

    assert None is calendar.earliest(["saturday"], BEGINNING)
    assert None is calendar.earliest(["nowhere"], BEGINNING)
    assert (6 * 3600, 0) == (calendar.seconds("saturday"), calendar.seconds("nowhere"))


def test_saturdays_come_weekly() -> None:
    """Every occurrence is a Saturday, a week of wall time after the one before."""
    calendar = Calendar([window()], date(2026, 9, 30))
    moments = [BEGINNING]
    for _ in islice(range(10), 10):
        found = calendar.earliest(["saturday"], moments[-1])
        assert found is not None
        moments.append(found.closes)
    days = [moment.astimezone(ZoneInfo("Europe/Berlin")).date() for moment in moments[1:]]

    assert [date(2026, 10, 4) + timedelta(days=7 * week) for week in range(10)] == days


@settings(max_examples=200)
@given(
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Tokyo"]
    ),
    as_of=st.sampled_from([date(2026, 3, 1), date(2026, 3, 20), date(2026, 10, 1), date(2026, 10, 24)]),
    start=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    minutes=st.integers(1, 48 * 60),
)
def test_every_night_around_a_change_of_the_clock(zone: str, as_of: date, start: time, minutes: int) -> None:
    """Spring and autumn: opened by the wall, never longer than its length, nor past its wall end."""
    length = timedelta(minutes=minutes)
    changes = {"rrule": "FREQ=DAILY", "start": start, "timezone": zone, "hours": minutes / 60}
    calendar = Calendar([window(**changes)], as_of)
    local, moment = ZoneInfo(zone), BEGINNING
    for _ in range(40):
        found = calendar.earliest(["saturday"], moment)
        assert found is not None
        opens, closes = found.opens.astimezone(local), found.closes.astimezone(local)
        day = opens.date() if opens.time() >= start else opens.date() - timedelta(days=1)
        wall = datetime.combine(day, start)
        is_there = wall.replace(tzinfo=local).astimezone(UTC).astimezone(local).replace(tzinfo=None) == wall
        assert not is_there or opens.replace(tzinfo=None) == wall
        assert timedelta(0) < found.closes - found.opens <= length
        ends = (wall + length).replace(tzinfo=local).astimezone(UTC)
        assert found.closes == min(found.opens + length, ends), (opens, closes)
        moment = found.opens + timedelta(seconds=1)


def _freeze(begins: date, ends: date) -> Freeze:
    return Freeze(name="peak", match=Match(), starts=begins, ends=ends)


def test_time_between_freezes_is_long_enough() -> None:
    """Without windows a VM goes in the first stretch between freezes that holds it."""
    calendar = Calendar([], date(2026, 11, 20), keeps=False)
    freezes = (
        _freeze(date(2026, 11, 24), date(2026, 11, 30)),
        _freeze(date(2026, 11, 22), date(2026, 11, 22)),
        _freeze(date(2026, 11, 23), date(2026, 11, 23)),
    )
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    short = calendar.earliest([], late, frozen=freezes, needed=1800)
    longer = calendar.earliest([], late, frozen=freezes, needed=1801)

    assert short is not None
    assert longer is not None
    assert (late, datetime(2026, 11, 22, tzinfo=UTC)) == (short.opens, short.closes)
    assert datetime(2026, 12, 1, tzinfo=UTC) == longer.opens
    assert longer.closes - longer.opens > timedelta(days=300)
