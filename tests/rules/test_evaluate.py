"""Classification: precedence, exceptions, exclusion and coverage."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from readiness.model.assessment import Assessment, Classification, Standing
from readiness.model.context import (
    Application,
    Choice,
    Context,
    Match,
    Owner,
    RuleException,
    TargetEntry,
    overlay,
)
from readiness.model.estate_info import Gap
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import DiskAttachment, Identity, OsFamily, SecurityType, VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.evaluate import evaluate, standing
from tests.builders import ENCRYPTION_SET, OS_DISK, SUBSCRIPTION, boot, disk, estate, rid, snapshot, vm, vm_id
from tests.rules.case import chosen

TODAY = date(2026, 11, 2)
_TRUSTED = boot(security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=True, vtpm=True)
_EPHEMERAL = DiskAttachment(disk=OS_DISK, is_ephemeral=True)


def _assess(*vms: VirtualMachine, **facts: Any) -> Assessment:
    return evaluate(estate(*vms, **facts), as_of=TODAY, release="test")


def _standing(dimension: Dimension, *vms: VirtualMachine, **facts: Any) -> Standing:
    return _assess(*vms, **facts).vms[0].dimensions[dimension]


def _exception(**changes: Any) -> Context:
    facts: dict[str, Any] = {
        "id": "EX-1",
        "match": Match(),
        "owner": "Ada",
        "reason": "vendor",
        "approved_by": "Bo",
        "expires": TODAY,
        **changes,
    }
    return Context(exceptions=(RuleException(**facts),))


def test_ready_with_its_reason() -> None:
    """A VM that lacks nothing but the upgrade is ready, and the goal it misses is listed."""
    found = _standing(Dimension.TRUSTED_LAUNCH)

    assert Classification.READY == found.classification
    assert [("TL001", "TrustedLaunchOff")] == [(one.rule, one.reason) for one in found.reasons]
    assert () == found.work


def test_satisfied_asks_no_prerequisites() -> None:
    """What is reached already needs no size data."""
    found = _standing(Dimension.TRUSTED_LAUNCH, vm(boot=_TRUSTED), skus=[])

    assert Classification.SATISFIED == found.classification
    assert () == found.reasons


def test_a_confidential_vm_satisfies_trusted_launch() -> None:
    """A confidential VM is never marked as failing Trusted Launch."""
    confidential = vm(boot=boot(security_type=SecurityType.CONFIDENTIAL_VM))

    assert Classification.SATISFIED == _standing(Dimension.TRUSTED_LAUNCH, confidential).classification


def test_unknown_is_never_ready() -> None:
    """A missing fact outranks ready and ready with work."""
    found = _standing(
        Dimension.TRUSTED_LAUNCH, vm(boot=boot(generation=1)), disks=[disk(generation=1)], skus=[]
    )

    assert Classification.UNKNOWN == found.classification
    assert ["TL001", "TL002", "TL003"] == [one.rule for one in found.reasons]


def test_blocked_outranks_unknown_and_lists_all_reasons() -> None:
    """A blocked VM shows its blocker, its work and what is unknown, not the first of them."""
    found = _standing(Dimension.TRUSTED_LAUNCH, vm(boot=boot(generation=1), os_disk=_EPHEMERAL), skus=[])

    assert Classification.BLOCKED == found.classification
    assert {"TL001", "TL002", "TL003", "TL005"} == {one.rule for one in found.reasons}


def test_work_is_told_in_words() -> None:
    """Ready with work says what has to be done."""
    found = _standing(Dimension.CMK, snapshots=[snapshot()])

    assert Classification.READY_WITH_WORK == found.classification
    assert ("incremental snapshots" in found.work[0], "context.yaml" in found.work[1]) == (True, True)


def test_a_set_that_is_missing_is_not_checked_for_fit() -> None:
    """A rule that requires another one is not asked while that one is in doubt."""
    found = _standing(Dimension.CMK, context=chosen(disk_encryption_set=ENCRYPTION_SET), encryption_sets=[])

    assert Classification.UNKNOWN == found.classification
    assert ["EN001", "EN004"] == [one.rule for one in found.reasons]


def test_windows_is_judged_by_reachability_alone() -> None:
    """A Windows VM that the internet cannot reach satisfies password access."""
    windows = vm(os_family=OsFamily.WINDOWS)

    assert Classification.SATISFIED == _standing(Dimension.PASSWORD_ACCESS, windows).classification


def test_a_goal_that_is_unknown_leaves_the_vm_unknown() -> None:
    """A VM without an OS profile neither passes nor fails."""
    specialised = vm(os_profile=None)

    assert Classification.UNKNOWN == _standing(Dimension.PASSWORD_ACCESS, specialised).classification


def test_an_exception_for_the_dimension() -> None:
    """An exception that is valid to this very day excepts the VM, and its findings name it."""
    found = _standing(
        Dimension.TRUSTED_LAUNCH,
        vm(os_disk=_EPHEMERAL),
        context=_exception(dimension=Dimension.TRUSTED_LAUNCH),
    )

    assert Classification.EXCEPTED == found.classification
    assert {"EX-1"} == {one.exception for one in found.reasons}


@pytest.mark.parametrize(
    "changes",
    [
        {"dimension": Dimension.TRUSTED_LAUNCH, "expires": date(2026, 11, 1)},
        {"dimension": Dimension.CMK},
        {"rule": "TL001"},
        {"dimension": Dimension.TRUSTED_LAUNCH, "match": Match(names=("other*",))},
    ],
    ids=["expired", "another dimension", "one rule of two", "another VM"],
)
def test_an_exception_that_does_not_cover_everything(changes: dict[str, Any]) -> None:
    """An expired, foreign or partial exception does not except a VM."""
    found = _standing(Dimension.TRUSTED_LAUNCH, vm(os_disk=_EPHEMERAL), context=_exception(**changes))

    assert Classification.BLOCKED == found.classification


def test_an_exception_does_not_hide_what_is_satisfied() -> None:
    """Who meets the goal is satisfied, exception or not."""
    context = _exception(dimension=Dimension.TRUSTED_LAUNCH)

    assert (
        Classification.SATISFIED
        == _standing(Dimension.TRUSTED_LAUNCH, vm(boot=_TRUSTED), context=context).classification
    )


def test_a_scale_set_member_is_excluded() -> None:
    """A VM that a scale set rebuilds is not classified, and says so."""
    member = vm(scale_set=rid("Microsoft.Compute/virtualMachineScaleSets", "vmss1"))
    result = _assess(member).vms[0]

    assert ("ScaleSetMember", {}) == ((result.excluded or "").partition(":")[0], result.dimensions)


@pytest.mark.parametrize("manager", ["vm", "group"])
def test_a_managed_vm_is_excluded(manager: str) -> None:
    """A VM that a service manages, itself or through its resource group, is not classified."""
    service = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Databricks/workspaces/dbw"
    managed = vm(managed_by=service) if manager == "vm" else vm()
    groups = {(SUBSCRIPTION, "rg-app"): service} if manager == "group" else {}

    result = _assess(managed, managed_groups=groups).vms[0]

    assert "ManagedByService: it is managed by dbw, which rebuilds it." == result.excluded


def test_coverage_adds_up() -> None:
    """Classified, excluded and unreadable VMs are all the VMs that were found."""
    gap = Gap("resources.jsonl:3", vm_id("broken").text, "Malformed", "It cannot be understood.", is_vm=True)
    member = vm(name="member", scale_set=rid("Microsoft.Compute/virtualMachineScaleSets", "vmss1"))
    coverage = _assess(vm(), member, gaps=[gap]).coverage

    assert [(SUBSCRIPTION, 3, 1, 1, 1)] == [
        (one.subscription, one.discovered, one.classified, one.excluded, one.unknown) for one in coverage
    ]
    assert coverage[0].adds_up


def test_a_vm_names_its_application_and_owner() -> None:
    """The first application that claims a VM answers for it."""
    first = Application(name="Shop", owner=Owner(name="Ada"), match=Match(resource_groups=("RG-APP",)))
    second = Application(name="All", owner=Owner(name="Bo"), match=Match())
    result = _assess(context=Context(applications=(first, second))).vms[0]

    assert ("Shop", "Ada") == (result.application, result.owner)


def test_every_dimension_is_answered() -> None:
    """A VM that is classified stands somewhere in all four dimensions."""
    result = _assess(vm(identity=Identity(system_assigned=True))).vms[0]

    assert set(Dimension) == set(result.dimensions) == {rule.dimension for rule in ALL_RULES}


def test_a_dimension_without_any_goal_for_a_vm_is_not_applicable() -> None:
    """Where no goal applies the dimension does not either, and the reason is kept."""
    rules = tuple(rule for rule in ALL_RULES if rule.id == "PW002")
    windows = vm(os_family=OsFamily.WINDOWS)
    result = standing(windows, estate(windows), rules)

    assert (Classification.NOT_APPLICABLE, ["Windows"]) == (
        result.classification,
        [one.reason for one in result.reasons],
    )


_MATCHES = st.builds(
    Match,
    ids=st.sampled_from(((), (vm_id(),), (vm_id("vm2"), vm_id("VM1")))),
    names=st.sampled_from(((), ("VM1",), ("vm?",), ("vm2", "vm*"), ("x",))),
    resource_groups=st.sampled_from(((), ("RG-App",), ("rg-x", "rg-app"))),
    tags=st.sampled_from(({}, {"env": "prod"})),
    applications=st.sampled_from(((), ("0",), ("1", "2"))),
)


@given(matches=st.lists(_MATCHES, max_size=5))
def test_the_estate_remembers_what_the_context_says(matches: list[Match]) -> None:
    """Looking things up by index gives the answers of the context itself, in the same order."""
    applications = tuple(
        Application(name=str(number), owner=Owner(name="o"), match=replace(match, applications=()))
        for number, match in enumerate(matches)
    )
    targets = tuple(
        TargetEntry(match=match, choice=Choice(encryption_at_host=number % 2 == 0))
        for number, match in enumerate(matches)
    )
    exceptions = tuple(
        replace(_exception(id=str(number), dimension=Dimension.CMK).exceptions[0], match=match)
        for number, match in enumerate(matches)
    )
    seen = estate(context=Context(applications=applications, targets=targets, exceptions=exceptions))
    found = seen.vms[0]
    claimed = next((entry for entry in applications if entry.match.hits(found)), None)
    name = claimed.name if claimed else None

    assert claimed == seen.application_of(found)
    laid = overlay(entry.choice for entry in targets if entry.match.hits(found, name))
    assert laid == seen.choice_for(found)
    assert tuple(entry for entry in exceptions if entry.match.hits(found, name)) == seen.exceptions_for(found)
