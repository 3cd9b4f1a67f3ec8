"""A second place for what a run remembers: its journal once more, as lines of JSON, and beside it its plan.

Guarantees: whatever the journal recorded is in this file, too, when its method returns, unless the place
cannot be written, or does not answer in time; then somebody is told at once, the run goes on, and all of it
is written again once the place answers. What another machine wrote of the run is never written over. Lines
are only added, so that a share may hold it, and one that a crash cut off is left out.
The addresses of operations that Azure is at work on stay at home: a step that was begun is looked at again.
What people left as a wish, and no process has acted on, is not in it.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from errno import ETIMEDOUT
from pathlib import Path
from threading import Thread
from typing import Protocol

import msgspec
from msgspec import Struct

from readiness.errors import JournalError, UsageError
from readiness.model.codec import decode, encode
from readiness.model.ids import ResourceId
from readiness.model.run import Event, RunInfo, StepRecord, StepResult
from readiness.store.artefacts import write_whole
from readiness.store.runs import folder_of

_FORMAT = "readiness/journal-copy/1"
_PATIENCE = 5.0
"""Seconds that a share has for a write: VMs that are off are not asked about meanwhile."""
_TRIED_EVERY = 20
"""After so many lines that were missed the place is tried again: one that is gone may take long to say so."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was recorded."""

    does: str
    """`intended`, `ended`, `again` or `told`."""
    vm: ResourceId | None = None
    step: str = ""
    at: datetime | None = None
    result: StepResult | None = None
    event: Event | None = None


class _Head(Struct, frozen=True, kw_only=True):
    """The first line."""

    format: str
    run: RunInfo


class Copy(Struct, frozen=True, kw_only=True):
    """A journal as it stood in the second place."""

    info: RunInfo
    lines: tuple[Line, ...]

    @property
    def last(self) -> datetime:
        """When the last of it was recorded."""
        instants = [line.at or (line.event.at if line.event else None) for line in self.lines]
        return max((at for at in instants if at is not None), default=self.info.started_at)


class Recorder(Protocol):
    """A journal that a copy is read back into."""

    def intend(self, vm: ResourceId, name: str, at: datetime) -> None:
        """Record an intent."""

    def ended(self, vm: ResourceId, name: str, result: StepResult, at: datetime) -> None:
        """Record an end."""

    def begin_again(self, vm: ResourceId) -> None:
        """Begin a new round."""

    def tell(self, event: Event) -> None:
        """Append an event."""


class SecondPlace:
    """Where one run's journal is written once more."""

    def __init__(
        self, state: Path, info: RunInfo, trouble: Callable[[str], None], patience: float = _PATIENCE
    ) -> None:
        """Take the second state folder, the run, whom to tell of trouble, and the seconds for a write."""
        self._file = _file(state, info.id)
        self._info = info
        self._trouble = trouble
        self._missed = 0
        self._patience = patience
        self._writer: Thread | None = None
        """A write that may not have ended yet."""

    @property
    def answers(self) -> bool:
        """Whether it could be written the last time."""
        return not self._missed

    def begin(self, lines: Iterable[Line]) -> None:
        """Write all that is known of the run so far.

        Raises:
            UsageError: Nothing can be written there.
            JournalError: It holds what another machine knew of the run.
        """
        head = _Head(format=_FORMAT, run=self._info)
        data = [encode(head) + b"\n", *(encode(line) + b"\n" for line in lines)]
        try:
            self._in_time(lambda: self._write_all(data))
        except OSError as error:
            raise UsageError(f"{self._file} cannot be written.", details=error.strerror or "") from error
        self._missed = 0

    def miss(self, why: str) -> None:
        """Take note that the place cannot be written now, and tell it."""
        self._missed = 1
        why = why or "no reason was given"
        self._trouble(f"the second place {self._file} cannot be written: {why}; the run goes on")

    def add(self, line: Line, whole: Callable[[], Iterable[Line]]) -> None:
        """Add a line; where lines were missed, write everything, as `whole` tells it."""
        if self._missed:
            self._missed += 1
            if self._missed % _TRIED_EVERY == 0:
                self._catch_up(whole)
            return
        data = encode(line) + b"\n"
        try:
            self._in_time(lambda: self._append(data))
        except OSError as error:
            self.miss(error.strerror or "")

    def _catch_up(self, whole: Callable[[], Iterable[Line]]) -> None:
        try:
            self.begin(whole())
        except (UsageError, JournalError):
            return
        self._trouble(f"the second place {self._file} is written again, and holds everything")

    def _append(self, data: bytes) -> None:
        with self._file.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _write_all(self, data: list[bytes]) -> None:
        self._insist_on_ours()
        write_whole(self._file, data)
        # A share may know no such rights.
        with suppress(OSError):
            self._file.chmod(0o600)

    def _insist_on_ours(self) -> None:
        """Refuse to write over what another machine knew of the run."""
        try:
            with self._file.open("rb") as file:
                head = decode(file.readline(), _Head)
        except (OSError, msgspec.MsgspecError, ValueError):
            return
        if head.run.instance != self._info.instance:
            raise JournalError(
                f"{self._file} holds what another machine knew of {head.run.id}.",
                details="Written over, it could not be recovered any more. Nothing was started here.",
                remedy="'readiness recover' with the same --second-state first; or give another folder.",
            )

    def _in_time(self, write: Callable[[], None]) -> None:
        """Do a write, and wait for it no longer than a share may take: one that is gone may never answer.

        Raises:
            OSError: It failed, or has not ended in time; it is not done twice at once.
        """
        if self._writer is not None and self._writer.is_alive():
            raise OSError(ETIMEDOUT, "an earlier write has not ended")
        failed: list[Exception] = []

        def attempt() -> None:
            try:
                write()
            except (OSError, UsageError, JournalError) as error:
                failed.append(error)

        # It is not waited for at the end of the process either.
        self._writer = Thread(target=attempt, daemon=True, name="second-place")
        self._writer.start()
        self._writer.join(self._patience)
        if self._writer.is_alive():
            raise OSError(ETIMEDOUT, f"no answer within {self._patience:g} s")
        if failed:
            raise failed[0]


