"""Security groups: what a rule can say, what every group holds, and what an interface makes of them."""

from typing import Any

import pytest

from readiness.twin.arm.network.addresses import internet, is_port_range, is_prefix
from tests.twin.network_seeds import NETWORK, NIC, NSG, ROUTES, SUBNET, interface, rule, wired
from tests.twin.seeds import VM, Wire


def body(*rules: dict[str, Any]) -> dict[str, Any]:
    """The body of a group."""
    return {"location": "westeurope", "properties": {"securityRules": list(rules)}}


def test_a_new_group_has_the_six_default_rules() -> None:
    """As recorded (github.com/Azure/azure-cli, recordings/test_network_nsg.yaml, `network nsg create`)."""
    wire = Wire()
    answer = wire.ask("PUT", NSG, {"location": "westeurope"})
    assert 201 == answer.status
    assert "Enabled" == answer.headers["Azure-AsyncNotification"]
    assert (
        "/providers/Microsoft.Network/locations/westeurope/operations/"
        in answer.headers["Azure-AsyncOperation"]
    )
    made: Any = answer.body
    assert "Updating" == made["properties"]["provisioningState"]
    assert [] == made["properties"]["securityRules"]
    defaults = made["properties"]["defaultSecurityRules"]
    assert [
        ("AllowVnetInBound", 65000, "Inbound", "Allow"),
        ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow"),
        ("DenyAllInBound", 65500, "Inbound", "Deny"),
        ("AllowVnetOutBound", 65000, "Outbound", "Allow"),
        ("AllowInternetOutBound", 65001, "Outbound", "Allow"),
        ("DenyAllOutBound", 65500, "Outbound", "Deny"),
    ] == [
        (x["name"], x["properties"]["priority"], x["properties"]["direction"], x["properties"]["access"])
        for x in defaults
    ]
    assert made["etag"] == defaults[0]["etag"]
    assert made["etag"].startswith('W/"')
    assert {"status": "InProgress"} == wire.follow(answer)
    wire.clock.sleep(10)
    assert {"status": "Succeeded"} == wire.follow(answer)
    after = wire.get(NSG)
    assert "Succeeded" == after["properties"]["provisioningState"]
    assert made["etag"] != after["etag"]
    assert made["properties"]["resourceGuid"] == after["properties"]["resourceGuid"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"destinationPortRange": "README.md"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "4,5,6"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "70000"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": None}, "SecurityRuleInvalidPortRange"),
        ({"sourceAddressPrefix": "50.206.209.68/27"}, "SecurityRuleInvalidAddressPrefix"),
        ({"sourceAddressPrefix": "any"}, "SecurityRuleInvalidAddressPrefix"),
        ({"sourceAddressPrefix": None}, "SecurityRuleInvalidAddressPrefix"),
        (
            {
                "destinationAddressPrefix": None,
                "destinationAddressPrefixes": ["10.0.0.0/8", "VirtualNetwork"],
            },
            "SecurityRuleParameterContainsUnsupportedValue",
        ),
        ({"priority": 99}, "SecurityRuleInvalidPriority"),
        ({"priority": 4097}, "SecurityRuleInvalidPriority"),
        ({"priority": True}, "SecurityRuleInvalidPriority"),
        ({"access": "Maybe"}, "InvalidRequestFormat"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused(changes: dict[str, Any], code: str) -> None:
    """Public reports: azure-cli#23499, azure-powershell#9253 and #4557, terraform-provider-azurerm#5617."""
    wire = Wire()
    assert (400, code) == wire.refused("PUT", NSG, body(rule(**changes)))
    assert 404 == wire.ask("GET", NSG).status


def test_two_rules_cannot_share_priority_and_direction() -> None:
    """The sentence as recorded (github.com/jenkins-infra/azure, pull request 439)."""
    wire = wired()
    answer = wire.ask("PUT", f"{NSG}/securityRules/rdp", rule("rdp", destinationPortRange="3389"))
    assert 400 == answer.status
    error: Any = answer.body
    assert {
        "code": "SecurityRuleConflict",
        "message": "Security rule rdp conflicts with rule ssh. Rules cannot have the same Priority and "
        "Direction. To learn more, see aka.ms/nsgrules.",
    } == error["error"]
    wire.do("PUT", f"{NSG}/securityRules/rdp", rule("rdp", direction="Outbound"))
    assert ["ssh", "rdp"] == [x["name"] for x in wire.get(f"{NSG}/securityRules")["value"]]


def test_a_rule_is_written_read_and_deleted_by_itself() -> None:
    """A write of a rule steps the group's etag, which the rule carries; a second delete finds nothing."""
    wire = wired()
    path = f"{NSG}/securityRules/block"
    before = wire.get(NSG)["etag"]
    answer = wire.ask("PUT", path, rule("block", access="deny", priority=200, sourceAddressPrefix="Internet"))
    assert 201 == answer.status
    made: Any = answer.body
    assert "Deny" == made["properties"]["access"]
    assert [] == made["properties"]["sourceAddressPrefixes"]
    assert "Microsoft.Network/networkSecurityGroups/securityRules" == made["type"]
    wire.clock.sleep(10)
    assert before != wire.get(NSG)["etag"] == wire.get(path)["etag"]
    gone = wire.ask("DELETE", path)
    assert 202 == gone.status
    assert {"Location", "Azure-AsyncOperation"} <= set(gone.headers)
    wire.clock.sleep(10)
    assert 404 == wire.ask("GET", path).status
    assert 204 == wire.ask("DELETE", path).status
    assert ["ssh"] == [x["name"] for x in wire.get(NSG)["properties"]["securityRules"]]


def test_another_write_meets_the_one_under_way() -> None:
    """Parallel writes to one network resource are refused, with the address of the one under way."""
    wire = wired()
    wire.ask("PUT", f"{NSG}/securityRules/a", rule("a", priority=400))
    answer = wire.ask("PUT", f"{NSG}/securityRules/b", rule("b", priority=500))
    assert (409, "AnotherOperationInProgress") == (answer.status, answer.body["error"]["code"])  # type: ignore[index]
    assert "/providers/Microsoft.Network/locations/westeurope/operations/" in str(answer.body)


def test_if_match_protects_a_rule_from_a_stale_writer() -> None:
    """A tag that is no longer the present one is refused with 412; the present one is let in."""
    wire = wired()
    stale = wire.get(f"{NSG}/securityRules/ssh")["etag"]
    wire.do("PUT", f"{NSG}/securityRules/ssh", rule(access="Deny"))
    with_tag = {"headers": {"if-match": stale}}
    assert (412, "PreconditionFailed") == wire.refused("PUT", f"{NSG}/securityRules/ssh", rule(), **with_tag)
    assert "Deny" == wire.get(f"{NSG}/securityRules/ssh")["properties"]["access"]
    fresh = {"headers": {"if-match": wire.get(NSG)["etag"]}}
    assert 200 == wire.ask("PUT", f"{NSG}/securityRules/ssh", rule(), **fresh).status


def test_if_none_match_makes_a_rule_and_replaces_none() -> None:
    """It asks for the rule itself: its group is there all the while."""
    wire = wired()
    new = {"headers": {"if-none-match": "*"}}
    made = f"{NSG}/securityRules/made"
    wire.do("PUT", made, rule("made", priority=400), **new)
    mine = rule("made", priority=400, access="Deny")
    assert (412, "PreconditionFailed") == wire.refused("PUT", made, mine, **new)
    assert (412, "PreconditionFailed") == wire.refused("PUT", made.upper(), mine, **new)
    assert "Allow" == wire.get(made)["properties"]["access"]
    assert (412, "PreconditionFailed") == wire.refused("PUT", NSG, {"location": "westeurope"}, **new)


def test_tags_of_a_group_step_the_tag_that_its_rules_carry() -> None:
    """Azure's operation for tags is a write of the group: who read a rule before it is refused, as ever."""
    wire = wired()
    stale = wire.get(f"{NSG}/securityRules/ssh")["etag"]
    tags = {"operation": "Merge", "properties": {"tags": {"a": "b"}}}
    path = f"{NSG}/providers/Microsoft.Resources/tags/default"
    assert 200 == wire.ask("PATCH", path, tags, version="2021-04-01").status
    rule_now = wire.get(f"{NSG}/securityRules/ssh")["etag"]
    assert stale != wire.get(NSG)["etag"] == rule_now
    with_tag = {"headers": {"if-match": rule_now}}
    assert 200 == wire.ask("PUT", f"{NSG}/securityRules/ssh", rule(), **with_tag).status


def test_a_rule_of_a_group_that_is_not_there_is_refused() -> None:
    """Learn, "Resolve errors for resource not found": a nested resource needs its parent."""
    wire = Wire()
    assert (404, "ParentResourceNotFound") == wire.refused("PUT", f"{NSG}/securityRules/x", rule("x"))


def finished(wire: Wire, path: str) -> Any:
    """Follow the rotating Location of an action to its result."""
    answer = wire.ask("POST", path)
    assert 202 == answer.status, answer.body
    assert "Azure-AsyncOperation" not in answer.headers
    seen = set()
    while answer.status == 202:
        seen.add(answer.headers["Location"])
        path, _, query = answer.headers["Location"].removeprefix("https://twin.example").partition("?")
        wire.clock.sleep(2)
        pairs = dict(pair.split("=", 1) for pair in query.split("&"))
        answer = wire.ask("GET", path, query=pairs)
    assert len(seen) > 1
    return answer.body


def test_effective_rules_of_a_running_machine() -> None:
    """As recorded (github.com/Azure/azure-cli, recordings/test_network_nic_convenience_commands.yaml)."""
    wire = wired()
    found = finished(wire, f"{NIC}/effectiveNetworkSecurityGroups")["value"]
    assert [{"networkInterface": {"id": NIC}}] == [each["association"] for each in found]
    rules = {each["name"]: each for each in found[0]["effectiveSecurityRules"]}
    assert {
        "name": "securityRules/ssh",
        "protocol": "Tcp",
        "sourcePortRange": "0-65535",
        "sourcePortRanges": ["0-65535"],
        "destinationPortRange": "22-22",
        "destinationPortRanges": ["22-22"],
        "sourceAddressPrefix": "0.0.0.0/0",
        "sourceAddressPrefixes": ["0.0.0.0/0", "0.0.0.0/0"],
        "destinationAddressPrefix": "0.0.0.0/0",
        "destinationAddressPrefixes": ["0.0.0.0/0", "0.0.0.0/0"],
        "access": "Allow",
        "priority": 300,
        "direction": "Inbound",
    } == rules["securityRules/ssh"]
    within = rules["defaultSecurityRules/AllowVnetInBound"]
    assert "All" == within["protocol"]
    assert ["10.0.0.0/16", "168.63.129.16/32"] == within["expandedSourceAddressPrefix"]
    out = rules["defaultSecurityRules/AllowInternetOutBound"]
    assert "208.0.0.0/4" == out["expandedDestinationAddressPrefix"][-1]
    assert "10.0.0.0/8" not in out["expandedDestinationAddressPrefix"]


def test_effective_rules_name_the_subnets_group_first() -> None:
    """Inbound traffic passes the subnet's group, then the interface's (Learn, "How NSGs filter traffic")."""
    wire = wired()
    other = f"{NETWORK}/networkSecurityGroups/edge"
    wire.do("PUT", other, body())
    wire.do(
        "PUT",
        SUBNET,
        {"properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": other}}},
    )
    found = finished(wire, f"{NIC}/effectiveNetworkSecurityGroups")["value"]
    assert [other, NSG] == [each["networkSecurityGroup"]["id"] for each in found]
    assert [{"id": SUBNET}] == wire.get(other)["properties"]["subnets"]


