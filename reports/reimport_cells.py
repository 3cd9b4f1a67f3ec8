"""What single cells say, whoever wrote them: numbers, days, words, or the same as before."""

from datetime import date, datetime, time, timedelta
from typing import Any

from reports.excel.cells import clean, unescaped
from reports.tables.table import Cell

_FIRST_YEAR = 2000
_NO_DATE = "not a date: write one such as 2027-03-14"
_NO_DIFFERENCE = 1e-6
_SHOWN = 60


def said(cell: Any) -> Any:
    """Return what a cell says: a text without the escapes that its file holds."""
    return unescaped(cell.value) if isinstance(cell.value, str) else cell.value


def whole_number(value: Any) -> int:
    """Return the number of a wave.

    Raises:
        ValueError: It is none; the message says why.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("not the number of a wave") from None
    if isinstance(value, bool) or not number.is_integer() or number < 1:
        raise ValueError("not a whole number from 1 on")
    return int(number)


def calendar_day(value: Any) -> date:
    """Return a day, typed as a date or as text.

    Raises:
        ValueError: It is none.
    """
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(_NO_DATE) from None
    if day.year < _FIRST_YEAR:
        # A bare number in a cell for dates: 3 is the third day of 1900.
        raise ValueError(_NO_DATE)
    return day.date() if isinstance(day, datetime) else day


def chosen(text: str, choices: tuple[str, ...]) -> str:
    """Return which of some words was written, in whatever case.

    Raises:
        ValueError: None of them.
    """
    found = next((choice for choice in choices if choice == text.casefold()), None)
    if found is None:
        raise ValueError(f"not one of {', '.join(choices)}")
    return found


def is_same(value: Any, planned: Cell) -> bool:
    """Tell whether a cell says what the plan says, whatever a spreadsheet program made of its form."""
    if value in (None, "") or planned in (None, ""):
        return value in (None, "") and planned in (None, "")
    if isinstance(planned, date):
        return isinstance(value, date) and abs(_moment(value) - _moment(planned)) < timedelta(seconds=2)
    if isinstance(planned, str):
        if value == planned:
            return True
        return _plain(str(value)) == _plain(clean(planned))
    try:
        return abs(float(value) - planned) < _NO_DIFFERENCE
    except (TypeError, ValueError):
        return False


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _plain(text: str) -> str:
    return " ".join(text.split())


def shown(value: Cell) -> str:
    """Return a cell as a sentence quotes it."""
    text = "empty" if value in (None, "") else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
