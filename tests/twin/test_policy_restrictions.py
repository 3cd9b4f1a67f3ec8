"""Policies asked about a resource that is to be: shapes, scopes, effects, and what is no question."""

from typing import Any

import pytest

from readiness.twin.messages import Response
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
CHECK = "providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
OWN = f"{SUB}/providers/Microsoft.Authorization/policyDefinitions/own"
HELD = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/held"
SNAPSHOTS = {"field": "type", "equals": "Microsoft.Compute/snapshots"}


def world(rule: dict[str, Any], effect: str = "Deny") -> Wire:
    """A twin where a policy is assigned to the group."""
    properties = {"mode": "All", "policyRule": {"if": rule, "then": {"effect": effect}}}
    seed = (
        {"id": OWN, "name": "own", "properties": properties},
        {"id": HELD, "name": "held", "properties": {"policyDefinitionId": OWN, "scope": GROUP}},
    )
    return Wire(*estate(*seed))


def asked(wire: Wire, content: Any, scope: str = GROUP, parent: str | None = None, **more: Any) -> Response:
    """Ask about a resource with this content."""
    details = {"resourceContent": content, "apiVersion": "2024-03-02"} | ({"scope": parent} if parent else {})
    return wire.ask("POST", f"{scope}/{CHECK}", {"resourceDetails": details, **more}, version="2023-03-01")


def found(answer: Response) -> list[dict[str, Any]]:
    """Return the evaluations of an answer."""
    assert 200 == answer.status, answer.body
    evaluations: list[dict[str, Any]] = answer.body["contentEvaluationResult"]["policyEvaluations"]
    return evaluations


SNAPSHOT = {"type": "Microsoft.Compute/snapshots", "name": "one", "location": "westeurope"}


def test_what_would_be_denied_is_named() -> None:
    """The answer names definition, assignment and effect, in the shape of Azure's own specification."""
    (evaluation,) = found(asked(world(SNAPSHOTS), SNAPSHOT))
    assert {"policyDefinitionId": OWN, "policyAssignmentId": HELD} == evaluation["policyInfo"]
    assert "NonCompliant" == evaluation["evaluationResult"]
    assert {"policyEffect": "Deny"} == evaluation["effectDetails"]


def test_the_group_decides_which_assignments_count() -> None:
    """Asked of the subscription, an assignment of a group says nothing."""
    assert [] == found(asked(world(SNAPSHOTS), SNAPSHOT, scope=SUB))


@pytest.mark.parametrize(("include", "effects"), [(False, []), (True, ["Audit"])])
def test_policies_that_watch_are_told_on_request(include: bool, effects: list[str]) -> None:  # noqa: FBT001
    """Audit effects are part of the answer only where they are asked for."""
    answer = asked(world(SNAPSHOTS, "audit"), SNAPSHOT, includeAuditEffect=include)
    assert effects == [each["effectDetails"]["policyEffect"] for each in found(answer)]


def test_a_child_is_judged_where_its_parent_is() -> None:
    """The scope of a child is its parent: the field `id` shows it."""
    child = {"type": "Microsoft.Compute/virtualMachines/extensions", "name": "agent"}
    rule = {"field": "id", "equals": f"{VM}/extensions/agent"}
    assert 1 == len(found(asked(world(rule), child, parent=VM)))


def test_nothing_is_changed_by_asking() -> None:
    """A question is no write: nothing is there afterwards, and nothing is in the log."""
    wire = world(SNAPSHOTS)
    before = wire.twin.resources()
    asked(wire, SNAPSHOT)
    assert before == wire.twin.resources()
    assert [] == wire.twin.log


@pytest.mark.parametrize("content", [None, {}, {"type": 3}, "text"])
def test_content_without_a_type_is_refused(content: Any) -> None:
    """Nobody can judge a resource of no type."""
    answer = asked(world(SNAPSHOTS), content)
    assert (400, "InvalidCheckRestrictionsRequest") == (answer.status, answer.body["error"]["code"])
