"""What a table is: rows under typed columns, before any format draws them.

Text is handed on exactly as it was observed; making it safe for a spreadsheet is the business of whoever
writes one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, overload

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
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Edit:
    """What people may write into the cells of a column."""

    hint: str
    """One sentence for whoever stands on such a cell."""
    choices: tuple[str, ...] = ()
    """The only words that may stand there; empty for whatever the column's kind allows."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, its width in characters, what stands in it, and whether people write into it."""

    title: str
    width: int
    kind: Kind = Kind.TEXT
    edit: Edit | None = None


class Rows(Sequence[Row]):
    """Rows made from items only when they are drawn: a table of a large estate is never whole in memory."""

    def __init__(self, items: Sequence[Any], make: Callable[[Any], Row]) -> None:
        self._items = items
        self._make = make

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Row]:
        return map(self._make, self._items)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows": ...
    def __getitem__(self, index: int | slice) -> "Row | Rows":
        if isinstance(index, slice):
            return Rows(self._items[index], self._make)
        return self._make(self._items[index])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, with the name a sheet or file gets."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]

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
