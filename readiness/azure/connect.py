"""Builds every SDK client, here and nowhere else, so that none silently talks to public Azure.

One set of clients per thread: the SDK's transport is documented as not safe to share between threads.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import (
    HeadersPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from msgspec import Struct

from readiness.azure.pacing import Pacing, Traffic

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

_RETRIES = 6


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
    scope: str = ""
    """What tokens are asked for; empty where that follows from the address."""

    @property
    def token_scope(self) -> str:
        """Return the scope of a token for this endpoint."""
        return self.scope or f"{self.base_url.rstrip('/')}/.default"


class Cloud(Struct, frozen=True):
    """One of Azure's clouds."""

    name: str
    """As estates name it."""
    arm: str
    authority: str


CLOUDS = {
    "AzureCloud": Cloud("AzurePublic", "https://management.azure.com", "login.microsoftonline.com"),
    "AzureChinaCloud": Cloud("AzureChina", "https://management.chinacloudapi.cn", "login.chinacloudapi.cn"),
    "AzureUSGovernment": Cloud(
        "AzureUSGovernment", "https://management.usgovcloudapi.net", "login.microsoftonline.us"
    ),
}
"""By the names that the Azure CLI gives them."""


def live(cloud: str, *, base_url: str = "", scope: str = "") -> tuple[Endpoint, str]:
    """Return the way to one of Azure's clouds, as whoever is logged in here, and the cloud's name.

    Args:
        cloud: A name of `CLOUDS`.
        base_url: Another address of Resource Manager, such as that of a private endpoint.
        scope: What tokens are asked for, where it is not the cloud's own.
    """
    from azure.identity import DefaultAzureCredential

    # What it tries and fails at is in the error, and need not be logged beside it.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    known = CLOUDS[cloud]
    endpoint = Endpoint(
        base_url=(base_url or known.arm).rstrip("/"),
        credential=DefaultAzureCredential(authority=known.authority),
        scope=scope or f"{known.arm}/.default",
    )
    return endpoint, known.name


class Connection:
    """The clients of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._local = threading.local()
        self._opened: list[Closable] = []

    @property
    def endpoint(self) -> Endpoint:
        """Where it leads, and as whom."""
        return self._endpoint

    def compute(self, subscription: str) -> ComputeManagementClient:
        """Return this thread's compute client for a subscription."""
        clients: dict[str, ComputeManagementClient] = self._local.__dict__.setdefault("compute", {})
        if subscription not in clients:
            clients[subscription] = ComputeManagementClient(
                self._endpoint.credential, subscription, **self._options()
            )
            self._opened.append(clients[subscription])
        return clients[subscription]

    def backup(self, subscription: str) -> "RecoveryServicesBackupClient":
        """Return this thread's Azure Backup client for a subscription."""
        # Imported here, since most runs never ask Azure Backup and it takes long to load.
        from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

        clients: dict[str, RecoveryServicesBackupClient] = self._local.__dict__.setdefault("backup", {})
        if subscription not in clients:
            clients[subscription] = RecoveryServicesBackupClient(
                self._endpoint.credential, subscription, **self._options()
            )
            self._opened.append(clients[subscription])
        return clients[subscription]

    def reader(self, traffic: Traffic) -> PipelineClient[Any, Any]:
        """Return this thread's client for plain reads: it retries, waits for quotas, and registers nothing.

        The management clients register a resource provider when Azure misses it, which is a change.
        """
        client: PipelineClient[Any, Any] | None = getattr(self._local, "reader", None)
        if client is None:
            options = self._options()
            del options["credential_scopes"]
            policies = [
                RequestIdPolicy(),
                HeadersPolicy({"Accept": "application/json"}),
                UserAgentPolicy("readiness"),
                ProxyPolicy(),
                RetryPolicy(retry_total=_RETRIES, retry_status=_RETRIES, retry_backoff_max=60),
                ARMChallengeAuthenticationPolicy(self._endpoint.credential, self._endpoint.token_scope),
                Pacing(traffic),
            ]
            client = PipelineClient(policies=policies, **options)
            self._local.reader = client
            self._opened.append(client)
        return client

    def close(self) -> None:
        """Close what every thread opened."""
        while self._opened:
            with suppress(OSError):
                self._opened.pop().close()

    def _options(self) -> dict[str, Any]:
        endpoint = self._endpoint
        options: dict[str, Any] = {
            "base_url": endpoint.base_url,
            "credential_scopes": [endpoint.token_scope],
        }
        if endpoint.make_transport is not None:
            options["transport"] = endpoint.make_transport()
        if endpoint.certificate is not None:
            options["connection_verify"] = endpoint.certificate
            # A twin is on this machine: a proxy of the environment does not lead there.
            options["use_env_settings"] = False
        return options
