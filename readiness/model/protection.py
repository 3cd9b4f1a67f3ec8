"""What protects VMs and disks, or holds them fast: vaults and keys, locks, restore points, replication.

`Protection` answers for the whole estate. A lookup that finds nothing answers with nothing.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

from readiness.model.backup import ReplicatedItem, RestorePointCollection
from readiness.model.governance import RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.vault import GalleryImage, Lock, Vault, VaultKey


class Protection:
    """All of it, for one estate. Treated as frozen."""

    def __init__(  # noqa: PLR0913  one argument for each kind of resource
        self,
        *,
        vaults: Mapping[ResourceId, Vault] | None = None,
        keys: Mapping[ResourceId, VaultKey] | None = None,
        grants: tuple[RoleGrant, ...] = (),
        eligible: tuple[RoleGrant, ...] = (),
        locks: tuple[Lock, ...] = (),
        restore_points: tuple[RestorePointCollection, ...] = (),
        replicated: tuple[ReplicatedItem, ...] = (),
        images: Mapping[ResourceId, GalleryImage] | None = None,
        features: Mapping[tuple[str, str], str] | None = None,
        encrypted_items: Mapping[ResourceId, ResourceId] | None = None,
    ) -> None:
        self.vaults = vaults or {}
        self.keys = keys or {}
        """Keys and their versions."""
        self.grants = grants
        """Role assignments, and the schedule instances of those that are held for a while."""
        self.eligible = eligible
        """Roles that nobody holds by this alone, but that somebody may activate when they need them."""
        self.locks = locks
        self.restore_points = restore_points
        self.replicated = replicated
        self.images = images or {}
        self.features = features or {}
        """States of feature registrations by (subscription, `provider/name`), both in lower case."""
        self.encrypted_items = encrypted_items or {}
        """Backup items, each with a recovery point that was taken while Azure Disk Encryption was on."""

    def locks_on(self, resources: Iterable[ResourceId]) -> tuple[Lock, ...]:
        """Return every lock that holds one of these resources, inherited ones included."""
        if not self.locks:
            return ()
        found = {lock.id: lock for entry in resources for lock in self._holding(entry)}
        return tuple(lock for _, lock in sorted(found.items()))

    def grants_to(self, principals: Iterable[str], resource: ResourceId) -> tuple[RoleGrant, ...]:
        """Return the role assignments of these principals that hold for the resource."""
        return tuple(
            grant
            for principal in principals
            for grant in self._grants_by_principal.get(principal, ())
            if grant.covers(resource)
        )

    def grants_within(self, subscription: str) -> tuple[RoleGrant, ...]:
        """Return the grants in one subscription; the empty one has those of management groups."""
        return self._grants_by_subscription.get(subscription, ())

    def eligible_within(self, subscription: str) -> tuple[RoleGrant, ...]:
        """Return what may be activated in one subscription; the empty one has that of management groups."""
        return self._eligible_by_subscription.get(subscription, ())

    def restore_points_of(self, vm: ResourceId) -> tuple[RestorePointCollection, ...]:
        """Return the collections of restore points whose source is the VM."""
        return self._points_by_vm.get(vm, ())

    def replication_of(self, vm: ResourceId) -> ReplicatedItem | None:
        """Return the item by which Site Recovery replicates the VM."""
        return self._replicated_by_vm.get(vm)

    def _holding(self, resource: ResourceId) -> tuple[Lock, ...]:
        own = self._locks_by_scope.get(resource.key, ())
        return (*self._inherited(_parent_of(resource.key)), *own)

    def _inherited(self, scope: str) -> tuple[Lock, ...]:
        found = self._locks_within.get(scope)
        if found is None:  # a group is asked about for every disk in it
            above = self._inherited(_parent_of(scope)) if scope else ()
            found = self._locks_within[scope] = (*above, *self._locks_by_scope.get(scope, ()))
        return found

    @cached_property
    def _locks_within(self) -> dict[str, tuple[Lock, ...]]:
        return {}

    @cached_property
    def _locks_by_scope(self) -> dict[str, tuple[Lock, ...]]:
        found: dict[str, tuple[Lock, ...]] = {}
        for lock in self.locks:
            found[lock.scope.key] = (*found.get(lock.scope.key, ()), lock)
        return found

    @cached_property
    def _grants_by_principal(self) -> dict[str, list[RoleGrant]]:
        found: dict[str, list[RoleGrant]] = {}
        for grant in self.grants:
            if not grant.is_scheduled:
                found.setdefault(grant.principal, []).append(grant)
        return found

    @cached_property
    def _grants_by_subscription(self) -> dict[str, tuple[RoleGrant, ...]]:
        return _by_subscription(self.grants)

    @cached_property
    def _eligible_by_subscription(self) -> dict[str, tuple[RoleGrant, ...]]:
        return _by_subscription(self.eligible)

    @cached_property
    def _points_by_vm(self) -> dict[ResourceId, tuple[RestorePointCollection, ...]]:
        found: dict[ResourceId, tuple[RestorePointCollection, ...]] = {}
        for entry in self.restore_points:
            found[entry.vm] = (*found.get(entry.vm, ()), entry)
        return found

    @cached_property
    def _replicated_by_vm(self) -> dict[ResourceId, ReplicatedItem]:
        return {item.vm: item for item in self.replicated}


def _by_subscription(grants: tuple[RoleGrant, ...]) -> dict[str, tuple[RoleGrant, ...]]:
    found: dict[str, list[RoleGrant]] = {}
    for grant in grants:
        found.setdefault(grant.id.subscription, []).append(grant)
    return {place: tuple(entries) for place, entries in found.items()}


def _parent_of(scope: str) -> str:
    """Return the scope next above, in lower case: the VM of an extension, the group of a VM."""
    head, provided, tail = scope.rpartition("/providers/")
    if provided and tail.count("/") <= _OWN:
        return head
    above = scope.rsplit("/", 2)
    return above[0] if len(above) > _OWN else ""


_OWN = 2
"""Slashes after `/providers/` in the id of a resource that has no parent resource: `Namespace/type/name`."""
