"""Several processes at one run: who may do what, what a stop and Ctrl-C leave behind, and who goes on."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Served, Terminal, digest_of_plan, read_until, rest, served, started

DONE, JOURNAL, NEEDS_A_PERSON, HELD, INTERRUPTED = 0, 6, 8, 9, 130
SLOW, FAST = 20.0, 800.0
"""Twin seconds in a second: slow enough to look around in, and as fast as it goes."""
FIRST = ("bo-app-02", "bo-appliance-01")
OFF = ("bo-appliance-01", "deallocate ...")
"""The line that tells that a VM is on its way down."""
LATER = ("bo-app-01", "bo-nightly-01", "bo-report-01")


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Served]:
    """A slow twin."""
    with served(tmp_path, rate=SLOW) as running:
        yield running


@pytest.fixture
def order(plan_folder: Path, tmp_path: Path, twin: Served, terminal: Terminal) -> tuple[object, ...]:
    """The words that carry out the first wave, which is prepared, on the twin."""
    approved = ("--approve", digest_of_plan(plan_folder))
    words = (plan_folder, "--wave", 1, *approved, "--twin", twin.url, "--state", tmp_path)
    twin.clock.hurry(FAST)
    prepared = terminal.type("prepare", *words, "--quiet")
    assert DONE == prepared.code, prepared.out + prepared.err
    twin.clock.hurry(SLOW)
    return ("run", *words)


def state_of(tmp_path: Path) -> tuple[object, ...]:
    """Return the words that name the state folder."""
    return ("--state", tmp_path)


def waiting(text: str) -> list[str]:
    """Return the VMs that a table of a run shows as waiting."""
    return [line.split("│")[2].strip() for line in text.splitlines() if "│ waiting" in line]


def test_a_run_seen_and_stopped_from_elsewhere(
    terminal: Terminal, tmp_path: Path, twin: Served, order: tuple[object, ...]
) -> None:
    """While one process runs a wave, a second one is refused; status looks on, stop holds it, run ends it."""
    with started(*order) as first:
        read_until(first, *OFF)
        words = terminal.refused(JOURNAL, *order)
        assert f"id {first.pid})" in words
        looked = terminal.type("status", *state_of(tmp_path))
        assert DONE == looked.code, looked.err
        assert "A process is carrying it out." in looked.out
        assert list(LATER) == waiting(looked.out)
        asked = terminal.type("stop", *state_of(tmp_path))
        assert DONE == asked.code
        assert "to start nothing more" in asked.out
        twin.clock.hurry(FAST)
        code, said = rest(first)
    assert NEEDS_A_PERSON == code, said
    assert "a stop was asked for" in said
    assert list(LATER) == waiting(said)
    words = terminal.refused(JOURNAL, "stop", *state_of(tmp_path))
    assert "No process is carrying out" in words
    after = terminal.type("status", *state_of(tmp_path))
    assert NEEDS_A_PERSON == after.code
    assert "a stop was asked for" in after.out
    finished = terminal.type(*order, "--quiet")
    assert NEEDS_A_PERSON == finished.code, finished.out + finished.err
    assert [] == waiting(finished.out)
    after = terminal.type("status", "--story", *state_of(tmp_path))
    assert NEEDS_A_PERSON == after.code
    assert "A process is carrying it out" not in after.out
    assert "a stop was asked for" in after.out
    assert ["deallocated", *["running"] * 4] == [twin.power(vm) for vm in (*FIRST, *LATER)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_one_signal_finishes_what_has_begun(
    terminal: Terminal, twin: Served, order: tuple[object, ...], number: signal.Signals
) -> None:
    """Ctrl-C once, SIGTERM and a closed terminal: what is off is brought to its end, the rest waits."""
    with started(*order) as process:
        read_until(process, *OFF)
        process.send_signal(number)
        read_until(process, "Nothing more is started, what has begun is finished.")
        twin.clock.hurry(FAST)
        code, said = rest(process)
    assert NEEDS_A_PERSON == code, said
    assert "Traceback" not in said
    assert list(LATER) == waiting(said)
    assert ["deallocated", "running"] == [twin.power(vm) for vm in FIRST]
    assert NEEDS_A_PERSON == terminal.type(*order, "--quiet").code
    assert ["running"] * 3 == [twin.power(vm) for vm in LATER]


def test_a_reader_that_leaves_stops_nothing(twin: Served, order: tuple[object, ...]) -> None:
    """Output into something that ends early, such as `head`: the wave goes on without being heard."""
    with started(*order) as process:
        read_until(process, *OFF)
        assert process.stdout is not None
        process.stdout.close()
        twin.clock.hurry(FAST)
        assert NEEDS_A_PERSON == process.wait(timeout=300)
    assert ["deallocated", *["running"] * 4] == [twin.power(vm) for vm in (*FIRST, *LATER)]


def test_a_terminal_that_is_closed_stops_what_was_not_begun(
    tmp_path: Path, twin: Served, terminal: Terminal, order: tuple[object, ...]
) -> None:
    """With the live screen on a terminal that goes away: the VM that is off comes back, the rest waits."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "readiness", *map(str, order)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "90", "LINES": "30"}
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        os.close(slave)
        seen = b""
        while b"deallocate" not in seen:
            seen += os.read(master, 65536)
        os.close(master)
        process.send_signal(signal.SIGHUP)
        twin.clock.hurry(FAST)
        assert NEEDS_A_PERSON == process.wait(timeout=300)
    assert b"failures used" in seen
    assert ["deallocated", "running"] == [twin.power(vm) for vm in FIRST]
    assert list(LATER) == waiting(terminal.type("status", *state_of(tmp_path)).out)


