"""The face over HTTPS: a twin on loopback, for clients that nobody here wrote.

Guarantees: listens on 127.0.0.1 and answers no other name than localhost (so that no web page can reach it
through a name of its own); the private key is made at start, exists on disk only while it is loaded, readable
by its owner alone, and dies with the server; the public certificate lies in a folder for clients to trust.

Beside Azure's paths it has its own: `GET /.twin/clock`, `POST /.twin/clock {"skip_to": ...}`,
`GET /.twin/resources` (the ground truth) and `GET /.twin/log` (the accepted writes).
"""

import http.server
import ipaddress
import os
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from readiness.twin.clock import wall_now
from readiness.twin.core import Request, Response, Twin
from readiness.twin.documents import look
from readiness.twin.messages import ArmError

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost")
_VALID = timedelta(days=30)


class TwinServer:
    """A twin that is served until it is stopped."""

    def __init__(self, twin: Twin, *, port: int = 0, certificate_folder: Path, host: str = HOST) -> None:
        if host not in _NAMES:
            raise ValueError(f"a twin is never served on {host}: it listens on {HOST} only")
        self._twin = twin
        self._listener = _Listener((HOST, port), _Handler)
        self._listener.twin = twin
        self._listener.instance = secrets.token_hex(8)
        self.port: int = self._listener.server_address[1]
        self.url = f"https://{HOST}:{self.port}"
        self.certificate = certificate_folder / f"twin-{self.port}.pem"
        self._thread: threading.Thread | None = None
        self._has_served = False
        try:
            certificate_folder.mkdir(parents=True, exist_ok=True)
            context = _context(self.certificate)
        except OSError:
            self._listener.server_close()
            raise
        # The handshake waits for the connection's own thread, where a slow client delays nobody else.
        self._listener.socket = context.wrap_socket(
            self._listener.socket, server_side=True, do_handshake_on_connect=False
        )

    def start(self) -> None:
        """Serve on a thread that does not keep the process alive."""
        self._has_served = True
        self._thread = threading.Thread(target=self.serve_forever, name=f"twin-{self.port}", daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        """Serve on this thread, until another one stops the server."""
        self._has_served = True
        self._listener.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Stop serving, close every connection and take the certificate away."""
        if self._has_served:
            self._listener.shutdown()
        if self._thread is not None:
            self._thread.join()
        self._listener.server_close()
        self._listener.close_connections()
        self.certificate.unlink(missing_ok=True)

    def __enter__(self) -> "TwinServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Listener(http.server.ThreadingHTTPServer):
    """Connections, one thread each, and a list of those that are open."""

    daemon_threads = True
    twin: Twin
    instance: str
    """Tells one served twin from the next: what was changed in one is unknown to another."""

    def __init__(self, address: tuple[str, int], handler: type["_Handler"]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection while it is open."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that is closed."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close what clients keep alive."""
        with self._open_lock:
            left = list(self._open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that hang up or do not trust the certificate: they know."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    server_version = "readiness-twin"
    # Without these two, Nagle's algorithm and delayed acknowledgements cost 40 ms a request.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer a PUT."""
        self._answer()

    def do_PATCH(self) -> None:
        """Answer a PATCH."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer a HEAD."""
        self._answer()

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the name the base class has
        """Write no log: a server's own output is not the place for it."""

    def _answer(self) -> None:
        try:
            response = self._respond(self._content())
        except ArmError as error:
            response = error.response()
        payload = response.payload()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if payload:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def _content(self) -> bytes:
        if (self.headers.get("Transfer-Encoding") or "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue  # trailers say nothing that ARM reads
        return content

    def _respond(self, content: bytes) -> Response:
        host = self.headers.get("Host") or f"{HOST}:{self.server.server_port}"
        if urlsplit(f"//{host}").hostname not in _NAMES:
            raise ArmError(HTTPStatus.MISDIRECTED_REQUEST, "WrongHost", f"This is a twin, not {host}.")
        headers: Mapping[str, str] = dict(self.headers.items())
        request = Request.parse(
            self.command, self.path, headers=headers, content=content, base_url=f"https://{host}"
        )
        if request.path.startswith("/.twin/"):
            return _control(self.server.twin, request, self.server.instance)
        return self.server.twin.handle(request)


def _control(twin: Twin, request: Request, instance: str) -> Response:
    match request.method, request.path:
        case "GET", "/.twin/clock":
            return _time(twin, instance)
        case "POST", "/.twin/clock":
            twin.clock.skip_to(_moment(look(request.body, "skip_to")))
            return _time(twin, instance)
        case "GET", "/.twin/resources":
            return Response(200, {"value": twin.resources()})
        case "GET", "/.twin/log":
            log = [
                {"at": each.at.isoformat(), "method": each.method, "path": each.path, "status": each.status}
                for each in list(twin.log)
            ]
            return Response(200, {"value": log})
        case _:
            raise ArmError(
                404, "NotFound", "The twin's own paths are /.twin/clock, /.twin/resources and /.twin/log."
            )


def _time(twin: Twin, instance: str) -> Response:
    document = {"now": twin.clock.now().isoformat(), "rate": twin.clock.rate, "instance": instance}
    return Response(200, document)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ArmError(
            400, "InvalidParameter", f"skip_to: {text!r} is no moment; give ISO 8601 with a time zone."
        )
    return moment


def _context(certificate_file: Path) -> ssl.SSLContext:
    """Make a key and a certificate; leave only the certificate behind."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate_file.write_bytes(_certificate(key).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    handle, name = tempfile.mkstemp(prefix="twin-", suffix=".key")  # readable by its owner alone: 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        context.load_cert_chain(certificate_file, name)
    finally:
        Path(name).unlink()
    return context


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Sign a certificate that strict clients accept as its own authority."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "readiness twin")])
    now = wall_now()
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    )
    usage = {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    forbidden = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage, **forbidden), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
