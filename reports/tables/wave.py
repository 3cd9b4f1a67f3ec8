"""The report of a wave as rows: what was done to each VM, with evidence, and what is left to do.

Pure: the same report gives the same rows in the same order. The tables, by the name of their sheet or file:

Summary      one fact a row: Fact, Value
Left to do   one row for whatever is still to be done, the most urgent first, with its command
VMs          one row a VM: outcome and reason, each stage, how long it was away against what was planned, what
             its owner agreed to, and the exceptions that name it
Timeline     one row a VM: when it was prepared, away, left to soak and closed
Steps        one row a step of each try, with what came of it and its evidence
Snapshots    one row a snapshot, with the day after which it may be deleted
Approvals    one row for each word that somebody gave: sign-offs, approvals, who began a run, and wishes
Consents     one row for each sentence that owners had to agree to, and each exception, with its VMs
Audit        one row a run, with the head of its audit chain
Windows      one row for each application's maintenance window

Instants are in UTC, which the titles say; an empty cell says that there is nothing to say.
"""

from collections.abc import Iterator

from readiness.model.lifecycle import Stage
from readiness.model.wave_report import End, StepTold, VmTold, WaveReport
from reports import words
from reports.tables.table import Cell, Column, Kind, Row, Rows, Table
from reports.tables.times import minutes
from reports.tables.wave_parts import (
    WHEN,
    instant,
    wave_approvals,
    wave_audit,
    wave_consents,
    wave_snapshots,
    wave_windows,
)

DURATIONS = {
    "measured": "measured on Azure",
    "assumed": "assumed: those of a twin, and no measure of Azure",
}


def wave_tables(report: WaveReport) -> tuple[Table, ...]:
    """Return every table of a wave's report, in the order in which they are read."""
    return (
        wave_summary(report),
        wave_left(report),
        wave_vms(report),
        wave_timeline(report),
        wave_steps(report),
        wave_snapshots(report),
        wave_approvals(report),
        wave_consents(report),
        wave_audit(report),
        wave_windows(report),
    )


def wave_summary(report: WaveReport) -> Table:
    """Return the whole in a few facts, the heads of the audit chains among them."""
    rows: list[Row] = [
        ("Estate", report.estate),
        ("Wave", report.wave),
        ("Name of the wave", report.wave_name),
        ("Plan", report.approval),
        ("Digest of the plan", report.plan),
        ("Plan as of", report.plan_as_of),
        ("Author of the plan", report.author or "not named"),
        ("Target", words.TARGET[report.target]),
        ("Durations", DURATIONS[report.durations]),
        ("Told until (UTC)", f"{instant(report.as_of):%Y-%m-%d %H:%M:%S}"),
        ("State", state_in_words(report)),
        ("VMs", len(report.vms)),
        *((f"VMs {end}", count) for end, count in report.counts.items() if count),
        *((f"Outages {name}", value) for name, value in outages_in_words(report)),
        ("Snapshots taken", len(report.snapshots)),
        *((f"Head of the audit chain, {one.stage}", one.audit_head) for one in report.stages),
        ("Made by", f"readiness {report.release}"),
    ]
    return Table("Summary", (Column("Fact", 34), Column("Value", 80, Kind.PROSE)), tuple(rows))


def state_in_words(report: WaveReport) -> str:
    """Return whether the wave is over, or which of its stages is not; over is not to mean in order."""
    if report.stage(Stage.OUTAGE) is None:
        return "Unfinished: its outage has not begun."
    held = [f"{one.stage} is held: {one.held}" for one in report.stages if one.is_unfinished and one.held]
    unfinished = [one.stage.value for one in report.stages if one.is_unfinished]
    if unfinished:
        return ". ".join([f"Unfinished: {' and '.join(unfinished)} under way or stopped", *held]) + "."
    stranded, due = report.counts[End.STRANDED], report.counts[End.CLOSURE_DUE]
    alarm = f"{stranded:,} of {len(report.vms):,} VMs stranded. " if stranded else ""
    if due:
        return f"{alarm}Its outage is over; {due:,} of {len(report.vms):,} VMs are still to be closed."
    missing = len(report.vms) - report.counts[End.DONE]
    not_all = f", {missing:,} of {len(report.vms):,} not upgraded" if missing else ""
    return f"{alarm}Finished: every VM came to an end{not_all}."


