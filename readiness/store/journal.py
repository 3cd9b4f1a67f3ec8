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

import msgspec
from msgspec import Struct

from readiness.errors import JournalError, LockedError, UsageError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.run import Event, RunInfo, Signal, SignalKind, StepRecord, StepResult, StepState
from readiness.store.journal_tables import (
    chain_of,
    events_of,
    head_of,
    info_of,
    lay_out,
    link,
    records_of,
    rounds_of,
    signals_of,
    wishes_of,
)
from readiness.store.place import address_to_read, insist_on_local
from readiness.store.second_place import Line, SecondPlace, lines_of

_FILE, _LOCK = "journal.sqlite", "lock"
_DAMAGE = (msgspec.MsgspecError, ValueError, TypeError, KeyError)
"""What reading raises where something else stands in a row than was written."""


class SqliteJournal:
    """Writes the journal of one run; use `open` for a folder, `in_memory` for a rehearsal."""

    def __init__(self, connection: sqlite3.Connection, place: object, lock: IO[str] | None) -> None:
        self._connection = connection
        self._place = place
        self._lock = lock
        self._second: SecondPlace | None = None
        with _usable(place):
            self._head = head_of(connection)

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
            lay_out(connection, info)
            opened.pop_all()
        return cls(connection, folder, lock)

    @classmethod
    def in_memory(cls, info: RunInfo) -> Self:
        """Return a journal that is gone with the process."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        lay_out(connection, info)
        return cls(connection, "memory", None)

    def close(self) -> None:
        """Let another process take the run up."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def keep_in(self, second: SecondPlace) -> None:
        """Write everything to a second place, too: what is known so far at once.

        Raises:
            UsageError: Nothing can be written there, and the run has not begun; one that has goes on.
            JournalError: It holds what another machine knew of the run.
        """
        try:
            second.begin(self._lines())
        except UsageError as error:
            # Its VMs may be off: that matters more than a copy.
            if not self.records():
                raise
            second.miss(error.details)
        self._second = second

    def info(self) -> RunInfo:
        """Return what this run is."""
        with _usable(self._place):
            return info_of(self._connection)

    def head(self) -> str:
        """Return the digest of the last event: it stands for the whole story so far."""
        return self._head

    def records(self) -> Sequence[StepRecord]:
        """Return every step record of each VM's last round, in the order of intent."""
        with _usable(self._place):
            return records_of(self._connection)

    def begin_again(self, vm: ResourceId) -> None:
        """Begin a new round for a VM: its earlier records are kept, and decide nothing any more."""
        self._write(
            "INSERT INTO unit VALUES (?, 2) ON CONFLICT (vm) DO UPDATE SET round = round + 1", (vm.text,)
        )
        self._copy(Line(does="again", vm=vm))

    def intend(self, vm: ResourceId, name: str, at: datetime) -> None:
        """Record that a step is about to have its effect."""
        self._write(
            "INSERT INTO step "
            "VALUES (?, COALESCE((SELECT round FROM unit WHERE vm = ?), 1), ?, ?, 1, ?, NULL, NULL, NULL) "
            "ON CONFLICT (vm, round, name) DO UPDATE "
            "SET state = excluded.state, attempt = attempt + 1, token = NULL, ended_at = NULL, result = NULL",
            (vm.text, vm.text, name, StepState.INTENT, at.isoformat()),
        )
        self._copy(Line(does="intended", vm=vm, step=name, at=at))

    def begun(self, vm: ResourceId, name: str, token: str) -> None:
        """Record the token by which a begun step can be asked about."""
        self._write(
            "UPDATE step SET state = ?, token = ? WHERE vm = ? AND name = ? "
            "AND round = COALESCE((SELECT round FROM unit WHERE vm = ?), 1)",
            (StepState.BEGUN, token, vm.text, name, vm.text),
        )

    def ended(self, vm: ResourceId, name: str, result: StepResult, at: datetime) -> None:
        """Record how a step ended; its token is of no use any more and is dropped."""
        state = StepState.DONE if result.ok else StepState.FAILED
        self._write(
            "UPDATE step SET state = ?, token = NULL, ended_at = ?, result = ? WHERE vm = ? AND name = ? "
            "AND round = COALESCE((SELECT round FROM unit WHERE vm = ?), 1)",
            (state, at.isoformat(), encode(result).decode(), vm.text, name, vm.text),
        )
        self._copy(Line(does="ended", vm=vm, step=name, at=at, result=result))

    def tell(self, event: Event) -> None:
        """Append one event to the run's story, chained to the one before."""
        head = link(self._head, event)
        self._write(
            "INSERT INTO event (at, kind, vm, text, phase, digest) VALUES (?, ?, ?, ?, ?, ?)",
            (event.at.isoformat(), event.kind, event.vm, event.text, event.phase, head),
        )
        self._head = head
        self._copy(Line(does="told", event=event))

    def signals(self) -> Sequence[Signal]:
        """Return what people asked of the run and nobody has acted on, oldest first."""
        with _usable(self._place):
            return signals_of(self._connection)

    def taken(self, signal: Signal) -> None:
        """Record that a signal was acted on."""
        self._write("UPDATE signal SET taken = 1 WHERE number = ?", (signal.number,))

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with _usable(self._place):
            self._connection.execute(statement, values)

    def _copy(self, line: Line) -> None:
        if self._second is not None:
            self._second.add(line, self._lines)

    def _lines(self) -> Iterator[Line]:
        with _usable(self._place):
            return lines_of(rounds_of(self._connection), events_of(self._connection))


