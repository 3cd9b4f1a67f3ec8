"""`readiness exceptions`: the register of what is permitted, until when and by whom."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from readiness.cli.console import OUT, harmless, progress, say
from readiness.cli.options import as_of_option
from readiness.errors import Exit

if TYPE_CHECKING:
    from readiness.app.exception_exports import ExportReport
    from readiness.app.exception_imports import ImportReport
    from readiness.app.exceptions import CheckReport, Problem, Register, Registered

_SHOWN = 4
_COLOURS = {"in force": "green", "ends soon": "yellow", "expired": "red"}

_output: Callable[[Any], Any] = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the answer is written to standard output.",
)


@click.group()
def exceptions() -> None:
    """Look after what an estate's context permits: who answers for it, and until when.

    \b
    Examples:
      readiness exceptions list bank
      readiness exceptions check ./estate
      readiness exceptions expiring ./estate --within 60
    """


@exceptions.command("list")
@click.argument("estate")
@as_of_option
@_output
def list_all(estate: str, as_of: date, output: str) -> None:
    """List every exception of ESTATE, the next one to end first.

    Each with its place in context.yaml, the VMs it names, the rules and controls it lets pass today, days
    left, and who approved it. --output json has all VMs and rules.

    \b
    Example:
      readiness exceptions list bank
    """
    from readiness.app.estates import locate
    from readiness.app.exceptions import register

    with progress() as tick:
        found = register(locate(estate), as_of, tick)
    _print_json(found) if output == "json" else _show_register(found, "has no exceptions")


@exceptions.command()
@click.argument("estate")
@click.option("--within", type=int, default=30, show_default=True, metavar="DAYS", help="Days from --as-of.")
@as_of_option
@_output
def expiring(estate: str, within: int, as_of: date, output: str) -> int:
    """List the exceptions of ESTATE that have expired, or will within DAYS.

    Ends with exit code 1 if there are any.

    \b
    Example:
      readiness exceptions expiring bank --within 60
    """
    from readiness.app.estates import locate
    from readiness.app.exceptions import expiring as ending
    from readiness.app.exceptions import register

    with progress() as tick:
        found = ending(register(locate(estate), as_of, tick), within)
    none = f"has no exception that ends within {within} days"
    _print_json(found) if output == "json" else _show_register(found, none)
    return Exit.FINDINGS if found.exceptions else Exit.DONE


@exceptions.command()
@click.argument("estate")
@click.option(
    "--longest",
    type=int,
    default=180,
    show_default=True,
    metavar="DAYS",
    help="How long an exception may still run.",
)
@as_of_option
@_output
def check(estate: str, longest: int, as_of: date, output: str) -> int:
    """Refuse the exceptions of ESTATE that are incomplete, expired or too long.

    Every mistake is told, with file, line and remedy, also where the context cannot be read for it. An
    exception needs an id, an owner, a reason, somebody who approved it, an end within 180 days and a
    compensating control. Ends with exit code 1 if one is refused.

    \b
    Example:
      readiness exceptions check bank
    """
    from readiness.app.estates import locate
    from readiness.app.exceptions import check as look

    with progress() as tick:
        found = look(locate(estate), as_of, longest, tick)
    _print_json(found) if output == "json" else _show_check(found)
    return Exit.FINDINGS if found.faults else Exit.DONE


@exceptions.command()
@click.argument("estate")
@click.option(
    "--to", type=click.Path(path_type=Path), required=True, help="New folder for the files to deploy."
)
@click.option(
    "--waivers", is_flag=True, help="Also those without a compensating control: as waivers, not as mitigated."
)
@as_of_option
@_output
def export(estate: str, to: Path, waivers: bool, as_of: date, output: str) -> None:
    """Write the exceptions of ESTATE as Azure Policy exemptions: ARM JSON and Bicep.

    Deploys nothing. An exemption is written where a policy that asks what is permitted is assigned in the
    estate; everything else is told, with the reason. Refused exceptions are left out.

    \b
    Example:
      readiness exceptions export ./estate --to out/exemptions
    """
    from readiness.app.estates import locate
    from readiness.app.exception_exports import export as write

    with progress() as tick:
        found = write(locate(estate), to, as_of, waivers=waivers, tick=tick)
    _print_json(found) if output == "json" else _show_export(found, to)


@exceptions.command("import")
@click.argument("estate")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to put the proposals into: a new one, or a context.yaml, which is kept as .previous.",
)
@as_of_option
@_output
def import_all(estate: str, to: Path | None, as_of: date, output: str) -> None:
    """Propose exceptions from the policy exemptions that were collected with ESTATE.

    Prints YAML to paste into context.yaml: complete proposals as entries, the others as comments that say
    what is missing. Nothing is written without --to.

    \b
    Examples:
      readiness exceptions import bank
      readiness exceptions import ./estate --to ./estate/context.yaml
    """
    from readiness.app.estates import locate
    from readiness.app.exception_imports import import_exemptions

    with progress() as tick:
        found = import_exemptions(locate(estate), as_of, to, tick)
    _print_json(found) if output == "json" else _show_import(found, to)


def _print_json(found: object) -> None:
    from readiness.model.codec import encode_pretty

    click.echo(encode_pretty(found).decode(), nl=False)


def _show_register(found: "Register", none: str) -> None:
    if not found.exceptions:
        say(f"{harmless(found.estate)} {none}.")
        return
    title = f"Exceptions of {harmless(found.estate)} as of {found.as_of}"
    table = Table(title=title, title_justify="left")
    for heading in ("Exception", "State", "Ends", "Covers", "VMs", "Permits today", "Owner, approved by"):
        table.add_column(heading, no_wrap=heading in ("Exception", "State"))
    for one in found.exceptions:
        table.add_row(
            f"{harmless(one.id)}\n[dim]{one.place}[/]",
            f"[{_COLOURS[one.state]}]{one.state}[/]",
            f"{one.expires}\n[dim]{_days(one.days_left)}[/]",
            harmless(one.covers),
            _vms(one),
            _few(one.permits) or "[dim]nothing[/]",
            f"{harmless(one.owner)}\n[dim]{harmless(one.approved_by)}[/]",
        )
    OUT.print(table)
    refused = [one.id for one in found.exceptions if one.faults]
    if refused:
        say(f"[yellow]Refused[/]: {_few(refused)}. Why: readiness exceptions check")


def _vms(one: "Registered") -> str:
    names = _few([vm.name for vm in one.vms])
    whole = [f"subscription {key}" for key in one.subscriptions]
    return "\n".join(part for part in (names, _few(whole)) if part) or "[yellow]none[/]"


def _few(names: "list[str] | tuple[str, ...]") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return harmless(", ".join(names[:_SHOWN])) + more


def _days(left: int) -> str:
    if left < 0:
        return f"{-left} days ago"
    return "today" if left == 0 else f"{left} days left"


def _show_check(found: "CheckReport") -> None:
    for one in found.faults:
        _show_problem("[red]Refused[/]", one)
    for one in found.notes:
        _show_problem("[yellow]Look at[/]", one)
    if not found.is_covered:
        say("[yellow]The VMs were not looked at[/]: the context cannot be read until the above is mended.")
    good = found.entries - found.refused
    say(f"{found.entries} exceptions of {harmless(found.estate)}: {good} in order, {found.refused} refused")


def _show_problem(mark: str, one: "Problem") -> None:
    name = f"{harmless(one.exception)}: " if one.exception else ""
    say(f"{mark} {harmless(one.place)}: {name}{harmless(one.detail)} [dim]({one.reason})[/]")
    say(f"  Remedy: {harmless(one.remedy)}")


def _show_export(found: "ExportReport", to: Path) -> None:
    if found.exemptions:
        table = Table(title=f"Policy exemptions of {harmless(found.estate)}", title_justify="left")
        for heading in ("Exception", "Category", "Expires", "Assignment", "Scope"):
            table.add_column(heading)
        for one in found.exemptions:
            scope = one.scope.rpartition("/")[2]
            assignment = one.assignment.rpartition("/")[2]
            table.add_row(
                harmless(one.exception), one.category, str(one.expires), harmless(assignment), harmless(scope)
            )
        OUT.print(table)
    for left in found.left_out:
        name, what = harmless(left.exception), harmless(left.what)
        say(f"[yellow]Not exported[/] {name}, {what}: {harmless(left.detail)} [dim]({left.reason})[/]")
        say(f"  Remedy: {harmless(left.remedy)}")
    say(f"{len(found.exemptions)} exemptions in {len(found.files)} files; {len(found.left_out)} left out")
    if found.commands:
        say("Review them, then deploy:")
        for command in found.commands:
            say(f"  {harmless(command)}")
        for file in found.files:
            click.echo(f"Written: {to / file}", err=True)


def _show_import(found: "ImportReport", to: Path | None) -> None:
    if to is None:
        click.echo(found.text, nl=False)
    complete = sum(not one.faults for one in found.proposals)
    click.echo(
        f"{found.exemptions} policy exemptions: {complete} complete proposals, "
        f"{len(found.proposals) - complete} incomplete, {len(found.known)} known already",
        err=True,
    )
    if found.written:
        for one in found.proposals:
            for fault in one.faults:
                click.echo(f"Not complete: {_line(one.exemption)}: {_line(fault)}", err=True)
        click.echo(f"Written: {found.written}", err=True)
    elif to is not None:
        click.echo("No proposal is complete: nothing was written.", err=True)


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
