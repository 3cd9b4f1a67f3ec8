"""Microsoft Defender for Cloud: plans, assessments and just-in-time access."""

from datetime import timedelta
from typing import Any

import pytest

from tests.twin.seeds import START, SUBSCRIPTION, VM, Wire, estate, vm

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-app"
PLAN = f"{SUB}/providers/Microsoft.Security/pricings/VirtualMachines"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
POLICY = f"{GROUP}/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default"
JIT = "providers/Microsoft.Security/jitNetworkAccessPolicies"
PORT = {"number": 22, "protocol": "*", "allowedSourceAddressPrefix": "*", "maxRequestAccessDuration": "PT3H"}
BODY = {"kind": "Basic", "properties": {"virtualMachines": [{"id": VM, "ports": [PORT]}]}}
LATER = (START + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def networked(*rules: dict[str, Any]) -> Wire:
    """A machine behind a network security group."""
    nic = {
        "id": f"{NETWORK}/networkInterfaces/nic",
        "name": "nic",
        "properties": {
            "ipConfigurations": [
                {
                    "properties": {
                        "privateIPAddress": "10.0.0.4",
                        "subnet": {"id": f"{NETWORK}/virtualNetworks/net/subnets/apps"},
                    }
                }
            ]
        },
    }
    subnet = {
        "id": f"{NETWORK}/virtualNetworks/net/subnets/apps",
        "properties": {"networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/nsg"}},
    }
    network = {"id": f"{NETWORK}/virtualNetworks/net", "name": "net", "properties": {"subnets": [subnet]}}
    nsg = {
        "id": f"{NETWORK}/networkSecurityGroups/nsg",
        "name": "nsg",
        "properties": {"securityRules": list(rules)},
    }
    machine = vm(networkProfile={"networkInterfaces": [{"id": nic["id"]}]})
    return Wire(*estate(nic, network, nsg, machine=machine))


def rules(wire: Wire) -> list[tuple[str, int, str]]:
    """What the rules for the port say: access, priority, source."""
    found = [each["properties"] for each in _group(wire)["properties"]["securityRules"]]
    return [
        (each["access"], each["priority"], each["sourceAddressPrefix"])
        for each in sorted(found, key=lambda rule: rule["priority"])
    ]


def _group(wire: Wire) -> Any:
    path = f"{NETWORK}/networkSecurityGroups/nsg".lower()
    return next(each for each in wire.twin.resources() if each["id"].lower() == path)


def request(number: int = 22, ends: str = LATER, **more: Any) -> dict[str, Any]:
    """What asks for access."""
    port = {"number": number, "endTimeUtc": ends, "allowedSourceAddressPrefix": "192.0.2.7", **more}
    return {"virtualMachines": [{"id": VM.upper(), "ports": [port]}], "justification": "patching"}


def status(wire: Wire, index: int = 0) -> tuple[str, str]:
    """Where a request stands."""
    port = wire.get(POLICY)["properties"]["requests"][index]["virtualMachines"][0]["ports"][0]
    return port["status"], port["statusReason"]


def test_plans_are_free_until_they_are_bought():
    """A subscription has every plan as Free; Standard for servers is P2 unless it says P1.

    Learn, "Pricings - Update", https://learn.microsoft.com/rest/api/defenderforcloud/pricings/update.
    """
    wire = Wire()
    assert "Free" == wire.get(PLAN)["properties"]["pricingTier"]
    bought = wire.ask("PUT", PLAN, {"properties": {"pricingTier": "Standard"}})
    assert (200, "Standard", "P2") == (
        bought.status,
        bought.body["properties"]["pricingTier"],
        bought.body["properties"]["subPlan"],
    )
    listed = wire.get(f"{SUB}/providers/Microsoft.Security/pricings")["value"]
    assert ["VirtualMachines"] == [
        each["name"] for each in listed if each["properties"]["pricingTier"] == "Standard"
    ]
    assert (
        "Free"
        == wire.ask("PUT", PLAN, {"properties": {"pricingTier": "Free"}}).body["properties"]["pricingTier"]
    )


