"""What goes in and out of the twin: requests, responses and refusals, free of any transport.

Guarantees: a request's query and header names are lower case once parsed; every refusal leaves as the ARM
error envelope. Does not know what any path means.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from readiness.twin.documents import Json

UNVERIFIED = "x-twin-unverified"
"""Header of a refusal whose words, code or status no public record shows."""

LONGEST_URL = 16_384
"""Characters of a request's path and query; operation addresses of 4 kB are legal in Azure."""

_SEPARATORS = re.compile(r"%2f|%5c|\\\\|%00", re.IGNORECASE)
_DEEPEST = 100
_FORM = "application/x-www-form-urlencoded"


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
        """Read a request from its wire form; one that cannot be read is an `ArmError`."""
        if len(target) > LONGEST_URL:
            raise ArmError(414, "UriTooLong", "The request URI is too long.", unverified=True)
        try:
            parts = urlsplit(target)
            query = parse_qsl(parts.query, keep_blank_values=True)
        except ValueError:
            raise _bad_path() from None
        folded = {name.lower(): value for name, value in headers.items()}
        return cls(
            method=method.upper(),
            path=_path(parts.path),
            query={name.lower(): value for name, value in query},
            headers=folded,
            body=_parsed(content, folded.get("content-type", "")),
            base_url=base_url,
        )


def _path(raw: str) -> str:
    """Return a path whose words are names; what would lead elsewhere is refused, however it is encoded."""
    if _SEPARATORS.search(raw):
        raise _bad_path()
    try:
        path = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise _bad_path() from None
    words = path.split("/")
    if "." in words or ".." in words or any(not each.isprintable() for each in words):
        raise _bad_path()
    return path


def _bad_path() -> "ArmError":
    return ArmError(400, "BadRequest", "The request URI is not valid.", unverified=True)


def _parsed(content: bytes, kind: str) -> object | None:
    if not content:
        return None
    media = kind.partition(";")[0].strip().lower()
    if media not in ("", "application/json", "text/json", _FORM) and not media.endswith("+json"):
        raise ArmError(
            415,
            "UnsupportedMediaType",
            f"The content media type '{media}' is not supported. Only 'application/json' is supported.",
            unverified=True,
        )
    parsed: object
    try:
        if media == _FORM:
            return dict(parse_qsl(content.decode(), keep_blank_values=True))
        parsed = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if _is_deep(parsed):
        raise _unreadable()
    return parsed


def _unreadable() -> "ArmError":
    return ArmError(
        400, "InvalidRequestContent", "The request content was invalid and could not be deserialized."
    )


def _is_deep(value: object) -> bool:
    """Tell whether a document is nested further than any ARM resource, and than can be walked."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> None:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; a body of None is an empty body."""

    status: int
    body: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """Return the body as it goes over the wire."""
        return (
            b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode(errors="replace")
        )


class ArmError(Exception):
    """A refusal, in the words Azure uses for it."""

    def __init__(  # noqa: PLR0913  the parts of the envelope, side by side
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Json] = (),
        headers: Mapping[str, str] | None = None,
        info: Sequence[Json] = (),
        unverified: bool = False,
    ) -> None:
        """Refuse; `unverified` says that no public record shows these words or this status."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details)
        self.info = tuple(info)
        self.headers = dict(headers or {})
        if unverified:
            self.headers[UNVERIFIED] = "1"

    def response(self) -> Response:
        """Put the refusal into the ARM error envelope."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = list(self.details)
        if self.info:
            error["additionalInfo"] = list(self.info)
        return Response(self.status, {"error": error}, self.headers)


class DroppedError(Exception):
    """A connection that a faults file cuts: the client hears nothing."""

    def __init__(self, *, has_happened: bool) -> None:
        super().__init__("the connection was reset")
        self.has_happened = has_happened
        """Whether the request was carried out before its answer was lost."""


def property_change_not_allowed(name: str, *, unverified: bool = False) -> ArmError:
    """Refuse a change to a property that is fixed at creation, as recorded from the compute provider."""
    return ArmError(
        409,
        "PropertyChangeNotAllowed",
        f"Changing property '{name}' is not allowed.",
        target=name,
        unverified=unverified,
    )


def not_allowed(message: str, *, unverified: bool = False) -> ArmError:
    """Refuse an operation in the present state of the resource."""
    return ArmError(409, "OperationNotAllowed", message, unverified=unverified)


def invalid_parameter(message: str, target: str | None = None, *, unverified: bool = False) -> ArmError:
    """Refuse a value that could never be accepted."""
    return ArmError(400, "InvalidParameter", message, target=target, unverified=unverified)
