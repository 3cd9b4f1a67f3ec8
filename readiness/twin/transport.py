"""The face in process: an azure-core transport that hands each request of a real SDK client to a twin.

Guarantees: nothing leaves the process; whatever azure-core sleeps (polling, retries), the twin's clock
sleeps. One transport may serve several clients and threads: the twin has its own lock, the transport no
state.
"""

import json
from collections.abc import Iterator, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import CaseInsensitiveDict

from readiness.twin.core import DroppedError, Request, Response, Twin
from readiness.twin.messages import ArmError


class TwinResponse(HttpResponse):
    """An answer of a twin, as azure-core wants responses: read from the start, hence never a stream."""

    def __init__(self, request: HttpRequest, response: Response) -> None:
        self._request = request
        self._content = response.payload()
        self._status = response.status
        self._headers: MutableMapping[str, str] = CaseInsensitiveDict(dict(response.headers))
        if self._content:
            self._headers["Content-Type"] = "application/json; charset=utf-8"
        self._encoding: str | None = "utf-8"
        self._is_closed = False

    @property
    def request(self) -> HttpRequest:
        """Return the request that was answered."""
        return self._request

    @property
    def status_code(self) -> int:
        """Return the status code."""
        return self._status

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Return the headers."""
        return self._headers

    @property
    def reason(self) -> str:
        """Return the phrase that goes with the status code."""
        return HTTPStatus(self._status).phrase

    @property
    def content_type(self) -> str | None:
        """Return the content type."""
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        """Tell whether the response was closed."""
        return self._is_closed

    @property
    def is_stream_consumed(self) -> bool:
        """Tell that there is nothing left to stream."""
        return True

    @property
    def encoding(self) -> str | None:
        """Return the encoding of the text."""
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        """Return the address that was asked."""
        return self._request.url

    @property
    def content(self) -> bytes:
        """Return the body."""
        return self._content

    def text(self, encoding: str | None = None) -> str:
        """Return the body as text."""
        return self._content.decode(encoding or self._encoding or "utf-8")

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self._content)

    def raise_for_status(self) -> None:
        """Raise if the response is an error."""
        if self._status >= HTTPStatus.BAD_REQUEST:
            raise HttpResponseError(response=self)

    def read(self) -> bytes:
        """Return the body."""
        return self._content

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        """Return the body as its only piece."""
        yield self._content

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        """Return the body as its only piece."""
        yield self._content

    def close(self) -> None:
        """Note that the response was closed."""
        self._is_closed = True

    def __enter__(self) -> "TwinResponse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TwinTransport(HttpTransport[HttpRequest, HttpResponse]):
    """A transport that ends in a twin."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def send(self, request: HttpRequest, **_: Any) -> HttpResponse:
        """Let the twin answer."""
        parts = urlsplit(request.url)
        try:
            asked = Request.parse(
                request.method,
                request.url,
                headers=request.headers,
                content=_content(request),
                base_url=f"{parts.scheme}://{parts.netloc}",
            )
            return TwinResponse(request, self._twin.handle(asked))
        except ArmError as error:
            return TwinResponse(request, error.response())
        except DroppedError as error:
            # What azure-core makes of a connection that broke before, and after, the request was sent.
            broken = ServiceResponseError if error.has_happened else ServiceRequestError
            raise broken(str(error), error=error) from error

    def sleep(self, duration: float) -> None:
        """Let the twin's clock sleep."""
        self._twin.clock.sleep(duration)

    def open(self) -> None:
        """Have nothing to open."""

    def close(self) -> None:
        """Have nothing to close: the twin outlives its clients."""

    def __exit__(self, *_: object) -> None:
        self.close()


def _content(request: HttpRequest) -> bytes:
    content = request.content
    if content is None:
        return b""
    if isinstance(content, str):
        return content.encode()
    return bytes(content) if isinstance(content, bytes | bytearray) else b"".join(content)
