"""How a client is told to wait, in its own seconds.

azure-core reads `Retry-After` first and `retry-after-ms` only where that is absent; without either, or with a
zero, it sleeps 30 seconds. `Retry-After` is a whole number of seconds (the SDK parses it as an integer), so a
wait below one second can only be said by `retry-after-ms`.
"""

import math

POLL_SECONDS = 10.0
"""Azure asks for a poll every ten seconds or so; a shorter rest is told as it is."""


def waiting_headers(seconds: float, rate: float) -> dict[str, str]:
    """Say a wait of twin seconds to a client for whom `rate` of them are one second."""
    wall = seconds / rate
    milliseconds = {"retry-after-ms": str(max(1, math.ceil(wall * 1000)))}
    if wall < 1 and rate != 1:
        return milliseconds
    headers = {"Retry-After": str(max(1, math.ceil(wall)))}
    return headers if rate == 1 else headers | milliseconds
