"""Writes an empty context workbook: headers with notes, lists to choose from, and what each column means."""

import io
from typing import Any

from readiness.store.context_cells import Column, Sheet
from readiness.store.context_columns import FORMAT, README, SHEETS

_LAST_ROW = 5000
_WIDEST = 40
_README_WIDTHS = (16, 26, 9, 60, 50)
_LINE = 15
"""Points that a line of text takes."""
_HEADER, _REQUIRED = "D9E1F2", "FCE4D6"


def template() -> bytes:
    """Return the bytes of an empty workbook."""
    from openpyxl import Workbook

    book = Workbook()
    first: Any = book.active
    first.title = README
    _explain(first)
    for sheet in SHEETS:
        _sheet(book.create_sheet(sheet.title), sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _explain(page: Any) -> None:
    from openpyxl.styles import Alignment, Font

    page["A1"] = "What Azure cannot know about your machines"
    page["A1"].font = Font(bold=True, size=16)
    lines = (
        "Fill in the other sheets, one line each, and leave empty what you do not need.",
        "Several values in one cell: one a line, or with semicolons between.",
        "Then: readiness import THIS-FILE.xlsx --kind context --to ESTATE. Wrong cells are named.",
        "A sheet without lines leaves what the estate's context says already.",
        f"Format: {FORMAT}",
    )
    for number, line in enumerate(lines, start=2):
        page.cell(number, 1, line)
    start = len(lines) + 3
    for position, title in enumerate(("Sheet", "Column", "Needed", "Means", "Example"), start=1):
        page.cell(start, position, title).font = Font(bold=True)
    row = start
    for sheet in SHEETS:
        for column in sheet.columns:
            row += 1
            needed = "yes" if column.required else ""
            values = (sheet.title, column.title, needed, _meaning(column), column.example)
            for position, value in enumerate(values, start=1):
                cell = page.cell(row, position)
                cell.value, cell.data_type = value, "s"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            # Not every program fits a row to its text when it opens a file.
            most = max(-(-len(value) // width) for value, width in zip(values, _README_WIDTHS, strict=True))
            page.row_dimensions[row].height = _LINE * max(1, most)
    for letter, width in zip("ABCDE", _README_WIDTHS, strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = page.cell(start + 1, 1)
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True


def _sheet(page: Any, sheet: Sheet) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for position, column in enumerate(sheet.columns, start=1):
        cell = page.cell(1, position, column.title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor=_REQUIRED if column.required else _HEADER)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        note = f"{_meaning(column)}\nExample: {column.example}"
        cell.comment = Comment(note, "readiness", width=320, height=140)
        letter = get_column_letter(position)
        page.column_dimensions[letter].width = min(max(len(column.title), len(column.example)) + 4, _WIDEST)
        if column.is_list:
            # One value a line is how a list is read best; without this, lines hide one another.
            page.column_dimensions[letter].alignment = Alignment(wrap_text=True, vertical="top")
        _validate(page, column, f"{letter}2:{letter}{_LAST_ROW}")
    page.freeze_panes = "B2"


def _validate(page: Any, column: Column, cells: str) -> None:
    """Offer the choices of a column, and say what it is for when a cell of it is entered."""
    from openpyxl.worksheet.datavalidation import DataValidation

    rule: Any
    if column.choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
        rule.error = f"One of: {', '.join(column.choices)}"[:255]
        rule.errorTitle = column.title[:32]
        rule.showErrorMessage = True
    elif column.title == "Windows":
        rule = DataValidation(type="list", formula1=f"Windows!$A$2:$A${_LAST_ROW}", allow_blank=True)
        rule.showErrorMessage = False
    elif column.begins:
        first = cells.partition(":")[0]
        tests = (f'LEFT({first},{len(word)})="{word}"' for word in column.begins)
        rule = DataValidation(type="custom", formula1=f"OR({','.join(tests)})", allow_blank=True)
        rule.errorStyle = "warning"
        rule.error = f"It begins with {' or '.join(column.begins)}, such as {column.example}"[:255]
        rule.errorTitle = column.title[:32]
        rule.showErrorMessage = True
    else:
        rule = DataValidation(allow_blank=True)
    rule.promptTitle = column.title[:32]
    rule.prompt = f"{_meaning(column)} Example: {column.example}"[:255]
    rule.showInputMessage = True
    rule.add(cells)
    page.add_data_validation(rule)


def _meaning(column: Column) -> str:
    choices = f" One of: {', '.join(column.choices)}." if column.choices else ""
    return f"{'Required. ' if column.required else ''}{column.meaning}{choices}"
