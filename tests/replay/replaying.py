"""Recorded requests, made once more of a twin, and its answers beside Azure's.

Time: the twin's clock follows the dates of the recorded answers, but stands still while a recorded
operation is in progress and runs on until the twin's one has ended once the recorded one has. Names that
Azure chose are learned from the answers and replaced in later requests by those the twin chose.

What is left out, each under its reason: types the twin does not model; polls of operations it never began;
requests whose body the recording lost; templates with types that are not modelled; later pages of a list
that is shorter in the twin; and a 404 of the twin for what an earlier difference kept it from making.
Recorders leave traces: some take Retry-After out of every answer (it is not compared then), some give all
deployments one name (they are numbered).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from readiness.twin import paths, router, versions
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from readiness.twin.messages import ArmError, Request, Response
from tests.replay import comparing
from tests.replay.comparing import Difference
from tests.replay.recordings import UNREAD, Exchange, Recording
from tests.replay.seeding import address_of, seed_of

BASE = "https://management.azure.com"
_START = datetime(2024, 1, 1, tzinfo=UTC)
_UNENDED = {
    "inprogress",
    "running",
    "accepted",
    "updating",
    "creating",
    "deleting",
    "registering",
    "provisioning",
}
_PATIENCE = 240
_STEP = 15.0
_REFUSED, _NOT_FOUND, _ACCEPTED = 400, 404, 202
_ONE_NAME = "mock-deployment"
_NEVER_MODELLED = ("microsoft.resources/subscriptions/resourcegroups/resources",)


@dataclass(slots=True, kw_only=True)
class Compared:
    """One exchange, compared: its differences by what they are about."""

    operation: str
    place: str
    status: tuple[Difference, ...]
    headers: tuple[Difference, ...]
    shape: tuple[Difference, ...]
    values: tuple[Difference, ...]


@dataclass(slots=True)
class Replay:
    """What came of one recording."""

    compared: list[Compared] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def modelled() -> frozenset[str]:
    """Return the kinds that the twin answers with code of their own."""
    kinds = set()
    for _, kind, tail in router.ROUTES:
        kinds |= {kind, f"{kind}/{tail}"} if tail else {kind}
    return frozenset(kinds)


def replay(recording: Recording) -> Replay:
    """Ask a twin of its own everything that was asked of Azure."""
    return _Session(recording).run()


class _Session:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._modelled = modelled()
        self._clock = VirtualClock(next((each.at for each in recording.exchanges if each.at), _START))
        self._twin = Twin(seed_of(recording, self._modelled), clock=self._clock)
        self._aliases: dict[str, str] = {}
        self._operations: dict[str, str] = {}
        self._last: datetime | None = None
        self._has_lost = False
        self._deployments = 0
        kept = {name for each in recording.exchanges for name in each.headers}
        self._headers = [name for name in comparing.HEADERS if name != "retry-after" or name in kept]
        self._result = Replay()

    def run(self) -> Replay:
        for number, exchange in enumerate(self._recording.exchanges, start=1):
            if reason := self._exchange(exchange, f"{self._recording.name} #{number}"):
                self._result.left_out[reason] += 1
        return self._result

    def _exchange(self, exchange: Exchange, place: str) -> str | None:
        """Replay one exchange; return why it could not be compared."""
        address = address_of(exchange)
        is_poll = router.is_poll(address) or _operation_key(exchange.target) in self._operations
        target, reason = self._where(exchange, address, is_poll=is_poll)
        if target is None:
            return reason
        is_ended = not _is_unended(exchange)
        if not is_poll:
            self._let_pass(exchange)
        answer = self._ask(exchange, target)
        if is_poll and not is_ended and not _is_running(answer):
            return "poll of an operation that had ended in the twin"
        if is_ended:
            answer = self._await(exchange, target, answer)
        if is_poll:
            self._last = None
        if (
            self._has_lost
            and exchange.status < _REFUSED <= answer.status
            and self._is_missing(exchange, answer)
        ):
            return "follows from an earlier difference"
        is_lost = _state(exchange.answer) == "succeeded" and _state(answer.body) == "failed"
        if is_lost or (exchange.method != "GET" and exchange.status < _REFUSED <= answer.status):
            self._has_lost = True
        self._learn(exchange, answer)
        self._result.compared.append(
            self._compare(exchange, answer, _operation(exchange, address, is_poll=is_poll), place)
        )
        return None

    def _where(
        self, exchange: Exchange, address: paths.Address, *, is_poll: bool
    ) -> tuple[str | None, str | None]:
        """Return what to ask the twin for, or else why not to ask."""
        if not is_poll and not self._is_modelled(address):
            return None, "type not modelled"
        if exchange.body == UNREAD:
            return None, "request body not recorded"
        self._deployments += exchange.method == "PUT" and address.name == _ONE_NAME
        if "deployments" in address.kind and not self._types_of(exchange.body) <= self._modelled:
            self._has_lost = True
            return None, "type not modelled"
        led = self._operations.get(_operation_key(exchange.target))
        if is_poll:
            return led, "poll of an operation the twin did not begin"
        if "skiptoken" in exchange.target.lower():
            return led, "page of a list"
        return self._target(exchange), None

    def _is_missing(self, exchange: Exchange, answer: Response) -> bool:
        """Tell whether the twin refused for want of what it was kept from making."""
        if (
            answer.status == _NOT_FOUND
            or "NotFound" in _code(answer.body)
            or "Reference" in _code(answer.body)
        ):
            return True
        # Azure changed what was there: was it there in the twin?
        path = address_of(exchange).resource_id
        probe = Request("GET", self._renamed(path), {"api-version": "2022-12-01"}, {}, None, BASE)
        return exchange.method != "GET" and self._twin.handle(probe).status == _NOT_FOUND

    def _is_modelled(self, address: paths.Address) -> bool:
        kind = f"{address.kind}/{address.tail}" if address.tail else address.kind
        return kind in self._modelled and kind not in _NEVER_MODELLED

    def _target(self, exchange: Exchange) -> str:
        """Return the request's address with the names the twin chose, and an api-version that it serves."""
        target = self._renamed(exchange.target)
        if self._deployments:
            target = target.replace(_ONE_NAME, f"{_ONE_NAME}-{self._deployments}")
        found = re.search(r"api-version=([^&]*)", target)
        if found is None:
            return target
        try:
            versions.check(found[1], address_of(exchange))
        except ArmError:
            return target.replace(found[0], "api-version=2019-03-01")
        return target

    @staticmethod
    def _types_of(body: Any) -> set[str]:
        """Return the types of the resources in a template, and in the templates in it."""
        if isinstance(body, list):
            return set().union(*map(_Session._types_of, body))
        if not isinstance(body, dict):
            return set()
        own = {str(body["type"]).lower()} if "apiVersion" in body and "type" in body else set()
        return own.union(*map(_Session._types_of, body.values()))

    def _renamed(self, text: str) -> str:
        lowered = text.lower()
        for name, other in self._aliases.items():
            if name in lowered:
                text = re.sub(re.escape(name), lambda _, new=other: new, text, flags=re.IGNORECASE)
                lowered = text.lower()
        return text

    def _ask(self, exchange: Exchange, target: str) -> Response:
        content = b"" if exchange.body is None else self._renamed(json.dumps(exchange.body)).encode()
        headers = {"content-type": "application/json"}
        try:
            return self._twin.handle(
                Request.parse(exchange.method, target, headers=headers, content=content, base_url=BASE)
            )
        except ArmError as error:
            return error.response()

    def _let_pass(self, exchange: Exchange) -> None:
        """Let as much time pass as had passed in the recording since the answer before this one."""
        if exchange.at is not None and self._last is not None:
            self._clock.sleep((exchange.at - self._last).total_seconds())
        self._last = exchange.at or self._last

    def _await(self, exchange: Exchange, target: str, answer: Response) -> Response:
        """Ask until the twin has ended what Azure had ended by then."""
        for _ in range(_PATIENCE):
            is_waiting = exchange.method == "GET" and _is_running(answer)
            is_busy = exchange.status < _REFUSED and _is_busy(answer)
            if not is_waiting and not is_busy:
                break
            self._clock.sleep(_STEP)
            answer = self._ask(exchange, target)
        return answer

    def _learn(self, exchange: Exchange, answer: Response) -> None:
        mine = {name.lower(): value for name, value in answer.headers.items()}
        for name in ("azure-asyncoperation", "location"):
            if name in exchange.headers and name in mine:
                self._operations[_operation_key(exchange.headers[name])] = _without_host(mine[name])
        if isinstance(exchange.answer, dict) and isinstance(answer.body, dict):
            pages = exchange.answer.get("nextLink"), answer.body.get("nextLink")
            if all(isinstance(each, str) for each in pages):
                self._operations[_operation_key(str(pages[0]))] = _without_host(str(pages[1]))
        for real, twin in _names(exchange.answer, answer.body):
            self._aliases.setdefault(real.lower(), twin)

    def _compare(self, exchange: Exchange, answer: Response, operation: str, place: str) -> Compared:
        is_same = exchange.status == answer.status
        status = () if is_same else (("status", f"{_told(exchange)}, not {_said(answer)}"),)
        found: list[Difference] = []
        if is_same and exchange.answer != UNREAD and exchange.method != "HEAD":
            real = json.loads(self._renamed(json.dumps(exchange.answer)))
            found = list(dict.fromkeys(comparing.body(real, json.loads(answer.payload() or b"null"))))
        values = tuple(each for each in found if each[0] == "value")
        return Compared(
            operation=operation,
            place=place,
            status=status,
            headers=tuple(self._headers_of(exchange, answer, operation)) if is_same else (),
            shape=tuple(each for each in found if each[0] != "value"),
            values=values,
        )

    def _headers_of(self, exchange: Exchange, answer: Response, operation: str) -> Iterator[Difference]:
        # Recorders often set the wait of a poll to none, so that playing back is fast.
        is_poll = operation.startswith("poll ")
        names = [each for each in self._headers if not (is_poll and each == "retry-after")]
        return comparing.headers(exchange.headers, answer.headers, names=names)


