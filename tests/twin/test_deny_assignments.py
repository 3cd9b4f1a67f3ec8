"""Deny assignments of the twin: whom, what and where they hold.

Learn, "List Azure deny assignments",
https://learn.microsoft.com/azure/role-based-access-control/deny-assignments.
"""

from typing import Any

import pytest

from readiness.twin.gates import OBJECT
from tests.twin.seeds import OS_DISK, SUBSCRIPTION, VM, Wire, deallocated, estate

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
EVERYBODY = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
WRITES = {"actions": ["*/write", "*/delete", "*/action"], "notActions": ["*/deallocate/action"]}


def denial(scope: str = GROUP, **properties: Any) -> dict[str, Any]:
    """A seeded deny assignment."""
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/denyAssignments/held",
        "name": "held",
        "properties": {
            "denyAssignmentName": "Only the stack",
            "permissions": [WRITES],
            "principals": [EVERYBODY],
            **properties,
        },
    }


def wire(*seed: dict[str, Any]) -> Wire:
    """A twin with a machine that is off."""
    return Wire(*estate(*seed, machine=deallocated()))


def test_a_write_is_refused_in_the_words_of_azure() -> None:
    """The refusal names action, scope, and the deny assignment with its name, id and scope.

    The words: messages that deployment stacks caused, as quoted in public by those who met them.
    """
    answer = wire(denial()).ask("PATCH", VM, {"tags": {}})
    error = answer.body["error"]
    assert (403, "DenyAssignmentAuthorizationFailed") == (answer.status, error["code"])
    assert "has permission to perform action 'Microsoft.Compute/virtualMachines/write'" in error["message"]
    assert (
        f"the deny assignment with name 'Only the stack' and Id 'held' at scope '{GROUP}'" in error["message"]
    )


@pytest.mark.parametrize(
    ("seed", "status"),
    [
        (denial(f"/subscriptions/{SUBSCRIPTION}"), 403),
        (denial("/providers/Microsoft.Management/managementGroups/corp"), 403),
        (denial(VM), 403),
        (denial(OS_DISK), 200),
        (denial(VM, doNotApplyToChildScopes=True), 403),
        (denial(doNotApplyToChildScopes=True), 200),
        (denial(principals=[{"id": OBJECT, "type": "ServicePrincipal"}]), 403),
        (denial(principals=[{"id": "x", "type": "User"}]), 200),
        (denial(excludePrincipals=[{"id": OBJECT, "type": "ServicePrincipal"}]), 200),
        (denial(permissions=[{"actions": ["*/delete"]}]), 200),
        (denial(permissions=[{**WRITES, "condition": "something"}]), 200),
    ],
)
def test_scope_principals_and_actions_decide(seed: dict[str, Any], status: int) -> None:
    """It holds where it hangs and below, for whom it names but does not exclude, and for its actions."""
    assert status == wire(seed).ask("PATCH", VM, {"tags": {}}).status


def test_an_action_that_is_left_out_is_allowed() -> None:
    """A power action that the permissions leave out goes through, and reads always do."""
    held = Wire(*estate(denial()))
    assert 202 == held.ask("POST", f"{VM}/deallocate").status
    assert 403 == held.ask("POST", f"{VM}/restart").status
    assert 200 == held.ask("GET", VM).status


def test_nothing_is_left_of_a_refused_write() -> None:
    """The resource is as it was, and no operation was begun."""
    held = wire(denial())
    before = held.get(VM)
    held.ask("PATCH", VM, {"tags": {"new": "one"}})
    assert before == held.get(VM)
