"""Role assignments on a twin: made once, known again by their name, taken away alone."""

from typing import Any

import pytest

from readiness.azure.roles import assignment_name
from readiness.errors import DeniedError, MissingError
from readiness.model.ids import ResourceId
from readiness.model.steps import AssignIdentity, AssignRole, RemoveRole
from readiness.ports.cloud import Done, Failed, Pending
from tests.azure.asking import Process
from tests.twin.seeds import SUBSCRIPTION, VM, Wire

MACHINE = ResourceId(VM)
GROUP = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app")
ALICE = "8a0d2d0e-0000-4000-8000-00000000a11c"
LOGIN = "Virtual Machine Administrator Login"
LOGIN_ID = "/providers/Microsoft.Authorization/roleDefinitions/1c0163c0-47e6-4577-8991-ea5c82e286e4"
ASSIGNMENTS = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments"
TO_ALICE = AssignRole(vm=MACHINE, role=LOGIN, scope=GROUP, principal=ALICE, kind="User")
FROM_ALICE = RemoveRole(vm=MACHINE, role=LOGIN, scope=GROUP, principal=ALICE, kind="User")


def assigned(wire: Wire) -> list[Any]:
    """Return the assignments on the group."""
    return [each["properties"] for each in wire.get(ASSIGNMENTS, version="2022-04-01")["value"]]


def test_a_role_is_assigned_by_its_name() -> None:
    """The name of a built-in role is looked up on the scope, and its principal holds it afterwards."""
    process = Process(Wire())
    assert Done("assigned") == process.do(TO_ALICE)
    (found,) = assigned(process.wire)
    assert (ALICE, "User", LOGIN_ID.rsplit("/", 1)[1]) == (
        found["principalId"],
        found["principalType"],
        found["roleDefinitionId"].rsplit("/", 1)[1],
    )


def test_a_second_process_finds_it() -> None:
    """The name of an assignment follows from what it says: begun again it is found, and nothing written."""
    first = Process(Wire())
    first.do(TO_ALICE)
    second = Process(first.wire)
    assert Done("already assigned") == second.begin(TO_ALICE)
    assert ["PUT 201"] == second.writes()


def test_an_id_and_a_name_are_the_same_role() -> None:
    """Whether a role is named or given by its id, the assignment has one name; case does not matter."""
    process = Process(Wire())
    process.do(TO_ALICE)
    by_id = AssignRole(
        vm=MACHINE, role=LOGIN_ID, scope=ResourceId(GROUP.text.upper()), principal=ALICE.upper(), kind="User"
    )
    assert assignment_name(GROUP, ALICE, LOGIN_ID) == assignment_name(
        by_id.scope, by_id.principal, f"/subscriptions/s{LOGIN_ID}"
    )
    assert Done("already assigned") == process.begin(by_id)


def test_the_vms_own_identity_is_looked_up() -> None:
    """Without a principal the role goes to the identity that the VM has when the step is performed."""
    process = Process(Wire())
    change = AssignRole(vm=MACHINE, role="Reader", scope=GROUP)
    refused = process.begin(change)
    assert isinstance(refused, Failed)
    assert "NoIdentity" == refused.code
    process.do(AssignIdentity(vm=MACHINE))
    assert Done("assigned") == process.do(change)
    (found,) = assigned(process.wire)
    assert process.wire.get(VM)["identity"]["principalId"] == found["principalId"]
    assert "ServicePrincipal" == found["principalType"]


def test_an_assignment_of_somebody_else_counts() -> None:
    """Where the principal holds the role already, Azure refuses a second assignment: that is in place."""
    process = Process(Wire())
    theirs = f"{ASSIGNMENTS}/00000000-0000-4000-8000-000000000001"
    body = {"properties": {"roleDefinitionId": LOGIN_ID, "principalId": ALICE, "principalType": "User"}}
    assert 201 == process.wire.ask("PUT", theirs, body, version="2022-04-01").status
    answer = process.do(TO_ALICE)
    assert isinstance(answer, Done)
    assert "somebody else" in answer.detail
    assert isinstance(process.do(FROM_ALICE), Done)
    assert 1 == len(assigned(process.wire)), "what somebody else assigned is not ours to remove"


def test_a_principal_that_is_not_known_yet_is_waited_for() -> None:
    """The directory needs a while for a new identity; the step waits and asks again."""
    fault = {
        "kind": "fail",
        "operation": "roleAssignments/write",
        "status": 400,
        "code": "PrincipalNotFound",
        "message": "Principal x does not exist in the directory y.",
        "times": 2,
    }
    process = Process(Wire(faults=[fault]))
    first = process.begin(TO_ALICE)
    assert isinstance(first, Pending)
    assert first.token is None
    assert first.retry_after > 0
    assert Done("assigned") == process.finish(TO_ALICE, first)


def test_a_role_is_taken_away_again() -> None:
    """What was assigned is removed, and removing it again is done at once."""
    process = Process(Wire())
    process.do(TO_ALICE)
    assert Done("removed") == process.do(FROM_ALICE)
    assert [] == assigned(process.wire)
    assert isinstance(process.begin(FROM_ALICE), Done)
    assert ["PUT 201", "DELETE 200"] == process.writes()


def test_without_an_identity_there_is_nothing_to_remove() -> None:
    """An identity that is gone holds nothing: the way back does not stop over it."""
    process = Process(Wire())
    assert isinstance(process.begin(RemoveRole(vm=MACHINE, role="Reader", scope=GROUP)), Done)
    assert [] == process.writes()


def test_an_unknown_role_is_told() -> None:
    """A name that is no role's is refused before anything is written; quotes in it are no syntax."""
    process = Process(Wire())
    answer = process.begin(AssignRole(vm=MACHINE, role="Nobody's", scope=GROUP, principal=ALICE))
    assert isinstance(answer, Failed)
    assert ("RoleNotFound", True) == (answer.code, "Nobody's" in answer.detail)
    assert [] == process.writes()


def test_who_may_not_assign_hears_so() -> None:
    """A right that is missing is an error of ours with Azure's code."""
    process = Process(Wire(faults=[{"kind": "denied", "operation": "roleAssignments/write"}]))
    with pytest.raises(DeniedError) as caught:
        process.begin(TO_ALICE)
    assert "AuthorizationFailed" == caught.value.code


def test_a_scope_that_is_gone_is_told() -> None:
    """A role on what does not exist is no success."""
    process = Process(Wire())
    with pytest.raises(MissingError):
        process.begin(
            AssignRole(
                vm=MACHINE, role=LOGIN_ID, scope=ResourceId(f"{VM}-gone"), principal=ALICE, kind="User"
            )
        )
