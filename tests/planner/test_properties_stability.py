"""How little a small change moves: plans that continue an earlier one."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.model.codec import encode
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import Plan
from readiness.model.policy import Policy
from readiness.planner.build import Request, build_plan
from readiness.rules.evaluate import evaluate
from tests.planner.plans import AS_OF, build
from tests.planner.policies import policies
from tests.planner.promises import broken, components
from tests.planner.sketches import Machine, Need, Sketch, machines, sketches

_settings = settings(max_examples=40)
Place = tuple[int, object, object]


def continued(made: Estate, policy: Policy, previous: Plan) -> Plan:
    """Plan an estate on top of an earlier plan."""
    assessment = evaluate(made, as_of=AS_OF, release="test")
    return build_plan(
        Request(estate=made, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=policy, previous=previous)
    )


def _places(made: Plan) -> dict[ResourceId, Place]:
    return {vm.id: (vm.wave, vm.start, vm.occurrence) for vm in made.vms}


def _moved(before: Plan, after: Plan) -> set[ResourceId]:
    """Return which VMs of both plans stand elsewhere now."""
    old, new = _places(before), _places(after)
    return {vm for vm, place in old.items() if new.get(vm, place) != place}


@_settings
@given(sketches(), policies(), st.integers())
def test_planning_again_moves_nothing(sketch: Sketch, policy: Policy, order: int) -> None:
    """The same estate in any order keeps every place, whatever the policy, and makes the same bytes again."""
    first = build(sketch.estate(), policy)
    again = continued(sketch.estate(shuffle=order), policy, first)

    assert _places(first) == _places(again)
    assert [] == [said for said in again.warnings if "Placed anew" in said]
    assert encode(again) == encode(continued(sketch.estate(), policy, first))


@_settings
@given(st.data(), sketches(), policies())
def test_one_more_vm_moves_nobody(data: st.DataObject, sketch: Sketch, policy: Policy) -> None:
    """A VM that joins, whatever it needs, goes behind what was agreed on, and takes no place from others."""
    size = len(sketch.machines)
    joining: Machine = data.draw(machines(len(sketch.windows)))
    joining = dataclasses.replace(joining, availability_set=None, pools=frozenset())
    provider = data.draw(st.none() | st.integers(0, size - 1))
    needs = () if provider is None else (Need(source=size, target=provider, hard=data.draw(st.booleans())),)
    larger = dataclasses.replace(sketch, machines=(*sketch.machines, joining), needs=(*sketch.needs, *needs))
    policy = replace(policy, hub_degree=20)
    first = build(sketch.estate(), policy)
    estate = larger.estate()
    second = continued(estate, policy, first)

    assert set() == _moved(first, second)
    assert [] == broken(second, estate)


@_settings
@given(st.data(), sketches(), policies())
def test_one_vm_less_moves_nobody_but_its_peers_and_group(
    data: st.DataObject, sketch: Sketch, policy: Policy
) -> None:
    """What is left keeps its place, but for those whom the VM kept together or made redundant."""
    index = data.draw(st.integers(0, len(sketch.machines) - 1))
    gone = sketch.id(index)
    first = build(sketch.estate(), policy)
    estate = sketch.without(index).estate()
    second = continued(estate, policy, first)
    allowed = _close_to(first, gone)

    assert _moved(first, second) <= allowed
    assert [] == broken(second, estate)


@_settings
@given(st.data(), sketches(), policies(), st.integers(0, 8))
def test_a_longer_vm_moves_itself_and_what_waits_for_it(
    data: st.DataObject, sketch: Sketch, policy: Policy, disks: int
) -> None:
    """A VM that takes longer or shorter moves at most with its move group and what cannot go without it."""
    index = data.draw(st.integers(0, len(sketch.machines) - 1))
    first = build(sketch.estate(), policy)
    estate = sketch.altered(index, data_disks=disks).estate()
    second = continued(estate, policy, first)
    allowed = _close_to(first, sketch.id(index))

    assert _moved(first, second) <= allowed
    assert [] == broken(second, estate)


def _close_to(made: Plan, vm: ResourceId) -> set[ResourceId]:
    """Return a VM with its move group, its peers, and all that cannot go without one of these."""
    component = components(made)
    close = {vm} | {one for group in made.apart if vm in group.members for one in group.members}
    while True:
        numbers = {component[one] for one in close if one in component}
        wider = close | {one for one, number in component.items() if number in numbers}
        wider |= {edge.after for edge in made.order if edge.hard and edge.before in wider}
        if wider == close:
            return close
        close = wider
