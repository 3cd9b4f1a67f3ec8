"""The types of Microsoft.Network a twin can write: their parts, what each completes, and what it refuses.

`prepare` of a kind is called with the state, the resource before (or None) and the one that is asked for; it
completes the latter in place, or refuses. References are checked for every kind alike, by `links.check`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from readiness.twin.arm.network import allocation, balancers, rules, virtual_networks
from readiness.twin.arm.network.links import (
    APPLICATION_GROUP,
    BASTION,
    INTERFACE,
    LOAD_BALANCER,
    NAT_GATEWAY,
    PUBLIC_IP,
    ROUTE_TABLE,
    SECURITY_GROUP,
    VIRTUAL_NETWORK,
    ids,
    owner,
    part,
    references,
    referrers,
)
from readiness.twin.arm.network.links import LINKS as ALL_LINKS
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError
from readiness.twin.operations import identifier
from readiness.twin.paths import parse
from readiness.twin.state import State, place

_NO_BASIC_SINCE = datetime(2025, 3, 31, tzinfo=UTC)

_INTERFACE_DEFAULTS: Json = {
    "allowPort25Out": True,
    "auxiliaryMode": "None",
    "enableIPForwarding": False,
    "hostedWorkloads": [],
    "nicType": "Standard",
    "tapConfigurations": [],
    "vnetEncryptionSupported": False,
}

Prepare = Callable[[State, Json | None, Json], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type."""

    word: str
    """The type in Azure's case, without its namespace."""
    prepare: Prepare
    parts: tuple[str, ...] = ()
    """Collections of parts that have ids of their own."""
    writable: tuple[str, ...] = ()
    """Those of them that can be written one by one."""


def _nothing(state: State, before: Json | None, after: Json) -> None:
    """Complete nothing."""
    del state, before, after


def _security_group(state: State, before: Json | None, after: Json) -> None:
    del state, before
    properties = after["properties"]
    properties.setdefault("securityRules", [])
    rules.check(after["id"], properties["securityRules"])
    for rule in properties["securityRules"]:
        rule["properties"] = rules.completed(rule["properties"])
    properties["defaultSecurityRules"] = rules.defaults()


def _interface(state: State, before: Json | None, after: Json) -> None:
    properties = after["properties"]
    entries = properties.get("ipConfigurations") or []
    if not entries:
        raise ArmError(
            400,
            "NetworkInterfaceMustHaveOneIpConfiguration",
            f"Network interface {after['id']} must have one IP configuration.",
            unverified=True,
        )
    for each in entries:
        each.setdefault("properties", {})
    if not any(look(each, "properties.primary") for each in entries):
        entries[0]["properties"]["primary"] = True
    for each in entries[1:]:
        each["properties"].setdefault("primary", False)
    _check_public(state, before, after)
    allocation.settle(state, before, after, "ipConfigurations")
    # As recorded in Azure/azure-cli, network/tests/latest/recordings/test_network_nic.yaml: a hardware
    # address comes with the first machine; accelerated networking is told only where it was asked for.
    properties.pop("macAddress", None)
    if (mac := look(before, "properties.macAddress")) is not None:
        properties["macAddress"] = mac
    after["kind"] = "Regular"
    _complete_names(after, properties)
    for name, value in _INTERFACE_DEFAULTS.items():
        properties.setdefault(name, duplicate(value))


def _complete_names(after: Json, properties: Json) -> None:
    """Let an interface have the names by which its neighbours know it."""
    names = properties.setdefault("dnsSettings", {})
    names.setdefault("dnsServers", [])
    names.setdefault("appliedDnsServers", [])
    inside = identifier("domain", parse(after["id"]).group, after.get("location")).replace("-", "")[:26]
    names["internalDomainNameSuffix"] = f"{inside}.bx.internal.cloudapp.net"


def _check_public(state: State, before: Json | None, after: Json) -> None:
    """Refuse a public address that another resource has, or that two configurations ask for."""
    known = referrers(state, PUBLIC_IP)
    for link in ALL_LINKS:
        if link.target != PUBLIC_IP or link.source != _kind_of(after):
            continue
        had = {target.lower() for _, target in references(before or {"id": ""}, link)}
        seen: set[str] = set()
        for source, target in references(after, link):
            users = [
                user
                for back in ("ipConfiguration", "natGateway")
                for user in known.get((back, target.lower()), [])
                if not same(owner(user), after["id"])
            ]
            seeded = ids(look(state.find(target), "properties.ipConfiguration"))
            users += [
                user for user in seeded if state.find(owner(user)) is None and target.lower() not in had
            ]
            if users or target.lower() in seen:
                raise ArmError(
                    400,
                    "PublicIPAddressInUse",
                    f"Resource {source} is referencing public IP address {target} that is already allocated "
                    f"to resource {(users or [after['id']])[0]}.",
                    unverified=True,
                )
            seen.add(target.lower())


def _kind_of(resource: Json) -> str:
    return str(resource["type"]).lower()


