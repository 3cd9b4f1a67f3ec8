"""What holds for every plan of every estate."""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise

import networkx as nx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness.model.codec import encode
from readiness.model.context import Environment
from readiness.model.ids import ResourceId
from readiness.model.plan import Occurrence, Plan, PlannedVm
from tests.planner.plans import build, places
from tests.planner.sketches import POLICY, Sketch, sketches

_settings = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _components(made: Plan) -> dict[ResourceId, int]:
    """Return which planned VMs need one another, by the number of their component."""
    graph: nx.DiGraph[ResourceId] = nx.DiGraph()
    placed = {entry.id for _, _, entry in places(made)} | {
        entry.id for entry in made.left_out if entry.reason in ("WindowTooShort", "WindowEnded")
    }
    graph.add_nodes_from(placed)
    graph.add_edges_from(
        (edge.before, edge.after) for edge in made.order if {edge.before, edge.after} <= placed
    )
    found = enumerate(nx.strongly_connected_components(graph))
    return {vm: number for number, component in found for vm in component}


def _by_id(made: Plan) -> dict[ResourceId, tuple[int, int, PlannedVm]]:
    return {entry.id: (wave, batch, entry) for wave, batch, entry in places(made)}


@_settings
@given(sketches())
def test_conservation(sketch: Sketch) -> None:
    """Every VM of the inventory is planned or left out, exactly once."""
    made = build(sketch.estate(), POLICY)
    seen = [entry.id for _, _, entry in places(made)] + [entry.id for entry in made.left_out]

    assert made.inventory == len(sketch.machines) + sketch.unreadable
    assert made.inventory == len(seen) == len(set(seen))


@_settings
@given(sketches())
def test_caps(sketch: Sketch) -> None:
    """No wave and no batch exceeds its cap, but for a move group that cannot be split."""
    made = build(sketch.estate(), POLICY)
    component = _components(made)
    for wave in made.waves:
        is_one_group = 1 == len({component[entry.id] for entry in wave.vms})
        assert len(wave.vms) <= (POLICY.limits.max_vms_per_wave or 0) or is_one_group
        assert POLICY.max_vms_per_batch >= max(len(batch.vms) for batch in wave.batches)


@_settings
@given(sketches())
def test_move_groups_stay_whole(sketch: Sketch) -> None:
    """VMs that need one another are in one wave, or all left out."""
    made = build(sketch.estate(), POLICY)
    where = _by_id(made)
    waves: dict[int, set[int]] = defaultdict(set)
    for vm, number in _components(made).items():
        waves[number].add(where[vm][0] if vm in where else 0)

    assert all(1 == len(found) for found in waves.values())


@_settings
@given(sketches())
def test_peers_stay_apart(sketch: Sketch) -> None:
    """Of a redundant group no more than it can spare are off in one batch."""
    made = build(sketch.estate(), POLICY)
    batches = [{entry.id for entry in batch.vms} for wave in made.waves for batch in wave.batches]
    for group in made.apart:
        assert group.max_unavailable >= max(
            (len(off.intersection(group.members)) for off in batches), default=0
        )


@_settings
@given(sketches())
def test_providers_before_consumers(sketch: Sketch) -> None:
    """Within one occurrence a provider is in an earlier batch, unless the two need one another."""
    made = build(sketch.estate(), POLICY)
    where, component = _by_id(made), _components(made)
    for edge in made.order:
        if edge.before in where and edge.after in where and component[edge.before] != component[edge.after]:
            before, after = where[edge.before], where[edge.after]
            if (before[0], before[2].occurrence) == (after[0], after[2].occurrence):
                assert before[1] < after[1]


@_settings
@given(sketches())
def test_hard_dependencies_bind_waves(sketch: Sketch) -> None:
    """The wave of a hard provider is never later than its consumer's."""
    made = build(sketch.estate(), POLICY)
    where = _by_id(made)
    for edge in made.order:
        if edge.hard and edge.before in where and edge.after in where:
            assert where[edge.before][0] <= where[edge.after][0]


