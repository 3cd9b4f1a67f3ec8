"""The journal: what it remembers, who may write it, and what becomes of it when its writer dies."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.errors import JournalError, LockedError, ReplayMismatchError
from readiness.model.codec import encode
from readiness.model.lifecycle import Phase, Stage
from readiness.model.observation import Observation, before_of
from readiness.model.run import Event, EventKind, RunInfo, SignalKind, StepRecord, StepResult, StepState
from readiness.store.journal import SqliteJournal, is_running, leave_signal, read_run
from tests.builders import CUSTOMER_KEY, disk, vm, vm_id

AT = datetime(2026, 11, 28, 21, 5, tzinfo=UTC)
LATER = AT + timedelta(minutes=3)
INFO = RunInfo(
    id="run-1",
    plan="d" * 64,
    wave=2,
    place="twin abc",
    approved_by="tester",
    release="1.0",
    started_at=AT,
)
VM = vm_id("web-1")
BEFORE = before_of(Observation(vm=vm(), disks=(disk(encryption=CUSTOMER_KEY),)))

HOLDER = """
import sys, time
from pathlib import Path
from readiness.model.codec import decode
from readiness.model.run import RunInfo
from readiness.store.journal import SqliteJournal
journal = SqliteJournal.open(Path(sys.argv[1]), decode(sys.argv[2], RunInfo))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """A journal on disk."""
    with closing(SqliteJournal.open(tmp_path, INFO)) as opened:
        yield opened


def reopened(folder: Path, info: RunInfo = INFO) -> SqliteJournal:
    """Take the journal up as the next process would."""
    return SqliteJournal.open(folder, info)


def event(text: str, **changes: Any) -> Event:
    """Return an event of a run."""
    return replace(Event(at=AT, kind=EventKind.STEP, vm="web-1", text=text), **changes)


# What it remembers --------------------------------------------------------------------------------------


def test_a_step_is_remembered_through_its_life(tmp_path: Path, journal: SqliteJournal) -> None:
    """Intent, token and end of a step come back as they were written, from any process."""
    journal.intend(VM, "outage.start", AT)
    intended = StepRecord(vm=VM, name="outage.start", state=StepState.INTENT, attempt=1, intended_at=AT)
    assert (intended,) == read_run(tmp_path)[1]
    journal.begun(VM, "outage.start", '{"url": "x"}')
    begun = replace(intended, state=StepState.BEGUN, token='{"url": "x"}')  # noqa: S106
    assert (begun,) == read_run(tmp_path)[1]
    result = StepResult(ok=False, code="AllocationFailed", detail="no room")
    journal.ended(VM, "outage.start", result, LATER)
    ended = replace(begun, state=StepState.FAILED, token=None, ended_at=LATER, result=result)
    assert (ended,) == read_run(tmp_path)[1] == journal.records()


def test_the_state_before_survives_its_process(tmp_path: Path) -> None:
    """What an undo will restore comes back whole, keys and identities included."""
    with closing(reopened(tmp_path)) as journal:
        journal.intend(VM, "check.record-before", AT)
        journal.ended(VM, "check.record-before", StepResult(ok=True, before=BEFORE), LATER)
    with closing(reopened(tmp_path)) as journal:
        result = journal.records()[0].result
    assert result is not None
    assert BEFORE == result.before


def test_steps_come_in_the_order_of_intent(journal: SqliteJournal) -> None:
    """A further attempt at an early step does not move it behind the later ones."""
    for name in ("one", "two", "three"):
        journal.intend(VM, name, AT)
    journal.intend(VM, "one", LATER)
    assert [("one", 2), ("two", 1), ("three", 1)] == [
        (record.name, record.attempt) for record in journal.records()
    ]


