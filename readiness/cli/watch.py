"""`readiness status`, `stop`, `pause`, `resume`, `approve`, `reject`: looking on, and having a word."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from readiness.cli.console import LiveLines, advise, harmless, is_screen, print_json, say, show_run
from readiness.cli.options import state_option
from readiness.errors import Exit, UsageError
from readiness.model.run import SignalKind

if TYPE_CHECKING:
    from readiness.app.run_status import RunView

_LOOK_EVERY = 1.0
_note = click.option("--note", default="", help="Why; kept in the run's story.")


@click.command()
@click.argument("run", required=False)
@click.option("--story", is_flag=True, help="Print everything that happened, too.")
@click.option("--watch", is_flag=True, help="Go on looking until no process carries it out any more.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@state_option
def status(run: str | None, story: bool, watch: bool, output: str, state: Path) -> int:
    """Say where every VM of RUN stands, from any terminal, while it goes on or afterwards.

    RUN is the name that 'run' prints; without one, the run touched last.

    \b
    Examples:
      readiness status
      readiness status --watch
      readiness status 1a2b3c4d5e6f-wave-1 --story
    """
    from readiness.app.run_status import exit_of
    from readiness.app.run_status import status as look

    view = look(state, run)
    if watch:
        view = _watch(state, view, silent=output == "json")
    code = Exit.DONE if view.running else exit_of(view.state)
    if output == "json":
        print_json(view.result())
        return code
    if story:
        _tell(view, 0)
    show_run(view.state)
    if view.running:
        say("A process is carrying it out.")
    else:
        advise([view.state], [(each.command, each.why) for each in view.advice()])
        if view.state.is_unfinished:
            say("No process is carrying it out, and it is not finished.")
    say(f"Head of the audit chain: {view.head}")
    return code


def _watch(state: Path, view: "RunView", *, silent: bool) -> "RunView":
    """Look once a second until no process carries the run out, and return the last look."""
    if not silent and is_screen():
        return _watch_screen(state, view)
    told = 0
    while True:
        told = told if silent else _tell(view, told)
        if not view.running:
            return view
        view = _look_again(state, view)


def _watch_screen(state: Path, view: "RunView") -> "RunView":
    from readiness.app.outlook import outlook_from
    from readiness.cli.screen import KEYS_OF_ONLOOKERS, Screen

    told = 0
    with Screen(keys=KEYS_OF_ONLOOKERS) as screen:
        while view.running:
            for event in view.events[told:]:
                screen.told(event)
            told = len(view.events)
            screen.show(outlook_from(view))
            view = _look_again(state, view)
    return view


def _look_again(state: Path, view: "RunView") -> "RunView":
    from readiness.app.run_status import status as look

    time.sleep(_LOOK_EVERY)
    return look(state, view.state.info.id)


def _tell(view: "RunView", told: int) -> int:
    lines = LiveLines()
    for event in view.events[told:]:
        lines.told(event)
    return len(view.events)


@click.command()
@click.argument("run", required=False)
@_note
@state_option
def stop(run: str | None, note: str, state: Path) -> int:
    """Ask a running process to start nothing more; what has begun goes on to its end.

    \b
    Example:
      readiness stop 1a2b3c4d5e6f-wave-1
    """
    return _leave(state, run, SignalKind.STOP, "start nothing more", note)


@click.command()
@click.argument("run", required=False)
@_note
@state_option
def pause(run: str | None, note: str, state: Path) -> int:
    """Ask a running process to start nothing more until 'resume'; it stays and finishes what has begun.

    \b
    Example:
      readiness pause --note "the bridge call waits for the database team"
    """
    return _leave(state, run, SignalKind.PAUSE, "start nothing more until 'readiness resume'", note)


@click.command()
@click.argument("run", required=False)
@click.option(
    "--raise-budget", is_flag=True, help="Go on although the failure budget is used up: one more may fail."
)
@_note
@state_option
def resume(run: str | None, raise_budget: bool, note: str, state: Path) -> int:
    """Go on after a pause, or although a budget is used up.

    \b
    Examples:
      readiness resume
      readiness resume 1a2b3c4d5e6f-wave-1 --raise-budget --note "CHG-1234"
    """
    if raise_budget:
        return _leave(state, run, SignalKind.RAISE, "accept one failure more, and go on", note)
    return _leave(state, run, SignalKind.RESUME, "go on", note)


@click.command()
@click.argument("plan", type=click.Path(path_type=Path), required=False)
@click.option("--wave", type=click.IntRange(1), help="With PLAN: the wave that is approved.")
@click.option("--action", metavar="NAME", help="With PLAN: the shared group whose change is approved.")
@click.option("--owners-agreed", is_flag=True, help="With --action: owners of VMs not in the plan agreed.")
@click.option("--approve", "digest", metavar="DIGEST", help="With PLAN: its digest as you know it.")
@click.option("--run", "run", help="Instead of PLAN: a run with a VM whose health could not be told.")
@click.option("--vm", default="", help="With --run: the VM (default: every undecided one).")
@_note
@state_option
def approve(
    plan: Path | None,
    wave: int | None,
    action: str | None,
    owners_agreed: bool,
    digest: str | None,
    run: str | None,
    vm: str,
    note: str,
    state: Path,
) -> int:
    """Approve a wave of PLAN as its second person, or take an undecided VM of a run as healthy.

    What several VMs hang on is approved by itself. If some of them are not in PLAN, --owners-agreed says
    that their owners know that they lose the way in.

    \b
    Examples:
      readiness approve out/june --wave 3 --note "seen in the change board"
      readiness approve out/june --action nsg-app --owners-agreed --note CHG-1234
      readiness approve --run 1a2b3c4d5e6f-wave-1 --vm sf-web-01
    """
    if (plan is None) is (run is None):
        remedy = "Give PLAN and --wave for a wave, or --run and --vm for a VM."
        raise UsageError("Say what is approved.", remedy=remedy)
    if plan is None:
        what = f"take {vm or 'every undecided VM'} as healthy"
        return _leave(state, run, SignalKind.APPROVE, what, note, vm)
    if (wave is None) is (action is None) or vm or (owners_agreed and action is None):
        remedy = "Give --wave N, or --action NAME with --owners-agreed if need be, and no --vm."
        raise UsageError("Say which wave is approved.", remedy=remedy)
    from readiness.app.approving import approve_action, approve_wave

    if action is not None:
        said, given = approve_action(plan, action, digest, state, note, owners_agreed=owners_agreed)
        what = f"the change of {said.target.name}"
        for sentence in said.consent:
            say(f"[yellow]Somebody has to agree:[/] {harmless(sentence)}")
    else:
        given = approve_wave(plan, wave or 0, digest, state, note)
        what = f"wave {wave}"
    who = f"{given.by} (object id {given.object_id})" if given.object_id else given.by
    say(f"{harmless(who)} approved {harmless(what)} of plan {given.digest[:12]}")
    if given.evidence:
        say(f"What there was to be seen: audit chain up to {given.evidence}")
    return Exit.DONE


@click.command()
@click.option("--run", "run", required=True, help="The run.")
@click.option("--vm", default="", help="The VM (default: every undecided one).")
@_note
@state_option
def reject(run: str, vm: str, note: str, state: Path) -> int:
    """Take an undecided VM of a run back as it was.

    \b
    Example:
      readiness reject --run 1a2b3c4d5e6f-wave-1 --vm sf-web-01 --note "its console shows no prompt"
    """
    return _leave(state, run, SignalKind.REJECT, f"take {vm or 'every undecided VM'} back", note, vm)


def _leave(state: Path, run: str | None, kind: SignalKind, what: str, note: str, vm: str = "") -> int:
    from readiness.app.run_status import leave

    left = leave(state, run, kind, vm=vm, note=note)
    if left.running:
        say(f"Asked {harmless(left.run)} to {harmless(what)}. Watch it: readiness status --watch")
        return Exit.DONE
    say(f"Noted for {harmless(left.run)}: {harmless(what)}. What acts on it:")
    say(f"  {harmless(left.command)}")
    return Exit.DONE
