"""A denial for want of a tag, and policies that may write that tag before Azure denies anything."""

from typing import Any

import pytest

from readiness.ports.cloud import Done, Failed
from tests.azure.test_preflight_inherited import (
    ABOVE,
    AUTHORIZATION,
    GROUP,
    NOT_KEPT,
    OTHER,
    SET,
    SNAPSHOTS,
    Json,
    asked,
    definition,
    held,
    initiative,
    member,
)

UNTAGGED = {"allOf": [SNAPSHOTS, {"field": "tags['owner']", "exists": "false"}]}
INHERITS = f"{ABOVE}/{AUTHORIZATION}/policyAssignments/inherits"


def tagging(then: Json, rule: Json | None = None) -> Json:
    """A policy that writes into what is written."""
    found = definition(rule or {"field": "tags['owner']", "exists": "false"}, of=OTHER)
    found["properties"]["policyRule"]["then"] = then
    return found


def inherits(assigned: str = OTHER, at: str = INHERITS, **properties: Any) -> Json:
    """The assignment of it."""
    return {"id": at, "name": "inherits", "properties": {"policyDefinitionId": assigned, **properties}}


def modifies(field: str, operation: str = "addOrReplace") -> Json:
    """An effect that writes one field."""
    written = {"operation": operation, "field": field, "value": "[resourceGroup().tags['owner']]"}
    return {"effect": "modify", "details": {"roleDefinitionIds": [], "operations": [written]}}


MAY_TAG: dict[str, tuple[Json, ...]] = {
    "modify": (tagging(modifies("tags['Owner']")), inherits()),
    "append": (
        tagging({"effect": "append", "details": [{"field": "tags['owner']", "value": "x"}]}),
        inherits(),
    ),
    "any tag": (tagging(modifies("[concat('tags[', field('name'), ']')]")), inherits()),
    "an effect that is worked out": (
        tagging(modifies("tags.owner") | {"effect": "[if(true(), 'modify', 'audit')]"}),
        inherits(),
    ),
    "in an initiative": (
        tagging(modifies("tags['owner']")),
        initiative(member(OTHER)),
        inherits(SET),
    ),
    "on the group": (tagging(modifies("tags['owner']")), inherits(at=INHERITS.replace(ABOVE, GROUP))),
    "a definition that is not there": (inherits(NOT_KEPT),),
}


@pytest.mark.parametrize("others", MAY_TAG.values(), ids=MAY_TAG)
def test_a_missing_tag_is_no_certain_denial_where_another_policy_may_add_it(others: tuple[Json, ...]) -> None:
    """Azure applies what modifies and appends before it denies: such a VM is not declined."""
    told = asked(definition(UNTAGGED), held(), *others)
    assert isinstance(told, Done), told
    assert (
        "whether the policy 'Guardrails' (guard) of a management group would deny the snapshot" in told.detail
    )
    assert "tags that other policies write first" in told.detail


MAY_NOT_TAG: dict[str, tuple[Json, ...]] = {
    "another tag": (tagging(modifies("tags['team']")), inherits()),
    "no tag": (tagging(modifies("Microsoft.Compute/disks/networkAccessPolicy")), inherits()),
    "another type": (
        tagging(modifies("tags['owner']"), {"field": "type", "equals": "Microsoft.Storage/storageAccounts"}),
        inherits(),
    ),
    "not enforced": (tagging(modifies("tags['owner']")), inherits(enforcementMode="DoNotEnforce")),
    "on another group": (
        tagging(modifies("tags['owner']")),
        inherits(at=INHERITS.replace(ABOVE, f"{GROUP}-2")),
    ),
    "it audits": (tagging({"effect": "audit"}), inherits()),
}


@pytest.mark.parametrize("others", MAY_NOT_TAG.values(), ids=MAY_NOT_TAG)
def test_what_writes_no_such_tag_leaves_a_denial_certain(others: tuple[Json, ...]) -> None:
    """Only a policy that may write the very tag on the very resource makes the answer open."""
    assert isinstance(asked(definition(UNTAGGED), held(), *others), Failed)
