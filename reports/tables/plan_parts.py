"""The rest of a plan as rows: preparation, dependencies, what is left out, changes, parameters, identity.

Pure; the same plan gives the same rows in the same order.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from readiness.model.codec import to_builtins
from readiness.model.ids import ResourceId
from readiness.model.plan import (
    ApartGroup,
    Hub,
    LeftOut,
    OrderEdge,
    Plan,
    PlanAction,
    PlanException,
    TogetherGroup,
)
from reports import words
from reports.tables.plan_vms import KEY, is_blocked
from reports.tables.table import Cell, Column, Kind, Row, Rows, Table

BOOK_FORMAT = "readiness/wave-plan/1"
_SHOWN = 20
"""Members of a group that a cell lists."""
_SOON = 30
"""Days before its end in which an exception has to be renewed or its work planned."""


class ChangeOf(Protocol):
    """What became different of one VM since the previous plan."""

    @property
    def id(self) -> ResourceId:
        """The VM."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """Added, removed, moved or changed."""

    @property
    def before(self) -> str:
        """How it stood."""

    @property
    def after(self) -> str:
        """How it stands."""

    @property
    def why(self) -> str:
        """The reason."""


def plan_actions(plan: Plan) -> Table:
    """Return one row per action of preparation or closure, with the VMs that hang on it."""
    columns = (
        Column("When", 13),
        Column("Due", 13, Kind.DAY),
        Column("What", 56, Kind.PROSE),
        Column("Kind", 22),
        Column("On", 38),
        Column("Shared", 9),
        Column("By", 12),
        Column("Owner", 22),
        Column("Waves", 14),
        Column("VMs", 8, Kind.COUNT),
        Column("Which VMs", 40, Kind.PROSE),
        KEY,
    )
    names = _names(plan)
    rows = [
        *(_action_row("preparation", action, names) for action in plan.preparation),
        *(_action_row("closure", action, names) for action in plan.closure),
    ]
    return Table("Preparation", columns, rows)


def plan_dependencies(plan: Plan, places: Mapping[ResourceId, int] | None = None) -> Table:
    """Return one row per edge and group: what binds, what informed, what was cut, and on what evidence.

    Args:
        plan: The plan, or the part of it that is shown.
        places: The wave of each VM of the whole plan.
    """
    columns = (
        Column("Relation", 12),
        Column("Before (provider)", 26),
        Column("Wave", 8, Kind.COUNT),
        Column("After (consumer)", 26),
        Column("Wave of it", 8, Kind.COUNT),
        Column("Binding", 28, Kind.PROSE),
        Column("Evidence", 46, Kind.PROSE),
        Column("Confidence", 12, Kind.SHARE),
        Column("Members", 50, Kind.PROSE),
        Column("Resource id", 60),
        Column("Resource id of the other", 60),
    )
    where = places or {vm.id: vm.wave for vm in plan.vms}
    hints = {id(edge) for edge in plan.hints}
    items = [*plan.order, *plan.hints, *plan.together, *plan.apart, *plan.hubs]

    def row(item: OrderEdge | TogetherGroup | ApartGroup | Hub) -> Row:
        if isinstance(item, OrderEdge):
            return _edge_row(item, where, is_hint=id(item) in hints)
        return _group_row(item, where)

    return Table("Dependencies", columns, Rows(items, row))


def plan_blocked(plan: Plan) -> Table:
    """Return one row per VM that something stands in the way of: what, and who can take it away."""
    return Table("Blocked", _LEFT_COLUMNS, Rows([one for one in plan.left_out if is_blocked(one)], _left_row))


def plan_unplanned(plan: Plan) -> Table:
    """Return one row per VM that is in no wave because nothing is to be done to it."""
    items = [entry for entry in plan.left_out if not is_blocked(entry)]
    return Table("Unplanned", _LEFT_COLUMNS, Rows(items, _left_row))


def plan_exceptions(plan: Plan) -> Table:
    """Return one row per exception and VM it names: who answers for it, until when, and what protects it."""
    columns = (
        Column("Exception", 18),
        Column("VM", 24),
        Column("Application", 20),
        Column("In this plan", 12),
        Column("Permits", 24),
        Column("Owner", 20),
        Column("Approved by", 26, Kind.PROSE),
        Column("Expires", 13, Kind.DAY),
        Column("Days left", 10, Kind.COUNT),
        Column("State", 11),
        Column("Why", 40, Kind.PROSE),
        Column("Compensating control", 40, Kind.PROSE),
        KEY,
    )
    standing = {vm.id: (vm.name, vm.application, "planned") for vm in plan.vms} | {
        entry.id: (entry.name, entry.application, "blocked" if is_blocked(entry) else "unplanned")
        for entry in plan.left_out
    }
    items: list[tuple[PlanException, ResourceId | None]] = []
    for entry in plan.exceptions:
        named = [(entry, vm) for vm in entry.vms if vm in standing]
        items += named or [(entry, None)]

    def row(item: tuple[PlanException, ResourceId | None]) -> Row:
        entry, vm = item
        days = (entry.expires - plan.as_of).days
        return (
            entry.id,
            *(standing[vm] if vm else (None, None, "names no VM")),
            words.permitted(entry.covers),
            entry.owner,
            entry.approved_by,
            entry.expires,
            days,
            "expired" if days < 0 else "ends soon" if days <= _SOON else "in force",
            entry.reason,
            entry.compensating_control,
            vm.key if vm else None,
        )

    return Table("Exceptions", columns, Rows(items, row))


def plan_changes(changes: Sequence[ChangeOf]) -> Table:
    """Return one row per VM that stands otherwise than in the previous plan, and why."""
    columns = (
        Column("VM", 24),
        Column("Change", 12),
        Column("Before", 40, Kind.PROSE),
        Column("Now", 40, Kind.PROSE),
        Column("Why", 60, Kind.PROSE),
        KEY,
    )
    items = list(changes)
    return Table("Changes", columns, Rows(items, _change_row))


def plan_run(plan: Plan) -> Table:
    """Return how the plan came about: parameters, versions, coverage, and what was wished for."""
    columns = (Column("Section", 16), Column("Fact", 40), Column("Value", 90, Kind.PROSE))
    return Table("Run", columns, tuple(_run_rows(plan)))


def plan_identity(plan: Plan, owner: str = "") -> Table:
    """Return what an import knows the workbook by."""
    rows: tuple[Row, ...] = (
        ("format", BOOK_FORMAT),
        ("plan", plan.digest),
        ("previous", plan.previous),
        ("estate", plan.target.estate),
        ("as_of", plan.as_of.isoformat()),
        ("release", plan.release),
        ("owner", owner),
    )
    return Table("_meta", (Column("Key", 16), Column("Value", 80)), rows)


_LEFT_COLUMNS = (
    Column("VM", 24),
    Column("Application", 22),
    Column("Reason", 24),
    Column("Detail", 60, Kind.PROSE),
    Column("Who unblocks it", 34, Kind.PROSE),
    KEY,
)


def _left_row(entry: LeftOut) -> Row:
    return (entry.name, entry.application, entry.reason, entry.detail, entry.unblocked_by, entry.id.key)


def _change_row(change: ChangeOf) -> Row:
    return (change.name, change.kind, change.before, change.after, change.why, change.id.key)


def _action_row(when: str, action: PlanAction, names: Mapping[ResourceId, str]) -> Row:
    return (
        when,
        action.due,
        action.title,
        action.kind,
        action.name,
        "yes" if action.shared else "no",
        "readiness" if action.automatic else "a person",
        action.owner,
        ", ".join(str(number) for number in action.waves),
        len(action.vms),
        _listed([names.get(vm, vm.name) for vm in action.vms]),
        action.target.key,
    )


def _edge_row(edge: OrderEdge, where: Mapping[ResourceId, int], *, is_hint: bool) -> Row:
    binding = "informed only" if is_hint else words.STRICTNESS[edge.strict]
    return (
        "hint" if is_hint else "order",
        edge.before.name,
        where.get(edge.before),
        edge.after.name,
        where.get(edge.after),
        binding,
        edge.evidence,
        edge.confidence,
        None,
        edge.before.key,
        edge.after.key,
    )


def _group_row(group: TogetherGroup | ApartGroup | Hub, where: Mapping[ResourceId, int]) -> Row:
    if isinstance(group, Hub):
        cut = "cut: it binds nothing" if group.cut else "kept"
        wave = where.get(group.id)
        reason = f"{group.reason} ({group.degree} neighbours)"
        return ("hub", group.name, wave, None, None, cut, reason, None, None, group.id.key, None)
    if isinstance(group, TogetherGroup):
        kind, binding = "together", "one wave"
    else:
        kind = "apart"
        binding = "different waves" if group.separate_waves else f"{group.max_unavailable} off at a time"
    first = group.members[0]
    members = _listed([member.name for member in group.members])
    wave = where.get(first)
    return (kind, None, wave, None, None, binding, group.evidence, group.confidence, members, first.key, None)


def _run_rows(plan: Plan) -> Iterator[Row]:
    yield ("Versions", "Release", plan.release)
    yield ("Versions", "Format of the plan", plan.format)
    yield ("Versions", "Format of this workbook", BOOK_FORMAT)
    yield ("Plan", "Digest", plan.digest)
    yield ("Plan", "Made from the plan", plan.previous or "none before it")
    is_made = bool(plan.author) and not plan.decisions
    yield ("Plan", "Made by" if is_made else "Changed by", plan.author or "nobody: as it was planned")
    yield ("Plan", "Solver", plan.solver)
    yield ("Plan", "As of", plan.as_of)
    yield from (("Parameters", name, value) for name, value in _flat(to_builtins(plan.policy)))
    yield from (
        (
            "Windows",
            window.name,
            f"{window.rrule} at {window.start:%H:%M} for {window.duration}, {window.timezone}",
        )
        for window in plan.calendar
    )
    yield from (
        ("Freezes", entry.name, f"{entry.starts} to {entry.ends}. {entry.reason}") for entry in plan.freezes
    )
    yield from _coverage(plan)
    yield from (("Warnings", f"{number}", text) for number, text in enumerate(plan.warnings, start=1))
    yield from (("Not piloted", f"{number}", text) for number, text in enumerate(plan.unproven, start=1))
    for pin in plan.pins:
        answer = "honoured" if pin.honoured else "refused"
        yield ("Pins", pin.vm.name, f"{pin.wish}: {answer}. {pin.reason}")


def _coverage(plan: Plan) -> Iterator[Row]:
    planned = Counter(vm.id.subscription for vm in plan.vms)
    blocked = Counter(entry.id.subscription for entry in plan.left_out if is_blocked(entry))
    rest = Counter(entry.id.subscription for entry in plan.left_out if not is_blocked(entry))
    for subscription in sorted({*planned, *blocked, *rest}):
        parts = planned[subscription], blocked[subscription], rest[subscription]
        told = f"{sum(parts)} VMs = {parts[0]} planned + {parts[1]} blocked + {parts[2]} unplanned"
        yield ("Coverage", subscription or "no subscription", told)
    total = len(plan.vms) + len(plan.left_out)
    told = "adds up" if total == plan.inventory else f"does not add up: {total} listed"
    yield ("Coverage", "Inventory", f"{plan.inventory} VMs, {told}")


def _flat(value: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, Cell]]:
    """Yield every value of a tree of mappings under its whole name."""
    for key, inner in value.items():
        name = f"{head}{key}".replace("_", " ")
        if isinstance(inner, dict) and inner:
            yield from _flat(inner, f"{head}{key}.")
        elif isinstance(inner, bool):
            yield name, "yes" if inner else "no"
        elif inner is None or inner in ([], {}, ()):
            yield name, "none"
        elif isinstance(inner, str | int | float):
            yield name, inner
        else:
            yield name, msgspec.json.encode(inner).decode()


def _names(plan: Plan) -> dict[ResourceId, str]:
    return {vm.id: vm.name for vm in plan.vms}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
