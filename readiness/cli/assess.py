"""`readiness assess`: classify every VM of an estate."""

from datetime import date
from pathlib import Path

import click

from readiness.cli.console import progress, show_assessment, show_scope
from readiness.cli.options import as_of_option, state_option
from readiness.errors import Exit, UsageError
from readiness.model.assessment import Assessment
from readiness.model.scope import ScopeReport


@click.command()
@click.argument("estate")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write assessment.json to as well.",
)
@click.option(
    "--workbook",
    is_flag=True,
    help="Write findings.xlsx, one row a VM, and findings.csv, one line a finding, beside it.",
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
@click.option("--no-history", is_flag=True, help="Record no snapshot of it in the state folder.")
@click.option(
    "--record-as",
    metavar="NAME",
    help="The name its history goes by, so that estates collected into other folders continue it "
    "(default: the name of the estate).",
)
@state_option
def assess(
    estate: str,
    to: Path | None,
    workbook: bool,
    as_of: date,
    scope: tuple[str, ...],
    fail_on: tuple[str, ...],
    output: str,
    no_history: bool,
    record_as: str | None,
    state: Path,
) -> int:
    """Classify every VM of ESTATE in four dimensions, with reasons and evidence.

    ESTATE is an estate folder, or the name of a sample estate. Ends with exit code 10 if the VMs that
    were found are not all accounted for. The answer for a whole estate is also recorded in the state
    folder, for 'readiness report'; one that --scope narrows is not.

    \b
    Examples:
      readiness assess starter
      readiness assess ./estate --to out/june --workbook
      readiness assess ./estate --scope tag:env=test --scope 'name:web-*' --fail-on cmk:blocked
      readiness assess ./estate --output json | jq .coverage
      readiness assess ./collected-june --record-as production
    """
    from readiness.app.assess import as_csv, as_json, assess_scope
    from readiness.app.assess import assess as classify
    from readiness.app.estates import locate
    from readiness.app.history import record_assessment
    from readiness.model.scope import failures, parse_fail_on, parse_scope

    if workbook and to is None:
        raise UsageError("--workbook has no folder to write to.", remedy="Add --to FOLDER.")
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
        _write(assessment, to, report, workbook=workbook)
    if narrowed is None and not no_history:
        record_assessment(state, assessment, record_as)
    if not all(coverage.adds_up for coverage in assessment.coverage):
        return Exit.COVERAGE
    failed = failures(assessment, unwanted)
    if failed:
        click.echo(f"{failed} VMs in scope are {' or '.join(fail_on)}.", err=True)
    return Exit.FINDINGS if failed else Exit.DONE


def _write(assessment: Assessment, to: Path, scope: ScopeReport | None, *, workbook: bool) -> None:
    from readiness.app.assess import write, write_findings

    written = [write(assessment, to, scope)]
    if workbook:
        written += write_findings(assessment, to, scope)
    for path in written:
        click.echo(f"Written: {path}", err=True)