def test_a_further_attempt_forgets_the_token(journal: SqliteJournal) -> None:
    """Intending a step again drops the token of the attempt before, and keeps when it was first intended."""
    journal.intend(VM, "outage.start", AT)
    journal.begun(VM, "outage.start", "token")
    journal.intend(VM, "outage.start", LATER)
    record = journal.records()[0]
    assert (StepState.INTENT, None, AT) == (record.state, record.token, record.intended_at)


def test_an_ended_step_keeps_no_token(tmp_path: Path, journal: SqliteJournal) -> None:
    """Tokens are worth something to others: none is left in the database once its step has ended."""
    journal.intend(VM, "outage.start", AT)
    journal.begun(VM, "outage.start", "secret-token")
    journal.ended(VM, "outage.start", StepResult(ok=True), LATER)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        assert "secret-token" not in "\n".join(connection.iterdump())


def test_the_story_comes_back_in_order(tmp_path: Path, journal: SqliteJournal) -> None:
    """Events come back in the order they were told, with instants, kinds and phases."""
    told = (
        event("batch 1 starts", kind=EventKind.RUN, vm=""),
        event("converting", kind=EventKind.PHASE, phase=Phase.CONVERTING),
        event("ümläut 'quoted'", at=LATER),
    )
    for entry in told:
        journal.tell(entry)
    assert told == read_run(tmp_path)[2]


def test_a_run_remembers_what_it_is(tmp_path: Path) -> None:
    """A second take-up is still the run that was begun: its start and approver do not change."""
    reopened(tmp_path).close()
    with closing(reopened(tmp_path, replace(INFO, approved_by="another", started_at=LATER))) as journal:
        assert INFO == journal.info() == read_run(tmp_path)[0]


def test_a_journal_in_memory_works_alike() -> None:
    """The journal of a rehearsal remembers, and leaves no file."""
    with closing(SqliteJournal.in_memory(INFO)) as journal:
        journal.intend(VM, "check.recheck", AT)
        journal.ended(VM, "check.recheck", StepResult(ok=True), LATER)
        assert [StepState.DONE] == [record.state for record in journal.records()]
        assert () == tuple(journal.signals())


# What it guarantees -------------------------------------------------------------------------------------


def test_every_write_is_on_the_disk(tmp_path: Path, journal: SqliteJournal) -> None:
    """The journal is a write-ahead log that is synchronised at every write."""
    pragmas = [
        journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "busy_timeout")
    ]
    assert ["wal", 2, 5000] == pragmas
    assert journal._connection.isolation_level is None, "a write must not wait in an open transaction"
    assert (tmp_path / "journal.sqlite-wal").exists()


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """The folder is 0700 and the journal 0600, its log included, even where the folder was there before."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    with closing(reopened(folder)) as journal:
        journal.tell(event("x"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.glob("journal.sqlite*")}
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert dict.fromkeys(("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"), 0o600) == modes


def test_a_reader_does_not_disturb_the_writer(tmp_path: Path, journal: SqliteJournal) -> None:
    """A reader in the middle of reading sees one moment, while the writer goes on."""
    journal.tell(event("one"))
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT COUNT(*) FROM event").fetchone()
        journal.tell(event("two"))
        assert before == reader.execute("SELECT COUNT(*) FROM event").fetchone()
    assert ["one", "two"] == [entry.text for entry in read_run(tmp_path)[2]]


def test_a_reader_changes_nothing(tmp_path: Path, journal: SqliteJournal) -> None:
    """Reading a run leaves lock and journal as they are."""
    journal.tell(event("one"))
    content = (tmp_path / "lock").read_text()
    read_run(tmp_path)
    assert is_running(tmp_path)
    assert (str(os.getpid()), 1) == (content, len(read_run(tmp_path)[2]))
    assert content == (tmp_path / "lock").read_text()


# Who may write ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("journal")
def test_a_second_writer_is_told_who_holds_it(tmp_path: Path) -> None:
    """Whoever comes second is refused, with the id of the process that holds the run."""
    with pytest.raises(LockedError, match=rf"id {os.getpid()}\b") as caught:
        reopened(tmp_path)
    assert caught.value.remedy


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    """A process that is killed leaves no lock behind, however suddenly it died."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path), encode(INFO).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        with pytest.raises(LockedError, match=rf"id {holder.pid}\b"):
            reopened(tmp_path)
        assert is_running(tmp_path)
        holder.send_signal(signal.SIGKILL)
    assert not is_running(tmp_path)
    reopened(tmp_path).close()


