"""The charts of a wave's page: when each VM was worked on in its window, and how long it was away.

All places are worked out here, in pixels, so that the same report gives the same drawing wherever fonts
differ; Vega-Lite draws them. Names are put in after the drawing, as text of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from unicodedata import east_asian_width

from readiness.model.wave_report import VmTold, WaveReport
from reports.charts_svg import SIZES, Chart, Key, Size, picture
from reports.page_rows import legible
from reports.tables.times import minutes
from reports.wave_bars import (
    AWAY,
    BACK,
    CLOSURE,
    COLOURS,
    KINDS,
    PREPARATION,
    SOAK,
    STAYED,
    UNPROVEN,
    bars_of,
    drawn_first,
    most_over,
)
from reports.wave_time import TimeLine

_MARGINS = {"left": 8, "right": 8, "top": 6, "bottom": 40}
_HEIGHTS = {PREPARATION: 8, AWAY: 14, BACK: 14, UNPROVEN: 14, STAYED: 8, SOAK: 4, CLOSURE: 8}
"""How high a bar is: kinds of work differ by more than their colour."""
_NICE = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 960, 1_920)
_TICKS = 6
_DASHED = [5, 3]
_WIDE, _NARROW = SIZES

Mark = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the names, the plot and the words on its right lie, in pixels."""

    size: Size
    left: int
    right: int
    row: int
    middle: int
    """Of a row's bars, from its top."""
    longest: int
    """Characters of a name."""

    @property
    def width(self) -> int:
        """Return the width within the margins."""
        return self.size.width - _MARGINS["left"] - _MARGINS["right"]

    @property
    def is_narrow(self) -> bool:
        """Tell whether names stand above their bars."""
        return self.size is _NARROW


_GRIDS = (
    _Grid(_WIDE, left=190, right=716, row=24, middle=12, longest=26),
    _Grid(_NARROW, left=14, right=308, row=40, middle=27, longest=26),
)


def gantt(report: WaveReport) -> Chart:
    """Return when each VM was worked on, within the windows of its application."""
    vms = drawn_first(report)
    used = dict.fromkeys(bar.kind for vm in vms for bar in bars_of(report, vm))
    legend = [Key(kind, colour) for kind, colour in KINDS.items() if kind in used]
    legend += [Key("Window", "window"), Key("Window opens, closes", "muted", "")]
    if report.reserve_minutes:
        legend.append(Key("From here on kept free for the way back", "reserve", "5 3"))
    title = "When each VM was worked on"
    drawings = tuple((grid.size.name, _gantt(report, vms, grid, title)) for grid in _GRIDS)
    shown = "" if len(vms) == len(report.vms) else f" {len(vms)} of {len(report.vms):,} VMs are drawn."
    summary = f"Times are UTC. Where dashed lines cross all rows, idle time is left out.{shown}"
    return Chart(title, summary, drawings, tuple(legend))


def outages(report: WaveReport) -> Chart | None:
    """Return how long VMs were away against what was planned; None where none was away."""
    vms = most_over(report)
    if not vms:
        return None
    ends = dict.fromkeys(vm.end for vm in vms)
    legend = [Key(f"Away: {end}", COLOURS[end]) for end in COLOURS if end in ends]
    legend += [Key("Planned", "ink", ""), Key("Reserved, way back included", "reserve", "5 3")]
    title = f"Minutes away, {report.durations}, against the plan"
    drawings = tuple((grid.size.name, _outages(vms, grid, title)) for grid in _GRIDS)
    away = sum(1 for vm in report.vms if vm.outage_seconds is not None)
    shown = "" if len(vms) == away else f" {len(vms)} of {away:,} VMs are drawn."
    return Chart(title, f"Furthest beyond their plan first.{shown}", drawings, tuple(legend))


