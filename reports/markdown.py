"""Tables as Markdown, for people.

Whatever stands in a cell is text from outside: it can be no markup, and no character in it can steer a
terminal or turn the direction of writing to hide what is there.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime

from reports.tables.table import Cell, Column, Kind, Table

_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_MARKUP = re.compile(r"([\\`*_\[\]|~])")
_SHOWN = 100
"""Rows of a table: it is read, not searched."""


def markdown_of(title: str, tables: Iterable[Table]) -> bytes:
    """Return tables under one title as Markdown; long ones are cut, and say so."""
    parts = [f"# {_shown(title, Kind.TEXT)}", *(_section(table) for table in tables)]
    return ("\n\n".join(parts) + "\n").encode()


def _section(table: Table) -> str:
    if not len(table.rows):
        return f"## {table.name}\n\nNothing."
    heads = [_shown(column.title, Kind.TEXT) for column in table.columns]
    lines = [_line(heads), _line(["---:" if _is_number(column) else "---" for column in table.columns])]
    for row in table.rows[:_SHOWN]:
        cells = zip(row, table.columns, strict=True)
        lines.append(_line([_shown(cell, column.kind) for cell, column in cells]))
    if len(table.rows) > _SHOWN:
        lines.append(f"\n{_SHOWN} of {len(table.rows)} rows; CSV and JSON have all of them.")
    return f"## {table.name}\n\n" + "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_number(column: Column) -> bool:
    return column.kind in (Kind.COUNT, Kind.SHARE, Kind.MONEY, Kind.MINUTES)


def _shown(cell: Cell, kind: Kind) -> str:
    match cell:
        case None:
            return ""
        case str():
            text = _STEERING.sub(" ", cell).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            return " ".join(_MARKUP.sub(r"\\\1", text).split())
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M}"
        case date():
            return cell.isoformat()
        case float() if kind is Kind.SHARE:
            return f"{cell:.1%}"
        case float():
            return f"{cell:g}"
        case _:
            return str(cell)
