"""The journal of one run: write-ahead, on SQLite, one writer at a time, any number of readers.

Guarantees:
* What a method of `SqliteJournal` recorded is on the disk when it returns (`synchronous=FULL`).
* Only the process that holds the operating system's lock on the run writes step records; another gets
  a `LockedError`. The lock goes with the process, however it ends.
* Any process may read, and may leave a signal.

The continuation tokens in it hold addresses of operations: the folder is readable by its owner only.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from readiness.errors import JournalError, LockedError, ReplayMismatchError
from readiness.model.codec import decode, encode
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase
from readiness.model.run import Event, EventKind, RunInfo, StepRecord, StepResult, StepState
from readiness.store.place import insist_on_local

_FILE, _LOCK = "journal.sqlite", "lock"
_FORMAT = "readiness/journal/1"
_STOP = "stop"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS step (
    vm TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL,
    intended_at TEXT NOT NULL, token TEXT, ended_at TEXT, result TEXT,
    PRIMARY KEY (vm, name)
);
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL,
    vm TEXT NOT NULL, text TEXT NOT NULL, phase TEXT
);
CREATE TABLE IF NOT EXISTS signal (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, sent_by TEXT NOT NULL
);
"""


class SqliteJournal:
    """Writes the journal of one run; use `open` for a folder, `in_memory` for a rehearsal."""

    def __init__(self, connection: sqlite3.Connection, place: object, lock: IO[str] | None) -> None:
        self._connection = connection
        self._place = place
        self._lock = lock

    @classmethod
    def open(cls, folder: Path, info: RunInfo) -> Self:
        """Create the journal of a run, or take up the one that is there.

        Raises:
            LockedError: Another process is carrying out this run.
            ReplayMismatchError: The journal belongs to another plan, place or release.
            JournalError: It cannot be read or written, or is on a network file system.
        """
        insist_on_local(folder)
        with ExitStack() as opened, _usable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            # The plan may lie in it already, and then the mode of mkdir does not count.
            folder.chmod(0o700)
            lock = opened.enter_context(_locked(folder))
            connection = sqlite3.connect(folder / _FILE, isolation_level=None)
            opened.callback(connection.close)
            (folder / _FILE).chmod(0o600)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=5000")
            _begin(connection, info)
            opened.pop_all()
        return cls(connection, folder, lock)

    @classmethod
    def in_memory(cls, info: RunInfo) -> Self:
        """Return a journal that is gone with the process."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        _begin(connection, info)
        return cls(connection, "memory", None)

    def close(self) -> None:
        """Let another process take the run up."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def info(self) -> RunInfo:
        """Return what this run is."""
        return _info(self._connection)

    def records(self) -> Sequence[StepRecord]:
        """Return every step record, in the order of intent."""
        return _records(self._connection)

    def intend(self, vm: ResourceId, name: str, at: datetime) -> None:
        """Record that a step is about to have its effect."""
        self._write(
            "INSERT INTO step VALUES (?, ?, ?, 1, ?, NULL, NULL, NULL) ON CONFLICT (vm, name) DO UPDATE "
            "SET state = excluded.state, attempt = attempt + 1, token = NULL",
            (vm.text, name, StepState.INTENT, at.isoformat()),
        )

    def begun(self, vm: ResourceId, name: str, token: str) -> None:
        """Record the token by which a begun step can be asked about."""
        self._write(
            "UPDATE step SET state = ?, token = ? WHERE vm = ? AND name = ?",
            (StepState.BEGUN, token, vm.text, name),
        )

    def ended(self, vm: ResourceId, name: str, result: StepResult, at: datetime) -> None:
        """Record how a step ended; its token is of no use any more and is dropped."""
        state = StepState.DONE if result.ok else StepState.FAILED
        self._write(
            "UPDATE step SET state = ?, token = NULL, ended_at = ?, result = ? WHERE vm = ? AND name = ?",
            (state, at.isoformat(), encode(result).decode(), vm.text, name),
        )

    def tell(self, event: Event) -> None:
        """Append one event to the run's story."""
        self._write(
            "INSERT INTO event (at, kind, vm, text, phase) VALUES (?, ?, ?, ?, ?)",
            (event.at.isoformat(), event.kind, event.vm, event.text, event.phase),
        )

    def stop_requested(self) -> bool:
        """Tell whether anybody asked to start nothing more since the run was last taken up."""
        with _usable(self._place):
            row = self._connection.execute(
                "SELECT 1 FROM signal WHERE kind = ? AND number > "
                "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'signals_seen')",
                (_STOP,),
            ).fetchone()
        return row is not None

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with _usable(self._place):
            self._connection.execute(statement, values)


