"""`readiness plan import`, `split` and `graph`: workbooks back in, one workbook per owner, a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from readiness.cli.console import harmless, say
from readiness.errors import Exit

if TYPE_CHECKING:
    from readiness.app.plan_workbooks import Preview, Told

_SHOWN = 200
_PLAN = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))


def register(group: click.Group) -> None:
    """Add the commands to `readiness plan`."""
    for command in (import_workbooks, split, graph):
        group.add_command(command)


@click.command("import")
@_PLAN
@click.argument("workbooks", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--apply", "is_applied", is_flag=True, help="Write the new plan. Without it nothing is written."
)
@click.option("--estate", help="Estate that the plan was made from (default: the one it names).")
@click.option("--author", help="Who imports, recorded in the new plan (default: your login name).")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the new plan.json and wave-plan.xlsx (default: where PLAN is).",
)
def import_workbooks(
    plan_file: Path,
    workbooks: tuple[Path, ...],
    is_applied: bool,
    estate: str | None,
    author: str | None,
    to: Path | None,
) -> int:
    """Take what owners wrote into WORKBOOKS into a new plan.

    Every edit and every problem is shown with its file, sheet and cell, before anything is accepted. With
    --apply, and only if nothing is wrong, a new plan with a new digest is written. The approval of the old
    one does not carry over.

    \b
    Examples:
      readiness plan import out/june/plan.json shop.xlsx ledger.xlsx
      readiness plan import out/june/plan.json shop.xlsx --estate ./estate --apply
    """
    from readiness.app.people import local_user
    from readiness.app.plan_workbooks import accept, preview_import

    preview = preview_import(plan_file, workbooks, estate)
    _show(preview)
    if preview.violations:
        return Exit.PLAN
    if preview.result is None:
        say("Nothing to import: the workbooks say what the plan says.")
        return Exit.DONE
    if not is_applied:
        say("Nothing was written. Say --apply to accept these edits.")
        return Exit.DONE
    folder = to or (plan_file if plan_file.is_dir() else plan_file.parent)
    written = accept(preview, author or local_user(), folder)
    digests = f"Plan {preview.plan.approval} became plan {written.plan.approval}"
    say(harmless(f"{digests}, changed by {written.plan.author}."))
    say(f"Written: {written.plan_file}")
    say(f"Written: {written.workbook}")
    return Exit.DONE


@click.command()
@_PLAN
@click.option(
    "--by", type=click.Choice(["owner"]), default="owner", show_default=True, help="What a workbook is for."
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the workbooks (default: 'owners' beside PLAN).",
)
def split(plan_file: Path, by: str, to: Path | None) -> int:
    """Write one workbook of PLAN for every owner.

    Together they hold every VM once. Send each to its owner; take them back with 'readiness plan import'.

    \b
    Examples:
      readiness plan split out/june/plan.json --by owner
    """
    from readiness.app.plan_workbooks import split_plan

    folder = plan_file if plan_file.is_dir() else plan_file.parent
    written = split_plan(plan_file, to or folder / f"{by}s")
    for owner, path, vms in written:
        say(harmless(f"{owner}: {vms} VM{'' if vms == 1 else 's'}, {path}"))
    return Exit.DONE


@click.command()
@_PLAN
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "html", "dot"]),
    default="svg",
    show_default=True,
    help="svg: a picture; html: a page with a table that says the same; dot: for other programs.",
)
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: print it)."
)
def graph(plan_file: Path, form: str, to: Path | None) -> int:
    """Draw the dependencies of PLAN, coloured by wave.

    Up to 200 VMs each is drawn; above, each application. No other program is needed.

    \b
    Examples:
      readiness plan graph out/june/plan.json --format html --to graph.html
    """
    from readiness.app.plan_workbooks import draw_graph

    drawn = draw_graph(plan_file, form, to)
    if to is None:
        click.echo(drawn, nl=False)
    else:
        say(harmless(f"Written: {to}"))
    return Exit.DONE


def _show(preview: "Preview") -> None:
    say(f"{preview.rows} VMs read, {len(preview.edits)} cells edited, plan {preview.plan.approval}.")
    _list("Edits", preview.edits)
    _list("Without effect", preview.ignored)
    _list("Cannot be accepted", preview.violations)


def _list(heading: str, lines: "Sequence[Told]") -> None:
    if not lines:
        return
    say(f"{heading} ({len(lines)}):")
    for line in lines[:_SHOWN]:
        say(harmless(f"  {line.place}  {line.what}: {line.why}"))
    if len(lines) > _SHOWN:
        say(f"  and {len(lines) - _SHOWN} more")
