"""What the topology says: redundant peers that stay apart, and VMs that go together.

Redundant groups come from availability sets, load balancer pools, flexible scale sets and cluster tags; a
group whose members stand in several zones also keeps the zones apart. VMs on one shared disk go together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from readiness.model.context import Criticality
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, TogetherGroup
from readiness.model.policy import ApartScope, Policy
from readiness.model.virtual_machine import VirtualMachine
from readiness.planner.policy import VmPins

CLUSTER_TAGS = ("cluster", "sql-cluster", "availability-group")
_HINT, _SURE = 0.7, 1.0


def apart_groups(estate: Estate, policy: Policy) -> tuple[ApartGroup, ...]:
    """Return the redundant groups of the topology, each with its evidence."""
    members: dict[tuple[str, str, str], set[ResourceId]] = defaultdict(set)
    by_id = {vm.id: vm for vm in estate.vms}
    for vm in sorted(estate.vms, key=lambda entry: entry.id):
        for key in _redundancy(estate, vm):
            members[key].add(vm.id)
    return tuple(
        _apart(f"{kind} {name}", sorted(vms), estate, policy, by_id)
        for (kind, _, name), vms in sorted(members.items())
        if len(vms) > 1
    )


def together_groups(estate: Estate, pins: Mapping[ResourceId, VmPins]) -> tuple[TogetherGroup, ...]:
    """Return who goes in one wave: VMs on a shared disk, and those that people want together."""
    found = [
        TogetherGroup(members=tuple(sorted({vm, *own.with_vms})), evidence="wanted together by the policy")
        for vm, own in sorted(pins.items())
        if own.with_vms
    ]
    on_disk: dict[ResourceId, set[ResourceId]] = defaultdict(set)
    for disk in estate.disks.values():
        if disk.max_shares > 1:
            sharers = (estate.vm(sharer) for sharer in disk.sharers)
            on_disk[disk.id] |= {vm.id for vm in sharers if vm is not None}
    for vm in estate.vms:
        for disk_id in vm.managed_disks:
            if disk_id in on_disk:
                on_disk[disk_id].add(vm.id)
    found += [
        TogetherGroup(members=tuple(sorted(vms)), evidence=f"shared disk {disk.name}")
        for disk, vms in sorted(on_disk.items())
        if len(vms) > 1
    ]
    return tuple(found)


def cluster_of(vm: VirtualMachine) -> str | None:
    """Return the name of the cluster that a VM says it is a member of."""
    return next((value for tag in CLUSTER_TAGS if (value := vm.tag(tag))), None)


def _redundancy(estate: Estate, vm: VirtualMachine) -> Iterable[tuple[str, str, str]]:
    """Yield the redundant groups of a VM: kind, key and name."""
    if vm.availability_set:
        yield "availability set", vm.availability_set.key, vm.availability_set.name
    if vm.scale_set:
        yield "scale set", vm.scale_set.key, vm.scale_set.name
    cluster = cluster_of(vm)
    if cluster:
        yield "cluster", f"{vm.id.subscription}/{cluster.lower()}", cluster
    pools: set[ResourceId] = set()
    for nic_id in vm.nics:
        nic = estate.nics.get(nic_id)
        for configuration in nic.ip_configurations if nic else ():
            pools.update(estate.pools_of(configuration))
    for pool in sorted(pools):
        yield "load balancer pool", pool.key, pool.name


def _apart(
    evidence: str,
    members: list[ResourceId],
    estate: Estate,
    policy: Policy,
    by_id: Mapping[ResourceId, VirtualMachine],
) -> ApartGroup:
    applications = [estate.application_of(by_id[vm]) for vm in members]
    is_critical = any(
        entry is not None and entry.criticality is Criticality.MISSION_CRITICAL for entry in applications
    )
    zones = {vm.key: by_id[vm].zones[0] for vm in members if by_id[vm].zones}
    return ApartGroup(
        members=tuple(members),
        max_unavailable=max(1, len(members) * policy.max_unavailable_percent // 100),
        evidence=evidence,
        confidence=_HINT if evidence.startswith("cluster ") else _SURE,
        separate_waves=is_critical or policy.apart is ApartScope.WAVE,
        zones=zones if len(set(zones.values())) > 1 else {},
    )
