"""What people see in the terminal: tables, live lines, and errors with their remedy."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from readiness.errors import ReadinessError, UsageError
from readiness.model.assessment import Assessment, Classification, VmAssessment
from readiness.model.codec import encode
from readiness.model.lifecycle import Phase
from readiness.model.plan import Plan, Wave
from readiness.model.run import Event, EventKind, RunState
from readiness.model.scope import ScopeReport
from readiness.model.verdict import Dimension

if TYPE_CHECKING:
    from rich.progress import TaskID

_PIPED_WIDTH = 132
"""Columns where the output is no terminal, so that tables in logs are not squeezed."""


def _console(*, stderr: bool = False) -> Console:
    console = Console(highlight=False, stderr=stderr)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(highlight=False, stderr=stderr, width=_PIPED_WIDTH)


_HEADINGS = ("Batch", "VM", "Stands", "Steps", "Away", "Why")
_LEAST_FOR_WHY = 90
"""Columns that a table of a run needs, so that its reasons fit beside all else; otherwise they follow it."""

OUT = _console()
_ERR = _console(stderr=True)

TITLES = {
    Dimension.TRUSTED_LAUNCH: "Trusted Launch",
    Dimension.CMK: "CMK",
    Dimension.PASSWORD_ACCESS: "Password access",
    Dimension.MANAGED_IDENTITY: "Managed identity",
}
COLOURS = {
    Classification.SATISFIED: "green",
    Classification.READY: "cyan",
    Classification.READY_WITH_WORK: "yellow",
    Classification.BLOCKED: "red",
    Classification.EXCEPTED: "magenta",
    Classification.NOT_APPLICABLE: "dim",
    Classification.UNKNOWN: "bold yellow",
}
PHASE_COLOURS = {
    Phase.DONE: "green",
    Phase.DONE_UNPROVEN_BOOT: "green",
    Phase.UNDOING: "yellow",
    Phase.UNDECIDED: "bold yellow",
    Phase.FALLING_BACK: "yellow",
    Phase.ROLLED_BACK: "yellow",
    Phase.DECLINED: "yellow",
    Phase.BLOCKED: "red",
    Phase.STRANDED: "bold red",
}


def plain(text: str) -> str:
    """Take out of text from outside whatever would steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def harmless(text: str) -> str:
    """Make text from outside harmless: lines of plain text, no markup."""
    return escape("\n".join(map(plain, text.splitlines())))


def explain(error: ReadinessError) -> None:
    """Print an error: what happened, what is known, and what to do."""
    _explain("[bold red]Error:[/]", error)


def warn(error: ReadinessError) -> None:
    """Print what went wrong beside something that went well, and what to do."""
    _explain("[yellow]Warning:[/]", error)


def _explain(word: str, error: ReadinessError) -> None:
    _ERR.print(f"{word} {harmless(error.brief)}", soft_wrap=True)
    if error.details:
        _ERR.print(f"  {harmless(error.details)}", soft_wrap=True)
    if error.remedy:
        _ERR.print(f"[bold]Remedy:[/] {harmless(error.remedy)}", soft_wrap=True)


def say(text: str) -> None:
    """Print a line of markup."""
    OUT.print(text, soft_wrap=True)


# Assessment -----------------------------------------------------------------------------------------


def show_assessment(assessment: Assessment) -> None:
    """Print the classification of every VM, the counts, and the coverage proof."""
    table = Table(title=f"{harmless(assessment.estate.name)} as of {assessment.as_of}", title_justify="left")
    table.add_column("VM", no_wrap=True)
    table.add_column("Application")
    for dimension in Dimension:
        table.add_column(TITLES[dimension])
    for vm in assessment.vms:
        cells = [f"[dim]excluded: {harmless(vm.excluded)}[/]"] if vm.excluded else _standings(vm)
        table.add_row(harmless(vm.name), harmless(vm.application or "-"), *cells)
    OUT.print(table)
    for coverage in assessment.coverage:
        mark = "[green]adds up[/]" if coverage.adds_up else "[bold red]does not add up[/]"
        say(
            f"Coverage of {coverage.subscription}: {coverage.discovered} discovered = "
            f"{coverage.classified} classified + {coverage.excluded} excluded + "
            f"{coverage.unknown} unknown: {mark}"
        )
    for gap in assessment.gaps:
        place = harmless(f"{gap.place} {gap.resource}".strip())
        say(f"[yellow]Gap[/] {place}: {harmless(gap.reason)}: {harmless(gap.detail)}")


