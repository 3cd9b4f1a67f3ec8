"""Wishes for single VMs: granted, or refused with the true reason and a remedy."""

from msgspec.structs import replace

from readiness.model.context import Dependency, Environment, Match
from readiness.model.plan import Plan
from readiness.model.policy import Limits, Pilot, Pin, Policy
from tests.builders import estate, vm_id
from tests.planner.plans import (
    WITHOUT_PILOTS,
    application,
    context,
    disks_of,
    machine,
    names,
    needs,
    plan,
    window,
)
from tests.planner.test_properties_stability import continued


def _pin(name: str, wave: int) -> Pin:
    return Pin(match=Match(names=(name,)), wave=wave)


def _wishing(*pins: Pin, **changes: object) -> Policy:
    return replace(WITHOUT_PILOTS, pins=pins, **changes)


def _answers(made: Plan) -> list[tuple[str, bool, str]]:
    return [(pin.vm.name, pin.honoured, pin.reason) for pin in made.pins]


def test_production_may_be_wanted_first() -> None:
    """A pin outranks pilots and rings: people may put a production VM into the very first wave."""
    given = context(application("live", "live*"), application("try", "try*", environment=Environment.TEST))
    vms = [machine(name) for name in ("live1", "live2", "live3", "try1", "try2", "try3")]
    made = plan(*vms, given=given, policy=_wishing(_pin("live2", 1), pilot=Pilot()))

    assert ["live2", "try1"] == sorted(vm.name for vm in made.waves[0].vms)
    assert [("live2", True, "as wanted")] == _answers(made)


def test_what_a_provider_in_a_later_ring_forbids() -> None:
    """A VM that cannot go before a production VM is refused the first wave, and the answer names the ring."""
    given = context(
        application("live", "db", "web"),
        application("try", "x", environment=Environment.TEST),
        dependencies=(needs("web", "db", hard=True),),
    )
    vms = [machine(name) for name in ("db", "web", "x")]
    made = plan(*vms, given=given, policy=_wishing(_pin("web", 1)))

    assert [[["x"]], [["db"], ["web"]]] == names(made)
    text = "it needs db, which goes in wave 2 with the ring production: pin it to wave 2 or later, "
    assert [("web", False, text + "or db to an earlier wave")] == _answers(made)


def test_a_window_that_does_not_hold_what_is_wanted_together() -> None:
    """Of two VMs that do not fit into one window the first gets the wave, the other an answer."""
    given = context(
        application("one", "a", windows=("early",)),
        application("two", "b", windows=("late",)),
        windows=(window("early", 0.9), window("late", 0.9)),
    )
    made = plan(machine("a"), machine("b"), given=given, policy=_wishing(_pin("a", 1), _pin("b", 1)))

    assert [[["a"]], [["b"]]] == names(made)
    text = "wave 1 has no window that holds it beside what else is pinned to it: pin it to another wave"
    assert [("a", True, "as wanted"), ("b", False, text)] == _answers(made)


def test_a_move_group_larger_than_a_window_may_be_wanted() -> None:
    """A group that goes on over several windows gets its wave, for itself."""
    circle = (needs("a", "b"), needs("b", "c"), needs("c", "a"))
    given = context(application("shop", "*"), dependencies=circle, windows=(window(hours=0.9),))
    vms = [machine(name) for name in ("a", "b", "c", "d")]
    made = plan(*vms, given=given, policy=_wishing(_pin("a", 1), max_vms_per_batch=1))

    assert ["a", "b", "c"] == sorted(vm.name for vm in made.waves[0].vms)
    assert [("a", True, "as wanted")] == _answers(made)


def test_a_full_wave_names_its_limit() -> None:
    """Whoever does not fit beside the others that are wanted there reads which limit it is."""
    policy = _wishing(_pin("a", 1), _pin("b", 1), limits=Limits(max_vms_per_wave=1))
    made = plan(machine("a"), machine("b"), policy=policy)

    text = (
        "wave 1 is full with what else is pinned to it, as its VMs are limited to 1: pin it to another wave"
    )
    assert [("a", True, "as wanted"), ("b", False, text)] == _answers(made)


def test_a_wave_that_there_is_not() -> None:
    """The answer speaks of the waves that the finished plan has."""
    made = plan(machine("a"), machine("b"), policy=_wishing(_pin("a", 7)))

    text = "the plan has only 1 wave without it: pin it to an earlier one"
    assert [("a", False, text)] == _answers(made)


def test_a_wish_that_another_refusal_makes_possible() -> None:
    """A wave that comes about only since another wish was refused is granted all the same."""
    strict = Dependency(source=vm_id("web"), target=vm_id("db"), strict=True)
    given = context(application("shop", "*"), dependencies=(strict,))
    policy = _wishing(_pin("web", 1), _pin("x", 2))
    made = plan(machine("db"), machine("web"), machine("x"), given=given, policy=policy)

    assert [[["db"]], [["web", "x"]]] == names(made)
    assert [False, True] == [answer.honoured for answer in made.pins]


def test_a_kept_wave_takes_nobody_new() -> None:
    """A VM that is wanted in another kept wave stays where it was agreed on, and is told where it may go."""
    strict = Dependency(source=vm_id("web"), target=vm_id("db"), strict=True)
    vms = [machine(name) for name in ("db", "web", "x")]
    made = estate(
        *vms, disks=disks_of(vms), context=context(application("shop", "*"), dependencies=(strict,))
    )
    first = plan(*vms, given=made.context)
    second = continued(made, _wishing(_pin("x", 2)), first)
    moved = continued(made, _wishing(_pin("x", 3)), first)

    assert [[["db", "x"]], [["web"]]] == names(first) == names(second)
    text = "it keeps wave 1, and kept waves take nobody new: pin it to wave 3 or later to move it"
    assert [("x", False, text)] == _answers(second)
    assert [[["db"]], [["web"]], [["x"]]] == names(moved)
    assert [("x", True, "as wanted")] == _answers(moved)


def test_a_new_vm_is_told_of_the_kept_waves() -> None:
    """A VM that joins and is wanted in a kept wave reads which wave is the first that is free."""
    old, new = [machine("a")], [machine("a"), machine("b")]
    given = context(application("shop", "*"))
    first = plan(*old, given=given)
    second = continued(estate(*new, disks=disks_of(new), context=given), _wishing(_pin("b", 1)), first)

    text = "waves 1 to 1 are kept from the plan before and take nobody new: pin it to wave 2 or later"
    assert [("b", False, text)] == _answers(second)
