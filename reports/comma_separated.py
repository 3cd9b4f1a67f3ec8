"""Rows as CSV that Excel reads as UTF-8, in which no text becomes a formula.

A cell whose text begins like a formula, or with an apostrophe, is written with an apostrophe in front: who
reads the file by machine takes the first apostrophe off each cell that begins with one. Numbers are written
as they are, line ends within a cell stay, in quotes, and control characters become U+FFFD.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from reports.excel.cells import LONGEST_TEXT, plain
from reports.tables import Row

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
"""What a formula begins with, what some program skips or takes for it, and what marks text that does."""
_PIECE = 2_000


def csv_bytes(titles: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a file piece by piece: a byte order mark, the titles, and one line a row."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(titles)
    for number, row in enumerate(rows, start=1):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
        if number % _PIECE == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


@lru_cache(maxsize=4_096)
def harmless(text: str) -> str:
    """Return text as it may stand in a cell: an apostrophe before what would be a formula."""
    legal = text if text.isprintable() and len(text) < LONGEST_TEXT // 2 else plain(text)
    return f"'{legal}" if legal.startswith(STARTS) else legal
