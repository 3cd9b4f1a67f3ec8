"""Rows as worksheet XML, one piece a row: as fast and as small as a workbook of 100,000 VMs needs.

openpyxl builds an object and an element for every cell, which takes minutes for millions of them. Styles,
tables, validations and charts stay openpyxl's work; only what stands between `<sheetData>` is written here.
Text is an inline string, so nothing in it can become a formula, in whatever program opens it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from openpyxl.cell import Cell as SheetCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from reports.excel.cells import FORMULA_STARTS, clean, escaped, lines, wrapped
from reports.excel.style import body, header
from reports.tables import Cell, Column, Kind, Row, Table

LINE = 15.0
"""Height of a line of text, in points."""

_HEADER_HEIGHT = 32
_ARROW = 3
"""Characters of a header's width that the button of its filter covers."""
_MOST_LINES = 12
"""Longer texts are cut off by the row, not by the cell: they can be read by making the row higher."""

_MARKUP = re.compile("[&<>]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True)
class _Styles:
    """The numbers of the styles of one column's cells."""

    plain: int
    quoted: int
    """For text that looks like a formula: keeps it text when somebody edits the cell."""
    number: int
    day: int
    """For numbers and days in a column of text."""


def rows_xml(sheet: Worksheet, table: Table) -> Iterator[bytes]:
    """Yield the header and the rows of a table, row by row."""
    columns = table.columns
    letters = [get_column_letter(position) for position in range(1, len(columns) + 1)]
    heads = [_style(sheet, header(column.kind, is_edited=column.edit is not None)) for column in columns]
    titles = zip(letters, (column.title for column in columns), heads, strict=True)
    tall = header_height(columns)
    yield _row(1, (_text(f"{letter}1", style, title) for letter, title, style in titles), tall)
    styles = [_styles(sheet, column) for column in columns]
    widths = [column.width for column in columns]
    for number, row in enumerate(table.rows, start=2):
        cells = (
            _cell(f"{letter}{number}", value, style)
            for letter, value, style in zip(letters, row, styles, strict=True)
        )
        yield _row(number, cells, _height(row, columns, widths))


def header_height(columns: Iterable[Column]) -> float:
    """Return the height of a header in which no title is cut off."""
    needed = max((wrapped(column.title, max(column.width - _ARROW, 1)) for column in columns), default=1)
    return max(_HEADER_HEIGHT, LINE * needed + 2)


def _height(row: Row, columns: tuple[Column, ...], widths: list[int]) -> float | None:
    needed = min(lines(row, columns, widths), _MOST_LINES)
    return LINE * needed if needed > 1 else None


def _row(number: int, cells: Iterable[str], height: float | None) -> bytes:
    tall = f' ht="{height:g}" customHeight="1"' if height else ""
    return f'<row r="{number}"{tall}>{"".join(cells)}</row>'.encode()


def _cell(place: str, value: Cell, styles: _Styles) -> str:
    if value is None or value == "":
        return f'<c r="{place}" s="{styles.plain}"/>'
    if isinstance(value, str):
        return _text(place, styles.quoted if value.startswith(FORMULA_STARTS) else styles.plain, value)
    if isinstance(value, date):
        return f'<c r="{place}" s="{styles.day}"><v>{_serial(value)}</v></c>'
    return f'<c r="{place}" s="{styles.number}"><v>{value}</v></c>'


def _text(place: str, style: int, text: str) -> str:
    legal = escaped(clean(text))
    if _MARKUP.search(legal):
        legal = _MARKUP.sub(lambda found: _ENTITIES[found[0]], legal)
    space = ' xml:space="preserve"' if legal != legal.strip() or "\n" in legal else ""
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t{space}>{legal}</t></is></c>'


@lru_cache(maxsize=4096)
def _serial(value: date) -> float:
    naive = value.replace(tzinfo=None) if isinstance(value, datetime) else value
    return float(to_excel(naive))  # type: ignore[no-untyped-call]


def _styles(sheet: Worksheet, column: Column) -> _Styles:
    name = body(column.kind, is_edited=column.edit is not None)
    plain = _style(sheet, name)
    if column.kind not in (Kind.TEXT, Kind.PROSE):
        return _Styles(plain, _style(sheet, name, is_quoted=True), plain, plain)
    return _Styles(
        plain,
        _style(sheet, name, is_quoted=True),
        _style(sheet, name, number_format="#,##0") if column.kind is Kind.TEXT else plain,
        _style(sheet, name, number_format="yyyy-mm-dd"),
    )


def _style(sheet: Worksheet, name: str, *, is_quoted: bool = False, number_format: str = "") -> int:
    """Return the number under which the workbook keeps a look."""
    cell = SheetCell(sheet, row=1, column=1)
    cell.style = name
    if is_quoted:
        cell.quotePrefix = True
    if number_format:
        cell.number_format = number_format
    return int(cell.style_id)
