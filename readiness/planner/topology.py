"""What the topology says: redundant peers that stay apart, and VMs that go together.

Redundant groups come from availability sets, pools of load balancers and application gateways, flexible
scale sets, clusters and domain controllers; a group whose members stand in several zones also keeps the zones
apart. Members of a proximity placement group are no peers, but go a few at a time all the same: a start that
Azure refuses then strands a few and not all. VMs on one shared disk go together, in one wave.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from readiness.model.context import Criticality
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.placement import PlacementGroup
from readiness.model.plan import ApartGroup, TogetherGroup
from readiness.model.policy import ApartScope, Policy
from readiness.model.virtual_machine import VirtualMachine
from readiness.planner.clusters import clusters_of, shared_disks
from readiness.planner.domain_controllers import DomainController, domain_controller
from readiness.planner.policy import VmPins

_Key = tuple[str, str, str]
"""Kind, key and name of a group."""
_SHARED_DISK, _PLACEMENT, _CONTROLLERS = "shared disk", "proximity placement group", "domain controllers"
_ONE_AT_A_TIME = frozenset((_SHARED_DISK, _CONTROLLERS))
_NO_PEERS = frozenset((_SHARED_DISK, _PLACEMENT))
"""Batches of one wave are apart enough, however critical the application: these are not redundant."""
_SURE = 1.0


def apart_groups(estate: Estate, policy: Policy) -> tuple[ApartGroup, ...]:
    """Return the redundant groups of the topology, each with its evidence."""
    members: dict[_Key, set[ResourceId]] = defaultdict(set)
    confidence: dict[_Key, float] = {}
    by_id = {vm.id: vm for vm in estate.vms}
    for vm in sorted(estate.vms, key=lambda entry: entry.id):
        for key, sure in _redundancy(estate, vm):
            members[key].add(vm.id)
            confidence[key] = min(sure, confidence.get(key, _SURE))
    for key, controllers, sure in _controllers(estate):
        members[key], confidence[key] = controllers, sure
    return tuple(
        _apart(key, sorted(vms), estate, policy, by_id, confidence[key])
        for key, vms in sorted(members.items())
        if len(vms) > 1
    )


def together_groups(estate: Estate, pins: Mapping[ResourceId, VmPins]) -> tuple[TogetherGroup, ...]:
    """Return who goes in one wave: VMs on a shared disk, and those that people want together."""
    found = [
        TogetherGroup(members=tuple(sorted({vm, *own.with_vms})), evidence="wanted together by the policy")
        for vm, own in sorted(pins.items())
        if own.with_vms
    ]
    found += [
        TogetherGroup(members=vms, evidence=f"shared disk {disk.name}")
        for disk, vms in shared_disks(estate).items()
    ]
    return tuple(found)


def placement_group_of(estate: Estate, vm: VirtualMachine) -> ResourceId | None:
    """Return a VM's proximity placement group: its own, or that of its availability set."""
    listed = estate.remembered(("placement groups",), lambda: _placement_groups(estate))
    by_set = listed.get(vm.availability_set) if vm.availability_set else None
    return vm.placement_group or listed.get(vm.id) or by_set


def _placement_groups(estate: Estate) -> dict[ResourceId, ResourceId]:
    return {
        member: group.id
        for group in sorted(estate.posture.all(PlacementGroup), key=lambda entry: entry.id)
        for member in (*group.vms, *group.availability_sets)
    }


def _redundancy(estate: Estate, vm: VirtualMachine) -> Iterator[tuple[_Key, float]]:
    """Yield the groups of a VM in which only a few may be off, and how sure each is."""
    if vm.availability_set:
        yield ("availability set", vm.availability_set.key, vm.availability_set.name), _SURE
    if vm.scale_set:
        yield ("scale set", vm.scale_set.key, vm.scale_set.name), _SURE
    placement = placement_group_of(estate, vm)
    if placement:
        yield (_PLACEMENT, placement.key, placement.name), _SURE
    for cluster in clusters_of(vm, estate):
        if not cluster.is_guess:  # whoever is behind a floating IP is in a pool, and apart by that
            yield (cluster.kind, cluster.key, cluster.name), cluster.confidence
    pools: set[ResourceId] = set()
    for nic_id in vm.nics:
        nic = estate.nics.get(nic_id)
        for configuration in nic.ip_configurations if nic else ():
            pools.update(estate.pools_of(configuration))
    for pool in sorted(pools):
        is_gateway = pool.type.startswith("microsoft.network/applicationgateways/")
        yield (f"{'application gateway' if is_gateway else 'load balancer'} pool", pool.key, pool.name), _SURE


def _controllers(estate: Estate) -> Iterator[tuple[_Key, set[ResourceId], float]]:
    """Yield the domain controllers of each domain; one of an unknown domain may be of any of them."""
    found: dict[ResourceId, DomainController] = {}
    for vm in estate.vms:
        controller = domain_controller(vm, estate.application_of(vm))
        if controller is not None:
            found[vm.id] = controller
    named = sorted({entry.domain for entry in found.values() if entry.domain})
    for domain in named or ("",):
        own = {vm: entry for vm, entry in found.items() if entry.domain in (domain, "")}
        if own:
            name = f"of {domain}" if domain else "of a domain that no tag names"
            sure = min(entry.confidence for entry in own.values())
            yield (_CONTROLLERS, domain, name), set(own), sure


def _apart(
    key: _Key,
    members: list[ResourceId],
    estate: Estate,
    policy: Policy,
    by_id: Mapping[ResourceId, VirtualMachine],
    confidence: float,
) -> ApartGroup:
    kind, _, name = key
    applications = [estate.application_of(by_id[vm]) for vm in members]
    is_critical = any(
        entry is not None and entry.criticality is Criticality.MISSION_CRITICAL for entry in applications
    )
    zones = {vm.key: by_id[vm].zones[0] for vm in members if by_id[vm].zones}
    share = len(members) * policy.max_unavailable_percent // 100
    return ApartGroup(
        members=tuple(members),
        max_unavailable=1 if kind in _ONE_AT_A_TIME else max(1, share),
        evidence=f"{kind} {name}",
        confidence=confidence,
        separate_waves=kind not in _NO_PEERS and (is_critical or policy.apart is ApartScope.WAVE),
        zones=zones if len(set(zones.values())) > 1 and kind not in _NO_PEERS else {},
    )
