"""ARM JSON to the model: what stands around the network and inside the guest. See `model.access`.

Of what could open a port that nobody sees otherwise (firewalls, their rules, admin rules) a resource that
cannot be understood is not lost: `unread_firewall` and its siblings keep its id, so that whoever depends on
it is unknown and nobody else is touched.
"""

from collections.abc import Iterator

from readiness.azure.wire_network import addresses_of, ports_of, protocol_of
from readiness.azure.wire_values import (
    Json,
    MalformedError,
    flag,
    number,
    obj,
    objects,
    own_id,
    reference,
    references,
    resource_id,
    text,
    texts,
)
from readiness.model.access import (
    AddressTranslation,
    AdminAccess,
    AdminRule,
    AdminRules,
    Bastion,
    Firewall,
    FirewallPolicy,
    FirewallRuleGroup,
    NatGateway,
    Network,
    Peering,
    RouteTable,
    Subnet,
)
from readiness.model.ids import ResourceId


def network(resource: Json) -> Network:
    """Read a virtual network without its subnets' own facts."""
    network_id = own_id(resource)
    properties = obj(resource, "properties")
    return Network(
        id=network_id,
        peerings=tuple(_peerings(properties)),
        subnets=tuple(_subnet_id(entry, network_id) for entry in objects(properties, "subnets")),
        has_ddos_plan=flag(properties, "enableDdosProtection"),
    )


def subnets(resource: Json) -> tuple[Subnet, ...]:
    """Read the subnets that a virtual network lists."""
    network_id = own_id(resource)
    listed = objects(obj(resource, "properties"), "subnets")
    return tuple(_subnet(_subnet_id(entry, network_id), obj(entry, "properties")) for entry in listed)


def subnet(resource: Json) -> Subnet:
    """Read a subnet that came as a resource of its own."""
    return _subnet(own_id(resource), obj(resource, "properties"))


def route_table(resource: Json) -> RouteTable:
    """Read a route table."""
    routes = [obj(entry, "properties") for entry in objects(obj(resource, "properties"), "routes")]
    hops = {text(route, "addressPrefix"): text(route, "nextHopType") for route in routes}
    # Two halves are everything too, and win over one whole: they are the narrower routes.
    halves = {hops.get(prefix) for prefix in ("0.0.0.0/1", "128.0.0.0/1")}
    whole = hops.get("0.0.0.0/0")
    return RouteTable(id=own_id(resource), default_hop=halves.pop() or whole if len(halves) == 1 else whole)


def nat_gateway(resource: Json) -> NatGateway:
    """Read a NAT gateway."""
    properties = obj(resource, "properties")
    addresses = (
        *references(properties, "publicIpAddresses"),
        *references(properties, "publicIpPrefixes"),
    )
    return NatGateway(id=own_id(resource), has_address=bool(addresses))


def bastion(resource: Json) -> Bastion:
    """Read a Bastion. The Developer SKU names its network, all others have an address in it."""
    properties = obj(resource, "properties")
    within = [
        found.parent
        for entry in objects(properties, "ipConfigurations")
        if (found := reference(obj(entry, "properties"), "subnet"))
    ]
    return Bastion(
        id=own_id(resource),
        network=reference(properties, "virtualNetwork") or next(iter(within), None),
        sku=text(obj(resource, "sku"), "name") or "Basic",
    )


def firewall(resource: Json) -> Firewall:
    """Read an Azure Firewall with the DNAT rules of its classic rule collections."""
    properties = obj(resource, "properties")
    collections = objects(properties, "natRuleCollections")
    return Firewall(
        id=own_id(resource),
        network=_firewall_network(resource),
        policy=reference(properties, "firewallPolicy"),
        tier=text(obj(properties, "sku"), "tier"),
        translations=tuple(
            found
            for collection in collections
            for rule in objects(obj(collection, "properties"), "rules")
            for found in _translation(rule, texts(rule, "protocols"))
        ),
    )


def unread_firewall(resource: Json) -> Firewall:
    """Keep of a firewall that cannot be understood where it stands, as far as that can be read."""
    try:
        within = _firewall_network(resource)
    except MalformedError:
        within = None
    return Firewall(id=own_id(resource), network=within, is_understood=False)


def firewall_policy(resource: Json) -> FirewallPolicy:
    """Read a firewall policy. DNAT rules are not inherited, so the policy above it does not count."""
    properties = obj(resource, "properties")
    return FirewallPolicy(
        id=own_id(resource),
        rule_groups=references(properties, "ruleCollectionGroups"),
        inspects_tls=bool(obj(obj(properties, "transportSecurity"), "certificateAuthority")),
        intrusion_detection=text(obj(properties, "intrusionDetection"), "mode"),
    )


def firewall_rule_group(resource: Json) -> FirewallRuleGroup:
    """Read a rule collection group of a firewall policy."""
    found: list[AddressTranslation] = []
    for collection in objects(obj(resource, "properties"), "ruleCollections"):
        if (text(obj(collection, "action"), "type") or "").lower() == "dnat":
            for rule in objects(collection, "rules"):
                found.extend(_translation(rule, texts(rule, "ipProtocols")))
    return FirewallRuleGroup(id=own_id(resource), translations=tuple(found))


def unread_firewall_rule_group(resource: Json) -> FirewallRuleGroup:
    """Keep that a rule collection group exists which cannot be understood."""
    return FirewallRuleGroup(id=own_id(resource), is_understood=False)