def lines_of(rounds: Iterable[tuple[int, StepRecord]], events: Iterable[Event]) -> Iterator[Line]:
    """Yield a journal's step records and its story as the lines that lead to them."""
    known: dict[ResourceId, int] = {}
    for number, record in rounds:
        if number > known.setdefault(record.vm, 1):
            known[record.vm] = number
            yield Line(does="again", vm=record.vm)
        for _ in range(record.attempt):
            yield Line(does="intended", vm=record.vm, step=record.name, at=record.intended_at)
        if record.result is not None:
            yield Line(does="ended", vm=record.vm, step=record.name, at=record.ended_at, result=record.result)
    for event in events:
        yield Line(does="told", event=event)


def read_copy(state: Path, run: str) -> Copy | None:
    """Read what a second place holds of a run; None where it holds nothing of it.

    Raises:
        JournalError: It cannot be read, or is damaged.
    """
    file = _file(state, run)
    try:
        first, *rest = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"{file} cannot be read.", details=error.strerror or "") from error
    try:
        head = decode(first, _Head)
        # What follows the last line break is a line that was cut off, or nothing.
        lines = tuple(decode(line, Line) for line in rest[:-1])
    except (msgspec.MsgspecError, ValueError) as error:
        remedy = "Recover without --second-state: the marks on Azure tell where each VM was."
        raise JournalError(f"{file} is damaged.", details=str(error), remedy=remedy) from error
    if head.format != _FORMAT:
        remedy = "Use the release that wrote it."
        raise JournalError(f"{file} has format {head.format!r}; this is {_FORMAT}.", remedy=remedy)
    return Copy(info=head.run, lines=lines)


def read_back(lines: Sequence[Line], journal: Recorder) -> None:
    """Record everything once more that lines tell, in their order."""
    for line in lines:
        match line:
            case Line(does="intended", vm=ResourceId() as vm, at=datetime() as at):
                journal.intend(vm, line.step, at)
            case Line(does="ended", vm=ResourceId() as vm, at=datetime() as at, result=StepResult() as how):
                journal.ended(vm, line.step, how, at)
            case Line(does="again", vm=ResourceId() as vm):
                journal.begin_again(vm)
            case Line(does="told", event=Event() as event):
                journal.tell(event)
            case _:
                raise JournalError(f"A line of the second place says what nobody knows: {line.does!r}.")


def _file(state: Path, run: str) -> Path:
    return folder_of(state, run) / "journal.jsonl"
