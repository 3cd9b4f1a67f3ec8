"""The workbook of a wave's report: what was done, what is left, and the evidence for it.

The first page is for people who open nothing else. Every other sheet is a table of `reports.tables.wave`. The
same report gives the same bytes.
"""

from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from openpyxl.worksheet.pagebreak import Break

from readiness.model.wave_report import NEEDS_A_PERSON, End, WaveReport
from reports.excel import style
from reports.excel.chart import Stack, side_by_side, stacked_bars
from reports.excel.cover import Cover
from reports.excel.package import Book
from reports.excel.sheet import Highlight, Looks, add_sheets
from reports.tables import Cell, Column, Kind, Table
from reports.tables.times import minutes
from reports.tables.wave import DURATIONS, outages_in_words, state_in_words, wave_tables
from reports.wave_bars import most_over

_GRID = (2, 24, 17, 17, 17, 17, 17, 17, 17)
_MIDDLE = 5
"""Last column of the left half."""
_CHART_ROWS = 15
_SHOWN, _COMPARED = 8, 15
"""Things to do, and VMs, that the first page shows; all of them stand on their own sheets."""
_COLOURS = {
    End.DONE: style.GREEN,
    End.CLOSURE_DUE: style.ACCENT_MIDDLE,
    End.REMAINING: style.GREY_LIGHT,
    End.DECLINED: style.EDITED,
    End.BLOCKED: style.AMBER,
    End.ROLLED_BACK: style.RED,
    End.UNDECIDED: style.GREY,
    End.STRANDED: style.INK,
}
_OUTCOMES = (
    Highlight("Outcome", style.GREEN, equals=End.DONE.value),
    *(Highlight("Outcome", style.RED, equals=end.value) for end in (End.STRANDED, End.ROLLED_BACK)),
    *(
        Highlight("Outcome", style.AMBER, equals=end.value)
        for end in (End.UNDECIDED, End.BLOCKED, End.DECLINED)
    ),
    Highlight("Outcome", style.GREY, equals=End.REMAINING.value),
)
_HIGHLIGHTS: dict[str, tuple[Highlight, ...]] = {
    "VMs": _OUTCOMES,
    "Timeline": _OUTCOMES,
    "Left to do": (Highlight("When", style.RED, equals="now"), Highlight("When", style.AMBER, equals="next")),
    "Steps": (
        Highlight("State", style.RED, equals="failed"),
        Highlight("State", style.AMBER, equals="begun"),
        Highlight("State", style.AMBER, equals="intent"),
    ),
    "Audit": (
        Highlight("Chain", style.GREEN, equals="holds"),
        Highlight("State", style.AMBER, equals="unfinished"),
    ),
}
_WIDE = frozenset({"VMs", "Timeline", "Steps", "Left to do", "Approvals", "Audit", "Snapshots", "Windows"})
_UNPRINTED = {
    "VMs": ("Owner had to agree to", "Resource id"),
    "Snapshots": ("Resource id",),
    "Steps": ("Name",),
}
_LOOKS = Looks(highlights=_HIGHLIGHTS, unprinted=_UNPRINTED, wide=_WIDE)


def write_wave_workbook(to: BinaryIO, report: WaveReport) -> None:
    """Write the workbook of a wave's report."""
    title = f"Wave {report.wave} of {report.estate}"
    book = Book(title=title, release=report.release, as_of=report.as_of.date())
    style.prepare(book.workbook)
    book.workbook.worksheets[0].title = "Summary"
    footer = f"{report.estate} · wave {report.wave} · plan {report.approval} · {report.target.value}"
    tables = {table.name: table for table in wave_tables(report)}
    summary = tables.pop("Summary")
    for table in tables.values():
        add_sheets(book, table, _LOOKS.of(table, footer))
    _draw_cover(book, report, summary, tables, footer)
    book.write(to)


def wave_workbook(report: WaveReport) -> bytes:
    """Return the workbook as bytes."""
    buffer = BytesIO()
    write_wave_workbook(buffer, report)
    return buffer.getvalue()


def _draw_cover(
    book: Book, report: WaveReport, summary: Table, tables: dict[str, Table], footer: str
) -> None:
    sheet = book.workbook.worksheets[0]
    cover = Cover(sheet, footer, _GRID)
    told = f"told until {report.as_of:%Y-%m-%d %H:%M} UTC"
    cover.title(f"Wave {report.wave} of {report.estate}", f"{report.wave_name} · {told}")
    _draw_tiles(cover, report)
    is_alarming = report.is_unfinished or report.counts[End.STRANDED] > 0
    cover.note(state_in_words(report), style.ALARM if is_alarming else style.NOTE)
    cover.note(f"Durations are {DURATIONS[report.durations]}.")
    cover.row += 1
    top = cover.row
    cover.row += _CHART_ROWS + 1
    _draw_heads(cover, tables["Audit"])
    _draw_left(cover, tables["Left to do"])
    sheet.row_breaks.append(Break(id=cover.row - 1))
    _draw_stages(cover, report, top)
    _draw_outages(cover, report, top)
    sheet.row_breaks.append(Break(id=cover.row - 1))
    columns = (Column("Fact", 41, Kind.PROSE), Column("Value", 102, Kind.PROSE))
    cover.table("In facts", Table("Facts", columns, summary.rows), (2, 6))
    # Pages as they are broken above: a picture in two halves is read by nobody.
    sheet.page_setup.fitToHeight = 0


