"""A state folder that can only be read, such as a backup or an auditor's copy, is read all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from readiness.app.history import record_assessment, record_run
from readiness.model.run import Event, EventKind
from readiness.store.journal import SqliteJournal
from tests.app.histories import assessment, day, run, vm
from tests.store.test_journal_trouble import AT, INFO

MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Runs a command of root so that permissions hold for it too."""


def said(*arguments: str) -> str:
    """Run Python as somebody whom permissions bind, and return what it prints."""
    start: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which(MORTAL[0]) is None:
            pytest.skip("nothing here takes root's rights away")
        start = MORTAL
    command = (*start, sys.executable, *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def state(tmp_path):
    """Return a folder with a history and a journal that nobody has open and nobody may write."""
    record_assessment(tmp_path, assessment(day(0), vm("a")))
    record_assessment(tmp_path, assessment(day(1), vm("a", "AA-1")))
    record_run(tmp_path, run("a"))
    folder = tmp_path / "runs" / "run-1"
    folder.mkdir(parents=True)
    journal = SqliteJournal.open(folder, INFO)
    journal.tell(Event(at=AT, kind=EventKind.RUN, vm="", text="begun"))
    journal.close()
    for path in (*folder.glob("*"), *tmp_path.glob("*.sqlite*")):
        path.chmod(0o444)
    for path in (folder, folder.parent, tmp_path):
        path.chmod(0o555)
    before = sorted(tmp_path.rglob("*"))
    yield tmp_path
    after = sorted(tmp_path.rglob("*"))
    for path in (folder, folder.parent, tmp_path):
        path.chmod(0o755)
    assert before == after


def test_a_history_is_read(state: Path) -> None:
    """Two snapshots are compared."""
    found = said(
        "-m", "readiness", "report", "compare", "first", "latest", "--state", str(state), "--output", "csv"
    )
    assert "AA-1" in found


def test_a_journal_is_read(state: Path) -> None:
    """A run's story is told."""
    code = "import sys; from pathlib import Path; from readiness.store.journal import read_story; "
    found = said("-c", f"{code}print(read_story(Path(sys.argv[1])).info.id)", str(state / "runs" / "run-1"))
    assert found.strip() == "run-1"