def _gantt(report: WaveReport, vms: Sequence[VmTold], grid: _Grid, title: str) -> Any:
    spans = [(vm.opens, vm.closes) for vm in vms]
    spans += [(bar.start, bar.end) for vm in vms for bar in bars_of(report, vm)]
    line = TimeLine(spans, grid.left, grid.right, day="%d %b" if grid.is_narrow else "%a %d %b")
    height = grid.row * len(vms)
    windows = list(_windows(report, vms, grid, line))
    bars = [
        {
            "x": line.at(bar.start),
            # What took a moment is still seen.
            "x2": max(line.at(bar.end), line.at(bar.start) + 1.5),
            "y": row * grid.row + grid.middle - _HEIGHTS[bar.kind] / 2,
            "y2": row * grid.row + grid.middle + _HEIGHTS[bar.kind] / 2,
            "colour": KINDS[bar.kind],
        }
        for row, vm in enumerate(vms)
        for bar in sorted(bars_of(report, vm), key=lambda one: list(KINDS).index(one.kind))
    ]
    ticks = line.ticks()
    layers = [
        _rects([{**one, "colour": "window"} for one in windows]),
        _rules([{"x": x, "y": 0, "y2": height} for x, _, _ in ticks], "line"),
        _rules([{"x": x, "y": 0, "y2": height} for x in line.breaks()], "muted", [2, 4]),
        _rects(bars),
        _rules([{**one, "x": one[side]} for one in windows for side in ("x", "x2")], "muted"),
        _rules([one | {"x": one["reserve"]} for one in windows if "reserve" in one], "reserve", _DASHED),
        _texts([{"x": x, "y": height + 15, "text": text} for x, text, _ in ticks], "muted", "center"),
        _texts([{"x": x, "y": height + 31, "text": day} for x, _, day in ticks if day], "muted", "center"),
    ]
    words = [vm.end.value for vm in vms]
    return _with_names(title, layers, vms, words, grid)


def _windows(report: WaveReport, vms: Sequence[VmTold], grid: _Grid, line: TimeLine) -> Iterator[Mark]:
    """Yield one block for rows below one another that have one window; a row each where names stand above."""

    def window(one: tuple[int, VmTold]) -> tuple[Any, ...]:
        row, vm = one
        return vm.opens, vm.closes, row if grid.is_narrow else None

    for (opens, closes, _), same in groupby(enumerate(vms), key=window):
        rows = [row for row, _ in same]
        block = {
            "x": line.at(opens),
            "x2": line.at(closes),
            "y": rows[0] * grid.row + (18 if grid.is_narrow else 0),
            "y2": (rows[-1] + 1) * grid.row,
        }
        if report.reserve_minutes:
            block["reserve"] = line.at(closes - timedelta(minutes=report.reserve_minutes))
        yield block


def _outages(vms: Sequence[VmTold], grid: _Grid, title: str) -> Any:
    most = max(max(vm.outage_seconds or 0, vm.reserved_seconds or 0) for vm in vms) / 60
    step = next((one for one in _NICE if most / one <= _TICKS), _NICE[-1])
    scale = (grid.right - grid.left - 8) / max(most, 1)

    def at(seconds: float) -> float:
        return round(grid.left + seconds / 60 * scale, 2)

    height = grid.row * len(vms)
    rows = [(row * grid.row + grid.middle, vm) for row, vm in enumerate(vms)]
    bars = [
        {"x": grid.left, "x2": at(vm.outage_seconds or 0), "y": y - 6, "y2": y + 6, "colour": COLOURS[vm.end]}
        for y, vm in rows
    ]
    planned = [{"x": at(vm.planned_seconds), "y": y - 9, "y2": y + 9} for y, vm in rows if vm.planned_seconds]
    reserved = [
        {"x": at(vm.reserved_seconds), "y": y - 9, "y2": y + 9} for y, vm in rows if vm.reserved_seconds
    ]
    ticks = [(at(60 * tick), str(tick)) for tick in range(0, int(most) + 1, step)]
    layers = [
        _rules([{"x": x, "y": 0, "y2": height} for x, _ in ticks], "line"),
        _rects(bars),
        _rules(planned, "ink", width=2.5),
        _rules(reserved, "reserve", _DASHED, width=2),
        _texts([{"x": x, "y": height + 15, "text": text} for x, text in ticks], "muted", "center"),
    ]
    words = [f"{minutes(vm.outage_seconds or 0):,} min{_planned(vm)}" for vm in vms]
    return _with_names(title, layers, vms, words, grid, marked=False)


