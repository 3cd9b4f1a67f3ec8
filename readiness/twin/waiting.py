"""How a client is told to wait, in its own seconds.

azure-core reads `Retry-After` first and `retry-after-ms` only where that is absent; without either, or with a
zero, it sleeps 30 seconds. `Retry-After` is a whole number of seconds (the SDK parses it as an integer), so a
wait below one second can only be said by `retry-after-ms`.
"""

import math

from readiness.twin.documents import look

POLL_SECONDS = 10.0
"""Azure asks for a poll every ten seconds or so; a shorter rest is told as it is."""

_ENDED = ("succeeded", "failed", "canceled")


def waiting_headers(seconds: float, rate: float) -> dict[str, str]:
    """Say a wait of twin seconds to a client for whom `rate` of them are one second."""
    wall = seconds / rate
    milliseconds = {"retry-after-ms": str(max(1, math.ceil(wall * 1000)))}
    if wall < 1 and rate != 1:
        return milliseconds
    headers = {"Retry-After": str(max(1, math.ceil(wall)))}
    return headers if rate == 1 else headers | milliseconds


def hint(body: object, rate: float) -> dict[str, str]:
    """Say when to look again at a resource that is followed by its state alone, where the clock runs faster.

    Azure says nothing there, and so does a twin at Azure's own speed: its clients look every half a minute.
    """
    state = look(body, "properties.provisioningState") if isinstance(body, dict) else None
    if rate == 1 or not isinstance(state, str) or state.lower() in _ENDED:
        return {}
    return waiting_headers(POLL_SECONDS, rate)
