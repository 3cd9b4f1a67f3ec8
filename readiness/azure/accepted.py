"""Operations that a plain request began, followed by the address in its answer.

`azure.operations` does this for methods of the SDK; here are the others. A token is the address to read next,
without its host: it is only ever asked of the endpoint that the run was begun on.
"""

from typing import Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.connect import Connection
from readiness.azure.faults import innermost, is_capacity, translated, wait_asked_for
from readiness.azure.operations import DEFAULT_WAIT
from readiness.errors import MissingError
from readiness.ports.cloud import Done, Failed, Pending, Progress

FORGOTTEN = Pending(None, 0.0, "the operation is not known any more; looking at the resource itself")
"""Azure has forgotten the operation, or the token is not one of ours."""

_ENDED_BADLY = ("failed", "canceled", "cancelled")


def begun(response: HttpResponse) -> Progress:
    """Return how a request stands that was accepted: an operation to be followed, or nothing left to do."""
    address = response.headers.get("Azure-AsyncOperation")
    if address:
        return Pending(place_of(address), wait_of(response))
    return Done("done")


def ask(connection: Connection, subscription: str, token: str) -> Progress:
    """Ask once how an operation stands, by the address that `begun` gave."""
    response = get(connection, subscription, token)
    if response is None:
        return FORGOTTEN
    body: Any = response.json()
    status = str(body.get("status") or "").lower()
    if status == "succeeded":
        return Done("done")
    if status in _ENDED_BADLY:
        code, message = innermost(body)
        return Failed(code or status.title(), message or f"the operation {status}", is_capacity(code))
    return Pending(token, wait_of(response))


def get(connection: Connection, subscription: str, place: str) -> HttpResponse | None:
    """GET what an answer pointed to; None where there is nothing, or the place is none."""
    if not place.startswith("/"):
        return None
    client: Any = connection.compute(subscription)
    try:
        with translated():
            response: HttpResponse = client.send_request(HttpRequest("GET", place))
            response.raise_for_status()
    except MissingError:
        return None
    return response


def place_of(address: str) -> str:
    """Return an address without its host: a credential goes nowhere else than to the endpoint."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def wait_of(response: HttpResponse) -> float:
    """Return the wall-clock seconds that an answer asks for before the next question."""
    asked = wait_asked_for(response.headers)
    return DEFAULT_WAIT if asked is None else asked