def _draw_tiles(cover: Cover, report: WaveReport) -> None:
    counts = report.counts
    away = [vm.outage_seconds for vm in report.vms if vm.outage_seconds is not None]
    people = sum(counts[end] for end in NEEDS_A_PERSON)
    tiles: list[tuple[int, str, Cell, str]] = [
        (2, "VMs", len(report.vms), style.NUMBER),
        (3, "Done", counts[End.DONE], style.NUMBER),
        (4, "Closure due", counts[End.CLOSURE_DUE], style.NUMBER),
        (5, "Need a person", people, style.NUMBER),
        (6, "Remaining", counts[End.REMAINING], style.NUMBER),
        (7, "Longest outage, min", minutes(max(away)) if away else "-", style.NUMBER),
        (8, "Snapshots", len(report.snapshots), style.NUMBER),
    ]
    cover.tiles(tiles)


def _draw_heads(cover: Cover, audit: Table) -> None:
    columns = (
        Column("Stage", 24),
        Column("Head of the audit chain", 68, Kind.PROSE),
        Column("Chain", 17),
        Column("Begun by", 34),
    )
    rows = tuple(tuple(row[audit.position(column.title)] for column in columns) for row in audit.rows)
    cover.table("Heads of the audit chains: keep them elsewhere", Table("Heads", columns, rows), (1, 4, 1, 2))


def _draw_stages(cover: Cover, report: WaveReport, top: int) -> None:
    """Draw how VMs came out of each stage, from a row on, over cells further down that hold the numbers."""
    ends = [end for end in End if any(one.counts.get(end) for one in report.stages)]
    columns = (Column("Stage", 24), *(Column(end.value.capitalize(), 17, Kind.COUNT) for end in ends))
    rows = tuple((one.stage.value, *(one.counts.get(end, 0) for end in ends)) for one in report.stages)
    stages = Table("Stages", columns, rows)
    header, left = cover.table("VMs by outcome of each stage", stages, (1,) * len(columns))
    stack = Stack(
        "Stage", {end.value.capitalize(): _COLOURS[end] for end in ends}, "VMs by outcome of each stage"
    )
    cover.chart(
        stacked_bars(cover.sheet, stages, top=header, left=left, stack=stack),
        row=top,
        column=2,
        rows=_CHART_ROWS,
        last=_MIDDLE,
    )


def _draw_outages(cover: Cover, report: WaveReport, top: int) -> None:
    """Draw how long VMs were away against the plan, in the same way."""
    away = most_over(report)[:_COMPARED]
    if not away:
        return
    compared = Table(
        "Outages",
        (
            Column("VM", 41, Kind.PROSE),
            *(Column(title, 17, Kind.MINUTES) for title in ("Away", "Planned", "Reserved")),
            Column("Outcome", 17),
        ),
        tuple(
            (
                vm.name,
                minutes(vm.outage_seconds or 0),
                minutes(vm.planned_seconds) if vm.planned_seconds else None,
                minutes(vm.reserved_seconds) if vm.reserved_seconds else None,
                vm.end.value,
            )
            for vm in away
        ),
    )
    words = dict(outages_in_words(report))
    heading = f"Minutes away against the plan, {report.durations}: furthest beyond it first"
    header, left = cover.table(heading, compared, (2, 1, 1, 1, 1))
    cover.row -= 1
    cover.note(f"{words['in all']}; in the middle {words['in the middle']}. All on the sheet VMs.")
    cover.row += 1
    stack = Stack(
        "VM", {"Away": style.ACCENT, "Planned": style.ACCENT_LIGHT}, "Minutes away against the plan"
    )
    chart = side_by_side(cover.sheet, compared, top=header, left=left, stack=stack)
    cover.chart(chart, row=top, column=_MIDDLE + 1, rows=_CHART_ROWS)


def _draw_left(cover: Cover, left: Table) -> None:
    columns = (
        Column("When", 24),
        Column("What", 51, Kind.PROSE),
        Column("Not before (UTC)", 17),
        Column("Why", 51, Kind.PROSE),
    )
    titles = ("When", "What", "VM", "Not before (UTC)", "Why")
    rows = []
    for row in left.rows[:_SHOWN]:
        when, what, vm, not_before, why = (row[left.position(title)] for title in titles)
        shown = f"{not_before:%Y-%m-%d %H:%M}" if isinstance(not_before, datetime) else ""
        rows.append((when, f"{what}: {vm}" if vm else what, shown, why))
    cover.table("Left to do", Table("Left", columns, rows), (1, 3, 1, 3))
    cover.row -= 1
    more = f"and {len(left.rows) - _SHOWN:,} more. " if len(left.rows) > _SHOWN else ""
    if left.rows:
        cover.note(f"{more}The sheet Left to do has the commands.")
    cover.row += 1
