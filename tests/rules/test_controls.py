"""The control catalogue: its promises, each level within reach, and what words and exceptions change."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.model.assessment import Assessment, OpenControl, Whose
from readiness.model.context import Context, Match, RuleException
from readiness.model.levels import Level, LevelReached
from readiness.model.verdict import Dimension, Status
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import ALL_CONTROLS, VM_CONTROLS
from readiness.rules.controls.control import Control
from readiness.rules.evaluate import evaluate
from tests.builders import SUBSCRIPTION, boot, disk, estate, rid, vm
from tests.rules.control_builders import (
    SUBSCRIPTION_ID,
    TODAY,
    best_estate,
    best_facts,
    best_vm,
    word,
)

MANDATORY = {
    1: "AC-1 AC-2 AC-3 NW-1 NW-3 DF-1 DP-1 DP-2 MN-3",
    2: "AC-4 AC-6 CP-1 CP-2 CP-3 CP-6 DP-3 DP-4 DP-7 DP-8 UP-1 UP-2 MN-1 MN-2 DF-2 DF-3 DF-5 GV-1",
    3: "AC-7 AC-9 DP-5 DP-6 NW-6 CP-7",
}


def _assess(*vms: VirtualMachine, **changes: Any) -> Assessment:
    return evaluate(best_estate(*vms, **changes), as_of=TODAY, release="test")


def _open(found: tuple[OpenControl, ...]) -> dict[str, str]:
    return {entry.id: f"{entry.verdict} {entry.reason}" for entry in found}


def _permit(**changes: Any) -> Context:
    facts: dict[str, Any] = {
        "id": "EX-1",
        "match": Match(),
        "owner": "Ada",
        "reason": "vendor",
        "approved_by": "Bo",
        "expires": date(2026, 12, 1),
        "compensating_control": "a firewall",
        **changes,
    }
    return Context(attestations=(word("DP-8"),), exceptions=(RuleException(**facts),))


def test_ids_are_unique() -> None:
    """A control's id names one control, and no rule."""
    ids = [entry.id for entry in ALL_CONTROLS]

    assert len(ids) == len(set(ids))
    assert set() == set(ids) & {rule.id for rule in ALL_RULES}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_gates(level: int) -> None:
    """The mandatory controls of each level are exactly these."""
    found = {entry.id for entry in ALL_CONTROLS if entry.is_mandatory and entry.level == level}

    assert set(MANDATORY[level].split()) == found


@pytest.mark.parametrize("control", ALL_CONTROLS, ids=lambda entry: entry.id)
def test_a_control_explains_itself(control: Control) -> None:
    """Rationale, remedy and a public source with a date stand beside every control."""
    assert control.rationale.endswith(".")  # type: ignore[attr-defined]
    assert control.remedy.endswith(".")
    assert not control.seed_claim or control.seed_claim.endswith(".")
    assert control.source.address.startswith("https://learn.microsoft.com/")
    assert set(control.rests_on) <= {rule.id for rule in ALL_RULES}


def test_the_highest_level_can_be_reached() -> None:
    """A VM and its subscription can stand on Level 3 by what was collected and attested."""
    found = _assess()

    assert LevelReached(Level.FULL, Level.FULL) == found.vms[0].level == found.subscriptions[0].level
    assert found.summary.level == found.subscriptions[0].level


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        (
            {"boot": boot(security_type=best_vm().boot.security_type, secure_boot=True, vtpm=True)},
            Level.BASIC,
        ),
        ({"extensions": ()}, Level.BASIC),
        ({"os_disk": None, "data_disks": ()}, Level.NONE),
    ],
    ids=["no encryption at host", "no agents", "disks not reported"],
)
def test_the_levels_below_can_be_reached(changes: dict[str, Any], level: Level) -> None:
    """What a VM lacks puts it below the level that asks for it, and no lower."""
    assert level == _assess(best_vm(**changes)).vms[0].level.raw  # type: ignore[union-attr]


