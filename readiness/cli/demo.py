"""`readiness demo`: everything in one go, by the commands a team would type themselves.

Every step is a process of its own, the twin too: what is shown is what works, not a film of it.
"""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from readiness.cli.console import harmless, say
from readiness.cli.demo_stage import Show
from readiness.errors import Exit, UsageError

_ESTATE = "starter"
_DAY = "2026-11-22"
"""The day that everything begins: whenever the demo is shown, it is the same one."""
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
    two waves out on a twin, with preparation, outage and closure. One runner is killed in the middle and goes
    on; one VM waits for a person's word; one fails and is brought back. Collects and assesses the estate
    again, and writes every report there is. Ends with 0 only if all of that happened.
    """
    started = time.monotonic()
    show = _set_up(to)
    state = ("--state", str(show.state))
    show.title("1. Assess: where does every VM stand?")
    found = ("--as-of", _DAY, "--to", str(to / "before"), "--workbook")
    show.command("assess", _ESTATE, *found, *state)
    show.title("2. Plan: waves into maintenance windows, as a workbook that owners sign")
    show.command(
        "plan", "create", _ESTATE, "--as-of", _DAY, "--policy", str(to / "policy.yaml"), "--to", str(to)
    )
    plan = json.loads((to / "plan.json").read_text(encoding="utf-8"))
    digest = plan["digest"][:12]
    show.title(f"3. Rehearse wave 2 in virtual time, with trouble: {_FAILING} does not answer once changed")
    faults = ("--faults", str(to / "faults.json"))
    show.command("rehearse", str(to), "--wave", "2", *faults, "--quiet", expect=(Exit.SOME_ROLLED_BACK,))
    show.title("4. The same on a twin that is a process of its own")
    with show.twin(_ESTATE, _opening(plan) - _AHEAD, _SPEED, faults) as url:
        place = ("--approve", digest, "--twin", url, *state)
        _first_wave(show, to, digest, place)
        _second_wave(show, to, place)
        show.title("11. What was left behind, and proof that nobody changed the story")
        show.command("snapshots", "list", str(to), "--twin", url, *state)
        show.command("audit", "verify", *state)
        show.title("12. Collect the estate again and assess it: what did the two waves bring?")
        _look_again(show, to, url)
    _insist_on_outcome(show, digest)
    show.title("13. Reports")
    _report(show, to)
    show.title(f"Done in {time.monotonic() - started:.0f} seconds")
    _sum_up(to, show.state, digest)
    return Exit.DONE


def _set_up(to: Path) -> Show:
    """Clear away what an earlier demo remembered, and write what goes into this one."""
    state = to / "state"
    shutil.rmtree(state, ignore_errors=True)
    to.mkdir(parents=True, exist_ok=True)
    (to / "faults.json").write_text(json.dumps(_FAULTS, indent=2) + "\n", encoding="utf-8")
    (to / "policy.yaml").write_text(_POLICY, encoding="utf-8")
    return Show(state)


def _opening(plan: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(plan["vms"][0]["occurrence"]["opens"]).astimezone(UTC)


def _first_wave(show: Show, to: Path, digest: str, place: tuple[str, ...]) -> None:
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


def _second_wave(show: Show, to: Path, place: tuple[str, ...]) -> None:
    wave = ("--wave", "2")
    show.title(f"10. Wave 2: {_FAILING} does not come back from its start, and is brought back as it was")
    with show.meanwhile("prepare", str(to), *wave, *place, "--quiet"):
        say("[yellow]Its backups take hours: meanwhile what became of wave 1, and the papers for wave 2.[/]")
        _report_wave(show, to, "1")
        for form in ("html", "md"):
            show.write("report", "runbook", str(to), *wave, "--format", form, "--to", str(to / "runbook"))
        show.write("report", "iac", str(to), "--to", str(to / "iac"))
    show.command("run", str(to), *wave, *place, "--quiet", expect=(Exit.SOME_ROLLED_BACK,))
    show.command("close", str(to), *wave, *place, "--quiet")


def _look_again(show: Show, to: Path, url: str) -> None:
    """Collect the estate as the waves left it, and continue its history with it."""
    from readiness.app.estates import locate

    collected, state = to / "collected", ("--state", str(show.state))
    collected.mkdir(exist_ok=True)
    shutil.copy(locate(_ESTATE) / "context.yaml", collected)
    say("[dim]context.yaml, which people wrote, goes along: owners, windows, exceptions.[/]")
    show.write("collect", "--twin-url", url, "--to", str(collected), *state)
    info = json.loads((collected / "estate.json").read_text(encoding="utf-8"))
    day = datetime.fromisoformat(info["collected_at"]).date().isoformat()
    found = ("--to", str(to / "after"), "--workbook")
    show.write("assess", str(collected), "--as-of", day, "--record-as", _ESTATE, *found, *state)
    show.command("report", "history", *state)


def _insist_on_outcome(show: Show, digest: str) -> None:
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


def _report(show: Show, to: Path) -> None:
    """Write what there is to tell afterwards."""
    said = show.write("report", "progress", "--to", str(to / "progress"), "--state", str(show.state))
    click.echo(said, nl=False)
    _report_wave(show, to, "2")
    show.command("exceptions", "list", _ESTATE, "--as-of", _DAY)


def _report_wave(show: Show, to: Path, wave: str) -> None:
    told = ("--to", str(to / f"wave-{wave}"), "--state", str(show.state))
    show.write("report", "wave", str(to), "--wave", wave, *told)


_FILES = {
    "progress/progress.html": "how far the estate has come; progress.xlsx beside it is the same for Excel",
    "wave-2/wave-2-report.html": "what became of wave 2, and what is left to do; wave-1 has the first",
    "wave-plan.xlsx": "the plan of the waves, as its owners sign it",
    "after/findings.xlsx": "every VM with its reasons; before/findings.xlsx is from before the waves",
    "runbook/runbook-wave-2.html": "wave 2 by hand, for an operator with the Azure CLI alone",
    "iac/iac.md": "what Terraform and Bicep code has to say now",
}


def _sum_up(to: Path, state: Path, digest: str) -> None:
    say("One runner was killed, and nothing was lost. One VM failed, and runs as before. What to open:")
    width = max(len(str(to / name)) for name in _FILES)
    for name, what in _FILES.items():
        say(f"  [bold]{harmless(str(to / name)):<{width}}[/]  {what}")
    story = f"readiness status {digest}-wave-1 --story --state {state}"
    say(f"The story of wave 1, event by event: {harmless(story)}")
