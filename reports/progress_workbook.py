"""The progress workbook: how far an estate has come, what blocks it, and when it may be done.

The first page is for people who open nothing else: numbers, three charts and the forecast in words. Every
other sheet is a table of `reports.tables.progress`. The same progress gives the same bytes.
"""

from io import BytesIO
from typing import BinaryIO

from openpyxl.worksheet.pagebreak import Break

from readiness.model.progress import Progress
from reports.excel import style
from reports.excel.chart import Stack
from reports.excel.chart_trend import areas, lines, pareto
from reports.excel.cover import Cover
from reports.excel.package import Book
from reports.excel.sheet import Highlight, Looks, add_sheets
from reports.progress_words import (
    assumptions_in_words,
    change_in_points,
    dimensions_in_words,
    drift_in_words,
    fact,
    first_forecasts,
    heaviest,
    later_runs_in_words,
    levels_in_words,
    movement_in_words,
    next_in_words,
    road_in_words,
)
from reports.tables import Cell, Column, Kind, Table
from reports.tables.progress import in_words, progress_tables, share_at
from reports.tables.progress_pareto import progress_pareto

_GRID = (2, 24, 17, 17, 17, 17, 17, 17, 17)
_MIDDLE = 5
"""Last column of the left half."""
_CHART_ROWS = 17
_TREND_ROWS = 22
"""The charts over time fill the rest of the first page."""
_SHOWN = 8
"""Applications that the first page shows; all of them stand on their own sheets."""

LEVEL_COLOURS = {
    "Level 3": style.ACCENT,
    "Level 2": style.ACCENT_MIDDLE,
    "Level 1": style.AMBER,
    "Level 0": style.RED,
}
"""From the bottom of a stack to its top: what is reached grows from below."""
_BURN_UP = {
    "Level 1 or above": style.AMBER,
    "Level 2 or above": style.ACCENT_MIDDLE,
    "Level 3 or above": style.ACCENT,
    "Target in 12 months": style.INK,
    "Target in 18 months": style.GREY,
}
_TARGETS = ("Target in 12 months", "Target in 18 months")

_NO_LEVEL = (Highlight("Level 0", style.RED, above=0),)
_HIGHLIGHTS: dict[str, tuple[Highlight, ...]] = {
    "By application": _NO_LEVEL,
    "By owner": _NO_LEVEL,
    "By subscription": _NO_LEVEL,
    "Blockers": (
        Highlight("Held back by it alone", style.GREEN, above=0),
        Highlight("Of these unknown", style.AMBER, above=0),
    ),
    "Exceptions": (
        Highlight("State", style.RED, equals="expired"),
        Highlight("State", style.AMBER, equals="ends soon"),
    ),
    "Controls": (
        Highlight("Unmet", style.RED, above=0),
        Highlight("Unknown", style.AMBER, above=0),
        Highlight("Mandatory", style.GREY, equals="advisory", is_whole_row=True),
    ),
    "Drift": (
        Highlight("Now", style.RED, equals="blocked"),
        Highlight("Now", style.AMBER, equals="unknown"),
    ),
    "Changes": (
        Highlight("Change", style.RED, equals="drift"),
        Highlight("Change", style.RED, equals="regressed"),
        Highlight("Change", style.AMBER, equals="newly applies"),
        Highlight("Change", style.AMBER, equals="not read"),
        Highlight("Change", style.GREEN, equals="fixed"),
    ),
    "Runs": (
        Highlight("Stranded", style.RED, above=0),
        Highlight("Failed", style.RED, above=0),
        Highlight("Rolled back", style.AMBER, above=0),
        Highlight("Where", style.GREY, equals="twin", is_whole_row=True),
    ),
    "Runs by VM": (
        Highlight("Outcome", style.GREEN, equals="done"),
        Highlight("Outcome", style.AMBER, equals="rolled back"),
        Highlight("Outcome", style.RED, equals="stranded"),
        Highlight("Outcome", style.RED, equals="failed"),
        Highlight("Where", style.GREY, equals="twin", is_whole_row=True),
    ),
}
_ON_SCREEN = ("Resource id", "Wave", "Plan", "Place", "Audit head")
"""The last columns of tables, which are for filters and machines and are not printed."""
_WIDE = frozenset(
    {
        "Levels over time",
        "By application",
        "By owner",
        "By subscription",
        "Blockers",
        "Forecast",
        "Exceptions",
        "Controls",
        "Drift",
        "Changes",
        "Runs",
        "Runs by VM",
        "VMs",
    }
)
_LOOKS = Looks(highlights=_HIGHLIGHTS, wide=_WIDE, unprinted_anywhere=_ON_SCREEN)


def write_progress_workbook(to: BinaryIO, progress: Progress) -> None:
    """Write the workbook of an estate's progress."""
    book = Book(title=f"Progress of {progress.estate}", release=progress.release, as_of=progress.as_of)
    style.prepare(book.workbook)
    book.workbook.worksheets[0].title = "Summary"
    footer = f"{progress.estate} · progress as of {progress.as_of}"
    tables = {table.name: table for table in progress_tables(progress)}
    summary = tables.pop("Summary")
    for table in tables.values():
        add_sheets(book, table, _LOOKS.of(table, footer))
    _draw_cover(book, progress, summary, tables, footer)
    book.write(to)


def progress_workbook(progress: Progress) -> bytes:
    """Return the workbook as bytes."""
    buffer = BytesIO()
    write_progress_workbook(buffer, progress)
    return buffer.getvalue()