def test_a_platform_key_keeps_a_vm_on_level_two() -> None:
    """Customer-managed keys are asked for on Level 3 only."""
    found = _assess(disks=[disk(network_access="DenyAll")]).vms[0]

    assert LevelReached(Level.ADVANCED, Level.ADVANCED) == found.level
    assert "unmet PlatformKey" == _open(found.controls)["DP-5"]


def test_what_was_not_collected_is_unknown() -> None:
    """Without any evidence a VM meets nothing that needs some, and nobody says that it failed."""
    found = evaluate(estate(vm()), as_of=TODAY, release="test")
    listed = _open(found.vms[0].controls)

    assert {"unknown GuestNotAsked"} == {listed[one] for one in ("AC-9", "CP-6", "CP-7")}
    assert "unknown NotListed" == listed["MN-2"]
    assert "unknown PlanNotRead" == _open(found.subscriptions[0].controls)["DF-1"]
    assert Level.NONE == found.subscriptions[0].level.raw


@pytest.mark.parametrize("control", [one for one in ALL_CONTROLS if one.is_mandatory], ids=lambda one: one.id)
def test_a_word_stands_in_for_missing_evidence_only(control: Control) -> None:
    """Each mandatory control that is unknown for want of evidence is met by a word, while that word holds."""
    bare = estate(vm(os_profile=None), disks=[], nics=[], encryption_sets=[])
    silent = evaluate(bare, as_of=TODAY, release="test")
    listed = _open((*silent.vms[0].controls, *silent.subscriptions[0].controls))
    for expires, holds in ((TODAY, True), (date(2026, 11, 1), False)):
        context = Context(attestations=(word(control.id, expires=expires),))
        spoken = estate(vm(os_profile=None), disks=[], nics=[], encryption_sets=[], context=context)
        found = evaluate(spoken, as_of=TODAY, release="test")
        after = _open((*found.vms[0].controls, *found.subscriptions[0].controls))

        if holds and listed.get(control.id, "").startswith("unknown"):
            assert control.id not in after
        else:
            assert listed == after


def test_a_word_never_outweighs_what_was_seen() -> None:
    """Attesting encryption at host does not switch it on."""
    context = Context(attestations=(word("DP-3"), word("DP-8")))
    off = boot(security_type=best_vm().boot.security_type, secure_boot=True, vtpm=True)

    assert "unmet AtHostOff" == _open(_assess(best_vm(boot=off), context=context).vms[0].controls)["DP-3"]


@pytest.mark.parametrize("covers", [{"rule": "DP-5"}, {"rule": "EN001"}, {"dimension": Dimension.CMK}])
def test_an_exception_covers_a_control(covers: dict[str, Any]) -> None:
    """It may name the control, the rule it rests on, or the dimension; it shows, and lifts one level only."""
    found = _assess(disks=[disk(network_access="DenyAll")], context=_permit(**covers))
    entry = next(one for one in found.vms[0].controls if one.id == "DP-5")

    assert ("EX-1", LevelReached(Level.ADVANCED, Level.FULL)) == (entry.exception, found.vms[0].level)
    assert [("EX-1", False, 1)] == [(one.id, one.is_expired, one.vms) for one in found.exceptions]


def test_an_expired_exception_covers_nothing() -> None:
    """It is listed as expired, and keeps the subscription from having its exceptions in order."""
    context = _permit(rule="DP-5", expires=date(2026, 11, 1))
    found = _assess(disks=[disk(network_access="DenyAll")], context=context)

    assert Level.ADVANCED == found.vms[0].level.with_exceptions  # type: ignore[union-attr]
    assert found.exceptions[0].is_expired
    assert "unmet ExceptionExpired" == _open(found.subscriptions[0].controls)["GV-1"]


