"""`readiness report runbook`: a wave on paper."""

from pathlib import Path

import click

from readiness.cli.console import harmless, say
from readiness.errors import Exit


def register(group: click.Group) -> None:
    """Add the command to a group."""
    group.add_command(runbook)


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--wave", type=click.IntRange(1), required=True, help="Number of the wave.")
@click.option("--format", "form", type=click.Choice(["html", "md"]), default="html", show_default=True)
@click.option("--estate", help="Estate the plan was made of (default: the sample estate the plan names).")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the runbook and the scripts it runs in guests.",
)
def runbook(plan: Path, wave: int, form: str, estate: str | None, to: Path) -> int:
    """Write the runbook of a wave of PLAN: what an operator does by hand if this program is gone.

    For each VM in batch order: checks, the exact commands of the Azure CLI, what has to be seen, the way
    back, and boxes to sign. Print it, and keep it with its scripts, before the window. Nothing is changed.

    \b
    Examples:
      readiness report runbook out/starter --wave 1 --to out/paper
      readiness report runbook out/june --wave 3 --estate ./estate --format md --to out/paper
    """
    from readiness.app.runbook import Form, write_runbook

    written = write_runbook(plan, wave, to, Form(form), estate)
    for file in (written.runbook, *written.scripts):
        say(f"Written: {harmless(str(file))}")
    return Exit.DONE
