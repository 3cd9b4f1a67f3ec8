"""`readiness assess`: classify every VM of an estate."""

from datetime import date
from pathlib import Path

import click

from readiness.cli.console import show_assessment
from readiness.cli.options import as_of_option
from readiness.errors import Exit


@click.command()
@click.argument("estate")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write assessment.json and assessment.xlsx to as well.",
)
@as_of_option
@click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the answer is written to standard output.",
)
def assess(estate: str, to: Path | None, as_of: date, output: str) -> int:
    """Classify every VM of ESTATE in four dimensions, with reasons and evidence.

    ESTATE is an estate folder, or the name of a sample estate. Ends with exit code 10 if the VMs that
    were found are not all accounted for.

    \b
    Examples:
      readiness assess starter
      readiness assess ./estate --to out/june
      readiness assess ./estate --output json | jq .coverage
    """
    from readiness.app.assess import as_csv, as_json, write
    from readiness.app.assess import assess as classify
    from readiness.app.estates import locate

    assessment = classify(locate(estate), as_of)
    match output:
        case "json":
            click.echo(as_json(assessment), nl=False)
        case "csv":
            click.echo(as_csv(assessment), nl=False)
        case _:
            show_assessment(assessment)
    if to is not None:
        for path in write(assessment, to):
            click.echo(f"Written: {path}", err=True)
    complete = all(coverage.adds_up for coverage in assessment.coverage)
    return Exit.DONE if complete else Exit.COVERAGE
