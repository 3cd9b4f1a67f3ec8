"""A small network for the twin's tests: one subnet, one group, one interface that belongs to web-1."""

from collections.abc import Iterator
from typing import Any

from tests.twin.seeds import SUBSCRIPTION, Wire, estate, vm

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Network"
VNET = f"{NETWORK}/virtualNetworks/net"
SUBNET = f"{VNET}/subnets/apps"
NSG = f"{NETWORK}/networkSecurityGroups/web"
NIC = f"{NETWORK}/networkInterfaces/web-1-nic"
PUBLIC = f"{NETWORK}/publicIPAddresses/front"
ROUTES = f"{NETWORK}/routeTables/out"
STANDARD = {"location": "westeurope", "sku": {"name": "Standard"}}


def rule(name: str = "ssh", **properties: Any) -> dict[str, Any]:
    """A rule that lets SSH in from anywhere; properties replace."""
    return {
        "name": name,
        "properties": {
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": "22",
            "sourceAddressPrefix": "*",
            "destinationAddressPrefix": "*",
            "access": "Allow",
            "priority": 300,
            "direction": "Inbound",
            **properties,
        },
    }


def network(*subnets: tuple[str, str]) -> dict[str, Any]:
    """The body of a virtual network."""
    return {
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": name, "properties": {"addressPrefix": prefix}}
                for name, prefix in subnets or [("apps", "10.0.1.0/24")]
            ],
        },
    }


def interface(**properties: Any) -> dict[str, Any]:
    """The body of an interface in the subnet; properties are those of its IP configuration."""
    entry = {"name": "main", "properties": {"subnet": {"id": SUBNET}, **properties}}
    return {"location": "westeurope", "properties": {"ipConfigurations": [entry]}}


def wired(*others: dict[str, Any]) -> Wire:
    """A twin with a virtual network, a group with one rule, and the interface of the running web-1."""
    card = {"networkInterfaces": [{"id": NIC}]}
    wire = Wire(*estate(*others, machine=vm(networkProfile=card)))
    wire.do("PUT", VNET, network())
    wire.do("PUT", NSG, {"location": "westeurope", "properties": {"securityRules": [rule()]}})
    body = interface()
    body["properties"]["networkSecurityGroup"] = {"id": NSG}
    wire.do("PUT", NIC, body)
    return wire


def changed(value: Any, junk: object) -> Iterator[Any]:
    """Return a value once for each place in it, with junk in that place."""
    yield junk
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (value | {name: other} for other in changed(inner, junk))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], other, *value[at + 1 :]] for other in changed(inner, junk))
