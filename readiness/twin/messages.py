"""What goes in and out of the twin: requests, responses and refusals, free of any transport.

Guarantees: a request's query and header names are lower case once parsed; every refusal leaves as the ARM
error envelope. Does not know what any path means.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from readiness.twin.documents import Json


@dataclass(frozen=True, slots=True)
class Request:
    """One call, as a client made it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object | None = None
    base_url: str = "https://management.azure.com"
    """Scheme and host the client used: operation and paging URLs must lead back to it."""

    @classmethod
    def parse(
        cls, method: str, target: str, *, headers: Mapping[str, str], content: bytes, base_url: str
    ) -> "Request":
        """Read a request from its wire form; content that is not JSON is an `ArmError`."""
        parts = urlsplit(target)
        return cls(
            method=method.upper(),
            path=unquote(parts.path),
            query={name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)},
            headers={name.lower(): value for name, value in headers.items()},
            body=_parsed(content),
            base_url=base_url,
        )


def _parsed(content: bytes) -> object | None:
    if not content:
        return None
    try:
        parsed: object = json.loads(content)
    except ValueError:
        raise ArmError(
            400, "InvalidRequestContent", "The request content was invalid and could not be deserialized."
        ) from None
    return parsed


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; a body of None is an empty body."""

    status: int
    body: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """Return the body as it goes over the wire."""
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


class ArmError(Exception):
    """A refusal, in the words Azure uses for it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Json] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Put the refusal into the ARM error envelope."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = list(self.details)
        return Response(self.status, {"error": error}, self.headers)


def property_change_not_allowed(name: str) -> ArmError:
    """Refuse a change to a property that is fixed at creation, as recorded from the compute provider."""
    return ArmError(
        409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name
    )


def not_allowed(message: str) -> ArmError:
    """Refuse an operation in the present state of the resource."""
    return ArmError(409, "OperationNotAllowed", message)


def invalid_parameter(message: str, target: str | None = None) -> ArmError:
    """Refuse a value that could never be accepted."""
    return ArmError(400, "InvalidParameter", message, target=target)
