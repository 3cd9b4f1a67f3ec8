"""The twin itself: one request in, one response out, under one lock.

Guarantees: what was due before a request has happened before it is answered; an answer shares nothing with
the ground truth, so a client can do with it as it likes; every refusal is an ARM error envelope; the same
requests at the same times from the same seed have the same answers. Tokens are not looked at: any client may
come in.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from readiness.twin import paths, plausible, router
from readiness.twin.arm.reads import request_id
from readiness.twin.clock import Clock
from readiness.twin.documents import Json, duplicate
from readiness.twin.faults import Faults
from readiness.twin.machine import instance_view
from readiness.twin.messages import ArmError, Request, Response
from readiness.twin.operations import Operations, Timeline
from readiness.twin.state import VM
from readiness.twin.throttle import Buckets
from readiness.twin.world import Call, World

__all__ = ["Exchange", "Request", "Response", "Twin"]

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-privatepreview)?", re.IGNORECASE)


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
        self.clock = clock
        self.log: list[Exchange] = []
        self._lock = threading.Lock()
        self._requests = 0
        self._world = World(
            clock=clock,
            seed=seed,
            faults=faults or Faults(),
            state=plausible.plant(resources, now=clock.now(), seed=seed),
            timeline=timeline,
            operations=Operations(timeline, seed=seed),
            buckets=Buckets(rate=clock.rate),
            calls=Counter(),
        )

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        with self._lock:
            now = self.clock.now()
            self._world.timeline.settle(now)
            try:
                response = self._answer(request, now)
            except ArmError as error:
                response = error.response()
            self._requests += 1
            stamp = {"x-ms-request-id": request_id(self._world, self._requests)}
            return replace(response, headers={**response.headers, **stamp})

    def _answer(self, request: Request, now: datetime) -> Response:
        query = {name.lower(): value for name, value in request.query.items()}
        version = query.get("api-version", "")
        if not _VERSION.fullmatch(version):
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        address = paths.parse(request.path)
        self._check_scope(address)
        call = Call(
            request=replace(request, method=request.method.upper(), query=query),
            address=address,
            now=now,
            version=version,
        )
        response = router.handler(call.request.method, address.kind, address.tail)(self._world, call)
        if call.request.method != "GET":
            self.log.append(Exchange(now, call.request.method, address.path, response.status))
        return response

    def _check_scope(self, address: paths.Address) -> None:
        """Refuse a subscription or resource group in which there is nothing."""
        subscription = f"/subscriptions/{address.subscription}"
        if not address.subscription:
            return
        if self._world.state.find(subscription) is None:
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{address.subscription}' could not be found."
            )
        if address.group and self._world.state.find(f"{subscription}/resourceGroups/{address.group}") is None:
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
