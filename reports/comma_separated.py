"""Rows as CSV that Excel reads as UTF-8, in which no text becomes a formula.

A cell whose text begins like a formula, or with an apostrophe, is written with an apostrophe in front: who
reads the file by machine takes the first apostrophe off each cell that begins with one. Numbers are written
as they are, line ends within a cell stay, in quotes, and control characters become U+FFFD.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from reports.excel.cells import LONGEST_TEXT, plain
from reports.tables import Cell, Row

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
"""What a formula begins with, what some program skips or takes for it, and what marks text that does."""
_PIECE = 2_000


def csv_bytes(titles: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a file piece by piece: a byte order mark, the titles, and one line a row."""
    return _pieces(titles, map(_line, rows))


def csv_bytes_of_parts(titles: Sequence[str], rows: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Yield the same of rows that come in parts of text and whole numbers: shared parts are drawn once."""
    return _pieces(titles, (",".join(map(_part, row)) + "\n" for row in rows))


def _pieces(titles: Sequence[str], lines: Iterator[str]) -> Iterator[bytes]:
    piece = "\ufeff" + _line(titles)
    while piece:
        yield piece.encode()
        piece = "".join(islice(lines, _PIECE))


def _line(cells: Iterable[Cell]) -> str:
    line: str = _WRITER.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return line


@lru_cache(maxsize=4_096)
def _part(cells: Row) -> str:
    # With an empty cell behind them, which is cut off: alone in a line, an empty cell would be quoted.
    return _line((*cells, None)).removesuffix(",\n")


@lru_cache(maxsize=4_096)
def harmless(text: str) -> str:
    """Return text as it may stand in a cell: an apostrophe before what would be a formula."""
    legal = text if text.isprintable() and len(text) < LONGEST_TEXT // 2 else plain(text)
    return f"'{legal}" if legal.startswith(STARTS) else legal


class _Handed:
    """What the writer of the library writes to: it hands each line back."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


_WRITER = csv.writer(_Handed(), lineterminator="\n")
