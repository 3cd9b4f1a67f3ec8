"""Definitions, initiatives, overrides and partial exemptions in the twin, and what management groups assign.

Learn, "Azure Policy initiative definition structure", "assignment structure" and "exemption structure",
https://learn.microsoft.com/azure/governance/policy/concepts/initiative-definition-structure.
"""

from typing import Any

import pytest

from tests.twin.seeds import COMPUTE, OS_DISK, SUBSCRIPTION, VM, Wire, estate

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
ABOVE = "/providers/Microsoft.Management/managementGroups/corp"
POLICIES = "providers/Microsoft.Authorization"
BUILT_IN = f"/{POLICIES}/policyDefinitions"
OWN = f"{SUB}/{POLICIES}/policyDefinitions/own"
SET = f"{SUB}/{POLICIES}/policySetDefinitions/all"
SNAPSHOT = f"{COMPUTE}/snapshots/s"
COPY = {
    "location": "westeurope",
    "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": OS_DISK}},
}
SNAPSHOTS = {"field": "type", "equals": "Microsoft.Compute/snapshots"}
PARAMETERS = {"effect": {"type": "String", "defaultValue": "Deny"}}
Json = dict[str, Any]


def definition(rule: Json, effect: str = "[parameters('effect')]", **more: Any) -> Json:
    """The content of a custom definition."""
    return {
        "properties": {"parameters": PARAMETERS, "policyRule": {"if": rule, "then": {"effect": effect}}}
        | more
    }


def initiative(effect: str = "Deny", **parameters: Any) -> Json:
    """The content of an initiative with the definition in it."""
    member = {
        "policyDefinitionId": OWN,
        "policyDefinitionReferenceId": "first",
        "parameters": {"effect": {"value": effect}},
    }
    return {"properties": {"policyDefinitions": [member], "parameters": parameters}}


def seeded(assigned: str, scope: str = SUB, **properties: Any) -> Json:
    """A seeded assignment."""
    return {
        "id": f"{scope}/{POLICIES}/policyAssignments/held",
        "name": "held",
        "properties": {"policyDefinitionId": assigned, **properties},
    }


def status(*seed: Json, rule: Json = SNAPSHOTS, initiative_of: Json | None = None) -> int:
    """Return what becomes of a snapshot where these are."""
    wire = Wire(*estate(*seed))
    assert 201 == wire.ask("PUT", OWN, definition(rule)).status
    if initiative_of is not None:
        assert 201 == wire.ask("PUT", SET, initiative_of).status
    return wire.ask("PUT", SNAPSHOT, COPY).status


def override(kind: str = "policyDefinitionReferenceId", **selected: list[str]) -> Json:
    """An override of effects to audit."""
    return {"kind": "policyEffect", "value": "Audit", "selectors": [{"kind": kind, **selected}]}


@pytest.mark.parametrize(
    ("held", "content", "expected"),
    [
        (seeded(SET), initiative(), 403),
        (seeded(SET), initiative("Audit"), 202),
        (seeded(SET), initiative("[parameters('how')]", how={"defaultValue": "Deny"}), 403),
        (
            seeded(SET, parameters={"how": {"value": "Disabled"}}),
            initiative("[parameters('how')]", how={"defaultValue": "Deny"}),
            202,
        ),
        (seeded(SET, overrides=[override(**{"in": ["FIRST"]})]), initiative(), 202),
        (seeded(SET, overrides=[override(**{"in": ["second"]})]), initiative(), 403),
        (seeded(SET, overrides=[override(notIn=["second"])]), initiative(), 202),
        (seeded(f"{SET}-2"), initiative(), 202),
    ],
    ids=[
        "deny",
        "audit",
        "by default",
        "by the assignment",
        "overridden",
        "another is overridden",
        "all but another are overridden",
        "nobody knows the initiative",
    ],
)
def test_an_initiative_denies_what_its_policies_deny(held: Json, content: Json, expected: int) -> None:
    """Values go from the assignment through the initiative to its policies; overrides come last."""
    assert expected == status(held, initiative_of=content)


@pytest.mark.parametrize(("references", "expected"), [([], 202), (["FIRST"], 202), (["second"], 403)])
def test_an_exemption_may_be_from_one_policy_of_an_initiative(references: list[str], expected: int) -> None:
    """`policyDefinitionReferenceIds` says from which; none means from all."""
    held = seeded(SET)
    free = {
        "id": f"{GROUP}/{POLICIES}/policyExemptions/free",
        "name": "free",
        "properties": {"policyAssignmentId": held["id"], "policyDefinitionReferenceIds": references},
    }
    assert expected == status(held, free, initiative_of=initiative())


def test_initiatives_are_written_read_listed_and_deleted() -> None:
    """Like definitions: custom ones, listed with what is above, and gone when deleted."""
    wire = Wire(*estate())
    wire.ask("PUT", OWN, definition(SNAPSHOTS))
    assert 201 == wire.ask("PUT", SET, initiative()).status
    assert "Custom" == wire.get(SET)["properties"]["policyType"]
    assert ["all"] == [each["name"] for each in wire.get(f"{GROUP}/{POLICIES}/policySetDefinitions")["value"]]
    assert 200 == wire.ask("DELETE", SET).status
    assert 404 == wire.ask("GET", SET).status
    for body in ({"properties": {}}, {"properties": {"policyDefinitions": [{}]}}):
        assert (400, "InvalidRequestContent") == wire.refused("PUT", SET, body)


