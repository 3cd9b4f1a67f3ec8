"""`readiness report iac`: what infrastructure code has to say after an upgrade."""

from datetime import date
from pathlib import Path

import click

from readiness.cli.console import harmless, say
from readiness.cli.options import as_of_option, state_option
from readiness.errors import Exit

_CODE = click.Path(path_type=Path, file_okay=False)


@click.command("iac")
@click.argument("source", metavar="ESTATE|PLAN|RUN")
@click.option("--terraform", type=_CODE, metavar="DIR", help="Folder of Terraform code to find the VMs in.")
@click.option("--bicep", type=_CODE, metavar="DIR", help="Folder of Bicep code to find the VMs in.")
@click.option("--arm", type=_CODE, metavar="DIR", help="Folder of ARM templates in JSON to find the VMs in.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "md"]),
    default="text",
    show_default=True,
    help="How the hints are written to standard output.",
)
@click.option(
    "--to", type=_CODE, metavar="DIR", help="Write them here too, in every form, and the diffs as files."
)
@as_of_option
@state_option
def iac(
    source: str,
    terraform: Path | None,
    bicep: Path | None,
    arm: Path | None,
    output: str,
    to: Path | None,
    as_of: date,
    state: Path,
) -> int:
    """Say what code has to change so that its next run neither undoes nor replaces an upgraded VM.

    For every VM of a plan, or of the plan that ESTATE gives on the day: the attributes of azurerm, AzAPI,
    Bicep and ARM templates, and what happens without them. After a wave, give the name of its RUN: then only
    what the VMs really got is said, by the journals of preparation, outage and closure. With a folder of code
    its resources are found by name or id, and the changes are shown as a diff. No file of the code is ever
    written. The exit code is 1 where a file of the code could not be read.

    \b
    Examples:
      readiness report iac out/june/plan.json
      readiness report iac out/june --terraform ../infra --to out/june/iac
      readiness report iac ./estate --bicep ../infra --output md
      readiness report iac 41f3aa02c9d7-wave-1 --arm ../templates
    """
    from readiness.app.iac_hints import Folders, iac_report, shown, write_report

    folders = Folders(terraform=terraform, bicep=bicep, arm=arm)
    found = iac_report(source, as_of, folders, state=state)
    click.echo(shown(found, output), nl=False)
    if to is not None:
        for path in write_report(found, to, folders):
            if output == "text":
                say(f"Written: {harmless(str(path))}")
    return Exit.FINDINGS if any(remark.is_error for remark in found.remarks) else Exit.DONE
