"""A journal that cannot be trusted or written is told in clear words, and nothing goes on without it."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from readiness.errors import JournalError
from readiness.model.codec import encode
from readiness.model.run import Event, EventKind, RunInfo, SignalKind, StepResult
from readiness.store import place
from readiness.store.journal import SqliteJournal, broken_link, is_running, leave_signal, read_head, read_run
from readiness.store.place import insist_on_local
from tests.builders import vm_id

AT = datetime(2026, 11, 28, 21, 5, tzinfo=UTC)
INFO = RunInfo(
    id="run-1", plan="d" * 64, wave=2, place="twin", approved_by="tester", release="1.0", started_at=AT
)
VM = vm_id("web-1")

WRITER = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from readiness.errors import JournalError
from readiness.model.codec import decode
from readiness.model.ids import ResourceId
from readiness.model.run import RunInfo
from readiness.store.journal import SqliteJournal
journal = SqliteJournal.open(Path(sys.argv[1]), decode(sys.argv[2], RunInfo))
full = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))
written = 0
try:
    for number in range(5000):
        journal.intend(ResourceId(sys.argv[4]), f"step-{number}", datetime.now(UTC))
        written += 1
except JournalError as error:
    print(written, "|", error.brief, "|", error.remedy)
"""


def filled(folder: Path) -> Path:
    """Make the journal of a run in which something happened; return its file."""
    with closing(SqliteJournal.open(folder, INFO)) as journal:
        for number in range(40):
            journal.intend(VM, f"step-{number}", AT)
            journal.ended(VM, f"step-{number}", StepResult(ok=True, detail="x" * 50), AT)
            journal.tell(Event(at=AT, kind=EventKind.STEP, vm="web-1", text=f"step {number}"))
    return folder / "journal.sqlite"


def changed(folder: Path, statement: str, *values: object) -> None:
    """Change a row behind our back."""
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute(statement, values)


def test_a_full_disk_stops_before_the_effect(tmp_path: Path) -> None:
    """Where an intent cannot be written, the writer is told so at once; what it wrote before is there."""
    command = [sys.executable, "-c", WRITER, str(tmp_path), encode(INFO).decode(), "300000", VM.text]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    written, brief, remedy = ended.stdout.split(" | ")
    assert f"The journal in {tmp_path} cannot be used." == brief
    assert remedy.strip()
    assert 0 < int(written) < 5000
    names = [record.name for record in read_run(tmp_path)[1]]
    assert [f"step-{number}" for number in range(int(written))] == names
    with closing(SqliteJournal.open(tmp_path, INFO)) as journal:
        journal.intend(VM, "once there is room", AT)
        assert int(written) + 1 == len(journal.records())


@pytest.mark.parametrize("cut", [0.9, 0.5, 0.1])
def test_a_cut_journal_is_refused(tmp_path: Path, cut: float) -> None:
    """A journal that lost its end is told with its place, to writers and readers alike."""
    path = filled(tmp_path)
    os.truncate(path, int(path.stat().st_size * cut))
    for use in (lambda: SqliteJournal.open(tmp_path, INFO).records(), lambda: read_run(tmp_path)):
        with pytest.raises(JournalError, match=f"The journal in {tmp_path} cannot be used") as caught:
            use()
        assert caught.value.remedy
        assert caught.value.details


def test_an_empty_file_is_a_run_that_was_not_begun(tmp_path: Path) -> None:
    """A journal whose every byte is gone says that nothing was begun, and is never guessed at."""
    os.truncate(filled(tmp_path), 0)
    with pytest.raises(JournalError, match=r"cannot be used|not begun"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE meta SET value = '{' WHERE key = 'run'", ()),
        ("UPDATE meta SET value = ? WHERE key = 'run'", (json.dumps({"id": "run-1"}),)),
        ("DELETE FROM meta WHERE key = 'format'", ()),
        ("UPDATE step SET result = '{\"ok\": 7}' WHERE name = 'step-3'", ()),
        ("UPDATE step SET state = 'perhaps' WHERE name = 'step-3'", ()),
        ("UPDATE step SET intended_at = 'yesterday' WHERE name = 'step-3'", ()),
        ("DROP TABLE step", ()),
        ("DROP TABLE event", ()),
        ("UPDATE event SET kind = 'rumour' WHERE number = 3", ()),
    ],
)
def test_rows_that_cannot_be_read_are_our_error(
    tmp_path: Path, statement: str, values: tuple[object, ...]
) -> None:
    """Whatever stands where something else should, what is told is the journal, not a line of code."""
    filled(tmp_path)
    changed(tmp_path, statement, *values)
    with pytest.raises(JournalError) as caught:
        read_run(tmp_path)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '{' WHERE key = 'run'",
        "DELETE FROM meta WHERE key = 'format'",
        "UPDATE step SET state = 'perhaps' WHERE name = 'step-3'",
        "UPDATE signal SET kind = 'shout'",
    ],
)
def test_a_writer_is_refused_by_damage(tmp_path: Path, statement: str) -> None:
    """A run is not taken up from a journal with damage, and whoever tried does not keep its lock."""
    filled(tmp_path)
    changed(tmp_path, "INSERT INTO signal (at, kind, sent_by, vm, note) VALUES (?, 'stop', 'me', '', '')", AT)
    changed(tmp_path, statement)

    def taken_up() -> None:
        with closing(SqliteJournal.open(tmp_path, INFO)) as journal:
            journal.records()
            journal.signals()

    with pytest.raises(JournalError):
        taken_up()
    assert not is_running(tmp_path)


def test_a_journal_of_the_first_format_is_refused(tmp_path: Path) -> None:
    """The journal of an earlier release is refused with the advice to use that one."""
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.execute(
            "INSERT INTO meta VALUES ('format', 'readiness/journal/1'), ('run', ?)", (encode(INFO).decode(),)
        )
    for use in (lambda: SqliteJournal.open(tmp_path, INFO), lambda: read_run(tmp_path)):
        with pytest.raises(JournalError, match="readiness/journal/1") as caught:
            use()
        assert "release" in caught.value.remedy
    assert not is_running(tmp_path)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A state folder on a network file system is refused before anything is made there."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nfiles:/export {tmp_path}/shared {kind} rw 0 0\n")
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    with pytest.raises(JournalError, match="network file system") as caught:
        SqliteJournal.open(tmp_path / "shared" / "run", INFO)
    assert "--state" in caught.value.remedy
    assert not (tmp_path / "shared").exists()
    insist_on_local(tmp_path / "local")


def test_reading_needs_a_run(tmp_path: Path) -> None:
    """Whoever asks for the head or the links of a run that is not there is told so, and makes none."""
    for use in (read_head, broken_link):
        with pytest.raises(JournalError, match="There is no run"):
            use(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A wish for a run whose file takes no writes is an error of the journal."""
    path = filled(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(JournalError, match="cannot be used"):
        leave_signal(tmp_path, SignalKind.STOP, at=AT, sent_by="me")
