"""The estate: everything observed at one instant, with lookups that never raise.

A lookup that finds nothing answers None; a rule turns that into *unknown* with the missing fact's name.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from readiness.model.backup import BackupItem
from readiness.model.context import Application, Choice, Context, RuleException, TargetEntry, overlay
from readiness.model.disk import Disk, DiskEncryptionSet, Snapshot
from readiness.model.ids import ResourceId
from readiness.model.match_index import MatchIndex
from readiness.model.network import (
    IpConfiguration,
    LoadBalancer,
    LoadBalancerPath,
    NetworkSecurityGroup,
    Nic,
    PublicIp,
)
from readiness.model.sku import Sku
from readiness.model.virtual_machine import VirtualMachine


class Origin(StrEnum):
    """Where an estate comes from. Sample and generated estates never run live."""

    SAMPLE = "sample"
    GENERATED = "generated"
    COLLECTED = "collected"
    IMPORTED = "imported"


class Subscription(Struct, frozen=True):
    """One subscription of the estate."""

    id: str
    name: str = ""


class Gap(Struct, frozen=True):
    """Something that could not be read, where, and why."""

    place: str
    resource: str
    reason: str
    detail: str
    is_vm: bool = False
    """The resource is a VM: it is part of the coverage proof as *unknown*."""


class EstateInfo(Struct, frozen=True, kw_only=True):
    """When, from where and by whom the estate was collected."""

    name: str
    origin: Origin
    collected_at: datetime
    cloud: str = "AzurePublic"
    tenant: str = ""
    subscriptions: tuple[Subscription, ...] = ()


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
        gaps: tuple[Gap, ...] = (),
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
        self.gaps = gaps

    def disks_of(self, vm: VirtualMachine) -> tuple[Disk | None, ...]:
        """Return the VM's managed disks in the order of `vm.managed_disks`, None where one was not read."""
        return tuple(self.disks.get(disk) for disk in vm.managed_disks)

    def os_disk_of(self, vm: VirtualMachine) -> Disk | None:
        """Return the VM's OS disk if it is managed and was read."""
        return self.disks.get(vm.os_disk.disk) if vm.os_disk and vm.os_disk.disk else None

    def sku_of(self, vm: VirtualMachine) -> Sku | None:
        """Return the capabilities of the VM's size where it runs."""
        return self.skus.get(((vm.size or "").lower(), vm.location))

    def backup_of(self, vm: VirtualMachine) -> BackupItem | None:
        """Return the Azure Backup item that protects the VM."""
        return self._backup_by_vm.get(vm.id)

    def incremental_snapshots_of(self, disk: Disk) -> tuple[Snapshot, ...]:
        """Return the incremental snapshots of exactly this disk, not of an earlier one of the same name."""
        return tuple(
            entry
            for entry in self._incremental_by_source.get(disk.id, ())
            if entry.source_unique_id in (None, disk.unique_id)
        )

    def manager_of(self, vm: VirtualMachine) -> str | None:
        """Return the service that owns the VM or its resource group."""
        group = (vm.id.subscription, vm.id.resource_group.lower())
        return vm.managed_by or self.managed_groups.get(group)

    def load_balancer(self, balancer: ResourceId) -> LoadBalancer | None:
        """Return the load balancer of that id."""
        return self._balancer_by_id.get(balancer)

    def paths_to(self, configuration: IpConfiguration) -> tuple[tuple[LoadBalancer, LoadBalancerPath], ...]:
        """Return every way through a load balancer to this IP configuration."""
        own = () if configuration.id is None else self._paths_by_backend.get(configuration.id, ())
        pooled = (
            self._paths_by_backend.get(pool, ()) for pool in dict.fromkeys(configuration.load_balancer_pools)
        )
        return (*own, *(path for paths in pooled for path in paths))

    def unread(self, resource_type: str, subscription: str) -> Gap | None:
        """Return the gap that says this type could not be listed in the subscription.

        Such a gap names the collection, `/subscriptions/<id>/providers/<type>`, and no single resource.
        A vault counts too: whatever it protects was not read.
        """
        return self._unread.get((resource_type.lower(), subscription))

    def application_of(self, vm: VirtualMachine) -> Application | None:
        """Return the first application that claims the VM. Remembered, as each rule and report asks again."""
        if vm.id not in self._application_by_vm:
            self._application_by_vm[vm.id] = next(iter(self._applications.hits(vm)), None)
        return self._application_by_vm[vm.id]

    def choice_for(self, vm: VirtualMachine) -> Choice:
        """Return what the VM is to become: all matching targets laid over one another, later ones on top."""
        if vm.id not in self._choice_by_vm:
            application = self.application_of(vm)
            entries = self._targets.hits(vm, application.name if application else None)
            self._choice_by_vm[vm.id] = overlay(entry.choice for entry in entries)
        return self._choice_by_vm[vm.id]

    def exceptions_for(self, vm: VirtualMachine) -> tuple[RuleException, ...]:
        """Return the exceptions that name the VM, expired ones included."""
        application = self.application_of(vm)
        return tuple(self._exceptions.hits(vm, application.name if application else None))

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
    def _incremental_by_source(self) -> dict[ResourceId, tuple[Snapshot, ...]]:
        found: dict[ResourceId, tuple[Snapshot, ...]] = {}
        for snapshot in self.snapshots:
            if snapshot.incremental and snapshot.source is not None:
                found[snapshot.source] = (*found.get(snapshot.source, ()), snapshot)
        return found

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
    def _unread(self) -> dict[tuple[str, str], Gap]:
        places = ((ResourceId(gap.resource), gap) for gap in self.gaps)
        return {
            (place.type, place.subscription): gap
            for place, gap in places
            if place.is_collection or place.type == "microsoft.recoveryservices/vaults"
        }

    @cached_property
    def _applications(self) -> MatchIndex[Application]:
        return MatchIndex((entry.match, entry) for entry in self.context.applications)

    @cached_property
    def _targets(self) -> MatchIndex[TargetEntry]:
        return MatchIndex((entry.match, entry) for entry in self.context.targets)

    @cached_property
    def _exceptions(self) -> MatchIndex[RuleException]:
        return MatchIndex((entry.match, entry) for entry in self.context.exceptions)

    @cached_property
    def _application_by_vm(self) -> dict[ResourceId, Application | None]:
        return {}

    @cached_property
    def _choice_by_vm(self) -> dict[ResourceId, Choice]:
        return {}
