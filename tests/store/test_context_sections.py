"""The sections of a context beside those that a plan needs: freezes, attestations, code, estimates."""

from datetime import date, timedelta

import pytest

from readiness.errors import EstateError
from readiness.model.codec import to_builtins
from readiness.model.context import (
    Attestation,
    Estimate,
    Freeze,
    IacTool,
    IdentityChoice,
    IdentityKind,
    LoginChoice,
    LoginMethod,
    ManagementAccess,
    Match,
    Ownership,
    RoleWish,
)
from readiness.model.ids import ResourceId
from readiness.store.context_file import parse_context
from tests.builders import rid

IDENTITY = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1")
GROUP = "2b1d4a52-0c8e-4d41-9f5b-1d6f0d0a7c11"
OTHER_GROUP = "7e1d4a52-0c8e-4d41-9f5b-1d6f0d0a7c11"
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
      accept_new_default: true
    login:
      method: entra
      admin_groups: [{GROUP}]
      user_groups: [{OTHER_GROUP}]
      accepted_password_logins: [scanner]
      allow_from: [203.0.113.0/28]
      ports: [22]
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
    chosen = context.targets[0].choice
    assert (
        IdentityChoice(user_assigned=(IDENTITY,), roles=(role,), accept_new_default=True) == chosen.identity
    )
    assert (
        LoginChoice(
            method=LoginMethod.ENTRA,
            admin_groups=(GROUP,),
            user_groups=(OTHER_GROUP,),
            accepted_password_logins=("scanner",),
            allow_from=("203.0.113.0/28",),
            ports=(22,),
        )
        == chosen.login
    )


def chosen(part: str, text: str) -> object:
    """Return a part of the choice that one target makes."""
    written = f"format: readiness/context/1\ntargets:\n  - match: {{}}\n    {part}: {text}\n"
    return getattr(parse_context(written, {}).targets[0].choice, part)


def test_what_is_left_out_is_the_usual():
    """A key takes the place of passwords on every management port; a named identity may stand alone."""
    assert LoginChoice(method=LoginMethod.KEY, ports=(22, 3389, 5985, 5986)) == chosen(
        "login", "{method: key}"
    )
    named = f"{{type: user, user_assigned: [{IDENTITY}]}}"
    assert IdentityChoice(type=IdentityKind.USER, user_assigned=(IDENTITY,)) == chosen("identity", named)


@pytest.mark.parametrize(
    ("part", "text", "words"),
    [
        ("login", "{}", "'method' is missing"),
        ("login", "{method: password}", "'password' is none of entra, key"),
        ("login", "{method: entra}", "Nobody could sign in as an administrator."),
        ("login", "{method: entra, admin_groups: []}", "Nobody could sign in as an administrator."),
        ("login", "{method: entra, admin_groups: [ops]}", "'ops' is no object id."),
        ("login", "{method: key, allow_from: [ops]}", "'ops' is no network."),
        ("login", "{method: key, allow_from: [10.0.0.1/8]}", "'10.0.0.1/8' is no network."),
        ("login", "{method: key, allow_from: [0.0.0.0/0]}", "so many public addresses"),
        ("login", "{method: key, allow_from: [20.0.0.0/16]}", "so many public addresses"),
        ("login", "{method: key, allow_from: ['::/0']}", "so many public addresses"),
        ("login", "{method: key, ports: [0]}", "'0' is no port."),
        ("login", "{method: key, ports: [ssh]}", "'ssh' is no port."),
        ("login", "{method: key, ports: []}", "No port is named."),
        ("login", "{method: key, management_access: jit}", "'jit' is none of closed, just-in-time"),
        ("identity", "{type: user}", "No identity is named."),
        (
            "identity",
            f"{{type: user, user_assigned: [{IDENTITY}], roles: [{{role: R, scope: /subscriptions/s}}]}}",
            "Roles are given to the VM's own identity, and it gets none.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(part: str, text: str, words: str) -> None:
    """A choice that would lock everybody out, or let everybody in, is refused with its place."""
    with pytest.raises(EstateError, match=r"^context\.yaml:4:") as caught:
        chosen(part, text)
    assert words in str(caught.value)


def test_ports_open_on_request_where_that_is_chosen():
    """What is usual is said or left out with the same effect, so that no plan changes by it."""
    said = chosen("login", "{method: key, management_access: just-in-time}")
    assert ManagementAccess.JUST_IN_TIME is said.management_access
    assert chosen("login", "{method: key}") == chosen("login", "{method: key, management_access: closed}")
    assert "management_access" not in to_builtins(chosen("login", "{method: key}"))


@pytest.mark.parametrize("network", ["203.0.113.7", "10.0.0.0/8", "20.0.0.0/17", "2001:db8::/48", "fd00::/8"])
def test_few_public_addresses_and_private_ones_are_taken(network: str) -> None:
    """Private networks may be wide; public ones are few."""
    assert isinstance(chosen("login", f"{{method: key, allow_from: ['{network}']}}"), LoginChoice)


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