@_settings
@given(sketches())
def test_waves_follow_one_another(sketch: Sketch) -> None:
    """Every window of a wave opens when all windows of the wave before have closed."""
    made = build(sketch.estate(), POLICY)

    assert [*range(1, len(made.waves) + 1)] == [wave.number for wave in made.waves]
    for earlier, later in pairwise(made.waves):
        closing = max(entry.occurrence.closes for entry in earlier.vms)
        assert closing <= min(entry.occurrence.opens for entry in later.vms)


@_settings
@given(sketches())
def test_reservations_fit(sketch: Sketch) -> None:
    """The batches of an occurrence fit into it one after another, with the longest way back."""
    made = build(sketch.estate(), POLICY)
    for wave in made.waves:
        planned: Counter[Occurrence] = Counter()
        reserve: dict[Occurrence, int] = defaultdict(int)
        for batch in wave.batches:
            (occurrence,) = {entry.occurrence for entry in batch.vms}
            planned[occurrence] += batch.planned_seconds
            spare = max(entry.reserved_seconds - entry.planned_seconds for entry in batch.vms)
            reserve[occurrence] = max(reserve[occurrence], spare)
        assert all(planned[one] + reserve[one] <= one.seconds for one in planned)


@_settings
@given(sketches())
def test_a_wave_can_be_walked(sketch: Sketch) -> None:
    """Batch after batch, none is entered too early or too late, and each may need all it reserved."""
    made = build(sketch.estate(), POLICY)
    for wave in made.waves:
        free = wave.batches[0].vms[0].occurrence.opens
        for batch in wave.batches:
            occurrence = batch.vms[0].occurrence
            assert batch.start is not None
            assert max(free, occurrence.opens) <= batch.start
            assert batch.start + timedelta(seconds=batch.reserved_seconds) <= occurrence.closes
            assert {(batch.start, batch.number, wave.number)} == {
                (entry.start, entry.batch, entry.wave) for entry in batch.vms
            }
            free = batch.start + timedelta(seconds=batch.planned_seconds)


@_settings
@given(sketches())
def test_nonproduction_first(sketch: Sketch) -> None:
    """No production VM goes before a VM of another environment that no hard dependency holds back."""
    made = build(sketch.estate(), POLICY)
    where, component = _by_id(made), _components(made)
    hard: nx.DiGraph[int] = nx.DiGraph()
    hard.add_nodes_from(component.values())
    hard.add_edges_from(
        (component[edge.before], component[edge.after])
        for edge in made.order
        if edge.hard and edge.before in component and edge.after in component
    )
    environment = {component[vm]: set[Environment]() for vm in component}
    for vm in where:  # what goes in no wave holds nothing back
        application = sketch.machines[int(vm.name.removeprefix("vm"))].application
        assert application is not None
        environment[component[vm]].add(sketch.environments[application])
    productive = {number for number, found in environment.items() if Environment.PRODUCTION in found}
    held = productive.union(*(nx.descendants(hard, number) for number in productive))
    free = [where[vm][0] for vm in where if component[vm] not in held]
    rest = [where[vm][0] for vm in where if component[vm] in held]

    assert max(free, default=0) < min(rest, default=len(made.waves) + 1)


@_settings
@given(sketches(), st.integers())
def test_same_input_same_bytes(sketch: Sketch, order: int) -> None:
    """The plan is byte-identical, whatever the order in which the estate was collected."""
    assert encode(build(sketch.estate(), POLICY)) == encode(build(sketch.estate(shuffle=order), POLICY))


@_settings
@given(sketches())
def test_lower_bound(sketch: Sketch) -> None:
    """A plan never has fewer waves than its own lower bound."""
    made = build(sketch.estate(), POLICY)

    assert made.lower_bound <= len(made.waves)


@_settings
@given(sketches())
def test_everything_has_its_reason(sketch: Sketch) -> None:
    """Every VM says why it stands where it stands, and whoever is left out says who can change that."""
    made = build(sketch.estate(), POLICY)

    assert all(entry.reason for _, _, entry in places(made))
    assert all(entry.reason and entry.detail and entry.unblocked_by for entry in made.left_out)
