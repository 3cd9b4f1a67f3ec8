"""Reads decisions out of wave-plan workbooks that owners edited: sorted, filtered, re-saved, rearranged.

A row is known by its resource id and a cell by the title of its column, never by where it stands. What was
changed is what differs from the plan. Nothing is guessed: whatever cannot be read is named with sheet, cell
and reason, and what was written outside the columns for it is reported and has no effect.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from msgspec.structs import replace
from openpyxl.utils import get_column_letter

from readiness.errors import UsageError
from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan
from reports.excel.cells import plain, unescaped
from reports.excel.opening import opened
from reports.reimport_cells import calendar_day, chosen, is_same, said, shown, whole_number
from reports.tables.plan_parts import BOOK_FORMAT
from reports.tables.plan_vms import (
    APPROVER,
    DECIDED_ON,
    DECISION,
    EDITED,
    GOES_WITH,
    KEY,
    NOT_BEFORE,
    NOTE,
    TICKET,
    WAVE_PIN,
    plan_vms,
)
from reports.tables.table import Cell, Column, Kind, Row, Table

_SHEET = re.compile(r"vms( \(\d+\))?")
_BEFORE_HEADER = 20
"""Rows that people may have put above the header."""
_LONGEST = 1_048_576
"""Rows that Excel has; a row that claims a place far below would be waited for."""
_WIDEST = 256
"""Columns that are looked at."""
_BYTES_OF_A_VM = 24 * 1024
_BYTES_OF_A_BOOK = 64 * 1024 * 1024
FIELDS = {
    DECISION.title: "answer",
    WAVE_PIN.title: "wave",
    NOT_BEFORE.title: "not_before",
    GOES_WITH.title: "goes_with",
    APPROVER.title: "approver",
    DECIDED_ON.title: "decided_on",
    TICKET.title: "ticket",
    NOTE.title: "note",
}
"""Title of an edited column -> the field of a decision that it fills."""
_TITLES = {column.title.casefold(): column for column in EDITED}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one cell or sheet: where, what, and why."""

    file: str
    sheet: str
    cell: str
    what: str
    why: str

    @property
    def place(self) -> str:
        """Return file, sheet and cell as one text."""
        return f"{self.file} {self.sheet}!{self.cell}" if self.cell else f"{self.file} {self.sheet}".rstrip()


@dataclass(frozen=True, slots=True)
class CellEdit:
    """One cell that says something else than the plan does."""

    file: str
    sheet: str
    cell: str
    vm: ResourceId
    column: str
    before: Cell
    after: Cell


@dataclass
class Reading:
    """What one workbook says."""

    file: str
    owner: str
    decisions: dict[ResourceId, Decision] = field(default_factory=dict)
    """The whole decision about every VM of which at least one cell was edited."""
    edits: list[CellEdit] = field(default_factory=list)
    violations: list[Remark] = field(default_factory=list)
    """Why something cannot be accepted."""
    ignored: list[Remark] = field(default_factory=list)
    """What was changed where nothing is to be changed."""
    seen: dict[ResourceId, str] = field(default_factory=dict)
    """Every VM that the workbook speaks of, with its sheet and cell."""


def read_edits(file: BinaryIO, name: str, plan: Plan) -> Reading:
    """Return what somebody wrote into a workbook of this plan.

    Raises:
        UsageError: It is no workbook of this plan, or it cannot be read at all.
    """
    largest = _BYTES_OF_A_BOOK + _BYTES_OF_A_VM * plan.inventory
    with opened(file, name, largest) as book:
        identity = _identity(book, name)
        _refuse_other_plan(identity, name, plan)
        reading = Reading(file=name, owner=identity.get("owner", ""))
        reader = _Reader(plan, reading)
        sheets = [sheet for sheet in book.worksheets if _SHEET.fullmatch(sheet.title.strip().casefold())]
        if not sheets:
            raise UsageError(
                f"{name} has no sheet VMs.", remedy="Restore the sheet: it is the one that is read."
            )
        for sheet in sheets:
            reader.read(sheet)
    return reading


def _identity(book: Any, name: str) -> dict[str, str]:
    sheet = next((sheet for sheet in book.worksheets if sheet.title.strip().casefold() == "_meta"), None)
    if sheet is None:
        raise UsageError(
            f"{name} has no sheet _meta, so nobody can tell which plan it shows.",
            remedy="Give a workbook that was written with the plan; its hidden sheet must stay.",
        )
    rows = sheet.iter_rows(min_row=2, max_row=50, max_col=2, values_only=True)
    return {
        unescaped(str(row[0])): unescaped(str(row[1]))
        for row in rows
        if len(row) > 1 and row[0] is not None and row[1] is not None
    }


