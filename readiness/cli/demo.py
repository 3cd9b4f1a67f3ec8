"""`readiness demo`: everything in one go, by the commands a team would type themselves.

Every step is a process of its own, the twin too: what is shown is what works, not a film of it.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from readiness.cli.console import say
from readiness.errors import Exit, UsageError

_ESTATE = "starter"
_FAILING = "sf-app-02"
_KILLED_AT = ("bo-app-01", "full snapshot of", "...")
"""The runner is killed at the first line with all of these: the VM is off, and Azure is at work on it."""
_SPEED = 300
_FAULTS = {
    "format": "readiness/faults/1",
    "faults": [
        {"kind": "agent-silent", "resource": _FAILING, "while_security_type": "TrustedLaunch"},
    ],
}
_POLICY = """\
format: readiness/policy/1
execution:
  max_concurrency: 5
  backup_max_age_hours: 168    # both waves are prepared days before the second one
"""
_AHEAD = timedelta(hours=26)
"""How long before the first window the twin's clock starts: preparation comes the day before."""


@click.command()
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/demo"),
    show_default=True,
    help="Folder for everything the demo writes; what an earlier demo left there is replaced.",
)
def demo(to: Path) -> int:
    """Show all of it on an invented estate, without Azure, in under two minutes.

    Assesses the estate, plans waves into an Excel workbook, rehearses one with scripted trouble, and carries
    two waves out on a twin, the first with preparation, outage and closure. One runner is killed in the
    middle and goes on; one VM waits for a person's word; one fails and is brought back. Ends with 0 only if
    all of that happened.
    """
    started = time.monotonic()
    show = _Show(to)
    show.title("1. Assess: where does every VM stand?")
    show.command("assess", _ESTATE)
    show.title("2. Plan: waves into maintenance windows, as a workbook that owners sign")
    show.command("plan", "create", _ESTATE, "--policy", str(show.policy), "--to", str(to))
    plan = json.loads((to / "plan.json").read_text(encoding="utf-8"))
    digest = plan["digest"][:12]
    show.title(f"3. Rehearse wave 2 in virtual time, with trouble: {_FAILING} does not answer once changed")
    faults = ("--faults", str(show.faults))
    show.command("rehearse", str(to), "--wave", "2", *faults, "--quiet", expect=(Exit.SOME_ROLLED_BACK,))
    show.title("4. The same on a twin that is a process of its own")
    opens = datetime.fromisoformat(plan["vms"][0]["occurrence"]["opens"]).astimezone(UTC)
    with show.twin(opens - _AHEAD, faults) as url:
        place = ("--approve", digest, "--twin", url, "--state", str(show.state))
        _first_wave(show, to, digest, place)
        _second_wave(show, to, place)
        show.title("11. What was left behind, and proof that nobody changed the story")
        show.command("snapshots", "list", str(to), "--twin", url, "--state", str(show.state))
    show.command("audit", "verify", "--state", str(show.state))
    _insist_on_outcome(show, digest)
    show.title(f"Done in {time.monotonic() - started:.0f} seconds")
    _sum_up(to, show.state, digest)
    return Exit.DONE


def _first_wave(show: "_Show", to: Path, digest: str, place: tuple[str, ...]) -> None:
    wave, state = ("--wave", "1"), ("--state", str(show.state))
    show.title("5. Prepare wave 1 the day before, online: identities, keys tried out, backups")
    show.command("prepare", str(to), *wave, *place, "--quiet")
    show.title("6. Run wave 1 in its window, and kill the runner in the middle of an outage")
    show.kill_at(_KILLED_AT, "run", str(to), *wave, *place, "--output", "lines")
    show.title("7. The runner is dead, and a VM is off. What does the journal know?")
    show.command("status", *state, expect=(Exit.HELD, Exit.NEEDS_A_PERSON))
    show.title("8. The same command again goes on where it ended")
    code = show.command(
        "run", str(to), *wave, *place, "--output", "lines", expect=(Exit.DONE, Exit.NEEDS_A_PERSON)
    )
    if code == Exit.NEEDS_A_PERSON:
        say("[yellow]A person looks at the VM whose health cannot be told, and decides.[/]")
        show.command("approve", "--run", f"{digest}-wave-1", *state, "--note", "seen on its console")
        show.command("run", str(to), *wave, *place, "--quiet")
    show.title("9. Close wave 1 after its soak, online: attestation, and the end of passwords where planned")
    show.command("close", str(to), *wave, *place, "--quiet")


def _second_wave(show: "_Show", to: Path, place: tuple[str, ...]) -> None:
    wave = ("--wave", "2")
    show.title(f"10. Wave 2: {_FAILING} does not come back from its start, and is brought back as it was")
    show.command("prepare", str(to), *wave, *place, "--quiet")
    show.command("run", str(to), *wave, *place, "--quiet", expect=(Exit.SOME_ROLLED_BACK,))


def _insist_on_outcome(show: "_Show", digest: str) -> None:
    """Fail unless the journals say what the script says: one VM was brought back, and all others are done."""
    for wave, brought_back in ((1, []), (2, [_FAILING])):
        result = show.result(f"{digest}-wave-{wave}")
        ends = {vm["name"]: vm["outcome"] for vm in result["vms"]}
        others = {name: end for name, end in ends.items() if name not in brought_back and end != "done"}
        if others or any(ends.get(name) != "rolled_back" for name in brought_back):
            raise UsageError(
                f"Wave {wave} did not end as scripted.",
                details=", ".join(f"{name}: {end}" for name, end in ends.items()),
                remedy=f"See its story: readiness status --story {digest}-wave-{wave} --state {show.state}",
            )


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
        self.faults = folder / "faults.json"
        self.faults.write_text(json.dumps(_FAULTS, indent=2) + "\n", encoding="utf-8")
        self.policy = folder / "policy.yaml"
        self.policy.write_text(_POLICY, encoding="utf-8")
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
    def twin(self, start: datetime, faults: Sequence[str]) -> Iterator[str]:
        """Serve a twin whose clock starts at an instant, while the block lasts."""
        what = ("twin", "serve", _ESTATE, "--speed", str(_SPEED), "--at", f"{start:%Y-%m-%dT%H:%M:%SZ}")
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
