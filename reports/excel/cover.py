"""The first sheet of a workbook: title, big numbers, facts, a chart and a few small tables, top to bottom."""

from collections.abc import Sequence
from typing import Any

from openpyxl.chart._chart import ChartBase
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reports.excel import style
from reports.excel.cells import lines, put, wrapped
from reports.excel.sheet import set_up_page
from reports.tables import Cell, Row, Table

FIRST = 2
_LINE = 15.75
_MOST_LINES = 8
_ONE_PAGE = 60


class Cover:
    """Draws blocks one below the other; `row` is where the next one starts."""

    def __init__(self, sheet: Worksheet, footer: str, widths: tuple[int, ...]) -> None:
        self.sheet = sheet
        self.widths = widths
        """The grid: a margin, then columns that every block on the page lines up with."""
        self.last = len(widths)
        self.row = 1
        for position, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(position)].width = width
        set_up_page(sheet, footer)
        sheet.print_options.horizontalCentered = True

    def title(self, text: str, below: str) -> None:
        """Write the title and the line below it."""
        put(self.sheet, self.row, FIRST, text, style.TITLE)
        self.sheet.row_dimensions[self.row].height = 36
        put(self.sheet, self.row + 1, FIRST, below, style.SUBTITLE)
        self.row += 3

    def tiles(self, tiles: Sequence[tuple[int, str, Cell, str]]) -> None:
        """Write big values with small labels above: column, label, value, style."""
        for column, label, value, name in tiles:
            put(self.sheet, self.row, column, label, style.LABEL)
            put(self.sheet, self.row + 1, column, value, name)
        self.sheet.row_dimensions[self.row + 1].height = 36
        self.row += 3

    def facts(self, rows: Sequence[Row]) -> None:
        """Write a label and a value a row, over the left half of the page."""
        for label, value in rows:
            self._merge(self.row, 3, 5)
            put(self.sheet, self.row, FIRST, label, style.LABEL)
            put(self.sheet, self.row, 3, value, style.NOTE)
            if not isinstance(value, str | int):
                self.sheet.cell(self.row, 3).number_format = "yyyy-mm-dd"
            height = min(wrapped(str(value), sum(self.widths[2:5])), _MOST_LINES)
            self.sheet.row_dimensions[self.row].height = _LINE * height
            self.row += 1

    def chart(self, chart: ChartBase, *, row: int, column: int, rows: int, last: int | None = None) -> None:
        """Place a chart from a column to the last one, by default of the page, `rows` lines high."""
        corner = AnchorMarker(col=column - 1, row=row - 1)
        placed: Any = chart
        placed.anchor = TwoCellAnchor(
            _from=corner, to=AnchorMarker(col=last or self.last, row=row - 1 + rows)
        )
        self.sheet.add_chart(chart)

    def table(self, heading: str, table: Table, spans: Sequence[int]) -> tuple[int, list[int]]:
        """Write a small table, each column over as many columns of the grid as `spans` says.

        Returns:
            The row of its header, and the sheet's column for each of its columns.
        """
        self.heading(heading)
        starts = [FIRST + sum(spans[:index]) for index in range(len(spans))]
        widths = [
            sum(self.widths[start - 1 : start - 1 + span]) for start, span in zip(starts, spans, strict=True)
        ]
        header = self.row
        self._line(starts, spans, [(column.title, style.header(column.kind)) for column in table.columns])
        for row in table.rows:
            cells = zip(row, table.columns, strict=True)
            self._line(starts, spans, [(value, style.body(column.kind)) for value, column in cells])
            height = min(lines(row, table.columns, widths), _MOST_LINES)
            self.sheet.row_dimensions[self.row - 1].height = _LINE * height
        if not table.rows:
            put(self.sheet, self.row, FIRST, "None.", style.LABEL)
            self.row += 1
        self.row += 1
        return header, starts

    def heading(self, text: str) -> None:
        """Write a heading."""
        put(self.sheet, self.row, FIRST, text, style.HEADING)
        self.sheet.row_dimensions[self.row].height = 24
        self.row += 1

    def note(self, text: str, name: str = style.NOTE) -> None:
        """Write a sentence over the whole width."""
        self._merge(self.row, FIRST, self.last)
        put(self.sheet, self.row, FIRST, text, name)
        self.sheet.row_dimensions[self.row].height = _LINE * wrapped(text, sum(self.widths[1:]))
        self.row += 1

    def finish(self) -> None:
        """Print the page as one if it is about as long as a page."""
        self.sheet.page_setup.fitToHeight = 1 if self.row <= _ONE_PAGE else 0

    def _line(self, starts: Sequence[int], spans: Sequence[int], values: Sequence[tuple[Cell, str]]) -> None:
        for start, span, (value, name) in zip(starts, spans, values, strict=True):
            put(self.sheet, self.row, start, value, name)
            for column in range(start + 1, start + span):
                put(self.sheet, self.row, column, None, name)
            self._merge(self.row, start, start + span - 1)
        self.row += 1

    def _merge(self, row: int, first: int, last: int) -> None:
        if last > first:
            self.sheet.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)
