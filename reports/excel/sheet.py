"""One table as one sheet: an Excel table with filters, a frozen header, highlights, and a print set-up.

A table that is longer than a sheet goes on in a next sheet of its own, header and highlights included.
Columns that people write into are marked by colour and take only what is meant for them; nothing is
protected, since Excel can neither sort nor filter protected rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from openpyxl.formatting.rule import Rule
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from reports.excel.cells import clean, escaped, put
from reports.excel.package import Book
from reports.excel.stream import header_height, rows_xml
from reports.excel.style import ACCENT, EDITED, LABEL, body, header, warning
from reports.tables import Column, Kind, Table

MOST_ROWS = 1_048_576 - 1
"""Rows of one Excel sheet below its header."""

A4 = 9
A3 = 8

_LONGEST_HINT = 250


@dataclass(frozen=True, slots=True)
class Highlight:
    """A column whose cells stand out when they equal a text or exceed a number."""

    column: str
    tone: str
    equals: str | None = None
    above: float | None = None
    is_whole_row: bool = False
    """Whether the whole row stands out, and not that cell alone."""

    def rule(self, letter: str) -> Rule:
        """Return the conditional format, for a column of that letter."""
        wanted = f'"{self.equals}"' if self.equals else str(self.above)
        look = warning(self.tone)
        if self.is_whole_row:
            sign = "=" if self.equals else ">"
            return Rule(type="expression", dxf=look, formula=[f"${letter}2{sign}{wanted}"])
        rule = Rule(type="cellIs", dxf=look, stopIfTrue=True)
        rule.operator = "equal" if self.equals else "greaterThan"
        rule.formula = [wanted]
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
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """How the sheets of a report look, by the name of their table."""

    highlights: Mapping[str, tuple[Highlight, ...]]
    wide: frozenset[str]
    """Printed on A3."""
    unprinted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unprinted_anywhere: tuple[str, ...] = ()
    """Columns that are on no paper, whichever table has them."""

    def of(self, table: Table, footer: str) -> Layout:
        """Return the layout of a table's sheet."""
        return Layout(
            footer,
            highlights=self.highlights.get(table.name, ()),
            unprinted=self.unprinted.get(table.name, self.unprinted_anywhere),
            paper=A3 if table.name in self.wide else A4,
        )


def add_sheets(book: Book, table: Table, layout: Layout) -> None:
    """Draw a table on a sheet of its name, and on further ones as long as there are rows."""
    for number, part in enumerate(_parts(table, layout.most_rows), start=1):
        title = table.name if number == 1 else f"{table.name} ({number})"
        sheet = book.workbook.create_sheet(title)
        for position, column in enumerate(table.columns, start=1):
            sheet.column_dimensions[get_column_letter(position)].width = column.width
        _dress(sheet, part, layout)
        if part.rows:
            # A name such as VMs2 would be a cell's address, which Excel refuses: hence the underscores.
            letters = "".join(character for character in table.name if character.isalnum())
            _make_table(sheet, part, f"{letters}_{number}")
            _validate(sheet, part)
            book.stream(title, rows_xml(sheet, part), _area(part))
        else:
            _fill_empty(sheet, part)


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
    bottom.left.text = escaped(clean(footer)).replace("&", "&&")
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


def _fill_empty(sheet: Worksheet, table: Table) -> None:
    for position, column in enumerate(table.columns, start=1):
        put(sheet, 1, position, column.title, header(column.kind, is_edited=column.edit is not None))
    sheet.row_dimensions[1].height = header_height(table.columns)
    put(sheet, 2, 1, "Nothing to list.", LABEL)
    for position, column in enumerate(table.columns[1:], start=2):
        put(sheet, 2, position, None, body(column.kind))


def _dress(sheet: Worksheet, table: Table, layout: Layout) -> None:
    last = max(len(table.rows) + 1, 2)
    end = get_column_letter(len(table.columns))
    sheet.freeze_panes = f"{get_column_letter(layout.frozen + 1)}2"
    for highlight in layout.highlights:
        letter = get_column_letter(table.position(highlight.column) + 1)
        first, until = ("A", end) if highlight.is_whole_row else (letter, letter)
        sheet.conditional_formatting.add(f"{first}2:{until}{last}", highlight.rule(letter))
    set_up_page(sheet, layout.footer, layout.paper)
    if any(column.edit for column in table.columns):
        sheet.sheet_properties.tabColor = EDITED
    if layout.is_hidden:
        sheet.sheet_state = "hidden"
    printed = [column for column in table.columns if column.title not in layout.unprinted]
    sheet.print_area = f"A1:{get_column_letter(len(printed))}{last}"
    sheet.print_title_rows = "1:1"


def _area(table: Table) -> str:
    return f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"


def _make_table(sheet: Worksheet, table: Table, name: str) -> None:
    area = _area(table)
    excel_table = ExcelTable(displayName=name, ref=area)
    excel_table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2", showRowStripes=True)
    # The rows are not in the sheet yet, where openpyxl would look for the titles.
    excel_table.tableColumns = [
        TableColumn(id=number, name=column.title) for number, column in enumerate(table.columns, start=1)
    ]
    excel_table.autoFilter = AutoFilter(ref=area)
    sheet.add_table(excel_table)


def _validate(sheet: Worksheet, table: Table) -> None:
    for position, column in enumerate(table.columns, start=1):
        if column.edit is not None:
            letter = get_column_letter(position)
            validation = _validation(column)
            validation.add(f"{letter}2:{letter}{len(table.rows) + 1}")
            sheet.add_data_validation(validation)


def _validation(column: Column) -> DataValidation:
    edit = column.edit
    if edit is None:
        raise ValueError(f"nobody writes into {column.title}")
    rule: dict[str, Any]
    if edit.choices:
        rule = {"type": "list", "formula1": f'"{",".join(edit.choices)}"'}
    elif column.kind is Kind.COUNT:
        rule = {"type": "whole", "operator": "greaterThanOrEqual", "formula1": "1"}
    elif column.kind is Kind.DAY:
        rule = {"type": "date", "operator": "greaterThanOrEqual", "formula1": "36526"}  # 2000-01-01
    else:
        rule = {"type": "textLength", "operator": "lessThanOrEqual", "formula1": "1000"}
    return DataValidation(
        **rule,
        allow_blank=True,
        showErrorMessage=True,
        showInputMessage=True,
        errorTitle=column.title,
        error=edit.hint[:_LONGEST_HINT],
        promptTitle=column.title,
        prompt=edit.hint[:_LONGEST_HINT],
    )
