"""Roles, locks and policies at every scope."""

import uuid
from typing import Any

import pytest

from tests.twin.seeds import DATA_DISK, SUBSCRIPTION, VM, Wire, estate

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
AUTHORIZATION = "providers/Microsoft.Authorization"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
LOGIN = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
PERSON = "bbbbbbbb-0000-0000-0000-000000000001"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shop"


def assignment(scope: str = GROUP, number: int = 1) -> str:
    """The address of an assignment."""
    return f"{scope}/{AUTHORIZATION}/roleAssignments/{uuid.UUID(int=number)}"


def grant(principal: str = PERSON, guid: str = READER, **properties: Any) -> dict[str, Any]:
    """What assigns a role."""
    definition = f"{SUB}/{AUTHORIZATION}/roleDefinitions/{guid}"
    return {"properties": {"roleDefinitionId": definition, "principalId": principal, **properties}}


def names(answer: Any) -> list[str]:
    """The names in a list."""
    return [each["name"] for each in answer["value"]]


def test_a_role_is_assigned_listed_and_taken_away():
    """PUT answers 201 with the scope; the same PUT again 200; DELETE 200 and then 204.

    Learn, "Role Assignments - Create", https://learn.microsoft.com/rest/api/authorization/role-assignments/create.
    """
    wire = Wire()
    made = wire.ask("PUT", assignment(), grant())
    assert (201, GROUP, "User") == (
        made.status,
        made.body["properties"]["scope"],
        made.body["properties"]["principalType"],
    )
    assert 200 == wire.ask("PUT", assignment(), grant()).status
    assert [made.body["name"]] == names(wire.get(f"{GROUP}/{AUTHORIZATION}/roleAssignments"))
    assert 200 == wire.ask("DELETE", assignment()).status
    assert 204 == wire.ask("DELETE", assignment()).status


def test_one_grant_has_one_assignment():
    """The same grant under another name exists already; an assignment cannot become another grant.

    https://github.com/aztfmod/terraform-azurerm-caf/pull/1589 and
    https://github.com/Azure/Enterprise-Scale/issues/1747.
    """
    wire = Wire()
    wire.ask("PUT", assignment(), grant())
    exists = wire.ask("PUT", assignment(number=2), grant())
    assert (409, "RoleAssignmentExists", "The role assignment already exists.") == (
        exists.status,
        *exists.body["error"].values(),
    )
    other = wire.ask("PUT", assignment(), grant(str(uuid.UUID(int=9))))
    assert (400, "RoleAssignmentUpdateNotPermitted") == (other.status, other.body["error"]["code"])
    assert 201 == wire.ask("PUT", assignment(SUB, 2), grant()).status


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        (assignment(), grant(guid=str(uuid.UUID(int=5))), (400, "RoleDefinitionDoesNotExist")),
        (f"{GROUP}/{AUTHORIZATION}/roleAssignments/x", grant(), (400, "InvalidRoleAssignmentId")),
        (assignment(), {"properties": {}}, (400, "InvalidRequestFormat")),
        (assignment(f"{VM}x"), grant(), (404, "ResourceNotFound")),
    ],
)
def test_assignments_that_cannot_be_are_refused(path, body, refusal):
    """An unknown role, a name that is no GUID, an empty body and a missing scope are refused.

    Learn, "Troubleshoot Azure RBAC", https://learn.microsoft.com/azure/role-based-access-control/troubleshooting.
    """
    assert refusal == Wire().refused("PUT", path, body)


def test_a_new_principal_is_not_found_at_first():
    """Just after its identity was made a principal is not found, unless the request says what it is.

    https://luke.geek.nz/azure/PrincpalNotFound-bicep-roleassignment, and Learn, "Troubleshoot Azure RBAC".
    """
    wire = Wire()
    made = wire.ask("PUT", IDENTITY, {"location": "westeurope"}).body["properties"]
    principal = made["principalId"]
    refused = wire.ask("PUT", assignment(), grant(principal))
    assert (400, "PrincipalNotFound") == (refused.status, refused.body["error"]["code"])
    assert refused.body["error"]["message"].startswith(
        f"Principal {principal.replace('-', '')} does not exist in the directory {made['tenantId']}."
    )
    said = grant(principal, principalType="ServicePrincipal")
    assert 201 == wire.ask("PUT", assignment(number=2), said).status
    wire.clock.sleep(60)
    assert 201 == wire.ask("PUT", assignment(number=3), grant(principal, LOGIN)).status