def test_closing_lets_the_next_one_in(tmp_path: Path) -> None:
    """A journal that was closed is held by nobody."""
    reopened(tmp_path).close()
    assert not is_running(tmp_path)
    reopened(tmp_path).close()


def test_a_refused_journal_is_held_by_nobody(tmp_path: Path) -> None:
    """A process that is refused because the run is another one does not keep the lock."""
    reopened(tmp_path).close()
    with pytest.raises(ReplayMismatchError):
        reopened(tmp_path, replace(INFO, wave=1))
    assert not is_running(tmp_path)


def test_nobody_runs_what_is_not_there(tmp_path: Path) -> None:
    """Asking about a run that does not exist makes no folder and finds nobody."""
    assert not is_running(tmp_path / "none")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("field", "value"),
    [("plan", "e" * 64), ("wave", 1), ("stage", Stage.CLOSURE), ("place", "twin xyz"), ("release", "1.1")],
)
def test_another_run_is_refused(tmp_path: Path, field: str, value: object) -> None:
    """A journal is taken up with the plan, wave, place and release it was begun with, and no other."""
    reopened(tmp_path).close()
    with pytest.raises(ReplayMismatchError) as caught:
        reopened(tmp_path, replace(INFO, **{field: value}))
    assert f"The run run-1 was begun with another {field}." == caught.value.brief
    assert f"It was begun with {getattr(INFO, field)}, this is {value}." == caught.value.details


# Signals ------------------------------------------------------------------------------------------------


def test_a_signal_is_seen_by_the_writer(tmp_path: Path, journal: SqliteJournal) -> None:
    """A wish that another process leaves is seen at the next look, with who left it and for what."""
    assert () == tuple(journal.signals())
    leave_signal(tmp_path, SignalKind.REJECT, at=AT, sent_by="somebody", vm="web-1", note="it is slow")
    (found,) = journal.signals()
    seen = (found.kind, found.at, found.sent_by, found.vm, found.note)
    assert (SignalKind.REJECT, AT, "somebody", "web-1", "it is slow") == seen


def test_a_signal_is_acted_on_once(tmp_path: Path, journal: SqliteJournal) -> None:
    """What was acted on is not seen again, by this process or the next; what was not, is."""
    leave_signal(tmp_path, SignalKind.PAUSE, at=AT, sent_by="somebody")
    leave_signal(tmp_path, SignalKind.RESUME, at=LATER, sent_by="somebody")
    first, second = journal.signals()
    journal.taken(first)
    assert [second] == list(journal.signals())
    journal.close()
    with closing(reopened(tmp_path)) as following:
        assert [second] == list(following.signals())


def test_a_signal_waits_for_a_process(tmp_path: Path) -> None:
    """A wish left while nobody carries the run out is there for whoever takes it up."""
    reopened(tmp_path).close()
    leave_signal(tmp_path, SignalKind.APPROVE, at=AT, sent_by="somebody", vm="web-1")
    with closing(reopened(tmp_path)) as journal:
        assert [SignalKind.APPROVE] == [signal.kind for signal in journal.signals()]


# Rounds -------------------------------------------------------------------------------------------------


