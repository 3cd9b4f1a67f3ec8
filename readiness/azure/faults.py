"""Turns the SDK's exceptions into our CloudError family. The only place that knows both."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    """Return our error for an ARM error answer; the innermost detail is the root cause.

    Without anybody logged in nothing was refused that concerns the resource: it passes once somebody is.
    """
    code, message = innermost(_body(error))
    if isinstance(error, ClientAuthenticationError) or error.status_code == _UNAUTHENTICATED:
        brief = "nobody is logged in any more: az login"
        return UnreachableError(brief, code="Credentials", details=message or _first_line(error))
    kind = CapacityError if is_capacity(code) else _BY_STATUS.get(error.status_code or 0, CloudError)
    return kind(message or _first_line(error), code=code or f"Http{error.status_code}")


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
    words, cause = error.brief.lower(), error.__cause__
    is_stale = isinstance(cause, HttpResponseError) and cause.status_code == _PRECONDITION_FAILED
    return isinstance(error, ConflictError) and (is_stale or any(phrase in words for phrase in _CONCURRENT))


def _body(error: HttpResponseError) -> Any:
    response: Any = error.response
    try:
        return response.json() if response is not None else {}
    except ValueError:
        return {}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
