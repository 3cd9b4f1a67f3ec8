"""ARM JSON to the model: ways that lead through gateways, frontends and names, and those that lead out."""

from typing import Any

import pytest

from readiness.model.access import AddressTranslation
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, LoadBalancerPath, PoolMember
from tests.azure.test_wire_access import BALANCER, FIREWALL, SUBNET, estate_of, resource
from tests.builders import PUBLIC_IP, rid

GATEWAY = rid("Microsoft.Network/applicationGateways", "agw1")
NAT = rid("Microsoft.Network/natGateways", "nat1")
ROUTES = rid("Microsoft.Network/routeTables", "rt1")
NIC = ResourceId(f"{rid('Microsoft.Network/networkInterfaces', 'vm1-nic')}/ipConfigurations/a")


def part(kind: str, name: str, **properties: Any) -> dict[str, Any]:
    """Return a part of the application gateway."""
    return {"id": f"{GATEWAY}/{kind}/{name}", "name": name, "properties": properties}


def to(kind: str, name: str) -> dict[str, str]:
    """Refer to a part of the application gateway."""
    return {"id": f"{GATEWAY}/{kind}/{name}"}


def gateway(**changes: Any) -> LoadBalancer:
    """Read an application gateway with one pool, an HTTP rule on port 5985 and a TCP rule on port 22."""
    members = {"backendAddresses": [{"ipAddress": "10.0.0.4"}, {"fqdn": "vm1.corp.example"}]}
    properties = {
        "gatewayIPConfigurations": [part("gatewayIPConfigurations", "a", subnet={"id": str(SUBNET)})],
        "frontendIPConfigurations": [part("frontends", "public", publicIPAddress={"id": str(PUBLIC_IP)})],
        "backendAddressPools": [part("pools", "vms", **members, backendIPConfigurations=[{"id": str(NIC)}])],
        "backendHttpSettingsCollection": [part("settings", "winrm", port=5985)],
        "backendSettingsCollection": [part("tcp", "ssh", port=22)],
        "httpListeners": [part("listeners", "web", frontendIPConfiguration=to("frontends", "public"))],
        "listeners": [part("listeners", "raw", frontendIPConfiguration=to("frontends", "public"))],
        "requestRoutingRules": [
            part(
                "rules",
                "http",
                httpListener=to("listeners", "web"),
                backendAddressPool=to("pools", "vms"),
                backendHttpSettings=to("settings", "winrm"),
            )
        ],
        "routingRules": [
            part(
                "rules",
                "tcp",
                listener=to("listeners", "raw"),
                backendAddressPool=to("pools", "vms"),
                backendSettings=to("tcp", "ssh"),
            )
        ],
        **changes,
    }
    (found,) = estate_of(resource(GATEWAY, **properties)).load_balancers
    return found


def test_the_paths_of_an_application_gateway() -> None:
    """HTTP and TCP rules are paths to their pool; it speaks from its own subnet."""
    pool = ResourceId(f"{GATEWAY}/pools/vms")
    found = gateway()

    assert SUBNET == found.relay
    assert (
        LoadBalancerPath(name="http", backend_port=5985, is_public=True, pool=pool),
        LoadBalancerPath(name="tcp", backend_port=22, is_public=True, pool=pool),
    ) == found.paths
    assert (
        PoolMember(pool=pool, ip_configuration=NIC),
        PoolMember(pool=pool, address="10.0.0.4"),
    ) == found.members


def test_the_paths_of_a_map_and_of_a_private_frontend() -> None:
    """Each path of a map may lead to another pool; a frontend without a public address lets nobody in."""
    maps = part(
        "maps",
        "m",
        defaultBackendAddressPool=to("pools", "vms"),
        defaultBackendHttpSettings=to("settings", "winrm"),
        pathRules=[
            part("p", "x", backendAddressPool=to("pools", "b"), backendHttpSettings=to("settings", "winrm"))
        ],
    )
    rule = part("rules", "http", httpListener=to("listeners", "web"), urlPathMap=to("maps", "m"))
    found = gateway(
        urlPathMaps=[maps],
        requestRoutingRules=[rule],
        routingRules=[],
        frontendIPConfigurations=[part("frontends", "public", privateIPAddress="10.0.1.9")],
    )

    assert [("vms", 5985, False), ("b", 5985, False)] == [
        (path.pool.name if path.pool else "", path.backend_port, path.is_public) for path in found.paths
    ]


