"""The estate: everything observed at one instant, with lookups that never raise.

A lookup that finds nothing answers None; a rule turns that into *unknown* with the missing fact's name.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from readiness.model.access import Access
from readiness.model.backup import BackupItem
from readiness.model.context import Context
from readiness.model.context_index import ContextIndex
from readiness.model.disk import Disk, DiskEncryptionSet, Snapshot
from readiness.model.estate_info import EstateInfo, Gap, Origin
from readiness.model.ids import ResourceId
from readiness.model.network import (
    IpConfiguration,
    LoadBalancer,
    LoadBalancerPath,
    NetworkSecurityGroup,
    Nic,
    PublicIp,
)
from readiness.model.posture import Posture
from readiness.model.protection import Protection
from readiness.model.reference import Reference
from readiness.model.sku import Sku
from readiness.model.virtual_machine import VirtualMachine

_Answer = TypeVar("_Answer")

MUST_BE_LISTED = frozenset(
    {
        "microsoft.recoveryservices/vaults",
        "microsoft.compute/snapshots",
        "microsoft.compute/restorepointcollections",
        "microsoft.authorization/locks",
    }
)
"""Types whose absence only counts as *there is none* where they were asked for."""


class Estate:
    """Everything observed at one instant, plus the context people added. Treated as frozen."""

    def __init__(  # noqa: PLR0913  one argument for each kind of resource
        self,
        *,
        info: EstateInfo,
        context: Context,
        vms: tuple[VirtualMachine, ...],
        disks: Mapping[ResourceId, Disk],
        snapshots: tuple[Snapshot, ...],
        encryption_sets: Mapping[ResourceId, DiskEncryptionSet],
        nics: Mapping[ResourceId, Nic],
        security_groups: Mapping[ResourceId, NetworkSecurityGroup],
        subnet_security_groups: Mapping[ResourceId, ResourceId | None],
        public_ips: Mapping[ResourceId, PublicIp],
        load_balancers: tuple[LoadBalancer, ...],
        backup_items: tuple[BackupItem, ...],
        skus: Mapping[tuple[str, str], Sku],
        managed_groups: Mapping[tuple[str, str], str],
        access: Access | None = None,
        posture: Posture | None = None,
        protection: Protection | None = None,
        reference: Reference | None = None,
        gaps: tuple[Gap, ...] = (),
        seen: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.info = info
        self.context = context
        self.vms = vms
        self.disks = disks
        self.snapshots = snapshots
        self.encryption_sets = encryption_sets
        self.nics = nics
        self.security_groups = security_groups
        self.subnet_security_groups = subnet_security_groups
        """Subnet to its security group; None where the subnet was read and has none."""
        self.public_ips = public_ips
        self.load_balancers = load_balancers
        self.backup_items = backup_items
        self.skus = skus
        """Capabilities by (size, location), both in lower case."""
        self.managed_groups = managed_groups
        """Who manages a resource group, by (subscription, group), both in lower case."""
        self.access = access or Access()
        self.posture = posture or Posture()
        """What was observed of controls beside the VMs themselves."""
        self.protection = protection or Protection()
        self.reference = reference or Reference()
        self.gaps = gaps
        self.seen = seen
        """Types of which anything was seen, with the subscription, both in lower case."""
        self._is_partial = info.origin in (Origin.IMPORTED, Origin.COLLECTED)
        # What people said of a VM is asked of the estate like what was observed of it: see `ContextIndex`.
        told = ContextIndex(context)
        self.application_of, self.choice_for = told.application_of, told.choice_for
        self.exceptions_for, self.attestations_for = told.exceptions_for, told.attestations_for
        self.freezes_for, self.estimates_for = told.freezes_for, told.estimates_for
        self.ownership_of = told.ownership_of
        self._disks_for: VirtualMachine | None = None
        self._disks: tuple[Disk | None, ...] = ()
        self._asked: tuple[VirtualMachine | None, dict[Hashable, Any]] = (None, {})

    def disks_of(self, vm: VirtualMachine) -> tuple[Disk | None, ...]:
        """Return the VM's managed disks in the order of `vm.managed_disks`, None where one was not read."""
        if self._disks_for is not vm:  # rules ask VM by VM, and many of them for the disks
            self._disks_for = vm
            self._disks = tuple(self.disks.get(disk) for disk in vm.managed_disks)
        return self._disks

    def os_disk_of(self, vm: VirtualMachine) -> Disk | None:
        """Return the VM's OS disk if it is managed and was read."""
        return self.disks.get(vm.os_disk.disk) if vm.os_disk and vm.os_disk.disk else None

    def sku_of(self, vm: VirtualMachine) -> Sku | None:
        """Return the capabilities of the VM's size where it runs."""
        return self.skus.get(((vm.size or "").lower(), vm.location))

    def size_of(self, vm: VirtualMachine) -> tuple[Sku | None, bool]:
        """Return the capabilities of the VM's size, and whether they come from the bundled table.

        The table answers only where the estate holds no SKU data at all: where some was collected, a size
        that is missing from it is not offered where the VM runs, and no table knows better.
        """
        if self.skus:
            return self.sku_of(vm), False
        return self.reference.sizes.get((vm.size or "").lower()), True

    def backup_of(self, vm: VirtualMachine) -> BackupItem | None:
        """Return the Azure Backup item that protects the VM."""
        return self._backup_by_vm.get(vm.id)

    def incremental_snapshots_of(self, disk: Disk) -> tuple[Snapshot, ...]:
        """Return the incremental snapshots of exactly this disk, not of an earlier one of the same name."""
        return tuple(entry for entry in self.snapshots_of(disk) if entry.incremental)

    def snapshots_of(self, disk: Disk) -> tuple[Snapshot, ...]:
        """Return all snapshots of exactly this disk, full and incremental ones."""
        return tuple(
            entry
            for entry in self._snapshots_by_source.get(disk.id, ())
            if entry.source_unique_id in (None, disk.unique_id)
        )

    def manager_of(self, vm: VirtualMachine) -> str | None:
        """Return the service that owns the VM or its resource group."""
        group = (vm.id.subscription, vm.id.resource_group.lower())
        return vm.managed_by or self.managed_groups.get(group)

    def public_address_named(self, host: str) -> PublicIp | None:
        """Return the public address that a public name in lower case stands for."""
        return self._address_by_host.get(host)

    def load_balancer(self, balancer: ResourceId) -> LoadBalancer | None:
        """Return the load balancer of that id."""
        return self._balancer_by_id.get(balancer)

    def paths_to(self, configuration: IpConfiguration) -> tuple[tuple[LoadBalancer, LoadBalancerPath], ...]:
        """Return every way through a load balancer to this IP configuration."""
        if not self.load_balancers:
            return ()
        own = () if configuration.id is None else self._paths_by_backend.get(configuration.id, ())
        pooled = (self._paths_by_backend.get(pool, ()) for pool in self.pools_of(configuration))
        return (*own, *(path for paths in pooled for path in paths))

    def pools_of(self, configuration: IpConfiguration) -> tuple[ResourceId, ...]:
        """Return the load balancer pools it is a member of, by its own word or by theirs."""
        found = dict.fromkeys(configuration.load_balancer_pools)
        if configuration.id is not None:
            found.update(dict.fromkeys(self._pools_by_configuration.get(configuration.id, ())))
        if configuration.private_address is not None and self._pools_by_address:
            network = configuration.subnet.parent if configuration.subnet else None
            for pool, within in self._pools_by_address.get(configuration.private_address, ()):
                # Without a network nobody can tell whose address it is: taken for this one.
                if within is None or network is None or within == network:
                    found[pool] = None
        return tuple(found)

    def remembered(self, key: Hashable, answer: Callable[[], _Answer]) -> _Answer:
        """Return what `answer` gave when this key was first asked about: an estate does not change."""
        if key not in self._memory:
            self._memory[key] = answer()
        found: _Answer = self._memory[key]
        return found

    def about(self, vm: VirtualMachine, question: "Callable[[VirtualMachine, Estate], _Answer]") -> _Answer:
        """Return the question's answer about the VM, asked once while it is this VM's turn.

        Rules ask VM by VM, and many of them the same: what was answered is dropped with the next VM.
        """
        answers = self.answers_about(vm)
        if question not in answers:
            answers[question] = question(vm, self)
        found: _Answer = answers[question]
        return found

    def answers_about(self, vm: VirtualMachine) -> dict[Hashable, Any]:
        """Return what was answered so far to the questions `about` the VM whose turn it is."""
        asked = self._asked
        if asked[0] is not vm:
            asked = self._asked = (vm, {})
        return asked[1]

    def unread(self, resource_type: str, subscription: str) -> Gap | None:
        """Return the gap that says this type could not be listed in the subscription.

        Such a gap names the collection, `/subscriptions/<id>/providers/<type>`, and no single resource.
        A vault counts too: whatever it protects was not read. Where an estate was put together from what
        teams had, the types whose absence would make a change look safe have to have been asked for: a
        missing lock, backup or snapshot proves nothing if nobody looked.
        """
        place = (resource_type.lower(), subscription)
        if place in self._unread:
            return self._unread[place]
        if not self._is_partial or place[0] not in MUST_BE_LISTED or place[0] in self._listed:
            return None
        return None if place in self.seen else _not_collected(*place)

    def was_listed(self, resource_type: str, subscription: str) -> bool:
        """Tell whether a resource of this type would have been seen in the subscription if it existed."""
        kind = resource_type.lower()
        return kind in self._listed and (kind, subscription) not in self._unread

    def vm(self, vm_id: ResourceId) -> VirtualMachine | None:
        """Return the VM of that id."""
        return self._vm_by_id.get(vm_id)

    def vms_named(self, name: str) -> tuple[VirtualMachine, ...]:
        """Return every VM of that name, compared without case; names are not unique in Azure."""
        return self._vms_by_name.get(name.lower(), ())

    @cached_property
    def _vm_by_id(self) -> dict[ResourceId, VirtualMachine]:
        return {vm.id: vm for vm in self.vms}

    @cached_property
    def _vms_by_name(self) -> dict[str, tuple[VirtualMachine, ...]]:
        named: dict[str, tuple[VirtualMachine, ...]] = {}
        for vm in self.vms:
            named[vm.name.lower()] = (*named.get(vm.name.lower(), ()), vm)
        return named

    @cached_property
    def _backup_by_vm(self) -> dict[ResourceId, BackupItem]:
        return {item.vm: item for item in self.backup_items}

    @cached_property
    def _snapshots_by_source(self) -> dict[ResourceId, tuple[Snapshot, ...]]:
        found: dict[ResourceId, tuple[Snapshot, ...]] = {}
        for snapshot in self.snapshots:
            if snapshot.source is not None:
                found[snapshot.source] = (*found.get(snapshot.source, ()), snapshot)
        return found

    @cached_property
    def _address_by_host(self) -> dict[str, PublicIp]:
        return {address.host: address for address in self.public_ips.values() if address.host}

    @cached_property
    def _balancer_by_id(self) -> dict[ResourceId, LoadBalancer]:
        return {balancer.id: balancer for balancer in self.load_balancers}

    @cached_property
    def _paths_by_backend(self) -> dict[ResourceId, list[tuple[LoadBalancer, LoadBalancerPath]]]:
        found: dict[ResourceId, list[tuple[LoadBalancer, LoadBalancerPath]]] = {}
        for balancer in self.load_balancers:
            for path in balancer.paths:
                for backend in (path.pool, path.ip_configuration):
                    if backend is not None:
                        found.setdefault(backend, []).append((balancer, path))
        return found

    @cached_property
    def _pools_by_configuration(self) -> dict[ResourceId, list[ResourceId]]:
        found: dict[ResourceId, list[ResourceId]] = {}
        for balancer in self.load_balancers:
            for member in balancer.members:
                if member.ip_configuration is not None:
                    found.setdefault(member.ip_configuration, []).append(member.pool)
        return found

    @cached_property
    def _pools_by_address(self) -> dict[str, list[tuple[ResourceId, ResourceId | None]]]:
        found: dict[str, list[tuple[ResourceId, ResourceId | None]]] = {}
        for balancer in self.load_balancers:
            for member in balancer.members:
                if member.address is not None and member.ip_configuration is None:
                    found.setdefault(member.address, []).append((member.pool, member.network))
        return found

    @cached_property
    def _memory(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def _unread(self) -> dict[tuple[str, str], Gap]:
        places = ((ResourceId(gap.resource), gap) for gap in self.gaps)
        return {
            (place.type, place.subscription): gap
            for place, gap in places
            if place.is_collection or place.type == "microsoft.recoveryservices/vaults"
        }

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(kind.lower() for kind in self.info.listed_types)


def _not_collected(resource_type: str, subscription: str) -> Gap:
    return Gap(
        "estate.json",
        f"/subscriptions/{subscription}/providers/{resource_type}",
        "NotCollected",
        f"Nobody asked for {resource_type} in this subscription: import their list, "
        "or name the type under 'listed_types' in estate.json if there are none.",
    )
