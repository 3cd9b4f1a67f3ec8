"""Charts of how something moved: stacked areas and lines over days, and a Pareto of bars with a rising line.

As in `reports.excel.chart`, the numbers stand in the charts as well as in the cells they are of.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from openpyxl.chart import AreaChart, LineChart, Reference, Series
from openpyxl.chart._chart import ChartBase
from openpyxl.chart.axis import DateAxis
from openpyxl.chart.data_source import AxDataSource, NumRef
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.worksheet.worksheet import Worksheet

from reports.excel.chart import Stack, axis_title, dress, numbers, small_text, stacked_bars
from reports.excel.style import INK
from reports.tables import Table

_LINE = 28_575
"""Width of a drawn line, in EMU: 2.25 points."""
_DAY = "yyyy-mm-dd"
_MONTH = "yyyy-mm"
_FEW_DAYS = 60
"""Up to here an axis counts days and not months."""


def areas(sheet: Worksheet, table: Table, colours: Mapping[str, str], title: str, counted: str) -> ChartBase:
    """Return columns of a sheet's table, which count something, stacked over its first, which holds days."""
    if len(table.rows) == 1:
        # An area needs two days; of one day there is a bar.
        stack = Stack(table.columns[0].title, dict(colours), title)
        return stacked_bars(sheet, table, top=1, left=range(1, len(table.columns) + 1), stack=stack)
    chart: Any = AreaChart(grouping="stacked")
    for name, colour in colours.items():
        series = _series(sheet, table, name)
        series.graphicalProperties = GraphicalProperties(solidFill=colour, ln=LineProperties(noFill=True))
        chart.series.append(series)
    _dress_days(chart, title)
    chart.y_axis.title = axis_title(counted)
    return chart  # type: ignore[no-any-return]


def lines(
    sheet: Worksheet, table: Table, colours: Mapping[str, str], dashed: Sequence[str], title: str
) -> ChartBase:
    """Return columns of shares as lines over a sheet's first column, which holds days."""
    chart: Any = LineChart()
    for name, colour in colours.items():
        series = _series(sheet, table, name)
        dash: Literal["sysDash"] | None = "sysDash" if name in dashed else None
        series.graphicalProperties = GraphicalProperties(
            ln=LineProperties(solidFill=colour, w=_LINE, prstDash=dash)
        )
        series.smooth = False
        series.marker.symbol = "none" if dash or len(table.rows) > 20 else "circle"  # noqa: PLR2004
        series.marker.graphicalProperties = GraphicalProperties(solidFill=colour)
        chart.series.append(series)
    # Between a snapshot and the end of a target there is nothing to draw.
    chart.display_blanks = "gap"
    _dress_days(chart, title)
    chart.y_axis.number_format = "0%"
    chart.y_axis.scaling.max = 1
    chart.y_axis.title = axis_title("Share of VMs")
    return chart  # type: ignore[no-any-return]


def pareto(sheet: Worksheet, table: Table, *, top: int, left: Sequence[int], stack: Stack) -> ChartBase:
    """Return bars of the first column of a stack, and a line of the second over an axis of its own."""
    (bar, bar_colour), (line, line_colour) = stack.colours.items()
    chart: Any = stacked_bars(
        sheet,
        table,
        top=top,
        left=left,
        stack=Stack(stack.category, {bar: bar_colour}, stack.title),
    )
    chart.y_axis.title = axis_title(bar)
    over: Any = LineChart()
    column = left[table.position(line)]
    reference = Reference(sheet, min_col=column, min_row=top + 1, max_row=top + len(table.rows))
    series = Series(reference, title=line)
    series.val.numRef.numCache = numbers(table, line, "0%")
    series.cat = chart.series[0].cat
    series.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=line_colour, w=_LINE))
    series.marker.symbol = "circle"
    series.marker.graphicalProperties = GraphicalProperties(solidFill=line_colour)
    series.smooth = False
    over.series.append(series)
    over.y_axis.axId = 200
    over.y_axis.crosses = "max"
    over.y_axis.delete = False
    over.y_axis.number_format = "0%"
    over.y_axis.scaling.min, over.y_axis.scaling.max = 0, 1
    over.y_axis.majorGridlines = None
    over.y_axis.txPr = small_text()
    over.y_axis.title = axis_title(line)
    chart += over
    return chart  # type: ignore[no-any-return]


def _series(sheet: Worksheet, table: Table, name: str) -> Any:
    bottom = len(table.rows) + 1
    column = table.position(name) + 1
    series = Series(Reference(sheet, min_col=column, min_row=2, max_row=bottom), title=name)
    series.val.numRef.numCache = numbers(table, name)
    days = NumRef(f=str(Reference(sheet, min_col=1, min_row=2, max_row=bottom)))
    days.numCache = numbers(table, table.columns[0].title, _DAY)
    series.cat = AxDataSource(numRef=days)
    return series


def _dress_days(chart: Any, title: str) -> None:
    chart.x_axis = DateAxis(crossAx=100)
    chart.y_axis.crossAx = 500
    dress(chart, title)
    chart.x_axis.baseTimeUnit = "days"
    days = _days(chart)
    is_long = days > _FEW_DAYS
    chart.x_axis.number_format = _MONTH if is_long else _DAY
    chart.x_axis.majorTimeUnit = "months" if is_long else "days"
    chart.x_axis.majorUnit = max(1, -(-(days // 30 if is_long else days) // 6))
    chart.x_axis.tickLblPos = "low"
    chart.x_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=INK))


def _days(chart: Any) -> int:
    points = chart.series[0].cat.numRef.numCache.pt
    return int(float(points[-1].v) - float(points[0].v))