def test_a_second_interrupt_leaves_at_once(
    terminal: Terminal, tmp_path: Path, twin: Served, order: tuple[object, ...]
) -> None:
    """Ctrl-C twice leaves at once with 130; the same command takes the VMs up where they were."""
    with started(*order) as process:
        read_until(process, *OFF)
        process.send_signal(signal.SIGINT)
        read_until(process, "Nothing more is started")
        process.send_signal(signal.SIGINT)
        code, said = rest(process)
    assert INTERRUPTED == code, said
    assert "Left at once. Nothing is lost: the same command again goes on." in said
    looked = terminal.type("status", *state_of(tmp_path))
    assert HELD == looked.code
    assert "No process is carrying it out, and it is not finished" in looked.out
    twin.clock.hurry(FAST)
    finished = terminal.type(*order)
    assert NEEDS_A_PERSON == finished.code, finished.out + finished.err
    assert "taken up again at" in finished.out


def test_a_killed_runner_is_taken_up_on_its_own_twin_only(
    terminal: Terminal, tmp_path: Path, twin: Served, order: tuple[object, ...]
) -> None:
    """A run that was killed goes on where it was begun; on another twin of the estate it is refused."""
    with started(*order) as process:
        read_until(process, *OFF)
        process.kill()
    with served(tmp_path, rate=FAST) as other:
        elsewhere = tuple(other.url if word == twin.url else word for word in order)
        words = terminal.refused(JOURNAL, *elsewhere)
        assert [] == other.twin.log
    assert "was begun with another place" in words
    twin.clock.hurry(FAST)
    assert NEEDS_A_PERSON == terminal.type(*order, "--quiet").code


def test_a_served_twin_ends_on_a_signal(tmp_path: Path) -> None:
    """A twin is a process that ends on a signal, and takes its certificate with it."""
    with started("twin", "serve", "starter", "--state", tmp_path, "--at", "2026-11-24") as process:
        said = read_until(process, "Stop it with Ctrl-C.")
        assert "Its clock: 2026-11-24 00:00:00 UTC, 1 seconds a second" in said
        assert 1 == len(list(tmp_path.glob("twin-*.pem")))
        process.terminate()
        code, last = rest(process)
    assert (DONE, "Twin stopped.\n") == (code, last)
    assert [] == list(tmp_path.glob("twin-*.pem"))
