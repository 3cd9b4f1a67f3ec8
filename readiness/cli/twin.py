"""`readiness twin`: Azure Resource Manager on this machine."""

import shlex
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from readiness.cli.options import state_option
from readiness.errors import Exit


@click.group()
def twin() -> None:
    """Serve a twin of an estate: Azure Resource Manager in memory, on loopback only."""


@twin.command()
@click.argument("estate")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port (default: a free one).")
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 100000),
    default=1.0,
    show_default=True,
    help="Seconds that pass in the twin in one.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of scripted trouble, YAML or JSON.",
)
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    help="Instant in UTC at which the twin's clock starts (default: now).",
)
@state_option
def serve(estate: str, port: int, speed: float, faults: Path | None, at: datetime | None, state: Path) -> int:
    """Serve a twin of ESTATE over HTTPS on 127.0.0.1 until it is interrupted.

    Its certificate is made at start and is good for this run of the twin only. What clients change is
    gone when it stops.

    \b
    Examples:
      readiness twin serve starter
      readiness twin serve ./estate --speed 60 --faults faults.json --at 2027-06-05T19:55:00Z
    """
    from readiness.app.estates import locate
    from readiness.app.twin import TwinRequest, open_twin

    start = (at or datetime.now(UTC)).replace(tzinfo=UTC)
    request = TwinRequest(
        estate=locate(estate), port=port, speed=speed, faults=faults, start=start, state=state
    )
    server = open_twin(request)
    signal.signal(signal.SIGTERM, _interrupt)
    settings = server.certificate.absolute().parent / f"azure-cli-{server.port}"
    try:
        shutil.rmtree(settings, ignore_errors=True)  # of a twin that was killed
        click.echo(f"Twin of {estate} at {server.url}")
        click.echo(f"Its clock: {start:%Y-%m-%d %H:%M:%S} UTC, {speed:g} seconds a second")
        _introduce(server.url, server.tenant, server.certificate.absolute(), settings)
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Twin stopped.")
    finally:
        server.stop()
        shutil.rmtree(settings, ignore_errors=True)
    return Exit.DONE


def _introduce(url: str, tenant: str, bundle: Path, settings: Path) -> None:
    """Say how other clients find the twin and log in to it: lines for a shell, as they are."""
    certificate = shlex.quote(str(bundle))
    click.echo("Point other clients at it with these lines; it lets any client id and any secret in:")
    for line in (
        f"export AZURE_RESOURCE_MANAGER_ENDPOINT={url} AZURE_RESOURCE_MANAGER_AUDIENCE={url}",
        f"export AZURE_AUTHORITY_HOST={url} AZURE_TENANT_ID={tenant}",
        "export AZURE_CLIENT_ID=twin AZURE_CLIENT_SECRET=twin",
        f"export REQUESTS_CA_BUNDLE={certificate} SSL_CERT_FILE={certificate}",
    ):
        click.echo(f"  {line}")
    click.echo("The Azure CLI, in a folder of its own settings that goes with the twin:")
    for line in (
        f"export AZURE_CONFIG_DIR={shlex.quote(str(settings))}",
        "export AZURE_CORE_INSTANCE_DISCOVERY=false AZURE_CORE_COLLECT_TELEMETRY=false",
        f"az cloud register -n Twin --endpoint-resource-manager {url} && az cloud set -n Twin",
        'az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" '
        '--tenant "$AZURE_TENANT_ID"',
    ):
        click.echo(f"  {line}")
    click.echo("The Azure SDK for Python, for each client and its credential:")
    click.echo(f'  base_url="{url}", credential_scopes=["{url}/.default"]')
    click.echo("  ClientSecretCredential(..., disable_instance_discovery=True)")
    click.echo("Stop it with Ctrl-C.")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Let a termination end the twin as Ctrl-C does, so that its certificate goes with it."""
    raise KeyboardInterrupt
