"""A workbook as text, cell by cell, so that a change of it can be read; and the snapshots it is held to.

To accept what the workbooks look like now: `UPDATE_SNAPSHOTS=1 pytest tests/reports`, then read the diff.
"""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


def opened(data: bytes) -> Workbook:
    """Open a workbook from its bytes."""
    return load_workbook(BytesIO(data))


def dump(data: bytes) -> str:
    """Return everything people see in a workbook, one cell a line."""
    return "\n".join(line for sheet in opened(data).worksheets for line in _sheet(sheet)) + "\n"


def snapshot(name: str, seen: str) -> str:
    """Return the text a dump is held to; with UPDATE_SNAPSHOTS=1 it becomes the one just seen."""
    path = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen, encoding="utf-8", newline="\n")
    return path.read_text(encoding="utf-8")


def column(sheet: Worksheet, title: str) -> list[Any]:
    """Return the values below the header of that title."""
    position = [cell.value for cell in sheet[1]].index(title) + 1
    return [sheet.cell(row, position).value for row in range(2, sheet.max_row + 1)]


def _sheet(sheet: Worksheet) -> Iterator[str]:
    widths = {letter: entry.width for letter, entry in sorted(sheet.column_dimensions.items())}
    yield f"=== {sheet.title}"
    yield f"frozen {sheet.freeze_panes} · printed {sheet.print_area or 'all'} · widths {widths}"
    for table in sheet.tables.values():
        yield f"table {table.displayName} {table.ref} {table.tableStyleInfo.name}"
    for area in sheet.conditional_formatting:
        rules = [f"{rule.operator} {' '.join(rule.formula)}" for rule in area.rules]
        yield f"highlight {area.sqref}: {', '.join(rules)}"
    yield from (f"merged {area}" for area in sorted(str(area) for area in sheet.merged_cells.ranges))
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                drawn = f"[{cell.style}, {cell.number_format}]"
                yield f"{cell.coordinate} {cell.data_type} {cell.value!r} {drawn}"
    yield ""
