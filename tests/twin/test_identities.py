"""User-assigned managed identities."""

from tests.twin.seeds import SUBSCRIPTION, Wire, estate

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
IDENTITIES = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
IDENTITY = f"{IDENTITIES}/id-shop"
BODY = {"location": "westeurope", "tags": {"app": "shop"}}


def test_an_identity_is_made_and_found():
    """PUT answers 201 with client, principal and tenant, then 200; GET and the lists have it.

    Learn, "User Assigned Identities - Create Or Update",
    https://learn.microsoft.com/rest/api/managedidentity/user-assigned-identities.
    """
    wire = Wire()
    made = wire.ask("PUT", IDENTITY, BODY)
    assert 201 == made.status
    assert {"clientId", "principalId", "tenantId"} == set(made.body["properties"])
    assert 200 == wire.ask("PUT", IDENTITY, BODY).status
    assert made.body == wire.get(IDENTITY)
    listed = f"{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    assert [made.body] == wire.get(IDENTITIES)["value"] == wire.get(listed)["value"]


def test_ids_come_from_the_seed_and_a_new_identity_is_a_new_principal():
    """The same twin makes the same principal; deleting and making again makes another.

    Learn, "Managed identity best practice recommendations": a re-created identity is another principal.
    """
    first, second = Wire(), Wire()
    made = first.ask("PUT", IDENTITY, BODY).body["properties"]
    assert made == second.ask("PUT", IDENTITY, BODY).body["properties"]
    assert 200 == first.ask("DELETE", IDENTITY).status
    assert 204 == first.ask("DELETE", IDENTITY).status
    assert (404, "ResourceNotFound") == first.refused("GET", IDENTITY)
    assert made["principalId"] != first.ask("PUT", IDENTITY, BODY).body["properties"]["principalId"]


def test_tags_change_and_nothing_else_does():
    """PATCH sets tags, a PUT keeps principal and client, and neither moves an identity."""
    wire = Wire()
    made = wire.ask("PUT", IDENTITY, BODY).body
    patched = wire.ask("PATCH", IDENTITY, {"tags": {"a": "b"}, "properties": {"principalId": "x"}}).body
    assert made | {"tags": {"a": "b"}} == patched
    elsewhere = wire.refused("PUT", IDENTITY, BODY | {"location": "eastus"})
    assert (409, "InvalidResourceLocation") == elsewhere


def test_names_and_locations_are_needed():
    """A name outside the rules and a body without location are refused.

    Learn, "Naming rules and restrictions for Azure resources", Microsoft.ManagedIdentity.
    """
    wire = Wire()
    assert (400, "BadRequest") == wire.refused("PUT", f"{IDENTITIES}/-x", BODY)
    assert (400, "LocationRequired") == wire.refused("PUT", IDENTITY, {})


def test_seeded_identities_keep_what_they_have():
    """A seeded identity is answered as it was seeded."""
    seeded = {"id": IDENTITY, "name": "id-shop", "location": "westeurope", "properties": {"principalId": "p"}}
    assert seeded == Wire(*estate(seeded)).get(IDENTITY)
