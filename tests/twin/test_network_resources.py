"""Interfaces, addresses, virtual networks and the rest: references both ways, and what keeps them."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.network_seeds import (
    NETWORK,
    NIC,
    NSG,
    PUBLIC,
    ROUTES,
    STANDARD,
    SUBNET,
    VNET,
    changed,
    interface,
    network,
    wired,
)
from tests.twin.seeds import SUBSCRIPTION, VM, Wire

SPARE = f"{NETWORK}/networkInterfaces/spare"


def error(wire: Wire, method: str, path: str, body: object | None = None) -> tuple[int, str, str]:
    """The status, code and sentence of a refusal."""
    answer = wire.ask(method, path, body)
    assert answer.status >= 400, answer.body
    told: Any = answer.body
    return answer.status, told["error"]["code"], told["error"]["message"]


def test_references_back_follow_the_references() -> None:
    """What refers to a resource shows there, without anybody having written it there."""
    wire = wired()
    wire.do("PUT", PUBLIC, STANDARD)
    body = interface(publicIPAddress={"id": PUBLIC})
    wire.do("PUT", SPARE, body)
    entry = f"{SPARE}/ipConfigurations/main"
    assert {"id": VM} == wire.get(NIC)["properties"]["virtualMachine"]
    assert "virtualMachine" not in wire.get(SPARE)["properties"]
    assert {"id": entry} == wire.get(PUBLIC)["properties"]["ipConfiguration"]
    listed = [{"id": f"{NIC}/ipConfigurations/main"}, {"id": entry}]
    assert listed == wire.get(SUBNET)["properties"]["ipConfigurations"]
    assert listed == wire.get(VNET)["properties"]["subnets"][0]["properties"]["ipConfigurations"]
    assert [{"id": NIC}] == wire.get(NSG)["properties"]["networkInterfaces"]
    wire.do("PUT", SPARE, interface())
    assert "ipConfiguration" not in wire.get(PUBLIC)["properties"]


def test_what_was_read_can_be_put_back() -> None:
    """GET then PUT of the same body, as `az ... update` does, changes nothing but the tag."""
    wire = wired()
    for path in (VNET, NSG, NIC):
        before = wire.get(path)
        wire.do("PUT", path, before)
        after = wire.get(path)
        assert before["etag"] != after["etag"]
        for each in (before, after):
            assert "Succeeded" == each["properties"]["provisioningState"]
        assert _without_tags(before) == _without_tags(after)


def _without_tags(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_tags(inner) for name, inner in value.items() if name != "etag"}
    return [_without_tags(each) for each in value] if isinstance(value, list) else value


def test_private_addresses_begin_at_the_fourth() -> None:
    """Learn, "Virtual networks FAQ": Azure keeps the first four addresses of a subnet, and the last."""
    wire = wired()
    wire.do("PUT", SPARE, interface())
    addresses = [
        wire.get(path)["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        for path in (NIC, SPARE)
    ]
    assert ["10.0.1.4", "10.0.1.5"] == addresses


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.0.2.9", "PrivateIPAddressNotInSubnet"),
        ("10.0.1.3", "PrivateIPAddressInReservedRange"),
        ("10.0.1.255", "PrivateIPAddressInReservedRange"),
        ("10.0.1.4", "PrivateIPAddressIsAllocated"),
        ("nowhere", "InvalidRequestFormat"),
    ],
)
def test_a_static_address_has_to_be_free(address: str, code: str) -> None:
    """Public reports: terraform-provider-azurerm#4225, acs-engine-terraform#10."""
    body = interface(privateIPAllocationMethod="Static", privateIPAddress=address)
    assert (400, code) == wired().refused("PUT", SPARE, body)


def test_a_full_subnet_has_no_more_addresses() -> None:
    """A /29 has three addresses to give."""
    wire = Wire()
    wire.do("PUT", VNET, network(("apps", "10.0.1.0/29")))
    for index in range(3):
        wire.do("PUT", f"{NETWORK}/networkInterfaces/nic-{index}", interface())
    assert (400, "SubnetIsFull") == wire.refused("PUT", SPARE, interface())