def test_a_machine_can_have_the_smaller_plan_only():
    """A plan of one machine is P1 or Free; another tier than Free and Standard is refused.

    Learn, "Enable Defender for Servers at the resource level".
    """
    wire = Wire()
    own = f"{VM}/providers/Microsoft.Security/pricings/virtualMachines"
    wanted = {"properties": {"pricingTier": "Standard", "subPlan": "P2"}}
    assert (400, "BadRequest") == wire.refused("PUT", own, wanted)
    wanted["properties"]["subPlan"] = "P1"
    assert 200 == wire.ask("PUT", own, wanted).status
    assert (400, "BadRequest") == wire.refused("PUT", PLAN, {"properties": {"pricingTier": "Gold"}})
    assert "Free" == wire.get(PLAN)["properties"]["pricingTier"]


def test_assessments_and_settings_are_read_as_seeded():
    """Assessments are listed below a scope; what nobody seeded is an empty list.

    Learn, "Assessments - List".
    """
    key = "805651bc-6ecd-4c73-9b55-97a19d0582d0"
    seeded = {
        "id": f"{VM}/providers/Microsoft.Security/assessments/{key}",
        "name": key,
        "properties": {"status": {"code": "Unhealthy"}},
    }
    wire = Wire(*estate(seeded))
    for scope in (SUB, VM):
        assert [seeded] == wire.get(f"{scope}/providers/Microsoft.Security/assessments")["value"]
    assert seeded == wire.get(seeded["id"])
    assert {"value": []} == wire.get(f"{SUB}/providers/Microsoft.Security/autoProvisioningSettings")


def test_a_policy_is_replaced_and_listed():
    """PUT answers 200 and replaces; lists of subscription, location and group have it; DELETE 200, 204.

    Learn, "Jit Network Access Policies - Create Or Update",
    https://learn.microsoft.com/rest/api/defenderforcloud/jit-network-access-policies/create-or-update.
    """
    wire = Wire()
    made = wire.ask("PUT", POLICY, BODY)
    assert (200, "Succeeded", "westeurope") == (
        made.status,
        made.body["properties"]["provisioningState"],
        made.body["location"],
    )
    for path in (
        f"{SUB}/{JIT}",
        f"{SUB}/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies",
        POLICY.rsplit("/", 1)[0],
    ):
        assert [made.body] == wire.get(path)["value"]
    elsewhere = f"{SUB}/providers/Microsoft.Security/locations/eastus/jitNetworkAccessPolicies"
    assert [] == wire.get(elsewhere)["value"]
    other = BODY["properties"] | {"virtualMachines": []}
    assert [] == wire.ask("PUT", POLICY, {"properties": other}).body["properties"]["virtualMachines"]
    assert [200, 204] == [wire.ask("DELETE", POLICY).status for _ in range(2)]


@pytest.mark.parametrize(
    ("machine", "refusal"),
    [
        ({"id": f"{VM}x", "ports": [PORT]}, (404, "ResourceNotFound")),
        ({"id": VM, "ports": [PORT | {"maxRequestAccessDuration": "P2D"}]}, (400, "BadRequest")),
        ({"id": VM, "ports": [PORT | {"maxRequestAccessDuration": "PT1M"}]}, (400, "BadRequest")),
        ({"id": VM, "ports": [{"protocol": "*"}]}, (400, "BadRequest")),
    ],
)
def test_policies_that_cannot_be_are_refused(machine, refusal):
    """A missing machine, a missing number and a duration outside five minutes to a day are refused."""
    assert refusal == Wire().refused("PUT", POLICY, {"properties": {"virtualMachines": [machine]}})


