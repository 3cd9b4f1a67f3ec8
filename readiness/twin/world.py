"""What every resource type works with: the truth, the time, the trouble, and the call at hand.

A write goes through three gates, each in one place: `admit` (scripted trouble, rights, locks, policies,
If-Match, throttling), `idle` (one operation on a resource at a time) and `begin` (the operation that carries
the write out). `accepted` then completes the answer with the headers by which a client follows it; a write
that is done at once is completed by `finished` instead.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from readiness.twin import gates
from readiness.twin.clock import Clock
from readiness.twin.documents import Json, duplicate, look, merged
from readiness.twin.faults import Arrival, Faults
from readiness.twin.following import headers_of
from readiness.twin.messages import ArmError, DroppedError, Request, Response, not_allowed
from readiness.twin.operations import Effect, Operation, Operations, Outcome, Output, Timeline
from readiness.twin.paths import Address
from readiness.twin.protocols import COMPUTE, DISKS, Protocol
from readiness.twin.state import State, place
from readiness.twin.throttle import GROUPS, Buckets, too_many_requests
from readiness.twin.troubles import Denied, Fail, Reset, Throttle
from readiness.twin.waiting import waiting_headers


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
    size: str = ""
    """Of the virtual machine that it is for, as the call found it."""
    is_silent: bool = False
    """Whether a fault leaves out the headers by which the write is followed."""

    @property
    def arrival(self) -> Arrival:
        """Return the call as faults see it."""
        return Arrival(operation=self.operation, resource_id=self.resource_id, nth=self.nth, size=self.size)


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
    routes: "Routes"
    """What the twin answers, for handlers that ask other handlers: they cannot import the router."""
    handler: Callable[[str, Address], "Handler"]
    calls: Counter[tuple[str, str]]
    totals: Counter[str] = field(default_factory=Counter)
    """Calls of each operation in the whole twin."""
    snapshots_made: int = 0
    """New snapshots that were let in while there was any trouble to count them for."""
    drop: DroppedError | None = None
    """Set while a call is answered whose answer will be lost."""

    def admit(self, call: Call, operation: str, resource_id: str, *, charge: str | None = None) -> Ticket:
        """Let a write in: count it, and let every gate refuse it before anything else does."""
        arrival = self.arrive(operation, resource_id)
        self._interfere(arrival)
        resource = self.state.find(resource_id)
        group = GROUPS.get(charge or operation)
        self.meet(call, arrival, group=group)
        request, address = call.request, call.address
        gates.check_deny_assignments(self.state, request.method, address, resource_id)
        gates.check_group(self.state, address)
        gates.check_locks(self.state, request.method, address, resource_id)
        gates.check_policies(self.state, request, address, resource_id, now=call.now)
        headers = {} if group is None else self.buckets.take(group, resource_id, call.now)
        gates.check_etag(request, resource)
        self._check_keys(call, operation, resource_id, resource)
        ending = self.faults.ending(arrival)
        return Ticket(
            operation=operation,
            resource_id=resource_id,
            nth=arrival.nth,
            size=arrival.size,
            headers=headers,
            is_silent=ending.is_silent,
        )

    def arrive(self, operation: str, resource_id: str) -> Arrival:
        """Count a call."""
        key = (operation, resource_id.lower())
        self.calls[key] += 1
        self.totals[operation] += 1
        size = look(self.state.find(resource_id), "properties.hardwareProfile.vmSize")
        return Arrival(
            operation=operation, resource_id=resource_id, nth=self.calls[key], size=str(size or "")
        )

    def meet(self, call: Call, arrival: Arrival, *, group: str | None = None) -> None:
        """Let a call meet its scripted trouble."""
        if not self.faults:
            return
        match self.faults.refusal(arrival):
            case Fail() as trouble:
                raise ArmError(trouble.status, trouble.code, trouble.message)
            case Throttle() as trouble:
                name = group or arrival.operation
                raise too_many_requests(name, trouble.retry_after, now=call.now, rate=self.clock.rate)
            case Denied():
                raise gates.denied(call.request.method, call.address)
            case Reset():
                raise DroppedError(has_happened=False)
            case None:
                pass
        if self.faults.loses(arrival):
            self.drop = DroppedError(has_happened=True)

    def lost(self) -> DroppedError | None:
        """Return, once, what cuts the connection of the call that was just answered."""
        drop, self.drop = self.drop, None
        return drop

    def _interfere(self, arrival: Arrival) -> None:
        """Let somebody else change the resource first, where a fault says so."""
        if not self.faults or (found := self.faults.change(arrival)) is None:
            return
        resource = self.state.find(arrival.resource_id)
        if resource is None:
            return
        after = merged(resource, found.change) | {"id": resource["id"], "name": resource["name"]}
        if "etag" in resource:
            after["etag"] = gates.next_etag(resource)
        resource.clear()
        resource.update(after)

    def _check_keys(self, call: Call, operation: str, resource_id: str, resource: Json | None) -> None:
        if not self.faults:
            return
        used = gates.encryption_sets(self.state, operation, call.request.body, resource)
        lost = self.faults.lost_keys(used, self.totals)
        if lost is not None:
            raise gates.key_lost(lost)
        allowed = self.faults.snapshots_allowed(resource_id)
        if operation == "snapshots/write" and resource is None:
            if allowed is not None and self.snapshots_made >= allowed:
                raise gates.quota_exceeded(allowed)
            self.snapshots_made += 1

    def idle(self, resource: Json, wanted: str) -> None:
        """Refuse a write while another one is still being carried out."""
        if self.operations.running(resource["id"]) is not None:
            # Template: Learn, "Azure virtual machine error messages" (OperationNotAllowed).
            raise not_allowed(
                f"Operation '{wanted}' is not allowed on '{resource['name']}' since another operation is in "
                "progress."
            )

    def begin(  # noqa: PLR0913  what an operation is, side by side
        self,
        call: Call,
        ticket: Ticket,
        *,
        done: Effect,
        failed: Effect,
        protocol: Protocol = COMPUTE,
        output: Output | None = None,
        within: tuple[float, float] | None = None,
    ) -> Operation:
        """Begin the long-running operation that carries out a write.

        `output` is asked for what was made when a client reads the result. `within` takes the place of the
        range that `durations.SECONDS` has for the operation.
        """
        if output is None and protocol is DISKS:
            output = _resource_of(self.state, ticket.resource_id)
        outcome = Outcome(done=done, failed=failed, ending=self.faults.ending(ticket.arrival), output=output)
        resource = self.state.find(ticket.resource_id)
        location = (resource or {}).get("location") or (
            call.request.body.get("location") if isinstance(call.request.body, dict) else None
        )
        return self.operations.begin(
            ticket.operation,
            ticket.resource_id,
            now=call.now,
            outcome=outcome,
            place=place(location) or "global",
            protocol=protocol,
            within=within,
        )

    def accepted(self, call: Call, ticket: Ticket, operation: Operation, answer: Response) -> Response:
        """Complete the answer to an accepted write, with the headers of its operation's protocol."""
        followed = {} if ticket.is_silent else headers_of(call.request, call.version, operation)
        wait = {} if ticket.is_silent else self.waiting(operation, call.now)
        return Response(answer.status, answer.body, {**followed, **wait, **ticket.headers, **answer.headers})

    def finished(self, ticket: Ticket, answer: Response) -> Response:
        """Complete the answer to a write that is done at once."""
        return Response(answer.status, answer.body, {**ticket.headers, **answer.headers})

    def waiting(self, operation: Operation, now: datetime) -> dict[str, str]:
        """Return the headers that say how long a client should wait before it asks again."""
        if not operation.protocol.tells_wait:
            return {}
        rest = min(operation.protocol.poll_seconds, (operation.ends - now).total_seconds())
        return waiting_headers(rest, self.clock.rate)


def _resource_of(state: State, resource_id: str) -> Output:
    def output() -> Json | None:
        found: Json | None = duplicate(state.find(resource_id))
        return found

    return output


Handler: TypeAlias = Callable[[World, Call], Response]
Routes: TypeAlias = dict[tuple[str, str, str], Handler]
"""Handlers by method, kind and tail: a tail is the word after the last name, a collection or an action."""

OutsideHandler: TypeAlias = Callable[[World, Request, dict[str, str], datetime], Response]
Outside: TypeAlias = dict[tuple[str, str], OutsideHandler]
"""Handlers of paths that belong to no subscription and no provider, by method and template."""
