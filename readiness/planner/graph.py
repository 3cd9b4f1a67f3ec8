"""Who goes before whom, and who may not be off together.

*Order* is directed: declared dependencies, provider before consumer. *Apart* are groups: availability-set
and load-balancer-pool members, of which only a few may be off at a time. Cycles are not an error: a
strongly connected component becomes one move group.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, OrderEdge

_UNAVAILABLE_SHARE = 4
"""At most a quarter of a redundant group may be off at a time, and always at least one."""


def order_edges(estate: Estate) -> tuple[OrderEdge, ...]:
    """Return the declared dependencies as order: the target of *source needs target* goes first.

    Each pair once, hard if any of its declarations is, with ids as the estate spells them.
    """
    hard: dict[tuple[ResourceId, ResourceId], bool] = {}
    for entry in estate.context.dependencies:
        pair = (_spelled(estate, entry.target), _spelled(estate, entry.source))
        if entry.source != entry.target:
            hard[pair] = hard.get(pair, False) or entry.hard
    return tuple(
        OrderEdge(before=before, after=after, hard=hard[before, after], evidence="declared in the context")
        for before, after in sorted(hard)
    )


def apart_groups(estate: Estate) -> tuple[ApartGroup, ...]:
    """Return the redundant groups of the topology."""
    members: dict[tuple[str, ResourceId], set[ResourceId]] = defaultdict(set)
    pools = {pool for balancer in estate.load_balancers for pool in balancer.pools}
    for vm in sorted(estate.vms, key=lambda entry: entry.id):
        if vm.availability_set:
            members["availability set", vm.availability_set].add(vm.id)
        for nic_id in vm.nics:
            nic = estate.nics.get(nic_id)
            for configuration in nic.ip_configurations if nic else ():
                for pool in pools.intersection(configuration.load_balancer_pools):
                    members["load balancer pool", pool].add(vm.id)
    return tuple(
        ApartGroup(
            members=tuple(sorted(vms)),
            max_unavailable=max(1, len(vms) // _UNAVAILABLE_SHARE),
            evidence=f"{kind} {group.name}",
        )
        for (kind, group), vms in sorted(members.items(), key=lambda item: item[0])
        if len(vms) > 1
    )


def _spelled(estate: Estate, vm: ResourceId) -> ResourceId:
    known = estate.vm(vm)
    return known.id if known else vm


def move_groups(vms: Iterable[ResourceId], edges: Sequence[OrderEdge]) -> tuple[tuple[ResourceId, ...], ...]:
    """Return the VMs as move groups, providers first, ties broken by id.

    A move group is a strongly connected component of the order graph: VMs that need one another.
    """
    import networkx as nx

    graph: nx.DiGraph[ResourceId] = nx.DiGraph()
    graph.add_nodes_from(sorted(vms))
    graph.add_edges_from(
        (edge.before, edge.after) for edge in edges if edge.before in graph and edge.after in graph
    )
    condensed = nx.condensation(graph)
    members = {node: tuple(sorted(condensed.nodes[node]["members"])) for node in condensed}
    ordered = nx.lexicographical_topological_sort(condensed, key=lambda node: members[node][0].key)
    return tuple(members[node] for node in ordered)
