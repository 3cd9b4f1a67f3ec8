"""Explaining one VM, and narrowing an assessment to a scope."""

from datetime import date

import pytest

from readiness.app.assess import assess, assess_scope
from readiness.app.estates import locate
from readiness.app.explaining import explain
from readiness.errors import UsageError
from readiness.model.scope import failures, parse_fail_on, parse_scope
from readiness.rules.catalog import ALL_RULES

AS_OF = date(2026, 11, 22)
STARTER = locate("starter")


def test_every_rule_and_the_same_answer_as_assess():
    """For every VM each rule is shown once, and the classification is that of the assessment."""
    for vm in assess(STARTER, AS_OF).vms[:6]:
        found = explain(STARTER, vm.id.text.upper(), AS_OF)
        shown = [answer.rule for view in found.dimensions.values() for answer in view.answers]
        assert sorted(rule.id for rule in ALL_RULES) == sorted(shown)
        assert {name: standing.classification for name, standing in vm.dimensions.items()} == {
            name: view.classification for name, view in found.dimensions.items() if view.classification
        }
        answers = [answer for view in found.dimensions.values() for answer in view.answers]
        told = {entry.rule for standing in vm.dimensions.values() for entry in standing.reasons}
        asked = {answer.rule for answer in answers if answer.status in ("unmet", "unknown")}
        assert vm.excluded == found.excluded
        assert vm.excluded is not None or asked <= told


def test_an_exception_is_shown_until_when_and_after():
    """The exception of the reporting server is there on its last day and, as expired, on the next."""
    for day, is_expired in ((date(2027, 4, 30), False), (date(2027, 5, 1), True)):
        (exception,) = explain(STARTER, "bo-report-01", day).exceptions
        assert ("EX-2026-014", "cmk", is_expired) == (exception.id, exception.covers, exception.is_expired)


def test_an_unknown_name_gives_the_closest():
    """A misspelt name is answered with names that are there."""
    with pytest.raises(UsageError) as caught:
        explain(STARTER, "sf-wbe-01", AS_OF)
    assert "sf-web-01" in caught.value.remedy


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["name:SF-*"], 7),
        (["app:storefront"], 7),
        (["group:RG-Storefront", "group:rg-backoffice"], 15),
        (["name:sf-*", "name:bo-*"], 15),
        (["name:sf-*", "tag:ROLE=pricing"], 1),
        (["subscription:contoso-production"], 16),
        (["subscription:63610791-8D8B-4b10-b705-26fc2d8bfdf7", "name:jump-01"], 1),
    ],
)
def test_scopes(asked, expected):
    """The same key is an or, different keys an and; in and out of scope add up to the estate."""
    whole = assess(STARTER, AS_OF)
    narrowed = assess_scope(STARTER, AS_OF, parse_scope(asked))
    assert expected == narrowed.scope.in_scope == len(narrowed.assessment.vms)
    assert len(whole.vms) == narrowed.scope.in_scope + narrowed.scope.out_of_scope
    by_id = {vm.id: vm for vm in whole.vms}
    assert [by_id[vm.id] for vm in narrowed.assessment.vms] == list(narrowed.assessment.vms)


@pytest.mark.parametrize("asked", ["nmae:x", "tag:env", "x", "group:", "subscription:other"])
def test_a_scope_that_says_nothing(asked):
    """A misspelt scope is refused: it would look like an estate without problems."""
    with pytest.raises(UsageError):
        assess_scope(STARTER, AS_OF, parse_scope([asked]))


def test_failing():
    """A class counts in any dimension or in the one that is named, however it is spelt."""
    assessment = assess(STARTER, AS_OF)
    counts = [
        failures(assessment, parse_fail_on([text]))
        for text in ("blocked", "cmk:blocked", "password-access:blocked")
    ]
    assert counts[0] >= max(counts[1:])
    assert counts[1] > 0
    with pytest.raises(UsageError, match="blokced"):
        parse_fail_on(["blokced"])
