"""`readiness plan`: waves for an estate."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from readiness.cli.console import OUT, harmless, say, show_plan
from readiness.cli.options import as_of_option
from readiness.cli.plan_workbook import register
from readiness.errors import Exit, UsageError

if TYPE_CHECKING:
    from readiness.model.plan import Plan

_TIME_LIMIT = 60.0
"""Seconds of work of a solver, unless told otherwise."""


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
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Limits, pilots, rings, windows and pins (write a first one: readiness plan policy --init).",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    help="An earlier plan: what it placed keeps its wave, batch and window wherever that still holds.",
)
@click.option(
    "--optimal",
    is_flag=True,
    help="Look for the fewest waves with OR-tools, and prove that there are no fewer "
    "(pip install 'readiness[optimal]').",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="With --optimal: how long to look and to prove, in seconds of work that is counted and not timed, "
    "so that the plan is the same everywhere (default: 60).",
)
@click.option(
    "--author",
    help="Who plans, recorded in a plan for Azure itself: somebody else has to approve it (default: your "
    "login name).",
)
@as_of_option
def create(
    estate: str,
    to: Path | None,
    policy_file: Path | None,
    previous: Path | None,
    optimal: bool,
    time_limit: float | None,
    author: str | None,
    as_of: date,
) -> int:
    """Plan waves for ESTATE and write plan.json and wave-plan.xlsx.

    Every VM of the estate is in a wave or left out, each with a reason. The calendar starts on the day
    after --as-of. Nothing is changed in Azure.

    \b
    Examples:
      readiness plan create starter --to out/starter
      readiness plan create ./estate --to ./out/june --as-of 2027-05-28
      readiness plan create ./estate --policy policy.yaml --previous ./out/may
      readiness plan create ./estate --optimal --time-limit 300
    """
    if time_limit is not None and not optimal:
        raise UsageError("--time-limit is for --optimal alone.", remedy="Add --optimal, or leave it out.")
    from readiness.app.estates import locate
    from readiness.app.people import local_user
    from readiness.app.plan import create_plan

    folder = locate(estate)
    effort = (time_limit or _TIME_LIMIT) if optimal else None
    to = to or Path("out") / folder.name
    who = author or local_user()
    written = create_plan(folder, to, as_of, policy_file, previous, effort=effort, author=who)
    show_plan(written.plan)
    show_quality(written.plan)
    say(f"Written: {written.plan_file}")
    say(f"Written: {written.workbook}")
    return Exit.DONE


@plan.command("policy")
@click.option(
    "--init",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value=Path("policy.yaml"),
    required=True,
    help="Write a commented policy of defaults to this file (default: policy.yaml).",
)
def policy_command(file: Path) -> int:
    """Write a first policy.yaml, with what each line means."""
    from readiness.app.plan import write_policy

    say(f"Written: {harmless(str(write_policy(file)))}")
    return Exit.DONE


@plan.command("diff")
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of it."
)
def diff_command(before: Path, after: Path, output: str) -> int:
    """Show what moved from plan A to plan B, and why."""
    from readiness.app.plan import compare_plans

    changes = compare_plans(before, after)
    if output == "json":
        from readiness.model.codec import encode_pretty

        click.echo(encode_pretty(changes).decode(), nl=False)
        return Exit.DONE
    table = Table(title_justify="left")
    for title in ("VM", "What", "Before", "After", "Why"):
        table.add_column(title)
    for change in changes:
        cells = (change.name, change.kind, change.before, change.after, change.why)
        table.add_row(*(harmless(cell) for cell in cells))
    if changes:
        OUT.print(table)
    say(f"{len(changes)} changes")
    return Exit.DONE


def show_quality(made: "Plan") -> None:
    """Print how good a plan is, and what it could not do."""
    proof = "proven to be the fewest" if made.proven else "not proven to be the fewest"
    parts = made.bound
    say(
        f"Ratio {made.ratio:.3f}, {proof} (capacity {parts.capacity}, critical path {parts.critical_path}, "
        f"conflicts {parts.conflicts})"
    )
    if made.solver == "cp-sat":
        gap = len(made.waves) - made.lower_bound
        share = 100 * gap / len(made.waves) if made.waves else 0
        say(f"CP-SAT: {'proven optimum' if made.proven else f'not proven, gap {gap} waves ({share:.0f} %)'}")
    for answer in made.pins:
        if not answer.honoured:
            say(f"Refused: {harmless(answer.vm.name)}, {harmless(answer.wish)}: {harmless(answer.reason)}")
    for warning in made.warnings:
        say(harmless(warning))
    if made.unproven:
        say(f"No pilot proves {len(made.unproven)} strata, {harmless(made.unproven[0])} among them")


register(plan)