def show_scope(report: ScopeReport) -> None:
    """Print how much of the estate the answer speaks of."""
    asked = ", ".join(report.asked)
    say(f"Scope {escape(asked)}: {report.in_scope} VMs are in scope, {report.out_of_scope} are out of it")
    for subscription, count in report.subscriptions.items():
        say(f"  out of scope in {escape(subscription)}: {count}")


def _standings(vm: VmAssessment) -> list[str]:
    cells = []
    for dimension in Dimension:
        standing = vm.dimensions[dimension]
        colour = COLOURS[standing.classification]
        telling = standing.classification not in (Classification.SATISFIED, Classification.READY)
        words = [finding.reason for finding in standing.reasons] if telling else []
        reasons = f"\n[dim]{harmless(', '.join(dict.fromkeys(words)))}[/]" if words else ""
        cells.append(f"[{colour}]{standing.classification}[/]{reasons}")
    return cells


# Plan -----------------------------------------------------------------------------------------------


def show_plan(plan: Plan) -> None:
    """Print waves, batches and who was left out."""
    for wave in plan.waves:
        OUT.print(_wave_table(wave))
    left = Table(title="Left out", title_justify="left")
    left.add_column("VM", no_wrap=True)
    left.add_column("Reason", no_wrap=True)
    left.add_column("Why")
    left.add_column("Who can change it")
    for entry in plan.left_out:
        left.add_row(*map(harmless, (entry.name, entry.reason, entry.detail, entry.unblocked_by)))
    OUT.print(left)
    planned = sum(len(wave.vms) for wave in plan.waves)
    say(f"{plan.inventory} VMs = {planned} planned + {len(plan.left_out)} left out")
    say(f"{len(plan.waves)} waves; no plan within these limits has fewer than {plan.lower_bound}")
    say(f"Runs on: {plan.target.kind} of {harmless(plan.target.estate)}")
    say(f"Digest to approve: [bold]{plan.approval}[/]")


def _wave_table(wave: Wave) -> Table:
    table = Table(title=f"Wave {wave.number}: {harmless(wave.name)}", title_justify="left")
    for title in ("Batch", "VM", "Does", "Window (UTC)", "Away", "With way back", "Undo"):
        table.add_column(title, no_wrap=title != "Does")
    for batch in wave.batches:
        for vm in batch.vms:
            away = _minutes(vm.outage.downtime_seconds) if vm.outage else "-"
            reserve = _minutes(vm.outage.reserved_seconds) if vm.outage else "-"
            opens = f"{vm.occurrence.opens:%a %Y-%m-%d %H:%M}"
            does = ", ".join(vm.actions)
            table.add_row(str(batch.number), harmless(vm.name), does, opens, away, reserve, vm.undo)
    return table


# Runs -----------------------------------------------------------------------------------------------


class LiveLines:
    """Prints one line for each event of a run, as it happens."""

    def __init__(self, *, quiet: bool = False, silent: bool = False) -> None:
        self._quiet = quiet
        self._silent = silent

    def told(self, event: Event) -> None:
        """Print an event; a quiet observer only prints what needs attention, a silent one nothing."""
        if not self._silent and (not self._quiet or event.kind is EventKind.FAILURE):
            click.echo(_line(event))


def _line(event: Event) -> str:
    moment = click.style(f"{event.at:%H:%M:%S}", dim=True)
    colour = {EventKind.FAILURE: "red", EventKind.PHASE: "cyan", EventKind.WAIT: "yellow"}.get(event.kind)
    return f"{moment}  {plain(event.vm):<16} {click.style(plain(event.text), fg=colour)}"


def _minutes(seconds: int) -> str:
    """Round up, as every report does: an outage is never shown shorter than it is."""
    return f"{-(-seconds // 60)} min"


