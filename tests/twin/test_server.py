"""The face over HTTPS: real clients, real sockets, a certificate of its own."""

import http.client
import json
import socket
import ssl
import tracemalloc
from contextlib import closing

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.clock import ScaledClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.faults import Faults
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


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "expected"),
    [
        ("PATCH", VM, b"{", {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b"[" * 100_000, {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b'{"tags": ' * 150 + b"1" + b"}" * 150, {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b'{"a": NaN}', {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b"\xff\xfe", {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b"[]", {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b'{"properties": 1}', {}, (400, "InvalidRequestContent")),
        ("PATCH", VM, b"<a/>", {"Content-Type": "text/xml"}, (415, "UnsupportedMediaType")),
        ("GET", f"{VM}/../web-1", None, {}, (400, "BadRequest")),
        ("GET", f"{VM}/%2e%2e/web-1", None, {}, (400, "BadRequest")),
        ("GET", f"{VM}%2Fextensions", None, {}, (400, "BadRequest")),
        ("GET", f"{VM}%5c..%5cweb-1", None, {}, (400, "BadRequest")),
        ("GET", f"{VM}%00", None, {}, (400, "BadRequest")),
        ("GET", f"{VM}%0d%0aX-Evil:%201", None, {}, (400, "BadRequest")),
        ("GET", f"{VM}%ff", None, {}, (400, "BadRequest")),
        ("GET", VM + "x" * 20_000, None, {}, (414, "UriTooLong")),
        ("GET", "/" + "x" * 70_000, None, {}, (414, "UriTooLong")),
        ("GET", VM + "x", None, {}, (404, "ResourceNotFound")),
        ("GET", "/subscriptions/nobody", None, {}, (404, "SubscriptionNotFound")),
        ("OPTIONS", VM, None, {}, (405, "MethodNotAllowed")),
        ("PATCH", VM, b"{}", {"Content-Length": "-1"}, (400, "BadRequest")),
        ("PATCH", VM, b"{}", {"Content-Length": "two"}, (400, "BadRequest")),
        ("PATCH", VM, b"zz\r\n", {"Transfer-Encoding": "chunked"}, (400, "BadRequest")),
        ("PATCH", VM, b"{}", {"Transfer-Encoding": "gzip"}, (400, "BadRequest")),
        ("GET", VM, None, {"Host": "localhost/evil"}, (421, "WrongHost")),
        ("GET", VM, None, {"Host": "[::1"}, (421, "WrongHost")),
    ],
)
def test_hostile_requests_are_refused_in_the_envelope(server, method, path, body, headers, expected):
    """Whatever is wrong with a request, its client reads a code and a message, and the next one is served."""
    with closing(connection_to(server)) as connection:
        connection.putrequest(method, f"{path}?api-version=2026-04-01", skip_host="Host" in headers)
        length = {"Content-Length": str(len(body))} if body is not None else {}
        if "Transfer-Encoding" in headers:
            length = {}
        for name, value in {**length, **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        error = json.loads(response.read())["error"]
        assert expected == (response.status, error["code"])
        assert error["message"]
        assert response.headers["X-Evil"] is None
    with closing(connection_to(server)) as connection:
        assert 200 == ask(connection, "GET", f"{VM}?api-version=2026-04-01")[0]


def test_ids_in_another_case_are_the_same(server):
    """An id in capitals, with a slash at its end or escapes in it leads to the same resource."""
    escaped = VM.replace("web-1", "%77eb-1")
    with closing(connection_to(server)) as connection:
        for path in (VM.upper(), VM.lower(), VM + "/", escaped):
            status, _, body = ask(connection, "GET", f"{path}?api-version=2026-04-01")
            assert (200, VM) == (status, body["id"])


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_a_body_of_100_megabytes_is_refused_and_not_kept(server, is_chunked):
    """A huge body is 413 in the envelope, and costs the twin next to no memory."""
    piece = b"x" * 1_000_000
    tracemalloc.start()
    with closing(connection_to(server)) as connection:
        headers = {} if is_chunked else {"Content-Length": str(100 * len(piece))}
        body = (piece for _ in range(100))
        path = f"{VM}?api-version=2026-04-01"
        connection.request("PUT", path, body=body, headers=headers, encode_chunked=is_chunked)
        response = connection.getresponse()
        assert 413 == response.status
        assert "RequestContentTooLarge" == json.loads(response.read())["error"]["code"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


def test_a_large_body_is_refused_before_it_is_sent(server):
    """A client that asks first is told 413 before it has sent anything."""
    with closing(connection_to(server)) as connection:
        connection.putrequest("PUT", f"{VM}?api-version=2026-04-01")
        connection.putheader("Content-Length", "100000000")
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        response = connection.getresponse()
        assert (413, "close") == (response.status, response.headers["Connection"])


def test_clients_that_hang_up_or_dawdle_hurt_nobody(tmp_path):
    """Half a request, half a body, no handshake at all: each is dropped, and others are served meanwhile."""
    twin = Twin(estate(), clock=ScaledClock(START))
    with TwinServer(twin, certificate_folder=tmp_path, patience=0.5) as server:
        idle = socket.create_connection(("127.0.0.1", server.port))
        half = connection_to(server)
        half.connect()
        half.sock.sendall(b"GET /subscr")
        body = connection_to(server)
        body.putrequest("PATCH", f"{VM}?api-version=2026-04-01")
        body.putheader("Content-Length", "100")
        body.endheaders(b"{")
        gone = connection_to(server)
        gone.connect()
        gone.sock.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 50\r\n\r\n{")
        gone.close()
        with closing(connection_to(server)) as connection:
            assert 200 == ask(connection, "GET", f"{VM}?api-version=2026-04-01")[0]
        idle.settimeout(10)
        assert b"" == idle.recv(1)  # dropped by the server, after its patience
        half.sock.settimeout(10)
        assert b"" == half.sock.recv(1)
        for each in (idle, half, body):
            each.close()
        assert {"app": "shop"} == _tags(twin)


def _tags(twin: Twin) -> object:
    return next(each["tags"] for each in twin.resources() if each["id"] == VM)


@pytest.mark.parametrize("kind", ["reset", "lost-answer"])
def test_a_broken_connection_is_closed_without_an_answer(tmp_path, kind):
    """On the network a client hears nothing; only a lost answer has changed anything."""
    fault = {"kind": kind, "operation": "virtualMachines/write"}
    faults = Faults.parse({"format": "readiness/faults/1", "faults": [fault]})
    twin = Twin(estate(), clock=ScaledClock(START), faults=faults)
    with TwinServer(twin, certificate_folder=tmp_path) as server:
        with (
            closing(connection_to(server)) as connection,
            pytest.raises((http.client.RemoteDisconnected, ConnectionError)),
        ):
            ask(connection, "PATCH", f"{VM}?api-version=2026-04-01", {"tags": {"a": "b"}})
        expected = {"a": "b"} if kind == "lost-answer" else {"app": "shop"}
        assert expected == _tags(twin)


def test_a_twin_that_breaks_says_so(tmp_path):
    """A mistake of the twin's own is a 500 in the envelope, and the next request is answered."""
    twin = Twin(estate(), clock=_BrokenOnce(START))
    with (
        TwinServer(twin, certificate_folder=tmp_path) as server,
        closing(connection_to(server)) as connection,
    ):
        status, _, body = ask(connection, "GET", f"{VM}?api-version=2026-04-01")
        assert (500, "InternalServerError") == (status, body["error"]["code"])
        assert 200 == ask(connection, "GET", f"{VM}?api-version=2026-04-01")[0]


class _BrokenOnce(ScaledClock):
    """A clock that breaks at the second look."""

    looks = 0

    def now(self):
        """Tell the time, but for once."""
        self.looks += 1
        if self.looks == 2:
            raise RuntimeError("no hands")
        return super().now()


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
