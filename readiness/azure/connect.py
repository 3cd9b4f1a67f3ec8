"""Builds every SDK client, here and nowhere else, so that none silently talks to public Azure.

One set of clients per thread: the SDK's transport is documented as not safe to share between threads.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from azure.core.credentials import TokenCredential
from azure.mgmt.compute import ComputeManagementClient
from msgspec import Struct


class Closable(Protocol):
    """Something with connections to close."""

    def close(self) -> None:
        """Close them."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where Azure Resource Manager is, how to reach it, and as whom."""

    base_url: str
    credential: TokenCredential
    make_transport: Callable[[], Any] | None = None
    """For the in-process twin: returns the transport of one client."""
    certificate: str | None = None
    """For a twin over HTTPS: the file with its certificate."""


class Connection:
    """The clients of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._local = threading.local()
        self._opened: list[Closable] = []

    def compute(self, subscription: str) -> ComputeManagementClient:
        """Return this thread's compute client for a subscription."""
        clients: dict[str, ComputeManagementClient] = self._local.__dict__.setdefault("compute", {})
        if subscription not in clients:
            clients[subscription] = ComputeManagementClient(
                self._endpoint.credential, subscription, **self._options()
            )
            self._opened.append(clients[subscription])
        return clients[subscription]

    def close(self) -> None:
        """Close what every thread opened."""
        while self._opened:
            with suppress(OSError):
                self._opened.pop().close()

    def _options(self) -> dict[str, Any]:
        endpoint = self._endpoint
        options: dict[str, Any] = {
            "base_url": endpoint.base_url,
            "credential_scopes": [f"{endpoint.base_url.rstrip('/')}/.default"],
        }
        if endpoint.make_transport is not None:
            options["transport"] = endpoint.make_transport()
        if endpoint.certificate is not None:
            options["connection_verify"] = endpoint.certificate
            # A twin is on this machine: a proxy of the environment does not lead there.
            options["use_env_settings"] = False
        return options
