"""The Excel workbooks: values in, bytes out. The same plan gives the same bytes, on every day.

There is no formula in them: all numbers are written as numbers, so that every reader shows them.
"""

from openpyxl.workbook import Workbook

from readiness.model.assessment import Assessment, Classification
from readiness.model.plan import Plan
from readiness.model.steps import Undo
from reports import tables, words
from reports.excel import style
from reports.excel.chart import Stack, stacked_bars
from reports.excel.cover import Cover
from reports.excel.package import to_bytes
from reports.excel.sheet import A3, Highlight, Layout, add_sheets
from reports.tables import Cell

_FULL = 0.9
"""A window that is reserved beyond this share has little room left."""

_PLAN_GRID = (2, 13, 32, 15, 15, 15, 15, 22, 29)
_ASSESSMENT_GRID = (2, 26, 16, 16, 20, 16, 16, 18, 16)

_ENVIRONMENTS = dict(
    zip(
        words.ENVIRONMENT.values(),
        (style.ACCENT, style.ACCENT_MIDDLE, style.ACCENT_LIGHT),
        strict=True,
    )
)
_CLASSIFICATIONS: dict[str, str] = {
    Classification.SATISFIED.value.capitalize(): style.ACCENT,
    Classification.READY.value.capitalize(): style.ACCENT_MIDDLE,
    Classification.READY_WITH_WORK.value.capitalize(): style.ACCENT_LIGHT,
    Classification.BLOCKED.value.capitalize(): style.RED,
    Classification.EXCEPTED.value.capitalize(): "A79BB8",
    Classification.NOT_APPLICABLE.value.capitalize(): style.GREY_LIGHT,
    Classification.UNKNOWN.value.capitalize(): style.AMBER,
}
_STANDS_OUT = (
    (Classification.BLOCKED.value, style.RED),
    (Classification.UNKNOWN.value, style.AMBER),
)


def plan_workbook(plan: Plan) -> bytes:
    """Return the workbook a migration team reads and agrees before it approves a plan."""
    workbook = _new()
    footer = f"{plan.target.estate} · plan {plan.approval} · {plan.target.kind.value}"
    _plan_cover(workbook, plan, footer)
    full = (
        Highlight("Reserved share", style.RED, above=1.0),
        Highlight("Reserved share", style.AMBER, above=_FULL),
    )
    undo = (
        Highlight("Undo", style.AMBER, equals=Undo.REBUILD.value),
        Highlight("Undo", style.RED, equals=Undo.NONE.value),
    )
    add_sheets(workbook, tables.plan_waves(plan), Layout(footer, frozen=2, highlights=full))
    add_sheets(workbook, tables.plan_vms(plan), Layout(footer, frozen=3, highlights=undo, paper=A3))
    add_sheets(workbook, tables.plan_left_out(plan), Layout(footer))
    title = f"Upgrade plan for {plan.target.estate}"
    return to_bytes(workbook, title=title, release=plan.release, as_of=plan.as_of)


def assessment_workbook(assessment: Assessment) -> bytes:
    """Return the workbook that shows where every VM stands, why, and that none was lost on the way."""
    workbook = _new()
    footer = f"{assessment.estate.name} · assessed {assessment.as_of}"
    _assessment_cover(workbook, assessment, footer)
    dimensions = tuple(
        Highlight(title, tone, equals=value)
        for title in words.DIMENSION.values()
        for value, tone in _STANDS_OUT
    )
    classes = tuple(Highlight("Classification", tone, equals=value) for value, tone in _STANDS_OUT)
    add_sheets(workbook, tables.assessment_vms(assessment), Layout(footer, highlights=dimensions, paper=A3))
    add_sheets(workbook, tables.assessment_reasons(assessment), Layout(footer, highlights=classes, paper=A3))
    add_sheets(workbook, tables.assessment_gaps(assessment), Layout(footer))
    title = f"Assessment of {assessment.estate.name}"
    return to_bytes(workbook, title=title, release=assessment.release, as_of=assessment.as_of)


def _new() -> Workbook:
    workbook = Workbook()
    style.prepare(workbook)
    return workbook


def _cover(workbook: Workbook, footer: str, widths: tuple[int, ...]) -> Cover:
    sheet = workbook.worksheets[0]
    sheet.title = "Summary"
    return Cover(sheet, footer, widths)


