"""ARM shapes of what guards a network's edge: firewalls, routes, gateways, groups, security admin rules."""

from collections.abc import Sequence

from sample_estates.generator.catalogue import Json
from sample_estates.generator.disks import resource
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.network import NETWORK

RISKY = ("22", "135", "445", "3389", "5985-5986")
"""Ports by which whoever holds one machine gets at the next."""


def application_group(place: Place, name: str) -> Json:
    """Return an application security group."""
    kind = f"{NETWORK}/applicationSecurityGroups"
    found = resource(place.id(kind, name), kind, place)
    found["properties"] = {"provisioningState": "Succeeded"}
    return found


def route_table(place: Place, name: str, appliance: str) -> Json:
    """Return a route table whose default route leads to an appliance's private address."""
    kind = f"{NETWORK}/routeTables"
    found = resource(place.id(kind, name), kind, place)
    hop = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": appliance}
    routes = [{"name": "everything", "properties": {"addressPrefix": "0.0.0.0/0", **hop}}]
    found["properties"] = {"disableBgpRoutePropagation": True, "routes": routes}
    return found


def firewall(
    place: Place, name: str, subnet: str, address: str, *, tier: str = "Premium", policy: str | None = None
) -> Json:
    """Return an Azure Firewall."""
    kind = f"{NETWORK}/azureFirewalls"
    found = resource(place.id(kind, name), kind, place)
    own = front_of(str(found["id"]))
    way = {"subnet": {"id": subnet}, "publicIPAddress": {"id": address}}
    found["properties"] = {
        "provisioningState": "Succeeded",
        "sku": {"name": "AZFW_VNet", "tier": tier},
        "threatIntelMode": "Deny",
        "ipConfigurations": [{"name": "front", "id": own, "properties": way}],
    }
    if policy:
        found["properties"]["firewallPolicy"] = {"id": policy}
    return found


def front_of(firewall_id: str) -> str:
    """Return the id of the IP configuration that has a firewall's public address."""
    return f"{firewall_id}/azureFirewallIpConfigurations/front"


def firewall_policy(place: Place, name: str, rules: Sequence[Json], secret: str | None = None) -> list[Json]:
    """Return a Premium firewall policy with one group of rules; it inspects TLS if it has a certificate."""
    kind = f"{NETWORK}/firewallPolicies"
    found = resource(place.id(kind, name), kind, place)
    group = f"{found['id']}/ruleCollectionGroups/standard"
    found["properties"] = {
        "sku": {"tier": "Premium"},
        "threatIntelMode": "Deny",
        "intrusionDetection": {"mode": "Deny"},
        "ruleCollectionGroups": [{"id": group}],
        "provisioningState": "Succeeded",
    }
    if secret:
        authority = {"name": "inspection", "keyVaultSecretId": secret}
        found["properties"]["transportSecurity"] = {"certificateAuthority": authority}
    return [
        found,
        {
            "id": group,
            "name": "standard",
            "type": f"{kind}/ruleCollectionGroups",
            "properties": {"priority": 200, "provisioningState": "Succeeded", "ruleCollections": list(rules)},
        },
    ]


def allowed_names(name: str, sources: list[str], names: list[str]) -> Json:
    """Return a rule collection that lets machines out to named hosts."""
    rule: Json = {
        "ruleType": "ApplicationRule",
        "name": name,
        "sourceAddresses": sources,
        "targetFqdns": names,
    }
    rule["protocols"] = [{"protocolType": "Https", "port": 443}]
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": f"{name}-out",
        "priority": 300,
        "action": {"type": "Allow"},
        "rules": [rule],
    }


def translation(name: str, outside: str, port: int, inside: str, to_port: int) -> Json:
    """Return a rule collection that leads a public port of the firewall to a machine."""
    rule = {
        "ruleType": "NatRule",
        "name": name,
        "ipProtocols": ["TCP"],
        "sourceAddresses": ["*"],
        "destinationAddresses": [outside],
        "destinationPorts": [str(port)],
        "translatedAddress": inside,
        "translatedPort": str(to_port),
    }
    return {
        "ruleCollectionType": "FirewallPolicyNatRuleCollection",
        "name": f"{name}-in",
        "priority": 100,
        "action": {"type": "DNAT"},
        "rules": [rule],
    }


def admin_rules(network: str, name: str, *, access: str = "Deny", source: str = "VirtualNetwork") -> Json:
    """Return the security admin rule that Virtual Network Manager has put in force on a network."""
    kind = f"{NETWORK}/effectiveSecurityAdminRules"
    is_tag = not source[:1].isdigit()
    sources = [{"addressPrefix": source, "addressPrefixType": "ServiceTag" if is_tag else "IPPrefix"}]
    rule = {
        "displayName": name,
        "access": access,
        "direction": "Inbound",
        "priority": 100,
        "protocol": "Tcp",
        "sources": sources,
        "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": list(RISKY),
        "provisioningState": "Succeeded",
    }
    own = f"{network}/providers/{kind}/default"
    entry = {"id": f"{own}/rules/{name}", "kind": "Custom", "properties": rule}
    return {"id": own, "name": "default", "type": kind, "properties": {"rules": [entry]}}


def application_gateway(
    place: Place, name: str, subnet: str, address: str, members: Sequence[Machine]
) -> Json:
    """Return an application gateway with a web application firewall before the members of its pool."""
    kind = f"{NETWORK}/applicationGateways"
    found = resource(place.id(kind, name), kind, place)
    own = found["id"]
    inside = [{"id": f"{vm.nic_id}/ipConfigurations/primary"} for vm in members]
    pool = {"backendIPConfigurations": inside, "backendAddresses": []}
    found["properties"] = {
        "provisioningState": "Succeeded",
        "operationalState": "Running",
        "sku": {"name": "WAF_v2", "tier": "WAF_v2", "capacity": 2},
        "gatewayIPConfigurations": [{"name": "own", "properties": {"subnet": {"id": subnet}}}],
        "frontendIPConfigurations": [
            {
                "name": "front",
                "id": f"{own}/frontendIPConfigurations/front",
                "properties": {"publicIPAddress": {"id": address}},
            }
        ],
        "frontendPorts": [{"name": "https", "properties": {"port": 443}}],
        "backendAddressPools": [
            {"name": "pool", "id": f"{own}/backendAddressPools/pool", "properties": pool}
        ],
        "webApplicationFirewallConfiguration": {"enabled": True, "firewallMode": "Prevention"},
    }
    return found
