"""`readiness collect`: read an estate from Azure."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from readiness.cli.console import OUT, harmless, progress, say
from readiness.cli.options import state_option
from readiness.errors import Exit, UsageError

if TYPE_CHECKING:
    from readiness.app.collecting import Collection, CollectReport, Target

_SHOWN = 12
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CLOUDS = ("AzureCloud", "AzureChinaCloud", "AzureUSGovernment")


@click.command()
@click.option(
    "--subscription", "subscriptions", multiple=True, metavar="ID", help="Collect this one. Repeatable."
)
@click.option(
    "--management-group",
    "management_groups",
    multiple=True,
    metavar="ID",
    help="Collect every subscription below it that can be seen. Repeatable.",
)
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="The estate's folder."
)
@click.option("--resume", is_flag=True, help="Go on with the collection that broke off in this folder.")
@click.option(
    "--cloud", type=click.Choice(_CLOUDS), default=_CLOUDS[0], show_default=True, help="Which Azure."
)
@click.option(
    "--arm-endpoint",
    default="",
    metavar="URL",
    help="Resource Manager's address where it is another one, such as that of a private endpoint.",
)
@click.option(
    "--arm-scope", default="", metavar="SCOPE", help="What tokens are asked for (default: the cloud's own)."
)
@click.option("--twin", metavar="ESTATE", help="Collect from a twin of this estate, in this process.")
@click.option(
    "--faults",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --twin: file of scripted trouble.",
)
@click.option("--twin-url", default="", metavar="URL", help="Collect from a twin that 'twin serve' serves.")
@click.option(
    "--twin-ca",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Certificate of that twin (default: where 'twin serve' puts it).",
)
@state_option
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the report is written to standard output.",
)
def collect(
    subscriptions: tuple[str, ...],
    management_groups: tuple[str, ...],
    to: Path,
    *,
    resume: bool,
    cloud: str,
    arm_endpoint: str,
    arm_scope: str,
    twin: str | None,
    faults: Path | None,
    twin_url: str,
    twin_ca: Path | None,
    state: Path,
    output: str,
) -> int:
    """Read subscriptions, or all below a management group, into an estate folder.

    Nothing is changed in Azure. Who collects needs the Reader role and, for Defender for Cloud, Security
    Reader, on the management group or on each subscription. The login is that of the Azure CLI, of a managed
    identity, of a workload identity, or of the AZURE_* variables.

    What could not be read becomes a gap of the estate, by subscription and type; the exit code is 1 then.
    A collection that breaks off leaves its pages in the folder: --resume asks only for the rest. context.yaml
    and dependencies.csv in the folder stay. What comes from a twin is a rehearsal: no plan of it runs live.

    \b
    Examples:
      readiness collect --subscription 11111111-1111-1111-1111-111111111111 --to ./estate
      readiness collect --management-group mg-landing-zones --to ./estate
      readiness collect --management-group mg-landing-zones --to ./estate --resume
      readiness collect --cloud AzureUSGovernment --subscription ID --to ./estate
      readiness collect --twin starter --to out/collected
    """
    _check(subscriptions, management_groups, twin=twin, twin_url=twin_url, arm_endpoint=arm_endpoint)
    from readiness.app.collecting import Collection, CollectRequest
    from readiness.app.estates import locate

    request = CollectRequest(
        to=to,
        subscriptions=tuple(each.lower() for each in subscriptions),
        management_groups=management_groups,
        cloud=cloud,
        arm_endpoint=arm_endpoint,
        arm_scope=arm_scope,
        twin=locate(twin) if twin else None,
        faults=faults,
        twin_url=twin_url,
        certificate=twin_ca,
        state=state,
        resume=resume,
    )
    return _carry_out(Collection(request), to, output)


def _carry_out(collection: "Collection", to: Path, output: str) -> int:
    _show_target(collection.target)
    with progress() as tick:
        try:
            report = collection.execute(tick)
        except (KeyboardInterrupt, click.Abort):
            click.echo(f"What was collected so far is kept in {to}: add --resume to go on.", err=True)
            raise
    if output == "json":
        from readiness.model.codec import encode_pretty

        click.echo(encode_pretty(report).decode(), nl=False)
    else:
        _show(report)
    return Exit.FINDINGS if report.gaps else Exit.DONE


def _check(
    subscriptions: tuple[str, ...],
    management_groups: tuple[str, ...],
    *,
    twin: str | None,
    twin_url: str,
    arm_endpoint: str,
) -> None:
    if twin and twin_url:
        raise UsageError("--twin and --twin-url are two twins.", remedy="Give one of them.")
    if subscriptions and management_groups:
        brief = "--subscription and --management-group do not go together."
        raise UsageError(brief, remedy="Give one or the other.")
    if not (subscriptions or management_groups or twin or twin_url):
        raise UsageError(
            "Nobody said what to collect.",
            remedy="Give --subscription ID, --management-group ID, or --twin ESTATE to rehearse.",
        )
    strange = [each for each in subscriptions if not _GUID.fullmatch(each)]
    if strange:
        raise UsageError(
            f"'{strange[0]}' is no id of a subscription.",
            remedy="Give its id and not its name: az account list -o table",
        )
    if arm_endpoint and not arm_endpoint.startswith("https://"):
        raise UsageError(f"'{arm_endpoint}' is no https address.", remedy="Write it as https://HOST.")


def _show_target(target: "Target") -> None:
    """Say where the collection goes, before anything is asked; standard output is for the report."""
    wanted = (*target.subscriptions, *target.management_groups)
    for line in (
        f"Collects from: {target.place}, {target.cloud}",
        f"  endpoint:  {target.endpoint} (tokens for {target.token_scope})",
        f"  tenant:    {target.tenant or 'that of the login'}",
        f"  scope:     {', '.join(wanted) or 'everything that can be seen'}",
    ):
        click.echo(harmless(line), err=True)


def _show(report: "CollectReport") -> None:
    table = Table(title=f"Collected into {harmless(report.estate)}", title_justify="left")
    table.add_column("Type")
    table.add_column("Resources", justify="right")
    for kind, count in report.types.items():
        table.add_row(escape(kind), f"{count:,}")
    OUT.print(table)
    waited = f", {report.waited_seconds:.0f} s of them waiting for quota" if report.waited_seconds else ""
    say(
        f"{report.resources:,} resources of {report.subscriptions} subscriptions in {report.requests:,} "
        f"requests, {report.seconds:.0f} s{waited}"
    )
    if not report.gaps:
        say("Everything that was asked for was read.")
        return
    say(f"[yellow]Could not be read, and are gaps of the estate now: {len(report.gaps)}[/]")
    for gap in report.gaps[:_SHOWN]:
        say(f"  {harmless(gap.resource)}: {harmless(gap.reason)}: {harmless(gap.detail)}")
    if len(report.gaps) > _SHOWN:
        say(f"  ... and {len(report.gaps) - _SHOWN} more, in estate.json")