def _plan_cover(workbook: Workbook, plan: Plan, footer: str) -> None:
    cover = _cover(workbook, footer, _PLAN_GRID)
    cover.title(f"Upgrade plan for {plan.target.estate}", words.TARGET[plan.target.kind])
    facts: dict[Cell, Cell] = {row[0]: row[1] for row in tables.plan_summary(plan).rows}
    cover.tiles(
        (
            (2, "What you approve", plan.approval or "not sealed", style.APPROVAL),
            (4, "Inventory", facts["VMs in the inventory"], style.NUMBER),
            (5, "Planned", facts["VMs planned"], style.NUMBER),
            (6, "Left out", facts["VMs left out"], style.NUMBER),
            (7, "Waves", facts["Waves"], style.NUMBER),
        )
    )
    _conservation(cover, plan)
    top = cover.row
    shown = (
        "Estate",
        "Target",
        "VMs in the inventory",
        "VMs planned",
        "VMs left out",
        "Waves",
        "Fewest possible waves",
    )
    cover.facts([(label, value) for label, value in facts.items() if label not in shown])
    cover.row = max(cover.row, top + 14) + 1
    sizes = tables.plan_wave_sizes(plan)
    header, columns = cover.table("Waves", sizes, (1,) * 8)
    stack = Stack(category="Wave", colours=_ENVIRONMENTS, title="VMs per wave")
    chart = stacked_bars(cover.sheet, sizes, top=header, left=columns, stack=stack)
    cover.chart(chart, row=top, column=6, rows=14)
    cover.table("Why VMs are left out", tables.plan_left_out_reasons(plan), (1, 1, 6))
    cover.table("How each upgrade is taken back", tables.plan_undo_kinds(plan), (1, 1, 6))
    cover.note(words.ASSUMED_DURATIONS)
    cover.finish()


def _conservation(cover: Cover, plan: Plan) -> None:
    """Say that no VM was lost, or, loudly, that some were."""
    planned = sum(len(wave.vms) for wave in plan.waves)
    sums = f"{plan.inventory} VMs in the inventory = {planned} planned + {len(plan.left_out)} left out. "
    waves = f"{len(plan.waves)} waves; no plan within these limits has fewer than {plan.lower_bound}."
    if planned + len(plan.left_out) == plan.inventory:
        cover.note(sums + waves)
    else:
        cover.note("This does not add up, VMs are missing: " + sums.replace("=", "≠"), style.ALARM)
    cover.row += 1


def _assessment_cover(workbook: Workbook, assessment: Assessment, footer: str) -> None:
    cover = _cover(workbook, footer, _ASSESSMENT_GRID)
    cover.title(f"Assessment of {assessment.estate.name}", "Where every VM stands, and what is in its way")
    found = sum(entry.discovered for entry in assessment.coverage)
    classified = sum(entry.classified for entry in assessment.coverage)
    excluded = sum(entry.excluded for entry in assessment.coverage)
    unread = sum(entry.unknown for entry in assessment.coverage)
    cover.tiles(
        (
            (2, "VMs discovered", found, style.NUMBER),
            (3, "Classified", classified, style.NUMBER),
            (4, "Excluded", excluded, style.NUMBER),
            (5, "Unknown", unread, style.NUMBER),
        )
    )
    proof = f"{found} discovered = {classified} classified + {excluded} excluded + {unread} unknown."
    if all(entry.adds_up for entry in assessment.coverage):
        cover.note(proof)
    else:
        cover.note("Coverage does not add up: VMs were lost on the way.", style.ALARM)
    cover.row += 1
    top = cover.row
    cover.facts(tables.assessment_summary(assessment).rows)
    cover.row = max(cover.row, top + 14) + 1
    counts = tables.classification_counts(assessment)
    header, columns = cover.table("Classifications", counts, (1,) * 8)
    stack = Stack(
        category="Dimension", colours=_CLASSIFICATIONS, title="VMs per dimension", is_horizontal=True
    )
    chart = stacked_bars(cover.sheet, counts, top=header, left=columns, stack=stack)
    cover.chart(chart, row=top, column=6, rows=14)
    cover.table("Coverage", tables.coverage(assessment), (2, 1, 1, 1, 1, 1))
    cover.heading("What the words mean")
    for classification in Classification:
        cover.note(f"{classification.value}: {words.CLASSIFICATION[classification]}")
    cover.finish()
