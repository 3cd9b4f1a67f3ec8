"""`readiness plan`: waves for an estate."""

from datetime import date
from pathlib import Path

import click

from readiness.cli.console import say, show_plan
from readiness.cli.options import as_of_option
from readiness.errors import Exit


@click.group()
def plan() -> None:
    """Plan waves that fit dependencies and maintenance windows."""


@plan.command()
@click.argument("estate")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for plan.json and wave-plan.xlsx (default: ./out/<estate>).",
)
@as_of_option
def create(estate: str, to: Path | None, as_of: date) -> int:
    """Plan waves for ESTATE and write plan.json and wave-plan.xlsx.

    Every VM of the estate is in a wave or left out, each with a reason. The calendar starts on the day
    after --as-of. Nothing is changed in Azure.

    \b
    Examples:
      readiness plan create starter --to out/starter
      readiness plan create ./estate --to ./out/june --as-of 2027-05-28
    """
    from readiness.app.estates import locate
    from readiness.app.plan import create_plan

    folder = locate(estate)
    written = create_plan(folder, to or Path("out") / folder.name, as_of)
    show_plan(written.plan)
    say(f"Written: {written.plan_file}")
    say(f"Written: {written.workbook}")
    return Exit.DONE
