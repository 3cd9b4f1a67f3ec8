"""What holds for every test: nothing leaves this machine, and every terminal is the same."""

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A gate says the same of the same code on every machine, however slow; `make properties` looks further.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("searching", settings.get_profile("repeatable"), derandomize=False)
settings.load_profile("repeatable")

# The console asks for width and colours when it is first imported, whichever test does so.
os.environ |= {"COLUMNS": "132", "TERM": "dumb", "NO_COLOR": "1"}


class LeakError(AssertionError):
    """A test reached for the network; no code of ours or of the SDK mistakes this for a lost connection."""


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every name and address but loopback, so that a client without our endpoint fails loudly."""
    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
    look_up = socket.getaddrinfo

    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        _insist(host)
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != getattr(socket, "AF_UNIX", None):
            _insist(address[0])
        return connect(self, address)

    return guarded


def _insist(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        is_here = ipaddress.ip_address(name).is_loopback
    except ValueError:
        is_here = name == "localhost"
    if not is_here:
        raise LeakError(f"a test reached for {name}: only loopback is allowed here")
