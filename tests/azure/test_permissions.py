"""Permissions as Azure tells them of a scope: roles add up; each leaves out only what it allows itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.azure.permissions import allows, missing

START = "Microsoft.Compute/virtualMachines/start/action"
WRITE = "Microsoft.Compute/virtualMachines/write"
READ = "Microsoft.Compute/virtualMachines/read"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
ALL = (START, WRITE, READ, ASSIGN)


def role(*actions: str, without: tuple[str, ...] = (), data: tuple[str, ...] = ()) -> dict[str, Any]:
    """A role as Resource Manager and `az role definition list` write it."""
    return {
        "actions": list(actions),
        "notActions": list(without),
        "dataActions": list(data),
        "notDataActions": [],
    }


OWNER, READER = role("*"), role("*/read")
CONTRIBUTOR = role(
    "*",
    without=(
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
    ),
)
VM_CONTRIBUTOR = role("Microsoft.Authorization/*/read", "Microsoft.Compute/virtualMachines/*")
VM_LOGIN = role("Microsoft.Compute/virtualMachines/*/read", data=("Microsoft.Compute/virtualMachines/*",))
ACCESS = role("*/read", "Microsoft.Authorization/*")


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([OWNER], ()),
        ([READER], (START, WRITE, ASSIGN)),
        ([CONTRIBUTOR], (ASSIGN,)),
        ([VM_CONTRIBUTOR], (ASSIGN,)),
        ([VM_LOGIN], (START, WRITE, READ, ASSIGN)),
        ([VM_LOGIN, READER], (START, WRITE, ASSIGN)),
        ([CONTRIBUTOR, ACCESS], ()),
        ([ACCESS, CONTRIBUTOR], ()),
        ([role("*", without=("*",))], ALL),
        ([role("*", without=("*",)), role("MICROSOFT.COMPUTE/VIRTUALMACHINES/START/ACTION")], ALL[1:]),
        ([role("*/virtualMachines/*")], (ASSIGN,)),
        ([role("Microsoft.Compute/*/action")], ALL[1:]),
        ([{}], ALL),
        ([{"actions": ["*"], "notActions": None}], ()),
        ([], ALL),
    ],
    ids=[
        "owner",
        "reader",
        "contributor",
        "virtual machine contributor",
        "virtual machine login: data actions manage nothing",
        "login and reader",
        "contributor and user access administrator",
        "the same the other way round",
        "all is left out",
        "left out by one, allowed by another",
        "stars on both sides",
        "a star in between",
        "an entry that says nothing",
        "null",
        "no role at all",
    ],
)
def test_what_roles_allow_together(roles: list[dict[str, Any]], expected: tuple[str, ...]) -> None:
    """What is missing is what no role allows; what one leaves out another may allow."""
    assert expected == missing(ALL, roles)


_WORDS = st.lists(
    st.sampled_from(["*", "Microsoft.Compute", "virtualMachines", "start", "action"]), max_size=4
)


@given(_WORDS)
def test_what_is_left_out_is_never_allowed_by_the_same_role(words: list[str]) -> None:
    """A role that leaves out just what it allows allows nothing, whatever its pattern."""
    pattern = "/".join(words)
    assert not allows(role(pattern, without=(pattern,)), START)