def _operation(exchange: Exchange, address: paths.Address, *, is_poll: bool) -> str:
    if is_poll:
        return f"poll {address.kind.split('/')[0]} {address.kind.rsplit('/', 1)[-1]}"
    return " ".join(each for each in (exchange.method, address.kind, address.tail) if each)


def _without_host(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _operation_key(url: str) -> str:
    """Return what makes the address of an operation its own: recorders rewrite the rest."""
    target = _without_host(url).lower()
    path, _, query = target.partition("?")
    if "skiptoken" in query:
        return target
    return f"{path}?monitor" if "monitor=true" in query else path


def _is_unended(exchange: Exchange) -> bool:
    return exchange.status == _ACCEPTED or _state(exchange.answer) in _UNENDED


def _is_running(answer: Response) -> bool:
    return answer.status == _ACCEPTED or _state(answer.body) in _UNENDED


def _is_busy(answer: Response) -> bool:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    message = str(error.get("message")) if isinstance(error, dict) else ""
    return (
        "another operation is in progress" in message
        or "AnotherOperation" in str(error)
        or answer.status == 429
    )


def _state(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    properties = body.get("properties")
    told = body.get("status") or (
        properties.get("provisioningState") if isinstance(properties, dict) else None
    )
    return str(told or "").lower()


def _code(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else None
    return str(error.get("code") or "") if isinstance(error, dict) else ""


def _told(exchange: Exchange) -> str:
    return (
        f"{exchange.status} {_code(exchange.answer)}".strip()
        if exchange.status >= _REFUSED
        else str(exchange.status)
    )


def _said(answer: Response) -> str:
    if answer.status < _REFUSED:
        return str(answer.status)
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    message = (
        re.sub(r"'[^']{1,300}'", "'...'", str(error.get("message")))[:110] if isinstance(error, dict) else ""
    )
    return f"{answer.status} {_code(answer.body)} ({message})"


def _names(real: Any, twin: Any) -> Iterator[tuple[str, str]]:
    """Return the names that each side chose for the same thing."""
    if isinstance(real, dict) and isinstance(twin, dict):
        for name, value in real.items():
            yield from _names(value, twin.get(name))
    elif isinstance(real, list) and isinstance(twin, list):
        for left, right in comparing.matched(real, twin):
            yield from _names(left, right)
    elif isinstance(real, str) and isinstance(twin, str) and real.lower() != twin.lower():
        last, other = real.rsplit("/", 1)[-1], twin.rsplit("/", 1)[-1]
        if comparing.is_chance(last) and not last.startswith("20"):
            yield last, other
