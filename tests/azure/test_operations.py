"""Stepwise polling: one request a question, no thread, and a sober word for every odd answer."""

import threading
from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.errors import CloudError, UnreachableError
from readiness.model.steps import Deallocate
from readiness.ports.cloud import Done, Failed, Pending
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.test_perform import MACHINE, Process
from tests.twin.seeds import Wire

CHANGE = Deallocate(vm=MACHINE)


class Raw(TwinResponse):
    """An answer with any body at all."""

    def __init__(self, request: HttpRequest, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(request, Response(status, {}, headers))
        self._content = body


class Desk:
    """Answers some requests in the twin's place, and counts all of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse | None:
        """Answer by the first part of the path that is known here."""
        self.asked.append(request.method)
        found = [answer for part, answer in self.answers.items() if part in request.url]
        return Raw(request, *found[0]) if found else None


def at_a_desk() -> tuple[Process, Desk, str]:
    """Begin a change, and return the process, its desk, and the change's token."""
    desk = Desk()
    process = Process(Wire(), desk)
    begun = process.begin(CHANGE)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    desk.asked.clear()
    return process, desk, begun.token


def answered(status: int, body: bytes, **headers: str) -> Any:
    """Ask about a change once, and return what comes of this answer."""
    process, desk, token = at_a_desk()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    desk.answers["/operations/"] = (status, body, named)
    return process.cloud.poll(CHANGE, token)


def test_one_request_a_question() -> None:
    """Asking makes exactly one request, and beginning starts no thread that would make more."""
    threads = threading.active_count()
    process, desk, token = at_a_desk()
    process.cloud.poll(CHANGE, token)
    process.cloud.poll(CHANGE, token)
    assert ["GET", "GET"] == desk.asked
    assert threads == threading.active_count()


def test_nothing_is_slept() -> None:
    """Neither beginning nor asking waits: the engine decides when to ask again."""
    process, _, token = at_a_desk()
    before = process.wire.clock.now()
    process.cloud.poll(CHANGE, token)
    assert before == process.wire.clock.now()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "12.5", "retry_after": "9"}, 0.0125),
        ({}, 10.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10.0),
        ({"retry_after": "-3"}, 10.0),
        ({"retry_after_ms": "soon"}, 10.0),
    ],
)
def test_waits_as_long_as_it_is_told(headers: dict[str, str], wait: float) -> None:
    """The next question comes when the answer says, and after ten seconds where it says nothing."""
    answer = answered(200, b'{"status": "InProgress"}', **headers)
    assert isinstance(answer, Pending)
    assert wait == answer.retry_after
    assert answer.token is not None


@pytest.mark.parametrize("status", ["Succeeded", "succeeded", "SUCCEEDED"])
def test_success_in_any_case(status: str) -> None:
    """Azure spells its status in more than one way."""
    assert Done("done") == answered(200, f'{{"status": "{status}"}}'.encode())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status": "Failed"}', Failed("Failed", "the operation failed")),
        (b'{"status": "Canceled"}', Failed("Canceled", "the operation canceled")),
        (b'{"status": "Failed", "error": null}', Failed("Failed", "the operation failed")),
        (b'{"status": "Failed", "error": {"code": "C", "message": "m"}}', Failed("C", "m")),
        (
            b'{"status": "Failed", "error": {"code": "ZonalAllocationFailed", "message": "full"}}',
            Failed("ZonalAllocationFailed", "full", is_capacity=True),
        ),
        (
            b'{"status": "Failed", "error": {"code": "Outer", "message": "o", '
            b'"details": [{"code": "SkuNotAvailable", "message": "i"}]}}',
            Failed("SkuNotAvailable", "i", is_capacity=True),
        ),
    ],
)
def test_failures_say_why(body: bytes, expected: Failed) -> None:
    """A failed operation is told by its innermost error, or by its status where it gives none."""
    assert expected == answered(200, body)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"error": {"code": "NotFound", "message": "gone"}}'),
        (410, b""),
        (200, b""),
        (200, b"<html>a proxy</html>"),
        (200, b"{}"),
        (200, b"[]"),
        (200, b'"text"'),
        (200, b"null"),
        (200, b'{"status": null}'),
        (400, b"no JSON"),
        (403, b'{"error": {"code": "AuthorizationFailed", "message": "no"}}'),
    ],
)
def test_an_answer_that_says_nothing_is_no_failure(status: int, body: bytes) -> None:
    """What does not say how the operation stands leads to a look at the resource, never to an undo."""
    answer = answered(status, body)
    assert isinstance(answer, Pending)
    assert answer.token is None
    assert answer.detail


def test_an_operation_without_an_end_goes_on() -> None:
    """A status that nobody knows means that Azure has not ended."""
    answer = answered(200, b'{"status": "Preparing"}')
    assert isinstance(answer, Pending)
    assert answer.token is not None


def test_no_answer_is_told_as_such() -> None:
    """An endpoint that does not answer a question is unreachable: the operation may well go on."""
    desk = Desk()
    process = Process(Wire(), desk)
    begun = process.begin(CHANGE)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    desk.answers["/operations/"] = (503, b"", {})
    answer: Any
    try:
        answer = process.cloud.poll(CHANGE, begun.token)
    except CloudError as error:
        answer = error
    assert isinstance(answer, Pending | UnreachableError)
