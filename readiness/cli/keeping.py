"""`readiness snapshots`, `audit` and `permissions`: what runs leave behind, and what they may do."""

import json
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from readiness.cli.console import OUT, confirmed, harmless, print_json, say
from readiness.cli.options import state_option
from readiness.errors import Exit, UsageError

_PLAN = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def snapshots() -> None:
    """List the snapshots that runs took, and delete those that have expired."""


def _where(command: Any) -> Any:
    """Add the options that say where the snapshots are."""
    for option in (
        state_option,
        click.option("--live", is_flag=True, help="Azure itself, as whoever is logged in here."),
        click.option("--twin-ca", type=_FILE, help="Certificate of the twin (default: found in --state)."),
        click.option("--twin", metavar="URL", help="Address of a twin, as 'twin serve' prints it."),
    ):
        command = option(command)
    return command


@snapshots.command("list")
@click.argument("plan", type=_PLAN)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@_where
def list_snapshots(plan: Path, output: str, **where: Any) -> int:
    """List the snapshots that bear the marks of PLAN: VM, disk, size, and the day after which they may go.

    A throwaway disk that a preparation could not delete stands among them.

    \b
    Example:
      readiness snapshots list out/june --live
    """
    from readiness.app.snapshots import Where, find

    found = find(Where(plan=plan, **_named(where))).snapshots
    if output == "json":
        print_json(found)
        return Exit.DONE
    table = Table(title=f"{len(found)} snapshots", title_justify="left")
    for heading in ("Snapshot", "VM", "Disk", "GB", "May go after"):
        table.add_column(heading, overflow="fold")
    for one in found:
        day = one.expires.isoformat() if one.expires else "its mark cannot be read"
        table.add_row(*map(harmless, (one.id.name, one.vm, one.disk, str(one.size_gb), day)))
    OUT.print(table)
    return Exit.DONE


@snapshots.command("delete")
@click.argument("plan", type=_PLAN)
@click.option("--expired", is_flag=True, help="Those whose day has passed; there is no other way.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_where
def delete_snapshots(plan: Path, expired: bool, yes: bool, **where: Any) -> int:
    """Delete the expired snapshots of PLAN. One that does not bear its marks is never touched.

    \b
    Example:
      readiness snapshots delete out/june --expired --live
    """
    from readiness.app.snapshots import Where, delete_expired, find

    if not expired:
        raise UsageError("Only expired snapshots can be deleted.", remedy="Say so: --expired")
    found = find(Where(plan=plan, **_named(where)))
    due = [one for one in found.snapshots if one.is_expired(found.today)]
    say(f"{len(due)} of {len(found.snapshots)} snapshots have expired")
    if not due:
        return Exit.DONE
    confirmed(f"Delete {len(due)} snapshots for good", yes=yes)
    done = delete_expired(found, due)
    for name, why in done.kept.items():
        say(f"[red]kept[/] {harmless(name)}: {harmless(why)}")
    say(f"{len(done.gone)} deleted, {len(done.kept)} kept")
    return Exit.NEEDS_A_PERSON if done.kept else Exit.DONE


@click.group()
def audit() -> None:
    """Prove what was told of runs."""


@audit.command("verify")
@click.argument("run", required=False)
@click.option("--head", help="A head that was kept elsewhere: a story has to end with it.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@state_option
def verify(run: str | None, head: str | None, output: str, state: Path) -> int:
    """Verify that the story of RUN, or of every run there is, was not changed after it was told.

    \b
    Examples:
      readiness audit verify
      readiness audit verify 1a2b3c4d5e6f-wave-1 --head 9c0d3a5be17f
    """
    from readiness.app.auditing import verify as prove

    found = prove(state, run, head)
    code = Exit.DONE if found.holds else Exit.NEEDS_A_PERSON
    if output == "json":
        print_json(found)
        return code
    for proof in found.proofs:
        name = harmless(proof.run)
        if proof.holds:
            say(f"[green]holds[/]   {name}: {proof.events} events, head {proof.head}")
        elif proof.unreadable:
            say(f"[bold red]damaged[/] {name}: it cannot be read: {harmless(proof.unreadable)}")
        else:
            say(f"[bold red]broken[/]  {name}: event {proof.broken_at} does not follow from the one before")
    if found.is_head_missing:
        words = "something was added or taken away since"
        say(f"[bold red]No story ends with the head {harmless(head or '')}:[/] {words}.")
    return code


@click.command()
@click.option(
    "--for", "work", type=click.Choice(["assess", "run"]), required=True, help="What the role is for."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="Where it may be assigned (default: each subscription of --plan).",
)
@click.option("--plan", type=_PLAN, help="A plan whose subscriptions are the scopes.")
def permissions(work: str, scopes: tuple[str, ...], plan: Path | None) -> int:
    """Print the custom role that the work needs, as 'az role definition create' takes it.

    The actions are those that the steps themselves declare.

    \b
    Examples:
      readiness permissions --for run --plan out/june > role.json
      readiness permissions --for assess --scope /subscriptions/00000000-0000-0000-0000-000000000000
    """
    from readiness.app.permissions import Work, role_for, scopes_of

    chosen = scopes or (scopes_of(plan) if plan else ("/subscriptions/<subscription id>",))
    click.echo(json.dumps(role_for(Work(work), tuple(chosen)), indent=2))
    return Exit.DONE


def _named(where: dict[str, Any]) -> dict[str, Any]:
    return {
        "twin": where["twin"],
        "certificate": where["twin_ca"],
        "live": where["live"],
        "state": where["state"],
    }
