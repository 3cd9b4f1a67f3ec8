"""Clusters that VMs are members of: by tag, by their SQL Server, by a shared disk, or by a floating IP.

A member is failed over or drained by people before it goes down; the plan names that step in its preparation
and in the consent, and never lets members go beside one another. Only a floating IP is a mere guess: the
cluster behind it may be none.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.placement import SqlMachine
from readiness.model.virtual_machine import VirtualMachine

CLUSTER_TAGS = ("cluster", "sql-cluster", "availability-group")
_GUESS, _HINT, _SURE = 0.4, 0.7, 1.0


class Cluster(Struct, frozen=True, kw_only=True):
    """A cluster, and how it is known."""

    kind: str
    """What it is known by: `cluster` stands for a tag."""
    key: str
    name: str
    confidence: float = _SURE
    target: ResourceId | None = None
    """The resource that stands for it; None where a tag alone says so."""

    @property
    def words(self) -> str:
        """What it is called, for people."""
        return f"{self.kind} {self.name}"

    @property
    def is_guess(self) -> bool:
        """Whether it may well be none."""
        return self.confidence == _GUESS


def clusters_of(vm: VirtualMachine, estate: Estate) -> Iterator[Cluster]:
    """Yield the clusters that a VM is a member of, or may be."""
    name = next((value for tag in CLUSTER_TAGS if (value := vm.tag(tag))), None)
    if name:
        key = f"{vm.id.subscription}/{name.lower()}"
        yield Cluster(kind="cluster", key=key, name=name, confidence=_HINT)
    group = _sql_groups(estate).get(vm.id)
    if group is not None:
        yield Cluster(kind="SQL Server cluster", key=group.key, name=group.name, target=group)
    for disk in _disks_by_sharer(estate).get(vm.id, ()):
        yield Cluster(kind="shared disk", key=disk.key, name=disk.name, target=disk)
    for balancer in sorted(_floating_to(vm, estate)):
        yield Cluster(
            kind="the floating IP of",
            key=balancer.key,
            name=balancer.name,
            confidence=_GUESS,
            target=balancer,
        )


def shared_disks(estate: Estate) -> Mapping[ResourceId, tuple[ResourceId, ...]]:
    """Return the VMs on each shared disk, by its own word or by theirs; a disk of one VM is not shared."""
    return estate.remembered(("shared disks",), lambda: _shared_disks(estate))


def _shared_disks(estate: Estate) -> dict[ResourceId, tuple[ResourceId, ...]]:
    on_disk: dict[ResourceId, set[ResourceId]] = {}
    for disk in estate.disks.values():
        if disk.max_shares > 1:
            sharers = (estate.vm(sharer) for sharer in disk.sharers)
            on_disk[disk.id] = {vm.id for vm in sharers if vm is not None}
    for vm in estate.vms if on_disk else ():
        for disk_id in vm.managed_disks:
            if disk_id in on_disk:
                on_disk[disk_id].add(vm.id)
    return {disk: tuple(sorted(vms)) for disk, vms in sorted(on_disk.items()) if len(vms) > 1}


def _disks_by_sharer(estate: Estate) -> dict[ResourceId, list[ResourceId]]:
    def turned() -> dict[ResourceId, list[ResourceId]]:
        found: dict[ResourceId, list[ResourceId]] = defaultdict(list)
        for disk, vms in shared_disks(estate).items():
            for vm in vms:
                found[vm].append(disk)
        return dict(found)

    return estate.remembered(("shared disks by VM",), turned)


def _sql_groups(estate: Estate) -> dict[ResourceId, ResourceId]:
    def read() -> dict[ResourceId, ResourceId]:
        machines = sorted(estate.posture.all(SqlMachine), key=lambda entry: entry.id)
        return {entry.vm: entry.group for entry in machines if entry.group is not None}

    return estate.remembered(("SQL Server clusters",), read)


def _floating_to(vm: VirtualMachine, estate: Estate) -> set[ResourceId]:
    """Return the load balancers that hand the VM a private address of their own, as listeners need it."""
    if not estate.remembered(("floating IPs",), lambda: _has_floating(estate)):
        return set()
    return {
        balancer.id
        for nic in filter(None, map(estate.nics.get, vm.nics))
        for configuration in nic.ip_configurations
        for balancer, path in estate.paths_to(configuration)
        if path.floating_ip and not path.is_public
    }


def _has_floating(estate: Estate) -> bool:
    return any(path.floating_ip for balancer in estate.load_balancers for path in balancer.paths)