def read_run(folder: Path) -> tuple[RunInfo, Sequence[StepRecord], Sequence[Event]]:
    """Read a run from any process, while it goes on or afterwards.

    Raises:
        JournalError: There is no run in the folder, or its journal cannot be read.
    """
    with _usable(folder), closing(_reader(folder)) as connection:
        return _info(connection), _records(connection), _events(connection)


def is_running(folder: Path) -> bool:
    """Tell whether a process holds the run's lock."""
    import fcntl

    if not (folder / _LOCK).exists():
        return False
    with _usable(folder), (folder / _LOCK).open(encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def ask_to_stop(folder: Path, *, at: datetime, sent_by: str) -> None:
    """Leave the signal to start nothing more."""
    statement = "INSERT INTO signal (at, kind, sent_by) VALUES (?, ?, ?)"
    with _usable(folder):
        _reader(folder).close()
        with closing(sqlite3.connect(folder / _FILE, isolation_level=None, timeout=5)) as connection:
            connection.execute(statement, (at.isoformat(), _STOP, sent_by))


def _begin(connection: sqlite3.Connection, info: RunInfo) -> None:
    """Lay out a new journal, or check that an old one belongs to this run; older signals are spent."""
    connection.executescript(_SCHEMA)
    row = connection.execute("SELECT value FROM meta WHERE key = 'run'").fetchone()
    if row is None:
        # One statement: whoever dies here leaves both or neither.
        connection.execute(
            "INSERT INTO meta VALUES ('format', ?), ('run', ?)", (_FORMAT, encode(info).decode())
        )
    else:
        _compare(_info(connection), info)
    connection.execute(
        "INSERT OR REPLACE INTO meta "
        "SELECT 'signals_seen', CAST(COALESCE(MAX(number), 0) AS TEXT) FROM signal"
    )


def _compare(known: RunInfo, wanted: RunInfo) -> None:
    for field, what in (("plan", "plan"), ("wave", "wave"), ("place", "place"), ("release", "release")):
        before, now = getattr(known, field), getattr(wanted, field)
        if before != now:
            raise ReplayMismatchError(
                f"The run {known.id} was begun with another {what}.",
                details=f"It was begun with {before}, this is {now}.",
                remedy="Finish it with what it was begun with, or use another state folder (--state).",
            )


def _locked(folder: Path) -> IO[str]:
    """Take the run's lock, or say who holds it."""
    import fcntl

    lock = (folder / _LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise LockedError(
            f"Another process (id {holder}) is carrying out this run.",
            remedy="Watch it with 'readiness status', or wait for its end. Nothing was started here.",
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _reader(folder: Path) -> sqlite3.Connection:
    path = folder / _FILE
    if not path.exists():
        raise JournalError(
            f"There is no run in {folder}.", remedy="'readiness status' without a run lists those there are."
        )
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    connection.execute("PRAGMA query_only = 1")
    return connection


def _info(connection: sqlite3.Connection) -> RunInfo:
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if "run" not in meta:
        remedy = "The same 'readiness run' again begins it."
        raise JournalError("The run was not begun: its process ended before it did anything.", remedy=remedy)
    if meta["format"] != _FORMAT:
        remedy = "Use the release that began the run."
        raise JournalError(f"The journal has format {meta['format']}; this is {_FORMAT}.", remedy=remedy)
    return decode(meta["run"], RunInfo)


def _records(connection: sqlite3.Connection) -> tuple[StepRecord, ...]:
    rows = connection.execute(
        "SELECT vm, name, state, attempt, intended_at, token, ended_at, result FROM step ORDER BY rowid"
    )
    return tuple(
        StepRecord(
            vm=ResourceId(vm),
            name=name,
            state=StepState(state),
            attempt=attempt,
            intended_at=datetime.fromisoformat(intended),
            token=token,
            ended_at=datetime.fromisoformat(ended) if ended else None,
            result=decode(result, StepResult) if result else None,
        )
        for vm, name, state, attempt, intended, token, ended, result in rows
    )


def _events(connection: sqlite3.Connection) -> tuple[Event, ...]:
    rows = connection.execute("SELECT at, kind, vm, text, phase FROM event ORDER BY number")
    return tuple(
        Event(
            at=datetime.fromisoformat(at),
            kind=EventKind(kind),
            vm=vm,
            text=text,
            phase=Phase(phase) if phase else None,
        )
        for at, kind, vm, text, phase in rows
    )


@contextmanager
def _usable(place: object) -> Iterator[None]:
    """Let only errors of the JournalError family out."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            f"The journal in {place} cannot be used.",
            details=str(error),
            remedy="Keep the folder: the state from before also stands in the tags of the snapshots.",
        ) from error
