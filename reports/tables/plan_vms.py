"""A plan's VMs as rows: one for every VM of the inventory, and one for every VM and window of the schedule.

The columns that owners write into are defined here, once: the workbook draws them, the import reads them.
Pure; the rows are made only when they are drawn.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from readiness.model.decision import Answer, Decision
from readiness.model.ids import ResourceId
from readiness.model.plan import LeftOut, Plan, PlannedVm
from reports import words
from reports.tables.table import Column, Edit, Kind, Row, Rows, Table
from reports.tables.times import local, minutes, utc, zone_name

KEY = Column("Resource id", 60)
"""The lower-cased id: what a row is known by, however it is sorted."""

DECISION = Column("Decision", 12, edit=Edit("Your answer for this VM.", tuple(Answer)))
WAVE_PIN = Column(
    "Pin to wave",
    9,
    Kind.COUNT,
    Edit("The number of the wave that this VM is to go in, if not the planned one."),
)
NOT_BEFORE = Column("Not before", 13, Kind.DAY, Edit("The first day on which this VM may go, as a date."))
GOES_WITH = Column("Go with", 20, edit=Edit("The name or resource id of a VM whose wave it is to share."))
APPROVER = Column("Approver", 20, edit=Edit("Who decided: a name that can be found in your directory."))
DECIDED_ON = Column("Decided on", 13, Kind.DAY, Edit("The day of the decision, as a date."))
TICKET = Column("Change ticket", 16, edit=Edit("The number of the change in your ticket system."))
NOTE = Column("Note", 30, Kind.PROSE, Edit("Anything that the migration team should know."))
EDITED = (DECISION, WAVE_PIN, NOT_BEFORE, GOES_WITH, APPROVER, DECIDED_ON, TICKET, NOTE)

UNPRINTED = (
    Column("Not done, and why", 46, Kind.PROSE),
    Column("Window closes", 21, Kind.MOMENT),
    Column("Zone", 26),
    Column("Reserved (min)", 12, Kind.MINUTES),
    Column("Consent needed", 36, Kind.PROSE),
    Column("Snapshots", 11, Kind.COUNT),
    Column("Snapshot GB", 11, Kind.COUNT),
    Column("Snapshot cost", 11, Kind.MONEY),
    Column("Conflicts", 36, Kind.PROSE),
    Column("Infrastructure code", 30, Kind.PROSE),
    Column("Move group", 20),
    Column("Stratum", 30),
    Column("Region", 14),
    Column("Size", 18),
    Column("Subscription", 38),
    KEY,
)
"""Details of a VM, for filters and for machines: they stay on the screen."""

_NOT_BLOCKED = frozenset({"AlreadyDone", "Excepted", "Excluded", "ExcludedByPolicy", "NotChosen"})
"""Reasons that nobody has to take away: there is nothing to do, or somebody wants it so."""


class _Placed(NamedTuple):
    """A planned VM with what was decided for it."""

    vm: PlannedVm
    decision: Decision | None
    hint: str
    """What its infrastructure code has to follow."""


class _Left(NamedTuple):
    """A VM in no wave, with what was decided for it."""

    vm: LeftOut
    decision: Decision | None


def is_blocked(entry: LeftOut) -> bool:
    """Tell whether something stands in a VM's way that somebody could take away."""
    return entry.reason not in _NOT_BLOCKED


def plan_vms(plan: Plan) -> Table:
    """Return one row per VM of the inventory: the planned ones as they go, then the others."""
    columns = (
        Column("VM", 24),
        Column("Status", 11),
        Column("Wave", 8, Kind.COUNT),
        Column("Batch", 8, Kind.COUNT),
        *EDITED,
        Column("Application", 22),
        Column("Owner", 20),
        Column("Environment", 14),
        Column("Actions", 42, Kind.PROSE),
        Column("Starts", 21, Kind.MOMENT),
        Column("Downtime (min)", 12, Kind.MINUTES),
        Column("Undo", 10),
        Column("Why it stands here", 46, Kind.PROSE),
        *UNPRINTED,
    )
    decided = {entry.vm: entry for entry in plan.decisions}
    items = [
        *(_Placed(vm, decided.get(vm.id), plan.iac_hint(vm)) for vm in plan.vms),
        *(_Left(entry, decided.get(entry.id)) for entry in plan.left_out),
    ]
    return Table("VMs", columns, Rows(items, _row))


