"""What a wave's report tells beside its VMs, as rows: snapshots, everybody's word, audit chains, windows."""

from datetime import datetime

from readiness.model.wave_report import End, StageTold, VmTold, WaveReport
from reports.tables.table import Column, Kind, Row, Table
from reports.tables.times import local, utc, zone_name

HOLDS, BROKEN = "holds", "does not hold from event {}"
WHEN = 22
"""Width of a column of instants."""


def instant(moment: datetime) -> datetime:
    """Return a moment in UTC, to the second."""
    return utc(moment).replace(microsecond=0)


def wave_snapshots(report: WaveReport) -> Table:
    """Return one row a snapshot."""
    columns = (
        Column("Snapshot", 56),
        Column("VM", 24),
        Column("Disk", 28),
        Column("Try", 6, Kind.COUNT),
        Column("Taken (UTC)", WHEN, Kind.MOMENT),
        Column("Expires", 12, Kind.DAY),
        Column("Resource id", 60),
    )
    rows = tuple(
        (one.name, one.vm, one.disk, one.round, instant(one.taken_at), one.expires, one.id)
        for one in report.snapshots
    )
    return Table("Snapshots", columns, rows)


def wave_approvals(report: WaveReport) -> Table:
    """Return one row for each word that somebody gave."""
    columns = (
        Column("What", 38),
        Column("Who", 28),
        Column("At (UTC)", WHEN, Kind.MOMENT),
        Column("Day", 12, Kind.DAY),
        Column("For", 28),
        Column("Ticket", 14),
        Column("Note", 40, Kind.PROSE),
        Column("Evidence", 44, Kind.PROSE),
        Column("Object id", 38),
    )
    rows = tuple(
        (
            one.what,
            one.who,
            instant(one.at) if one.at else None,
            one.day,
            one.subject,
            one.ticket,
            one.note,
            one.evidence,
            one.object_id,
        )
        for one in report.approvals
    )
    return Table("Approvals", columns, rows)


def wave_consents(report: WaveReport) -> Table:
    """Return one row for each sentence that owners had to agree to, and for each exception, with its VMs."""
    columns = (
        Column("Kind", 12),
        Column("What", 70, Kind.PROSE),
        Column("VMs", 7, Kind.COUNT),
        Column("Signed", 8, Kind.COUNT),
        Column("Names", 60, Kind.PROSE),
    )
    found: dict[tuple[str, str], list[VmTold]] = {}
    for vm in report.vms:
        for kind, texts in (("consent", vm.consents), ("exception", vm.exceptions)):
            for text in texts:
                found.setdefault((kind, text), []).append(vm)
    rows = tuple(
        (kind, text, len(vms), sum(1 for vm in vms if vm.signed), ", ".join(vm.name for vm in vms))
        for (kind, text), vms in sorted(found.items(), key=lambda item: item[0])
    )
    return Table("Consents", columns, rows)


def wave_audit(report: WaveReport) -> Table:
    """Return one row a run, with the head of its audit chain."""
    columns = (
        Column("Stage", 13),
        Column("Run", 32),
        Column("Head of the audit chain", 68),
        Column("Chain", 12),
        Column("Events", 9, Kind.COUNT),
        Column("Where", 26),
        Column("Begun by", 26),
        Column("Started (UTC)", WHEN, Kind.MOMENT),
        Column("Told until (UTC)", WHEN, Kind.MOMENT),
        Column("VMs", 7, Kind.COUNT),
        *(Column(end.value.capitalize(), 10, Kind.COUNT) for end in End),
        Column("State", 12),
        Column("Held because", 40, Kind.PROSE),
        Column("Release", 10),
    )
    return Table("Audit", columns, tuple(_audit_row(one) for one in report.stages))


def wave_windows(report: WaveReport) -> Table:
    """Return one row for each application's window, in its own time and in UTC."""
    columns = (
        Column("Application", 24),
        Column("Owner", 22),
        Column("Window", 20),
        Column("Opens", WHEN, Kind.MOMENT),
        Column("Closes", WHEN, Kind.MOMENT),
        Column("Time zone", 28),
        Column("Opens (UTC)", WHEN, Kind.MOMENT),
        Column("Closes (UTC)", WHEN, Kind.MOMENT),
        Column("VMs", 7, Kind.COUNT),
    )
    rows = tuple(
        (
            one.application,
            one.owner,
            one.window,
            local(one.opens, one.zone),
            local(one.closes, one.zone),
            zone_name(one.zone, one.opens, one.closes),
            instant(one.opens),
            instant(one.closes),
            one.vms,
        )
        for one in report.windows
    )
    return Table("Windows", columns, rows)


def _audit_row(one: StageTold) -> Row:
    return (
        one.stage.value,
        one.run,
        one.audit_head,
        HOLDS if one.broken_at is None else BROKEN.format(one.broken_at),
        one.events,
        one.place,
        one.approved_by,
        instant(one.started_at),
        instant(one.told_at),
        sum(one.counts.values()),
        *(one.counts.get(end, 0) for end in End),
        "unfinished" if one.is_unfinished else "finished",
        one.held,
        one.release,
    )
