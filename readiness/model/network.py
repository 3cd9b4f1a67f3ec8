"""The part of the network that decides whether a management port can be reached from the internet."""

from msgspec import Struct

from readiness.model.ids import ResourceId


class IpConfiguration(Struct, frozen=True, kw_only=True):
    """One IP configuration of a network interface."""

    id: ResourceId | None = None
    private_address: str | None = None
    public_ip: ResourceId | None = None
    subnet: ResourceId | None = None
    load_balancer_pools: tuple[ResourceId, ...] = ()
    inbound_nat_rules: tuple[ResourceId, ...] = ()
    """Inbound NAT rules of load balancers that lead here."""
    security_groups: tuple[ResourceId, ...] = ()
    """Application security groups of this configuration."""


class Nic(Struct, frozen=True, kw_only=True):
    """One network interface."""

    id: ResourceId
    ip_configurations: tuple[IpConfiguration, ...] = ()
    network_security_group: ResourceId | None = None
    forwards: bool | None = None
    """`enableIPForwarding`: it passes on traffic of other machines."""


class SecurityRule(Struct, frozen=True, kw_only=True):
    """One rule of a network security group, singular and plural fields merged."""

    name: str
    priority: int
    allows: bool
    inbound: bool
    protocol: str
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    destination_ports: tuple[str, ...] = ()
    source_ports: tuple[str, ...] = ("*",)
    source_groups: tuple[ResourceId, ...] = ()
    destination_groups: tuple[ResourceId, ...] = ()
    description: str = ""


class NetworkSecurityGroup(Struct, frozen=True, kw_only=True):
    """One network security group with its own rules; Azure's default rules are implied."""

    id: ResourceId
    rules: tuple[SecurityRule, ...] = ()


class PublicIp(Struct, frozen=True, kw_only=True):
    """One public IP address. Basic: open until a rule denies. Standard: closed until one allows."""

    id: ResourceId
    address: str | None = None
    host: str | None = None
    """The public name that stands for it, in lower case."""
    is_basic: bool = False
    ddos_mode: str | None = None
    """`ddosSettings.protectionMode`: `VirtualNetworkInherited`, `Enabled` or `Disabled`."""


class LoadBalancerPath(Struct, frozen=True, kw_only=True):
    """One way through a load balancer: a rule or an inbound NAT rule to a backend port."""

    name: str
    backend_port: int
    is_public: bool
    frontend_ports: tuple[int, int] = (0, 0)
    """The first and the last port outside; 0 stands for all."""
    frontend_address: str | None = None
    """The private address that it takes in, where it has one."""
    pool: ResourceId | None = None
    ip_configuration: ResourceId | None = None
    floating_ip: bool = False
    """`enableFloatingIP`: members answer to the frontend's own address, as listeners of clusters do."""


class PoolMember(Struct, frozen=True, kw_only=True):
    """One member of a load balancer's pool, as the load balancer names it.

    By its IP configuration, or by an address in a virtual network, which no interface knows of.
    """

    pool: ResourceId
    ip_configuration: ResourceId | None = None
    address: str | None = None
    network: ResourceId | None = None
    """The virtual network of the address; None where it was not reported."""


class LoadBalancer(Struct, frozen=True, kw_only=True):
    """One load balancer or application gateway, reduced to the paths through it."""

    id: ResourceId
    relay: ResourceId | None = None
    """The subnet that a gateway speaks from to its members; None where callers keep their own address."""
    is_basic: bool = False
    paths: tuple[LoadBalancerPath, ...] = ()
    pools: tuple[ResourceId, ...] = ()
    members: tuple[PoolMember, ...] = ()
    outbound_pools: tuple[ResourceId, ...] = ()
    """Pools whose members reach the internet through a public frontend of this load balancer."""
