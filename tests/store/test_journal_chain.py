"""The story of a run is a chain: whatever is changed in it shows, and a cut end shows against a kept head."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from readiness.model.lifecycle import Phase
from readiness.model.run import Event, EventKind, RunInfo
from readiness.store.journal import SqliteJournal, broken_link, read_head, read_run

AT = datetime(2026, 11, 28, 21, 5, tzinfo=UTC)
INFO = RunInfo(
    id="run-1", plan="d" * 64, wave=2, place="twin", approved_by="tester", release="1.0", started_at=AT
)
EVENTS = 5
CHANGES = {
    "at": "2026-11-28T21:05:00.000001+00:00",
    "kind": "failure",
    "vm": "another",
    "text": "as if nothing had happened",
    "phase": "done",
    "digest": "0" * 64,
}


def told(number: int) -> Event:
    """Return the nth event of the story."""
    return Event(
        at=AT + timedelta(seconds=number),
        kind=EventKind.PHASE,
        vm=f"web-{number}",
        text=f"converting {number}",
        phase=Phase.CONVERTING,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run whose story has a few events."""
    with closing(SqliteJournal.open(tmp_path, INFO)) as journal:
        for number in range(1, EVENTS + 1):
            journal.tell(told(number))
    return tmp_path


@pytest.fixture
def rows(folder: Path) -> Iterator[sqlite3.Connection]:
    """The rows of the run, for whoever wants to change them behind our back."""
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as connection:
        yield connection


def test_an_untouched_story_is_whole(folder: Path) -> None:
    """Every event of a story that nobody touched fits the one before."""
    assert (EVENTS, None) == broken_link(folder)


def test_a_story_that_has_not_begun_is_whole(tmp_path: Path) -> None:
    """A run without events has an empty head and no broken link."""
    SqliteJournal.open(tmp_path, INFO).close()
    assert ((0, None), "") == (broken_link(tmp_path), read_head(tmp_path))


def test_the_head_is_that_of_the_last_event(folder: Path) -> None:
    """The head changes with every event, and a process that takes the run up goes on with it."""
    before = read_head(folder)
    with closing(SqliteJournal.open(folder, INFO)) as journal:
        assert before == journal.head()
        journal.tell(told(EVENTS + 1))
        assert before != journal.head() == read_head(folder)
    assert (EVENTS + 1, None) == broken_link(folder)


@pytest.mark.parametrize("number", [1, 3, EVENTS])
@pytest.mark.parametrize("column", CHANGES)
def test_any_change_of_an_event_shows(
    folder: Path, rows: sqlite3.Connection, column: str, number: int
) -> None:
    """Whichever column of whichever event is changed, that event is named."""
    rows.execute(f"UPDATE event SET {column} = ? WHERE number = ?", (CHANGES[column], number))  # noqa: S608
    assert number == broken_link(folder)[1]


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "yesterday"), ("kind", "rumour"), ("phase", "nowhere"), ("at", None), ("text", b"\xff")],
)
def test_an_event_that_cannot_be_read_shows(
    folder: Path, rows: sqlite3.Connection, column: str, value: object
) -> None:
    """A row that is no event any more is a broken link like any other, and stops nobody who verifies."""
    rows.execute("PRAGMA ignore_check_constraints = 1")
    if value is None:
        rows.execute("CREATE TABLE copy AS SELECT * FROM event")
        rows.execute("DROP TABLE event")
        rows.execute("ALTER TABLE copy RENAME TO event")
    rows.execute(f"UPDATE event SET {column} = ? WHERE number = 3", (value,))  # noqa: S608
    assert 3 == broken_link(folder)[1]


@pytest.mark.parametrize("number", [1, 3])
def test_a_missing_event_shows(folder: Path, rows: sqlite3.Connection, number: int) -> None:
    """An event taken out of the story shows at the next one, even where the numbers were closed up."""
    rows.execute("DELETE FROM event WHERE number = ?", (number,))
    assert number + 1 == broken_link(folder)[1]
    rows.execute("UPDATE event SET number = number - 1 WHERE number > ?", (number,))
    assert number == broken_link(folder)[1]


def test_an_event_slipped_in_shows(folder: Path, rows: sqlite3.Connection) -> None:
    """An event put in between shows, whatever digest it bears."""
    rows.execute("UPDATE event SET number = -number WHERE number > 2")
    rows.execute("UPDATE event SET number = 1 - number WHERE number < 0")
    rows.execute(
        "INSERT INTO event SELECT 3, at, kind, vm, 'slipped in', phase, digest FROM event WHERE number = 2"
    )
    assert 3 == broken_link(folder)[1]


def test_two_events_in_each_others_place_show(folder: Path, rows: sqlite3.Connection) -> None:
    """The order of events is part of the story."""
    for before, after in ((2, 0), (4, 2), (0, 4)):
        rows.execute("UPDATE event SET number = ? WHERE number = ?", (after, before))
    assert 2 == broken_link(folder)[1]


def test_a_cut_end_shows_against_a_kept_head(folder: Path, rows: sqlite3.Connection) -> None:
    """A story without its last events is whole by itself; only the head from elsewhere gives it away."""
    kept = read_head(folder)
    rows.execute("DELETE FROM event WHERE number > 3")
    assert (3, None) == broken_link(folder)
    assert kept != read_head(folder)


def test_a_story_told_anew_shows_against_a_kept_head(tmp_path: Path, folder: Path) -> None:
    """Whoever rewrites the whole story with digests that fit gets another head."""
    other = tmp_path / "anew"
    with closing(SqliteJournal.open(other, INFO)) as journal:
        for number, event in enumerate(read_run(folder)[2]):
            journal.tell(event if number else told(99))
    assert (EVENTS, None) == broken_link(other)
    assert read_head(folder) != read_head(other)
