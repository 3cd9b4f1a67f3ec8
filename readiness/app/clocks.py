"""The clocks behind the clock port: of a twin in process, of a twin elsewhere, and of this machine."""

import json
import ssl
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from readiness.errors import UnreachableError
from readiness.twin.clock import VirtualClock


class RehearsalClock:
    """The virtual clock of a twin in process: waiting takes no time."""

    rate = 1.0

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the twin's instant."""
        return self._clock.now()

    def sleep_until(self, due: datetime) -> None:
        """Move the twin to an instant."""
        self._clock.skip_to(due)

    def skip_to(self, instant: datetime) -> bool:
        """Move the twin to an instant."""
        self._clock.skip_to(instant)
        return True


class WallClock:
    """This machine's clock: nobody can move it, and one that jumps back does not bring time back.

    A clock that is set back meanwhile stands still here until it has caught up, so that each window is seen
    once.
    """

    rate = 1.0

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the instant; never earlier than one returned before."""
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest

    def sleep_until(self, due: datetime) -> None:
        """Wait; at most a few seconds at a time, so that a clock that was set is noticed."""
        while (left := (due - self.now()).total_seconds()) > 0:
            time.sleep(min(left, 5.0))

    def skip_to(self, instant: datetime) -> bool:
        """Say whether the instant has come: real time is not moved."""
        return self.now() >= instant


class RemoteTwinClock:
    """The clock of a twin in another process.

    The twin is asked now and then; between two questions its time is reckoned from the wall clock.
    """

    _TRUSTED_SECONDS = 5.0

    def __init__(self, url: str, certificate: str) -> None:
        self._address = f"{url.rstrip('/')}/.twin/clock"
        # A twin is on this machine: a proxy of the environment does not lead there.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=certificate)),
        )
        self._read_at = 0.0
        self._instant, self.rate, self.instance = self._ask(None)

    def now(self) -> datetime:
        """Return the twin's instant."""
        elapsed = time.monotonic() - self._read_at
        if elapsed > self._TRUSTED_SECONDS:
            self._instant, self.rate, _ = self._ask(None)
            elapsed = 0.0
        return self._instant + timedelta(seconds=elapsed * self.rate)

    def sleep_until(self, due: datetime) -> None:
        """Wait on the wall clock until the twin has reached an instant."""
        time.sleep(max(0.0, (due - self.now()).total_seconds() / self.rate))

    def skip_to(self, instant: datetime) -> bool:
        """Move the twin forward to an instant."""
        self._instant, self.rate, _ = self._ask({"skip_to": instant.isoformat()})
        return True

    def _ask(self, body: dict[str, str] | None) -> tuple[datetime, float, str]:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(  # noqa: S310  https on loopback, checked by whoever builds this
            self._address, data=data, headers={"Content-Type": "application/json"}
        )
        try:
            with self._opener.open(request, timeout=10) as answer:
                document: dict[str, Any] = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise UnreachableError(
                f"No twin answers at {self._address}.",
                code="Unreachable",
                details=str(error),
                remedy="Start one: readiness twin serve ESTATE, and give the address that it prints.",
            ) from error
        self._read_at = time.monotonic()
        instant = datetime.fromisoformat(document["now"])
        return instant, float(document["rate"]), str(document["instance"])
