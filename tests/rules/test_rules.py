"""Every rule against its cases, and the promises that hold for all rules."""

import ast
import inspect
from types import ModuleType

import pytest

from readiness.model.verdict import Status
from readiness.rules import (
    access,
    boot,
    boot_guest,
    encryption,
    encryption_disks,
    encryption_keys,
    encryption_sets,
    holds,
    identity,
    logins,
    passwords,
    policies,
)
from readiness.rules.catalog import ALL_RULES
from readiness.rules.rule import Rule
from tests.builders import estate
from tests.rules import (
    access_cases,
    access_path_cases,
    boot_cases,
    boot_guest_cases,
    encryption_cases,
    encryption_disk_cases,
    encryption_key_cases,
    holds_cases,
    identity_cases,
    login_cases,
    password_cases,
    policy_cases,
)
from tests.rules.case import Case

CASES = (
    *boot_cases.CASES,
    *boot_guest_cases.CASES,
    *holds_cases.CASES,
    *policy_cases.CASES,
    *encryption_cases.CASES,
    *encryption_key_cases.CASES,
    *encryption_disk_cases.CASES,
    *access_cases.CASES,
    *access_path_cases.CASES,
    *password_cases.CASES,
    *login_cases.CASES,
    *identity_cases.CASES,
)
FAMILIES = (
    boot,
    boot_guest,
    holds,
    policies,
    encryption,
    encryption_sets,
    encryption_keys,
    encryption_disks,
    access,
    passwords,
    logins,
    identity,
)
BY_ID = {rule.id: rule for rule in ALL_RULES}
ANSWERS = ("met", "unmet", "unknown", "not_applicable")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """A rule answers its case with the expected status and reason."""
    verdict = BY_ID[case.rule].check(case.vm, estate(case.vm, **case.estate))

    assert case.expected == f"{verdict.status} {verdict.reason}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_that_does_not_hold_says_why(case: Case) -> None:
    """Whoever reads unmet or unknown finds a sentence beside it."""
    verdict = BY_ID[case.rule].check(case.vm, estate(case.vm, **case.estate))

    assert verdict.detail or verdict.status in (Status.MET, Status.NOT_APPLICABLE)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_lists_all_its_rules(family: ModuleType) -> None:
    """No rule is written and then forgotten."""
    written = {value.id for value in vars(family).values() if isinstance(value, Rule)}

    assert written == {rule.id for rule in family.RULES}


def test_the_catalogue_lists_every_family() -> None:
    """What is not in the catalogue does not exist, so everything is in it."""
    assert [rule for family in FAMILIES for rule in family.RULES] == list(ALL_RULES)


def test_ids_are_unique() -> None:
    """A rule's id names one rule."""
    assert len(ALL_RULES) == len(BY_ID)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_a_rule_explains_itself(rule: Rule) -> None:
    """Rationale, remedy and a public source with a date stand beside every rule."""
    assert rule.rationale.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.source.address.startswith("https://learn.microsoft.com/")
    assert rule.source.verified.count("-") == 1


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_a_rule_requires_rules_before_it_in_its_dimension(rule: Rule) -> None:
    """What a rule requires has been asked when its turn comes."""
    earlier = {one.id for one in ALL_RULES[: ALL_RULES.index(rule)] if one.dimension is rule.dimension}

    assert set(rule.requires) <= earlier


@pytest.mark.parametrize("family", FAMILIES)
def test_every_reason_is_reached_by_a_case(family: ModuleType) -> None:
    """A reason without a case could be a reason that nobody ever sees."""
    reached = {case.expected.partition(" ")[2] for case in CASES}

    assert set() == _reasons(family) - reached


def _reasons(family: ModuleType) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(inspect.getsource(family))) if isinstance(node, ast.Call))
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in ANSWERS
        and isinstance(call.args[0], ast.Constant)
    }
