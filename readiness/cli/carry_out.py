"""Carries a stage of a wave out before somebody's eyes: a live screen, log lines, or one JSON document."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import click

from readiness.cli.console import LiveLines, advise, harmless, is_screen, print_json, say, show_run, warn
from readiness.errors import Exit, ReadinessError
from readiness.model.lifecycle import Phase, Stage

if TYPE_CHECKING:
    from readiness.app.carrying import PreparedRun, RunRequest
    from readiness.cli.screen import Screen
    from readiness.model.run import Event, RunState

_STOPPING = "Nothing more is started, what has begun is finished. Ctrl-C again: leave now."
_LEFT = "Left at once. Nothing is lost: the same command again goes on."


def carry_out(
    plan: Path,
    wave: int,
    approve: str,
    stage: Stage,
    *,
    output: str | None,
    quiet: bool,
    again: frozenset[Phase] = frozenset(),
    begin: Callable[["PreparedRun"], None] | None = None,
    **where: Any,
) -> int:
    """Carry a stage out, or go on with it; return the exit code.

    Args:
        plan: The plan.
        wave: Number of the wave.
        approve: The digest somebody approved.
        stage: What of the wave is carried out.
        output: `screen`, `lines` or `json`; None for what fits the terminal.
        quiet: Whether only failures and the result are printed.
        again: VMs that ended so are tried anew.
        begin: What is done once nothing refuses the run, before it goes on.
        where: `twin`, `twin_ca`, `live` and `state`.
    """
    from readiness.app.carrying import prepare_run
    from readiness.app.recording import record_end
    from readiness.app.run_status import ended, exit_of

    request = request_for(plan, wave, approve, stage=stage, again=again, **where)
    show = _Show(output or "screen", quiet=quiet)
    prepared = prepare_run(request, show)
    with ExitStack() as opened:
        opened.callback(prepared.close)
        opened.enter_context(show.shown(prepared))
        opened.enter_context(_stopping_on_signals(prepared, show))
        if begin is not None:
            begin(prepared)
        outcome = prepared.execute()
    view = ended(plan, request.state, outcome)
    if output == "json":
        print_json(view.result())
    else:
        show.sum_up(outcome, [(each.command, each.why) for each in view.advice()], prepared.last_head)
    show.trouble(record_end(request.state, outcome.info.id))
    return exit_of(outcome)


def request_for(plan: Path, wave: int, approve: str, **where: Any) -> "RunRequest":
    """Return what an operator asks for, in the words of the use cases."""
    from readiness.app.carrying import RunRequest

    return RunRequest(plan=plan, wave=wave, approve=approve, certificate=where.pop("twin_ca"), **where)


def look_only(plan: Path, wave: int, approve: str, *, output: str | None, quiet: bool, **where: Any) -> int:
    """Ask everything a run asks before its first effect, of every VM of a wave, and change nothing."""
    from readiness.app.dry_run import dry_run

    what = "shared objects" if where.get("action") else "VMs"
    found = dry_run(request_for(plan, wave, approve, **where))
    if output == "json":
        print_json(found)
        return Exit.DONE if found.may_go else Exit.NEEDS_A_PERSON
    for sentence in found.consent_missing:
        say(f"[red]Missing:[/] {harmless(sentence)}")
    for vm in found.vms:
        if vm.may_go and not quiet:
            say(f"[green]{harmless(vm.name)}[/]: {harmless(vm.note or 'nothing refuses it now')}")
        for refusal in vm.refusals:
            say(f"[red]{harmless(vm.name)}[/]: {harmless(refusal)}")
    going = sum(1 for vm in found.vms if vm.may_go)
    once = " once that is there" if found.consent_missing and going else ""
    say(f"{going} of {len(found.vms)} {what} may go{once}; nothing was changed")
    return Exit.DONE if found.may_go else Exit.NEEDS_A_PERSON


class _Show:
    """Whoever watches a run, in one of three ways. Where nobody can be told any more, the run goes on."""

    def __init__(self, how: str, *, quiet: bool) -> None:
        self._how = "lines" if how == "screen" and not is_screen() else how
        self._lines = LiveLines(quiet=quiet, silent=how == "json")
        self._screen: Screen | None = None
        self._prepared: PreparedRun | None = None
        self._is_heard = True
        self._terminals = [stream for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    @contextmanager
    def shown(self, prepared: "PreparedRun") -> Iterator[None]:
        """Say first where this is carried out and by whose word, and show it while the block lasts."""
        self._prepared = prepared
        if self._how != "json":
            _introduce(prepared)
        if self._how != "screen":
            yield
            return
        from readiness.cli.screen import Screen

        with Screen() as self._screen:
            self._draw()
            yield
        self._screen = None

    def told(self, event: "Event") -> None:
        """Show an event."""
        if self._screen is not None:
            self._screen.told(event)
            if self._screen.is_stale:
                self._draw()
        else:
            self._heard(lambda: self._lines.told(event))

    def word(self, text: str) -> None:
        """Say something to whoever pressed a key."""
        if self._screen is not None:
            self._screen.note(text)
        else:
            self._heard(lambda: click.echo(text, err=True))

    def hang_up(self) -> None:
        """Take note that the terminal was closed: nothing more is sent there; files still get everything."""
        _silence(self._terminals)

    def leave(self) -> None:
        """Give the terminal back at once."""
        if self._screen is not None:
            self._screen.__exit__(None, None, None)
            self._screen = None
        self.word(_LEFT)

    def sum_up(self, outcome: "RunState", commands: list[tuple[str, str]], head: str) -> None:
        """Say how it ended and what to do now."""

        def print_all() -> None:
            show_run(outcome)
            advise([outcome], commands)
            say(f"Head of the audit chain: {head}")

        self._heard(print_all)

    def trouble(self, error: ReadinessError | None) -> None:
        """Say what went wrong beside the run, if anything did."""
        if error is not None:
            self._heard(lambda: warn(error))

    def _heard(self, tell: Callable[[], None]) -> None:
        """Print; a terminal that was closed, or a reader that left, stops nothing."""
        if not self._is_heard:
            return
        try:
            tell()
        except (OSError, SystemExit):  # rich leaves the process where a reader left
            self._is_heard = False
            _silence([sys.stdout, sys.stderr])

    def _draw(self) -> None:
        from readiness.app.outlook import outlook_of

        if self._screen is not None and self._prepared is not None:
            began = time.monotonic()
            outlook = outlook_of(self._prepared)
            self._screen.show(outlook, time.monotonic() - began)


def _introduce(prepared: "PreparedRun") -> None:
    colour = "bold red" if prepared.place.is_live else "cyan"
    say(f"Target: [{colour}]{harmless(prepared.place.words)}[/]")
    info = prepared.info
    say(f"Run {info.id}, plan {prepared.plan.approval} approved by {harmless(info.approved_by)}")
    for name, why in prepared.left_out.items():
        say(f"[yellow]{harmless(name)} is not part of it:[/] {harmless(why)}")


def _silence(streams: Iterable[TextIO]) -> None:
    """Let what is still printed go nowhere: otherwise Python complains at its end of what it cannot flush."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _stopping_on_signals(prepared: "PreparedRun", show: _Show) -> Iterator[None]:
    """Make the first Ctrl-C, SIGTERM or closed terminal a stop, and a Ctrl-C after that leave at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        prepared.stop()
        signal.signal(signal.SIGINT, leave)
        if number == signal.SIGHUP:
            show.hang_up()
        show.word(_STOPPING)

    def leave(_number: int, _frame: FrameType | None) -> None:
        show.leave()
        os._exit(Exit.INTERRUPTED)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
