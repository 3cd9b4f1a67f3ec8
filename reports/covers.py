"""The first pages of the workbooks: what it is, whether it adds up, and what to look at first."""

from readiness.model.plan import Plan
from reports import tables, words
from reports.excel import style
from reports.excel.chart import Stack, stacked_bars
from reports.excel.cover import Cover
from reports.excel.package import Book
from reports.parts import Part
from reports.tables import Cell
from reports.tables.plan_vms import is_blocked

_PLAN_GRID = (2, 13, 36, 15, 15, 15, 15, 22, 29)
_SHOWN = 12
"""Warnings and waves that the first page shows; all of them stand on their own sheets."""

_ENVIRONMENTS = dict(
    zip(
        words.ENVIRONMENT.values(),
        (style.ACCENT, style.ACCENT_MIDDLE, style.ACCENT_LIGHT),
        strict=True,
    )
)
_ON_TOP = (
    "Estate",
    "Target",
    "VMs in the inventory",
    "VMs planned",
    "VMs left out",
    "Waves",
    "Fewest possible waves",
)
_HOW_TO_EDIT = (
    "Answer on the sheet VMs, in the columns with a yellow ground: rows may be sorted and filtered, columns "
    "moved and added. Send the file back: 'readiness plan import' shows every answer and every problem, by "
    "cell, before anything is accepted. Changes in other columns are reported and have no effect."
)


def plan_cover(book: Book, part: Part, footer: str) -> None:
    """Draw the first page of a plan's workbook."""
    plan = part.plan
    cover = _cover(book, footer, _PLAN_GRID)
    owner = f" · part of {part.owner}" if part.owner else ""
    cover.title(f"Upgrade plan for {plan.target.estate}{owner}", words.TARGET[plan.target.kind])
    facts: dict[Cell, Cell] = {row[0]: row[1] for row in tables.plan_summary(plan).rows}
    cover.tiles(
        (
            (2, "What you approve", plan.approval or "not sealed", style.APPROVAL),
            (4, "Inventory", facts["VMs in the inventory"], style.NUMBER),
            (5, "Planned", facts["VMs planned"], style.NUMBER),
            (6, "Blocked", sum(is_blocked(entry) for entry in plan.left_out), style.NUMBER),
            (7, "Waves", facts["Waves"], style.NUMBER),
        )
    )
    _conservation(cover, part)
    cover.note(_HOW_TO_EDIT)
    cover.row += 1
    top = cover.row
    cover.facts([(label, value) for label, value in facts.items() if label not in _ON_TOP])
    cover.row = max(cover.row, top + 14) + 1
    _wave_chart(cover, plan, top)
    cover.table("Why VMs are in no wave", tables.plan_left_out_reasons(plan), (1, 1, 6))
    cover.table("How each upgrade is taken back", tables.plan_undo_kinds(plan), (1, 1, 6))
    _warnings(cover, plan)
    cover.note(words.ASSUMED_DURATIONS)
    cover.finish()


def _cover(book: Book, footer: str, widths: tuple[int, ...]) -> Cover:
    sheet = book.workbook.worksheets[0]
    sheet.title = "Summary"
    return Cover(sheet, footer, widths)


def _wave_chart(cover: Cover, plan: Plan, top: int) -> None:
    sizes = tables.plan_wave_sizes(plan)
    header, columns = cover.table("Waves", sizes, (1,) * 8)
    stack = Stack(category="Wave", colours=_ENVIRONMENTS, title="VMs per wave")
    chart = stacked_bars(cover.sheet, sizes, top=header, left=columns, stack=stack)
    cover.chart(chart, row=top, column=6, rows=14)


def _conservation(cover: Cover, part: Part) -> None:
    """Say that no VM was lost, or, loudly, that some were."""
    plan = part.plan
    planned = len(plan.vms)
    blocked = sum(is_blocked(entry) for entry in plan.left_out)
    rest = len(plan.left_out) - blocked
    sums = (
        f"{plan.inventory} VMs in the inventory = {planned} planned + {blocked} blocked + {rest} unplanned. "
    )
    if part.owner:
        cover.note(f"{sums}This is a part: the whole plan has {part.whole} VMs.")
    elif planned + len(plan.left_out) == plan.inventory:
        cover.note(sums + words.proof(plan))
    else:
        cover.note("This does not add up, VMs are missing: " + sums.replace("=", "≠"), style.ALARM)
    cover.row += 1


def _warnings(cover: Cover, plan: Plan) -> None:
    refused = [f"{pin.vm.name}: {pin.wish}. {pin.reason}" for pin in plan.pins if not pin.honoured]
    for heading, texts in (("Wishes that were refused", refused), ("Look at this first", plan.warnings)):
        if texts:
            cover.heading(heading)
            for text in texts[:_SHOWN]:
                cover.note(text)
            if len(texts) > _SHOWN:
                cover.note(f"and {len(texts) - _SHOWN} more, on the sheet Run.")
            cover.row += 1
