"""Turns the SDK's exceptions into our CloudError family. The only place that knows both."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from readiness.azure.wire_values import MalformedError
from readiness.errors import (
    CapacityError,
    CloudError,
    ConflictError,
    DeniedError,
    LoginError,
    MissingError,
    ThrottledError,
    UnreachableError,
)

_CAPACITY_CODES = frozenset(
    {
        "allocationfailed",
        "zonalallocationfailed",
        "overconstrainedallocationrequest",
        "overconstrainedzonalallocationrequest",
        "skunotavailable",
    }
)
"""Compared in lower case: Azure spells some of them in two ways."""

_BY_STATUS: dict[int, type[CloudError]] = {
    403: DeniedError,
    404: MissingError,
    409: ConflictError,
    412: ConflictError,
    429: ThrottledError,
    # What is left after the SDK's own retries: the service is away, and has refused nothing.
    502: UnreachableError,
    503: UnreachableError,
    504: UnreachableError,
}

_UNAUTHENTICATED = 401
_WRONG_TENANT = "invalidauthenticationtokentenant"
_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_WANTED = re.compile(rf"must match\b.*?({_GUID})", re.IGNORECASE | re.DOTALL)
"""How Resource Manager names the tenant that a token has to be of."""
_AUTHORITY = re.compile(rf"authorization_uri=\"?https://[^/\"]+/({_GUID})", re.IGNORECASE)
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_LONGEST = 3600.0
"""Seconds: longer is not believed, and asked again meanwhile."""
_PRECONDITION_FAILED = 412

_CONCURRENT = ("another operation", "concurrent request", "concurrent write")
"""How compute words it that somebody else is at work on the resource; its codes for that vary."""


@contextmanager
def translated() -> Iterator[None]:
    """Let only errors of the CloudError family out."""
    try:
        yield
    except HttpResponseError as error:
        raise from_response(error) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        brief = "no answer from the endpoint"
        raise UnreachableError(brief, code="Unreachable", details=_first_line(error)) from error
    except MalformedError as error:
        brief = f"Azure's answer cannot be understood: {error}"
        raise CloudError(brief, code="Malformed") from error
    except AzureError as error:
        raise CloudError(_first_line(error), code=type(error).__name__) from error


def from_response(error: HttpResponseError) -> CloudError:
    """Return our error for an ARM error answer; the innermost detail is the root cause."""
    code, message = innermost(_body(error))
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    if isinstance(error, ClientAuthenticationError) or error.status_code == _UNAUTHENTICATED:
        return _login(code, message or _first_line(error), headers)
    kind = CapacityError if is_capacity(code) else _BY_STATUS.get(error.status_code or 0, CloudError)
    return kind(
        message or _first_line(error),
        code=code or f"Http{error.status_code}",
        retry_after=wait_asked_for(headers) or 0.0,
    )


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
    """Return the wall-clock seconds that an answer wants to pass before the next request, if it names any."""
    for name in _MILLISECONDS:
        exact = headers.get(name, "").strip()
        if _NUMBER.fullmatch(exact):
            return min(_LONGEST, float(exact) / 1000)
    stated = headers.get("Retry-After", "").strip()
    if _NUMBER.fullmatch(stated):
        return min(_LONGEST, float(stated))
    try:
        due = parsedate_to_datetime(stated)
        now = parsedate_to_datetime(headers.get("Date", "")) if headers.get("Date") else datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    left = (due - now).total_seconds()
    return min(_LONGEST, left) if left > 0 else None


def _login(code: str, message: str, headers: Mapping[str, str]) -> LoginError:
    """Return what is wrong with whoever is logged in: nothing was refused that concerns the resource."""
    is_other = code.lower() == _WRONG_TENANT
    wanted = _WANTED.search(message) or _AUTHORITY.search(headers.get("WWW-Authenticate", ""))
    remedy = f"az login --tenant {wanted[1]}" if wanted else "az login"
    brief = "whoever is logged in is of another tenant" if is_other else "nobody is logged in any more"
    error = LoginError(
        f"{brief}: {remedy}", code=code if is_other else "Credentials", details=message, remedy=remedy
    )
    error.is_lasting = is_other
    return error


def innermost(body: object) -> tuple[str, str]:
    """Return code and message of the innermost error of an ARM error envelope."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    while isinstance(error, dict) and isinstance(error.get("details"), list) and error["details"]:
        inner = error["details"][0]
        if not isinstance(inner, dict) or not inner.get("message"):
            break
        error = inner
    if not isinstance(error, dict):
        return "", str(error or "")
    return str(error.get("code") or ""), str(error.get("message") or "")


def is_capacity(code: str) -> bool:
    """Tell whether an ARM error code means that there is no room now."""
    return code.lower() in _CAPACITY_CODES


def is_passing(error: CloudError) -> bool:
    """Tell whether a refusal only means to look again: somebody else is at work, or was since the look."""
    words = error.brief.lower()
    is_at_work = any(phrase in words for phrase in _CONCURRENT)
    return isinstance(error, ConflictError) and (is_stale(error) or is_at_work)


def is_stale(error: CloudError) -> bool:
    """Tell whether a write was refused since its condition does not hold."""
    cause = error.__cause__
    return isinstance(cause, HttpResponseError) and cause.status_code == _PRECONDITION_FAILED


def _body(error: HttpResponseError) -> Any:
    response: Any = error.response
    try:
        return response.json() if response is not None else {}
    except ValueError:
        return {}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
