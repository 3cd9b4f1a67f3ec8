"""Waits as Resource Graph's quota headers ask for, and counts the requests that go out.

Resource Graph says with each answer how many queries are left and when the quota is whole again. A query that
would be refused waits instead. One that was refused without a `Retry-After` waits before it is tried again.
"""

import re
import threading
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy

_GRAPH = "/providers/microsoft.resourcegraph/"
_REFUSED = 429
_SPAN = re.compile(r"(\d+):(\d+):(\d+)(?:\.\d+)?")
_LONGEST = 300.0


class Traffic:
    """What the clients of all threads have asked so far, and how long Resource Graph wants them to wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0
        """Requests that went out, repeated ones included."""
        self.waited = 0.0
        """Seconds spent waiting for the quota of Resource Graph."""
        self._due = 0.0

    def leave(self, *, is_query: bool) -> float:
        """Count a request and return for how many seconds it has to wait first."""
        with self._lock:
            self.requests += 1
            wait, self._due = (self._due, 0.0) if is_query else (0.0, self._due)
            self.waited += wait
            return wait

    def told(self, left: str | None, resets_after: str | None, *, is_refused: bool) -> None:
        """Remember what an answer says of the quota."""
        if is_refused or (left is not None and left.strip().isdigit() and int(left) == 0):
            with self._lock:
                self._due = seconds_of(resets_after)


def seconds_of(span: str | None) -> float:
    """Return the seconds of an `hh:mm:ss`; something else counts as five, the length of a quota."""
    found = _SPAN.fullmatch((span or "").strip())
    if found is None:
        return 5.0
    hours, minutes, seconds = (int(word) for word in found.groups())
    return min(_LONGEST, 3600.0 * hours + 60.0 * minutes + seconds)


class Pacing(HTTPPolicy[Any, Any]):
    """Stands behind the retries of one client, so that it sees each request that goes out."""

    def __init__(self, traffic: Traffic) -> None:
        super().__init__()
        self._traffic = traffic

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Wait if need be, and send."""
        is_query = _GRAPH in str(request.http_request.url).lower()
        wait = self._traffic.leave(is_query=is_query)
        if wait:
            request.context.transport.sleep(wait)  # type: ignore[union-attr]
        response: PipelineResponse[Any, Any] = self.next.send(request)
        if is_query:
            headers = response.http_response.headers
            # A refusal that says when to come back is waited for by the retries.
            is_refused = response.http_response.status_code == _REFUSED and "Retry-After" not in headers
            self._traffic.told(
                headers.get("x-ms-user-quota-remaining") if "Retry-After" not in headers else None,
                headers.get("x-ms-user-quota-resets-after"),
                is_refused=is_refused,
            )
        return response
