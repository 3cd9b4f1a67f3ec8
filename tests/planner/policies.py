"""Random policies for the planner: every limit, and pilots, rings and windows on and off."""

from datetime import date, timedelta

from hypothesis import strategies as st

from readiness.model.context import Environment, Match
from readiness.model.policy import ApartScope, Limits, Pilot, Pin, Policy
from tests.planner.plans import AS_OF
from tests.planner.sketches import Sketch

_RINGS: list[tuple[tuple[Environment, ...], ...]] = [
    Policy().rings,
    (),
    ((Environment.PRODUCTION,), (Environment.TEST,)),
    ((Environment.DEVELOPMENT,), (Environment.TEST,)),
]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy without pins: any limit, with and without pilots, rings and windows."""
    cap = st.none() | st.integers(1, 6)
    limits = Limits(
        max_vms_per_wave=draw(cap),
        max_work_minutes_per_wave=draw(st.none() | st.integers(10, 200)),
        max_vms_per_subscription=draw(cap),
        max_vms_per_region=draw(cap),
        max_vms_per_application=draw(cap),
        max_snapshots_per_subscription=draw(st.none() | st.integers(1, 10)),
        max_vcpus_per_region=draw(st.none() | st.integers(1, 12)),
    )
    return Policy(
        limits=limits,
        max_vms_per_batch=draw(st.integers(1, 5)),
        pilot=draw(
            st.none() | st.builds(Pilot, max_vms=st.integers(1, 4), max_percent=st.sampled_from([0.0, 40.0]))
        ),
        rings=draw(st.sampled_from(_RINGS)),
        windows=draw(st.booleans()),
        lockout_minutes=draw(st.sampled_from([0, 0, 20, 60])),
        waves_at_once=draw(st.none() | st.integers(1, 3)),
        apart=draw(st.sampled_from(ApartScope)),
        max_unavailable_percent=draw(st.sampled_from([0, 25, 50, 100])),
        hub_degree=draw(st.sampled_from([2, 20])),
    )


@st.composite
def pins(draw: st.DrawFn, sketch: Sketch) -> tuple[Pin, ...]:
    """Draw wishes for some machines: a wave, a day, or both; at most one wish for each."""
    found = []
    for index in range(len(sketch.machines)):
        wave = draw(st.none() | st.integers(1, 4))
        days = draw(st.none() | st.none() | st.integers(0, 40))
        if wave is None and days is None:
            continue
        day: date | None = None if days is None else AS_OF + timedelta(days=days)
        match = Match(names=(sketch.name(index),))
        found.append(Pin(match=match, wave=wave, not_before=day, place=f"policy.yaml:{index + 1}:1"))
    return tuple(found)
