"""`readiness demo`: everything in one go, by the commands a team would type themselves.

Every step is a process of its own, the twin too: what is shown is what works, not a film of it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from readiness.cli.console import say
from readiness.errors import Exit, UsageError

_ESTATE = "starter"
_FAILING, _KILLED_AT = "sf-app-02", ("bo-app-01", "set encryptionAtHost, securityType, uefiSettings ...")
_SPEED = 150
_FAULTS = {
    "format": "readiness/faults/1",
    "faults": [
        {"kind": "agent-silent", "resource": _FAILING, "while_security_type": "TrustedLaunch"},
    ],
}


@click.command()
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/demo"),
    show_default=True,
    help="Folder for everything the demo writes; what an earlier demo left there is replaced.",
)
def demo(to: Path) -> int:
    """Show all of it on an invented estate, without Azure, in under a minute.

    Assesses the estate, plans waves into an Excel workbook, rehearses the plan, and carries two waves out
    on a twin. One runner is killed in the middle and goes on; one VM fails and is brought back.
    """
    started = time.monotonic()
    show = _Show(to)
    show.title("1. Assess: where does every VM stand?")
    show.command("assess", _ESTATE)
    show.title("2. Plan: waves into maintenance windows, as a workbook that owners sign")
    show.command("plan", "create", _ESTATE, "--to", str(to))
    plan = json.loads((to / "plan.json").read_text(encoding="utf-8"))
    digest = plan["digest"][:12]
    show.title("3. Rehearse: the whole plan in virtual time, before any window")
    show.command("rehearse", str(to), "--quiet")
    show.title("4. Run: two waves on a twin that is a process of its own")
    opens = plan["vms"][0]["occurrence"]["opens"]
    with show.twin(opens) as url:
        order = ("run", str(to), "--approve", digest, "--twin", url, "--state", str(show.state))
        show.kill_at(_KILLED_AT, *order, "--wave", "1")
        show.title("5. The runner is dead, and a VM is off. What does the journal know?")
        show.command("status", "--state", str(show.state), expect=(Exit.HELD,))
        show.title("6. The same command again goes on where it ended")
        show.command(*order, "--wave", "1")
        show.title(f"7. Wave 2: {_FAILING} does not come back from its start, and is brought back")
        show.command(*order, "--wave", "2", expect=(Exit.SOME_ROLLED_BACK,))
    show.title(f"Done in {time.monotonic() - started:.0f} seconds")
    _sum_up(to, show.state, digest)
    return Exit.DONE


def _sum_up(to: Path, state: Path, digest: str) -> None:
    say("One runner was killed, and nothing was lost. One VM failed, and runs as before.")
    say(f"  {to / 'wave-plan.xlsx'}   the wave plan: open it in Excel")
    say(f"  {to / 'plan.json'}        the plan itself, digest {digest}")
    say(f"  {state}            the journals: readiness status --story --state {state}")


class _Show:
    """Prints each command, carries it out, and insists on its exit code."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        shutil.rmtree(self.state, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._faults = folder / "faults.json"
        self._faults.write_text(json.dumps(_FAULTS, indent=2) + "\n", encoding="utf-8")
        self._environment = {**os.environ, "COLUMNS": str(shutil.get_terminal_size((120, 40)).columns)}

    def title(self, text: str) -> None:
        """Print a heading."""
        say(f"\n[bold cyan]{text}[/]")

    def command(self, *arguments: str, expect: Sequence[Exit] = (Exit.DONE,)) -> None:
        """Carry a command out before the eyes of whoever watches."""
        self._announce(arguments)
        done = subprocess.run(_program(arguments), env=self._environment, check=False)
        self._insist(arguments, done.returncode, expect)

    def kill_at(self, moment: tuple[str, str], *arguments: str) -> None:
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
    def twin(self, opens: str) -> Iterator[str]:
        """Serve a twin, its clock just before the first window, while the block lasts."""
        moment = datetime.fromisoformat(opens).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        what = ("twin", "serve", _ESTATE, "--speed", str(_SPEED), "--at", moment)
        arguments = (*what, "--faults", str(self._faults), "--state", str(self.state))
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
        click.secho(f"$ readiness {' '.join(arguments)}", dim=True)

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
