"""The ground truth of a twin: its resources, and what Azure knows about them but never shows.

Guarantees: ids are compared without case; a list comes in the order the resources were added. Holds the truth
and answers questions about it; what may change it, and when, is decided in `arm`.
"""

from collections.abc import Iterable
from typing import Any

from readiness.twin import paths
from readiness.twin.documents import Json, look, same
from readiness.twin.machine import Machine, disk_ids, os_disk_id
from readiness.twin.messages import ArmError

VM = "microsoft.compute/virtualmachines"
DISK = "microsoft.compute/disks"
SNAPSHOT = "microsoft.compute/snapshots"
ENCRYPTION_SET = "microsoft.compute/diskencryptionsets"
SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = "microsoft.resources/subscriptions/resourcegroups"


class State:
    """Resources by id and by kind, sizes, machines, and hidden marks."""

    def __init__(self) -> None:
        self._by_id: dict[str, Json] = {}
        self._by_kind: dict[str, dict[str, Json]] = {}
        self._users: dict[str, set[str]] = {}
        self.sizes: list[Json] = []
        self.machines: dict[str, Machine] = {}
        self.increments: set[str] = set()
        """The incremental snapshots, which every change of a key has to ask about."""
        self.ever_ade: set[str] = set()
        """Disks, snapshots and machines that Azure Disk Encryption has touched: copies inherit it."""
        self.gpt: set[str] = set()
        """Disks known to carry a GUID partition table, so that they boot through UEFI."""

    def put(self, resource: Json) -> None:
        """Add a resource, or set it in the place of the one with its id."""
        key = resource["id"].lower()
        address = paths.parse(resource["id"])
        self._by_id[key] = resource
        self._by_kind.setdefault(address.kind, {})[key] = resource
        if address.kind == SNAPSHOT and look(resource, "properties.incremental") is True:
            self.increments.add(key)
        if address.kind not in (SUBSCRIPTION, GROUP):
            self._imply_scopes(address, resource)

    def remove(self, resource_id: str) -> None:
        """Remove a resource that is there."""
        key = resource_id.lower()
        self.increments.discard(key)
        del self._by_id[key]
        del self._by_kind[paths.parse(resource_id).kind][key]

    def find(self, resource_id: str | None) -> Json | None:
        """Return the resource of an id."""
        return None if resource_id is None else self._by_id.get(resource_id.lower())

    def need(self, address: paths.Address) -> Json:
        """Return the resource at an address, or refuse in ARM's words."""
        found = self.find(address.resource_id)
        if found is None:
            raise missing(address.resource_id)
        return found

    def of_kind(self, kind: str, scope: str = "") -> list[Json]:
        """Return all resources of a kind that lie under a scope."""
        found = self._by_kind.get(kind, {})
        if not scope:
            return list(found.values())
        prefix = scope.lower() + "/"
        return [resource for key, resource in found.items() if key.startswith(prefix)]

    def knows(self, kind: str) -> bool:
        """Tell whether there is any resource of a kind."""
        return bool(self._by_kind.get(kind))

    def everything(self) -> Iterable[Json]:
        """Return all resources."""
        return self._by_id.values()

    def _imply_scopes(self, address: paths.Address, resource: Json) -> None:
        """Know the subscription and the group of every resource, seeded or not."""
        if not address.subscription:
            return
        subscription = f"/subscriptions/{address.subscription}"
        if subscription.lower() not in self._by_id:
            self.put({"id": subscription})
        group = f"{subscription}/resourceGroups/{address.group}"
        if address.group and group.lower() not in self._by_id:
            self.put({"id": group, "location": resource.get("location")})

    def machine(self, vm: Json) -> Machine:
        """Return the machine behind a virtual machine."""
        return self.machines[vm["id"].lower()]

    def link(self, vm: Json, before: Json | None = None) -> None:
        """Remember which disks a virtual machine uses, in place of those it used before."""
        key = vm["id"].lower()
        for disk_id in disk_ids(before or {}):
            self._users.get(disk_id.lower(), set()).discard(key)
        for disk_id in disk_ids(vm):
            self._users.setdefault(disk_id.lower(), set()).add(key)

    def users(self, disk_id: str) -> list[Json]:
        """Return the virtual machines that use a disk: several, where it is shared."""
        return [
            self._by_id[key] for key in sorted(self._users.get(disk_id.lower(), ())) if key in self._by_id
        ]

    def disks(self, vm: Json) -> list[Json]:
        """Return the managed disks of a virtual machine that the twin knows."""
        return [disk for disk in map(self.find, disk_ids(vm)) if disk is not None]

    def os_disk(self, vm: Json) -> Json | None:
        """Return the operating system disk, where it is managed and known."""
        return self.find(os_disk_id(vm))

    def generation(self, vm: Json) -> str | None:
        """Return the hypervisor generation, as the operating system disk has it."""
        found = look(self.os_disk(vm), "properties.hyperVGeneration")
        return found if isinstance(found, str) else None

    def size(self, name: object, location: object) -> Json | None:
        """Return a virtual machine size offered in a location, or None where the seed says nothing of it."""
        for size in self.sizes:
            if same(size.get("name"), name) and is_offered(size, location):
                return size
        return None


def place(location: object) -> str:
    """Return a location in the form ids use: `West Europe` is `westeurope`."""
    return str(location or "").replace(" ", "").lower()


def is_offered(size: Json, location: object) -> bool:
    """Tell whether a size is offered in a location; one that names no locations is offered everywhere."""
    places = [place(each) for each in size.get("locations") or []]
    return not places or place(location) in places


def capability(size: Json, name: str) -> Any:
    """Return what a size says about one of its capabilities."""
    for each in size.get("capabilities") or []:
        if isinstance(each, dict) and same(each.get("name"), name):
            return each.get("value")
    return None


def missing(resource_id: str) -> ArmError:
    """Refuse with 404, in ARM's words."""
    address = paths.parse(resource_id)
    kind = resource_id[len(address.scope) :].strip("/").split("/")
    shown = "/".join([kind[1], *kind[2::2], address.name]) if len(kind) > 1 else address.name
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{shown}' under resource group '{address.group or '<null>'}' was not found. For more "
        "details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