def _draw_cover(
    book: Book, progress: Progress, summary: Table, tables: dict[str, Table], footer: str
) -> None:
    sheet = book.workbook.worksheets[0]
    cover = Cover(sheet, footer, _GRID)
    first = progress.points[0].as_of
    below = f"From {first} to {progress.as_of}, {len(progress.points)} snapshots"
    cover.title(f"Progress of {progress.estate}", below)
    _draw_tiles(cover, progress)
    _write_words(cover, progress)
    # A page for each question: where do we stand, when is it done and by whom, what is in the way.
    _draw_trends(cover, book, tables)
    sheet.row_breaks.append(Break(id=cover.row - 1))
    _draw_forecasts(cover, progress)
    _draw_groups(cover, progress)
    sheet.row_breaks.append(Break(id=cover.row - 1))
    _draw_pareto(cover, progress)
    sheet.row_breaks.append(Break(id=cover.row - 1))
    facts = tuple((label, fact(label, value)) for label, value in summary.rows)
    columns = (Column("Fact", 41, Kind.PROSE), Column("Value", 102, Kind.PROSE))
    cover.table("In numbers", Table("Facts", columns, facts), (2, 6))
    # Pages as they are broken above: a picture in two halves is read by nobody.
    sheet.page_setup.fitToHeight = 0


def _draw_tiles(cover: Cover, progress: Progress) -> None:
    now, estate = progress.latest, progress.of_kind("estate")[0]
    tiles: list[tuple[int, str, Cell, str]] = [
        (2, "VMs", now.vms, style.NUMBER),
        (3, "Level of the estate", estate.level.raw.value, style.NUMBER),
        *(
            (3 + level, f"Level {level} or above", _percent(share_at(now.raw, level)), style.NUMBER)
            for level in (1, 2, 3)
        ),
        (7, "Posture score", now.score if now.score is not None else "-", style.NUMBER),
        (8, "Since first", change_in_points(now.score, progress.points[0].score) or "-", style.NUMBER),
        (9, "Drift", len(progress.drift), style.NUMBER),
    ]
    cover.tiles(tiles)


def _write_words(cover: Cover, progress: Progress) -> None:
    """Write what the numbers mean, the way to the highest level and the next thing to do first."""
    for said, name in (
        (road_in_words(progress), style.LEAD),
        (next_in_words(progress), style.LEAD),
        (levels_in_words(progress), style.NOTE),
        (movement_in_words(progress), style.NOTE),
        (dimensions_in_words(progress), style.NOTE),
        (drift_in_words(progress), style.ALARM if progress.drift else style.NOTE),
        (later_runs_in_words(progress), style.ALARM),
    ):
        if said:
            cover.note(said, name)
    cover.row += 1


def _draw_trends(cover: Cover, book: Book, tables: dict[str, Table]) -> None:
    """Draw the two charts over time side by side, over the cells of their own sheets."""
    levels, burn_up = tables["Levels over time"], tables["Burn-up"]
    chart = areas(book.workbook[levels.name], levels, LEVEL_COLOURS, "VMs on each level", "VMs")
    cover.chart(chart, row=cover.row, column=2, rows=_TREND_ROWS, last=_MIDDLE)
    title = "Share of VMs on each level, against the targets"
    chart = lines(book.workbook[burn_up.name], burn_up, _BURN_UP, _TARGETS, title)
    cover.chart(chart, row=cover.row, column=_MIDDLE + 1, rows=_TREND_ROWS)
    cover.row += _TREND_ROWS + 1


def _draw_forecasts(cover: Cover, progress: Progress) -> None:
    columns = (
        Column("What", 58, Kind.PROSE),
        Column("From", 17),
        Column("Share now", 17, Kind.SHARE),
        Column("When", 68, Kind.PROSE),
    )
    rows = tuple((one.subject, one.basis, one.now, in_words(one)) for one in first_forecasts(progress))
    cover.table("Forecast, always as a range", Table("Forecast", columns, rows), (2, 1, 1, 4))
    if said := assumptions_in_words(progress):
        cover.row -= 1
        cover.note(said)
        cover.row += 1


def _draw_pareto(cover: Cover, progress: Progress) -> None:
    heaviest_blockers = progress_pareto(progress)
    if heaviest_blockers is None:
        cover.note("No control holds a VM back from its next level.")
        cover.row += 1
        return
    top = cover.row
    cover.row += _CHART_ROWS + 1
    table = heaviest_blockers.table()
    header, columns = cover.table(heaviest_blockers.title, table, (1, 3, 1, 1, 2))
    if heaviest_blockers.left_out:
        cover.note(f"and {heaviest_blockers.left_out} more, on the sheet Blockers.")
        cover.row += 1
    colours = {"VMs held back": style.ACCENT_MIDDLE, "Rise with all above": style.RED}
    stack = Stack("Control", colours, heaviest_blockers.title)
    chart = pareto(cover.sheet, table, top=header, left=columns, stack=stack)
    cover.chart(chart, row=top, column=2, rows=_CHART_ROWS)


def _draw_groups(cover: Cover, progress: Progress) -> None:
    groups = heaviest(progress, "application")
    columns = (
        Column("Application", 41, Kind.PROSE),
        Column("VMs", 17, Kind.COUNT),
        *(Column(f"Level {level}", 17, Kind.COUNT) for level in range(4)),
        Column("Posture score", 17, Kind.MONEY),
    )
    rows = tuple((one.name or "no application", one.vms, *one.raw, one.score) for one in groups[:_SHOWN])
    heading = "Applications with most VMs below Level 3"
    cover.table(heading, Table("Applications", columns, rows), (2, 1, 1, 1, 1, 1, 1))
    if len(groups) > _SHOWN:
        cover.row -= 1
        cover.note(f"and {len(groups) - _SHOWN:,} more, on the sheet By application.")
        cover.row += 1


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
