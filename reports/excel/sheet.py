"""One table as one sheet: an Excel table with filters, a frozen header, highlights, and a print set-up.

A table that is longer than a sheet goes on in a next sheet of its own, header and highlights included.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from openpyxl.formatting.rule import Rule
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from reports.excel.cells import lines, put
from reports.excel.style import ACCENT, LABEL, body, header, warning
from reports.tables import Table

MOST_ROWS = 1_048_576 - 1
"""Rows of one Excel sheet below its header."""

LINE = 15.0
"""Height of a line of text, in points."""

_MOST_LINES = 12
"""Longer texts are cut off by the row, not by the cell: they can be read by making the row higher."""

A4 = 9
A3 = 8


@dataclass(frozen=True, slots=True)
class Highlight:
    """A column whose cells stand out when they equal a text or exceed a number."""

    column: str
    tone: str
    equals: str | None = None
    above: float | None = None

    def rule(self) -> Rule:
        """Return the conditional format."""
        rule = Rule(type="cellIs", dxf=warning(self.tone), stopIfTrue=True)
        rule.operator = "equal" if self.equals else "greaterThan"
        rule.formula = [f'"{self.equals}"' if self.equals else str(self.above)]
        return rule


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table's sheet is frozen, highlighted and printed."""

    footer: str
    """What stands at the bottom left of every printed page."""
    frozen: int = 1
    """How many columns stay in sight."""
    highlights: tuple[Highlight, ...] = ()
    unprinted: tuple[str, ...] = ("Resource id",)
    """The last columns, which are for filters and machines and stay on the screen."""
    paper: int = A4
    most_rows: int = MOST_ROWS


def add_sheets(workbook: Workbook, table: Table, layout: Layout) -> None:
    """Draw a table on a sheet of its name, and on further ones as long as there are rows."""
    for number, part in enumerate(_parts(table, layout.most_rows), start=1):
        title = table.name if number == 1 else f"{table.name} ({number})"
        sheet = workbook.create_sheet(title)
        _fill(sheet, part)
        _dress(sheet, part, layout)
        if part.rows:
            # A name such as VMs2 would be a cell's address, which Excel refuses: hence the underscores.
            letters = "".join(character for character in table.name if character.isalnum())
            _make_table(sheet, part, f"{letters}_{number}")
        else:
            put(sheet, 2, 1, "Nothing to list.", LABEL)


def set_up_page(sheet: Worksheet, footer: str, paper: int = A4) -> None:
    """Print landscape, as wide as the page, with page numbers."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = paper
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.6
    bottom: Any = sheet.oddFooter
    bottom.left.text = footer.replace("&", "&&")
    bottom.center.text = sheet.title
    bottom.right.text = "Page &P of &N"
    for part in (bottom.left, bottom.center, bottom.right):
        part.size = 8
    sheet.sheet_properties.tabColor = ACCENT
    sheet.sheet_view.showGridLines = False
    sheet.sheet_view.zoomScale = 100


def _parts(table: Table, most_rows: int) -> Iterator[Table]:
    for start in range(0, max(len(table.rows), 1), most_rows):
        yield replace(table, rows=table.rows[start : start + most_rows])


def _fill(sheet: Worksheet, table: Table) -> None:
    for position, column in enumerate(table.columns, start=1):
        put(sheet, 1, position, column.title, header(column.kind))
        sheet.column_dimensions[get_column_letter(position)].width = column.width
    sheet.row_dimensions[1].height = 32
    widths = [column.width for column in table.columns]
    styles = [body(column.kind) for column in table.columns]
    for number, row in enumerate(table.rows, start=2):
        for position, (value, style) in enumerate(zip(row, styles, strict=True), start=1):
            put(sheet, number, position, value, style)
        height = min(lines(row, table.columns, widths), _MOST_LINES)
        if height > 1:
            sheet.row_dimensions[number].height = LINE * height


def _dress(sheet: Worksheet, table: Table, layout: Layout) -> None:
    last = len(table.rows) + 1
    sheet.freeze_panes = f"{get_column_letter(layout.frozen + 1)}2"
    for highlight in layout.highlights:
        letter = get_column_letter(table.position(highlight.column) + 1)
        sheet.conditional_formatting.add(f"{letter}2:{letter}{max(last, 2)}", highlight.rule())
    set_up_page(sheet, layout.footer, layout.paper)
    printed = [column for column in table.columns if column.title not in layout.unprinted]
    sheet.print_area = f"A1:{get_column_letter(len(printed))}{max(last, 2)}"
    sheet.print_title_rows = "1:1"


def _make_table(sheet: Worksheet, table: Table, name: str) -> None:
    end = f"{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    excel_table = ExcelTable(displayName=name, ref=f"A1:{end}")
    excel_table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2", showRowStripes=True)
    sheet.add_table(excel_table)