def check_retired(before: Json | None, after: Json, now: datetime) -> None:
    """Refuse to make what can no longer be made."""
    is_basic = _kind_of(after) == PUBLIC_IP and same(look(after, "sku.name") or "Basic", "Basic")
    if before is None and is_basic and now >= _NO_BASIC_SINCE:
        # Recorded: github.com/skypilot-org/skypilot, issue 7977. Learn, "Upgrading a basic public IP address
        # to Standard SKU - Guidance": none can be created since 31 March 2025.
        raise ArmError(
            400,
            "IPv4BasicSkuPublicIpCountLimitReached",
            "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this "
            "region.",
        )


def _public_ip(state: State, before: Json | None, after: Json) -> None:
    properties = after["properties"]
    name = str(look(after, "sku.name") or "Basic")
    after["sku"] = {"name": name, "tier": look(after, "sku.tier") or "Regional"}
    if properties.get("publicIPAllocationMethod") is None:
        properties["publicIPAllocationMethod"] = "Dynamic" if same(name, "Basic") else "Static"
    is_static = same(properties["publicIPAllocationMethod"], "Static")
    if not is_static and not same(name, "Basic"):
        raise ArmError(
            400,
            "StandardSkuPublicIpMustBeStatic",
            f"Standard sku publicIp {after['id']} must have AllocationMethod set to Static.",
            unverified=True,
        )
    was_static = same(look(before, "properties.publicIPAllocationMethod"), "Static")
    user = next(iter(referrers(state, PUBLIC_IP).get(("ipConfiguration", after["id"].lower()), [])), None)
    if user is not None and was_static and not is_static:
        # Recorded in a public post-mortem of 28 November 2025 (Public IP, static to dynamic).
        raise ArmError(
            400,
            "PublicIPAddressInUseCannotUpdateToDynamic",
            f"Public IP address {after['id']} is in use by ipconfig {user} and cannot be updated from static "
            "to dynamic.",
        )
    label = look(properties, "dnsSettings.domainNameLabel")
    if isinstance(label, str):
        properties["dnsSettings"]["fqdn"] = f"{label}.{place(after.get('location'))}.cloudapp.azure.com"
    properties.setdefault("publicIPAddressVersion", "IPv4")
    properties.setdefault("idleTimeoutInMinutes", 4)
    properties.setdefault("ipTags", [])
    if not same(name, "Basic"):
        properties.setdefault("ddosSettings", {"protectionMode": "VirtualNetworkInherited"})
    address = look(before, "properties.ipAddress")
    properties.pop("ipAddress", None)
    if is_static or address is not None:
        properties["ipAddress"] = address or allocation.public_address(state)


def _load_balancer(state: State, before: Json | None, after: Json) -> None:
    _check_public(state, before, after)
    balancers.complete(state, before, after)


def _bastion(state: State, before: Json | None, after: Json) -> None:
    after["sku"] = after.get("sku") or {"name": "Standard"}
    _check_public(state, before, after)
    for each in after["properties"].get("ipConfigurations") or []:
        for target in ids(look(each, "properties.subnet")):
            sizes = [int(x.rsplit("/", 1)[-1]) for x in allocation.prefixes(part(state, target) or {})]
            if not same(target.rsplit("/", 1)[-1], "AzureBastionSubnet") or any(x > 26 for x in sizes):  # noqa: PLR2004
                # The rule: Learn, "About Azure Bastion configuration settings".
                raise ArmError(
                    400,
                    "BastionHostSubnetNotValid",
                    f"Bastion host {after['id']} needs a subnet named AzureBastionSubnet with a prefix of "
                    f"/26 or larger; {target} is not one.",
                    unverified=True,
                )


def _nat_gateway(state: State, before: Json | None, after: Json) -> None:
    after["sku"] = after.get("sku") or {"name": "Standard"}
    after["properties"].setdefault("idleTimeoutInMinutes", 4)
    _check_public(state, before, after)


def _route_table(state: State, before: Json | None, after: Json) -> None:
    del state, before
    after["properties"].setdefault("routes", [])
    after["properties"].setdefault("disableBgpRoutePropagation", False)


KINDS: dict[str, Kind] = {
    APPLICATION_GROUP: Kind(word="applicationSecurityGroups", prepare=_nothing),
    BASTION: Kind(word="bastionHosts", prepare=_bastion, parts=("ipConfigurations",)),
    INTERFACE: Kind(word="networkInterfaces", prepare=_interface, parts=("ipConfigurations",)),
    LOAD_BALANCER: Kind(
        word="loadBalancers",
        prepare=_load_balancer,
        parts=balancers.PARTS,
        writable=("backendAddressPools", "inboundNatRules"),
    ),
    NAT_GATEWAY: Kind(word="natGateways", prepare=_nat_gateway),
    PUBLIC_IP: Kind(word="publicIPAddresses", prepare=_public_ip),
    ROUTE_TABLE: Kind(word="routeTables", prepare=_route_table, parts=("routes",), writable=("routes",)),
    SECURITY_GROUP: Kind(
        word="networkSecurityGroups",
        prepare=_security_group,
        parts=("securityRules", "defaultSecurityRules"),
        writable=("securityRules",),
    ),
    VIRTUAL_NETWORK: Kind(
        word="virtualNetworks",
        prepare=virtual_networks.prepare,
        parts=("subnets", "virtualNetworkPeerings"),
        writable=("subnets", "virtualNetworkPeerings"),
    ),
}
