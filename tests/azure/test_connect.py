"""Clients: where they go, who shares them, and that none goes anywhere else."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient

from readiness.azure.connect import Connection, Endpoint
from readiness.twin.clock import ScaledClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.server import TwinServer
from readiness.twin.transport import TwinTransport
from tests.conftest import LeakError
from tests.twin.seeds import START, SUBSCRIPTION, Wire, estate


class Asked(TwinTransport):
    """A twin's transport that remembers the addresses it was asked for, and whether it was closed."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.twin)
        self.urls: list[str] = []
        self.closed = 0

    def send(self, request: Any, **options: Any) -> Any:
        """Remember, then answer."""
        self.urls.append(request.url)
        return super().send(request, **options)

    def close(self) -> None:
        """Remember."""
        self.closed += 1


def connected() -> tuple[Connection, list[Asked]]:
    """Return a connection to a twin in process, and the transports it makes."""
    wire = Wire()
    made: list[Asked] = []

    def make() -> Asked:
        made.append(Asked(wire))
        return made[-1]

    endpoint = Endpoint(base_url="https://twin.invalid", credential=TwinCredential(), make_transport=make)
    return Connection(endpoint), made


def test_every_request_goes_to_the_endpoint() -> None:
    """A client asks the endpoint it was given, and nobody else."""
    connection, made = connected()
    connection.compute(SUBSCRIPTION).virtual_machines.get("rg-app", "web-1")
    assert ["https://twin.invalid"] == [url.split("/subscriptions")[0] for url in made[0].urls]


def test_azure_backup_is_asked_at_the_endpoint_too() -> None:
    """The client of Azure Backup goes where the others go, and is made once for each subscription."""
    connection, made = connected()
    client = connection.backup(SUBSCRIPTION)
    with pytest.raises(ResourceNotFoundError):
        client.protected_items.get("rsv", "rg-app", "Azure", "container", "item")
    assert client is connection.backup(SUBSCRIPTION)
    (url,) = made[0].urls
    assert url.startswith("https://twin.invalid/")
    connection.close()
    assert 1 == made[0].closed


def test_a_client_without_the_endpoint_fails_loudly() -> None:
    """A client that somebody built without the endpoint cannot reach public Azure from a test."""
    client = ComputeManagementClient(TwinCredential(), SUBSCRIPTION, retry_total=0)
    with pytest.raises(LeakError, match=r"management\.azure\.com"), client:
        client.virtual_machines.get("rg-app", "web-1")


def test_addresses_are_guarded_too() -> None:
    """A socket that needs no name does not get out either."""
    with socket.socket() as one, pytest.raises(LeakError, match=r"192\.0\.2\.1"):
        one.connect(("192.0.2.1", 443))


def test_a_thread_has_its_own_client() -> None:
    """Within a thread a client is made once for each subscription; no thread uses another's."""
    connection, made = connected()
    with ThreadPoolExecutor(1) as other:
        mine = [connection.compute(SUBSCRIPTION), connection.compute(SUBSCRIPTION), connection.compute("s2")]
        its = other.submit(connection.compute, SUBSCRIPTION).result()
    assert mine[0] is mine[1]
    assert 3 == len({id(client) for client in (*mine, its)})
    assert 3 == len(made)


def test_all_are_closed() -> None:
    """Closing the connection closes what every thread opened, once."""
    connection, made = connected()
    with ThreadPoolExecutor(1) as other:
        connection.compute(SUBSCRIPTION)
        other.submit(connection.compute, SUBSCRIPTION).result()
    connection.close()
    connection.close()
    assert [1, 1] == [transport.closed for transport in made]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_served_twin_is_asked_without_a_proxy(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A proxy of the environment is no way to a twin on this machine."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with TwinServer(Twin(estate(), clock=ScaledClock(START)), certificate_folder=tmp_path) as server:
        connection = Connection(
            Endpoint(base_url=server.url, credential=TwinCredential(), certificate=str(server.certificate))
        )
        vm = connection.compute(SUBSCRIPTION).virtual_machines.get("rg-app", "web-1", retry_total=0)
        connection.close()
    assert "web-1" == vm.name
