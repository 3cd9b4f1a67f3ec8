"""The tables of a run's journal and what stands in their rows. Knows SQLite, and no files and no locks.

A VM's step records belong to a *round*: trying it again begins a new one, and the old ones stay.
Events are a chain: each holds the digest of itself and of the one before, so that a change of any shows.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from readiness.errors import JournalError, ReplayMismatchError
from readiness.model.codec import decode, encode
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase
from readiness.model.run import (
    Event,
    EventKind,
    RunInfo,
    Signal,
    SignalKind,
    StepRecord,
    StepResult,
    StepState,
)

FORMAT = "readiness/journal/2"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unit (vm TEXT PRIMARY KEY, round INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS step (
    vm TEXT NOT NULL, round INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
    attempt INTEGER NOT NULL, intended_at TEXT NOT NULL, token TEXT, ended_at TEXT, result TEXT,
    PRIMARY KEY (vm, round, name)
);
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL,
    vm TEXT NOT NULL, text TEXT NOT NULL, phase TEXT, digest TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS signal (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, sent_by TEXT NOT NULL,
    vm TEXT NOT NULL, note TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 0
);
"""
_STEPS = """
SELECT step.vm, name, state, attempt, intended_at, token, ended_at, result FROM step
LEFT JOIN unit ON unit.vm = step.vm WHERE step.round = COALESCE(unit.round, 1) ORDER BY step.rowid
"""
_ROUNDS = """
SELECT round, vm, name, state, attempt, intended_at, token, ended_at, result FROM step ORDER BY rowid
"""
_WISHES = "SELECT number, at, kind, sent_by, vm, note FROM signal ORDER BY number"
_SIGNALS = "SELECT number, at, kind, sent_by, vm, note FROM signal WHERE taken = 0 ORDER BY number"


def lay_out(connection: sqlite3.Connection, info: RunInfo) -> None:
    """Lay out a new journal, or check that an old one belongs to this run.

    Raises:
        ReplayMismatchError: It belongs to another plan, place or release.
        JournalError: It has another format.
    """
    row = None
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        row = connection.execute("SELECT value FROM meta WHERE key = 'run'").fetchone()
    if row is not None:
        _compare(info_of(connection), info)
        return
    connection.executescript(_SCHEMA)
    # One statement: whoever dies here leaves both or neither.
    connection.execute("INSERT INTO meta VALUES ('format', ?), ('run', ?)", (FORMAT, encode(info).decode()))


def info_of(connection: sqlite3.Connection) -> RunInfo:
    """Return what the run is."""
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if "run" not in meta:
        remedy = "The same 'readiness run' again begins it."
        raise JournalError("The run was not begun: its process ended before it did anything.", remedy=remedy)
    if meta["format"] != FORMAT:
        remedy = "Use the release that began the run."
        raise JournalError(f"The journal has format {meta['format']}; this is {FORMAT}.", remedy=remedy)
    return decode(meta["run"], RunInfo)


def records_of(connection: sqlite3.Connection) -> tuple[StepRecord, ...]:
    """Return the step records of every VM's last round, in the order of intent."""
    return tuple(_record(row) for row in connection.execute(_STEPS))


def rounds_of(connection: sqlite3.Connection) -> tuple[tuple[int, StepRecord], ...]:
    """Return the step records of all rounds, each with the number of its round, in the order of intent."""
    return tuple((number, _record(row)) for number, *row in connection.execute(_ROUNDS))


def events_of(connection: sqlite3.Connection) -> tuple[Event, ...]:
    """Return the run's story."""
    rows = connection.execute("SELECT at, kind, vm, text, phase FROM event ORDER BY number")
    return tuple(_event(*row) for row in rows)


def chain_of(connection: sqlite3.Connection) -> Iterator[tuple[int, Event | None, str]]:
    """Yield number, event and digest of every event in order; None for a row that is no event any more."""
    rows = connection.execute("SELECT number, at, kind, vm, text, phase, digest FROM event ORDER BY number")
    for number, *fields, digest in rows:
        try:
            event = _event(*fields)
        except (ValueError, TypeError):
            event = None
        yield number, event, digest


def head_of(connection: sqlite3.Connection) -> str:
    """Return the digest of the last event, which stands for the whole story; empty where there is none."""
    row = connection.execute("SELECT digest FROM event ORDER BY number DESC LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def link(before: str, event: Event) -> str:
    """Return the digest of an event that follows the one with the digest `before`."""
    return hashlib.sha256(before.encode() + b"\n" + encode(event)).hexdigest()


def signals_of(connection: sqlite3.Connection) -> tuple[Signal, ...]:
    """Return the signals that nobody has acted on, oldest first."""
    return tuple(_signal(*row) for row in connection.execute(_SIGNALS))


def wishes_of(connection: sqlite3.Connection) -> tuple[Signal, ...]:
    """Return every signal that was ever left, oldest first."""
    return tuple(_signal(*row) for row in connection.execute(_WISHES))


def _record(row: Sequence[Any]) -> StepRecord:
    vm, name, state, attempt, intended, token, ended, result = row
    return StepRecord(
        vm=ResourceId(vm),
        name=name,
        state=StepState(state),
        attempt=attempt,
        intended_at=datetime.fromisoformat(intended),
        token=token,
        ended_at=datetime.fromisoformat(ended) if ended else None,
        result=decode(result, StepResult) if result else None,
    )


def _signal(number: int, at: str, kind: str, sent_by: str, vm: str, note: str) -> Signal:
    return Signal(
        number=number,
        at=datetime.fromisoformat(at),
        kind=SignalKind(kind),
        sent_by=sent_by,
        vm=vm,
        note=note,
    )


def _event(at: str, kind: str, vm: str, text: str, phase: str | None) -> Event:
    return Event(
        at=datetime.fromisoformat(at),
        kind=EventKind(kind),
        vm=vm,
        text=text,
        phase=Phase(phase) if phase else None,
    )


def _compare(known: RunInfo, wanted: RunInfo) -> None:
    for field in ("plan", "wave", "stage", "place", "release"):
        before, now = getattr(known, field), getattr(wanted, field)
        if before != now:
            raise ReplayMismatchError(
                f"The run {known.id} was begun with another {field}.",
                details=f"It was begun with {before}, this is {now}.",
                remedy="Finish it with what it was begun with, or use another state folder (--state).",
            )
