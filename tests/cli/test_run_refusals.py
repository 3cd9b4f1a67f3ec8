"""What commands on runs refuse: runs and VMs that are not there, half a command, damaged journals."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from readiness.store.artefacts import read_plan, write_plan
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of, run_id
from tests.app.synthetic_runs import INFO
from tests.cli.terminal import Terminal, digest_of_plan, served

USAGE, PLAN, JOURNAL = 2, 4, 6
NOWHERE = "https://127.0.0.1:9"
ON_RUNS = (("status",), ("stop",), ("pause",), ("resume",), ("audit", "verify"))


@pytest.mark.parametrize(
    "command", [*ON_RUNS, ("rollback", "--wave", "--yes"), ("retry", "--failed")], ids=" ".join
)
def test_no_runs(terminal: Terminal, tmp_path: Path, command: tuple[str, ...]) -> None:
    """A state folder without runs is told so, and with how to start one."""
    words = terminal.refused(USAGE, *command, "--state", tmp_path / "none")
    assert "There are no runs" in words
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "command",
    [
        *((*words, "abc-wave-1") for words in ON_RUNS),
        ("approve", "--run", "abc-wave-1"),
        ("reject", "--run", "abc-wave-1"),
        ("rollback", "--run", "abc-wave-1", "--wave", "--yes"),
        ("retry", "--failed", "abc-wave-1"),
        ("status", "../../etc"),
    ],
    ids=" ".join,
)
def test_an_unknown_run(terminal: Terminal, tmp_path: Path, command: tuple[str, ...]) -> None:
    """A run that does not exist is told so, and nothing is made for it."""
    assert "There is no run" in terminal.refused(JOURNAL, *command, "--state", tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (("retry",), "--failed"),
        (("rollback",), "--vm NAME"),
        (("rollback", "--wave", "--vm", "a"), "--vm NAME"),
        (("approve",), "PLAN and --wave"),
        (("approve", "PLAN", "--run", "a"), "PLAN and --wave"),
        (("approve", "PLAN"), "--wave N"),
        (("snapshots", "delete", "PLAN", "--live"), "--expired"),
        (("audit", "verify", "--head", "9c"), "12 characters"),
    ],
)
def test_what_has_to_be_said(
    terminal: Terminal, tmp_path: Path, command: tuple[str, ...], remedy: str
) -> None:
    """Nothing with an effect is guessed from half a command."""
    words = terminal.refused(USAGE, *command, "--state", tmp_path)
    assert remedy in words
    assert [] == list(tmp_path.iterdir())


# The journal --------------------------------------------------------------------------------------------


@pytest.fixture
def journal(plan_folder: Path, tmp_path: Path) -> Path:
    """The folder of a run of the first wave that was begun and did nothing yet."""
    plan = read_plan(plan_folder)
    folder = folder_of(tmp_path, run_id(plan, 1))
    write_plan(folder, plan)
    info = replace(INFO, id=run_id(plan, 1), plan=plan.digest)
    SqliteJournal.open(folder, info).close()
    return folder


def test_a_journal_of_another_version(terminal: Terminal, tmp_path: Path, journal: Path) -> None:
    """A journal of a format to come is left alone, with the advice to use its release."""
    with closing(sqlite3.connect(journal / "journal.sqlite", isolation_level=None)) as opened:
        opened.execute("UPDATE meta SET value = 'readiness/journal/99' WHERE key = 'format'")
    words = terminal.refused(JOURNAL, "status", "--state", tmp_path)
    assert "readiness/journal/99" in words
    assert "release" in words


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE meta SET value = '{' WHERE key = 'run'",
        "DROP TABLE step",
        "INSERT INTO step VALUES (1,1,1,1,1,1,1,1,1)",
    ],
)
def test_a_damaged_journal(terminal: Terminal, tmp_path: Path, journal: Path, damage: str) -> None:
    """A journal that cannot be understood is said to be so, and the folder is to be kept."""
    with closing(sqlite3.connect(journal / "journal.sqlite", isolation_level=None)) as opened:
        opened.execute(damage)
    words = terminal.refused(JOURNAL, "status", "--state", tmp_path)
    assert str(journal) in words
    assert "Keep the folder" in words


def test_a_journal_that_is_none(terminal: Terminal, tmp_path: Path, journal: Path) -> None:
    """A file that is no database is told by its folder."""
    (journal / "journal.sqlite").write_bytes(b"no database at all" * 99)
    assert str(journal) in terminal.refused(JOURNAL, "status", "--state", tmp_path)


def test_a_plan_that_was_edited_beside_its_journal(terminal: Terminal, tmp_path: Path, journal: Path) -> None:
    """The copy of the plan beside a journal is proven, too."""
    text = (journal / "plan.json").read_text(encoding="utf-8")
    assert '"undo":"config"' in text
    (journal / "plan.json").write_text(text.replace('"undo":"config"', '"undo":"none"', 1), encoding="utf-8")
    assert "was altered" in terminal.refused(PLAN, "status", "--state", tmp_path)


def test_an_unknown_vm_of_a_run(terminal: Terminal, tmp_path: Path, journal: Path) -> None:
    """A word for a VM that a run does not have is refused, with those it has."""
    words = terminal.refused(USAGE, "approve", "--run", journal.name, "--vm", "nobody", "--state", tmp_path)
    assert "bo-app-01" in words
    assert "has no VM nobody" in words


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_a_decision_that_nothing_waits_for(
    terminal: Terminal, tmp_path: Path, journal: Path, command: str
) -> None:
    """A word on a VM that is not undecided would come to nothing: it is refused, and says who does wait."""
    place = ("--run", journal.name, "--state", tmp_path)
    words = terminal.refused(USAGE, command, *place, "--vm", "bo-app-01")
    assert "bo-app-01 of " in words
    assert "is not undecided" in words
    assert "Those that wait for a decision are: none" in words
    assert "No VM of " in terminal.refused(USAGE, command, *place)


def test_nobody_to_ask(terminal: Terminal, tmp_path: Path, journal: Path) -> None:
    """Where nobody can be asked, a rollback needs its yes beforehand."""
    place = ("--twin", NOWHERE, "--state", tmp_path)
    words = terminal.refused(USAGE, "rollback", "--run", journal.name, "--wave", *place)
    assert "--yes" in words


def test_a_state_folder_on_a_network(
    terminal: Terminal, plan_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No journal is kept where the locks of the file system do not hold."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/share {tmp_path / 'share'} nfs4 rw 0 0\n")
    monkeypatch.setattr("readiness.store.place._MOUNTS", mounts)
    with served(tmp_path, rate=1) as twin:
        approved = ("--wave", 1, "--approve", digest_of_plan(plan_folder), "--state", tmp_path / "share")
        place = ("--twin", twin.url, "--twin-ca", next(tmp_path.glob("twin-*.pem")))
        words = terminal.refused(JOURNAL, "run", plan_folder, *approved, *place)
    assert "network file system (nfs4)" in words
    assert "--state" in words
