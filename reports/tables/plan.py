"""A plan as rows: one place decides what a report of a plan says, every format only draws it.

Pure: the same plan gives the same rows in the same order. Instants are shown as the local time of their
window, with the zone in a column of its own.
"""

from collections import Counter
from collections.abc import Sequence

from readiness.model.context import Environment
from readiness.model.plan import Occurrence, Plan, PlannedVm, Wave
from readiness.model.steps import Undo
from reports import words
from reports.tables.table import Column, Kind, Row, Table, distinct
from reports.tables.times import local, minutes, zone_name


def plan_summary(plan: Plan) -> Table:
    """Return what a plan is, for where, and the proof that no VM was lost: one fact a row."""
    planned = sum(len(wave.vms) for wave in plan.waves)
    rows: tuple[Row, ...] = (
        ("Estate", plan.target.estate),
        ("Target", words.TARGET[plan.target.kind]),
        ("Cloud", plan.target.cloud),
        ("Tenant", plan.target.tenant or "not named"),
        ("Subscriptions", words.place(plan.target)),
        ("As of", plan.as_of),
        ("Release", plan.release),
        *_calendar(plan),
        ("Digest", plan.digest),
        ("VMs in the inventory", plan.inventory),
        ("VMs planned", planned),
        ("VMs left out", len(plan.left_out)),
        ("Waves", len(plan.waves)),
        ("Fewest possible waves", plan.lower_bound),
        ("Proof", words.proof(plan)),
    )
    return Table("Summary", (Column("Fact", 24), Column("Value", 60)), rows)


def plan_wave_sizes(plan: Plan) -> Table:
    """Return one row per wave: how many VMs of which environment, and when its first window opens."""
    columns = (
        Column("Wave", 8, Kind.COUNT),
        Column("Name", 34, Kind.PROSE),
        Column("VMs", 9, Kind.COUNT),
        *(Column(title, 13, Kind.COUNT) for title in words.ENVIRONMENT.values()),
        Column("First window opens", 22, Kind.MOMENT),
        Column("Zone", 28),
    )
    return Table("Wave sizes", columns, tuple(_wave_size(wave) for wave in plan.waves))


def plan_waves(plan: Plan) -> Table:
    """Return one row per wave and window: what happens in it, and how much of it is reserved.

    Applications of one wave may have windows of their own, so a wave can have several rows.
    """
    columns = (
        Column("Wave", 8, Kind.COUNT),
        Column("Name", 32, Kind.PROSE),
        Column("Ring", 15),
        Column("Window", 20),
        Column("Opens", 21, Kind.MOMENT),
        Column("Closes", 21, Kind.MOMENT),
        Column("Zone", 28),
        Column("Batches", 10, Kind.COUNT),
        Column("VMs", 8, Kind.COUNT),
        Column("Applications", 32, Kind.PROSE),
        Column("Work (min)", 10, Kind.MINUTES),
        Column("Kept for undo (min)", 12, Kind.MINUTES),
        Column("Window (min)", 12, Kind.MINUTES),
        Column("Reserved share", 12, Kind.SHARE),
        Column("Committed", 12),
        Column("Why", 50, Kind.PROSE),
    )
    rows = tuple(
        _window_row(wave, occurrence) for wave in plan.waves for occurrence in _occurrences(wave.vms)
    )
    return Table("Waves", columns, rows)


def plan_left_out_reasons(plan: Plan) -> Table:
    """Return how many VMs are left out for which reason, the most frequent first, and who unblocks them."""
    counts = Counter(entry.reason for entry in plan.left_out)
    rows = tuple(
        (count, reason, distinct(entry.unblocked_by for entry in plan.left_out if entry.reason == reason))
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    columns = (
        Column("VMs", 8, Kind.COUNT),
        Column("Reason", 26),
        Column("Who unblocks them", 60, Kind.PROSE),
    )
    return Table("Left-out reasons", columns, rows)


def plan_undo_kinds(plan: Plan) -> Table:
    """Return every way back in plain words, and for how many planned VMs it is the one."""
    counts = Counter(vm.undo for wave in plan.waves for vm in wave.vms)
    rows = tuple((counts[kind], kind.value, words.UNDO[kind]) for kind in Undo)
    columns = (Column("VMs", 8, Kind.COUNT), Column("Undo", 10), Column("Means", 80, Kind.PROSE))
    return Table("Undo", columns, rows)


def _calendar(plan: Plan) -> tuple[Row, ...]:
    """Return when the first window of the plan opens and the last one closes, if it has any."""
    found = [vm.occurrence for wave in plan.waves for vm in wave.vms]
    if not found:
        return ()
    first, last = min(found, key=lambda one: one.opens), max(found, key=lambda one: one.closes)
    opens, closes = local(first.opens, first.timezone), local(last.closes, last.timezone)
    return (
        ("Begins", f"{opens:%Y-%m-%d %H:%M}, {_zone(first)}"),
        ("Ends", f"{closes:%Y-%m-%d %H:%M}, {_zone(last)}"),
    )


def _wave_size(wave: Wave) -> Row:
    counts = Counter(vm.environment for vm in wave.vms)
    first = min((vm.occurrence for vm in wave.vms), key=lambda entry: entry.opens, default=None)
    opens, zone = (local(first.opens, first.timezone), _zone(first)) if first else (None, None)
    return (wave.number, wave.name, len(wave.vms), *(counts[entry] for entry in Environment), opens, zone)


def _window_row(wave: Wave, occurrence: Occurrence) -> Row:
    own = [vms for batch in wave.batches if (vms := [vm for vm in batch.vms if vm.occurrence == occurrence])]
    work = sum(max(vm.planned_seconds for vm in vms) for vms in own)
    undo = max((vm.reserved_seconds - vm.planned_seconds for vms in own for vm in vms), default=0)
    vms = [vm for batch in own for vm in batch]
    return (
        wave.number,
        wave.name,
        wave.ring,
        occurrence.window,
        local(occurrence.opens, occurrence.timezone),
        local(occurrence.closes, occurrence.timezone),
        _zone(occurrence),
        len(own),
        len(vms),
        distinct(vm.application for vm in vms),
        minutes(work),
        minutes(undo),
        occurrence.seconds // 60,
        round((work + undo) / occurrence.seconds, 4) if occurrence.seconds > 0 else None,
        "yes" if wave.committed else "no",
        "\n".join(wave.reasons),
    )


def _occurrences(vms: Sequence[PlannedVm]) -> list[Occurrence]:
    """Return the window occurrences of some VMs, each once, earliest first."""
    found = {(vm.occurrence.opens, vm.occurrence.window, vm.occurrence.closes): vm.occurrence for vm in vms}
    return [found[key] for key in sorted(found)]


def _zone(occurrence: Occurrence) -> str:
    return zone_name(occurrence.timezone, occurrence.opens, occurrence.closes)
