"""The stage of `readiness demo`: each command is shown, carried out as a process, and held to its code."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from readiness.cli.console import say
from readiness.errors import Exit, UsageError


class Show:
    """Prints each command, carries it out, and insists on its exit code."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._environment = {**os.environ, "COLUMNS": str(shutil.get_terminal_size((120, 40)).columns)}

    def title(self, text: str) -> None:
        """Print a heading."""
        say(f"\n[bold cyan]{text}[/]")

    def command(self, *arguments: str, expect: Sequence[Exit] = (Exit.DONE,)) -> int:
        """Carry a command out before the eyes of whoever watches, and return its exit code."""
        self._announce(arguments)
        done = subprocess.run(_program(arguments), env=self._environment, check=False)
        self._insist(arguments, done.returncode, expect)
        return done.returncode

    def write(self, *arguments: str) -> str:
        """Carry out a command that writes files, and return what it says; all is shown if it fails."""
        self._announce(arguments)
        done = subprocess.run(
            _program(arguments),
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        if done.returncode:
            click.echo(done.stdout + done.stderr, nl=False)
        self._insist(arguments, done.returncode, (Exit.DONE,))
        return done.stdout

    @contextmanager
    def meanwhile(self, *arguments: str) -> Iterator[None]:
        """Carry a quiet command out while the block does something else, and show its output after it."""
        self._announce(arguments)
        with self._started(arguments) as process:
            yield
            for line in _lines(process):
                click.echo(line)
            process.wait()
        self._insist(arguments, process.returncode, (Exit.DONE,))

    def result(self, run: str) -> dict[str, Any]:
        """Return the result of a run, without showing it."""
        arguments = ("status", run, "--state", str(self.state), "--output", "json")
        done = subprocess.run(_program(arguments), env=self._environment, check=False, capture_output=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def kill_at(self, moment: Sequence[str], *arguments: str) -> None:
        """Carry a command out, and kill it with SIGKILL once its output shows a moment."""
        self._announce(arguments)
        with self._started(arguments) as process:
            for line in _lines(process):
                click.echo(line)
                if all(part in line for part in moment):
                    process.kill()
                    break
            process.wait()
        self._insist(arguments, process.returncode, (-9,))
        say("[bold red]killed with SIGKILL[/]")

    @contextmanager
    def twin(self, estate: str, start: datetime, speed: int, faults: Sequence[str]) -> Iterator[str]:
        """Serve a twin whose clock starts at an instant, while the block lasts."""
        what = ("twin", "serve", estate, "--speed", str(speed), "--at", f"{start:%Y-%m-%dT%H:%M:%SZ}")
        arguments = (*what, *faults, "--state", str(self.state))
        self._announce(arguments)
        with self._started(arguments) as process:
            try:
                first = next(_lines(process), "")
                if "https://" not in first:
                    raise UsageError("The twin did not start.", details=first)
                click.echo(first)
                yield first.rsplit(" ", 1)[-1]
            finally:
                process.terminate()

    def _announce(self, arguments: Sequence[str]) -> None:
        click.secho(f"$ readiness {shlex.join(arguments)}", dim=True)

    def _started(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            _program(arguments), env=self._environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def _insist(self, arguments: Sequence[str], code: int, expected: Sequence[int]) -> None:
        if code not in expected:
            raise UsageError(
                f"'readiness {arguments[0]}' ended with exit code {code} instead of {expected[0]}.",
                remedy="The demo stops here; its output above says why.",
            )


def _program(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "readiness", *arguments]


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    if process.stdout is None:
        raise AssertionError("the process has no output to read")
    return (line.rstrip("\n") for line in process.stdout)
