"""Stacked bars over a block of cells that already holds its numbers; and what every chart has in common.

openpyxl writes charts without the numbers they show; previewers then draw nothing. So the numbers are
written into the chart as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from openpyxl.chart import BarChart, Reference, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.data_source import AxDataSource, NumData, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from reports.excel.cells import clean, escaped, plain
from reports.excel.style import GREY, GREY_LIGHT
from reports.tables import Table


@dataclass(frozen=True, slots=True)
class Stack:
    """Which columns of a drawn block are stacked over which, and in which colours."""

    category: str
    colours: dict[str, str]
    """Column title to colour, in the order of the stack."""
    title: str
    is_horizontal: bool = False


def stacked_bars(sheet: Worksheet, table: Table, *, top: int, left: Sequence[int], stack: Stack) -> BarChart:
    """Return a chart of a table whose header stands in row `top`.

    Args:
        sheet: Where the table was drawn.
        table: The table, for the numbers.
        top: Row of the header.
        left: The sheet's column for each column of the table.
        stack: What to draw.
    """
    chart = BarChart()
    chart.type = "bar" if stack.is_horizontal else "col"
    chart.grouping = "stacked"
    chart.overlap = 100
    chart.gapWidth = 55
    bottom = top + len(table.rows)
    names = [escaped(clean(str(value))) for value in table.values(stack.category)]
    for title, colour in stack.colours.items():
        position = left[table.position(title)]
        series = Series(Reference(sheet, min_col=position, min_row=top + 1, max_row=bottom), title=title)
        series.val.numRef.numCache = numbers(table, title)
        column = left[table.position(stack.category)]
        where = Reference(sheet, min_col=column, min_row=top + 1, max_row=bottom)
        points = [StrVal(idx=index, v=name) for index, name in enumerate(names)]
        series.cat = AxDataSource(
            strRef=StrRef(f=str(where), strCache=StrData(ptCount=len(points), pt=points))
        )
        series.graphicalProperties = GraphicalProperties(solidFill=colour, ln=LineProperties(noFill=True))
        chart.series.append(series)
    dress(chart, stack.title)
    if stack.is_horizontal:
        chart.x_axis.scaling.orientation = "maxMin"
        chart.y_axis.crosses = "max"
    return chart


def side_by_side(sheet: Worksheet, table: Table, *, top: int, left: Sequence[int], stack: Stack) -> BarChart:
    """Return the columns of a stack beside one another, as horizontal bars with the first row on top."""
    chart = stacked_bars(sheet, table, top=top, left=left, stack=replace(stack, is_horizontal=True))
    chart.grouping = "clustered"
    chart.overlap = 0
    return chart


def numbers(table: Table, title: str, number_format: str = "General") -> NumData:
    """Return a column's numbers as a chart carries them; where nothing stands, nothing is drawn."""
    points = [
        NumVal(idx=index, v=str(to_excel(value) if isinstance(value, date) else value))  # type: ignore[no-untyped-call]
        for index, value in enumerate(table.values(title))
        if value is not None
    ]
    return NumData(formatCode=number_format, ptCount=len(table.rows), pt=points)


def dress(chart: Any, title: str) -> None:
    """Give a chart our title, legend, quiet axes and a value axis that begins at 0."""
    chart.title = chart_title(title)
    chart.legend.position = "b"
    chart.legend.txPr = small_text()
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.txPr = chart.y_axis.txPr = small_text()
    chart.x_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=GREY_LIGHT))
    chart.y_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
    chart.y_axis.majorGridlines = ChartLines(
        spPr=GraphicalProperties(ln=LineProperties(solidFill=GREY_LIGHT))
    )
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0


def chart_title(text: str, size: int = 1200) -> Title:
    """Return a title in our look."""
    look = CharacterProperties(sz=size, b=True, solidFill=GREY)
    paragraph = Paragraph(
        pPr=ParagraphProperties(defRPr=look), r=[RegularTextRun(rPr=look, t=escaped(plain(text)))]
    )
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def axis_title(text: str) -> Title:
    """Return what an axis counts, in our look."""
    return chart_title(text, 900)


def small_text() -> RichText:
    """Return the look of what stands at axes and in legends."""
    properties = ParagraphProperties(defRPr=CharacterProperties(sz=900, solidFill=GREY))
    return RichText(p=[Paragraph(pPr=properties, endParaRPr=CharacterProperties(sz=900))])
