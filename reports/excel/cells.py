"""Values into cells, safely: text stays text, whatever it starts with, and fits what Excel can hold."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from reports.tables import Cell, Column, Kind, Row

if TYPE_CHECKING:  # Text forms clean their cells here, too, and never load a workbook.
    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet.worksheet import Worksheet

LONGEST_TEXT = 32_767
"""UTF-16 units a cell can hold."""

_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""What is no character at all. Surrogates appear alone only in damaged text."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_TO_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)|" + _CONTROL.pattern)
"""What XML cannot carry, and underscores that begin what Office would read as an escape."""
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")

FORMULA_STARTS = ("=", "+", "-", "@", "\t")


def put(sheet: "Worksheet", row: int, column: int, value: Cell, style: str) -> None:
    """Write one value in a named style."""
    from reports.excel.style import body

    cell: Any = sheet.cell(row, column)
    cell.style = style
    if isinstance(value, str):
        _put_text(cell, value)
    elif isinstance(value, datetime):
        cell.value = value.replace(tzinfo=None)
    else:
        cell.value = value
    if value is not None and not isinstance(value, str) and style == body(Kind.TEXT):
        cell.number_format = "yyyy-mm-dd" if cell.is_date else "#,##0"


def clean(text: str) -> str:
    """Replace what is no character, and cut what Excel cannot hold with an ellipsis."""
    if len(text) < LONGEST_TEXT // 2 and text.isprintable():
        return text
    legal = _NO_CHARACTER.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    if _units(legal) <= LONGEST_TEXT:
        return legal
    cut = legal.encode("utf-16-le")[: 2 * (LONGEST_TEXT - 1)].decode("utf-16-le", errors="ignore")
    return f"{cut}…"


def plain(text: str) -> str:
    """Replace control characters, too, for places that know no escapes."""
    return _CONTROL.sub("\ufffd", clean(text))


def escaped(text: str) -> str:
    """Return a text as Office writes it into a file: `_x0007_` for a control character.

    A text that holds such a sequence itself would be read as another one, so its underscore is escaped.
    """
    if text.isprintable() and "_x" not in text:
        return text
    return _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """Return a text as it was before it was escaped."""
    if "_x" not in text:
        return text
    found = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), text)
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def lines(row: Row, columns: Sequence[Column], widths: Sequence[int]) -> int:
    """Return how many lines the longest wrapped text of a row takes: nobody else sets the row's height."""
    return max(
        (
            wrapped(value, width)
            for value, column, width in zip(row, columns, widths, strict=True)
            if column.kind is Kind.PROSE and isinstance(value, str)
        ),
        default=1,
    )


@lru_cache(maxsize=65_536)
def wrapped(text: str, width: int) -> int:
    """Return how many lines a text takes in so many characters of width."""
    if len(text) < width and "\n" not in text:
        return 1
    return sum(max(len(wrap(line, max(width - 1, 1))), 1) for line in text.split("\n"))


def _put_text(cell: "SheetCell", text: str) -> None:
    if not text:
        return
    cell.value = escaped(clean(text))
    # openpyxl takes "=..." for a formula and "#N/A" for an error; here both are only text.
    cell.data_type = "s"
    if text.startswith(FORMULA_STARTS):
        # Keeps it text for somebody who edits the cell in Excel, too.
        cell.quotePrefix = True


def _units(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")
