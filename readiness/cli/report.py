"""`readiness report`: what the history says, for people and for files."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from readiness.cli import report_runbook
from readiness.cli.console import OUT, TITLES, harmless, progress, say, warn
from readiness.cli.options import state_option
from readiness.cli.report_files import tell_files
from readiness.cli.report_iac import iac
from readiness.cli.report_wave import wave
from readiness.errors import Exit

if TYPE_CHECKING:
    from readiness.app.history import Comparison
    from readiness.model.history import Change, RunRecord, SnapshotInfo
    from readiness.model.progress import Progress

_estate_option = click.option(
    "--estate", metavar="NAME", help="Which estate's history, where the state folder knows several."
)
_output_option = click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the answer is written to standard output.",
)
_KINDS = {
    "drift": "bold red",
    "regressed": "red",
    "newly applies": "yellow",
    "new": "cyan",
    "fixed": "green",
    "no longer applies": "dim",
    "changed": "yellow",
    "not read": "bold yellow",
    "gone": "dim",
}
_SHOWN = 60
"""Changes that are shown on a screen; the other forms have all of them."""


@click.group()
def report() -> None:
    """Tell how far an estate has come, from the history that 'assess' records."""


report.add_command(iac)
report.add_command(wave)
report_runbook.register(report)


@report.command("history")
@click.option("--at", help="The snapshot that the list ends with, and nothing of later days (default: all).")
@_estate_option
@_output_option
@state_option
def history_command(at: str | None, estate: str | None, output: str, state: Path) -> int:
    """List the snapshots and runs that the state folder remembers.

    Every 'assess' of a whole estate records one; the same result on the same day is one snapshot. Every run
    of a stage is recorded, on twins too, and stands as it ended last. CSV has the snapshots alone.

    \b
    Examples:
      readiness report history
      readiness report history --estate production --output json
      readiness report history --at 2027-04-01
    """
    from readiness.app.history import list_history

    _take_in(state)
    found = list_history(state, estate, at)
    if output == "json":
        _print_json(found)
    elif output == "csv":
        from readiness.app.report_forms import history_csv

        click.echo(history_csv(found), nl=False)
    else:
        OUT.print(_snapshots_table(found.snapshots, state))
        if found.runs:
            OUT.print(_runs_table(found.runs))
    return Exit.DONE


@report.command("compare")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@_estate_option
@_output_option
@state_option
def compare_command(before: str, after: str, estate: str | None, output: str, state: Path) -> int:
    """Tell what changed from snapshot A to snapshot B, drift first, with reasons.

    A and B are the beginning of a snapshot's digest, its day, or first, previous or latest.

    \b
    Examples:
      readiness report compare previous latest
      readiness report compare 2027-03-01 2027-04-01 --estate production
      readiness report compare 1a2b3c4d latest --output csv > changes.csv
    """
    from readiness.app.history import compare

    _take_in(state)
    found = compare(state, before, after, estate)
    if output == "json":
        _print_json(found)
    elif output == "csv":
        from readiness.app.report_forms import changes_csv

        click.echo(changes_csv(found), nl=False)
    else:
        _show_comparison(found)
    return Exit.DONE


@report.command("progress")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write the report to.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["json", "csv", "md", "xlsx", "html"]),
    multiple=True,
    help="Only this form of it (default: all). Repeatable.",
)
@click.option("--at", default="latest", show_default=True, help="The snapshot that the report ends with.")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    help="A plan whose windows are forecast from, beside the pace of the snapshots.",
)
@_estate_option
@state_option
def progress_command(
    to: Path, formats: tuple[str, ...], at: str, plan: Path | None, estate: str | None, state: Path
) -> int:
    """Write how an estate gets from Level 1 to Level 3: levels over time, what blocks, drift, forecast.

    It is made from recorded snapshots and runs alone, and the same history gives the same bytes.

    \b
    Examples:
      readiness report progress --to out/progress
      readiness report progress --to out/april --at 2027-04-01 --plan out/plan/plan.json
    """
    from readiness.app.progress import ProgressRequest, progress_of, write
    from readiness.app.report_files import FORMATS

    _take_in(state)
    with progress() as tick:
        made = progress_of(ProgressRequest(state=state, estate=estate, at=at, plan=plan), tick)
    tell_files(write(made, to, formats or FORMATS))
    _show_progress(made)
    return Exit.DONE


def _take_in(state: Path) -> None:
    """Record what journals tell of runs that the history does not know yet; a warning where it cannot be."""
    from readiness.app.recording import take_in

    for error in take_in(state):
        warn(error)


def _snapshots_table(snapshots: Sequence["SnapshotInfo"], state: Path) -> Table:
    table = Table(title=f"Snapshots in {harmless(str(state))}", title_justify="left")
    for title in ("Estate", "As of", "Snapshot", "VMs", "Not read", "Recorded at (UTC)", "Release"):
        table.add_column(title, no_wrap=True)
    for one in snapshots:
        recorded = f"{one.recorded_at:%Y-%m-%d %H:%M}"
        numbers = (str(one.vms), str(one.unread))
        table.add_row(
            harmless(one.estate), str(one.as_of), one.label, *numbers, recorded, harmless(one.release)
        )
    return table


def _runs_table(runs: Sequence["RunRecord"]) -> Table:
    table = Table(title="Runs", title_justify="left")
    for title in ("Run", "Where", "Started (UTC)", "VMs", "Done", "Rolled back", "Others"):
        table.add_column(title, no_wrap=title != "Others")
    for run in runs:
        where = "twin" if run.is_rehearsal else "Azure"
        done, back = run.count("done"), run.count("rolled_back")
        others = Counter(vm.outcome for vm in run.vms if vm.outcome not in ("done", "rolled_back"))
        table.add_row(
            harmless(run.id),
            where,
            f"{run.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            *map(str, (len(run.vms), done, back)),
            ", ".join(f"{number} {outcome}" for outcome, number in sorted(others.items())) or "-",
        )
    return table


def _print_json(found: object) -> None:
    from readiness.model.codec import encode_pretty

    click.echo(encode_pretty(found).decode(), nl=False)


def _show_comparison(found: "Comparison") -> None:
    before, after = found.before, found.after
    title = f"{harmless(after.estate)}: {before.as_of} ({before.label}) to {after.as_of} ({after.label})"
    table = Table(title=title, title_justify="left")
    for heading in ("Change", "VM", "Application", "Of", "Before", "After", "Why"):
        table.add_column(heading, no_wrap=heading in ("Change", "VM"))
    for change in found.changes[:_SHOWN]:
        table.add_row(*_change_cells(change))
    OUT.print(table)
    if len(found.changes) > _SHOWN:
        say(f"{_SHOWN} of {len(found.changes)} changes; --output csv or json has all of them.")
    say(", ".join(f"{count} {kind.value}" for kind, count in found.counts.items()))
    if found.catalogue:
        say(f"Only one of the two asked for {', '.join(found.catalogue)}: nothing is told of these controls.")


def _change_cells(change: "Change") -> tuple[str, ...]:
    colour = _KINDS[change.kind.value]
    place = (change.name, change.application or "-", change.subject)
    cells = (*place, change.before, change.after, change.reason)
    return (f"[{colour}]{change.kind.value}[/]", *map(harmless, cells))


def _show_progress(made: "Progress") -> None:
    now, estate = made.latest, made.groups[0]
    levels = ", ".join(f"{vms} on Level {level}" for level, vms in enumerate(now.raw))
    say(f"[bold]{harmless(made.estate)}[/] as of {made.as_of}, from {len(made.points)} snapshots")
    say(f"{now.vms} VMs: {levels}; the estate stands on Level {estate.level.raw.value}")
    if now.score is not None:
        say(f"Posture score {now.score:.1f} of 100, {made.points[0].score or 0:.1f} in the first snapshot")
    for each in made.dimensions:
        if each.share is not None and each.share_first is not None:
            first = f"{each.share_first:.1%} in the first snapshot"
            say(f"{TITLES[each.dimension]}: {each.share:.1%} satisfied, {first}")
    if made.drift:
        say(f"[bold red]Drift[/]: {len(made.drift)} times a VM lost a dimension that was satisfied")
    for one in made.blockers[:3]:
        counted = "VMs" if one.scope == "vm" else "subscriptions"
        misses = f"{one.control} {harmless(one.title)} ({one.whose.value})"
        say(f"Missing for Level {one.level.value}: {misses}, {counted} held back: {one.together}")
