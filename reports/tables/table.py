"""What a table is: rows under typed columns, before any format draws them.

Text is handed on exactly as it was observed; making it safe for a spreadsheet is the business of whoever
writes one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

Cell = str | int | float | date | datetime | None
Row = tuple[Cell, ...]


class Kind(StrEnum):
    """What stands in a column, and so how it is drawn."""

    TEXT = "text"
    PROSE = "prose"
    """Text that may be long: it is wrapped."""
    COUNT = "count"
    DAY = "day"
    MOMENT = "moment"
    """Local date and time, without a zone: the zone stands in a column of its own."""
    MINUTES = "minutes"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, its width in characters, and what stands in it."""

    title: str
    width: int
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, with the name a sheet or file gets."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def position(self, title: str) -> int:
        """Return the position of a column, counted from 0."""
        return [column.title for column in self.columns].index(title)

    def values(self, title: str) -> tuple[Cell, ...]:
        """Return everything that stands in one column."""
        position = self.position(title)
        return tuple(row[position] for row in self.rows)


def distinct(texts: Iterable[str]) -> str:
    """Return every text once, sorted, as one line."""
    return ", ".join(sorted(set(texts)))
