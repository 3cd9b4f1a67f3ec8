"""`readiness generate`: invent an estate of any size."""

import sys
from pathlib import Path

import click

from readiness.errors import Exit


@click.command()
@click.option("--vms", type=click.IntRange(1, 1_000_000), required=True, help="How many VMs it has.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another number gives another estate.")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write the estate to; new or empty.",
)
@click.option(
    "--subscriptions",
    type=click.IntRange(1, 500),
    help="How many subscriptions it has (default: as many as an estate of this size would have).",
)
def generate(vms: int, seed: int, to: Path, subscriptions: int | None) -> int:
    """Invent an estate in the proportions that real ones have, to try things out at any size.

    The same numbers give the same files. A generated estate is assessed, planned and rehearsed like any
    other; it never runs live.

    \b
    Examples:
      readiness generate --vms 500 --to out/invented
      readiness generate --vms 100000 --seed 7 --to out/large
      readiness assess out/invented
    """
    from readiness.app.generate import GenerateRequest
    from readiness.app.generate import generate as invent

    request = GenerateRequest(vms=vms, seed=seed, to=to, subscriptions=subscriptions)
    shown = sys.stderr.isatty()

    def progress(written: int, resources: int) -> None:
        share = f"{written:,} of {vms:,} VMs, {resources:,} resources"
        click.echo(f"\r\033[K{share}", nl=False, err=True)

    try:
        count = invent(request, progress if shown else None)
    finally:
        if shown:
            click.echo("\r\033[K", nl=False, err=True)
    click.echo(f"Written: {to} ({vms:,} VMs, {count:,} resources)", err=True)
    return Exit.DONE
