"""The gates before every write: locks, deny policies, preconditions, limits and rights."""

import pytest

from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, OS_DISK, SUBSCRIPTION, VM, Wire, deallocated, estate

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
AUTHORIZATION = "providers/Microsoft.Authorization"
SNAPSHOT = f"{COMPUTE}/snapshots/s"
COPY = {
    "location": "westeurope",
    "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": OS_DISK}},
}


def lock(scope: str, level: str) -> dict:
    """A management lock."""
    return {"id": f"{scope}/{AUTHORIZATION}/locks/hold", "name": "hold", "properties": {"level": level}}


def assignment(scope: str, definition: str, **properties) -> dict:
    """A policy assignment."""
    properties = {"policyDefinitionId": definition, "displayName": "Only ours", **properties}
    return {"id": f"{scope}/{AUTHORIZATION}/policyAssignments/ours", "name": "ours", "properties": properties}


def definition(rule: dict, effect: str = "Deny") -> dict:
    """A policy definition of the estate."""
    path = f"/subscriptions/{SUBSCRIPTION}/{AUTHORIZATION}/policyDefinitions/own"
    return {
        "id": path,
        "name": "own",
        "properties": {
            "parameters": {"effect": {"type": "String", "defaultValue": effect}},
            "policyRule": {"if": rule, "then": {"effect": "[parameters('effect')]"}},
        },
    }


MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/all"


def test_policies_of_management_groups_reach_every_subscription():
    """An assignment at a management group denies beneath it."""
    own = definition({"field": "type", "exists": True})
    wire = Wire(*estate(own, assignment(MANAGEMENT_GROUP, own["id"])))
    assert (403, "RequestDisallowedByPolicy") == wire.refused("PATCH", VM, {"tags": {}})


@pytest.mark.parametrize("scope", [VM, GROUP, f"/subscriptions/{SUBSCRIPTION}", GROUP.upper()])
def test_a_read_only_lock_blocks_writes_and_actions(scope):
    """ReadOnly on a resource, or anywhere above it, refuses PATCH and POST, and names the locked scope."""
    wire = Wire(*estate(lock(scope, "ReadOnly")))
    assert (409, "ScopeLocked") == wire.refused("PATCH", VM, {"tags": {}})
    body = wire.ask("POST", f"{VM}/deallocate").body
    assert "ScopeLocked" == body["error"]["code"]
    assert scope in body["error"]["message"]
    assert "PowerState/running" == wire.power()


def test_a_lock_against_deletion_blocks_deletion_alone():
    """CanNotDelete lets writes and actions through, and refuses DELETE in the words for it."""
    wire = Wire(*estate(lock(GROUP, "CanNotDelete")))
    assert "Succeeded" == wire.do("PUT", SNAPSHOT, COPY)["status"]
    assert "Succeeded" == wire.do("POST", f"{VM}/deallocate")["status"]
    refused = wire.ask("DELETE", SNAPSHOT)
    assert (409, "ScopeLocked") == (refused.status, refused.body["error"]["code"])
    assert "cannot perform delete operation" in refused.body["error"]["message"]


def test_a_lock_on_one_resource_leaves_its_neighbours_alone():
    """A lock on a machine says nothing about a disk, nor about a machine whose name begins the same."""
    wire = Wire(*estate(lock(VM[:-1], "ReadOnly")))
    assert 202 == wire.ask("POST", f"{VM}/deallocate").status


LOCATIONS = "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c"


def test_a_built_in_deny_policy_refuses_with_its_names():
    """A location that is not allowed is 403 with the policy in the message and in additionalInfo."""
    allowed = {"listOfAllowedLocations": {"value": ["northeurope"]}, "effect": {"value": "Deny"}}
    wire = Wire(*estate(assignment(GROUP, LOCATIONS, parameters=allowed)))
    refused = wire.ask("PUT", SNAPSHOT, COPY)
    error = refused.body["error"]
    assert (403, "RequestDisallowedByPolicy") == (refused.status, error["code"])
    assert "Only ours" in error["message"]
    assert LOCATIONS == error["additionalInfo"][0]["info"]["policyDefinitionId"]
    assert 202 == wire.ask("POST", f"{VM}/deallocate").status
    assert 404 == wire.ask("GET", SNAPSHOT).status