def test_the_new_identity_of_a_machine_is_not_found_at_first():
    """A machine that was given an identity just now cannot be given a role without saying what it is.

    Learn, "Troubleshoot Azure RBAC", assigning a role to a new principal.
    """
    wire = Wire()
    wire.ask("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    while not (principal := wire.get(VM)["identity"].get("principalId")):
        wire.clock.sleep(1)
    assert (400, "PrincipalNotFound") == wire.refused("PUT", assignment(), grant(principal))
    wire.clock.sleep(60)
    assert 201 == wire.ask("PUT", assignment(), grant(principal)).status


def test_the_type_of_a_principal_has_to_fit():
    """A managed identity that is called a user is refused."""
    wire = Wire()
    principal = wire.ask("PUT", IDENTITY, {"location": "westeurope"}).body["properties"]["principalId"]
    wire.clock.sleep(60)
    body = grant(principal, principalType="User")
    assert (400, "UnmatchedPrincipalType") == wire.refused("PUT", assignment(), body)


def test_lists_show_what_is_inherited():
    """A list has assignments above and below its scope; atScope() leaves those below out.

    Learn, "Role Assignments - List For Scope".
    """
    above = assignment("/providers/Microsoft.Management/managementGroups/root", 1)
    wire = Wire()
    other = str(uuid.UUID(int=77))
    for path in (above, assignment(SUB, 2), assignment(GROUP, 3), assignment(DATA_DISK, 4)):
        assert 201 == wire.ask("PUT", path, grant()).status
    wire.ask("PUT", assignment(VM, 5), grant(other))

    def listed(**query: str) -> list[int]:
        answer = wire.get(f"{GROUP}/{AUTHORIZATION}/roleAssignments", query=query)
        return sorted(uuid.UUID(name).int for name in names(answer))

    assert [1, 2, 3, 4, 5] == listed()
    assert [1, 2, 3] == listed(**{"$filter": "atScope()"})
    assert [5] == listed(**{"$filter": f"principalId eq '{other}'"})
    assert [1, 2, 3] == listed(**{"$filter": f"atScope() and assignedTo('{PERSON}')"})
    path = f"{GROUP}/{AUTHORIZATION}/roleAssignments"
    assert (400, "InvalidFilter") == wire.refused("GET", path, query={"$filter": "moon eq 'full'"})


def test_built_in_roles_are_found_by_name():
    """RoleName eq finds a built-in role with Azure's own id, at the scope that was asked.

    Learn, "Azure built-in roles", https://learn.microsoft.com/azure/role-based-access-control/built-in-roles.
    """
    wire = Wire()
    path = f"{SUB}/{AUTHORIZATION}/roleDefinitions"
    named = {"$filter": "roleName eq 'Key Vault Crypto Service Encryption User'"}
    (found,) = wire.get(path, query=named)["value"]
    assert f"{path}/e147488a-f6f5-4113-8e2d-b22465e65bf6" == found["id"]
    data = found["properties"]["permissions"][0]["dataActions"]
    assert "Microsoft.KeyVault/vaults/keys/wrap/action" in data
    assert found == wire.get(found["id"])
    refusal = wire.refused("GET", f"{path}/{uuid.UUID(int=1)}")
    assert (404, "RoleDefinitionDoesNotExist") == refusal


def test_custom_roles_can_be_made_used_and_deleted():
    """A custom role is made, is kept while somebody has it, and its name is unique.

    Learn, "Azure custom roles" and "Troubleshoot Azure RBAC".
    """
    wire = Wire()
    guid = str(uuid.UUID(int=11))
    path = f"{SUB}/{AUTHORIZATION}/roleDefinitions/{guid}"
    properties = {
        "roleName": "Upgrader",
        "assignableScopes": [SUB],
        "permissions": [{"actions": ["Microsoft.Compute/*"], "notActions": []}],
    }
    made = wire.ask("PUT", path, {"properties": properties})
    assert (201, "CustomRole") == (made.status, made.body["properties"]["type"])
    twice = wire.refused("PUT", path.replace(guid, str(uuid.UUID(int=12))), {"properties": properties})
    assert (409, "RoleDefinitionWithSameNameExists") == twice
    wire.ask("PUT", assignment(), grant(guid=guid))
    assert (400, "RoleDefinitionHasAssignments") == wire.refused("DELETE", path)
    wire.ask("DELETE", assignment())
    assert 200 == wire.ask("DELETE", path).status
    built_in = path.replace(guid, READER)
    refusal = wire.refused("PUT", built_in, {"properties": properties})
    assert (403, "RoleDefinitionUpdateNotAllowed") == refusal


def test_whoever_asks_may_do_everything():
    """The permissions of the one who asks are everything, at any scope there is.

    Learn, "Permissions - List For Resource Group".
    """
    (found,) = Wire().get(f"{GROUP}/{AUTHORIZATION}/permissions")["value"]
    assert (["*"], []) == (found["actions"], found["notActions"])


@pytest.mark.parametrize(
    "word", ["denyAssignments", "roleAssignmentScheduleInstances", "roleEligibilityScheduleInstances"]
)
def test_schedules_are_read_as_seeded(word):
    """What is seeded is listed with what is inherited; where nothing is, the list is empty.

    Learn, "List eligible and active assignments", roleAssignmentScheduleInstances.
    """
    seeded = {"id": f"{SUB}/{AUTHORIZATION}/{word}/one", "name": "one", "properties": {"principalId": PERSON}}
    assert ["one"] == names(Wire(*estate(seeded)).get(f"{GROUP}/{AUTHORIZATION}/{word}"))
    assert [] == names(Wire().get(f"{GROUP}/{AUTHORIZATION}/{word}"))


def test_locks_hold_at_every_scope():
    """Locks are set, listed at and below a scope, act, and go again.

    Learn, "Lock your resources to protect your infrastructure",
    https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources.
    """
    wire = Wire()
    paths = [f"{scope}/{AUTHORIZATION}/locks/keep" for scope in (SUB, GROUP, DATA_DISK)]
    body = {"properties": {"level": "CanNotDelete", "notes": "no"}}
    assert [201, 201, 201] == [wire.ask("PUT", path, body).status for path in paths]
    assert 200 == wire.ask("PUT", paths[0], body).status
    assert 3 == len(wire.get(f"{SUB}/{AUTHORIZATION}/locks")["value"])
    assert 2 == len(wire.get(f"{GROUP}/{AUTHORIZATION}/locks")["value"])
    assert "no" == wire.get(paths[2])["properties"]["notes"]
    assert 200 == wire.ask("DELETE", paths[2]).status
    assert 1 == len(wire.get(f"{GROUP}/{AUTHORIZATION}/locks")["value"])
    assert (404, "ResourceNotFound") == wire.refused("PUT", f"{VM}x/{AUTHORIZATION}/locks/l", body)
    assert (400, "InvalidLockLevel") == wire.refused("PUT", paths[0], {"properties": {"level": "Maybe"}})


def test_a_read_only_lock_stops_role_assignments_until_it_goes():
    """ReadOnly on a group refuses new assignments in it; without the lock they are made.

    Learn, "Lock your resources", considerations before applying your locks.
    """
    wire = Wire()
    lock = f"{GROUP}/{AUTHORIZATION}/locks/freeze"
    wire.ask("PUT", lock, {"properties": {"level": "ReadOnly"}})
    assert (409, "ScopeLocked") == wire.refused("PUT", assignment(), grant())
    assert 200 == wire.ask("DELETE", lock).status
    assert 201 == wire.ask("PUT", assignment(), grant()).status


def test_policies_are_assigned_and_exempted():
    """A definition is assigned above a group, the group lists and is exempted from the assignment.

    Learn, "Azure Policy exemption structure",
    https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure.
    """
    wire = Wire()
    definition = f"{SUB}/{AUTHORIZATION}/policyDefinitions/audit"
    rule = {"if": {"field": "type", "equals": "none"}, "then": {"effect": "audit"}}
    assert 201 == wire.ask("PUT", definition, {"properties": {"policyRule": rule}}).status
    assigned = f"{SUB}/{AUTHORIZATION}/policyAssignments/audit"
    answer = wire.ask("PUT", assigned, {"properties": {"policyDefinitionId": definition}})
    assert (201, "Default") == (answer.status, answer.body["properties"]["enforcementMode"])
    assert ["audit"] == names(wire.get(f"{GROUP}/{AUTHORIZATION}/policyAssignments"))
    exemption = f"{GROUP}/{AUTHORIZATION}/policyExemptions/legacy"
    body = {
        "properties": {
            "policyAssignmentId": assigned,
            "exemptionCategory": "Waiver",
            "expiresOn": "2027-01-01T00:00:00Z",
        }
    }
    assert 201 == wire.ask("PUT", exemption, body).status
    assert 200 == wire.ask("PUT", exemption, body).status
    assert ["legacy"] == names(wire.get(f"{SUB}/{AUTHORIZATION}/policyExemptions"))


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("", ["above", "here", "below"]),
        ("atScope()", ["above", "here"]),
        ("atScopeAndBelow()", ["here", "below"]),
        ("atExactScope()", ["here"]),
    ],
)
def test_lists_of_policies_are_narrowed_to_scopes(term, expected):
    """What a group lists of the assignments above it, on it and below it, by the filters of the Azure CLI."""
    held = [
        {"id": f"{scope}/{AUTHORIZATION}/policyAssignments/{name}", "name": name, "properties": {}}
        for scope, name in ((SUB, "above"), (GROUP, "here"), (VM, "below"))
    ]
    listed = Wire(*estate(*held)).get(f"{GROUP}/{AUTHORIZATION}/policyAssignments", query={"$filter": term})
    assert sorted(expected) == sorted(names(listed))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"exemptionCategory": "Because"}, (400, "InvalidRequestContent")),
        ({"expiresOn": "soon"}, (400, "InvalidRequestContent")),
        (
            {"policyAssignmentId": f"{SUB}/{AUTHORIZATION}/policyAssignments/no"},
            (404, "PolicyAssignmentNotFound"),
        ),
    ],
)
def test_exemptions_that_cannot_be_are_refused(change, refusal):
    """An unknown category, an end that is no time and a missing assignment are refused."""
    assigned = {
        "id": f"{SUB}/{AUTHORIZATION}/policyAssignments/audit",
        "properties": {"policyDefinitionId": "x"},
    }
    body = {"policyAssignmentId": assigned["id"], "exemptionCategory": "Mitigated"} | change
    path = f"{GROUP}/{AUTHORIZATION}/policyExemptions/legacy"
    assert refusal == Wire(*estate(assigned)).refused("PUT", path, {"properties": body})