def test_a_vm_that_cannot_have_it_is_counted_apart() -> None:
    """A size without Trusted Launch is not eligible: no exception, and it does not hold the VM back."""
    from tests.builders import sku

    found = _assess(best_vm(boot=boot(encryption_at_host=True)), skus=[sku(trusted_launch_disabled=True)])
    counts = {one.id: one for one in found.summary.controls}

    assert "not-applicable NotEligible" == _open(found.vms[0].controls)["CP-1"]
    assert (1, 0) == (counts["CP-1"].not_eligible, counts["CP-1"].excepted)
    assert Level.FULL == found.vms[0].level.raw  # type: ignore[union-attr]


def test_an_excluded_vm_counts_nowhere() -> None:
    """A scale set's member has no level and lowers none."""
    member = vm(name="member", scale_set=rid("Microsoft.Compute/virtualMachineScaleSets", "vmss1"))
    found = _assess(best_vm(), member)

    assert (None, ()) == (found.vms[1].level, found.vms[1].controls)
    assert (2, 1, Level.FULL) == (
        found.summary.vms,
        found.summary.excluded,
        found.subscriptions[0].level.raw,
    )


def test_a_subscription_is_as_low_as_its_lowest_vm() -> None:
    """One VM that lags behind keeps the whole subscription down."""
    found = _assess(best_vm(), vm(name="lagging"))

    assert Level.FULL == found.vms[0].level.raw  # type: ignore[union-attr]
    assert found.vms[1].level.raw == found.subscriptions[0].level.raw  # type: ignore[union-attr]


def test_a_subscription_s_exception_names_it_or_everything() -> None:
    """An exception for some VMs permits nothing to the subscription as a whole."""
    levels = {
        name: _assess(grants=(), context=_permit(rule="AC-7", match=match)).subscriptions[0].level
        for name, match in {
            "all": Match(),
            "named": Match(ids=(SUBSCRIPTION_ID,)),
            "vms": Match(names=("vm1",)),
        }.items()
    }

    assert {"all": 3, "named": 3, "vms": 2} == {name: one.with_exceptions for name, one in levels.items()}
    assert {Level.ADVANCED} == {one.raw for one in levels.values()}


def test_withdrawn_controls_hold_nobody_back() -> None:
    """What Azure does not offer any more applies to nobody."""
    counts = {one.id: one for one in _assess().summary.controls}

    assert (1, 0) == (counts["NW-11"].not_applicable, counts["NW-11"].unmet)


def test_the_summary_adds_up() -> None:
    """Every VM is counted once for each control, level and dimension."""
    found = _assess(best_vm(), vm(name="lagging"))
    vm_ids = {control.id for control in VM_CONTROLS}

    assert {2} == {
        one.met + one.unmet + one.unknown + one.not_applicable
        for one in found.summary.controls
        if one.id in vm_ids
    }
    assert 2 == sum(one.raw for one in found.summary.levels)
    assert {2} == {sum(one.values()) for one in found.summary.dimensions.values()}


def test_only_what_is_not_met_is_listed() -> None:
    """The list names the verdict and whose work it is."""
    found = _assess(best_vm(extensions=())).vms[0].controls
    agent = next(one for one in found if one.id == "MN-1")

    assert (Status.UNMET, "NoMonitorAgent", Whose.OTHER_TEAM) == (agent.verdict, agent.reason, agent.whose)
    assert Status.MET not in {one.verdict for one in found}


@given(kept=st.sets(st.integers(0, len(best_facts()) - 1)))
def test_less_evidence_never_raises_a_level(kept: set[int]) -> None:
    """Whoever sees less of an estate may stand lower on the ladder, and never higher."""
    facts = [fact for position, fact in enumerate(best_facts()) if position in kept]
    found = _assess(posture=facts)

    assert found.subscriptions[0].level.raw <= Level.FULL
    assert (found.subscriptions[0].level.raw == Level.FULL) is (
        _open(found.vms[0].controls).keys().isdisjoint(" ".join(MANDATORY.values()).split())
        and _open(found.subscriptions[0].controls).keys().isdisjoint(" ".join(MANDATORY.values()).split())
    )
    assert SUBSCRIPTION == found.subscriptions[0].id