@pytest.mark.parametrize("broken", [{"httpListeners": {}}, {"backendHttpSettingsCollection": ["x"]}])
def test_a_gateway_nobody_understands_is_a_gap(broken: dict[str, Any]) -> None:
    """A value of another kind is told, and hides nothing else."""
    assert ["Malformed"] == [gap.reason for gap in estate_of(resource(GATEWAY, **broken)).gaps]


def test_the_frontends_of_a_load_balancer() -> None:
    """A path knows the private address and the ports outside, single ones and ranges."""
    frontend = {"id": f"{BALANCER}/frontends/f", "properties": {"privateIPAddress": "10.0.0.100"}}
    shared = {
        "frontendIPConfiguration": {"id": frontend["id"]},
        "backendAddressPool": {"id": f"{BALANCER}/pools/p"},
        "backendPort": 22,
    }
    found = estate_of(
        resource(
            BALANCER,
            frontendIPConfigurations=[frontend],
            loadBalancingRules=[{"name": "one", "properties": {**shared, "frontendPort": 2222}}],
            inboundNatRules=[
                {
                    "name": "many",
                    "properties": {**shared, "frontendPortRangeStart": 500, "frontendPortRangeEnd": 509},
                }
            ],
        )
    )

    assert [
        ("one", (2222, 2222), "10.0.0.100", False),
        ("many", (500, 509), "10.0.0.100", False),
    ] == [
        (path.name, path.frontend_ports, path.frontend_address, path.is_public)
        for path in found.load_balancers[0].paths
    ]


def test_a_translation_to_a_name() -> None:
    """A firewall's rule may lead to a name, which a public address may carry."""
    rule = {"name": "ssh", "translatedFqdn": "VM1.Example.com.", "translatedPort": "22"}
    address = resource(PUBLIC_IP, dnsSettings={"fqdn": "vm1.example.com"})
    found = estate_of(resource(FIREWALL, natRuleCollections=[{"properties": {"rules": [rule]}}]), address)

    expected = AddressTranslation(name="ssh", address="", port="22", host="vm1.example.com")
    assert (expected,) == found.access.firewalls[0].translations
    named = found.public_address_named("vm1.example.com")
    assert named is not None
    assert PUBLIC_IP == named.id


def test_a_translation_to_nothing_is_a_gap() -> None:
    """A rule without an address and a name, or without a port, is not guessed at."""
    for rule in ({"translatedPort": "22"}, {"translatedFqdn": "vm1.example.com"}):
        found = estate_of(resource(FIREWALL, natRuleCollections=[{"properties": {"rules": [rule]}}]))
        assert not found.access.firewalls[0].is_understood


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"publicIpAddresses": [{"id": str(PUBLIC_IP)}]}, True),
        ({"publicIpPrefixes": [{"id": "/p"}]}, True),
        ({}, False),
    ],
)
def test_a_nat_gateway(properties: dict[str, Any], *, expected: bool) -> None:
    """It leads out with an address or a prefix of its own."""
    assert expected == estate_of(resource(NAT, **properties)).access.nat_gateways[NAT].has_address


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ({"0.0.0.0/0": "VirtualAppliance", "10.0.0.0/8": "VnetLocal"}, "VirtualAppliance"),
        ({"0.0.0.0/1": "VirtualAppliance", "128.0.0.0/1": "VirtualAppliance"}, "VirtualAppliance"),
        ({"0.0.0.0/1": "VirtualAppliance", "0.0.0.0/0": "Internet"}, "Internet"),
        ({"::/0": "VirtualAppliance"}, None),
        ({"::/0": "VirtualAppliance", "0.0.0.0/0": "Internet"}, "Internet"),
    ],
)
def test_where_a_route_table_sends_everything(routes: dict[str, str], expected: str | None) -> None:
    """Two halves are everything as well; what holds for IPv6 alone says nothing of the other."""
    listed = [{"properties": {"addressPrefix": prefix, "nextHopType": hop}} for prefix, hop in routes.items()]
    found = estate_of(resource(ROUTES, routes=listed))

    assert expected == found.access.route_tables[ROUTES].default_hop
