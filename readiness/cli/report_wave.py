"""`readiness report wave`: what became of a wave, after its maintenance window or while it goes on."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from readiness.cli.console import harmless, say
from readiness.cli.options import state_option
from readiness.cli.report_files import tell_files
from readiness.errors import Exit

if TYPE_CHECKING:
    from readiness.model.wave_report import WaveReport


@click.command("wave")
@click.argument("source", metavar="PLAN|RUN")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write the report to.",
)
@click.option(
    "--wave",
    "number",
    type=click.IntRange(1),
    help="Number of the wave (default: the only one of the plan that has runs).",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["json", "csv", "md", "xlsx", "html"]),
    multiple=True,
    help="Only this form of it (default: all). Repeatable.",
)
@state_option
def wave(source: str, to: Path, number: int | None, formats: tuple[str, ...], state: Path) -> int:
    """Report what became of a wave: outcomes, outages against the plan, evidence, approvals, what is left.

    Its preparation, outage and closure are put together, as far as they exist, from the journals in the state
    folder alone: nothing is asked of Azure, and a wave that is under way is said to be unfinished. The heads
    of the audit chains stand in every form. The same journals give the same bytes.

    \b
    Examples:
      readiness report wave out/june --wave 3 --to out/june/wave-3
      readiness report wave 4df7c46b4924-wave-3 --to out/june/wave-3 --format xlsx --format html
    """
    from readiness.app.report_files import FORMATS
    from readiness.app.wave_report import wave_report, write

    made = wave_report(source, number, state)
    tell_files(write(made, to, formats or FORMATS))
    _show(made)
    return Exit.DONE


def _show(made: "WaveReport") -> None:
    name = f"Wave {made.wave} of {harmless(made.estate)}"
    say(f"[bold]{name}[/], told until {made.as_of:%Y-%m-%d %H:%M} UTC; durations are {made.durations}")
    say(", ".join(f"{count} {end.value}" for end, count in made.counts.items() if count))
    if made.is_unfinished:
        say("[bold yellow]Unfinished[/]: a stage is under way or stopped, or its outage has not begun")
    for one in made.stages:
        broken = "" if one.broken_at is None else " [bold red](the chain does not hold)[/]"
        say(f"Head of the audit chain, {one.stage.value}: {one.audit_head}{broken}")
    for todo in made.left:
        say(f"Left to do, {todo.urgency}: {harmless(': '.join(filter(None, (todo.what, todo.vm))))}")