def test_a_request_opens_the_port_for_its_time():
    """The port is denied by the policy, allowed for one source by the request, denied again after its time.

    Learn, "Understanding just-in-time VM access",
    https://learn.microsoft.com/azure/defender-for-cloud/just-in-time-access-overview.
    """
    wire = networked()
    wire.ask("PUT", POLICY, BODY)
    assert [("Deny", 1000, "*")] == rules(wire)
    answer = wire.ask("POST", f"{POLICY}/initiate", request())
    assert (202, "patching") == (answer.status, answer.body["justification"])
    assert ("Initiating", "UserRequested") == status(wire)
    wire.clock.sleep(5)
    assert ("Initiated", "UserRequested") == status(wire)
    assert [("Allow", 100, "192.0.2.7"), ("Deny", 1000, "*")] == rules(wire)
    wire.clock.sleep(3600)
    assert ("Revoked", "Expired") == status(wire)
    assert [("Deny", 1000, "*")] == rules(wire)


def test_an_old_allow_rule_keeps_the_port_open():
    """The deny rule of a policy stands behind an allow rule that was there before.

    Learn, "Understanding just-in-time VM access": existing rules take priority over the new ones.
    """
    old = {
        "name": "ssh",
        "properties": {
            "access": "Allow",
            "direction": "Inbound",
            "priority": 2000,
            "destinationPortRange": "22",
            "sourceAddressPrefix": "Internet",
        },
    }
    wire = networked(old)
    wire.ask("PUT", POLICY, BODY)
    assert [("Allow", 2000, "Internet"), ("Deny", 2001, "*")] == rules(wire)


def test_a_newer_request_takes_the_place_of_an_older():
    """Asking again for the same port revokes the first request, and the port closes by the second's time."""
    wire = networked()
    wire.ask("PUT", POLICY, BODY)
    wire.ask("POST", f"{POLICY}/initiate", request())
    wire.clock.sleep(600)
    late = (START + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    wire.ask("POST", f"{POLICY}/initiate", request(ends=late))
    wire.clock.sleep(3600)
    assert ("Revoked", "NewerRequestInitiated") == status(wire)
    assert ("Initiated", "UserRequested") == status(wire, 1)
    assert 2 == len(rules(wire))


@pytest.mark.parametrize(
    "body",
    [
        {},
        request(number=3389),
        request(ends="2026-10-01T00:00:00Z"),
        request(ends="2026-11-02T00:00:00Z"),
        {"virtualMachines": [{"id": f"{VM}x", "ports": [{"number": 22, "duration": "PT1H"}]}]},
    ],
)
def test_requests_outside_the_policy_are_refused(body):
    """Another port, another machine, a time that has passed and one beyond the longest are refused."""
    wire = networked()
    wire.ask("PUT", POLICY, BODY)
    assert (400, "BadRequest") == wire.refused("POST", f"{POLICY}/initiate", body)


def test_a_policy_that_is_replaced_keeps_its_requests():
    """Reading a policy and writing it back leaves the open request open, and it still ends by its time."""
    wire = networked()
    wire.ask("PUT", POLICY, BODY)
    wire.ask("POST", f"{POLICY}/initiate", request())
    wire.clock.sleep(60)
    wire.ask("PUT", POLICY, wire.get(POLICY))
    assert ("Initiated", "UserRequested") == status(wire)
    wire.clock.sleep(3600)
    assert ("Revoked", "Expired") == status(wire)


def test_a_seeded_policy_without_machines_has_nothing_to_ask_for():
    """A policy of which nothing is seeded refuses every request."""
    wire = Wire(*estate({"id": POLICY, "name": "default"}))
    assert (400, "BadRequest") == wire.refused("POST", f"{POLICY}/initiate", request())


def test_a_request_may_say_how_long():
    """Instead of an end a request may give a duration, as published examples do."""
    wire = networked()
    wire.ask("PUT", POLICY, BODY)
    port = {"number": 22, "duration": "PT30M"}
    answer = wire.ask("POST", f"{POLICY}/initiate", {"virtualMachines": [{"id": VM, "ports": [port]}]})
    ends = answer.body["virtualMachines"][0]["ports"][0]["endTimeUtc"]
    assert ends.startswith("2026-11-01T20:30:00")