def test_an_interface_in_use_cannot_be_deleted() -> None:
    """The sentence as recorded (github.com/pulumi/pulumi-azure, issue 441)."""
    wire = wired()
    assert (
        400,
        "NicInUse",
        f"Network Interface {NIC} is used by existing resource {VM}. In order to delete the network "
        "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
    ) == error(wire, "DELETE", NIC)
    wire.do("PUT", SPARE, interface())
    wire.do("DELETE", SPARE)
    assert 404 == wire.ask("GET", SPARE).status
    assert 204 == wire.ask("DELETE", SPARE).status


def test_a_group_in_use_cannot_be_deleted() -> None:
    """The sentence as reported (github.com/DataBiosphere/terra-workspace-manager, pull request 502)."""
    wire = wired()
    status, code, sentence = error(wire, "DELETE", NSG)
    assert (400, "InUseNetworkSecurityGroupCannotBeDeleted") == (status, code)
    assert f"because it is in use by the following resources: {NIC}." in sentence
    wire.do("PUT", NIC, interface())
    wire.do("DELETE", NSG)
    assert 404 == wire.ask("GET", NSG).status


def test_a_subnet_in_use_cannot_be_deleted_in_any_way() -> None:
    """The sentence as recorded (github.com/microsoft/nav-arm-templates, issue 161); a PUT drops it, too."""
    wire = wired()
    told = (
        400,
        "InUseSubnetCannotBeDeleted",
        f"Subnet apps is in use by {NIC}/ipConfigurations/main and cannot be deleted. In order to delete "
        "the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
    )
    assert told == error(wire, "DELETE", SUBNET)
    assert told == error(wire, "DELETE", VNET)
    assert told == error(wire, "PUT", VNET, network(("other", "10.0.2.0/24")))
    moved = {"properties": {"addressPrefix": "10.0.3.0/24"}}
    assert (400, "InUsePrefixCannotBeDeleted") == wire.refused("PUT", SUBNET, moved)
    wire.do("PUT", f"{VNET}/subnets/free", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    wire.do("DELETE", f"{VNET}/subnets/free")
    assert ["apps"] == [each["name"] for each in wire.get(f"{VNET}/subnets")["value"]]


def test_subnets_lie_in_the_network_and_not_in_each_other() -> None:
    """The sentences as reported (github.com/MicrosoftDocs/azure-docs, pull request 123869)."""
    wire = Wire()
    outside, overlapping = network(("a", "10.1.0.0/24")), network(("a", "10.0.0.0/27"), ("b", "10.0.0.0/28"))
    assert (400, "NetcfgSubnetRangeOutsideVnet") == wire.refused("PUT", VNET, outside)
    assert (400, "NetcfgSubnetRangesOverlap") == wire.refused("PUT", VNET, overlapping)


def test_a_public_address_in_use_cannot_be_deleted_nor_shared() -> None:
    """The sentence as recorded (github.com/hashicorp/terraform-provider-azurerm, issue 2566)."""
    wire = wired()
    wire.do("PUT", PUBLIC, STANDARD)
    wire.do("PUT", SPARE, interface(publicIPAddress={"id": PUBLIC}))
    assert (
        400,
        "PublicIPAddressCannotBeDeleted",
        f"Public IP address {PUBLIC} can not be deleted since it is still allocated to resource "
        f"{SPARE}/ipConfigurations/main. In order to delete the public IP, disassociate/detach the Public IP "
        "address from the resource.  To learn how to do this, see aka.ms/deletepublicip.",
    ) == error(wire, "DELETE", PUBLIC)
    shared = interface(publicIPAddress={"id": PUBLIC})
    assert (400, "PublicIPAddressInUse") == wire.refused("PUT", f"{NETWORK}/networkInterfaces/third", shared)
    address = wire.get(PUBLIC)["properties"]["ipAddress"]
    wire.do("PUT", SPARE, interface())
    assert address == wire.get(PUBLIC)["properties"]["ipAddress"]
    wire.do("DELETE", PUBLIC)


def test_no_basic_public_address_is_made_any_more() -> None:
    """The refusal as recorded (github.com/skypilot-org/skypilot, issue 7977)."""
    wire = Wire()
    code = "IPv4BasicSkuPublicIpCountLimitReached"
    assert (400, code) == wire.refused("PUT", PUBLIC, {"location": "westeurope"})
    wire.do("PUT", PUBLIC, STANDARD)
    properties = wire.get(PUBLIC)["properties"]
    assert ("Static", "203.0.113.1") == (properties["publicIPAllocationMethod"], properties["ipAddress"])


def test_a_reference_to_nothing_is_refused() -> None:
    """As recorded (github.com/microsoft/MCW-Building-a-resilient-IaaS-architecture, issue 35)."""
    wire = Wire()
    assert (
        400,
        "InvalidResourceReference",
        f"Resource {SUBNET} referenced by resource {SPARE} was not found. Please make sure that the "
        "referenced resource exists, and that both resources are in the same region.",
    ) == error(wire, "PUT", SPARE, interface())
    wire.do("PUT", VNET, network() | {"location": "northeurope"})
    assert (400, "InvalidResourceReference") == wire.refused("PUT", SPARE, interface())


def test_tags_are_replaced_at_once() -> None:
    """PATCH of a network resource is UpdateTags: synchronous, and the tags are all it changes."""
    wire = wired()
    answer = wire.ask("PATCH", NSG, {"tags": {"app": "shop"}})
    told: Any = answer.body
    assert (200, {"app": "shop"}) == (answer.status, told["tags"])
    assert "Azure-AsyncOperation" not in answer.headers
    assert {"app": "shop"} == wire.get(NSG)["tags"]
    wire.ask("PATCH", NSG, {"tags": {"owner": "me"}})
    assert {"owner": "me"} == wire.get(NSG)["tags"]


def test_a_resource_stays_in_its_region() -> None:
    """A PUT with another location is refused, one without is, too."""
    wire = wired()
    moved = {"location": "northeurope", "properties": {}}
    assert (409, "InvalidResourceLocation") == wire.refused("PUT", NSG, moved)
    assert (400, "LocationRequired") == wire.refused("PUT", NSG, {"properties": {}})


def test_balancers_gateways_tables_and_bastions() -> None:
    """What goes with a network is made, refers, and is kept from going while it is in use."""
    wire = wired()
    wire.do("PUT", PUBLIC, STANDARD)
    balancer = f"{NETWORK}/loadBalancers/lb"
    front = {"name": "front", "properties": {"publicIPAddress": {"id": PUBLIC}}}
    pools = [{"name": "pool"}]
    properties = {"frontendIPConfigurations": [front], "backendAddressPools": pools}
    wire.do("PUT", balancer, STANDARD | {"properties": properties})
    pool = f"{balancer}/backendAddressPools/pool"
    wire.do("PUT", SPARE, interface(loadBalancerBackendAddressPools=[{"id": pool}]))
    assert [{"id": f"{SPARE}/ipConfigurations/main"}] == wire.get(pool)["properties"][
        "backendIPConfigurations"
    ]
    gateway, egress = f"{NETWORK}/natGateways/nat", f"{NETWORK}/publicIPAddresses/egress"
    wire.do("PUT", egress, STANDARD)
    wire.do("PUT", gateway, STANDARD | {"properties": {"publicIpAddresses": [{"id": egress}]}})
    wire.do("PUT", ROUTES, {"location": "westeurope"})
    route = {"properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}}
    wire.do("PUT", f"{ROUTES}/routes/stop", route)
    both = {"addressPrefix": "10.0.1.0/24", "natGateway": {"id": gateway}, "routeTable": {"id": ROUTES}}
    wire.do("PUT", SUBNET, {"properties": both})
    assert (400, "InUseNatGatewayCannotBeDeleted") == wire.refused("DELETE", gateway)
    assert (400, "InUseRouteTableCannotBeDeleted") == wire.refused("DELETE", ROUTES)
    entry = {"name": "main", "properties": {"subnet": {"id": SUBNET}}}
    bastion = {"location": "westeurope", "properties": {"ipConfigurations": [entry]}}
    hosts = f"{NETWORK}/bastionHosts/door"
    assert (400, "BastionHostSubnetNotValid") == wire.refused("PUT", hosts, bastion)
    own = f"{VNET}/subnets/AzureBastionSubnet"
    wire.do("PUT", own, {"properties": {"addressPrefix": "10.0.8.0/26"}})
    entry["properties"] = {"subnet": {"id": own}}
    assert 201 == wire.ask("PUT", hosts, bastion).status
    wire.clock.sleep(400)
    assert "Succeeded" == wire.get(hosts)["properties"]["provisioningState"]
    assert [{"id": f"{hosts}/ipConfigurations/main"}] == wire.get(own)["properties"]["ipConfigurations"]


def test_an_application_group_in_use_cannot_be_deleted() -> None:
    """The sentence as reported (github.com/Azure/azure-cli, issue 12591)."""
    wire = wired()
    group = f"{NETWORK}/applicationSecurityGroups/servers"
    wire.do("PUT", group, {"location": "westeurope"})
    wire.do("PUT", SPARE, interface(applicationSecurityGroups=[{"id": group}]))
    sentence = (
        "Application Security Group servers cannot be deleted because it is referenced by "
        "IpConfiguration(s) main."
    )
    assert sentence == error(wire, "DELETE", group)[2]


def test_a_seeded_reference_to_what_was_not_seeded_stays() -> None:
    """A seed may hold half of an estate: the other half still keeps a resource from going."""
    away = f"{NETWORK}/networkInterfaces/away"
    seeded = {
        "id": NSG,
        "name": "web",
        "location": "westeurope",
        "properties": {"securityRules": [], "networkInterfaces": [{"id": away}]},
    }
    wire = Wire(seeded)
    assert [{"id": away}] == wire.get(NSG)["properties"]["networkInterfaces"]
    assert (400, "InUseNetworkSecurityGroupCannotBeDeleted") == wire.refused("DELETE", NSG)


def test_a_write_that_ends_failed_leaves_the_model() -> None:
    """The rule that was there is there, with a state that tells."""
    trouble = {"operation": "networkSecurityGroups/securityRules/write", "at": "end", "status": 409}
    told = {"kind": "fail", "code": "Conflict", "message": "no", **trouble}
    wire = Wire(faults=[told])
    wire.do("PUT", NSG, {"location": "westeurope"})
    body = {"properties": {"protocol": "*", "access": "Allow", "direction": "Inbound", "priority": 100,
                           "sourcePortRange": "*", "destinationPortRange": "*", "sourceAddressPrefix": "*",
                           "destinationAddressPrefix": "*"}}  # fmt: skip
    assert "Failed" == wire.do("PUT", f"{NSG}/securityRules/all", body)["status"]
    properties = wire.get(NSG)["properties"]
    assert ("Failed", []) == (properties["provisioningState"], properties["securityRules"])


def test_the_sdk_pipeline_writes_and_lists() -> None:
    """A real client's pipeline, one request after the other: PUT, list by group and by subscription."""
    wire = wired()
    client = ComputeManagementClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))
    version = "?api-version=2025-05-01"
    asked = HttpRequest("PUT", f"https://management.azure.com{PUBLIC}{version}", json=STANDARD)
    assert 201 == client.send_request(asked).status_code
    for scope in (NETWORK, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network"):
        listed = HttpRequest("GET", f"https://management.azure.com{scope}/publicIPAddresses{version}")
        answer = client.send_request(listed)
        assert [PUBLIC] == [each["id"] for each in answer.json()["value"]]


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [5], [{}]])
def test_nothing_in_a_body_breaks_the_twin(junk: object) -> None:
    """Whatever stands anywhere in a body is accepted or refused: the twin goes on."""
    wire = wired()
    wire.do("PUT", PUBLIC, STANDARD)
    balanced = wire.get(PUBLIC) | {"properties": {"frontendIPConfigurations": [], "probes": [{"name": "p"}]}}
    bodies = {
        SPARE: interface(publicIPAddress={"id": PUBLIC}, privateIPAllocationMethod="Static"),
        f"{NETWORK}/virtualNetworks/other": network(),
        f"{NETWORK}/networkSecurityGroups/other": wire.get(NSG),
        f"{NSG}/securityRules/other": wire.get(f"{NSG}/securityRules/ssh"),
        f"{NETWORK}/loadBalancers/other": balanced,
        f"{NETWORK}/bastionHosts/other": interface(),
    }
    for path, body in bodies.items():
        for other in changed(body, junk):
            assert 500 > wire.ask("PUT", path, other).status
            wire.clock.sleep(400)
            assert 500 > wire.ask("GET", path).status
    wire.ask("POST", f"{NIC}/effectiveNetworkSecurityGroups")
