"""The charts of pages as inline SVG, drawn by Vega-Lite.

Every chart is drawn twice: wide for screens and paper, narrow for phones, where a scaled one could not be
read. Colours are CSS variables of the page, so that one drawing serves light and dark. Whether text fits is
never measured: margins are fixed and legends are the page's business, so that the same progress gives the
same bytes wherever fonts differ. Days are days in UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert
from markupsafe import Markup

from reports.tables.table import Table

VEGA_LITE = "6.4"
_SVG = "http://www.w3.org/2000/svg"
_FONT = "sans-serif"
_SHORT = 120
"""Days up to which ticks are days and not months."""
_DASHES: tuple[list[int], ...] = ([], [7, 3], [2, 3], [8, 3, 2, 3], [12, 3])
"""Lines differ by more than their colour."""

_CONFIG = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFont": _FONT,
        "labelFontSize": 12,
        "labelOverlap": False,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
}


@dataclass(frozen=True, slots=True)
class Size:
    """How large a drawing is, and what its margins hold."""

    name: str
    width: int
    height: int
    ticks: int


SIZES = (Size("wide", 860, 260, 10), Size("narrow", 340, 220, 4))


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a legend."""

    name: str
    colour: str
    """Variable of the page's style."""
    dashes: str | None = None
    """How its line is dashed; None for what is an area or a bar."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart in both sizes, its legend, and the table that says the same."""

    title: str
    summary: str
    """What it shows in one sentence, for whoever cannot see it."""
    drawings: tuple[tuple[str, Markup], ...]
    legend: tuple["Key", ...]


def stacked(title: str, summary: str, table: Table, titles: Sequence[str], colours: Sequence[str]) -> Chart:
    """Return columns of numbers stacked over the days of a table's first column."""
    names = list(titles)
    values = [
        {"day": str(row[0]), "name": name, "value": row[table.position(name)], "place": place}
        for row in table.rows
        for place, name in enumerate(names)
    ]
    mark: dict[str, Any] = {"type": "area", "line": False}
    if len(table.rows) == 1:
        # An area needs two days; of one day there is a bar.
        mark = {"type": "bar", "width": 60}
    encoding = {
        "y": {"field": "value", "type": "quantitative", "stack": "zero", "title": None, "axis": _numbers()},
        "order": {"field": "place"},
        "color": _colour(names, colours),
        "stroke": {"value": "var(--ground)"},
        "strokeWidth": {"value": 0.5},
    }
    legend = (Key(name, colour) for name, colour in zip(names, colours, strict=True))
    return _chart(title, summary, values, {"mark": mark, "encoding": encoding}, legend, days=table)


def lines(
    title: str,
    summary: str,
    table: Table,
    titles: Sequence[str],
    colours: Sequence[str],
) -> Chart:
    """Return columns of shares as lines over the days of a table's first column."""
    names = list(titles)
    values = [
        {"day": str(row[0]), "name": name, "value": row[table.position(name)]}
        for row in table.rows
        for name in names
        if row[table.position(name)] is not None
    ]
    share = {"field": "value", "type": "quantitative", "title": None, "scale": {"domain": [0, 1]}}
    encoding = {
        "y": {**share, "axis": {**_numbers(), "format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]}},
        "color": _colour(names, colours),
        "strokeDash": {
            "field": "name",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": names, "range": list(_DASHES[: len(names)])},
        },
    }
    mark = {"type": "line", "strokeWidth": 2.5, "point": len(table.rows) == 1}
    legend = (
        Key(name, colour, " ".join(map(str, dashes)))
        for name, colour, dashes in zip(names, colours, _DASHES, strict=False)
    )
    return _chart(title, summary, values, {"mark": mark, "encoding": encoding}, legend, days=table)


def ranked(title: str, summary: str, table: Table, *, name: str, bar: str, line: str) -> Chart:
    """Return bars below one another, and a line of shares over an axis of its own."""
    values = [
        {
            "name": row[table.position(name)],
            "bar": row[table.position(bar)],
            "line": row[table.position(line)],
        }
        for row in table.rows
    ]
    down = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"domain": False, "ticks": False, "labelLimit": 0, "labelOverlap": False},
    }
    counted = {
        "field": "bar",
        "type": "quantitative",
        "title": None,
        "axis": {**_numbers(), "orient": "bottom"},
    }
    share = {
        "field": "line",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, 1]},
        "axis": {"orient": "top", "format": ".0%", "grid": False, "values": [0, 0.5, 1], "domain": False},
    }
    look = {"type": "line", "color": "var(--level-0)", "strokeWidth": 2.5}
    dots = {"filled": True, "size": 40, "color": "var(--level-0)"}
    layers = [
        {"mark": {"type": "bar", "color": "var(--level-2)"}, "encoding": {"y": down, "x": counted}},
        {"mark": {**look, "point": dots}, "encoding": {"y": down, "x": share, "order": {"field": "place"}}},
    ]
    for place, value in enumerate(values):
        value["place"] = place
    spec = {"layer": layers, "resolve": {"scale": {"x": "independent"}}}
    legend = (Key(bar, "level-2"), Key(line, "level-0", ""))
    return _chart(title, summary, values, spec, legend, height=26 * len(values) + 8, top=24)


