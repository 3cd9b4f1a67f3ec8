"""The twin's clocks: the one module here that knows what time it is.

`VirtualClock` moves only when somebody sleeps or skips: a rehearsal of many hours takes as long as its
computing does. `ScaledClock` moves on its own, `rate` twin seconds to each second on the wall: for a twin
that is a process of its own. Neither ever goes back. Sleepers on several threads of one `VirtualClock` add
their sleeps up; a rehearsal that wants its time reproducible sleeps on one thread.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the twin asks of a clock."""

    @property
    def rate(self) -> float:
        """Twin seconds that pass while a client waits one second."""

    def now(self) -> datetime:
        """Return the time in the twin: aware, UTC."""

    def skip_to(self, moment: datetime) -> None:
        """Move on to a moment; a moment already past changes nothing."""

    def sleep(self, seconds: float) -> None:
        """Wait for as long as a client was told to wait."""


def wall_now() -> datetime:
    """Return the time outside the twin, which only certificates and real servers need."""
    return datetime.now(UTC)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} carries no time zone: give an aware datetime")
    return moment.astimezone(UTC)


class VirtualClock:
    """Time that passes only on request, and then at once."""

    rate = 1.0

    def __init__(self, start: datetime) -> None:
        self._now = _utc(start)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time in the twin."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass, instantly."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))

    def skip_to(self, moment: datetime) -> None:
        """Move on to a moment; a moment already past changes nothing."""
        with self._lock:
            self._now = max(self._now, _utc(moment))


class ScaledClock:
    """Time that passes by itself, faster than on the wall by `rate`."""

    def __init__(self, start: datetime, *, rate: float = 1.0) -> None:
        if rate <= 0:
            raise ValueError(f"a clock cannot run at rate {rate}: give a number above zero")
        self.rate = rate
        self._origin = _utc(start)
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time in the twin."""
        with self._lock:
            return self._read()

    def sleep(self, seconds: float) -> None:
        """Wait on the wall: what a client is told to wait is told in wall seconds."""
        time.sleep(max(0.0, seconds))

    def skip_to(self, moment: datetime) -> None:
        """Move on to a moment; a moment already past changes nothing."""
        with self._lock:
            self._origin += max(timedelta(0), _utc(moment) - self._read())

    def _read(self) -> datetime:
        return self._origin + timedelta(seconds=(time.monotonic() - self._started) * self.rate)
