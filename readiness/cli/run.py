"""`readiness prepare`, `run`, `close`, `tighten`, `retry`, `rollback` and `recover`: carrying work out."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from readiness.cli.carry_out import carry_out, look_only, request_for
from readiness.cli.console import advise, confirmed, harmless, print_json, say
from readiness.cli.options import state_option
from readiness.errors import Exit, UsageError
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import DIGEST_LENGTH

if TYPE_CHECKING:
    from readiness.app.carrying import PreparedRun

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_PLAN = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where work is carried out, and how it is shown."""
    options: tuple[Decorator, ...] = (
        click.option("--twin", metavar="URL", help="Address of a twin, as 'twin serve' prints it."),
        click.option("--twin-ca", type=_FILE, help="Certificate of the twin (default: found in --state)."),
        click.option("--live", is_flag=True, help="Azure itself, as whoever is logged in here."),
        click.option(
            "--output",
            type=click.Choice(["screen", "lines", "json"]),
            help="A live screen, log lines, or one JSON document at the end "
            "(default: a screen in a terminal, otherwise lines).",
        ),
        click.option("--quiet", is_flag=True, help="Print failures and the result only."),
        state_option,
        click.option(
            "--second-state",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="READINESS_SECOND_STATE",
            help="A second state folder, on another disk: the journal is written there, too.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


_wave = click.option("--wave", type=click.IntRange(1), required=True, help="Number of the wave.")
_approve = click.option("--approve", required=True, metavar="DIGEST", help="Digest of the approved plan.")


@click.command()
@click.argument("plan", type=_PLAN)
@_wave
@_approve
@click.option("--again", is_flag=True, help="Also look at VMs again that are prepared already.")
@_where
def prepare(plan: Path, wave: int, approve: str, again: bool, **where: Any) -> int:
    """Prepare one wave of PLAN, online, days before its window.

    Adds identities, proves keys on a throwaway disk, takes backups, installs extensions. No VM is stopped.
    The same command again goes on where it ended.

    \b
    Example:
      readiness prepare out/starter --wave 1 --approve 1a2b3c4d5e6f --twin https://127.0.0.1:8443
    """
    renewed = frozenset({Phase.DONE}) if again else frozenset[Phase]()
    return carry_out(plan, wave, approve, Stage.PREPARATION, again=renewed, **where)


@click.command()
@click.argument("plan", type=_PLAN)
@_wave
@_approve
@click.option("--dry-run", is_flag=True, help="Check everything that can be checked, and change nothing.")
@_where
def run(plan: Path, wave: int, approve: str, dry_run: bool, **where: Any) -> int:
    """Carry one wave of PLAN out in its window, or go on with it where it was interrupted.

    The same command again takes up what was begun: kill it at any moment and lose nothing. Ctrl-C once
    starts nothing more and finishes what has begun; twice leaves at once, and the next call goes on.
    Stop, pause and approve it from any other terminal.

    \b
    Exit codes: 0 done, 7 some rolled back, 8 some need a person, 9 held.

    \b
    Examples:
      readiness run out/starter --wave 1 --approve 1a2b3c4d5e6f --twin https://127.0.0.1:8443
      readiness run out/june --wave 3 --approve 1a2b3c4d5e6f --live --output lines
    """
    if dry_run:
        return look_only(plan, wave, approve, **where)
    return carry_out(plan, wave, approve, Stage.OUTAGE, **where)


@click.command()
@click.argument("plan", type=_PLAN)
@_wave
@_approve
@_where
def close(plan: Path, wave: int, approve: str, **where: Any) -> int:
    """Close one wave of PLAN, online, once its VMs have soaked.

    Ends the access with passwords, tightens security rules, installs the attestation extension. Only VMs
    whose outage is done are closed.

    \b
    Example:
      readiness close out/starter --wave 1 --approve 1a2b3c4d5e6f --twin https://127.0.0.1:8443
    """
    return carry_out(plan, wave, approve, Stage.CLOSURE, **where)


@click.command()
@click.argument("plan", type=_PLAN)
@click.option("--action", default="", metavar="NAME", help="The group or policy (default: the only one).")
@_approve
@click.option("--dry-run", is_flag=True, help="Check everything that can be checked, and change nothing.")
@_where
def tighten(plan: Path, action: str, approve: str, dry_run: bool, **where: Any) -> int:
    """Tighten a security group that several VMs of PLAN hang on, once each of them is closed.

    Or put VMs into a just-in-time policy, where that was chosen and the groups before them are tightened.
    Each is an action of its own, with an approval of its own when it is live. What somebody has changed since
    it was planned on is left alone. 'rollback' puts the rules back as they were, or takes the VMs out.

    \b
    Examples:
      readiness tighten out/june --approve 1a2b3c4d5e6f --twin https://127.0.0.1:8443 --dry-run
      readiness tighten out/june --action nsg-app --approve 1a2b3c4d5e6f --live
      readiness tighten out/june --action rg-app/default --approve 1a2b3c4d5e6f --live
    """
    from readiness.app.shared_actions import key_of

    key = key_of(plan, action)
    if dry_run:
        return look_only(plan, 0, approve, stage=Stage.CLOSURE, action=key, **where)
    return carry_out(plan, 0, approve, Stage.CLOSURE, action=key, **where)


@click.command()
@click.argument("run", required=False)
@click.option("--failed", is_flag=True, help="All that were declined, blocked or rolled back by themselves.")
@click.option("--vm", default="", help="One of them by name or id, also if somebody took it back.")
@_where
def retry(run: str | None, failed: bool, vm: str, **where: Any) -> int:
    """Try VMs of RUN again that did not get through, with the same plan.

    RUN is the name that 'run' prints; without one, the run touched last. What was recorded of earlier
    tries is kept.

    \b
    Examples:
      readiness retry --failed 1a2b3c4d5e6f-wave-1 --twin https://127.0.0.1:8443
      readiness retry --vm sf-web-01 1a2b3c4d5e6f-wave-1 --twin https://127.0.0.1:8443
    """
    if failed is bool(vm):
        raise UsageError("Say which VMs are to be tried again.", remedy="Give either --failed or --vm.")
    again = frozenset({Phase.DECLINED, Phase.BLOCKED, Phase.ROLLED_BACK})
    return _go_on(run, again=again, again_vm=vm, **where)


@click.command()
@click.option("--run", "run", help="The run (default: the one touched last).")
@click.option("--vm", help="Name or id of one VM.")
@click.option("--wave", "whole", is_flag=True, help="Every VM of the run that is done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_where
def rollback(run: str | None, vm: str | None, whole: bool, yes: bool, **where: Any) -> int:
    """Take VMs back that are done, by configuration, from the state recorded before.

    Disks are not restored: what was written since stays. Each VM needs another outage, but for what was
    closed online. Of a shared group the rules are put back.

    \b
    Examples:
      readiness rollback --run 1a2b3c4d5e6f-wave-1 --vm sf-web-01 --twin https://127.0.0.1:8443
      readiness rollback --run 1a2b3c4d5e6f-wave-1 --wave --live
      readiness rollback --run 1a2b3c4d5e6f-shared-5e6f7a8b --live
    """
    from readiness.app.run_status import leave, status
    from readiness.model.run import SignalKind

    unclear = UsageError("Say what is to be taken back.", remedy="Give either --vm NAME or --wave.")
    if (vm is None) is not whole and (whole or run is None):
        raise unclear
    view = status(where["state"], run)
    name = view.state.info.id
    if vm is None and not whole and not view.state.info.action:
        raise unclear
    online = view.state.info.stage is not Stage.OUTAGE
    cost = "No VM is stopped for it" if online else "Each is off for a while"
    confirmed(f"Take {vm or 'all that is done'} of {name} back? {cost}", yes=yes)

    def ask() -> None:
        leave(where["state"], name, SignalKind.ROLLBACK, vm=vm or "")

    def ask_alone(prepared: "PreparedRun") -> None:
        ask()
        prepared.only_take_back()

    if view.running:
        ask()
        say(f"The process that carries out {name} takes it back. Watch it: readiness status --watch")
        return Exit.DONE
    return _go_on(name, begin=ask_alone, **where)


@click.command()
@click.argument("plan", type=_PLAN)
@click.option("--wave", type=click.IntRange(1), help="Number of the wave.")
@click.option("--action", metavar="NAME", help="In its place: the shared group that was being tightened.")
@_approve
@click.option(
    "--stage",
    type=click.Choice([stage.value for stage in Stage]),
    default=Stage.OUTAGE.value,
    show_default=True,
    help="What of the wave was under way.",
)
@_where
def recover(
    plan: Path,
    wave: int | None,
    action: str | None,
    approve: str,
    stage: str,
    output: str | None,
    quiet: bool,
    **where: Any,
) -> int:
    """Rebuild the memory of a run, when its machine is gone, from the marks it left on Azure.

    What --second-state holds of it goes first. Nothing in Azure is changed. Afterwards the same command as
    before goes on with it: 'prepare', 'run', 'close' or 'tighten'.

    \b
    Examples:
      readiness recover out/june --wave 3 --approve 1a2b3c4d5e6f --live
      readiness recover out/june --wave 3 --stage closure --approve 1a2b3c4d5e6f --live
      readiness recover out/june --action nsg-app --approve 1a2b3c4d5e6f --live
    """
    from readiness.app.recovering import recover as rebuild
    from readiness.app.run_status import status
    from readiness.app.shared_actions import key_of

    if (wave is None) is (action is None):
        raise UsageError("Say what was under way.", remedy="Give either --wave NUMBER or --action NAME.")
    key = key_of(plan, action) if action is not None else ""
    of = Stage(stage) if action is None else Stage.CLOSURE
    found = rebuild(request_for(plan, wave or 0, approve, stage=of, action=key, **where))
    if output == "json":
        print_json(found)
        return Exit.NEEDS_A_PERSON if found.unreadable else Exit.DONE
    say(f"Recovered {harmless(found.run)}:")
    if found.copied_until is not None:
        say(f"  from the second place, written until {found.copied_until:%Y-%m-%d %H:%M:%S} UTC")
    if found.nothing_in:
        say(f"  [yellow]from its marks alone:[/] {harmless(found.nothing_in)} holds nothing of it")
        say("  if that is the wrong folder, move that of the run away, and recover it from the right one")
    say(f"  under way: {harmless(', '.join(found.taken_up)) or 'none'}")
    say(f"  through already: {harmless(', '.join(found.through)) or 'none'}")
    if found.ended:
        say(f"  brought back, or stranded: {harmless(', '.join(found.ended))}")
    say(f"  not begun: {found.untouched}")
    for name, why in found.unreadable.items():
        say(f"  [bold red]{harmless(name)}[/]: its marks cannot be read ({harmless(why)}); look at it now")
    if not quiet and (found.taken_up or found.through or found.ended):
        view = status(where["state"], found.run)
        advise([view.state], [(each.command, each.why) for each in view.advice()])
    return Exit.NEEDS_A_PERSON if found.unreadable else Exit.DONE


def _go_on(name: str | None, **options: Any) -> int:
    """Go on with a run that is on record, with the plan that lies beside its journal."""
    from readiness.app.run_status import status

    view = status(options["state"], name)
    info = view.state.info
    digest = info.plan[:DIGEST_LENGTH]
    return carry_out(view.folder, info.wave, digest, info.stage, action=info.action, **options)