def test_definitions_are_listed_by_their_type() -> None:
    """`policyType eq` narrows a list down; definitions of management groups are part of a subscription's.

    Learn, "Policy Definitions - List", https://learn.microsoft.com/rest/api/policy/policy-definitions/list.
    """
    upper = {
        "id": f"{ABOVE}/{POLICIES}/policyDefinitions/upper",
        "name": "upper",
        "properties": definition(SNAPSHOTS)["properties"],
    }
    wire = Wire(*estate(upper))
    wire.ask("PUT", OWN, definition(SNAPSHOTS))
    found = {
        kind: [
            each["name"]
            for each in wire.get(
                f"{SUB}/{POLICIES}/policyDefinitions", query={"$filter": f"policyType eq '{kind}'"}
            )["value"]
        ]
        for kind in ("Custom", "BuiltIn")
    }
    assert {"Custom": ["upper", "own"], "BuiltIn": []} == found


BUILT_INS = {
    "e56962a6-4747-49cd-b67b-bf8b01975c4c": (
        "Allowed locations",
        {"listOfAllowedLocations": ["northeurope"]},
    ),
    "cccc23c7-8427-4f53-ad12-b6a63eb452b3": ("Allowed virtual machine size SKUs", {"listOfAllowedSKUs": []}),
    "d461a302-a187-421a-89ac-84acdb4edc04": (
        "Managed disks should use a specific set of disk encryption sets for the customer-managed key "
        "encryption",
        {"allowedEncryptionSets": [], "effect": "Deny"},
    ),
    "871b6d14-10aa-478d-b590-94f262ecfa99": ("Require a tag on resources", {"tagName": "owner"}),
}


@pytest.mark.parametrize("guid", BUILT_INS)
def test_built_in_policies_have_the_names_and_effects_of_azure(guid: str) -> None:
    """Each is answered by its id, and denies a machine that does not meet it.

    Azure/azure-policy, built-in-policies/policyDefinitions: AllowedLocations_Deny.json,
    VMSkusAllowed_Deny.json, ManagedDiskEncryptionSetsAllowed_Deny.json and RequireTag_Deny.json.
    """
    name, values = BUILT_INS[guid]
    parameters = {key: {"value": value} for key, value in values.items()}
    wire = Wire(*estate(seeded(f"{BUILT_IN}/{guid}", parameters=parameters)))
    assert (name, "BuiltIn") == tuple(
        wire.get(f"{BUILT_IN}/{guid.upper()}")["properties"][key] for key in ("displayName", "policyType")
    )
    assert (403, "RequestDisallowedByPolicy") == wire.refused("PATCH", VM, {"tags": {}})


def test_a_built_in_policy_that_only_audits_by_default_denies_nothing() -> None:
    """Encryption sets are only watched unless the assignment says otherwise."""
    sets = seeded(
        f"{BUILT_IN}/d461a302-a187-421a-89ac-84acdb4edc04",
        parameters={"allowedEncryptionSets": {"value": []}},
    )
    assert 200 == Wire(*estate(sets)).ask("PATCH", VM, {"tags": {}}).status


def test_a_built_in_policy_that_is_not_kept_is_not_there() -> None:
    """The twin does not make definitions up."""
    assert 404 == Wire().ask("GET", f"{BUILT_IN}/00000000-0000-0000-0000-000000000001").status


@pytest.mark.parametrize(("mode", "expected"), [("All", 403), ("Indexed", 201), (None, 201)])
def test_indexed_policies_look_at_what_has_tags_or_a_place(mode: str | None, expected: int) -> None:
    """A security rule has neither; without a mode, Indexed is meant.

    Learn, "Azure Policy definition structure basics",
    https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics.
    """
    rule = {"field": "type", "equals": "Microsoft.Network/networkSecurityGroups/securityRules"}
    group = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    wire = Wire(*estate(seeded(OWN)))
    wire.do("PUT", group, {"location": "westeurope", "properties": {"securityRules": []}})
    wire.ask("PUT", OWN, {"properties": definition(rule)["properties"] | ({"mode": mode} if mode else {})})
    body = {
        "properties": {
            "priority": 100,
            "direction": "Inbound",
            "access": "Deny",
            "protocol": "*",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "22",
        }
    }
    assert expected == wire.ask("PUT", f"{group}/securityRules/ssh", body).status


def test_azure_does_not_tell_beforehand_of_policies_of_management_groups() -> None:
    """Such a policy refuses the write, and is not part of the answer to the question.

    Azure/azure-dev, cli/azd/docs: `checkPolicyRestrictions` leaves policies of management groups out.
    """
    wire = Wire(*estate(seeded(OWN, ABOVE)))
    wire.ask("PUT", OWN, definition(SNAPSHOTS))
    details = {"resourceContent": {**COPY, "type": "Microsoft.Compute/snapshots", "name": "s"}}
    path = f"{GROUP}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
    answer = wire.ask("POST", path, {"resourceDetails": details}, version="2023-03-01")
    assert [] == answer.body["contentEvaluationResult"]["policyEvaluations"]
    assert (403, "RequestDisallowedByPolicy") == wire.refused("PUT", SNAPSHOT, COPY)
