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
LOCK = "microsoft.authorization/locks"


_ABOVE_ALL = "/providers/microsoft.management/managementgroups/"


class State:
    """Resources by id and by kind, sizes, machines, and hidden marks."""

    def __init__(self) -> None:
        self._by_id: dict[str, Json] = {}
        self._by_kind: dict[str, dict[str, Json]] = {}
        self._parts: dict[tuple[str, str], dict[str, Json]] = {}
        """Resources that are part of another one, as extensions are of machines, by kind and by that one."""
        self._extending: dict[tuple[str, str], dict[str, Json]] = {}
        """Locks, policy and role assignments, by kind and by the scope they are put on."""
        self._implied: set[tuple[str, ...]] = set()
        self._users: dict[str, set[str]] = {}
        self._hidden: dict[str, dict[str, Any]] = {}
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
        if _kind_of_whole(address.kind):
            self._parts.setdefault((address.kind, _whole(key)), {})[key] = resource
        if address.kind.startswith("microsoft.authorization/"):
            self._extending.setdefault((address.kind, _extended(address)), {})[key] = resource
        if address.kind == SNAPSHOT and look(resource, "properties.incremental") is True:
            self.increments.add(key)
        if address.kind not in (SUBSCRIPTION, GROUP):
            self._imply_scopes(address, resource)

    def remove(self, resource_id: str) -> None:
        """Remove a resource that is there."""
        key = resource_id.lower()
        self.increments.discard(key)
        del self._by_id[key]
        address = paths.parse(resource_id)
        del self._by_kind[address.kind][key]
        self._parts.get((address.kind, _whole(key)), {}).pop(key, None)
        self._extending.get((address.kind, _extended(address)), {}).pop(key, None)

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
        """Return all resources of a kind that lie under a scope: another resource, or a list of them."""
        found = self._by_kind.get(kind, {})
        if not scope:
            return list(found.values())
        is_list = scope.count("/") % 2 == 1
        if not is_list and paths.parse(scope).kind == _kind_of_whole(kind):
            return list(self._parts.get((kind, scope.lower()), {}).values())
        prefix = scope.lower() + "/"
        return [resource for key, resource in found.items() if key.startswith(prefix)]

    def above(self, kind: str, resource_id: str) -> list[Json]:
        """Return the locks, or the policy or role assignments, on a resource and on the scopes above it."""
        words = resource_id.lower().split("/")
        scopes = ("/".join(words[:count]) for count in range(1, len(words) + 1))
        return [
            each
            for scope in (_ABOVE_ALL, *scopes)
            for each in self._extending.get((kind, scope), {}).values()
        ]

    def knows(self, kind: str) -> bool:
        """Tell whether there is any resource of a kind."""
        return bool(self._by_kind.get(kind))

    def kinds(self) -> list[str]:
        """Return the kinds of which there is, or was, any resource."""
        return list(self._by_kind)

    def everything(self) -> Iterable[Json]:
        """Return all resources."""
        return self._by_id.values()

    def _imply_scopes(self, address: paths.Address, resource: Json) -> None:
        """Know the subscription and the group of every resource, seeded or not."""
        words = tuple(resource["id"].lower().split("/", 5)[1:5])
        if words in self._implied or not address.subscription:
            return
        self._implied.add(words)
        subscription = f"/subscriptions/{address.subscription}"
        if subscription.lower() not in self._by_id:
            self.put({"id": subscription})
        group = f"{subscription}/resourceGroups/{address.group}"
        if address.group and group.lower() not in self._by_id:
            self.put({"id": group, "location": resource.get("location")})

    def hidden(self, kind: str) -> dict[str, Any]:
        """Return what Azure knows of the resources of a kind and never shows, by lower-case id."""
        return self._hidden.setdefault(kind, {})

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
        """Return the hypervisor generation, as the disk of the operating system or else the seed has it."""
        found = look(self.os_disk(vm), "properties.hyperVGeneration")
        if isinstance(found, str):
            return found
        machine = self.machines.get(vm["id"].lower())
        return machine.generation if machine else None

    def size(self, name: object, location: object) -> Json | None:
        """Return a virtual machine size offered in a location, or None where the seed says nothing of it."""
        for size in self.sizes:
            if same(size.get("name"), name) and is_offered(size, location):
                return size
        return None


def _kind_of_whole(kind: str) -> str:
    """Return the kind of what resources of a kind are part of, or nothing where they stand alone."""
    whole = kind.rpartition("/")[0]
    return whole if "/" in whole else ""


def _whole(key: str) -> str:
    """Return what the resource of a key is part of."""
    return key.rsplit("/", 2)[0]


def _extended(address: paths.Address) -> str:
    """Return what a lock or an assignment is put on.

    The twin holds no tree of management groups: each of them is above every subscription.
    """
    scope = address.scope.lower()
    return _ABOVE_ALL if scope.startswith(_ABOVE_ALL) else scope


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
