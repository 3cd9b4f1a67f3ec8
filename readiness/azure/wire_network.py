"""ARM JSON to the model: the part of the network that decides whether a port can be reached.

A security group with one rule that cannot be understood is not understood as a whole: that rule could be
the one that decides.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network

from msgspec.structs import replace

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
from readiness.model.ids import ResourceId
from readiness.model.network import (
    IpConfiguration,
    LoadBalancer,
    LoadBalancerPath,
    NetworkSecurityGroup,
    Nic,
    PoolMember,
    PublicIp,
    SecurityRule,
)


def nic(resource: Json) -> Nic:
    """Read a network interface."""
    properties = obj(resource, "properties")
    return Nic(
        id=own_id(resource),
        ip_configurations=tuple(
            _ip_configuration(entry) for entry in objects(properties, "ipConfigurations")
        ),
        network_security_group=reference(properties, "networkSecurityGroup"),
        forwards=flag(properties, "enableIPForwarding"),
    )


def network_security_group(resource: Json) -> NetworkSecurityGroup:
    """Read a network security group's own rules."""
    properties = obj(resource, "properties")
    return NetworkSecurityGroup(
        id=own_id(resource),
        rules=tuple(_security_rule(entry) for entry in objects(properties, "securityRules")),
    )


def subnet_security_groups(resource: Json) -> dict[ResourceId, ResourceId | None]:
    """Read a virtual network: each of its subnets with its security group, None where it has none."""
    network = own_id(resource)
    found = {}
    for entry in objects(obj(resource, "properties"), "subnets"):
        subnet = resource_id(entry, "id") or ResourceId(f"{network}/subnets/{text(entry, 'name')}")
        found[subnet] = reference(obj(entry, "properties"), "networkSecurityGroup")
    return found


def subnet_security_group(resource: Json) -> tuple[ResourceId, ResourceId | None]:
    """Read a subnet that came as a resource of its own."""
    return own_id(resource), reference(obj(resource, "properties"), "networkSecurityGroup")


def public_ip(resource: Json) -> PublicIp:
    """Read a public IP address. Without a SKU it is a Basic one, the default of the first API versions."""
    properties = obj(resource, "properties")
    return PublicIp(
        id=own_id(resource),
        address=text(properties, "ipAddress"),
        host=(text(obj(properties, "dnsSettings"), "fqdn") or "").lower().rstrip(".") or None,
        is_basic=_is_basic(resource),
        ddos_mode=text(obj(properties, "ddosSettings"), "protectionMode"),
    )


def load_balancer(resource: Json) -> LoadBalancer:
    """Read a load balancer, reduced to the paths through it."""
    properties = obj(resource, "properties")
    public = {
        resource_id(entry, "id"): _is_public(obj(entry, "properties"))
        for entry in objects(properties, "frontendIPConfigurations")
    }
    private = {
        resource_id(entry, "id"): text(obj(entry, "properties"), "privateIPAddress")
        for entry in objects(properties, "frontendIPConfigurations")
    }
    paths = [
        replace(path, frontend_address=private.get(reference(obj(entry, "properties"), _FRONTEND)))
        for key in ("loadBalancingRules", "inboundNatRules")
        for entry in objects(properties, key)
        for path in _paths(entry, public)
    ]
    return LoadBalancer(
        id=own_id(resource),
        is_basic=_is_basic(resource),
        paths=tuple(paths),
        pools=references(properties, "backendAddressPools"),
        members=tuple(
            member for entry in objects(properties, "backendAddressPools") for member in _members(entry)
        ),
        outbound_pools=tuple(dict.fromkeys(_outbound_pools(properties, public))),
    )


def _ip_configuration(entry: Json) -> IpConfiguration:
    properties = obj(entry, "properties")
    return IpConfiguration(
        id=resource_id(entry, "id"),
        private_address=text(properties, "privateIPAddress"),
        public_ip=reference(properties, "publicIPAddress"),
        subnet=reference(properties, "subnet"),
        load_balancer_pools=(
            *references(properties, "loadBalancerBackendAddressPools"),
            *references(properties, "applicationGatewayBackendAddressPools"),
        ),
        inbound_nat_rules=references(properties, "loadBalancerInboundNatRules"),
        security_groups=references(properties, "applicationSecurityGroups"),
    )


def _security_rule(entry: Json) -> SecurityRule:
    properties = obj(entry, "properties")
    name = text(entry, "name") or ""
    priority = number(properties, "priority")
    access = (text(properties, "access") or "").lower()
    direction = (text(properties, "direction") or "").lower()
    if priority is None or access not in ("allow", "deny") or direction not in ("inbound", "outbound"):
        raise MalformedError(f"its rule '{name}' lacks a priority, an access or a direction")
    return SecurityRule(
        name=name,
        priority=priority,
        allows=access == "allow",
        inbound=direction == "inbound",
        protocol=protocol_of(properties, name),
        sources=_addresses(properties, "sourceAddressPrefix", name),
        destinations=_addresses(properties, "destinationAddressPrefix", name),
        destination_ports=ports_of(
            _merged(properties, "destinationPortRange", "destinationPortRanges"), name
        ),
        source_ports=ports_of(_merged(properties, "sourcePortRange", "sourcePortRanges"), name) or ("*",),
        source_groups=references(properties, "sourceApplicationSecurityGroups"),
        destination_groups=references(properties, "destinationApplicationSecurityGroups"),
        description=text(properties, "description") or "",
    )