def _chart(
    title: str,
    summary: str,
    values: list[dict[str, Any]],
    spec: dict[str, Any],
    legend: Iterable[Key],
    days: Table | None = None,
    **room: int,
) -> Chart:
    drawings = []
    for size in SIZES:
        sized = spec
        if days is not None:
            sized = {**spec, "encoding": {**spec["encoding"], "x": _days(days, size)}}
        drawings.append((size.name, _drawn(title, values, sized, size, **room)))
    return Chart(title, summary, tuple(drawings), tuple(legend))


def _drawn(
    title: str,
    values: list[dict[str, Any]],
    spec: dict[str, Any],
    size: Size,
    *,
    height: int = 0,
    top: int = 10,
) -> Markup:
    sized = Size(size.name, size.width, height or size.height, size.ticks)
    margins = {"left": 52, "right": 22, "top": top, "bottom": 26}
    return picture(title, {"data": {"values": values}, **spec}, sized, margins)


def picture(
    title: str,
    spec: dict[str, Any],
    size: Size,
    margins: Mapping[str, int],
    texts: Mapping[str, str] | None = None,
) -> Markup:
    """Return what Vega-Lite draws from a specification, as part of a page.

    Args:
        title: Its name for whoever cannot see it.
        spec: What is drawn: data, marks and encodings.
        size: Its width with its margins, and its height without them.
        margins: What is kept free around it.
        texts: Text from outside, by the text of ours that was drawn in its place.
    """
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": size.width - margins["left"] - margins["right"],
        "height": size.height,
        "autosize": "none",
        "padding": dict(margins),
        "config": _CONFIG,
        **spec,
    }
    drawn = vl_convert.vegalite_to_svg(whole, vl_version=VEGA_LITE, allowed_base_urls=[])
    return _made_inline(drawn, title, size, size.height + margins["top"] + margins["bottom"], texts or {})


def _days(table: Table, size: Size) -> dict[str, Any]:
    days = [row[0] for row in table.rows if isinstance(row[0], date)]
    ticks = _ticks(days, size.ticks)
    is_short = (days[-1] - days[0]).days <= _SHORT
    axis = {"format": "%m-%d" if is_short else "%Y-%m", "grid": False, "values": [str(day) for day in ticks]}
    return {"field": "day", "type": "temporal", "scale": {"type": "utc"}, "title": None, "axis": axis}


def _ticks(days: list[date], most: int) -> list[date]:
    """Return the days to name: snapshots of a short time, first days of months of a longer one."""
    if (days[-1] - days[0]).days <= _SHORT:
        return days[:: -(-len(days) // most)]
    months = range(days[0].year * 12 + days[0].month, days[-1].year * 12 + days[-1].month)
    firsts = [date(month // 12, month % 12 + 1, 1) for month in months]
    return firsts[:: -(-len(firsts) // most)]


def _numbers() -> dict[str, Any]:
    return {"tickCount": 5, "domain": False, "ticks": False, "labelPadding": 6}


def _colour(names: list[str], colours: Sequence[str]) -> dict[str, Any]:
    shown = [f"var(--{colour})" for colour in colours]
    scale = {"domain": names, "range": shown}
    return {"field": "name", "type": "nominal", "legend": None, "scale": scale}


def _made_inline(drawn: str, title: str, size: Size, height: int, texts: Mapping[str, str]) -> Markup:
    """Return a drawing as part of a page: one picture with a name, that grows and shrinks with its column."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(drawn)  # noqa: S314  drawn by us just now
    for element in root.iter():
        for name in [key for key in element.attrib if key.startswith("aria-") or key in ("role", "class")]:
            del element.attrib[name]
    for parent in list(root.iter()):
        for child in [one for one in parent if one.get("display") == "none"]:
            parent.remove(child)
    for element in root.iter():
        if element.text and element.text in texts:
            element.text = texts[element.text]
            # Its direction of writing is its own business.
            element.set("unicode-bidi", "isolate")
    root.attrib.clear()
    root.attrib.update(
        {"viewBox": f"0 0 {size.width} {height}", "role": "img", "class": f"chart {size.name}"}
    )
    root.set("aria-label", title)
    text = ET.tostring(root, encoding="unicode")
    # What varies in it was made by the drawing program from numbers and our own titles, or is escaped text.
    return Markup(text)  # noqa: S704
