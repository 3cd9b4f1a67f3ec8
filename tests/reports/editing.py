"""Edits a workbook as owners do: cells by VM and title, rows sorted, columns moved, the file saved again."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from readiness.model.plan import Plan
from reports.reimport import Reading, read_edits
from reports.workbook import plan_workbook
from tests.reports.plans import vm_id


def edited(data: bytes, cells: Mapping[tuple[str, str], Any]) -> bytes:
    """Return a workbook with some cells of the sheet VMs changed: (name of the VM, title) -> value."""

    def write(book: Workbook) -> None:
        sheet = book["VMs"]
        titles = {cell.value: cell.column for cell in sheet[1]}
        rows = {sheet.cell(row, titles["Resource id"]).value: row for row in range(2, sheet.max_row + 1)}
        for (name, title), value in cells.items():
            sheet.cell(rows[vm_id(name).key], titles[title]).value = value

    return changed(data, write)


def changed(data: bytes, change: Callable[[Workbook], None]) -> bytes:
    """Return a workbook after some change, saved by openpyxl."""
    book = load_workbook(BytesIO(data))
    change(book)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def rewritten(sheet: Worksheet, rows: list[list[Any]]) -> None:
    """Replace all cells of a sheet."""
    sheet.delete_rows(1, sheet.max_row)
    for row in rows:
        sheet.append(row)


def read(data: bytes, plan: Plan, name: str = "shop.xlsx") -> Reading:
    """Read a workbook back."""
    return read_edits(BytesIO(data), name, plan)


def read_with(plan: Plan, cells: Mapping[tuple[str, str], Any]) -> Reading:
    """Read the plan's workbook back after some edits."""
    return read(edited(plan_workbook(plan), cells), plan)
