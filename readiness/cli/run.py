"""`readiness rehearse`, `run`, `status` and `stop`."""

import os
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from readiness.cli.console import LiveLines, next_steps, say, show_run
from readiness.cli.options import state_option
from readiness.errors import Exit, UsageError

if TYPE_CHECKING:
    from readiness.app.run import PreparedRun

_PLAN = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("plan", type=_PLAN)
@click.option("--estate", help="Estate to make the twin of (default: the sample estate the plan names).")
@click.option("--faults", type=_FILE, help="File of scripted trouble, YAML or JSON.")
@click.option("--quiet", is_flag=True, help="Print failures and the result only.")
def rehearse(plan: Path, estate: str | None, faults: Path | None, quiet: bool) -> int:
    """Carry every wave of PLAN out on a twin in this process, in virtual time.

    The same engine and the same Azure clients as in a run; nothing leaves this machine and nothing is
    remembered. The durations are assumed, not measured.

    \b
    Examples:
      readiness rehearse out/starter
      readiness rehearse out/june/plan.json --estate ./estate --faults faults.json --quiet
    """
    from readiness.app.run import exit_of
    from readiness.app.run import rehearse as carry_out

    states = carry_out(plan, estate, faults, LiveLines(quiet=quiet))
    for state in states:
        show_run(state)
    next_steps(states)
    say("Rehearsed on a twin in this process; durations are assumed.")
    return exit_of(*states)


@click.command()
@click.argument("plan", type=_PLAN)
@click.option("--wave", type=click.IntRange(1), required=True, help="Number of the wave.")
@click.option("--approve", required=True, metavar="DIGEST", help="Digest of the approved plan.")
@click.option("--twin", metavar="URL", help="Address of a twin, as 'twin serve' prints it.")
@click.option("--twin-ca", type=_FILE, help="Certificate of the twin (default: found in --state).")
@click.option("--quiet", is_flag=True, help="Print failures and the result only.")
@state_option
def run(
    plan: Path,
    wave: int,
    approve: str,
    twin: str | None,
    twin_ca: Path | None,
    quiet: bool,
    state: Path,
) -> int:
    """Carry one wave of PLAN out, or go on with it where it was interrupted.

    The same command again takes up what was begun: kill it at any moment and lose nothing. Ctrl-C once
    starts nothing more and finishes what has begun; twice leaves at once, and the next call goes on.

    \b
    Exit codes: 0 done, 7 some rolled back, 8 some need a person, 9 held.

    \b
    Example:
      readiness run out/starter --wave 1 --approve 1a2b3c4d5e6f --twin https://127.0.0.1:8443
    """
    from readiness.app.run import RunRequest, exit_of, prepare_run

    if twin is None:
        raise UsageError(
            "This release carries plans out on a twin only.",
            remedy="Serve one with 'readiness twin serve ESTATE', and give its address with --twin.",
        )
    request = RunRequest(plan=plan, wave=wave, approve=approve, twin=twin, certificate=twin_ca, state=state)
    prepared = prepare_run(request, LiveLines(quiet=quiet))
    say(f"Target: twin at {twin}, made for {prepared.plan.target.estate}")
    say(f"Run {prepared.info.id}, plan {prepared.plan.approval} approved by {prepared.info.approved_by}")
    _stop_on_interrupt(prepared)
    try:
        outcome = prepared.execute()
    finally:
        prepared.close()
    show_run(outcome)
    next_steps([outcome])
    return exit_of(outcome)


@click.command()
@click.argument("run", required=False)
@click.option("--story", is_flag=True, help="Print everything that happened, too.")
@state_option
def status(run: str | None, story: bool, state: Path) -> int:
    """Say where every VM of RUN stands, from any terminal, while it goes on or afterwards.

    RUN is the name that 'run' prints; without one, the run touched last.

    \b
    Examples:
      readiness status
      readiness status 1a2b3c4d5e6f-wave-1 --story
    """
    from readiness.app.run import exit_of
    from readiness.app.run import status as look

    view = look(state, run)
    if story:
        lines = LiveLines()
        for event in view.events:
            lines.told(event)
    show_run(view.state)
    if view.running:
        say("A process is carrying it out.")
        return Exit.DONE
    if view.state.is_unfinished:
        say("No process is carrying it out, and it is not finished: the same 'run' command goes on with it.")
    return exit_of(view.state)


@click.command()
@click.argument("run", required=False)
@state_option
def stop(run: str | None, state: Path) -> int:
    """Ask a running process to start nothing more; what has begun goes on to its end.

    \b
    Example:
      readiness stop 1a2b3c4d5e6f-wave-1
    """
    from readiness.app.run import request_stop

    say(f"Asked {request_stop(state, run)} to start nothing more. Watch it: readiness status")
    return Exit.DONE


def _stop_on_interrupt(prepared: "PreparedRun") -> None:
    """Make the first Ctrl-C a stop, and the second one leave at once: the journal is complete."""

    def stop_once(_number: int, _frame: FrameType | None) -> None:
        prepared.stop()
        signal.signal(signal.SIGINT, leave)
        click.echo("Nothing more is started; what has begun is finished. Ctrl-C again leaves at once.")

    def leave(_number: int, _frame: FrameType | None) -> None:
        click.echo("Left. The same command takes it up again.")
        os._exit(Exit.INTERRUPTED)

    signal.signal(signal.SIGINT, stop_once)
