"""One run of a script in a guest: its time, its streams, and what it can ask of Azure from inside.

Guarantees: a script that sleeps takes that long in the twin's time, and ends where its time is up; one that
runs in circles ends, too.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from readiness.twin.documents import Json
from readiness.twin.guest.system import Guest

_MOST_COMMANDS = 20_000


class TimeIsUp(Exception):  # noqa: N818  no error of ours: the end of a script's time
    """The script took longer than it may."""


@dataclass(slots=True, kw_only=True)
class Session:
    """A script that is being carried out."""

    guest: Guest
    began: datetime
    limit: float
    """Seconds it may take."""
    identity: Json | None = None
    """The managed identity of the machine, as its resource has it."""
    instance: Json = field(default_factory=dict)
    """What the instance metadata service says of the machine."""
    elapsed: float = 0.0
    commands: int = 0

    @property
    def now(self) -> datetime:
        """Return the time."""
        return self.began + timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds
        if self.elapsed > self.limit:
            self.elapsed = self.limit
            raise TimeIsUp

    def count(self) -> None:
        """Count a command; a script without an end uses its time up."""
        self.commands += 1
        if self.commands > _MOST_COMMANDS:
            self.sleep(self.limit + 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended, and what it wrote."""

    code: int
    output: str
    error: str
    seconds: float
    is_timed_out: bool = False