def _planned(vm: VmTold) -> str:
    return f", planned {minutes(vm.planned_seconds):,}" if vm.planned_seconds else ""


def _with_names(
    title: str,
    layers: list[Mark],
    vms: Sequence[VmTold],
    words: Sequence[str],
    grid: _Grid,
    *,
    marked: bool = True,
) -> Any:
    """Draw layers with the name of its VM beside each row, and a word on its outcome."""
    up = 11 if grid.is_narrow else grid.middle
    names: list[Mark] = [{"x": 0, "y": row * grid.row + up, "text": f"row {row}"} for row in range(len(vms))]
    end = grid.width if grid.is_narrow else grid.right + (26 if marked else 10)
    said = [{"x": end, "y": one["y"], "text": word} for one, word in zip(names, words, strict=True)]
    layers = [
        *layers,
        _texts(names, "ink", "left"),
        _texts(said, "ink", "right" if grid.is_narrow else "left"),
    ]
    if marked:
        squares: list[Mark] = [
            {
                "x": grid.right + 12 if not grid.is_narrow else grid.width - 7 * len(vm.end.value) - 14,
                "y": one["y"] - 5,
                "colour": COLOURS[vm.end],
            }
            for one, vm in zip(names, vms, strict=True)
        ]
        squares = [one | {"x2": one["x"] + 9, "y2": one["y"] + 9} for one in squares]
        layers.append(_rects(squares))
    texts = {f"row {row}": _fitted(vm.name, grid.longest) for row, vm in enumerate(vms)}
    size = Size(grid.size.name, grid.size.width, grid.row * len(vms), grid.size.ticks)
    return picture(
        title, {"layer": [_placed(one, size, grid.width) for one in layers]}, size, _MARGINS, texts
    )


def _placed(layer: Mark, size: Size, width: int) -> Mark:
    """Give a layer the scales on which places are pixels."""
    across = {"type": "quantitative", "axis": None, "scale": {"domain": [0, width], "nice": False}}
    down = {
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, size.height], "nice": False, "reverse": True},
    }
    places = {
        name: {"field": name, **(across if name == "x" else down)} if len(name) == 1 else {"field": name}
        for name in layer.pop("places")
    }
    return {**layer, "encoding": {**places, **layer.get("encoding", {})}}


def _rects(values: list[Mark]) -> Mark:
    coloured = [{**one, "colour": f"var(--{one['colour']})"} for one in values]
    return {
        "data": {"values": coloured},
        "mark": {"type": "rect"},
        "places": ("x", "x2", "y", "y2"),
        "encoding": {"color": {"field": "colour", "type": "nominal", "legend": None, "scale": None}},
    }


def _rules(values: list[Mark], colour: str, dashes: list[int] | None = None, width: float = 1) -> Mark:
    mark = {"type": "rule", "color": f"var(--{colour})", "strokeWidth": width}
    if dashes:
        mark["strokeDash"] = dashes
    return {"data": {"values": values}, "mark": mark, "places": ("x", "y", "y2")}


def _texts(values: list[Mark], colour: str, align: str) -> Mark:
    mark = {"type": "text", "color": f"var(--{colour})", "align": align, "baseline": "middle", "fontSize": 12}
    return {
        "data": {"values": values},
        "mark": mark,
        "places": ("x", "y"),
        "encoding": {"text": {"field": "text", "type": "nominal"}},
    }


def _fitted(name: str, longest: int) -> str:
    """Return a name that takes at most so many columns: some characters take two."""
    shown, used = "", 0
    for character in legible(name):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > longest - 1:
            return f"{shown}…"
        shown += character
    return shown
