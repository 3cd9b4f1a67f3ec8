"""`assess` leaves a history behind, and `readiness report` reads it: through the real command line."""

import json
import shutil
from pathlib import Path

import pytest

from readiness.app.estates import locate
from tests.cli.terminal import AS_OF, Terminal

EARLIER = "2026-10-01"


@pytest.fixture
def state(terminal: Terminal, tmp_path: Path) -> Path:
    """A state folder with two snapshots of the starter estate."""
    folder = tmp_path / "state"
    for day in (EARLIER, AS_OF):
        assert 0 == terminal.type("assess", "starter", "--as-of", day, "--state", folder).code
    return folder


def test_assess_records_once(terminal: Terminal, state: Path) -> None:
    """The same assessment again is the same snapshot; with --no-history or --scope there is none."""
    for more in ((), ("--no-history",), ("--scope", "name:sf-*")):
        terminal.type("assess", "starter", "--as-of", AS_OF, "--state", state, *more)
    listed = json.loads(terminal.type("report", "history", "--state", state, "--output", "json").out)
    assert [EARLIER, AS_OF] == [one["as_of"] for one in listed["snapshots"]]


def test_no_history_touches_nothing(terminal: Terminal, tmp_path: Path) -> None:
    """With --no-history not even the folder is made."""
    terminal.type("assess", "starter", "--no-history", "--state", tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_the_answer_comes_before_the_trouble(terminal: Terminal, tmp_path: Path) -> None:
    """A history that cannot be written is an error with its remedy, after the whole answer was printed."""
    (tmp_path / "history.sqlite").write_bytes(b"nothing like a database, and long enough to be one" * 100)
    ended = terminal.type("assess", "starter", "--as-of", AS_OF, "--output", "json", "--state", tmp_path)
    assert (6, AS_OF) == (ended.code, json.loads(ended.out)["as_of"])
    assert "is damaged" in ended.err
    assert "Remedy:" in ended.err


def test_history_as_csv(terminal: Terminal, state: Path) -> None:
    """One line a snapshot."""
    ended = terminal.type("report", "history", "--state", state, "--output", "csv")
    assert ended.out.startswith("\ufeffEstate,As of,Snapshot")
    assert [EARLIER, AS_OF] == [line.split(",")[1] for line in ended.out.splitlines()[1:]]


def test_compare_shows_drift_first(terminal: Terminal, state: Path, tmp_path: Path) -> None:
    """A VM that lost what it had is drift, on the screen and in CSV, before whatever else changed."""
    shown = ("--state", state)
    folder = _with_boot_taken_away(tmp_path / "starter")
    terminal.type("assess", folder, "--as-of", "2026-12-01", *shown)
    ended = terminal.type("report", "compare", "previous", "latest", *shown)
    assert (0, "") == (ended.code, ended.err)
    first = next(line for line in ended.out.splitlines() if line.startswith("│"))
    assert ["drift", "trusted_launch", "satisfied"] == [first.split("│")[cell].strip() for cell in (1, 4, 5)]
    table = terminal.type("report", "compare", "previous", "latest", *shown, "--output", "csv").out
    assert table.splitlines()[1].startswith("drift,")


def _with_boot_taken_away(folder: Path) -> Path:
    """Return a copy of the starter estate in which VMs have lost Trusted Launch."""
    shutil.copytree(locate("starter"), folder)
    resources = folder / "resources.jsonl"
    text = resources.read_text(encoding="utf-8")
    lost = text.replace('"securityType":"TrustedLaunch"', '"securityType":"Standard"')
    assert lost != text
    resources.write_text(lost, encoding="utf-8")
    return folder


def test_a_snapshot_that_is_not_there(terminal: Terminal, state: Path) -> None:
    """A wrong name is an error of usage."""
    ended = terminal.type("report", "compare", "1999-01-01", "latest", "--state", state)
    assert 2 == ended.code
    assert "There is no snapshot '1999-01-01'" in ended.err


def test_no_history_is_an_error(terminal: Terminal, tmp_path: Path) -> None:
    """A report without a history says how one comes about."""
    ended = terminal.type("report", "progress", "--to", tmp_path, "--state", tmp_path / "none")
    assert 6 == ended.code
    assert "There is no history" in ended.err


def test_progress_writes_every_form(terminal: Terminal, state: Path, tmp_path: Path) -> None:
    """Values, tables for people and tables for spreadsheets, and what matters on the screen."""
    ended = terminal.type("report", "progress", "--to", tmp_path / "out", "--state", state)
    assert 0 == ended.code
    assert "starter as of 2026-11-22, from 2 snapshots" in ended.out
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"progress.json", "progress.md", "progress-blockers.csv", "progress-drift.csv"} <= names


def test_one_form_alone(terminal: Terminal, state: Path, tmp_path: Path) -> None:
    """--format leaves the others out."""
    terminal.type("report", "progress", "--to", tmp_path / "out", "--state", state, "--format", "md")
    assert ["progress.md", "progress.sha256"] == sorted(file.name for file in (tmp_path / "out").iterdir())


def test_what_an_earlier_report_left_is_told(terminal: Terminal, state: Path, tmp_path: Path) -> None:
    """A page of another day does not stay beside a new one; what somebody changed stays, and is named."""
    written = ("report", "progress", "--to", tmp_path, "--state", state)
    terminal.type(*written, "--at", "first", "--format", "html", "--format", "md", "--format", "json")
    (tmp_path / "progress.md").write_text("notes", encoding="utf-8")
    told = terminal.type(*written, "--format", "json").err
    assert f"Removed, of an earlier report: {tmp_path / 'progress.html'}" in told
    assert f"Not of this report: {tmp_path / 'progress.md'}" in told
    left = ["progress.json", "progress.md", "progress.sha256"]
    assert left == sorted(file.name for file in tmp_path.iterdir() if file.name.startswith("progress"))