@pytest.mark.parametrize(
    ("rule", "is_denied"),
    [
        ({"field": "type", "equals": "microsoft.compute/DISKS"}, True),
        ({"field": "tags['owner']", "exists": "false"}, True),
        ({"not": {"field": "tags.app", "exists": True}}, True),
        ({"field": "Microsoft.Compute/disks/encryption.type", "notIn": [CUSTOMER_KEY["type"]]}, False),
        ({"anyOf": [{"field": "name", "like": "web-*"}, {"field": "type", "equals": "x"}]}, True),
        ({"allOf": [{"field": "name", "like": "web-*"}, {"field": "type", "equals": "x"}]}, False),
        ({"field": "type", "match": "????"}, False),
        ({"count": {"field": "x[*]"}, "greater": 0}, False),
    ],
    ids=["type", "tag", "not", "alias", "any", "all", "unknown operator", "unknown condition"],
)
def test_definitions_of_the_estate_are_evaluated(rule, is_denied):
    """What would come of a write is held against the rule; what is not understood denies nothing."""
    own = definition(rule)
    wire = Wire(*estate(deallocated(), own, assignment(GROUP, own["id"])))
    answer = wire.ask("PATCH", OS_DISK, {"properties": {"encryption": CUSTOMER_KEY}})
    assert is_denied == (answer.status == 403), answer.body


@pytest.mark.parametrize(
    "properties",
    [
        {"enforcementMode": "DoNotEnforce"},
        {"notScopes": [GROUP]},
        {"parameters": {"effect": {"value": "Audit"}}},
    ],
)
def test_policies_that_do_not_deny(properties):
    """An assignment that is not enforced, excludes the scope or only audits refuses nothing."""
    own = definition({"field": "type", "exists": True})
    wire = Wire(*estate(own, assignment(f"/subscriptions/{SUBSCRIPTION}", own["id"], **properties)))
    assert 200 == wire.ask("PATCH", VM, {"tags": {}}).status


def test_an_exemption_holds_until_it_expires():
    """An exemption lets a write through, until the day it expires."""
    own = definition({"field": "type", "exists": True})
    held = assignment(GROUP, own["id"])
    for expires, status in (("2027-01-01T00:00:00Z", 200), ("2026-01-01T00:00:00Z", 403)):
        exemption = {
            "id": f"{GROUP}/{AUTHORIZATION}/policyExemptions/e",
            "properties": {"policyAssignmentId": held["id"].upper(), "expiresOn": expires},
        }
        wire = Wire(*estate(own, held, exemption))
        assert status == wire.ask("PATCH", VM, {"tags": {}}).status


def test_preconditions():
    """If-Match names the present state or is 412; If-None-Match: * is 412 for what is there."""
    wire = Wire()
    present = wire.get(VM)["etag"]
    for headers in ({"if-match": '"999"'}, {"if-none-match": "*"}):
        refused = wire.ask("PATCH", VM, {"tags": {}}, headers=headers)
        assert (412, "PreconditionFailed") == (refused.status, refused.body["error"]["code"])
        assert "1" == refused.headers["x-twin-unverified"]
    assert 412 == wire.ask("PUT", SNAPSHOT, COPY, headers={"if-match": "*"}).status
    assert 200 == wire.ask("PATCH", VM, {"tags": {}}, headers={"if-match": present}).status


def test_reads_of_a_subscription_are_counted():
    """250 reads at once are answered, counting down; the next is 429 until time has passed."""
    wire = Wire()
    left = [int(_left(wire.ask("GET", OS_DISK))) for _ in range(250)]
    assert list(range(249, -1, -1)) == left
    refused = wire.ask("GET", OS_DISK)
    assert (429, "1") == (refused.status, refused.headers["Retry-After"])
    wire.clock.sleep(1)
    assert 24 == int(_left(wire.ask("GET", OS_DISK)))


def _left(response) -> str:
    return response.headers["x-ms-ratelimit-remaining-subscription-reads"]


def test_polls_are_throttled_apart():
    """Reading one operation again and again is 429, with the group's name in the details."""
    wire = Wire()
    url = wire.ask("POST", f"{VM}/deallocate").headers["Azure-AsyncOperation"]
    path = url.removeprefix("https://twin.example").partition("?")[0]
    answers = [wire.ask("GET", path) for _ in range(46)]
    assert [200] * 45 + [429] == [each.status for each in answers]
    assert "GetOperation" == answers[-1].body["error"]["details"][0]["target"]


def test_queries_have_a_quota():
    """Fifteen queries of Resource Graph in five seconds are answered; the headers tell what is left."""
    wire = Wire()
    buckets = wire.twin._world.buckets
    left = [buckets.query(wire.clock.now())["x-ms-user-quota-remaining"] for _ in range(15)]
    assert [str(each) for each in range(14, -1, -1)] == left
    with pytest.raises(Exception, match="throttled") as caught:
        buckets.query(wire.clock.now())
    assert (429, "00:00:05") == (caught.value.status, caught.value.headers["x-ms-user-quota-resets-after"])
    wire.clock.sleep(5)
    assert "14" == buckets.query(wire.clock.now())["x-ms-user-quota-remaining"]
