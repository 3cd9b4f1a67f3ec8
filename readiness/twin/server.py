"""The face over HTTPS: a twin on loopback, for clients that nobody here wrote.

Guarantees: listens on 127.0.0.1 and answers no other name than localhost (so that no web page can reach it
through a name of its own); whatever a client sends, it is answered in the ARM error envelope or cut off, and
hurts nobody else: a body over 4 MB is read past, not kept, and a silent client is dropped after a while.
The certificate is made at start (`certificate`) and lies in a folder for clients to trust; the key dies with
the server. Beside Azure's paths there are the twin's own (`control`).
"""

import http.server
import re
import secrets
import socket
import threading
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from readiness.twin import bodies, certificate, control
from readiness.twin.certificate import HOST
from readiness.twin.core import DroppedError, Request, Response, Twin
from readiness.twin.messages import ArmError

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes of a request's body: Resource Manager takes 4 MB."""

PATIENCE = 300.0
"""Seconds for which a connection may be silent."""

_OWN_NAME = re.compile(r"(localhost|127\.0\.0\.1)(:\d{1,5})?", re.IGNORECASE)
_CODES = {HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed", HTTPStatus.REQUEST_URI_TOO_LONG: "UriTooLong"}


class TwinServer:
    """A twin that is served until it is stopped."""

    def __init__(
        self,
        twin: Twin,
        *,
        port: int = 0,
        certificate_folder: Path,
        host: str = HOST,
        patience: float = PATIENCE,
    ) -> None:
        if host not in (HOST, "localhost"):
            raise ValueError(f"a twin is never served on {host}: it listens on {HOST} only")
        self._twin = twin
        self._listener = _Listener((HOST, port), _Handler)
        self._listener.twin = twin
        self._listener.patience = patience
        self._listener.instance = secrets.token_hex(8)
        self.port: int = self._listener.server_address[1]
        self.url = f"https://{HOST}:{self.port}"
        self.tenant = twin.tenant
        self.certificate = certificate_folder / f"twin-{self.port}.pem"
        self._thread: threading.Thread | None = None
        self._has_served = False
        try:
            certificate_folder.mkdir(parents=True, exist_ok=True)
            context = certificate.context(self.certificate)
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
    patience: float
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

    def setup(self) -> None:
        """Wait for a client only so long."""
        self.request.settimeout(self.server.patience)
        super().setup()

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names the base class calls

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the name the base class has
        """Write no log: a server's own output is not the place for it."""

    def handle_expect_100(self) -> bool:
        """Ask for a body only if its length is one that would be read."""
        length = self.headers.get("Content-Length") or "0"
        if length.isdecimal() and int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(_too_large().response())
            return False
        return super().handle_expect_100()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class cannot parse, as ARM would."""
        del explain
        self.close_connection = True
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        self._send(ArmError(status, _CODES.get(status, "BadRequest"), message or status.phrase).response())

    def _answer(self) -> None:
        try:
            response = self._respond(self._content())
        except ArmError as error:
            response = error.response()
        except DroppedError:
            self.close_connection = True
            return
        except OSError:
            raise  # the client is gone, or too slow
        except Exception as error:  # noqa: BLE001 - whatever breaks in a twin, its client hears of it as from Azure
            response = ArmError(500, "InternalServerError", f"The twin failed: {error!r}.").response()
        self._send(response)

    def _send(self, response: Response) -> None:
        payload = response.payload()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if payload:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def _content(self) -> bytes:
        """Return the body; one that is too large is read past, never kept."""
        try:
            return bodies.read(self.rfile, self.headers, largest=LARGEST_BODY)
        except bodies.TooLargeError:
            self.close_connection = True
            raise _too_large() from None
        except ValueError as error:
            self.close_connection = True
            raise ArmError(
                400, "BadRequest", f"The request is malformed: {error}.", unverified=True
            ) from None

    def _respond(self, content: bytes) -> Response:
        host = self.headers.get("Host") or f"{HOST}:{self.server.server_port}"
        if not _OWN_NAME.fullmatch(host):
            raise ArmError(HTTPStatus.MISDIRECTED_REQUEST, "WrongHost", "This is a twin, and not that host.")
        headers: Mapping[str, str] = dict(self.headers.items())
        request = Request.parse(
            self.command, self.path, headers=headers, content=content, base_url=f"https://{host}"
        )
        if request.path.startswith("/.twin/"):
            return control.answer(self.server.twin, request, self.server.instance)
        return self.server.twin.handle(request)


def _too_large() -> ArmError:
    return ArmError(
        413,
        "RequestContentTooLarge",
        "The request content size exceeds the maximum size of 4 MB.",
        unverified=True,
    )
