"""Throttling: the token buckets of Resource Manager, of the compute provider and of Resource Graph.

Learn, "Understanding how Azure Resource Manager throttles requests": a caller may read 250 times at once in a
subscription and 25 times a second after that, write and delete 200 times and 10 a second each; over all
callers it is fifteen times as much. Learn, "Compute throttling limits": each virtual machine may be written
12 times at once and 4 times a minute after that, counted apart for PUT, for updates (PATCH, start, powerOff)
and for deletes, to which deallocate belongs; its subscription has a bucket of 1500 with 500 a minute. Learn,
"Guidance for throttled requests in Azure Resource Graph": 15 queries in 5 seconds.
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
    "virtualMachines/delete": "DeleteVM",
    "virtualMachines/patch": "UpdateVM",
    "virtualMachines/start": "UpdateVM",
    "virtualMachines/restart": "UpdateVM",
    "virtualMachines/powerOff": "UpdateVM",
    "virtualMachines/reapply": "UpdateVM",
    "virtualMachines/redeploy": "UpdateVM",
    "virtualMachines/runCommand": "UpdateVM",
    "virtualMachines/runCommands/write": "UpdateVM",
    "virtualMachines/extensions/write": "UpdateVM",
    "virtualMachines/deallocate": "DeleteVM",
}
"""Which bucket of the compute provider an operation is charged to."""

READS = {
    ("microsoft.compute", "virtualmachines"): "HighCostGet",
    ("microsoft.compute/virtualmachines", ""): "LowCostGet",
    ("microsoft.compute/virtualmachines", "instanceview"): "LowCostGet",
}
"""The same for reads, by kind and tail."""

_MINUTE = 60.0
Limits = tuple[float, float]
"""Capacity, and tokens that come back each second."""

_WRITES: tuple[Limits | None, Limits] = ((12, 4 / _MINUTE), (1500, 500 / _MINUTE))
_LIMITS: dict[str, tuple[Limits | None, Limits]] = {
    "PutVM": _WRITES,
    "UpdateVM": _WRITES,
    "DeleteVM": _WRITES,
    "LowCostGet": ((36, 12 / _MINUTE), (24_000, 8_000 / _MINUTE)),
    "HighCostGet": (None, (900, 300 / _MINUTE)),
    "GetOperation": ((45, 15 / _MINUTE), (15_000, 5_000 / _MINUTE)),
}
_ALL_CALLERS = 15
_CHARGES: dict[str, tuple[str, Limits]] = {
    "GET": ("reads", (250, 25)),
    "HEAD": ("reads", (250, 25)),
    "DELETE": ("deletes", (200, 10)),
}
_WRITE: tuple[str, Limits] = ("writes", (200, 10))
_QUERIES, _QUERY_SECONDS = 15, 5


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
        self._queries: tuple[int, datetime] | None = None

    def charge(self, method: str, subscription: str, now: datetime) -> dict[str, str]:
        """Charge a request to its subscription, or to the tenant; return headers that tell what is left."""
        kind, limits = _CHARGES.get(method, _WRITE)
        scope = "subscription" if subscription else "tenant"
        bucket = self._bucket(kind, subscription.lower(), limits, now)
        wait = bucket.take(now)
        if wait:
            raise ArmError(
                429,
                "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled",
                f"Number of requests for {scope} '{subscription}' and operation '{kind}' exceeded the "
                f"backend storage limit. Please try again after '{math.ceil(wait)}' seconds.",
                headers=waiting_headers(math.ceil(wait), self._rate),
                unverified=True,
            )
        left = int(bucket.tokens)
        spent = int(bucket.capacity) - left
        return {
            f"x-ms-ratelimit-remaining-{scope}-{kind}": str(left),
            f"x-ms-ratelimit-remaining-{scope}-global-{kind}": str(int(limits[0]) * _ALL_CALLERS - spent),
        }

    def take(self, group: str, resource_id: str, now: datetime) -> dict[str, str]:
        """Charge a request to a resource and its subscription; return headers that tell what is left."""
        subscription = resource_id.lower().split("/")[2]
        for_resource, for_subscription = _LIMITS[group]
        left = []
        for policy, key, limits in (
            (f"{group}SubscriptionMaximum", subscription, for_subscription),
            (f"{group}Resource", resource_id.lower(), for_resource),
        ):
            if limits is None:
                continue
            bucket = self._bucket(policy, key, limits, now)
            wait = bucket.take(now)
            if wait:
                raise too_many_requests(group, wait, now=now, rate=self._rate)
            left.append(f"Microsoft.Compute/{policy};{int(bucket.tokens)}")
        return {"x-ms-ratelimit-remaining-resource": ",".join(left)}

    def query(self, now: datetime) -> dict[str, str]:
        """Charge a query of Resource Graph; return the headers of its quota, or refuse with them."""
        spent, since = self._queries or (0, now)
        if (now - since).total_seconds() >= _QUERY_SECONDS:
            spent, since = 0, now
        resets = since + timedelta(seconds=_QUERY_SECONDS) - now
        after = f"00:00:{max(1, math.ceil(resets.total_seconds())):02}"
        if spent >= _QUERIES:
            raise ArmError(
                429,
                "RateLimiting",
                "Client application has been throttled and should not continue to repeat the request until "
                "an amount of time has elapsed.",
                headers={"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": after}
                | waiting_headers(resets.total_seconds(), self._rate),
                unverified=True,
            )
        self._queries = (spent + 1, since)
        left = str(_QUERIES - spent - 1)
        return {"x-ms-user-quota-remaining": left, "x-ms-user-quota-resets-after": after}

    def _bucket(self, policy: str, key: str, limits: Limits, now: datetime) -> Bucket:
        bucket = self._buckets.get((policy, key))
        if bucket is None:
            bucket = self._buckets[policy, key] = Bucket(*limits, tokens=limits[0], at=now)
        return bucket


def too_many_requests(group: str, wait: float, *, now: datetime, rate: float) -> ArmError:
    """Refuse with 429, in the shape the compute provider documents for API throttling."""
    for_resource, for_subscription = _LIMITS.get(group, _WRITES)
    allowed = int((for_resource or for_subscription)[0])
    measured: Json = {
        "operationGroup": group,
        "startTime": (now - timedelta(minutes=1)).isoformat(),
        "endTime": now.isoformat(),
        "allowedRequestCount": allowed,
        "measuredRequestCount": allowed + 1,
    }
    return ArmError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
        details=[{"code": "TooManyRequests", "target": group, "message": json.dumps(measured)}],
        headers=waiting_headers(math.ceil(wait), rate),
    )
