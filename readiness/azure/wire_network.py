"""ARM JSON to the model: the part of the network that decides whether a port can be reached.

A security group with one rule that cannot be understood is not understood as a whole: that rule could be
the one that decides.
"""

from collections.abc import Iterator

from readiness.azure.wire_values import (
    Json,
    MalformedError,
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
    return PublicIp(
        id=own_id(resource),
        address=text(obj(resource, "properties"), "ipAddress"),
        is_basic=_is_basic(resource),
    )


def load_balancer(resource: Json) -> LoadBalancer:
    """Read a load balancer, reduced to the paths through it."""
    properties = obj(resource, "properties")
    public = {
        resource_id(entry, "id"): _is_public(obj(entry, "properties"))
        for entry in objects(properties, "frontendIPConfigurations")
    }
    paths = [
        path
        for key in ("loadBalancingRules", "inboundNatRules")
        for entry in objects(properties, key)
        for path in _paths(entry, public)
    ]
    return LoadBalancer(
        id=own_id(resource),
        is_basic=_is_basic(resource),
        paths=tuple(paths),
        pools=references(properties, "backendAddressPools"),
    )


def _ip_configuration(entry: Json) -> IpConfiguration:
    properties = obj(entry, "properties")
    return IpConfiguration(
        id=resource_id(entry, "id"),
        private_address=text(properties, "privateIPAddress"),
        public_ip=reference(properties, "publicIPAddress"),
        subnet=reference(properties, "subnet"),
        load_balancer_pools=references(properties, "loadBalancerBackendAddressPools"),
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
        protocol=text(properties, "protocol") or "*",
        sources=_merged(properties, "sourceAddressPrefix", "sourceAddressPrefixes"),
        destinations=_merged(properties, "destinationAddressPrefix", "destinationAddressPrefixes"),
        destination_ports=_merged(properties, "destinationPortRange", "destinationPortRanges"),
        source_groups=references(properties, "sourceApplicationSecurityGroups"),
        destination_groups=references(properties, "destinationApplicationSecurityGroups"),
    )


def _merged(properties: Json, singular: str, plural: str) -> tuple[str, ...]:
    # Azure fills the one or the other and leaves its sibling null, absent or empty.
    one = text(properties, singular)
    found = ((one,) if one else ()) + texts(properties, plural)
    return tuple(part.strip() for entry in found for part in entry.split(","))


def _paths(entry: Json, public: dict[ResourceId | None, bool]) -> Iterator[LoadBalancerPath]:
    properties = obj(entry, "properties")
    port = number(properties, "backendPort")
    if port is None:
        raise MalformedError(f"its rule '{text(entry, 'name')}' has no backend port")
    frontend = reference(properties, "frontendIPConfiguration")
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
            pool=pool,
            ip_configuration=configuration,
        )


def _is_public(frontend: Json) -> bool:
    return bool(reference(frontend, "publicIPAddress") or reference(frontend, "publicIPPrefix"))


def _is_basic(resource: Json) -> bool:
    return (text(obj(resource, "sku"), "name") or "Basic").lower() == "basic"