def protocol_of(rule: Json, name: str) -> str:
    """Return a rule's protocol, which must be one that Azure knows."""
    protocol = text(rule, "protocol") or "*"
    if protocol.lower() not in _PROTOCOLS:
        raise MalformedError(f"its rule '{name}' has the unknown protocol '{protocol}'")
    return protocol


def ports_of(ports: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return a rule's ports, each of which must be a number, a range or everything."""
    for entry in ports:
        if not _is_ports(entry):
            raise MalformedError(
                f"its rule '{name}' has the port '{entry}', which is neither number nor range"
            )
    return ports


def addresses_of(prefixes: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return a rule's addresses; what looks like an address must be one, any other word is a service tag."""
    for entry in prefixes:
        if not _is_address_or_tag(entry):
            raise MalformedError(f"its rule '{name}' has the address '{entry}', which is none")
    return prefixes


@lru_cache(maxsize=4096)
def _is_ports(ports: str) -> bool:
    if ports.lower() in ("*", "any"):
        return True
    first, dash, last = (part.strip() for part in ports.partition("-"))
    numbers = [first, last] if dash else [first]
    if not all(part.isascii() and part.isdigit() and len(part) <= _PORT_DIGITS for part in numbers):
        return False
    return int(numbers[0]) <= int(numbers[-1]) <= _LAST_PORT


@lru_cache(maxsize=65536)
def _is_address_or_tag(prefix: str) -> bool:
    if not (prefix[:1].isdigit() or ":" in prefix or "/" in prefix):
        return True
    first, dash, last = (part.strip() for part in prefix.partition("-"))
    try:
        if dash:
            return ip_address(first).version == ip_address(last).version
        return bool(ip_network(prefix, strict=False))
    except ValueError:
        return False


def _addresses(properties: Json, singular: str, name: str) -> tuple[str, ...]:
    return addresses_of(_merged(properties, singular, f"{singular}es"), name)


def _merged(properties: Json, singular: str, plural: str) -> tuple[str, ...]:
    # Azure fills the one or the other and leaves its sibling null, absent or empty.
    one = text(properties, singular)
    found = ((one,) if one else ()) + texts(properties, plural)
    return tuple(part.strip() for entry in found for part in entry.split(","))


def _paths(entry: Json, public: dict[ResourceId | None, bool]) -> Iterator[LoadBalancerPath]:
    properties = obj(entry, "properties")
    if (text(properties, "protocol") or "").lower() == "udp":
        return  # Every port this asks about is a TCP port.
    port = number(properties, "backendPort")
    if port is None:
        raise MalformedError(f"its rule '{text(entry, 'name')}' has no backend port")
    frontend = reference(properties, _FRONTEND)
    first = number(properties, "frontendPort")
    if first is None:
        first = number(properties, "frontendPortRangeStart") or 0
    pools = dict.fromkeys(
        [*references(properties, "backendAddressPools"), reference(properties, "backendAddressPool")]
    )
    target = reference(properties, "backendIPConfiguration")
    for pool, configuration in [
        *((pool, None) for pool in pools if pool),
        *([(None, target)] if target else []),
    ]:
        yield LoadBalancerPath(
            name=text(entry, "name") or "",
            backend_port=port,
            # A frontend that is not listed may be public; only a private one that was seen is private.
            is_public=public.get(frontend, True),
            frontend_ports=(first, number(properties, "frontendPortRangeEnd") or first),
            pool=pool,
            ip_configuration=configuration,
            floating_ip=flag(properties, "enableFloatingIP") is True,
        )


def _members(pool: Json) -> Iterator[PoolMember]:
    pool_id = resource_id(pool, "id")
    if pool_id is None:
        return
    properties = obj(pool, "properties")
    for configuration in references(properties, "backendIPConfigurations"):
        yield PoolMember(pool=pool_id, ip_configuration=configuration)
    for entry in objects(properties, "loadBalancerBackendAddresses"):
        member = obj(entry, "properties")
        subnet = reference(member, "subnet")
        yield PoolMember(
            pool=pool_id,
            ip_configuration=reference(member, "networkInterfaceIPConfiguration"),
            address=text(member, "ipAddress"),
            network=(
                reference(member, "virtualNetwork")
                or reference(properties, "virtualNetwork")
                or (subnet.parent if subnet else None)
            ),
        )


def _outbound_pools(properties: Json, public: dict[ResourceId | None, bool]) -> Iterator[ResourceId]:
    # Learn, "Outbound rules": a load-balancing rule gives a way out as well, unless it is told not to.
    for entry in objects(properties, "outboundRules"):
        rule = obj(entry, "properties")
        pool = reference(rule, "backendAddressPool")
        if pool and any(public.get(one, False) for one in references(rule, "frontendIPConfigurations")):
            yield pool
    for entry in objects(properties, "loadBalancingRules"):
        rule = obj(entry, "properties")
        if flag(rule, "disableOutboundSnat") or not public.get(reference(rule, "frontendIPConfiguration")):
            continue
        yield from references(rule, "backendAddressPools")
        pool = reference(rule, "backendAddressPool")
        if pool:
            yield pool


def _is_public(frontend: Json) -> bool:
    return bool(reference(frontend, "publicIPAddress") or reference(frontend, "publicIPPrefix"))


def _is_basic(resource: Json) -> bool:
    return (text(obj(resource, "sku"), "name") or "Basic").lower() == "basic"


_FRONTEND = "frontendIPConfiguration"
_PROTOCOLS = ("*", "any", "all", "tcp", "udp", "icmp", "ah", "esp", "icmpv6")
_LAST_PORT = 65535
_PORT_DIGITS = 5
