"""The twin itself: one request in, one response out, under one lock.

Guarantees: what was due before a request has happened before it is answered; an answer shares nothing with
the ground truth, so a client can do with it as it likes; every refusal is an ARM error envelope; the same
requests at the same times from the same seed have the same answers. Tokens are not looked at: any client may
come in.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from readiness.twin import paths, plausible, router, versions
from readiness.twin.arm.identity import home
from readiness.twin.arm.reads import request_id
from readiness.twin.bulk import uncollected
from readiness.twin.clock import Clock
from readiness.twin.documents import Json, duplicate
from readiness.twin.faults import Faults
from readiness.twin.machine import instance_view
from readiness.twin.messages import ArmError, DroppedError, Request, Response
from readiness.twin.operations import Operations, Timeline
from readiness.twin.state import VM
from readiness.twin.throttle import READS, Buckets
from readiness.twin.waiting import hint
from readiness.twin.world import Call, World

__all__ = ["DroppedError", "Exchange", "Request", "Response", "Twin"]

_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Exchange:
    """A write that was accepted."""

    at: datetime
    method: str
    path: str
    status: int


class Twin:
    """An Azure Resource Manager in memory."""

    def __init__(
        self,
        resources: Iterable[Mapping[str, Any]],
        *,
        clock: Clock,
        faults: Faults | None = None,
        seed: int = 0,
    ) -> None:
        timeline = Timeline()
        with uncollected():
            state = plausible.plant(resources, now=clock.now(), seed=seed)
        self.clock = clock
        self.log: list[Exchange] = []
        self._lock = threading.Lock()
        self._requests = 0
        self._world = World(
            clock=clock,
            seed=seed,
            faults=faults or Faults(),
            state=state,
            timeline=timeline,
            operations=Operations(timeline, seed=seed),
            buckets=Buckets(rate=clock.rate),
            calls=Counter(),
            routes=router.ROUTES,
            handler=router.handler,
        )

    @property
    def tenant(self) -> str:
        """The tenant of the estate, or the twin's own where the seed names none."""
        return home(self._world.state, self._world.seed)

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            DroppedError: A fault cuts the connection; the client hears nothing.
        """
        with self._lock:
            now = self.clock.now()
            self._requests += 1
            self._world.timeline.settle(now)
            try:
                response = self._answer(request, now)
            except ArmError as error:
                response = error.response()
            if (lost := self._world.lost()) is not None and response.status < _REFUSED:
                raise lost
            stamp = {"x-ms-request-id": request_id(self._world, self._requests)}
            return replace(response, headers={**response.headers, **stamp})

    def _answer(self, request: Request, now: datetime) -> Response:
        method = request.method.upper()
        found = router.outside(method, request.path) if router.OUTSIDE else None
        if found is not None:
            answer, names = found
            return answer(self._world, request, names, now)
        query = {name.lower(): value for name, value in request.query.items()}
        version = query.get("api-version", "")
        address = paths.parse(request.path)
        versions.check(version, address)
        left = self._world.buckets.charge(method, address.subscription, now)
        self._check_scope(method, address)
        # A HEAD without an answer of its own is a GET whose body is left out by the face.
        is_get = method == "HEAD" and ("HEAD", address.kind, address.tail) not in router.ROUTES
        asked = replace(request, method="GET" if is_get else method, query=query)
        call = Call(request=asked, address=address, now=now, version=version)
        headers = self._read(call) if asked.method == "GET" else {}
        response = router.handler(asked.method, address)(self._world, call)
        is_question = (asked.method, address.kind, address.tail) in router.QUESTIONS
        if asked.method not in ("GET", "HEAD") and not is_question:
            self.log.append(Exchange(now, asked.method, address.path, response.status))
        later = hint(response.body, self.clock.rate)
        return replace(response, headers={**left, **headers, **later, **response.headers})

    def _read(self, call: Call) -> dict[str, str]:
        """Let a read meet its trouble and its limits; polls meet theirs where they are answered."""
        world, address = self._world, call.address
        is_poll = router.is_poll(address)
        if world.faults and not is_poll:
            kind = _spoken(address)
            world.meet(call, world.arrive(f"{kind}/read", address.resource_id))
        group = READS.get((address.kind, address.tail)) if not is_poll else "GetOperation"
        if group is None:
            return {}
        resource_id = f"/subscriptions/{address.subscription}" if address.tail == "virtualmachines" else ""
        return world.buckets.take(group, resource_id or address.resource_id, call.now)

    def _check_scope(self, method: str, address: paths.Address) -> None:
        """Refuse a subscription or resource group in which there is nothing."""
        if not address.subscription:
            return
        subscription = f"/subscriptions/{address.subscription}"
        if self._world.state.find(subscription) is None:
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{address.subscription}' could not be found."
            )
        group = f"{subscription}/resourceGroups/{address.group}" if address.group else ""
        if not group or self._world.state.find(group) is not None:
            return
        is_itself = address.kind.endswith("/resourcegroups") and not address.tail
        if not (is_itself and method in ("PUT", "HEAD")):
            raise ArmError(
                404, "ResourceGroupNotFound", f"Resource group '{address.group}' could not be found."
            )

    def resources(self) -> list[Json]:
        """Return a copy of the ground truth as of now, instance views included."""
        with self._lock:
            self._world.timeline.settle(self.clock.now())
            return [self._truth(resource) for resource in self._world.state.everything()]

    def _truth(self, resource: Json) -> Json:
        copy: Json = duplicate(resource)
        if paths.parse(resource["id"]).kind == VM:
            state = self._world.state
            view = instance_view(state.machine(resource), resource, generation=state.generation(resource))
            copy["properties"]["instanceView"] = view
        return copy


def _spoken(address: paths.Address) -> str:
    """Return a type as faults files name it, without the namespace; faults compare without case."""
    kind = address.kind.partition("/")[2]
    return "/".join(word for word in (kind, address.tail) if word)