def test_a_new_round_starts_from_nothing(tmp_path: Path, journal: SqliteJournal) -> None:
    """A VM that is tried again has no records; other VMs keep theirs, and the old ones stay on the disk."""
    other = vm_id("web-2")
    for one in (VM, other):
        journal.intend(one, "check.recheck", AT)
        journal.ended(one, "check.recheck", StepResult(ok=False, code="X", detail="no"), LATER)
    journal.begin_again(VM)
    assert [other] == [record.vm for record in journal.records()]
    journal.intend(VM, "check.recheck", LATER)
    journal.begun(VM, "check.recheck", "token")
    journal.ended(VM, "check.recheck", StepResult(ok=True), LATER)
    again = next(record for record in journal.records() if record.vm == VM)
    assert (StepState.DONE, 1, LATER) == (again.state, again.attempt, again.intended_at)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        rounds = connection.execute("SELECT round, state FROM step WHERE vm = ? ORDER BY round", (VM.text,))
        assert [(1, "failed"), (2, "done")] == rounds.fetchall()


def test_rounds_go_on(journal: SqliteJournal) -> None:
    """A VM can be tried again any number of times; the last round alone counts."""
    for number in range(1, 5):
        journal.intend(VM, f"step-{number}", AT)
        assert [f"step-{number}"] == [record.name for record in journal.records()]
        journal.begin_again(VM)
    assert [] == list(journal.records())


# What cannot be used ------------------------------------------------------------------------------------


def test_no_journal(tmp_path: Path) -> None:
    """Reading a run that does not exist, or leaving a wish for it, says so."""
    with pytest.raises(JournalError, match="There is no run in"):
        read_run(tmp_path)
    with pytest.raises(JournalError, match="There is no run in"):
        leave_signal(tmp_path, SignalKind.STOP, at=AT, sent_by="somebody")


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    """A file that is no database is refused with its place, by writers and readers, and held by nobody."""
    (tmp_path / "journal.sqlite").write_text("this is not a database, and is long enough to tell" * 40)
    for use in (reopened, read_run):
        with pytest.raises(JournalError, match=f"The journal in {tmp_path} cannot be used") as caught:
            use(tmp_path)
        assert "not a database" in caught.value.details
    assert not is_running(tmp_path)


def test_a_journal_that_nobody_finished_laying_out(tmp_path: Path) -> None:
    """A process that died before its first entry leaves a run that can be read about, and begun."""
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    with pytest.raises(JournalError, match="was not begun"):
        read_run(tmp_path)
    with closing(reopened(tmp_path)) as journal:
        assert INFO == journal.info()


def test_a_journal_of_another_format(tmp_path: Path) -> None:
    """The journal of a release to come is refused with the advice to use that release."""
    reopened(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = 'readiness/journal/99' WHERE key = 'format'")
    for use in (reopened, read_run):
        with pytest.raises(JournalError, match="readiness/journal/99") as caught:
            use(tmp_path)
        assert "release" in caught.value.remedy


def test_a_write_that_fails_is_one_of_our_errors(tmp_path: Path, journal: SqliteJournal) -> None:
    """A disk that takes no more is told as an error of the journal, for every kind of write."""
    journal._connection.execute("PRAGMA query_only = 1")
    writes = (
        lambda: journal.intend(VM, "one", AT),
        lambda: journal.begun(VM, "one", "token"),
        lambda: journal.ended(VM, "one", StepResult(ok=True), AT),
        lambda: journal.tell(event("x")),
        lambda: journal.begin_again(VM),
    )
    for write in writes:
        with pytest.raises(JournalError, match=f"The journal in {tmp_path} cannot be used"):
            write()


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    """A state folder that is a file is one of our errors."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be used"):
        reopened(tmp_path / "file" / "run")


def test_results_are_plain_json(tmp_path: Path, journal: SqliteJournal) -> None:
    """What is stored can be read without this program: JSON, with ids and instants as text."""
    journal.intend(VM, "check.record-before", AT)
    journal.ended(VM, "check.record-before", StepResult(ok=True, before=BEFORE), LATER)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        stored, at = connection.execute("SELECT result, ended_at FROM step").fetchone()
    assert str(BEFORE.vm) == json.loads(stored)["before"]["vm"]
    assert LATER.isoformat() == at
