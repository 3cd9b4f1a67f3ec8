"""The file of the history: its tables, how it is opened, and what is said when it cannot be used.

Guarantees:
* A file of another format, of another program, or one that is damaged is refused in words and left as it is.
* It is in write-ahead mode: any number of readers beside one writer; a second writer waits its turn.
* Only its owner may read it.

Each VM record, and each set of answers, is in it once, under its digest; a snapshot only points at them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from readiness.errors import HistoryError
from readiness.store.place import address_to_read, insist_on_local

FILE = "history.sqlite"
FORMAT = "readiness/history/1"
_PATIENCE = 60.0
"""Seconds a writer waits for another one: recording a large estate takes seconds, not minutes."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, estate TEXT NOT NULL, as_of TEXT NOT NULL,
    recorded_at TEXT NOT NULL, release TEXT NOT NULL, vms INTEGER NOT NULL, unread INTEGER NOT NULL,
    head TEXT NOT NULL
);
CREATE INDEX snapshot_of ON snapshot (estate, as_of, id);
CREATE TABLE vm (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE answers (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE result (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, vm INTEGER NOT NULL REFERENCES vm,
    text TEXT NOT NULL, name TEXT NOT NULL, subscription TEXT NOT NULL, resource_group TEXT NOT NULL,
    location TEXT NOT NULL, application TEXT, owner TEXT, excluded TEXT,
    raw INTEGER, permitted INTEGER, score INTEGER,
    trusted_launch TEXT, cmk TEXT, password_access TEXT, managed_identity TEXT,
    controls INTEGER NOT NULL REFERENCES answers, dimensions INTEGER NOT NULL REFERENCES answers
);
CREATE INDEX result_of ON result (vm);
CREATE TABLE member (
    snapshot INTEGER NOT NULL REFERENCES snapshot, vm INTEGER NOT NULL,
    result INTEGER NOT NULL REFERENCES result,
    PRIMARY KEY (snapshot, vm)
) WITHOUT ROWID;
CREATE TABLE run (
    id TEXT PRIMARY KEY, estate TEXT NOT NULL, started_at TEXT NOT NULL, is_rehearsal INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE run_vm (
    run TEXT NOT NULL REFERENCES run, key TEXT NOT NULL, outcome TEXT NOT NULL, succeeded INTEGER NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX run_of ON run_vm (key);
"""


@contextmanager
def reading(state: Path) -> Iterator[sqlite3.Connection]:
    """Open the history of a state folder to read, as it is at this moment.

    Raises:
        HistoryError: There is none, or it cannot be read.
    """
    path = state / FILE
    if not path.exists() or not path.stat().st_size:
        raise HistoryError(
            f"There is no history in {state}.",
            details="Nothing was assessed with this state folder yet.",
            remedy="Assess an estate, which records it, or name another state folder with --state.",
        )
    with usable(path), closing(_connect(address_to_read(path))) as connection:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("BEGIN")
        _insist_on_format(connection, path)
        yield connection


@contextmanager
def writing(state: Path) -> Iterator[sqlite3.Connection]:
    """Open the history of a state folder to write, made if need be: all of it is kept, or nothing.

    Raises:
        HistoryError: It cannot be written, or is not what this release writes.
        JournalError: The folder is on a network file system.
    """
    path = state / FILE
    insist_on_local(state)
    with usable(path):
        state.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with closing(_connect(f"{path.absolute().as_uri()}?mode=rw")) as connection:
            if _tables(connection):
                _insist_on_format(connection, path)
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                if not _tables(connection):
                    _lay_out(connection)
                _insist_on_format(connection, path)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Let trouble with the file out as an error that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise HistoryError(
            f"The history {path} cannot be used.", details=str(error), remedy=_TROUBLE
        ) from error
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        raise damaged(path, str(error)) from error
    except OSError as error:
        details = error.strerror or str(error)
        raise HistoryError(f"The history {path} cannot be used.", details=details, remedy=_TROUBLE) from error


def damaged(path: Path, details: str) -> HistoryError:
    """Return the error for a history that does not hold together."""
    return HistoryError(f"The history {path} is damaged.", details=details, remedy=_DAMAGED)


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=_PATIENCE)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Put the file into write-ahead mode; once it is, this asks for no lock."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _lay_out(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))


def _insist_on_format(connection: sqlite3.Connection, path: Path) -> None:
    found = None
    if "meta" in _tables(connection):
        found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if found is None:
        remedy = "Name another state folder with --state. The file was left as it is."
        raise HistoryError(f"{path} is no history of readiness.", remedy=remedy)
    if found[0] != FORMAT:
        raise HistoryError(
            f"The history {path} has format {found[0]}; this release reads and writes {FORMAT}.",
            remedy="Use the release that wrote it, or another state folder (--state). It was left as it is.",
        )


_TROUBLE = (
    "Nothing was lost: what was recorded before stays. See that the folder can be read and written and has "
    "room, "
    "or name another one with --state."
)
_DAMAGED = (
    "Nothing was changed in it. Keep a copy and put a backup in its place, or move it away: the next "
    "assessment "
    "begins a new history. SQLite's own '.recover' often saves what is left."
)