def show_run(state: RunState) -> None:
    """Print where every VM of a run stands."""
    where = "" if state.info.action else f"wave {state.info.wave}, "
    say(f"[italic]{harmless(f'{state.info.id}: {where}{state.wave_name}')}[/]")
    is_narrow = OUT.width < _LEAST_FOR_WHY
    table = Table()
    for heading in ("VM", "Stands", "Steps", "Away") if is_narrow else _HEADINGS:
        folds = heading == "Why" or (heading == "VM" and is_narrow)
        table.add_column(heading, no_wrap=not folds, overflow="fold" if folds else "ellipsis")
    whys = []
    for unit in state.units:
        colour = PHASE_COLOURS.get(unit.phase, "default")
        away = _minutes(unit.downtime_seconds) if unit.downtime_seconds is not None else "-"
        why = harmless(unit.reason or unit.note or (unit.doing if unit.done or unit.since else ""))
        cells = (harmless(unit.name), f"[{colour}]{unit.phase}[/]", f"{unit.done}/{unit.total}", away)
        table.add_row(*cells if is_narrow else (str(unit.batch), *cells, why))
        whys += [f"{harmless(unit.name)}: {why}"] if is_narrow and why else []
    OUT.print(table)
    for line in whys:
        say(line)
    say(_tally(state))
    if state.held:
        say(f"[yellow]Held:[/] {harmless(state.held)}")


def _tally(state: RunState) -> str:
    counts = [(phase, state.count(phase)) for phase in Phase]
    return ", ".join(f"{number} {phase}" for phase, number in counts if number) or "no VM has work in it"


def advise(states: Sequence[RunState], commands: Sequence[tuple[str, str]] = ()) -> None:
    """Say which VMs somebody has to look at, and what to do now: commands, and what each is for."""
    for phase, advice in _ADVICE.items():
        names = [unit.name for state in states for unit in state.units if unit.phase is phase]
        if names:
            colour = PHASE_COLOURS.get(phase, "default")
            say(f"[{colour}]{phase}[/]: {harmless(_listed(names))}: {advice}")
    taken = [unit.name for state in states for unit in state.units if unit.runs_as]
    if taken:
        say(f"[yellow]another size[/]: {harmless(_listed(taken))}: {_ANOTHER_SIZE}")
    for command, why in commands:
        say(f"[bold]Next:[/] {harmless(command)}")
        say(f"      [dim]{harmless(why)}[/]")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


_NAMES = 10
_ANOTHER_SIZE = "Azure had no room for its own; it keeps what it has until somebody gives its own back."
_ADVICE = {
    Phase.STRANDED: "look at it now; the tags of its full snapshots hold its state from before.",
    Phase.UNDECIDED: "changed and started, and its health could not be told; look at it and decide.",
    Phase.BLOCKED: "what comes before the outage failed, and nothing was stopped; mend the cause and retry.",
    Phase.DECLINED: "not started: it is not what was planned, or may not be worked on now.",
    Phase.ROLLED_BACK: "it runs as before; look at the reason before the next attempt.",
    Phase.DONE_UNPROVEN_BOOT: "it was off and was left off; its next boot proves the change.",
}


def is_screen() -> bool:
    """Tell whether the output is a terminal that can be drawn on."""
    return OUT.is_terminal and not OUT.is_dumb_terminal


def print_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(json.loads(encode(document)), indent=2))


def confirmed(question: str, *, yes: bool) -> None:
    """Ask, unless somebody said yes beforehand; where nobody can be asked, that is needed.

    Raises:
        UsageError: Nobody can be asked.
        click.Abort: The answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("There is nobody to ask here.", remedy="Say yes beforehand: --yes")
    click.confirm(question, abort=True)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """Show how far long work has come, for as long as it takes and where somebody looks on.

    Drawn when there is news and by no thread of its own: the work may fork.
    """
    if not _ERR.is_terminal:
        yield lambda _what, _done, _of: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            return f"{task.speed:,.0f}/s" if task.speed else ""

    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        *(Rate(), TimeElapsedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=_ERR, transient=True, auto_refresh=False) as bar:
        tasks: dict[str, TaskID] = {}

        def tick(what: str, done: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done, total=of, refresh=True)

        yield tick