def admin_rules(resource: Json) -> AdminRules:
    """Read the security admin rules in force on a network.

    As the network's `listNetworkManagerEffectiveSecurityAdminRules` answers them, kept under the network's
    id with `value` as it came or under `properties`, or as a row of Resource Graph.
    """
    properties = obj(resource, "properties")
    listed = [*objects(resource, "value"), *objects(properties, "value"), *objects(properties, "rules")]
    found = [rule for entry in listed if (rule := _admin_rule(entry)) is not None]
    return AdminRules(id=_guarded_network(resource), rules=tuple(found))


def unread_admin_rules(resource: Json) -> AdminRules:
    """Keep that admin rules are in force on a network which cannot be understood."""
    return AdminRules(id=_guarded_network(resource), is_understood=False)


def _subnet_id(entry: Json, network_id: ResourceId) -> ResourceId:
    return resource_id(entry, "id") or ResourceId(f"{network_id}/subnets/{text(entry, 'name')}")


def _subnet(subnet_id: ResourceId, properties: Json) -> Subnet:
    one = text(properties, "addressPrefix")
    delegations = objects(properties, "delegations")
    services = [text(obj(entry, "properties"), "serviceName") or "" for entry in delegations]
    return Subnet(
        id=subnet_id,
        prefixes=tuple(dict.fromkeys([*([one] if one else []), *texts(properties, "addressPrefixes")])),
        default_outbound=flag(properties, "defaultOutboundAccess"),
        nat_gateway=reference(properties, "natGateway"),
        route_table=reference(properties, "routeTable"),
        delegations=tuple(service.lower() for service in services if service),
    )


def _peerings(properties: Json) -> Iterator[Peering]:
    for entry in objects(properties, "virtualNetworkPeerings"):
        peering = obj(entry, "properties")
        remote = reference(peering, "remoteVirtualNetwork")
        if remote is not None:
            state = (text(peering, "peeringState") or "").lower()
            yield Peering(name=text(entry, "name") or "", remote=remote, is_connected=state == "connected")


def _firewall_network(resource: Json) -> ResourceId | None:
    for entry in objects(obj(resource, "properties"), "ipConfigurations"):
        found = reference(obj(entry, "properties"), "subnet")
        if found is not None:
            return found.parent
    return None


def _translation(rule: Json, protocols: tuple[str, ...]) -> Iterator[AddressTranslation]:
    if protocols and not {protocol.lower() for protocol in protocols} & {"tcp", "any"}:
        return
    name = text(rule, "name") or ""
    address, port = text(rule, "translatedAddress"), text(rule, "translatedPort")
    if port is None or (address is None and not text(rule, "translatedFqdn")):
        raise MalformedError(f"its rule '{name}' does not say where it leads to")
    targets = addresses_of(texts(rule, "destinationAddresses"), name)
    if targets and all(_is_private(target) for target in targets):
        return
    ports_of((port,), name)
    yield AddressTranslation(
        name=name,
        address=address or "",
        port=port,
        host=(text(rule, "translatedFqdn") or "").lower().rstrip(".") if address is None else "",
        sources=addresses_of(texts(rule, "sourceAddresses"), name),
    )


def _is_private(address: str) -> bool:
    # A DNAT rule on one of the firewall's private addresses leads nobody in from the internet.
    return address.startswith(("10.", "192.168.")) or any(
        address.startswith(f"172.{second}.") for second in range(16, 32)
    )


def _guarded_network(resource: Json) -> ResourceId:
    found = own_id(resource)
    head, divided, _ = found.key.partition("/providers/microsoft.network/virtualnetworks/")
    if not divided:
        raise MalformedError("it does not say which virtual network its rules are in force on")
    name = found.text[len(head) + len(divided) :].partition("/")[0]
    return ResourceId(f"{found.text[: len(head)]}{found.text[len(head) : len(head) + len(divided)]}{name}")


def _admin_rule(entry: Json) -> AdminRule | None:
    properties = obj(entry, "properties")
    if (text(properties, "direction") or "").lower() == "outbound":
        return None
    name = text(properties, "displayName") or text(entry, "id") or ""
    priority = number(properties, "priority")
    access = (text(properties, "access") or "").lower()
    if priority is None or access not in _ADMIN_ACCESS:
        raise MalformedError(f"its rule '{name}' lacks a priority or an access")
    return AdminRule(
        name=name.rpartition("/")[2],
        priority=priority,
        access=_ADMIN_ACCESS[access],
        protocol=protocol_of(properties, name),
        sources=_admin_addresses(properties, "sources", name),
        destinations=_admin_addresses(properties, "destinations", name),
        destination_ports=ports_of(texts(properties, "destinationPortRanges"), name) or ("*",),
        source_ports=ports_of(texts(properties, "sourcePortRanges"), name) or ("*",),
    )


def _admin_addresses(properties: Json, key: str, name: str) -> tuple[str, ...]:
    found = []
    for entry in objects(properties, key):
        if (text(entry, "addressPrefixType") or "").lower() == "networkgroup":
            found.append(NETWORK_GROUP)
        else:
            found.extend(addresses_of((text(entry, "addressPrefix") or "*",), name))
    return tuple(found) or ("*",)


NETWORK_GROUP = "networkgroup:"
"""Stands for the addresses of a network group, which are private and listed elsewhere."""
_ADMIN_ACCESS = {entry.value: entry for entry in AdminAccess}
