"""Who goes before whom, and who goes together: declared and observed dependencies as graphs.

*Order* is directed, provider before consumer. What somebody declared counts for groups and batches, and, if
it is hard, for waves; what was merely observed informs. Cycles are no error: VMs that need one another become
one move group. Only a cycle with an edge that asks for a later wave cannot be, and is refused.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from readiness.errors import PlanError
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import Hub, OrderEdge, Strictness, TogetherGroup
from readiness.model.policy import HubHandling, Policy

_DECLARED = "declared in the context"
_FAR_ABOVE = 8
"""A hub has so many times the neighbours of an ordinary connected VM."""
_ORDER = {Strictness.NONE: 0, Strictness.SAME_WAVE: 1, Strictness.NEXT_WAVE: 2}
MoveGroup = tuple[ResourceId, ...]
"""VMs that need one another and so go in one wave."""


def order_edges(estate: Estate) -> tuple[tuple[OrderEdge, ...], tuple[OrderEdge, ...]]:
    """Return the declared and the observed dependencies: the target of *source needs target* goes first.

    Each pair once, as binding as its most binding declaration, with ids as the estate spells them. A pair
    that was declared is not told again as observed.
    """
    declared: dict[tuple[ResourceId, ResourceId], OrderEdge] = {}
    observed: dict[tuple[ResourceId, ResourceId], OrderEdge] = {}
    for entry in estate.context.dependencies:
        if entry.source == entry.target:
            continue
        before, after = _spelled(estate, entry.target), _spelled(estate, entry.source)
        strict = Strictness.NONE
        if not entry.observed and (entry.hard or entry.strict):
            strict = Strictness.NEXT_WAVE if entry.strict else Strictness.SAME_WAVE
        edge = OrderEdge(
            before=before,
            after=after,
            hard=strict is not Strictness.NONE,
            strict=strict,
            evidence=entry.evidence or ("observed traffic" if entry.observed else _DECLARED),
            confidence=entry.confidence,
        )
        found = observed if entry.observed else declared
        known = found.get((before, after))
        if known is None or _weight(edge) > _weight(known):
            found[before, after] = edge
    return (
        tuple(declared[pair] for pair in sorted(declared)),
        tuple(observed[pair] for pair in sorted(observed.keys() - declared.keys())),
    )


def find_hubs(
    edges: Iterable[OrderEdge],
    vms: Mapping[ResourceId, str],
    policy: Policy,
    words: Mapping[ResourceId, HubHandling],
) -> tuple[Hub, ...]:
    """Return the VMs with far more neighbours than the rest, and those that the user calls hubs."""
    neighbours: dict[ResourceId, set[ResourceId]] = defaultdict(set)
    for edge in edges:
        neighbours[edge.before].add(edge.after)
        neighbours[edge.after].add(edge.before)
    degrees = sorted(len(found) for found in neighbours.values())
    usual = degrees[len(degrees) // 2] if degrees else 0
    least = max(policy.hub_degree, _FAR_ABOVE * usual)
    hubs = []
    for vm in sorted(vms):
        degree, word = len(neighbours.get(vm, ())), words.get(vm)
        if degree >= least or word is HubHandling.CUT:
            cut = word is not HubHandling.KEEP
            said = f"; the policy says {word}" if word else ""
            reason = f"connected with {degree} VMs, where {usual} is usual{said}"
            hubs.append(Hub(id=vm, name=vms[vm], degree=degree, cut=cut, reason=reason))
    return tuple(hubs)


def binding_edges(declared: Iterable[OrderEdge], hubs: Iterable[Hub]) -> tuple[OrderEdge, ...]:
    """Return the declared edges without the soft ones of hubs that are cut."""
    cut = {hub.id for hub in hubs if hub.cut}
    return tuple(edge for edge in declared if edge.hard or not cut.intersection((edge.before, edge.after)))


def move_groups(
    vms: Iterable[ResourceId], edges: Sequence[OrderEdge], together: Sequence[TogetherGroup] = ()
) -> tuple[MoveGroup, ...]:
    """Return the VMs as move groups, providers first, ties broken by id.

    A move group is a strongly connected component of the order graph in which every group of VMs that
    go together counts as one.

    Raises:
        PlanError: An edge that asks for a later wave lies within a move group.
    """
    import networkx as nx

    known = sorted(vms)
    stands_for = _united(known, together)
    graph: nx.DiGraph[ResourceId] = nx.DiGraph()
    graph.add_nodes_from(sorted(set(stands_for.values())))
    graph.add_edges_from(
        (stands_for[edge.before], stands_for[edge.after])
        for edge in edges
        if edge.before in stands_for and edge.after in stands_for
    )
    condensed = nx.condensation(graph)
    by_representative: dict[ResourceId, list[ResourceId]] = defaultdict(list)
    for vm in known:
        by_representative[stands_for[vm]].append(vm)
    members = {
        node: tuple(sorted(vm for one in condensed.nodes[node]["members"] for vm in by_representative[one]))
        for node in condensed
    }
    ordered = nx.lexicographical_topological_sort(condensed, key=lambda node: members[node][0].key)
    groups = tuple(members[node] for node in ordered)
    _refuse_strict_within(groups, edges)
    return groups


def _united(vms: Sequence[ResourceId], together: Sequence[TogetherGroup]) -> dict[ResourceId, ResourceId]:
    """Return for each VM the first one of those it goes with."""
    parent = {vm: vm for vm in vms}

    def root(vm: ResourceId) -> ResourceId:
        while parent[vm] != vm:
            parent[vm] = parent[parent[vm]]
            vm = parent[vm]
        return vm

    for group in together:
        present = [root(vm) for vm in group.members if vm in parent]
        for other in present[1:]:
            first, second = sorted((root(present[0]), root(other)))
            parent[second] = first
    return {vm: root(vm) for vm in vms}


def _refuse_strict_within(groups: Iterable[MoveGroup], edges: Iterable[OrderEdge]) -> None:
    group_of = {vm: number for number, group in enumerate(groups) if len(group) > 1 for vm in group}
    sizes = Counter(group_of.values())
    for edge in edges:
        number = group_of.get(edge.before)
        if edge.strict is Strictness.NEXT_WAVE and number is not None and number == group_of.get(edge.after):
            others = sizes[number] - 2
            more = f" (and {others} more)" if others > 0 else ""
            raise PlanError(
                f"{edge.after.name} is to go in a later wave than {edge.before.name}, "
                f"but the two need one another{more}.",
                details=f"The edge {edge.before} -> {edge.after} ({edge.evidence}) lies on a cycle.",
                remedy="Take 'strict' from this dependency, or remove the one that leads back.",
            )


def _weight(edge: OrderEdge) -> tuple[int, float, str]:
    return _ORDER[edge.strict], edge.confidence, edge.evidence


def _spelled(estate: Estate, vm: ResourceId) -> ResourceId:
    known = estate.vm(vm)
    return known.id if known else vm
