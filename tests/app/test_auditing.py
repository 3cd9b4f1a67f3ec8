"""A run's story that was changed, cut or extended after it was told is found out."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from readiness.app.auditing import verify
from readiness.errors import JournalError, UsageError
from readiness.model.run import Event, EventKind
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of
from tests.app.synthetic_runs import AT, INFO

RUN = INFO.id


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with a run of five events."""
    with closing(SqliteJournal.open(folder_of(tmp_path, RUN), INFO)) as journal:
        for number in range(5):
            at = AT + timedelta(seconds=number)
            journal.tell(Event(at=at, kind=EventKind.STEP, vm="vm1", text=f"event {number}"))
    return tmp_path


def changed(state: Path, statement: str) -> None:
    """Change a journal behind everybody's back."""
    with closing(sqlite3.connect(folder_of(state, RUN) / "journal.sqlite", isolation_level=None)) as journal:
        journal.execute(statement)


def test_an_untouched_story_holds(state: Path) -> None:
    """Each event follows from the one before; the head stands for all of them."""
    audit = verify(state, None)
    (proof,) = audit.proofs
    assert audit.holds
    assert (RUN, 5, None) == (proof.run, proof.events, proof.broken_at)
    assert verify(state, RUN, proof.head[:12].upper()).holds


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE event SET text = 'nothing happened' WHERE number = 3", 3),
        ("UPDATE event SET at = '2026-11-28T21:00:09+00:00' WHERE number = 1", 1),
        ("UPDATE event SET vm = 'vm2' WHERE number = 5", 5),
        ("UPDATE event SET kind = 'joke' WHERE number = 2", 2),
        ("DELETE FROM event WHERE number = 2", 3),
        ("DELETE FROM event WHERE number = 1", 2),
        ("UPDATE event SET digest = 'x' WHERE number = 4", 4),
    ],
)
def test_a_changed_story_is_broken_where_it_was_changed(state: Path, statement: str, broken_at: int) -> None:
    """Whatever is changed or taken out of the middle shows, with its place."""
    changed(state, statement)
    audit = verify(state, RUN)
    assert not audit.holds
    assert broken_at == audit.proofs[0].broken_at


def test_a_cut_story_needs_the_head_that_was_kept(state: Path) -> None:
    """What is taken from the end leaves a chain that holds: a head kept elsewhere proves it."""
    head = verify(state, RUN).proofs[0].head
    changed(state, "DELETE FROM event WHERE number = 5")
    assert verify(state, RUN).holds
    audit = verify(state, RUN, head)
    assert (True, False) == (audit.is_head_missing, audit.holds)


def test_a_damaged_journal_hides_no_other(state: Path) -> None:
    """A journal that cannot be read is told, and the others are verified all the same."""
    other = folder_of(state, "other-wave-1")
    other.mkdir(parents=True)
    (other / "journal.sqlite").write_bytes(b"not a database" * 100)
    audit = verify(state, None)
    assert not audit.holds
    assert {RUN: "", "other-wave-1": "file is not a database"} == {
        proof.run: proof.unreadable for proof in audit.proofs
    }


def test_what_cannot_be_verified(state: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No runs, no such run, and a head that is too short to mean one are errors, not proofs."""
    with pytest.raises(JournalError, match="no run other"):
        verify(state, "other")
    with pytest.raises(UsageError, match="too short"):
        verify(state, RUN, "9c")
    with pytest.raises(UsageError, match="no runs"):
        verify(tmp_path_factory.mktemp("empty"), None)


def test_a_head_that_is_empty_proves_nothing(state: Path) -> None:
    """A variable that nobody set is refused, and not taken for a proof that nothing is missing."""
    with pytest.raises(UsageError, match="too short for a head"):
        verify(state, RUN, "")
