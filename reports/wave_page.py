"""The page of a wave's report: one HTML file, as `reports.page_parts` makes them, of at most 5 MB.

What matters stands in plain HTML: outcomes, what is left to do, charts, words and audit heads. The script
only adds the list of all VMs with their steps, page by page.
"""

from typing import Any

from markupsafe import Markup
from msgspec.structs import replace

from readiness.model.run import StepState
from readiness.model.wave_report import NEEDS_A_PERSON, End, LeftToDo, WaveReport
from reports.charts_wave import gantt, outages
from reports.page_parts import LARGEST, Shown, policy, shown, source, template_of
from reports.page_rows import legible
from reports.tables.table import Table
from reports.tables.times import minutes
from reports.tables.wave import DURATIONS, state_in_words, wave_tables
from reports.wave_bars import COLOURS, MOST_ROWS, drawn_first, most_over
from reports.wave_rows import wave_rows

_MOST = (150, 50, 10)
"""Rows of a long table, as many as there is room for: the other files have all of them."""
_MOST_LEFT, _LONGEST_WHY, _LONGEST_COMMAND = 60, 600, 2_000
_FOR_VMS = 500_000
"""Bytes that are kept for VMs."""
_TITLES: dict[str, tuple[str, ...]] = {
    "VMs": (
        "VM",
        "Outcome",
        "Why",
        "Application",
        "Owner",
        "Away (minutes)",
        "Planned (minutes)",
        "Preparation",
        "Outage",
        "Closure",
        "Signed by",
    ),
    "Steps": ("VM", "Stage", "Try", "Step", "State", "Began (UTC)", "Seconds", "Code", "Came to", "Evidence"),
    "Snapshots": ("Snapshot", "VM", "Disk", "Taken (UTC)", "Expires"),
    "Audit": (
        "Stage",
        "Run",
        "Head of the audit chain",
        "Chain",
        "Events",
        "Where",
        "Begun by",
        "Started (UTC)",
        "Told until (UTC)",
        "VMs",
        "State",
        "Held because",
    ),
}


def wave_page(report: WaveReport) -> bytes:
    """Return the page as UTF-8."""
    template = template_of("wave.html.j2")
    said, bare = {}, b""
    for most in _MOST:
        said = _said(report, most)
        bare = template.render(**said, rows=Markup("{}"), listed=0).encode()
        if len(bare) <= LARGEST - _FOR_VMS:
            break
    rows, listed = wave_rows(report, LARGEST - len(bare) - len(str(len(report.vms))))
    # JSON in which no markup can begin or end.
    return template.render(**said, rows=Markup(rows), listed=listed).encode()  # noqa: S704


def _said(report: WaveReport, most: int) -> dict[str, Any]:
    """Return everything the template shows, with so many rows of a table."""
    tables = {table.name: table for table in wave_tables(report)}
    style, script = source("progress.css", "wave.css"), source("wave.js")
    compared = outages(report)
    names = {vm.id for vm in drawn_first(report)}
    return {
        "report": report,
        "estate": legible(report.estate),
        "name": legible(report.wave_name),
        "state": legible(state_in_words(report), _LONGEST_WHY),
        "left": [_line(one) for one in report.left[:_MOST_LEFT]],
        "durations": DURATIONS[report.durations],
        "style": style,
        "script": script,
        "policy": policy(style, script),
        "tiles": _tiles(report),
        "ends": [(end, COLOURS[end], count) for end, count in report.counts.items() if count],
        "gantt": gantt(report),
        "compared": compared,
        "behind": {
            "gantt": _only(tables["Timeline"], [vm.id in names for vm in report.vms]),
            "compared": _compared(report, tables["VMs"]) if compared else None,
        },
        "troubles": _troubles(tables["Steps"], most),
        "tables": {
            name: shown(table, _TITLES.get(name), most)
            for name, table in tables.items()
            if name not in ("Steps", "Timeline")
        },
    }


def _tiles(report: WaveReport) -> list[tuple[str, str, str]]:
    """Return the big numbers: label, number, and a small word below."""
    counts = report.counts
    people = sum(counts[end] for end in NEEDS_A_PERSON)
    owned = {vm.application for vm in report.vms}
    away = [vm.outage_seconds for vm in report.vms if vm.outage_seconds is not None]
    planned = [vm.planned_seconds for vm in report.vms if vm.planned_seconds]
    return [
        (
            "VMs",
            f"{len(report.vms):,}",
            "1 application" if len(owned) == 1 else f"{len(owned):,} applications",
        ),
        ("Done", f"{counts[End.DONE]:,}", "and nothing left to do"),
        ("Closure due", f"{counts[End.CLOSURE_DUE]:,}", "after the soak"),
        ("Need a person", f"{people:,}", "taken back, held up or undecided"),
        ("Remaining", f"{counts[End.REMAINING]:,}", "not begun, or under way"),
        (
            "Longest outage",
            f"{minutes(max(away)):,} min" if away else "-",
            f"planned at most {minutes(max(planned)):,} min" if planned else "none was planned",
        ),
        ("Snapshots", f"{len(report.snapshots):,}", "taken, and kept until they expire"),
    ]


def _line(one: LeftToDo) -> LeftToDo:
    """Return something to do with its texts as a page may hold them; half a command is worse than none."""
    is_long = len(one.command) > _LONGEST_COMMAND
    return replace(
        one,
        what=legible(one.what),
        vm=legible(one.vm),
        why=legible(one.why, _LONGEST_WHY),
        command="The command is too long for a page; the workbook has it." if is_long else one.command,
    )


def _troubles(steps: Table, most: int) -> Shown:
    """Return the steps that failed or had not ended."""
    state = steps.position("State")
    rows = [row for row in steps.rows if row[state] != StepState.DONE.value]
    return shown(Table("Steps", steps.columns, rows), _TITLES["Steps"], most)


def _only(table: Table, wanted: list[bool]) -> Shown:
    rows = [row for row, is_wanted in zip(table.rows, wanted, strict=True) if is_wanted]
    return shown(Table(table.name, table.columns, rows), None, MOST_ROWS)


def _compared(report: WaveReport, table: Table) -> Shown:
    place = table.position("Resource id")
    rows = {row[place]: row for row in table.rows}
    chosen = [rows[vm.id] for vm in most_over(report)]
    titles = ("VM", "Outcome", "Away (minutes)", "Planned (minutes)", "Reserved (minutes)", "Times")
    return shown(Table("VMs", table.columns, chosen), titles, MOST_ROWS)