def _refuse_other_plan(identity: dict[str, str], name: str, plan: Plan) -> None:
    kind = identity.get("format", "nothing")
    if kind != BOOK_FORMAT:
        remedy = "Use the release that wrote it, or write the workbook again."
        raise UsageError(f"{name} has format {kind}; this release reads {BOOK_FORMAT}.", remedy=remedy)
    if identity.get("plan") == plan.digest:
        return
    shown = identity.get("plan", "")[:12] or "none"
    details = (
        f"It shows plan {shown} of {identity.get('as_of', 'an unknown day')}; this plan is {plan.approval}."
    )
    if identity.get("estate") != plan.target.estate:
        other = identity.get("estate", "unknown")
        brief = f"{name} is a workbook of another plan: it is about the estate {other!r}."
        raise UsageError(brief, details=details, remedy="Give a workbook of this plan, or that other plan.")
    raise UsageError(
        f"{name} belongs to another plan of the same estate: an older one, or one that was changed since.",
        details=details,
        remedy="Import it into the plan that it shows, or send the owner a workbook of this plan.",
    )


class _Reader:
    """Compares the rows of a workbook with those the plan would give."""

    def __init__(self, plan: Plan, reading: Reading) -> None:
        self._table: Table = plan_vms(plan)
        listed = [*(vm.id for vm in plan.vms), *(entry.id for entry in plan.left_out)]
        self._numbers = {vm.key: number for number, vm in enumerate(listed)}
        self._ids = listed
        self._named = _by_name(plan)
        self._said = {decision.vm: decision for decision in plan.decisions}
        self._reading = reading

    def read(self, sheet: Any) -> None:
        """Read one sheet."""
        title = sheet.title
        columns: dict[int, tuple[Column, int]] = {}
        earlier: Sequence[Any] = ()
        # What a sheet claims about its size is not believed: rows that somebody added would be missed.
        sheet.reset_dimensions()
        for count, cells in enumerate(sheet.iter_rows(max_col=_WIDEST)):
            if count > _LONGEST:
                raise ValueError(f"{title} has more than {_LONGEST} rows")
            if cells is earlier:
                continue  # Rows that are missing between two others are one and the same object.
            earlier = cells
            if columns:
                self._read_row(title, cells, columns)
                continue
            columns = self._columns(title, cells)
            number = next((cell.row for cell in cells if cell.value is not None), 0)
            if not columns and number > _BEFORE_HEADER:
                break
        if not columns:
            raise UsageError(
                f"{self._reading.file} {title}: no row has the title {KEY.title!r}.",
                remedy="Restore the titles of the columns: rows are known by their resource id.",
            )

    def _columns(self, sheet: str, cells: Sequence[Any]) -> dict[int, tuple[Column, int]]:
        """Return position -> column and its place in the plan's table, if this is the header."""
        titles = {
            position: str(said(cell)).strip().casefold() for position, cell in enumerate(cells) if cell.value
        }
        if KEY.title.casefold() not in titles.values():
            return {}
        known = {column.title.casefold(): (column, place) for place, column in enumerate(self._table.columns)}
        found: dict[int, tuple[Column, int]] = {}
        taken: dict[str, str] = {}
        for position, title in titles.items():
            if title not in known:
                continue
            cell = f"{get_column_letter(position + 1)}{cells[position].row}"
            if title in taken:
                why = f"{taken[title]} has the same title"
                self._violation(sheet, cell, f"column {known[title][0].title!r}", why)
                continue
            taken[title] = cell
            found[position] = known[title]
        for title, column in _TITLES.items():
            if title not in taken:
                self._ignored(
                    sheet, "", f"column {column.title!r}", "it is missing, so it was read as unchanged"
                )
        return found

    def _read_row(self, sheet: str, cells: Sequence[Any], columns: dict[int, tuple[Column, int]]) -> None:
        held = {
            column.title: cells[position]
            for position, (column, _) in columns.items()
            if position < len(cells)
        }
        key_cell: Any = held.get(KEY.title)
        key = str(said(key_cell) or "").strip().rstrip("/").lower() if key_cell is not None else ""
        number = next((cell.row for cell in cells if getattr(cell, "row", None)), 0)
        if not key:
            if any(held[column.title].value not in (None, "") for column in EDITED if column.title in held):
                self._violation(
                    sheet, f"A{number}", "row", "it has no resource id, so nobody knows which VM it means"
                )
            return
        index = self._numbers.get(key)
        if index is None:
            self._violation(
                sheet, key_cell.coordinate, key, "unknown VM: the plan's inventory has no such id"
            )
            return
        vm = self._ids[index]
        if vm in self._reading.seen:
            self._violation(
                sheet, key_cell.coordinate, key, f"the same VM stands in {self._reading.seen[vm]} too"
            )
            return
        self._reading.seen[vm] = f"{sheet}!{key_cell.coordinate}"
        self._compare(sheet, vm, held, self._table.rows[index])

    def _compare(self, sheet: str, vm: ResourceId, held: dict[str, Any], planned: Row) -> None:
        values: dict[str, Any] = {}
        edited = False
        for column, before in zip(self._table.columns, planned, strict=True):
            cell = held.get(column.title)
            if cell is None or column.title == KEY.title:
                continue
            is_formula = cell.data_type == "f"
            now = said(cell)
            if not is_formula and is_same(now, before):
                continue
            if column.edit is None:
                what = f"{vm.name}: {column.title} was {shown(before)}, is {shown(now)}"
                self._ignored(
                    sheet, cell.coordinate, what, "nothing is to be changed in this column: no effect"
                )
                continue
            try:
                values[column.title] = self._parse(column, cell, vm)
            except ValueError as error:
                what = f"{vm.name}: {column.title} {shown(now)}"
                self._violation(sheet, cell.coordinate, what, str(error))
                continue
            edited = True
            where = (self._reading.file, sheet, cell.coordinate)
            self._reading.edits.append(CellEdit(*where, vm, column.title, before, now))
        if edited:
            row = next(iter(held.values())).row
            source = f"{self._reading.file} {sheet}!{row}"
            self._reading.decisions[vm] = _decision(self._said.get(vm), vm, values, source)

    def _parse(self, column: Column, cell: Any, vm: ResourceId) -> Any:
        """Return what a cell says.

        Raises:
            ValueError: It cannot be read; the message says why.
        """
        value = said(cell)
        if cell.data_type == "f":
            raise ValueError("a formula: write the value itself")
        if cell.data_type == "e":
            raise ValueError("an error value: write the value itself")
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if column.kind is Kind.COUNT:
            return whole_number(value)
        if column.kind is Kind.DAY:
            return calendar_day(value)
        text = plain(str(value)).strip()
        if column.edit is not None and column.edit.choices:
            return chosen(text, column.edit.choices)
        return self._partner(text, vm) if column.title == GOES_WITH.title else text

    def _partner(self, text: str, vm: ResourceId) -> ResourceId:
        key = text.rstrip("/").lower()
        found = [self._ids[self._numbers[key]]] if key in self._numbers else self._named.get(key, [])
        if not found:
            raise ValueError("the plan has no VM of that name or id")
        if len(found) > 1:
            raise ValueError(f"{len(found)} VMs have that name: write the resource id")
        if found[0] == vm:
            raise ValueError("a VM always goes with itself: name another one")
        return found[0]

    def _violation(self, sheet: str, cell: str, what: str, why: str) -> None:
        self._reading.violations.append(Remark(self._reading.file, sheet, cell, what, why))

    def _ignored(self, sheet: str, cell: str, what: str, why: str) -> None:
        self._reading.ignored.append(Remark(self._reading.file, sheet, cell, what, why))


def _decision(said: Decision | None, vm: ResourceId, values: dict[str, Any], source: str) -> Decision:
    """Return the decision that stands in a row: what was said before, with the edited cells over it."""
    over = {FIELDS[title]: value for title, value in values.items()}
    for name in ("approver", "ticket", "note"):
        if name in over:
            over[name] = over[name] or ""
    if over.get("answer"):
        over["answer"] = Answer(over["answer"])
    return replace(said or Decision(vm=vm), source=source, **over)


def _by_name(plan: Plan) -> dict[str, list[ResourceId]]:
    named: dict[str, list[ResourceId]] = {}
    for vms in (plan.vms, plan.left_out):
        for vm in vms:
            named.setdefault(vm.name.lower(), []).append(vm.id)
    return named
