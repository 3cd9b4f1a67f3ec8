"""The sections of a context beside those that a plan needs: freezes, attestations, code, estimates."""

from datetime import date, timedelta

import pytest

from readiness.errors import EstateError
from readiness.model.context import (
    AccessChoice,
    Attestation,
    Estimate,
    Freeze,
    IacTool,
    Match,
    Ownership,
    RoleWish,
)
from readiness.model.ids import ResourceId
from readiness.store.context_file import parse_context
from tests.builders import rid

IDENTITY = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1")
WHOLE = f"""\
format: readiness/context/1
freezes:
  - {{name: year-end, match: {{}}, starts: 2026-12-20, ends: 2027-01-06, reason: closing of the books}}
attestations:
  - {{control: X-1, match: {{}}, owner: Ada, date: 2026-01-01, expires: 2026-06-30, statement: It is so.}}
iac:
  - {{match: {{}}, tool: terraform, repository: git/infra, confirmed_by: ~}}
estimates:
  - {{match: {{}}, playbook: trusted-launch, duration: PT45M, effort: P1D}}
targets:
  - match: {{}}
    identity:
      type: system
      user_assigned: [{IDENTITY}]
      roles: [{{role: Reader, scope: /subscriptions/s1}}]
    login_groups: [grp-admins]
"""


def test_every_section():
    """Each field of each section arrives; what has expired is read like anything else."""
    context = parse_context(WHOLE, {})
    every = Match()
    assert (
        Freeze(
            name="year-end",
            match=every,
            starts=date(2026, 12, 20),
            ends=date(2027, 1, 6),
            reason="closing of the books",
        ),
    ) == context.freezes
    assert (
        Attestation(
            control="X-1",
            match=every,
            owner="Ada",
            given=date(2026, 1, 1),
            expires=date(2026, 6, 30),
            statement="It is so.",
        ),
    ) == context.attestations
    assert (
        Ownership(match=every, tool=IacTool.TERRAFORM, repository="git/infra", confirmed_by=""),
    ) == context.ownership
    assert (
        Estimate(
            match=every,
            playbook="trusted-launch",
            duration=timedelta(minutes=45),
            effort=timedelta(days=1),
        ),
    ) == context.estimates
    role = RoleWish(role="Reader", scope=ResourceId("/subscriptions/s1"))
    assert (
        AccessChoice(user_assigned=(IDENTITY,), roles=(role,), login_groups=("grp-admins",))
        == context.targets[0].access
    )


def test_an_attestation_holds_for_its_days():
    """It holds from the day it was given to the day it expires, both included."""
    (found,) = parse_context(WHOLE, {}).attestations
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
    assert [False, True, True, False] == [found.is_valid(day) for day in days]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("ends: 2027-01-06", "ends: 2026-12-19", "The freeze ends before it starts."),
        ("expires: 2026-06-30", "expires: 2025-06-30", "The attestation expires before it was given."),
        (", statement: It is so.", "", "'statement' is missing."),
        ("tool: terraform", "tool: teraform", "'teraform' is none of"),
        ("duration: PT45M, effort: P1D", "playbook: x", "stands here for the second time"),
        (", duration: PT45M, effort: P1D", "", "The entry estimates neither duration nor effort."),
        ("duration: PT45M", "duration: PT0M", "Nothing takes no time at all."),
        ("scope: /subscriptions/s1", "scope: everywhere", "'everywhere' is no scope."),
        (str(IDENTITY), "/id1", "is not such a resource's id"),
    ],
)
def test_a_mistake(old, new, problem):
    """Each mistake is told with its place, what is wrong, and what to do."""
    with pytest.raises(EstateError) as caught:
        parse_context(WHOLE.replace(old, new, 1), {})
    assert problem in caught.value.brief
    assert caught.value.remedy
