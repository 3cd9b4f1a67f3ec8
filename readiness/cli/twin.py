"""`readiness twin`: Azure Resource Manager on this machine."""

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
    "--faults", type=click.Path(path_type=Path, dir_okay=False), help="JSON file of scripted trouble."
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
    try:
        _introduce(server.url, server.certificate.absolute(), estate, start, speed)
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Twin stopped.")
    finally:
        server.stop()
    return Exit.DONE


def _introduce(url: str, certificate: Path, estate: str, start: datetime, speed: float) -> None:
    """Say where the twin is, what time it is there, and how other clients find it."""
    click.echo(f"Twin of {estate} at {url}")
    click.echo(f"Its clock: {start:%Y-%m-%d %H:%M:%S} UTC, {speed:g} seconds a second")
    click.echo("Point other clients at it with:")
    click.echo(f"  export AZURE_RESOURCE_MANAGER_ENDPOINT={url}")
    click.echo(f"  export REQUESTS_CA_BUNDLE={certificate}")
    click.echo(f"  export SSL_CERT_FILE={certificate}")
    click.echo("Stop it with Ctrl-C.")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Let a termination end the twin as Ctrl-C does, so that its certificate goes with it."""
    raise KeyboardInterrupt
