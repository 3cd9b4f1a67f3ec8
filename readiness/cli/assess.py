"""`readiness assess`: classify every VM of an estate."""

from datetime import date
from pathlib import Path

import click

from readiness.cli.console import progress, show_assessment, show_scope
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
    "--scope",
    multiple=True,
    metavar="KEY:VALUE",
    help="Only these VMs: subscription:ID|NAME, group:NAME, tag:NAME=VALUE, app:NAME or name:PATTERN. "
    "Repeat it: the same key is an alternative, different keys have to hold together.",
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="[DIMENSION:]CLASS",
    help="End with exit code 1 if any VM in scope is that, such as blocked, unknown or cmk:blocked. "
    "Repeatable.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the answer is written to standard output.",
)
def assess(
    estate: str, to: Path | None, as_of: date, scope: tuple[str, ...], fail_on: tuple[str, ...], output: str
) -> int:
    """Classify every VM of ESTATE in four dimensions, with reasons and evidence.

    ESTATE is an estate folder, or the name of a sample estate. Ends with exit code 10 if the VMs that
    were found are not all accounted for.

    \b
    Examples:
      readiness assess starter
      readiness assess ./estate --to out/june
      readiness assess ./estate --scope tag:env=test --scope 'name:web-*' --fail-on cmk:blocked
      readiness assess ./estate --output json | jq .coverage
    """
    from readiness.app.assess import as_csv, as_json, assess_scope, write
    from readiness.app.assess import assess as classify
    from readiness.app.estates import locate
    from readiness.model.scope import failures, parse_fail_on, parse_scope

    unwanted = parse_fail_on(fail_on)
    with progress() as tick:
        narrowed = assess_scope(locate(estate), as_of, parse_scope(scope), tick) if scope else None
        assessment = narrowed.assessment if narrowed else classify(locate(estate), as_of, tick)
    report = narrowed.scope if narrowed else None
    match output:
        case "json":
            for piece in as_json(assessment, report):
                click.echo(piece, nl=False)
        case "csv":
            click.echo(as_csv(assessment), nl=False)
        case _:
            show_assessment(assessment)
            if report is not None:
                show_scope(report)
    if to is not None:
        for path in write(assessment, to, report):
            click.echo(f"Written: {path}", err=True)
    if not all(coverage.adds_up for coverage in assessment.coverage):
        return Exit.COVERAGE
    failed = failures(assessment, unwanted)
    if failed:
        click.echo(f"{failed} VMs in scope are {' or '.join(fail_on)}.", err=True)
    return Exit.FINDINGS if failed else Exit.DONE
