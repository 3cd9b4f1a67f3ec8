"""The face over HTTPS: real clients, real sockets, a certificate of its own."""

import http.client
import json
import ssl

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.clock import ScaledClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.server import TwinServer
from tests.twin.seeds import START, SUBSCRIPTION, VM, estate
from tests.twin.test_sdk import upgrade


@pytest.fixture
def server(tmp_path):
    """A twin served at a thousand times the speed of the wall."""
    twin = Twin(estate(), clock=ScaledClock(START, rate=1000))
    with TwinServer(twin, certificate_folder=tmp_path) as running:
        yield running


def client_of(server: TwinServer, **options) -> ComputeManagementClient:
    """A real client, on a served twin."""
    options = {"connection_verify": str(server.certificate)} | options
    return ComputeManagementClient(
        TwinCredential(),
        SUBSCRIPTION,
        base_url=server.url,
        credential_scopes=[f"{server.url}/.default"],
        **options,
    )


def connection_to(server: TwinServer) -> http.client.HTTPSConnection:
    """A bare connection that trusts the twin's certificate."""
    context = ssl.create_default_context(cafile=str(server.certificate))
    return http.client.HTTPSConnection("localhost", server.port, context=context, timeout=10)


def ask(connection: http.client.HTTPSConnection, method: str, path: str, body: object = None, **headers: str):
    """Make one request and return status, headers and body."""
    content = None if body is None else json.dumps(body)
    connection.request(method, path, body=content, headers=headers)
    response = connection.getresponse()
    text = response.read()
    return response.status, response.headers, json.loads(text) if text else None


def test_the_whole_upgrade_over_https(server):
    """The real SDK goes through the upgrade against a served twin, polling where the twin leads it."""
    with client_of(server) as client:
        upgrade(client)
        view = client.virtual_machines.instance_view("rg-app", "web-1")
    assert "PowerState/running" == view.statuses[1].code


def test_connections_are_kept_alive(server):
    """Many requests go over one connection."""
    connection = connection_to(server)
    connection.connect()
    socket = connection.sock
    for _ in range(3):
        assert 200 == ask(connection, "GET", f"{VM}?api-version=2026-04-01")[0]
        assert socket is connection.sock
    connection.close()


def test_operations_lead_back_to_the_host_the_client_used(server):
    """Operation addresses carry the name the client called, and a wait scaled to its own seconds."""
    connection = connection_to(server)
    status, headers, _ = ask(connection, "POST", f"{VM}/deallocate?api-version=2026-04-01")
    connection.close()
    assert 202 == status
    assert headers["Azure-AsyncOperation"].startswith(f"https://localhost:{server.port}/subscriptions/")
    assert ("10", None) == (headers["retry-after-ms"], headers["Retry-After"])


def test_the_twin_has_paths_of_its_own(server):
    """The clock can be read and skipped, the ground truth and the log can be read."""
    connection = connection_to(server)
    ask(connection, "POST", f"{VM}/deallocate?api-version=2026-04-01")
    later = START.replace(day=5)
    status, _, clock = ask(connection, "POST", "/.twin/clock", {"skip_to": later.isoformat()})
    assert (200, 1000) == (status, clock["rate"])
    assert clock["now"] >= later.isoformat()
    assert clock["now"] <= ask(connection, "GET", "/.twin/clock")[2]["now"]
    truth = {each["id"]: each for each in ask(connection, "GET", "/.twin/resources")[2]["value"]}
    codes = [each["code"] for each in truth[VM]["properties"]["instanceView"]["statuses"]]
    assert "PowerState/deallocated" in codes
    assert ["POST"] == [each["method"] for each in ask(connection, "GET", "/.twin/log")[2]["value"]]
    assert 400 == ask(connection, "POST", "/.twin/clock", {"skip_to": "tomorrow"})[0]
    assert 404 == ask(connection, "GET", "/.twin/none")[0]
    connection.close()


def test_broken_requests_are_answered(server):
    """A body that is not JSON and a foreign host name are refused in the ARM error envelope."""
    connection = connection_to(server)
    connection.request("PATCH", f"{VM}?api-version=2026-04-01", body="{")
    response = connection.getresponse()
    assert (400, "InvalidRequestContent") == (response.status, json.loads(response.read())["error"]["code"])
    assert 421 == ask(connection, "GET", f"{VM}?api-version=2026-04-01", Host="evil.example")[0]
    connection.close()


def test_bodies_may_come_in_chunks(server):
    """A body sent in chunks is read to its end, and the connection serves the next request."""
    connection = connection_to(server)
    connection.request("PATCH", f"{VM}?api-version=2026-04-01", body=iter([b'{"tags": ', b'{"a": "b"}}']))
    response = connection.getresponse()
    assert {"a": "b"} == json.loads(response.read())["tags"]
    assert 200 == ask(connection, "GET", f"{VM}?api-version=2026-04-01")[0]
    connection.close()


def test_only_loopback_is_served(tmp_path):
    """A twin refuses to listen anywhere but on loopback."""
    twin = Twin(estate(), clock=ScaledClock(START))
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        TwinServer(twin, certificate_folder=tmp_path, host="0.0.0.0")  # noqa: S104


def test_clients_without_the_certificate_stay_out(server):
    """A client that does not trust the certificate gets nowhere, and hurts nobody."""
    with (
        client_of(server, connection_verify=True, retry_total=0) as client,
        pytest.raises(ServiceRequestError),
    ):
        client.virtual_machines.get("rg-app", "web-1")
    connection = connection_to(server)
    assert 200 == ask(connection, "GET", f"{VM}?api-version=2026-04-01")[0]
    connection.close()


def test_no_key_is_left_behind(tmp_path, monkeypatch):
    """Only the public certificate lies on disk while the twin is served, and nothing afterwards."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    twin = Twin(estate(), clock=ScaledClock(START))
    with TwinServer(twin, certificate_folder=tmp_path / "public") as server:
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert [server.certificate] == files
        assert "PRIVATE" not in server.certificate.read_text()
        assert server.certificate.name == f"twin-{server.port}.pem"
    assert [] == [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_twin_that_never_served_can_be_stopped(tmp_path):
    """Stopping does not wait for a server that was never started."""
    TwinServer(Twin(estate(), clock=ScaledClock(START)), certificate_folder=tmp_path).stop()
    assert [] == list(tmp_path.iterdir())
