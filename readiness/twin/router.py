"""Which code answers which path: one table, by kind, and nothing registered anywhere else."""

from collections.abc import Callable

from readiness.twin.arm import (
    disks,
    encryption_sets,
    power,
    progress,
    reads,
    snapshots,
    virtual_machines,
)
from readiness.twin.messages import Response
from readiness.twin.state import DISK, ENCRYPTION_SET, GROUP, SNAPSHOT, SUBSCRIPTION, VM
from readiness.twin.world import Call, World

Handler = Callable[[World, Call], Response]

_COMPUTE = "microsoft.compute"

# (method, kind, tail): a tail is the word after the last name, a collection or an action.
ROUTES: dict[tuple[str, str, str], Handler] = {
    ("GET", _COMPUTE, "virtualmachines"): virtual_machines.listed,
    ("GET", VM, ""): virtual_machines.get,
    ("GET", VM, "instanceview"): virtual_machines.view,
    ("PATCH", VM, ""): virtual_machines.write,
    ("PUT", VM, ""): virtual_machines.write,
    ("POST", VM, "deallocate"): power.deallocate,
    ("POST", VM, "start"): power.start,
    ("POST", VM, "poweroff"): power.power_off,
    ("GET", _COMPUTE, "disks"): disks.listed,
    ("GET", DISK, ""): disks.get,
    ("PATCH", DISK, ""): disks.write,
    ("PUT", DISK, ""): disks.write,
    ("GET", _COMPUTE, "snapshots"): snapshots.listed,
    ("GET", SNAPSHOT, ""): snapshots.get,
    ("PATCH", SNAPSHOT, ""): snapshots.write,
    ("PUT", SNAPSHOT, ""): snapshots.write,
    ("DELETE", SNAPSHOT, ""): snapshots.delete,
    ("GET", _COMPUTE, "diskencryptionsets"): encryption_sets.listed,
    ("GET", ENCRYPTION_SET, ""): encryption_sets.get,
    ("GET", ENCRYPTION_SET, "associatedresources"): encryption_sets.associated,
    ("GET", _COMPUTE, "skus"): reads.sizes,
    ("GET", f"{_COMPUTE}/locations/operations", ""): progress.poll,
    ("GET", f"{_COMPUTE}/locations/diskoperations", ""): progress.poll,
    ("GET", "microsoft.resources", "tenants"): reads.tenants,
    ("GET", "microsoft.resources", "subscriptions"): reads.subscriptions,
    ("GET", SUBSCRIPTION, ""): reads.subscription,
    ("GET", SUBSCRIPTION, "locations"): reads.locations,
    ("GET", SUBSCRIPTION, "resources"): reads.resources,
    ("GET", SUBSCRIPTION, "resourcegroups"): reads.groups,
    ("GET", GROUP, ""): reads.group,
    ("GET", GROUP, "resources"): reads.resources,
}


def handler(method: str, kind: str, tail: str) -> Handler:
    """Return the code that answers."""
    found = ROUTES.get((method, kind, tail))
    if found is not None:
        return found
    return reads.read if method == "GET" else reads.refuse
