"""`readiness import`: make an estate of files that teams have, or add to one."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from readiness.cli.console import OUT, say
from readiness.errors import UsageError

if TYPE_CHECKING:
    from readiness.app.importing import ImportReport
    from readiness.app.importing_context import ContextReport
    from readiness.app.importing_dependencies import DependencyReport

_SHOWN = 12


@click.command("import")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="The estate's folder.")
@click.option(
    "--kind",
    type=click.Choice(["arm", "dependencies", "context"]),
    default="arm",
    show_default=True,
    help="What the files hold: resources, who needs whom, or what people know.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --kind context: write an empty Excel workbook to this file, and import nothing.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the report is written to standard output.",
)
def import_files(
    files: tuple[Path, ...], to: Path | None, kind: str, template: Path | None, output: str
) -> None:
    """Put what FILES hold into an estate folder, and say what could not be used.

    Resources (--kind arm) are JSON or JSON lines, packed (.gz) or not, as these print them: az graph
    query, az vm list -d, az resource list, other az lists, ARM's own answers, template exports. Several
    copies of a resource are merged, in an estate that is there too; nothing a copy knows is lost.

    Dependencies are CSV: source,target - the dependency export of Azure Migrate - traffic analytics - VM
    insights (VMConnection). What traffic shows is taken as observed: it binds nothing.
    A context is YAML, or an Excel workbook made with --template. Both need the estate's resources first.

    \b
    Examples:
      readiness import vms.json disks.json graph.jsonl.gz --to ./estate
      readiness import flows.csv --kind dependencies --to ./estate
      readiness import --kind context --template context.xlsx
      readiness import context.xlsx --kind context --to ./estate
    """
    if template is not None:
        _write_template(template, kind, files)
        return
    if not files or to is None:
        raise UsageError(
            "There is nothing to import." if not files else "There is no folder to import into.",
            remedy="Write: readiness import FILES... --to ESTATE",
        )
    if kind == "dependencies":
        from readiness.app.importing_dependencies import import_dependencies

        linked = import_dependencies(files, to)
        _print_json(linked) if output == "json" else _show_dependencies(linked)
    elif kind == "context":
        from readiness.app.importing_context import import_context

        known = import_context(files, to)
        _print_json(known) if output == "json" else _show_context(known)
    else:
        from readiness.app.importing import import_resources

        taken = import_resources(files, to)
        _print_json(taken) if output == "json" else _show_resources(taken)


def _write_template(path: Path, kind: str, files: tuple[Path, ...]) -> None:
    if kind != "context" or files:
        raise UsageError(
            "--template writes an empty workbook of a context, and imports nothing.",
            remedy=f"Write: readiness import --kind context --template {path}",
        )
    from readiness.app.importing_context import write_template

    write_template(path)
    say(f"Written: {escape(str(path))}")


def _print_json(report: object) -> None:
    from readiness.model.codec import encode_pretty

    click.echo(encode_pretty(report).decode(), nl=False)


def _show_resources(report: "ImportReport") -> None:
    table = Table(title=f"Taken into {escape(report.estate)}", title_justify="left")
    table.add_column("Type")
    table.add_column("Resources", justify="right")
    table.add_column("Without properties", justify="right")
    for kind, count in report.types.items():
        bare = report.bare.get(kind, 0)
        table.add_row(escape(kind), str(count), f"[yellow]{bare}[/]" if bare else "")
    OUT.print(table)
    for file in report.files:
        refused = f", [yellow]{file.unusable} could not be used[/]" if file.unusable else ""
        say(f"{escape(file.file)}: {file.taken} taken{refused}")
    say(f"Resources in the estate: {report.resources}; merged of several copies: {report.merged}")
    if report.bare:
        say(
            f"[yellow]{sum(report.bare.values())} resources came without their properties[/]: rules about "
            "them will answer unknown. az resource list prints them so; az graph query prints them whole."
        )
    _list(
        f"Could not be used, and are gaps of the estate now: {len(report.unusable)}",
        [f"{entry.place} {entry.name}: {entry.detail}" for entry in report.unusable],
        len(report.unusable),
    )
    _list(
        f"Answers that are not complete: {len(report.incomplete)}",
        [f"{entry.place}: {entry.detail}" for entry in report.incomplete],
        len(report.incomplete),
    )
    _list(
        f"Contradictions, of which the richer or newer copy was kept: {report.contradiction_count}",
        [
            f"{entry.resource} {entry.path}: '{entry.kept}', not '{entry.dropped}'"
            for entry in report.contradictions
        ],
        report.contradiction_count,
    )


def _show_dependencies(report: "DependencyReport") -> None:
    say(
        f"{report.lines} lines: {report.dependencies} dependencies between VMs, {report.new} of them new, "
        f"{report.observed} only observed; lines left out: {report.own} on which a VM speaks to itself, "
        f"{report.external} with the outside, {report.refused} denied or failed"
    )
    if report.kept:
        say(f"[yellow]The earlier dependencies.csv could not be read[/] and is in {escape(report.kept)} now.")
    _list(
        f"Machines that are no single VM of the estate, whose lines were left out: {len(report.unresolved)}",
        [f"{entry.endpoint} ({entry.lines} lines): {entry.why}" for entry in report.unresolved],
        len(report.unresolved),
    )


def _show_context(report: "ContextReport") -> None:
    told = ", ".join(f"{count} {name}" for name, count in report.entries.items()) or "nothing"
    say(f"{escape(report.file)} is right, and in {escape(report.estate)} now: {told}")
    if report.kept:
        say(f"The earlier context is in {escape(report.kept)}.")
    _list("Probably not meant", list(report.warnings), len(report.warnings))


def _list(title: str, lines: list[str], count: int) -> None:
    if not count:
        return
    say(f"[yellow]{escape(title)}[/]:")
    for line in lines[:_SHOWN]:
        say(f"  {escape(line)}")
    if count > _SHOWN:
        say(f"  ... and {count - _SHOWN} more; --output json lists them")
