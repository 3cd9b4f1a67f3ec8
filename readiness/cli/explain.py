"""`readiness explain`: one VM on one screen."""

from datetime import date
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from readiness.cli.console import COLOURS, OUT, TITLES, say
from readiness.cli.options import as_of_option

if TYPE_CHECKING:
    from readiness.app.explaining import Answer, DimensionView, Explanation
    from readiness.model.verdict import Dimension, Evidence

_MARKS = {
    "met": "[green]met[/]",
    "unmet": "[red]unmet[/]",
    "unknown": "[bold yellow]unknown[/]",
    "not-applicable": "[dim]not applicable[/]",
    "not-asked": "[dim]not asked[/]",
}
_OPEN = ("unmet", "unknown")


@click.command("explain")
@click.argument("estate")
@click.argument("vm")
@as_of_option
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the answer is written to standard output.",
)
def explain_vm(estate: str, vm: str, as_of: date, output: str) -> None:
    """Say everything that is known of one VM of ESTATE, by its name or full resource id.

    Every rule with its answer, evidence, remedy and source; what would make the VM ready; the controls it
    does not meet; which exceptions name it, and until when.

    \b
    Examples:
      readiness explain starter sf-web-01
      readiness explain ./estate web-01 --output json | jq .dimensions.cmk
    """
    from readiness.app.estates import locate
    from readiness.app.explaining import explain

    found = explain(locate(estate), vm, as_of)
    if output == "json":
        from readiness.model.codec import encode_pretty

        click.echo(encode_pretty(found).decode(), nl=False)
    else:
        _show(found)


def _show(found: "Explanation") -> None:
    card = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    card.add_column(style="dim", no_wrap=True)
    card.add_column(overflow="fold")
    for label, value in found.card.items():
        card.add_row(label, escape(value))
    OUT.print(card)
    if found.excluded:
        say(f"[bold]Not classified[/]: {escape(found.excluded)}")
    for dimension, view in found.dimensions.items():
        _show_dimension(dimension, view, found.card["Id"])
    if found.level is not None:
        say(f"\n[bold]Level[/]: {found.level.raw}, with exceptions {found.level.with_exceptions}")
    for entry in found.controls:
        words = f"{entry.control.id} {entry.title}: {entry.control.verdict} ({entry.control.reason})"
        say(f"  {escape(words)} [dim]{escape(entry.remedy)} ({entry.control.whose})[/]")
    for exception in found.exceptions:
        until = f"expired on {exception.expires}" if exception.is_expired else f"until {exception.expires}"
        say(
            f"[magenta]Exception {escape(exception.id)}[/] from {escape(exception.covers)} {until}: "
            f"{escape(exception.reason)} Owner: {escape(exception.owner)}. "
            f"Approved by: {escape(exception.approved_by)}."
        )


def _show_dimension(dimension: "Dimension", view: "DimensionView", vm: str) -> None:
    standing = view.classification
    told = f"[{COLOURS[standing]}]{standing}[/]" if standing else "[dim]not classified[/]"
    say(f"\n[bold]{TITLES[dimension]}[/]: {told}")
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for answer in view.answers:
        table.add_row(answer.rule, _MARKS[answer.status], _words(answer, vm))
    OUT.print(table)
    for position, step in enumerate(view.to_be_ready):
        say(f"  {'To be ready:' if position == 0 else '            '} {escape(step)}")


def _words(answer: "Answer", vm: str) -> str:
    detail = f": {answer.detail}" if answer.detail else ""
    evidence = [_evidence(entry, vm) for entry in answer.evidence]
    lines = [escape(f"{answer.title} ({answer.reason}{detail})")]
    if answer.status in _OPEN:
        lines += [f"[dim]{escape(entry)}[/]" for entry in evidence]
        lines.append(escape(f"Remedy: {answer.remedy}"))
    elif evidence:
        lines[0] += f" [dim]{escape('; '.join(evidence))}[/]"
    if answer.status in _OPEN:
        lines.append(f"[dim]{escape(f'Source: {answer.source.title}, {answer.source.address}')}[/]")
    if answer.exception:
        lines.append(f"[magenta]permitted by {escape(answer.exception)}[/]")
    return "\n".join(lines)


def _evidence(entry: "Evidence", vm: str) -> str:
    """Say where a fact was read; the whole ids are in --output json."""
    path = entry.path.removeprefix("properties.")
    where = "" if entry.resource.text.lower() == vm.lower() else f" of {entry.resource.name}"
    value = "not set" if entry.value is None else entry.value
    return f"{path} = {value}{where}"
