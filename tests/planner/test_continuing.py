"""Planning again: what was agreed on keeps its place, wishes are answered, changes have their reasons."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.errors import PlanError
from readiness.model.codec import encode
from readiness.model.context import Criticality, Dependency, Freeze, Match
from readiness.model.estate import Estate
from readiness.model.plan import Plan, as_json, digest_of, from_json
from readiness.model.policy import Pilot, Pin, Policy
from readiness.planner.build import Request, build_plan
from readiness.planner.diff import diff
from readiness.rules.evaluate import evaluate
from tests.builders import estate, rid, vm_id
from tests.planner.plans import (
    AS_OF,
    WITHOUT_PILOTS,
    application,
    context,
    disks_of,
    machine,
    names,
    needs,
    only_left_out,
    only_planned,
    plan,
)

SET = rid("Microsoft.Compute/availabilitySets", "set")


def _again(made: Estate, previous: Plan | None) -> Plan:
    assessment = evaluate(made, as_of=AS_OF, release="test")
    return build_plan(
        Request(
            estate=made,
            assessment=assessment,
            playbooks=ALL_PLAYBOOKS,
            policy=WITHOUT_PILOTS,
            previous=previous,
        )
    )


def _estate(*vm_names: str) -> Estate:
    vms = [machine(name) for name in vm_names]
    return estate(*vms, disks=disks_of(vms), context=context(application("shop", "*")))


def test_what_was_placed_stays_when_another_comes() -> None:
    """A new VM gets a wave of its own behind those that were agreed on."""
    first = _again(_estate("b", "c"), None)
    second = _again(_estate("a", "b", "c"), first)

    assert [[["b", "c"]], [["a"]]] == names(second)
    assert [True, False] == [wave.committed for wave in second.waves]
    assert [("a", "added")] == [(change.name, change.kind) for change in diff(first, second)]
    assert first.digest == second.previous


def test_planning_again_changes_nothing() -> None:
    """The same estate keeps every place, and two equal requests give equal bytes."""
    first = _again(_estate("a", "b"), None)

    assert () == diff(first, _again(_estate("a", "b"), first))
    assert encode(_again(_estate("a", "b"), first)) == encode(_again(_estate("b", "a"), first))


def test_a_pin_moves_a_vm_and_is_answered() -> None:
    """A wave that somebody wants is kept; one that cannot be is refused with the reason."""
    given = context(application("shop", "*"), dependencies=(needs("web", "db", hard=True),))
    wanted = Pin(match=Match(names=("db",)), wave=2)
    made = plan(
        machine("db"),
        machine("web"),
        machine("x"),
        given=given,
        policy=replace(WITHOUT_PILOTS, pins=(wanted,)),
    )
    assert [[["x"]], [["db"], ["web"]]] == names(made)
    assert [True] == [answer.honoured for answer in made.pins]

    strict = Dependency(source=vm_id("web"), target=vm_id("db"), strict=True)
    given = replace(given, dependencies=(strict,))
    early = replace(WITHOUT_PILOTS, pins=(Pin(match=Match(names=("web",)), wave=1),))
    refused = plan(machine("db"), machine("web"), given=given, policy=early)
    assert [[["db"]], [["web"]]] == names(refused)
    assert [
        (
            False,
            "it needs db, which goes in wave 1 with the ring production: "
            "pin it to wave 2 or later, or db to an earlier wave",
        )
    ] == [(answer.honoured, answer.reason) for answer in refused.pins]


def test_pins_that_contradict_name_both_places() -> None:
    """Two waves for one VM is nothing that a planner can decide."""
    pins = (
        Pin(match=Match(names=("a",)), wave=1, place="policy.yaml:3:5"),
        Pin(match=Match(names=("*",)), wave=2, place="policy.yaml:4:5"),
    )
    with pytest.raises(PlanError, match=r"policy.yaml:4:5.*wave 1 and wave 2") as caught:
        plan(machine("a"), policy=replace(WITHOUT_PILOTS, pins=pins))

    assert "policy.yaml:3:5" in caught.value.details


def test_a_pin_on_nothing_is_refused() -> None:
    """A wish for a VM that does not exist is a mistake."""
    pins = (Pin(match=Match(names=("nobody",)), wave=1, place="policy.yaml:3:5"),)
    with pytest.raises(PlanError, match=r"policy.yaml:3:5"):
        plan(machine("a"), policy=replace(WITHOUT_PILOTS, pins=pins))


def test_an_excluded_vm_is_left_out_with_its_reason() -> None:
    """Whoever leaves a VM out says why, and the plan repeats it."""
    pins = (Pin(match=Match(names=("a",)), exclude=True, reason="replaced in June"),)
    left = only_left_out(plan(machine("a"), machine("b"), policy=replace(WITHOUT_PILOTS, pins=pins)))

    assert ("a", "ExcludedByPolicy", "replaced in June") == (left.name, left.reason, left.detail)


def test_a_strict_cycle_is_refused() -> None:
    """A later wave for somebody one needs oneself cannot be."""
    strict = Dependency(source=vm_id("web"), target=vm_id("db"), strict=True)
    given = context(application("shop", "*"), dependencies=(strict, needs("db", "web")))
    with pytest.raises(PlanError, match="web is to go in a later wave than db"):
        plan(machine("db"), machine("web"), given=given)


def test_a_freeze_moves_the_window() -> None:
    """No occurrence that touches a frozen day is used; one that is frozen for ever leaves the VM out."""
    freeze = Freeze(name="peak", match=Match(), starts=date(2026, 11, 22), ends=date(2026, 12, 1))
    given = context(application("shop", "*"), freezes=(freeze,))
    assert (
        datetime(2026, 12, 5, 21, tzinfo=UTC)
        == only_planned(plan(machine("a"), given=given)).occurrence.opens
    )

    for_ever = replace(freeze, starts=date(2026, 1, 1), ends=date(2099, 1, 1))
    left = only_left_out(plan(machine("a"), given=replace(given, freezes=(for_ever,))))
    assert ("Frozen", "shop owner") == (left.reason, left.unblocked_by)
    assert "peak" in left.detail


def test_critical_peers_go_in_different_waves() -> None:
    """Redundant VMs of a mission-critical application share no wave."""
    given = context(application("shop", "*", criticality=Criticality.MISSION_CRITICAL))
    made = plan(machine("a", availability_set=SET), machine("b", availability_set=SET), given=given)

    assert [[["a"]], [["b"]]] == names(made)
    assert 2 == made.bound.conflicts
    assert made.proven


def test_a_pilot_goes_first() -> None:
    """One VM of a stratum proves the change, the rest follows in a later window."""
    made = plan(*(machine(f"vm{number}") for number in range(4)), policy=Policy(pilot=Pilot()))

    assert [[["vm0"]], [["vm1", "vm2", "vm3"]]] == names(made)
    assert ["pilot", "production"] == [wave.ring for wave in made.waves]
    assert made.waves[0].vms[0].occurrence.closes <= made.waves[1].vms[0].occurrence.opens


def test_observed_traffic_binds_nothing() -> None:
    """What was merely seen makes no order, no group and no cycle, and is told as a hint."""
    seen = (
        Dependency(source=vm_id("a"), target=vm_id("b"), observed=True, strict=True, confidence=0.4),
        Dependency(source=vm_id("b"), target=vm_id("a"), observed=True),
    )
    made = plan(machine("a"), machine("b"), given=context(application("shop", "*"), dependencies=seen))

    assert [[["a", "b"]]] == names(made)
    assert ((), 2) == (made.order, len(made.hints))


def test_a_plan_comes_back_from_its_json() -> None:
    """The file names each VM once and its batches by id, and says the same when it is read."""
    made = plan(machine("a"), machine("b"))
    data = b"".join(as_json(made))

    assert made == from_json(data)
    assert made.digest == digest_of(from_json(data))
    assert 1 == data.count(b'"fingerprint":"' + made.vms[0].fingerprint.encode())


def test_counted_recurrences_begin_with_the_plan() -> None:
    """Three Saturdays are the next three, not three of years ago."""
    from tests.planner.plans import window

    thrice = window(rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=3")
    made = plan(machine("a"), given=context(application("shop", "*"), windows=(thrice,)))

    assert AS_OF + timedelta(days=1) == only_planned(made).occurrence.opens.date()
