"""The clock port: one idea of *now* for windows, due times and records."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A clock, and the only way to wait."""

    @property
    def rate(self) -> float:
        """Seconds of this clock in one second of the wall clock: 1 live, more on a hurried twin."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""

    def sleep_until(self, due: datetime) -> None:
        """Wait until an instant; returns at once if it has passed."""

    def skip_to(self, instant: datetime) -> bool:
        """Move time forward to an instant. False where time cannot be moved, as in the real world."""
