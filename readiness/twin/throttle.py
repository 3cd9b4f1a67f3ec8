"""Throttling: the token buckets of the compute provider.

Learn, "Understanding how Azure Resource Manager throttles requests" and the compute provider's limits: each
virtual machine may be written 12 times at once and 4 times a minute after that, counted apart for PUT, for
updates (PATCH, start, powerOff) and for deletes, to which deallocate belongs; a subscription has a bucket of
1500 with 500 a minute. Reads are not throttled here.
"""

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness.twin.documents import Json
from readiness.twin.messages import ArmError
from readiness.twin.waiting import waiting_headers

GROUPS = {
    "virtualMachines/put": "PutVM",
    "virtualMachines/patch": "UpdateVM",
    "virtualMachines/start": "UpdateVM",
    "virtualMachines/powerOff": "UpdateVM",
    "virtualMachines/deallocate": "DeleteVM",
}

RESOURCE = (12, 4 / 60)
SUBSCRIPTION = (1500, 500 / 60)
"""Capacity, and tokens that come back each second."""


@dataclass(slots=True)
class Bucket:
    """Tokens that are taken by requests and come back with time."""

    capacity: float
    refill: float
    tokens: float
    at: datetime

    def take(self, now: datetime) -> float:
        """Take a token and return 0.0, or take nothing and return the seconds until there is one."""
        self.tokens = min(self.capacity, self.tokens + (now - self.at).total_seconds() * self.refill)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.refill
        self.tokens -= 1
        return 0.0


class Buckets:
    """All buckets of a twin, made when they are first asked."""

    def __init__(self, *, rate: float) -> None:
        self._rate = rate
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def take(self, group: str, resource_id: str, now: datetime) -> dict[str, str]:
        """Charge a request to a resource and its subscription; return headers that tell what is left."""
        subscription = resource_id.lower().split("/")[2]
        left = []
        for policy, key, limits in (
            (f"{group}SubscriptionMaximum", subscription, SUBSCRIPTION),
            (f"{group}Resource", resource_id.lower(), RESOURCE),
        ):
            bucket = self._buckets.setdefault((policy, key), Bucket(*limits, tokens=limits[0], at=now))
            wait = bucket.take(now)
            if wait:
                raise too_many_requests(group, wait, now=now, rate=self._rate)
            left.append(f"Microsoft.Compute/{policy};{int(bucket.tokens)}")
        return {"x-ms-ratelimit-remaining-resource": ",".join(left)}


def too_many_requests(group: str, wait: float, *, now: datetime, rate: float) -> ArmError:
    """Refuse with 429, in the shape the compute provider documents for API throttling."""
    measured: Json = {
        "operationGroup": group,
        "startTime": (now - timedelta(minutes=1)).isoformat(),
        "endTime": now.isoformat(),
        "allowedRequestCount": RESOURCE[0],
        "measuredRequestCount": RESOURCE[0] + 1,
    }
    return ArmError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
        details=[{"code": "TooManyRequests", "target": group, "message": json.dumps(measured)}],
        headers=waiting_headers(math.ceil(wait), rate),
    )
