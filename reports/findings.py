"""The findings workbook: where every VM stands, what is in its way, and that none was lost on the way.

One row for each VM. The long list, one row for every finding, has no place in a sheet that ends at a million
rows: it is the file beside the workbook, named on the first page.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from openpyxl.worksheet.pagebreak import Break

from readiness.model.assessment import Assessment, Classification
from readiness.model.exceptions import State
from readiness.model.levels import LADDER, Level
from readiness.model.scope import ScopeReport
from reports import tables, words
from reports.comma_separated import csv_bytes_of_parts
from reports.excel import style
from reports.excel.chart import Stack, stacked_bars
from reports.excel.cover import Cover
from reports.excel.package import Book
from reports.excel.sheet import Highlight, Looks, add_sheets
from reports.tables.findings_list import TITLES, findings_rows

WORKBOOK, LIST = "findings.xlsx", "findings.csv"
"""What the files are called, which name one another."""

_GRID = (2, 26, 16, 16, 20, 16, 16, 18, 16)
_SHOWN = 12
"""Subscriptions that the first page shows; all of them stand on the sheet Run."""
_HEAVIEST = 8
_CHART_ROWS = 14
_LEVEL_ROWS = 9
_GAP = 180_000
"""Between the tables on the left and the charts, in EMU: half a centimetre."""

_CLASSIFICATIONS: dict[str, str] = {
    Classification.SATISFIED.value.capitalize(): style.ACCENT,
    Classification.READY.value.capitalize(): style.ACCENT_MIDDLE,
    Classification.READY_WITH_WORK.value.capitalize(): style.ACCENT_LIGHT,
    Classification.BLOCKED.value.capitalize(): style.RED,
    Classification.EXCEPTED.value.capitalize(): "A79BB8",
    Classification.NOT_APPLICABLE.value.capitalize(): style.GREY_LIGHT,
    Classification.UNKNOWN.value.capitalize(): style.AMBER,
}
_LEVELS = {
    f"Level {level.value}": tone
    for level, tone in (
        (Level.NONE, style.RED),
        (Level.BASIC, style.AMBER),
        (Level.ADVANCED, style.ACCENT_MIDDLE),
        (Level.FULL, style.ACCENT),
    )
}
_STANDS_OUT = (("blocked", style.RED), ("unknown", style.AMBER))
_HIGHLIGHTS: dict[str, tuple[Highlight, ...]] = {
    "VMs": tuple(
        Highlight(name, tone, equals=value)
        for name in words.DIMENSION.values()
        for value, tone in _STANDS_OUT
    ),
    "Controls": (
        Highlight("Unknown", style.AMBER, above=0),
        Highlight("Not met", style.RED, above=0),
        Highlight("Binds", style.GREY, equals="advisory", is_whole_row=True),
    ),
    "Exceptions": (
        Highlight("State", style.RED, equals=State.EXPIRED.value),
        Highlight("State", style.AMBER, equals=State.ENDS_SOON.value),
    ),
    "Gaps": (Highlight("Is a VM", style.AMBER, equals="yes"),),
}
_UNPRINTED = {"VMs": ("Resource id",)}
_WIDE = frozenset({"VMs", "Controls", "Exceptions", "Gaps"})
_LOOKS = Looks(highlights=_HIGHLIGHTS, unprinted=_UNPRINTED, wide=_WIDE)


def write_findings_workbook(to: BinaryIO, assessment: Assessment, scope: ScopeReport | None = None) -> None:
    """Write the workbook of an assessment.

    Args:
        to: Where the file goes.
        assessment: The assessment.
        scope: What it was narrowed to, where it was.
    """
    name = assessment.estate.name
    book = Book(title=f"Findings of {name}", release=assessment.release, as_of=assessment.as_of)
    style.prepare(book.workbook)
    footer = f"{name} · assessed {assessment.as_of}"
    _draw_cover(book, assessment, scope, footer)
    for table in (
        tables.findings_vms(assessment),
        tables.findings_controls(assessment),
        tables.findings_exceptions(assessment),
        tables.findings_gaps(assessment),
        tables.findings_run(assessment, scope),
    ):
        add_sheets(book, table, _LOOKS.of(table, footer))
    book.write(to)


def findings_workbook(assessment: Assessment, scope: ScopeReport | None = None) -> bytes:
    """Return the workbook as bytes."""
    buffer = BytesIO()
    write_findings_workbook(buffer, assessment, scope)
    return buffer.getvalue()


def findings_csv(assessment: Assessment) -> Iterator[bytes]:
    """Yield the long list as CSV, piece by piece."""
    return csv_bytes_of_parts(TITLES, findings_rows(assessment))


def _draw_cover(book: Book, assessment: Assessment, scope: ScopeReport | None, footer: str) -> None:
    sheet = book.workbook.worksheets[0]
    sheet.title = "Summary"
    cover = Cover(sheet, footer, _GRID)
    cover.title(f"Findings of {assessment.estate.name}", "Where every VM stands, and what is in its way")
    _draw_proof(cover, assessment)
    if scope is not None:
        asked = ", ".join(scope.asked)
        cover.note(f"Narrowed to {asked}: {scope.in_scope} VMs are in scope, {scope.out_of_scope} are not.")
    cover.note(f"One row for each VM here; every finding with its evidence is in {LIST}, beside this file.")
    cover.row += 1
    top = cover.row
    cover.facts(tables.findings_facts(assessment).rows)
    cover.row += 1
    cover.table("What holds most VMs back", tables.heaviest_controls(assessment, _HEAVIEST), (2, 1, 1))
    cover.row = max(cover.row, top + _CHART_ROWS + 1 + _LEVEL_ROWS) + 1
    sheet.row_breaks.append(Break(id=cover.row - 1))
    _draw_counts(cover, assessment, top)
    _draw_coverage(cover, assessment)
    cover.heading("What the words mean")
    for classification in Classification:
        cover.note(f"{classification.value}: {words.CLASSIFICATION[classification]}")
    for rung in LADDER:
        cover.note(f"Level {rung.level}, {rung.name.lower()}: {rung.means}")
    # Two pages, with the break above: a table in two halves is read by nobody.
    sheet.page_setup.fitToHeight = 0


def _draw_proof(cover: Cover, assessment: Assessment) -> None:
    found = sum(entry.discovered for entry in assessment.coverage)
    classified = sum(entry.classified for entry in assessment.coverage)
    excluded = sum(entry.excluded for entry in assessment.coverage)
    unread = sum(entry.unknown for entry in assessment.coverage)
    level = assessment.summary.level
    tiles = [
        (2, "VMs discovered", found, style.NUMBER),
        (3, "Classified", classified, style.NUMBER),
        (4, "Excluded", excluded, style.NUMBER),
        (5, "Unknown", unread, style.NUMBER),
    ]
    if level is not None:
        tiles += [
            (6, "Level of the estate", int(level.raw), style.NUMBER),
            (8, "With exceptions", int(level.with_exceptions), style.NUMBER),
        ]
    cover.tiles(tiles)
    if all(entry.adds_up for entry in assessment.coverage):
        proof = f"{found} discovered = {classified} classified + {excluded} excluded + {unread} unknown."
        cover.note(proof)
    else:
        cover.note("Coverage does not add up: VMs were lost on the way.", style.ALARM)


def _draw_counts(cover: Cover, assessment: Assessment, top: int) -> None:
    """Draw the numbers, and the charts of them over the right half further up."""
    for heading, table, stack, row, rows in (
        (
            "Classifications",
            tables.classification_counts(assessment),
            Stack("Dimension", _CLASSIFICATIONS, "VMs per dimension", is_horizontal=True),
            top,
            _CHART_ROWS,
        ),
        (
            "VMs on each level",
            tables.level_counts(assessment),
            Stack("Counted", _LEVELS, "VMs on each level", is_horizontal=True),
            top + _CHART_ROWS + 1,
            _LEVEL_ROWS,
        ),
    ):
        header, columns = cover.table(heading, table, (1,) * len(table.columns))
        chart = stacked_bars(cover.sheet, table, top=header, left=columns, stack=stack)
        cover.chart(chart, row=row, column=6, rows=rows)
        placed: Any = chart
        placed.anchor._from.colOff = _GAP  # noqa: SLF001  so openpyxl calls where an anchor begins


def _draw_coverage(cover: Cover, assessment: Assessment) -> None:
    """Draw the first subscriptions; one that does not add up comes before those that do."""
    whole = tables.coverage(assessment)
    position = whole.position("Adds up")
    rows = sorted(whole.rows, key=lambda row: str(row[position]))  # "no" before "yes"
    cover.table("Coverage", replace(whole, rows=rows[:_SHOWN]), (2, 1, 1, 1, 1, 1))
    if len(rows) > _SHOWN:
        cover.row -= 1
        cover.note(f"and {len(rows) - _SHOWN} more, on the sheet Run.")
        cover.row += 1