def read_run(folder: Path) -> tuple[RunInfo, Sequence[StepRecord], Sequence[Event]]:
    """Read a run from any process, while it goes on or afterwards.

    Raises:
        JournalError: There is no run in the folder, or its journal cannot be read.
    """
    with _usable(folder), closing(_reader(folder)) as connection:
        return info_of(connection), records_of(connection), events_of(connection)


def read_rounds(folder: Path) -> Sequence[tuple[int, StepRecord]]:
    """Return every step record of a run, those of earlier rounds too, each with the number of its round."""
    with _usable(folder), closing(_reader(folder)) as connection:
        return rounds_of(connection)


def read_head(folder: Path) -> str:
    """Return the digest of the last event of a run."""
    with _usable(folder), closing(_reader(folder)) as connection:
        return head_of(connection)


class Story(Struct, frozen=True, kw_only=True):
    """Everything that a journal holds, as it stood at one instant."""

    info: RunInfo
    records: tuple[StepRecord, ...]
    """Those of each VM's last round."""
    rounds: tuple[tuple[int, StepRecord], ...]
    """Every step record, those of earlier rounds too, each with the number of its round."""
    events: tuple[Event, ...]
    wishes: tuple[Signal, ...]
    """Every signal that was ever left."""
    head: str
    broken_at: int | None
    """The first event that does not fit the one before; None where all do."""


def read_story(folder: Path) -> Story:
    """Read all of a journal at once, from any process: nothing that is written meanwhile gets in between.

    Raises:
        JournalError: There is no run in the folder, or its journal cannot be read.
    """
    with _usable(folder), closing(_reader(folder)) as connection:
        connection.execute("BEGIN")
        return Story(
            info=info_of(connection),
            records=records_of(connection),
            rounds=rounds_of(connection),
            events=events_of(connection),
            wishes=wishes_of(connection),
            head=head_of(connection),
            broken_at=_broken(connection)[1],
        )


def broken_link(folder: Path) -> tuple[int, int | None]:
    """Return how many events a run has, and the number of the first that does not fit the one before."""
    with _usable(folder), closing(_reader(folder)) as connection:
        return _broken(connection)


def _broken(connection: sqlite3.Connection) -> tuple[int, int | None]:
    before, count = "", 0
    for number, event, digest in chain_of(connection):
        count += 1
        if event is None or digest != link(before, event) or number != count:
            return count, number
        before = digest
    return count, None


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


def leave_signal(
    folder: Path, kind: SignalKind, *, at: datetime, sent_by: str, vm: str = "", note: str = ""
) -> None:
    """Leave a wish for a run, from any process; whoever carries it out looks at it within a second."""
    statement = "INSERT INTO signal (at, kind, sent_by, vm, note) VALUES (?, ?, ?, ?, ?)"
    with _usable(folder):
        _reader(folder).close()
        with closing(sqlite3.connect(folder / _FILE, isolation_level=None, timeout=5)) as connection:
            connection.execute(statement, (at.isoformat(), kind, sent_by, vm, note))


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
    connection = sqlite3.connect(address_to_read(path), uri=True, timeout=5)
    connection.execute("PRAGMA query_only = 1")
    return connection


@contextmanager
def _usable(place: object) -> Iterator[None]:
    """Let only errors of the JournalError family out."""
    try:
        yield
    except (sqlite3.Error, OSError, *_DAMAGE) as error:
        raise JournalError(
            f"The journal in {place} cannot be used.",
            details=str(error),
            remedy="Keep the folder. Where its disk is full or away, mend that: the same command goes on. "
            "Where it is damaged, put it aside and rebuild it: readiness recover.",
        ) from error
