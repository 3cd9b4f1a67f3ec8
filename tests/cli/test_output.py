"""What commands print, whole, as somebody last read and accepted it."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import AS_OF, Terminal
from tests.reports.dump import snapshot

NEEDS_A_PERSON = 8
"""How a wave of the starter estate ends: nothing proves the boot of its appliance, and a person decides."""
COMMANDS = (
    (),
    ("collect",),
    ("import",),
    ("generate",),
    ("assess",),
    ("explain",),
    ("exceptions",),
    ("exceptions", "check"),
    ("exceptions", "expiring"),
    ("exceptions", "export"),
    ("exceptions", "import"),
    ("exceptions", "list"),
    ("plan",),
    ("plan", "create"),
    ("plan", "diff"),
    ("plan", "graph"),
    ("plan", "import"),
    ("plan", "policy"),
    ("plan", "split"),
    ("rehearse",),
    ("prepare",),
    ("report", "compare"),
    ("report", "history"),
    ("report", "iac"),
    ("report", "progress"),
    ("report", "wave"),
    ("run",),
    ("close",),
    ("tighten",),
    ("status",),
    ("stop",),
    ("pause",),
    ("resume",),
    ("approve",),
    ("reject",),
    ("retry",),
    ("rollback",),
    ("recover",),
    ("snapshots",),
    ("snapshots", "list"),
    ("snapshots", "delete"),
    ("audit",),
    ("audit", "verify"),
    ("permissions",),
    ("report",),
    ("report", "runbook"),
    ("twin",),
    ("twin", "serve"),
    ("demo",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(command) or "readiness")
def test_help(terminal: Terminal, command: tuple[str, ...]) -> None:
    """Each command says what it does, what it takes, and gives an example where it takes anything."""
    ended = terminal.type(*command, "--help")
    name = f"cli-help{''.join(f'-{word}' for word in command)}.txt"
    assert (0, "") == (ended.code, ended.err)
    assert snapshot(name, ended.out) == ended.out
    assert ended.out == terminal.type(*command, "-h").out


def test_every_command_has_a_snapshot() -> None:
    """No command was added without its help being looked at."""
    from readiness.cli.main import readiness as root

    found = {()}
    for name, command in root.commands.items():
        found.add((name,))
        found |= {(name, inner) for inner in getattr(command, "commands", {})}
    assert set(COMMANDS) == found


def test_assess_as_a_table(terminal: Terminal) -> None:
    """The assessment of the starter estate, for people."""
    ended = terminal.type("assess", "starter", "--as-of", AS_OF)
    assert (0, "") == (ended.code, ended.err)
    assert snapshot("cli-assess-table.txt", ended.out) == ended.out


def test_assess_as_csv(terminal: Terminal) -> None:
    """The assessment of the starter estate, for spreadsheets: one line a VM, with a byte order mark."""
    ended = terminal.type("assess", "starter", "--as-of", AS_OF, "--output", "csv")
    assert (0, "") == (ended.code, ended.err)
    assert ended.out.startswith("\ufeffname,")
    assert snapshot("cli-assess-csv.txt", ended.out) == ended.out


def test_assess_as_json(terminal: Terminal) -> None:
    """The assessment of the starter estate, for machines: it says what it is before anything else."""
    ended = terminal.type("assess", "starter", "--as-of", AS_OF, "--output", "json")
    head = "\n".join(ended.out.splitlines()[:60]) + "\n"
    assert (0, "", AS_OF) == (ended.code, ended.err, json.loads(ended.out)["as_of"])
    assert snapshot("cli-assess-json-head.txt", head) == head


def test_plan_create(terminal: Terminal, tmp_path: Path) -> None:
    """The plan of the starter estate, and the files that were written."""
    ended = terminal.type("plan", "create", "starter", "--as-of", AS_OF, "--to", tmp_path / "plan")
    seen = ended.out.replace(str(tmp_path), "TMP")
    assert (0, "") == (ended.code, ended.err)
    assert snapshot("cli-plan-create.txt", seen) == seen
    written = {file.name.split("-")[0] for file in (tmp_path / "plan").iterdir()}
    assert {"plan.json", "plan", "wave"} == written


def test_rehearse_quietly(terminal: Terminal, plan_folder: Path) -> None:
    """A rehearsal of the starter plan: where every VM stands at the end, and nothing on the way."""
    ended = terminal.type("rehearse", plan_folder, "--quiet")
    assert (NEEDS_A_PERSON, "") == (ended.code, ended.err)
    assert snapshot("cli-rehearse-quiet.txt", ended.out) == ended.out


def test_rehearsals_are_the_same_every_time(terminal: Terminal, plan_folder: Path) -> None:
    """Two rehearsals of a plan tell the same story, to the second."""
    first = terminal.type("rehearse", plan_folder)
    assert NEEDS_A_PERSON == first.code
    assert len(first.out.splitlines()) > 100
    assert first.out == terminal.type("rehearse", plan_folder).out


def test_version(terminal: Terminal) -> None:
    """The release is told in one line."""
    assert "readiness, version " == terminal.type("--version").out[:19]
