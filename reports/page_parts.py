"""What every page of ours is made of: one HTML file that needs nothing beside itself and reaches for nothing.

Its policy forbids every request, and lets run the one style and the one script that are in it, by their
digests. Whatever comes from outside is text: escaped, and cut to a line.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from reports.page_rows import legal, legible
from reports.tables.table import Cell, Column, Kind, Row, Table

LARGEST = 5_000_000
"""Bytes of a page."""

_TEMPLATES = Path(__file__).parent / "templates"
_NUMBERS = (Kind.COUNT, Kind.SHARE, Kind.MONEY, Kind.MINUTES)
_SHOWN = 12
"""Rows of a long table that are seen at once; the rest is opened."""
_LONGEST_PROSE = 600


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as it stands on the page: cells as text, and how many rows there are in truth."""

    name: str
    columns: tuple[Column, ...]
    rows: list[list[str]]
    total: int

    @property
    def first(self) -> "Shown":
        """Return the rows that are seen at once."""
        return Shown(self.name, self.columns, self.rows[:_SHOWN], self.total)

    @property
    def is_long(self) -> bool:
        """Tell whether there are more rows than are seen at once."""
        return len(self.rows) > _SHOWN

    def is_number(self, place: int) -> bool:
        """Tell whether a column holds numbers."""
        return self.columns[place].kind in _NUMBERS

    def is_text(self, place: int) -> bool:
        """Tell whether a column holds text from outside."""
        return self.columns[place].kind in (Kind.TEXT, Kind.PROSE)


def shown(table: Table, titles: Sequence[str] | None, most: int) -> Shown:
    """Return a table, or some of its columns, with so many of its rows as the page is to hold."""
    places = [table.position(title) for title in titles or [column.title for column in table.columns]]
    columns = tuple(table.columns[place] for place in places)
    rows = [_cells(row, places, columns) for row in table.rows[:most]]
    return Shown(table.name, columns, rows, len(table.rows))


def _cells(row: Row, places: Iterable[int], columns: Sequence[Column]) -> list[str]:
    return [cell(row[place], column.kind) for place, column in zip(places, columns, strict=True)]


def cell(value: Cell, kind: Kind) -> str:
    """Return one value as text."""
    match value:
        case None:
            return ""
        case str():
            return legible(value, _LONGEST_PROSE) if kind is Kind.PROSE else legible(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case _ if kind is Kind.SHARE:
            return f"{value:.1%}"
        case _ if kind is Kind.MONEY:
            return f"{value:.1f}"
        case _:
            return f"{value:,}"


def template_of(name: str) -> Template:
    """Return a template in which all text is escaped and no character steers anything."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    return environment.get_template(name)


def policy(style: Markup, script: Markup) -> str:
    """Return the policy of a page with one style and one script: nothing else runs, nothing is asked for."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def source(*names: str) -> Markup:
    """Return our own files, one after another, as they stand in a page."""
    return Markup("".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names))  # noqa: S704


def _finalized(value: Any) -> Any:
    return legal(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(text: Markup) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