def test_effective_routes_show_which_route_of_a_prefix_is_in_force() -> None:
    """Learn, "Virtual network traffic routing": a user's route takes the place of the system's."""
    wire = wired()
    hop = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.9.4"}
    table = {"location": "westeurope", "properties": {"routes": [{"name": "all", "properties": hop}]}}
    wire.do("PUT", ROUTES, table)
    subnet = {"properties": {"addressPrefix": "10.0.1.0/24", "routeTable": {"id": ROUTES}}}
    wire.do("PUT", SUBNET, subnet)
    found = finished(wire, f"{NIC}/effectiveRouteTable")["value"]
    ways = {(x["source"], x["addressPrefix"][0]): (x["state"], x["nextHopType"]) for x in found}
    assert ("Active", "VnetLocal") == ways["Default", "10.0.0.0/16"]
    assert ("Invalid", "Internet") == ways["Default", "0.0.0.0/0"]
    assert ("Active", "VirtualAppliance") == ways["User", "0.0.0.0/0"]


def test_effective_rules_need_a_running_machine() -> None:
    """The refusal as recorded (github.com/Azure/azure-xplat-cli, recordings of effective-nsg)."""
    wire = wired()
    wire.do("POST", f"{VM}/deallocate")
    answer = wire.ask("POST", f"{NIC}/effectiveNetworkSecurityGroups")
    error: Any = answer.body
    assert 400 == answer.status
    assert {
        "code": "NicMustBeAttachedToRunningVmToGetEffectiveSecurityGroups",
        "message": "A network interface must be attached to a running virtual machine to get effective "
        f"security groups. The network interface {NIC} is not attached to a running virtual machine.",
    } == error["error"]
    code = "NicMustBeAttachedToRunningVmToGetEffectiveRoutes"
    assert (400, code) == wire.refused("POST", f"{NIC}/effectiveRouteTable")
    spare = f"{NETWORK}/networkInterfaces/spare"
    wire.do("PUT", spare, interface())
    assert 400 == wire.ask("POST", f"{spare}/effectiveNetworkSecurityGroups").status


def test_prefixes_and_ports_are_read_as_azure_reads_them() -> None:
    """A star, a tag of a region, a single address; no host bits, no range backwards."""
    good = ["*", "Internet", "Storage.WestEurope", "10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]
    assert [True] * len(good) == [is_prefix(each) for each in good]
    assert [False] * 3 == [is_prefix(each) for each in ("10.0.0.1/8", "Elsewhere", "")]
    assert [True] * 3 == [is_port_range(each) for each in ("*", "0-65535", "22")]
    assert [False] * 4 == [is_port_range(each) for each in ("25-22", "-1", "a", "1-2-3")]
    assert "1.0.0.0/8" == internet()[0]
