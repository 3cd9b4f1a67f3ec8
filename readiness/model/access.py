"""What decides who gets at a VM, beside its interfaces and security groups, and how it lets people in.

Virtual networks and what they are joined to, the guards before them (admin rules, firewalls), the doors that
replace an open port (Bastion, just-in-time access), and the identities that VMs are given.
`Access` answers for the whole estate. A lookup that finds nothing answers with nothing; what was listed but
could not be understood is marked as such, so that its absence is never taken for a fact.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from readiness.model.ids import ResourceId


class Subnet(Struct, frozen=True, kw_only=True):
    """One subnet: where it lies, and how its members get out."""

    id: ResourceId
    prefixes: tuple[str, ...] = ()
    default_outbound: bool | None = None
    """`defaultOutboundAccess`; None where it was not reported, as on subnets older than the property."""
    nat_gateway: ResourceId | None = None
    route_table: ResourceId | None = None
    delegations: tuple[str, ...] = ()
    """Services the subnet is delegated to, in lower case: `microsoft.sql/managedinstances`."""


class Peering(Struct, frozen=True, kw_only=True):
    """One side of a peering: what this network is joined to."""

    name: str
    remote: ResourceId
    is_connected: bool = False


class Network(Struct, frozen=True, kw_only=True):
    """One virtual network."""

    id: ResourceId
    peerings: tuple[Peering, ...] = ()
    subnets: tuple[ResourceId, ...] = ()
    has_ddos_plan: bool | None = None
    """`enableDdosProtection`: DDoS Network Protection covers the addresses in it."""

    @property
    def has_gateway(self) -> bool:
        """Whether it has the subnet that VPN and ExpressRoute gateways live in."""
        return any(subnet.name.lower() == "gatewaysubnet" for subnet in self.subnets)


class RouteTable(Struct, frozen=True, kw_only=True):
    """One route table, reduced to where it sends what leaves for the internet."""

    id: ResourceId
    default_hop: str | None = None
    """`nextHopType` of the route for everything; None where there is no such route."""


class NatGateway(Struct, frozen=True, kw_only=True):
    """One NAT gateway. Without a public address of its own it leads nobody out."""

    id: ResourceId
    has_address: bool = False


class Bastion(Struct, frozen=True, kw_only=True):
    """One Azure Bastion. Without a SKU it is a Basic one, as they all were at first."""

    id: ResourceId
    network: ResourceId | None = None
    sku: str = "Basic"

    @property
    def reaches_peers(self) -> bool:
        """Whether it gets at VMs in peered networks; a SKU this release does not know does not."""
        return self.sku.lower() in ("basic", "standard", "premium")


class AddressTranslation(Struct, frozen=True, kw_only=True):
    """One DNAT rule of a firewall: who may come in, and which private address and port they get to."""

    name: str
    address: str
    """Empty where it leads to a name."""
    port: str
    host: str = ""
    """The name it leads to, in lower case; empty where it leads to an address."""
    sources: tuple[str, ...] = ()
    """Addresses and tags; empty where the rule names groups of addresses that are kept elsewhere."""


class Firewall(Struct, frozen=True, kw_only=True):
    """One Azure Firewall with the DNAT rules it carries itself."""

    id: ResourceId
    network: ResourceId | None = None
    """Its virtual network; None in a virtual hub, or where it was not reported."""
    policy: ResourceId | None = None
    tier: str | None = None
    """`Basic`, `Standard` or `Premium`."""
    translations: tuple[AddressTranslation, ...] = ()
    is_understood: bool = True


class FirewallPolicy(Struct, frozen=True, kw_only=True):
    """One firewall policy: the groups of rules it consists of, and what it looks into."""

    id: ResourceId
    rule_groups: tuple[ResourceId, ...] = ()
    inspects_tls: bool = False
    intrusion_detection: str | None = None
    """`Off`, `Alert` or `Deny`."""


class FirewallRuleGroup(Struct, frozen=True, kw_only=True):
    """One group of rules of a firewall policy, reduced to its DNAT rules."""

    id: ResourceId
    translations: tuple[AddressTranslation, ...] = ()
    is_understood: bool = True


class AdminAccess(StrEnum):
    """What a security admin rule does with traffic that matches it."""

    ALLOW = "allow"
    """The security groups go on to decide."""
    DENY = "deny"
    ALWAYS_ALLOW = "alwaysallow"
    """The security groups are not asked."""


class AdminRule(Struct, frozen=True, kw_only=True):
    """One inbound security admin rule of Azure Virtual Network Manager, as it is in force on a network."""

    name: str
    priority: int
    access: AdminAccess
    protocol: str = "Any"
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    destination_ports: tuple[str, ...] = ()
    source_ports: tuple[str, ...] = ("*",)


class AdminRules(Struct, frozen=True, kw_only=True):
    """All inbound security admin rules in force on one virtual network."""

    id: ResourceId
    """The virtual network."""
    rules: tuple[AdminRule, ...] = ()
    is_understood: bool = True


class JitRequest(Struct, frozen=True, kw_only=True):
    """Somebody was let in to one port for a while."""

    port: int
    until: datetime


class JitAccess(Struct, frozen=True, kw_only=True):
    """What one just-in-time policy says of one VM."""

    policy: ResourceId
    vm: ResourceId
    ports: tuple[int, ...] = ()
    requests: tuple[JitRequest, ...] = ()
    """Requests that were granted and not revoked; some have run out."""


class UserIdentity(Struct, frozen=True, kw_only=True):
    """One user-assigned managed identity."""

    id: ResourceId
    client_id: str | None = None
    principal_id: str | None = None


class Access:
    """All of it, for one estate. Treated as frozen."""

    def __init__(  # noqa: PLR0913  one argument for each kind of resource
        self,
        *,
        networks: Mapping[ResourceId, Network] | None = None,
        subnets: Mapping[ResourceId, Subnet] | None = None,
        route_tables: Mapping[ResourceId, RouteTable] | None = None,
        nat_gateways: Mapping[ResourceId, NatGateway] | None = None,
        bastions: tuple[Bastion, ...] = (),
        firewalls: tuple[Firewall, ...] = (),
        firewall_policies: Mapping[ResourceId, FirewallPolicy] | None = None,
        firewall_rule_groups: Mapping[ResourceId, FirewallRuleGroup] | None = None,
        admin_rules: Mapping[ResourceId, AdminRules] | None = None,
        just_in_time: tuple[JitAccess, ...] = (),
        just_in_time_policies: Iterable[ResourceId] = (),
        user_identities: Mapping[ResourceId, UserIdentity] | None = None,
    ) -> None:
        self.networks = networks or {}
        self.subnets = subnets or {}
        self.route_tables = route_tables or {}
        self.nat_gateways = nat_gateways or {}
        self.bastions = bastions
        self.firewalls = firewalls
        self.firewall_policies = firewall_policies or {}
        self.firewall_rule_groups = firewall_rule_groups or {}
        self.admin_rules = admin_rules or {}
        """By virtual network; a network that is not listed has none in force."""
        self.just_in_time = just_in_time
        self.just_in_time_policies = frozenset(
            (*just_in_time_policies, *(one.policy for one in just_in_time))
        )
        """All of them, those that name no VM included."""
        self.user_identities = user_identities or {}

    def peers_of(self, network: ResourceId) -> frozenset[ResourceId]:
        """Return the networks that are joined to this one, by what either side reports as connected."""
        return self._peers.get(network, frozenset())

    def just_in_time_for(self, vm: ResourceId) -> tuple[JitAccess, ...]:
        """Return what just-in-time policies say of the VM; most say nothing."""
        return self._jit_by_vm.get(vm, ())

    def rule_groups_of(self, policy: ResourceId) -> tuple[FirewallRuleGroup, ...]:
        """Return the groups of rules that were read of a firewall policy."""
        return self._groups_by_policy.get(policy, ())

    @cached_property
    def _peers(self) -> dict[ResourceId, frozenset[ResourceId]]:
        found: dict[ResourceId, set[ResourceId]] = {}
        for network in self.networks.values():
            for peering in network.peerings:
                if peering.is_connected:
                    found.setdefault(network.id, set()).add(peering.remote)
                    found.setdefault(peering.remote, set()).add(network.id)
        return {network: frozenset(peers) for network, peers in found.items()}

    @cached_property
    def _jit_by_vm(self) -> dict[ResourceId, tuple[JitAccess, ...]]:
        found: dict[ResourceId, tuple[JitAccess, ...]] = {}
        for entry in self.just_in_time:
            found[entry.vm] = (*found.get(entry.vm, ()), entry)
        return found

    @cached_property
    def _groups_by_policy(self) -> dict[ResourceId, tuple[FirewallRuleGroup, ...]]:
        found: dict[ResourceId, tuple[FirewallRuleGroup, ...]] = {}
        for group in self.firewall_rule_groups.values():
            policy = group.id.parent
            found[policy] = (*found.get(policy, ()), group)
        return found
