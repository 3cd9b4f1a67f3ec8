"""The Excel workbooks: values in, a file out. The same plan gives the same bytes, on every day.

There is no formula in them: all numbers are written as numbers, so that every reader shows them.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from readiness.model.plan import Plan
from readiness.model.steps import Undo
from reports import tables
from reports.covers import plan_cover
from reports.excel import style
from reports.excel.package import Book
from reports.excel.sheet import A3, A4, Highlight, Layout, add_sheets
from reports.parts import Part
from reports.tables.plan_parts import ChangeOf
from reports.tables.plan_vms import UNPRINTED

_FULL = 0.9
"""A window that is reserved beyond this share has little room left."""

_PLAN_HIGHLIGHTS: dict[str, tuple[Highlight, ...]] = {
    "Waves": (
        Highlight("Reserved share", style.RED, above=1.0),
        Highlight("Reserved share", style.AMBER, above=_FULL),
    ),
    "VMs": (
        Highlight("Decision", style.GREEN, equals="approve"),
        Highlight("Decision", style.RED, equals="exclude"),
        Highlight("Decision", style.AMBER, equals="later"),
        Highlight("Status", style.RED, equals="blocked"),
        Highlight("Undo", style.AMBER, equals=Undo.REBUILD.value),
        Highlight("Undo", style.RED, equals=Undo.NONE.value),
        Highlight("Decision", style.GREY, equals="exclude", is_whole_row=True),
    ),
    "Preparation": (Highlight("By", style.AMBER, equals="a person"),),
    "Dependencies": (
        Highlight("Relation", style.AMBER, equals="hub"),
        Highlight("Relation", style.GREY, equals="hint", is_whole_row=True),
    ),
    "Exceptions": (
        Highlight("State", style.RED, equals="expired"),
        Highlight("State", style.AMBER, equals="ends soon"),
    ),
    "Changes": (
        Highlight("Change", style.RED, equals="removed"),
        Highlight("Change", style.AMBER, equals="moved"),
        Highlight("Change", style.GREEN, equals="added"),
    ),
}
_UNPRINTED = {"VMs": tuple(column.title for column in UNPRINTED)}
_IDS = ("Resource id", "Resource id of the other")
_WIDE = frozenset({"VMs", "Schedule", "Dependencies", "Waves", "Exceptions"})
_FROZEN = {"VMs": 1, "Schedule": 2, "Waves": 2}


def write_plan_workbook(to: BinaryIO, part: Part, changes: Sequence[ChangeOf] = ()) -> None:
    """Write the workbook that a migration team and its owners read, edit and send back.

    Args:
        to: Where the file goes.
        part: The plan, or the part of it that one owner gets.
        changes: What became different since the previous plan.
    """
    plan = part.plan
    title = f"Upgrade plan for {plan.target.estate}"
    book = Book(title=title, release=plan.release, as_of=plan.as_of)
    style.prepare(book.workbook)
    footer = f"{plan.target.estate} · plan {plan.approval} · {plan.target.kind.value}"
    plan_cover(book, part, footer)
    for table in (
        tables.plan_waves(plan),
        tables.plan_schedule(plan),
        tables.plan_vms(plan),
        tables.plan_actions(plan),
        tables.plan_dependencies(plan, part.places),
        tables.plan_blocked(plan),
        tables.plan_exceptions(plan),
        tables.plan_unplanned(plan),
        tables.plan_changes(changes),
        tables.plan_run(plan),
    ):
        layout = Layout(
            footer,
            frozen=_FROZEN.get(table.name, 1),
            highlights=_PLAN_HIGHLIGHTS.get(table.name, ()),
            unprinted=_UNPRINTED.get(table.name, _IDS),
            paper=A3 if table.name in _WIDE else A4,
        )
        add_sheets(book, table, layout)
    add_sheets(book, tables.plan_identity(plan, part.owner), Layout(footer, is_hidden=True))
    book.write(to)


def plan_workbook(plan: Plan, changes: Sequence[ChangeOf] = ()) -> bytes:
    """Return a plan's workbook as bytes."""
    buffer = BytesIO()
    write_plan_workbook(buffer, Part.whole_of(plan), changes)
    return buffer.getvalue()