def outages_in_words(report: WaveReport) -> Iterator[tuple[str, str]]:
    """Yield how many VMs were away, for how long, and how that compares with the plan."""
    away = sorted((vm.outage_seconds, vm.name) for vm in report.vms if vm.outage_seconds is not None)
    if not away:
        return
    longest, name = away[-1]
    over = [
        vm
        for vm in report.vms
        if vm.outage_seconds and vm.planned_seconds and vm.outage_seconds > vm.planned_seconds
    ]
    yield "in all", f"{len(away):,} of {len(report.vms):,} VMs were away"
    yield "in the middle", _duration(away[len(away) // 2][0])
    yield "at most", f"{_duration(longest)} ({name})"
    yield "longer than planned", f"{len(over):,} of {len(away):,}"


def wave_left(report: WaveReport) -> Table:
    """Return one row for whatever is left to do."""
    columns = (
        Column("When", 9),
        Column("What", 40, Kind.PROSE),
        Column("VM", 24),
        Column("Why", 50, Kind.PROSE),
        Column("Not before (UTC)", WHEN, Kind.MOMENT),
        Column("Command", 90, Kind.PROSE),
    )
    rows = tuple(
        (
            one.urgency,
            one.what,
            one.vm,
            one.why,
            instant(one.not_before) if one.not_before else None,
            one.command,
        )
        for one in report.left
    )
    return Table("Left to do", columns, rows)


def wave_vms(report: WaveReport) -> Table:
    """Return one row a VM."""
    columns = (
        Column("VM", 24),
        Column("Outcome", 14),
        Column("Why", 44, Kind.PROSE),
        Column("Application", 20),
        Column("Owner", 20),
        Column("Environment", 15),
        Column("Upgrades", 26, Kind.PROSE),
        *(Column(stage.value.capitalize(), 14) for stage in Stage),
        Column("Away (minutes)", 12, Kind.MINUTES),
        Column("Planned (minutes)", 12, Kind.MINUTES),
        Column("Reserved (minutes)", 12, Kind.MINUTES),
        Column("Times", 10),
        Column("Tries", 8, Kind.COUNT),
        Column("Closure not before (UTC)", WHEN, Kind.MOMENT),
        Column("Undo", 10),
        Column("Signed by", 28, Kind.PROSE),
        Column("Exceptions", 36, Kind.PROSE),
        Column("Owner had to agree to", 46, Kind.PROSE),
        Column("Resource id", 60),
    )
    return Table("VMs", columns, Rows(report.vms, lambda vm: _vm_row(report, vm)))


def wave_timeline(report: WaveReport) -> Table:
    """Return one row a VM: from when to when what was done to it."""
    titles = (
        *(f"{word} (UTC)" for word in ("Window opens", "Window closes", "Prepared from", "Prepared until")),
        *(
            f"{word} (UTC)"
            for word in ("Away from", "Away until", "Soak until", "Closed from", "Closed until")
        ),
    )
    columns = (
        Column("VM", 24),
        Column("Outcome", 14),
        *(Column(title, WHEN, Kind.MOMENT) for title in titles),
    )
    return Table("Timeline", columns, Rows(report.vms, _timeline_row))


def wave_steps(report: WaveReport) -> Table:
    """Return one row a step of each try, in the order in which they were begun."""
    columns = (
        Column("VM", 24),
        Column("Stage", 12),
        Column("Try", 6, Kind.COUNT),
        Column("Number", 11, Kind.COUNT),
        Column("Step", 40, Kind.PROSE),
        Column("State", 9),
        Column("Began (UTC)", WHEN, Kind.MOMENT),
        Column("Ended (UTC)", WHEN, Kind.MOMENT),
        Column("Seconds", 11, Kind.COUNT),
        Column("Attempts", 12, Kind.COUNT),
        Column("Code", 22),
        Column("Came to", 50, Kind.PROSE),
        Column("Evidence", 50, Kind.PROSE),
        Column("Name", 40),
    )
    rows = [
        _step_row(vm, passage.stage, number, place, step)
        for vm in report.vms
        for passage in vm.passages
        for number, steps in enumerate(passage.rounds, start=1)
        for place, step in enumerate(steps, start=1)
    ]
    return Table("Steps", columns, rows)


def _vm_row(report: WaveReport, vm: VmTold) -> Row:
    stages = (vm.passage(stage) for stage in Stage)
    return (
        vm.name,
        vm.end.value,
        vm.reason,
        vm.application,
        vm.owner,
        words.ENVIRONMENT[vm.environment],
        "\n".join(words.playbook(name) for name in vm.actions),
        *(passage.end.value if passage else None for passage in stages),
        *(_minutes(value) for value in (vm.outage_seconds, vm.planned_seconds, vm.reserved_seconds)),
        report.durations,
        max((len(passage.rounds) for passage in vm.passages), default=0),
        instant(vm.closure_from) if vm.closure_from else None,
        vm.undo.value,
        vm.signed,
        "\n".join(vm.exceptions),
        "\n".join(vm.consents),
        vm.id,
    )


def _timeline_row(vm: VmTold) -> Row:
    found: list[Cell] = []
    for stage in (Stage.PREPARATION, Stage.CLOSURE):
        passage = vm.passage(stage)
        span = passage.span if passage else None
        found += [instant(span.start), instant(span.end)] if span else [None, None]
    prepared, closed = found[:2], found[2:]
    away = [span for passage in vm.passages for span in passage.away]
    gone = (instant(away[0].start), instant(away[-1].end)) if away else (None, None)
    soak = instant(vm.closure_from) if vm.closure_from else None
    return (vm.name, vm.end.value, instant(vm.opens), instant(vm.closes), *prepared, *gone, soak, *closed)


def _step_row(vm: VmTold, stage: Stage, number: int, place: int, step: StepTold) -> Row:
    return (
        vm.name,
        stage.value,
        number,
        place,
        step.words,
        step.state.value,
        instant(step.began),
        instant(step.ended) if step.ended else None,
        round((step.ended - step.began).total_seconds()) if step.ended else None,
        step.attempt,
        step.code,
        step.detail,
        step.evidence,
        step.name,
    )


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else minutes(seconds)


def _duration(seconds: int) -> str:
    return f"{seconds // 60:,} min {seconds % 60} s"
