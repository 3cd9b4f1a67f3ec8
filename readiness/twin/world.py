"""What every resource type works with: the truth, the time, the trouble, and the call at hand.

A write goes through three gates, each in one place: `admit` (scripted trouble, then throttling), `idle` (one
operation on a resource at a time) and `begin` (the operation that carries the write out).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from readiness.twin.clock import Clock
from readiness.twin.documents import Json
from readiness.twin.faults import Fail, Faults, Throttle
from readiness.twin.messages import ArmError, Request, Response, not_allowed
from readiness.twin.operations import Effect, Operation, Operations, Outcome, Timeline
from readiness.twin.paths import Address
from readiness.twin.state import State, place
from readiness.twin.throttle import GROUPS, Buckets, too_many_requests
from readiness.twin.waiting import POLL_SECONDS, waiting_headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, understood: where it leads, and when it came."""

    request: Request
    address: Address
    now: datetime
    version: str

    def body(self) -> Json:
        """Return the body, which a write must have."""
        if not isinstance(self.request.body, dict):
            raise ArmError(
                400, "InvalidRequestContent", "The request content was invalid: an object is needed."
            )
        for name in ("properties", "identity", "tags"):
            if not isinstance(self.request.body.get(name), dict | None):
                raise ArmError(
                    400, "InvalidRequestContent", f"The request content was invalid: '{name}' is no object."
                )
        return self.request.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A write that was let in."""

    operation: str
    resource_id: str
    nth: int
    headers: dict[str, str]


@dataclass(slots=True, kw_only=True)
class World:
    """Everything a twin holds."""

    clock: Clock
    seed: int
    faults: Faults
    state: State
    timeline: Timeline
    operations: Operations
    buckets: Buckets
    calls: Counter[tuple[str, str]]

    def admit(self, call: Call, operation: str, resource_id: str, *, charge: str | None = None) -> Ticket:
        """Count a write; scripted trouble and throttling answer before anything else does."""
        key = (operation, resource_id.lower())
        self.calls[key] += 1
        nth = self.calls[key]
        group = GROUPS.get(charge or operation)
        trouble = self.faults.refusal(operation, resource_id, nth)
        if isinstance(trouble, Fail):
            raise ArmError(trouble.status, trouble.code, trouble.message)
        if isinstance(trouble, Throttle):
            name = group or operation
            raise too_many_requests(name, trouble.retry_after, now=call.now, rate=self.clock.rate)
        headers = {} if group is None else self.buckets.take(group, resource_id, call.now)
        return Ticket(operation=operation, resource_id=resource_id, nth=nth, headers=headers)

    def idle(self, resource: Json, wanted: str) -> None:
        """Refuse a write while another one is still being carried out."""
        if self.operations.running(resource["id"]) is not None:
            # Template: Learn, "Azure virtual machine error messages" (OperationNotAllowed).
            raise not_allowed(
                f"Operation '{wanted}' is not allowed on '{resource['name']}' since another operation is in "
                "progress."
            )

    def begin(
        self, call: Call, ticket: Ticket, *, done: Effect, failed: Effect, is_idle: bool = False
    ) -> Operation:
        """Begin the long-running operation that carries out a write."""
        trouble = self.faults.ending(ticket.operation, ticket.resource_id, ticket.nth)
        outcome = Outcome(done=done, failed=failed, trouble=trouble)
        return self.operations.begin(
            ticket.operation, ticket.resource_id, now=call.now, outcome=outcome, is_idle=is_idle
        )

    def operation_headers(self, call: Call, operation: Operation, location: object) -> dict[str, str]:
        """Return the headers by which a client follows an operation, on the host the client used."""
        base = (
            f"{call.request.base_url}/subscriptions/{call.address.subscription}/providers/Microsoft.Compute"
            f"/locations/{place(location) or 'global'}/{operation.family}/{operation.name}?p={operation.name}"
        )
        wait = waiting_headers(self.rest(operation, call.now), self.clock.rate)
        return {
            "Azure-AsyncOperation": f"{base}&api-version={call.version}",
            "Location": f"{base}&monitor=true&api-version={call.version}",
        } | wait

    def rest(self, operation: Operation, now: datetime) -> float:
        """Return how many seconds a client should wait before it asks again."""
        return min(POLL_SECONDS, (operation.ends - now).total_seconds())

    def accepted(self, call: Call, ticket: Ticket, operation: Operation, answer: Response) -> Response:
        """Complete the answer to an accepted write."""
        resource = self.state.find(ticket.resource_id) or {}
        followed = self.operation_headers(call, operation, resource.get("location"))
        return Response(answer.status, answer.body, {**followed, **ticket.headers, **answer.headers})
