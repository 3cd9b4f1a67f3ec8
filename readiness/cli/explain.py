"""`readiness explain`: one VM on one screen."""

from datetime import date
from itertools import zip_longest
from typing import TYPE_CHECKING

import click
from rich.table import Table

from readiness.cli.console import COLOURS, OUT, TITLES, harmless, say
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
    does not meet; which exceptions name it, and until when; what else people decided for it. On the screen
    what holds is said in a few words; --output json has all of it.

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
    OUT.print(_card(found.card))
    if found.excluded:
        say(f"[bold]Not classified[/]: {harmless(found.excluded)}")
    _show_decided(found)
    for dimension, view in found.dimensions.items():
        _show_dimension(dimension, view, found.card["Id"])
    if found.level is not None:
        say(f"\n[bold]Level[/]: {found.level.raw}, with exceptions {found.level.with_exceptions}")
    for verdict in _OPEN:
        entries = [entry for entry in found.controls if entry.control.verdict == verdict]
        if entries:
            told = ", ".join(f"{entry.control.id} {entry.title}" for entry in entries)
            _paragraph(_MARKS[verdict], harmless(told))
    for warning in found.warnings:
        say(f"[yellow]context.yaml[/]: {harmless(warning)}")


def _card(card: dict[str, str]) -> Table:
    """Lay out what the VM is in two columns; what is long has a line of its own."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for style in ("dim", "", "dim", ""):
        table.add_column(style=style, overflow="fold", no_wrap=style == "dim")
    say(f"[bold]{harmless(card['Id'].rpartition('/')[2])}[/]  [dim]{harmless(card['Id'])}[/]")
    rest = [(label, harmless(value)) for label, value in card.items() if label != "Id"]
    half = (len(rest) + 1) // 2
    for left, right in zip_longest(rest[:half], rest[half:], fillvalue=("", "")):
        table.add_row(*left, *right)
    return table


def _show_decided(found: "Explanation") -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, lines in found.decided.items():
        table.add_row(label, harmless("\n".join(lines)))
    for entry in found.exceptions:
        until = f"[red]expired on {entry.expires}[/]" if entry.is_expired else f"until {entry.expires}"
        control = entry.compensating_control or "[yellow]no compensating control is named[/]"
        shown = harmless(control) if entry.compensating_control else control
        table.add_row(
            "Exception",
            f"[magenta]{harmless(entry.id)}[/] from {harmless(entry.covers)}, {until}: "
            f"{harmless(entry.reason)} Owner: {harmless(entry.owner)}; approved by "
            f"{harmless(entry.approved_by)}; meanwhile: {shown}",
        )
    OUT.print(table)


def _show_dimension(dimension: "Dimension", view: "DimensionView", vm: str) -> None:
    standing = view.classification
    told = f"[{COLOURS[standing]}]{standing}[/]" if standing else "[dim]not classified[/]"
    say(f"\n[bold]{TITLES[dimension]}[/]: {told}")
    for position, step in enumerate(view.to_be_ready):
        _paragraph("To be ready:" if position == 0 else "", harmless(step))
    for status in _OPEN:
        for answer in view.answers:
            if answer.status == status:
                _paragraph(_MARKS[status], _open_words(answer, vm, view.to_be_ready))
    for status in ("met", "not-applicable"):
        held = [_held_words(answer, vm) for answer in view.answers if answer.status == status]
        if held:
            _paragraph(_MARKS[status], "; ".join(held))
    unasked: dict[str, list[str]] = {}
    for answer in view.answers:
        if answer.status == "not-asked":
            unasked.setdefault(answer.detail, []).append(answer.rule)
    for because, rules in unasked.items():
        _paragraph(_MARKS["not-asked"], f"[dim]{harmless(', '.join(rules))}: {harmless(because)}[/]")


def _paragraph(label: str, words: str) -> None:
    """Print words beside a label, wrapped within their own column."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True, width=_LABEL)
    table.add_column(overflow="fold")
    table.add_row(label, words)
    OUT.print(table)


def _open_words(answer: "Answer", vm: str, said: tuple[str, ...]) -> str:
    # What stands under "To be ready" is not said again.
    is_told = f"{answer.rule}: find out: {answer.detail}" in said
    detail = f": {answer.detail}" if answer.detail and not is_told else ""
    lines = [f"[bold]{answer.rule}[/] {harmless(f'{answer.title} ({answer.reason}{detail})')}"]
    if answer.evidence:
        lines.append(
            f"[dim]Read: {harmless('; '.join(_evidence(entry, vm) for entry in answer.evidence))}[/]"
        )
    if f"{answer.rule}: {answer.remedy}" not in said:
        lines.append(f"{'Remedy' if answer.status == 'unmet' else 'If not'}: {harmless(answer.remedy)}")
    lines.append(f"[dim]Source: {harmless(answer.source.address)}[/]")
    if answer.exception:
        lines.append(f"[magenta]permitted by {harmless(answer.exception)}[/]")
    return "\n".join(lines)


def _held_words(answer: "Answer", vm: str) -> str:
    """Say in a few words what holds and where that was read; titles and sources are in --output json."""
    told = "; ".join(_evidence(entry, vm, parts=_FEW) for entry in answer.evidence[:_FEW])
    more = f" and {len(answer.evidence) - _FEW} more" if len(answer.evidence) > _FEW else ""
    return f"[bold]{answer.rule}[/] {harmless(answer.reason)}" + (
        f" [dim]({harmless(told)}{more})[/]" if told else ""
    )


def _evidence(entry: "Evidence", vm: str, parts: int = 0) -> str:
    """Say where a fact was read, by the last parts of the path; the whole of it is in --output json."""
    path = ".".join(entry.path.removeprefix("properties.").split(".")[-parts:])
    where = "" if entry.resource.text.lower() == vm.lower() else f" of {entry.resource.name}"
    value = "not set" if entry.value is None else str(entry.value)
    shown = value.rpartition("/")[2] if value.startswith("/subscriptions/") else value
    return f"{path} = {shown}{where}"


_LABEL = 14
_FEW = 2
