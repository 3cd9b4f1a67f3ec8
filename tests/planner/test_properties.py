"""What holds for every plan of every estate under every policy."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from readiness.model.codec import encode
from readiness.model.policy import Policy
from tests.planner.plans import build
from tests.planner.policies import pins, policies
from tests.planner.promises import broken
from tests.planner.sketches import POLICY, Sketch, sketches

_settings = settings(max_examples=80)


@_settings
@given(sketches())
def test_a_plan_keeps_its_promises(sketch: Sketch) -> None:
    """Conservation, limits, order, peers, windows, rings and reasons, under limits that bite."""
    estate = sketch.estate()

    assert [] == broken(build(estate, POLICY), estate)


@_settings
@given(sketches(), policies())
def test_every_policy_is_kept(sketch: Sketch, policy: Policy) -> None:
    """Limits of every kind, lock-out, freezes, rings, pilots and overlapping waves, each on and off."""
    estate = sketch.estate()

    assert [] == broken(build(estate, policy), estate)


@_settings
@given(st.data(), sketches(), policies())
def test_wishes_break_no_promise(data: st.DataObject, sketch: Sketch, policy: Policy) -> None:
    """Whatever is wished for: limits, order, peers and windows hold, and every wish has its answer."""
    estate = sketch.estate()
    wished = replace(policy, pins=data.draw(pins(sketch)))

    assert [] == broken(build(estate, wished), estate)


@_settings
@given(sketches(), policies(), st.integers())
def test_same_input_same_bytes(sketch: Sketch, policy: Policy, order: int) -> None:
    """The plan is byte-identical, whatever the order in which the estate was collected."""
    assert encode(build(sketch.estate(), policy)) == encode(build(sketch.estate(shuffle=order), policy))
