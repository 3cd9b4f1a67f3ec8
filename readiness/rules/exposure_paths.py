"""The ways that lead to an IP configuration, whoever the guards before it let through.

From the internet: its own public address; a rule or an inbound NAT rule of a load balancer, to itself or to a
pool it is in by interface or by address; destination NAT of an Azure Firewall in its own or a joined network.
Rules see the private address and the backend port, whatever the port outside.

A firewall may lead to a VM's address, to a load balancer's private frontend, or to a name: the name of a
public address is looked up, any other could stand for whatever is behind the firewall. An application gateway
that passes on a management port speaks from its own subnet. Does not see: destination NAT of another vendor's
appliance, and what a route outside Azure leads in.
"""

from collections.abc import Iterator

from msgspec import Struct

from readiness.model.access import AddressTranslation, Firewall
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration, LoadBalancerPath

MANAGEMENT_PORTS = (22, 3389, 5985, 5986)


class Way(Struct, frozen=True):
    """A way from the internet to an IP configuration."""

    resource: ResourceId
    ports: tuple[int, ...]
    is_basic: bool | None
    """None where nobody read whether it is."""
    is_certain: bool = True
    """False where something was not read, so that it may lead somewhere else, or nowhere."""
    sources: tuple[str, ...] = ("*",)
    """Whom it lets in by itself."""
    is_relayed: bool = False
    """A firewall or gateway passes it on, so that it may look as if it came from there."""
    relay: ResourceId | None = None
    """The subnet it is passed on from; None where it is not known."""


def may_be_reached(configuration: IpConfiguration, estate: Estate) -> bool:
    """Tell at little cost whether it is worth looking for ways: most VMs have none."""
    return bool(
        configuration.public_ip is not None
        or configuration.load_balancer_pools
        or configuration.inbound_nat_rules
        or estate.load_balancers
        or estate.access.firewalls
    )


def ways_to(configuration: IpConfiguration, estate: Estate) -> list[Way]:
    """Return every way from the internet to an IP configuration."""
    ways = [*_own(configuration, estate)]
    if estate.load_balancers or configuration.load_balancer_pools or configuration.inbound_nat_rules:
        ways.extend(_balanced(configuration, estate))
    if estate.access.firewalls:
        ways.extend(_translated(configuration, estate))
    return ways


def private_ways(configuration: IpConfiguration, estate: Estate) -> tuple[str, ...]:
    """Return, in words, what leads to an IP configuration without the internet."""
    if configuration.subnet is None or not estate.access.networks:
        return ()
    network = configuration.subnet.parent
    return estate.remembered(("private", network.key), lambda: tuple(_private(network, estate)))


def _own(configuration: IpConfiguration, estate: Estate) -> Iterator[Way]:
    if configuration.public_ip is not None:
        address = estate.public_ips.get(configuration.public_ip)
        yield Way(configuration.public_ip, MANAGEMENT_PORTS, address.is_basic if address else None)


def _balanced(configuration: IpConfiguration, estate: Estate) -> Iterator[Way]:
    for balancer, path in estate.paths_to(configuration):
        # Backend port 0 is a rule for all ports.
        ports = tuple(port for port in MANAGEMENT_PORTS if path.backend_port in (0, port))
        if path.is_public and ports:
            relay = balancer.relay
            yield Way(balancer.id, ports, balancer.is_basic, is_relayed=relay is not None, relay=relay)
    entrances = (*configuration.load_balancer_pools, *configuration.inbound_nat_rules)
    for balancer_id in dict.fromkeys(entry.parent for entry in entrances):
        if balancer_id.type == _LOAD_BALANCER and estate.load_balancer(balancer_id) is None:
            yield Way(balancer_id, MANAGEMENT_PORTS, None, is_certain=False)


def _translated(configuration: IpConfiguration, estate: Estate) -> Iterator[Way]:
    network = configuration.subnet.parent if configuration.subnet else None
    for firewall in _firewalls_before(network, estate) if network else estate.access.firewalls:
        # In a virtual hub nobody can tell which networks are behind the firewall.
        is_certain = firewall.network is not None and network is not None
        listed, missing = _rules_of(firewall, estate)
        for entry in listed:
            ports, is_sure = _leads_to(configuration, entry, estate)
            if ports:
                yield Way(
                    firewall.id,
                    ports,
                    is_basic=False,
                    is_certain=is_certain and is_sure,
                    sources=entry.sources or ("*",),
                    is_relayed=True,
                    relay=_firewall_subnet(firewall),
                )
        if is_certain:
            yield from (_unsure(resource, firewall) for resource in missing)