def plan_schedule(plan: Plan) -> Table:
    """Return one line per VM and window, in the order of the clock: what runs the night."""
    columns = (
        Column("Starts (local)", 21, Kind.MOMENT),
        Column("Ends (local)", 21, Kind.MOMENT),
        Column("Zone", 26),
        Column("Starts (UTC)", 21, Kind.MOMENT),
        Column("Ends (UTC)", 21, Kind.MOMENT),
        Column("Reserved until (UTC)", 21, Kind.MOMENT),
        Column("Wave", 8, Kind.COUNT),
        Column("Batch", 8, Kind.COUNT),
        Column("VM", 24),
        Column("Application", 22),
        Column("Owner", 20),
        Column("Window", 20),
        Column("Window closes (local)", 21, Kind.MOMENT),
        Column("Downtime (min)", 12, Kind.MINUTES),
        Column("Actions", 42, Kind.PROSE),
        KEY,
    )
    items = sorted(plan.vms, key=lambda vm: (_start(vm), vm.wave, vm.batch, vm.id.key))
    return Table("Schedule", columns, Rows(items, _schedule_row))


def decision_cells(decision: Decision | None, names: Mapping[ResourceId, str] | None = None) -> Row:
    """Return what stands in the edited columns for a decision."""
    if decision is None:
        return (None,) * len(EDITED)
    partner = decision.goes_with
    return (
        decision.answer.value if decision.answer else None,
        decision.wave,
        decision.not_before,
        (names or {}).get(partner, partner.key) if partner else None,
        decision.approver or None,
        decision.decided_on,
        decision.ticket or None,
        decision.note or None,
    )


def _start(vm: PlannedVm) -> datetime:
    return vm.start or vm.occurrence.opens


def _row(item: _Placed | _Left) -> Row:
    return (
        _planned_row(item.vm, item.decision, item.hint)
        if isinstance(item, _Placed)
        else _left_row(item.vm, item.decision)
    )


def _planned_row(vm: PlannedVm, decision: Decision | None, hint: str) -> Row:
    window = vm.occurrence
    return (
        vm.name,
        "planned",
        vm.wave,
        vm.batch,
        *decision_cells(decision),
        vm.application,
        vm.owner,
        vm.environment.value,
        words.actions(vm),
        local(_start(vm), window.timezone),
        minutes(vm.outage.downtime_seconds) if vm.outage else 0,
        vm.undo.value,
        vm.reason,
        words.refusals(vm),
        local(window.closes, window.timezone),
        zone_name(window.timezone, window.opens, window.closes),
        minutes(vm.reserved_seconds),
        "\n".join(vm.consent),
        vm.snapshot_count,
        vm.snapshot_gb,
        round(vm.snapshot_cost, 2),
        "\n".join(vm.conflicts),
        "\n".join(filter(None, (vm.iac, hint))),
        vm.group,
        vm.stratum,
        vm.region,
        vm.size,
        vm.id.subscription,
        vm.id.key,
    )


def _left_row(entry: LeftOut, decision: Decision | None) -> Row:
    status = "blocked" if is_blocked(entry) else "unplanned"
    reason = f"{entry.detail} [{entry.reason}]" if entry.detail else entry.reason
    return (
        entry.name,
        status,
        None,
        None,
        *decision_cells(decision),
        entry.application,
        *(None,) * 6,
        reason,
        *(None,) * (len(UNPRINTED) - 2),
        entry.id.subscription,
        entry.id.key,
    )


def _schedule_row(vm: PlannedVm) -> Row:
    window = vm.occurrence
    start = _start(vm).astimezone(UTC)
    end = start + timedelta(seconds=vm.planned_seconds)
    return (
        local(start, window.timezone),
        local(end, window.timezone),
        zone_name(window.timezone, window.opens, window.closes),
        utc(start),
        utc(end),
        utc(start + timedelta(seconds=vm.reserved_seconds)),
        vm.wave,
        vm.batch,
        vm.name,
        vm.application,
        vm.owner,
        window.window,
        local(window.closes, window.timezone),
        minutes(vm.outage.downtime_seconds) if vm.outage else 0,
        words.actions(vm),
        vm.id.key,
    )