def _rules_of(
    firewall: Firewall, estate: Estate
) -> tuple[tuple[AddressTranslation, ...], tuple[ResourceId, ...]]:
    """Return a firewall's DNAT rules, and what would have to be read to know them all."""
    policy = firewall.policy
    if not firewall.is_understood:
        return (), (firewall.id,)
    if policy is None:
        return firewall.translations, ()
    groups = estate.access.rule_groups_of(policy)
    listed = (*firewall.translations, *(entry for group in groups for entry in group.translations))
    doubtful = tuple(group.id for group in groups if not group.is_understood)
    return listed, (*doubtful, *_unread_groups(policy, estate))


def _leads_to(
    configuration: IpConfiguration, entry: AddressTranslation, estate: Estate
) -> tuple[tuple[int, ...], bool]:
    """Return the management ports that a firewall's rule leads to here, and whether that is certain."""
    public = estate.public_ips.get(configuration.public_ip) if configuration.public_ip else None
    if entry.host:
        named = estate.public_address_named(entry.host)
        # Nobody can tell which VM any other name stands for: it may be this one.
        return (_translated_ports(entry) if named in (None, public) else ()), named is not None
    if entry.address in (configuration.private_address, public.address if public else None):
        return _translated_ports(entry), True
    paths = (path for _, path in estate.paths_to(configuration) if path.frontend_address == entry.address)
    return tuple(dict.fromkeys(port for path in paths for port in _balanced_ports(entry, path))), True


def _translated_ports(entry: AddressTranslation) -> tuple[int, ...]:
    return tuple(port for port in MANAGEMENT_PORTS if entry.port in (str(port), "*"))


def _balanced_ports(entry: AddressTranslation, path: LoadBalancerPath) -> tuple[int, ...]:
    """Return the management ports that a translation reaches through a load balancer's path."""
    if path.backend_port == 0:
        return _translated_ports(entry)
    first, last = path.frontend_ports
    is_taken = entry.port == "*" or (entry.port.isdigit() and first <= int(entry.port) <= last)
    return (path.backend_port,) if is_taken and path.backend_port in MANAGEMENT_PORTS else ()


def _firewall_subnet(firewall: Firewall) -> ResourceId | None:
    return ResourceId(f"{firewall.network}/subnets/AzureFirewallSubnet") if firewall.network else None


def _unsure(missing: ResourceId, firewall: Firewall) -> Way:
    return Way(
        missing,
        MANAGEMENT_PORTS,
        is_basic=False,
        is_certain=False,
        is_relayed=True,
        relay=_firewall_subnet(firewall),
    )


def _firewalls_before(network: ResourceId, estate: Estate) -> tuple[Firewall, ...]:
    peers = estate.access.peers_of(network)
    return estate.remembered(
        ("firewalls", network.key),
        lambda: tuple(
            firewall
            for firewall in estate.access.firewalls
            if firewall.network is None or firewall.network == network or firewall.network in peers
        ),
    )


def _unread_groups(policy: ResourceId, estate: Estate) -> tuple[ResourceId, ...]:
    """Return what a firewall's policy consists of and nobody read."""
    found = estate.access.firewall_policies.get(policy)
    if found is None:
        return () if estate.access.rule_groups_of(policy) else (policy,)
    return tuple(group for group in found.rule_groups if group not in estate.access.firewall_rule_groups)


def _private(network: ResourceId, estate: Estate) -> Iterator[str]:
    found = estate.access.networks.get(network)
    for peer in sorted(estate.access.peers_of(network)):
        yield f"the joined network {peer.name}"
    for reachable in (network, *sorted(estate.access.peers_of(network))):
        joined = estate.access.networks.get(reachable)
        if joined is not None and joined.has_gateway:
            yield f"a VPN or ExpressRoute gateway in {reachable.name}"
    if found is not None:
        yield from (f"Bastion {entry.name}" for entry in bastions_for(network, estate))


def bastions_for(network: ResourceId, estate: Estate) -> tuple[ResourceId, ...]:
    """Return the Bastions that get at VMs in a network: its own, and those of joined networks that may."""
    peers = estate.access.peers_of(network)
    return tuple(
        entry.id
        for entry in estate.access.bastions
        if entry.network == network or (entry.network in peers and entry.reaches_peers)
    )


_LOAD_BALANCER = "microsoft.network/loadbalancers"
