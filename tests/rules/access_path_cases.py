"""Cases of the access rules: the ways through firewalls, pools and networks, and what guards them."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from readiness.model.access import (
    Access,
    AddressTranslation,
    AdminAccess,
    AdminRule,
    AdminRules,
    Bastion,
    Firewall,
    FirewallPolicy,
    FirewallRuleGroup,
    JitAccess,
    JitRequest,
    NatGateway,
    Network,
    Peering,
    RouteTable,
    Subnet,
)
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, LoadBalancerPath, PoolMember, SecurityRule
from readiness.model.virtual_machine import OsFamily
from tests.builders import (
    GROUP,
    PUBLIC_IP,
    SUBNET,
    SUBSCRIPTION,
    ip_configuration,
    nic,
    public_ip,
    rid,
    security_group,
    security_rule,
    vm,
    vm_id,
)
from tests.rules.case import Case

_NETWORK = SUBNET.parent
_HUB = rid("Microsoft.Network/virtualNetworks", "hub")
_FIREWALL = rid("Microsoft.Network/azureFirewalls", "fw1")
_POLICY = rid("Microsoft.Network/firewallPolicies", "policy")
_RULE_GROUP = ResourceId(f"{_POLICY}/ruleCollectionGroups/default")
_BASTION = rid("Microsoft.Network/bastionHosts", "bas1")
_JIT = rid("Microsoft.Security/locations", "westeurope/jitNetworkAccessPolicies/default")
_NAT = rid("Microsoft.Network/natGateways", "nat1")
_APPLICATION_GATEWAY = rid("Microsoft.Network/applicationGateways", "agw1")
_ROUTES = rid("Microsoft.Network/routeTables", "rt1")
_BALANCER = rid("Microsoft.Network/loadBalancers", "lb1")
_POOL = ResourceId(f"{_BALANCER}/backendAddressPools/pool")

_PEERED = Network(id=_NETWORK, peerings=(Peering(name="to-hub", remote=_HUB, is_connected=True),))
_BROKEN_PEERING = replace(_PEERED, peerings=(Peering(name="to-hub", remote=_HUB),))
_PUBLIC = ip_configuration(public_ip=PUBLIC_IP)


def _guarded(*rules: SecurityRule, **facts: Any) -> dict[str, Any]:
    return {
        "nics": [nic(ip_configurations=(_PUBLIC,), network_security_group=GROUP)],
        "public_ips": [public_ip()],
        "security_groups": [security_group(*rules)],
        **facts,
    }


def _open(**access: Any) -> dict[str, Any]:
    return _guarded(security_rule(), access=Access(**access))


def _networks(*networks: Network) -> dict[ResourceId, Network]:
    return {network.id: network for network in networks}


def _subnets(**changes: Any) -> dict[ResourceId, Subnet]:
    return {SUBNET: replace(Subnet(id=SUBNET), **changes)}


# ---- Azure Firewall ----

_SSH = AddressTranslation(name="ssh", address="10.0.0.4", port="22", sources=("*",))


def _behind(
    *translations: AddressTranslation, rules: tuple[SecurityRule, ...] | None = None, **changes: Any
) -> dict[str, Any]:
    firewall = replace(Firewall(id=_FIREWALL, network=_HUB, translations=translations), **changes)
    card = nic() if rules is None else nic(network_security_group=GROUP)
    return {
        "nics": [card],
        "security_groups": [security_group(*(rules or ()))],
        "access": Access(networks=_networks(_PEERED), firewalls=(firewall,)),
    }


def _by_policy(
    *groups: FirewallRuleGroup, listed: tuple[ResourceId, ...] | None = (_RULE_GROUP,)
) -> dict[str, Any]:
    policies = {} if listed is None else {_POLICY: FirewallPolicy(id=_POLICY, rule_groups=listed)}
    return {
        "access": Access(
            networks=_networks(_PEERED),
            firewalls=(Firewall(id=_FIREWALL, network=_HUB, policy=_POLICY),),
            firewall_policies=policies,
            firewall_rule_groups={group.id: group for group in groups},
        )
    }


def _balanced(inside: int = 22, outside: tuple[int, int] = (2222, 2222), **changes: Any) -> dict[str, Any]:
    """A firewall that leads to the private frontend of a load balancer, on port 2222."""
    path = LoadBalancerPath(
        name="ssh",
        backend_port=inside,
        is_public=False,
        frontend_ports=outside,
        frontend_address="10.0.0.100",
        pool=_POOL,
    )
    member = PoolMember(pool=_POOL, ip_configuration=ip_configuration().id)
    balancer = LoadBalancer(id=_BALANCER, paths=(path,), pools=(_POOL,), members=(member,))
    entry = replace(_SSH, **{"address": "10.0.0.100", "port": "2222", **changes})
    return {**_behind(entry), "load_balancers": [balancer]}


def _to_a_name(host: str, **changes: Any) -> dict[str, Any]:
    """A firewall that leads to a name, and a public address that has one."""
    own = nic(ip_configurations=(ip_configuration(**changes),))
    named = replace(public_ip(), host="vm1.westeurope.cloudapp.azure.com")
    return {
        **_behind(replace(_SSH, address="", host=host)),
        "nics": [own],
        "public_ips": [named],
    }


_GATEWAY_SUBNET = ResourceId(f"{_NETWORK}/subnets/gateway")


def _by_gateway(*rules: SecurityRule, port: int = 5985, prefix: str = "10.0.1.0/24") -> dict[str, Any]:
    """An application gateway that passes on a port to the VM, and the VM's own security group."""
    path = LoadBalancerPath(name="winrm", backend_port=port, is_public=True, pool=_POOL)
    member = PoolMember(pool=_POOL, ip_configuration=ip_configuration().id)
    gateway = LoadBalancer(id=_APPLICATION_GATEWAY, relay=_GATEWAY_SUBNET, paths=(path,), members=(member,))
    subnet = Subnet(id=_GATEWAY_SUBNET, prefixes=(prefix,))
    return {
        "nics": [nic(network_security_group=GROUP)],
        "security_groups": [security_group(*rules)],
        "load_balancers": [gateway],
        "access": Access(subnets={subnet.id: subnet}),
    }


_GATEWAYS = (
    ("a gateway that passes on WinRM", "unmet ManagementPortOpen", _by_gateway()),
    ("a gateway that passes on HTTPS", "met ManagementPortsClosed", _by_gateway(port=443)),
    (
        "a gateway, and a group that denies its subnet",
        "met ManagementPortsClosed",
        _by_gateway(
            security_rule(90, allows=False, sources=("10.0.1.0/24",), destination_ports=("*",)),
            security_rule(95, allows=False, sources=("Internet",), destination_ports=("*",)),
        ),
    ),
    (
        "a gateway, and a group that denies the internet, which it never shows",
        "unmet ManagementPortOpen",
        _by_gateway(security_rule(90, allows=False, sources=("Internet",), destination_ports=("*",))),
    ),
)
_DENY_ALL = security_rule(100, allows=False, protocol="*", destination_ports=("*",))
_DENY_INTERNET = security_rule(100, allows=False, sources=("Internet",))
_FIREWALLS = (
    ("a firewall that leads to a load balancer's frontend", "unmet ManagementPortOpen", _balanced()),
    ("a load balancer that leads on to HTTPS", "met OnlyPrivateWays", _balanced(443)),
    ("a frontend that takes in another port", "met OnlyPrivateWays", _balanced(22, (2200, 2221))),
    ("a frontend that takes in several ports", "unmet ManagementPortOpen", _balanced(22, (2200, 2230))),
    ("another frontend", "met OnlyPrivateWays", _balanced(address="10.0.0.101")),
    ("a load balancer for all ports", "unmet ManagementPortOpen", _balanced(0, (0, 0), port="22")),
    (
        "a firewall that leads to a name nobody can look up",
        "unknown NetworkNotRead",
        _to_a_name("vm.corp.example"),
    ),
    (
        "a firewall that leads to the public name of the VM",
        "unmet ManagementPortOpen",
        _to_a_name("vm1.westeurope.cloudapp.azure.com", public_ip=PUBLIC_IP),
    ),
    (
        "a firewall that leads to another VM's public name",
        "met OnlyPrivateWays",
        _to_a_name("vm1.westeurope.cloudapp.azure.com"),
    ),
    (
        "a firewall that leads to another address",
        "met OnlyPrivateWays",
        _behind(replace(_SSH, address="10.0.0.5")),
    ),
    ("a firewall that leads to SSH", "unmet ManagementPortOpen", _behind(_SSH)),
    ("a firewall that leads to HTTPS", "met OnlyPrivateWays", _behind(replace(_SSH, port="443"))),
    (
        "a firewall that lets one office in",
        "met OnlyNamedAddresses",
        _behind(replace(_SSH, sources=("198.51.100.0/24",))),
    ),
    (
        "a firewall that lets private addresses in",
        "met OnlyPrivateWays",
        _behind(replace(_SSH, sources=("10.0.0.0/8",))),
    ),
    (
        "a firewall and a group that denies everything",
        "met OnlyPrivateWays",
        _behind(_SSH, rules=(_DENY_ALL,)),
    ),
    (
        "a firewall and a group that denies the internet, which may not be what it sees",
        "unmet ManagementPortOpen",
        _behind(_SSH, rules=(_DENY_INTERNET,)),
    ),
    (
        "a firewall and a group that denies some source ports",
        "unmet ManagementPortOpen",
        _behind(_SSH, rules=(replace(_DENY_ALL, source_ports=("1024-2000",)),)),
    ),
    (
        "a firewall and a group that denies another network",
        "unmet ManagementPortOpen",
        _behind(_SSH, rules=(replace(_DENY_ALL, sources=("10.9.0.0/24",)),)),
    ),
    ("a firewall in a virtual hub", "unknown NetworkNotRead", _behind(_SSH, network=None)),
    ("a firewall nobody understands", "unknown NetworkNotRead", _behind(is_understood=False)),
    (
        "a firewall nobody understands, somewhere",
        "met OnlyPrivateWays",
        _behind(is_understood=False, network=None),
    ),
    (
        "a firewall in a network that is not joined",
        "met ManagementPortsClosed",
        {
            **_behind(_SSH),
            "access": Access(firewalls=(Firewall(id=_FIREWALL, network=_HUB, translations=(_SSH,)),)),
        },
    ),
    (
        "a firewall policy that leads to SSH",
        "unmet ManagementPortOpen",
        _by_policy(FirewallRuleGroup(id=_RULE_GROUP, translations=(_SSH,))),
    ),
    (
        "a firewall policy without such rules",
        "met OnlyPrivateWays",
        _by_policy(FirewallRuleGroup(id=_RULE_GROUP)),
    ),
    ("a firewall policy whose rules nobody read", "unknown NetworkNotRead", _by_policy()),
    ("a firewall policy nobody read", "unknown NetworkNotRead", _by_policy(listed=None)),
    (
        "a firewall policy whose rules nobody understands",
        "unknown NetworkNotRead",
        _by_policy(FirewallRuleGroup(id=_RULE_GROUP, is_understood=False)),
    ),
)

# ---- pools filled with addresses ----


def _pooled(network: ResourceId | None, address: str = "10.0.0.4", **changes: Any) -> dict[str, Any]:
    member = replace(PoolMember(pool=_POOL, address=address, network=network), **changes)
    path = LoadBalancerPath(name="ssh", backend_port=22, is_public=True, pool=_POOL)
    return {
        "nics": [nic(network_security_group=GROUP)],
        "security_groups": [security_group(security_rule())],
        "load_balancers": [LoadBalancer(id=_BALANCER, paths=(path,), pools=(_POOL,), members=(member,))],
    }


_POOLS = (
    ("a pool with its address", "unmet ManagementPortOpen", _pooled(_NETWORK)),
    ("a pool with its address in another network", "met ManagementPortsClosed", _pooled(_HUB)),
    ("a pool with its address in a network not reported", "unmet ManagementPortOpen", _pooled(None)),
    ("a pool with another address", "met ManagementPortsClosed", _pooled(_NETWORK, "10.0.0.5")),
    (
        "a pool that names its interface",
        "unmet ManagementPortOpen",
        _pooled(None, ip_configuration=ip_configuration().id),
    ),
)

# ---- security admin rules ----


def _admin(
    *rules: AdminRule, nsg: tuple[SecurityRule, ...] = (security_rule(),), **access: Any
) -> dict[str, Any]:
    found = AdminRules(id=_NETWORK, rules=rules)
    return _guarded(*nsg, access=Access(admin_rules={_NETWORK: found}, **access))


_DENY = AdminRule(
    name="deny",
    priority=10,
    access=AdminAccess.DENY,
    sources=("Internet",),
    destinations=("*",),
    destination_ports=("22",),
)
_ALWAYS = replace(_DENY, access=AdminAccess.ALWAYS_ALLOW, sources=("*",))
_WITH_INTENT = {
    "networks": _networks(Network(id=_NETWORK, subnets=(SUBNET,))),
    "subnets": _subnets(delegations=("microsoft.sql/managedinstances",)),
}
_ADMIN = (
    ("an admin rule that denies", "met ManagementPortsClosed", _admin(_DENY)),
    (
        "an admin rule that denies another port",
        "unmet ManagementPortOpen",
        _admin(replace(_DENY, destination_ports=("3389",))),
    ),
    ("an admin rule that denies UDP", "unmet ManagementPortOpen", _admin(replace(_DENY, protocol="Udp"))),
    (
        "an admin rule that denies another address",
        "unmet ManagementPortOpen",
        _admin(replace(_DENY, destinations=("10.1.0.0/16",))),
    ),
    (
        "an admin rule that denies one source port",
        "unmet ManagementPortOpen",
        _admin(replace(_DENY, source_ports=("1",))),
    ),
    (
        "an admin rule that denies after one that allows",
        "unmet ManagementPortOpen",
        _admin(replace(_DENY, priority=5, access=AdminAccess.ALLOW), _DENY),
    ),
    (
        "an admin rule that allows, and groups that do not",
        "met ManagementPortsClosed",
        _admin(replace(_DENY, access=AdminAccess.ALLOW), nsg=()),
    ),
    (
        "an admin rule that always allows, against the groups",
        "unmet ManagementPortOpen",
        _admin(_ALWAYS, nsg=()),
    ),
    (
        "an admin rule that always allows one office",
        "met OnlyNamedAddresses",
        _admin(replace(_ALWAYS, sources=("198.51.100.0/24",)), nsg=()),
    ),
    (
        "an admin rule that always allows all of Azure",
        "unmet ManagementPortOpen",
        _admin(replace(_ALWAYS, sources=("AzureCloud",)), nsg=()),
    ),
    (
        "an admin rule that always allows a group of networks",
        "met ManagementPortsClosed",
        _admin(replace(_ALWAYS, sources=("networkgroup:",)), nsg=()),
    ),
    (
        "admin rules on a network with a managed instance",
        "unmet ManagementPortOpen",
        _admin(_DENY, **_WITH_INTENT),
    ),
    (
        "admin rules nobody understands",
        "unknown NetworkNotRead",
        _guarded(
            security_rule(),
            access=Access(admin_rules={_NETWORK: AdminRules(id=_NETWORK, is_understood=False)}),
        ),
    ),
    (
        "admin rules that could not be listed",
        "unknown NetworkNotRead",
        _guarded(
            security_rule(),
            gaps=[
                Gap(
                    "collect",
                    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/effectiveSecurityAdminRules",
                    "Denied",
                    "Not allowed.",
                )
            ],
        ),
    ),
    (
        "an admin rule that denies everybody, and a firewall",
        "met OnlyPrivateWays",
        {
            "access": Access(
                networks=_networks(_PEERED),
                firewalls=(Firewall(id=_FIREWALL, network=_HUB, translations=(_SSH,)),),
                admin_rules={_NETWORK: AdminRules(id=_NETWORK, rules=(replace(_DENY, sources=("*",)),))},
            )
        },
    ),
)

# ---- odd and wide sources ----

_SOURCES = (
    ("a service tag", "met OnlyNamedAddresses", security_rule(sources=("AzureDevOps",))),
    (
        "the load balancer's probes",
        "met ManagementPortsClosed",
        security_rule(sources=("AzureLoadBalancer",)),
    ),
    ("exactly a /16", "unmet ManagementPortOpen", security_rule(sources=("198.51.0.0/16",))),
    ("a range of addresses", "met OnlyNamedAddresses", security_rule(sources=("198.51.100.7-198.51.100.9",))),
    (
        "a Deny for one source port",
        "met ManagementPortsClosed",
        security_rule(allows=False, source_ports=("1",)),
    ),
)

# ---- just-in-time access ----

_MANAGED = JitAccess(policy=_JIT, vm=vm_id(), ports=(22, 3389))
_NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
_GRANTED = replace(_MANAGED, requests=(JitRequest(port=22, until=_NOW),))
_RAN_OUT = replace(_MANAGED, requests=(JitRequest(port=22, until=_NOW.replace(day=1)),))
_JUST_IN_TIME = (
    ("managed and closed", "met ManagedByJustInTime", {"access": Access(just_in_time=(_MANAGED,))}),
    ("managed, and an older rule lets in", "unmet JustInTimeNotEffective", _open(just_in_time=(_MANAGED,))),
    ("opened on request", "unmet ManagementPortOpen", _open(just_in_time=(_GRANTED,))),
    ("a request that ran out", "unmet JustInTimeNotEffective", _open(just_in_time=(_RAN_OUT,))),
    (
        "another port is managed",
        "unmet ManagementPortOpen",
        _open(just_in_time=(replace(_MANAGED, ports=(3389,)),)),
    ),
    (
        "another VM is managed",
        "unmet ManagementPortOpen",
        _open(just_in_time=(replace(_MANAGED, vm=vm_id("other")),)),
    ),
)

# ---- private ways ----

_GATEWAY = Network(id=_HUB, subnets=(ResourceId(f"{_HUB}/subnets/GatewaySubnet"),))
_PRIVATE = (
    ("a joined network", "met OnlyPrivateWays", {"access": Access(networks=_networks(_PEERED, _GATEWAY))}),
    (
        "a peering that is broken",
        "met ManagementPortsClosed",
        {"access": Access(networks=_networks(_BROKEN_PEERING))},
    ),
    (
        "a Bastion",
        "met OnlyPrivateWays",
        {
            "access": Access(
                networks=_networks(Network(id=_NETWORK)), bastions=(Bastion(id=_BASTION, network=_NETWORK),)
            )
        },
    ),
)

# ---- another way in ----


def _bastion(
    network: ResourceId = _HUB, sku: str = "Basic", *rules: SecurityRule, **access: Any
) -> dict[str, Any]:
    subnet = Subnet(id=ResourceId(f"{network}/subnets/AzureBastionSubnet"), prefixes=("10.5.0.0/26",))
    facts = {
        "networks": _networks(_PEERED),
        "subnets": {subnet.id: subnet},
        "bastions": (Bastion(id=_BASTION, network=network, sku=sku),),
        **access,
    }
    return _guarded(security_rule(), *rules, access=Access(**facts))


_KEEPS_OUT = security_rule(90, allows=False, sources=("10.5.0.0/24",))
_WAYS_IN = (
    ("Bastion in the same network", "met BastionReaches", _bastion(_NETWORK, "Developer")),
    ("Bastion in a joined network", "met BastionReaches", _bastion()),
    ("Bastion for developers in a joined network", "unmet OtherWayNotAgreed", _bastion(_HUB, "Developer")),
    (
        "Bastion behind a broken peering",
        "unmet OtherWayNotAgreed",
        _bastion(networks=_networks(_BROKEN_PEERING)),
    ),
    (
        "Bastion, and a group that keeps others out",
        "met BastionReaches",
        _bastion(_HUB, "Basic", security_rule(90, allows=False, sources=("10.9.0.0/24",))),
    ),
    ("Bastion that the group keeps out", "unmet OtherWayNotAgreed", _bastion(_HUB, "Basic", _KEEPS_OUT)),
    (
        "Bastion whose subnet the group may keep out",
        "unmet OtherWayNotAgreed",
        _bastion(_HUB, "Basic", _KEEPS_OUT, subnets={}),
    ),
    ("just-in-time access", "met JustInTimeReaches", _open(just_in_time=(_MANAGED,))),
)

# ---- the way out ----

_OUTBOUND = LoadBalancer(
    id=_BALANCER,
    outbound_pools=(_POOL,),
    members=(PoolMember(pool=_POOL, ip_configuration=ip_configuration().id),),
)


def _route(hop: str | None) -> dict[str, Any]:
    return _open(
        subnets=_subnets(route_table=_ROUTES), route_tables={_ROUTES: RouteTable(id=_ROUTES, default_hop=hop)}
    )


_OUT = (
    ("no open port", "not-applicable PublicAddressStays", {}),
    ("a subnet nobody read", "unknown SubnetNotRead", _open()),
    ("a NAT gateway", "met NatGateway", _open(subnets=_subnets(nat_gateway=_NAT))),
    (
        "a NAT gateway with an address",
        "met NatGateway",
        _open(subnets=_subnets(nat_gateway=_NAT), nat_gateways={_NAT: NatGateway(id=_NAT, has_address=True)}),
    ),
    (
        "a NAT gateway without any address",
        "unmet OnlyDefaultWayOut",
        _open(subnets=_subnets(nat_gateway=_NAT), nat_gateways={_NAT: NatGateway(id=_NAT)}),
    ),
    (
        "a load balancer that leads out",
        "met LoadBalancerLeadsOut",
        {**_open(subnets=_subnets()), "load_balancers": [_OUTBOUND]},
    ),
    ("a route through a firewall", "met RouteLeadsOut", _route("VirtualAppliance")),
    ("a route to the internet", "unmet OnlyDefaultWayOut", _route("Internet")),
    ("a route table nobody read", "unknown RoutesNotRead", _open(subnets=_subnets(route_table=_ROUTES))),
    ("a private subnet", "unmet NoWayOut", _open(subnets=_subnets(default_outbound=False))),
    ("a subnet that says nothing", "unmet OnlyDefaultWayOut", _open(subnets=_subnets())),
)

_SECOND_NIC = rid("Microsoft.Network/networkInterfaces", "vm1-nic2")
_NOWHERE = ip_configuration(public_ip=PUBLIC_IP, subnet=None)

CASES = (
    Case(
        "PW001",
        "a second interface that is open",
        "unmet ManagementPortOpen",
        vm(nics=(nic().id, _SECOND_NIC)),
        {
            **_guarded(security_rule()),
            "nics": [nic(), nic(id=_SECOND_NIC, ip_configurations=(_PUBLIC,), network_security_group=GROUP)],
        },
    ),
    Case(
        "PW001",
        "a firewall, and an interface in a subnet that is not reported",
        "unknown NetworkNotRead",
        vm(),
        {**_behind(_SSH), "nics": [nic(ip_configurations=(ip_configuration(subnet=None),))]},
    ),
    Case(
        "PW001",
        "networks that were read, and an interface in a subnet that is not reported",
        "met ManagementPortsClosed",
        vm(),
        {
            "nics": [nic(ip_configurations=(ip_configuration(subnet=None),))],
            "access": Access(networks=_networks(_PEERED)),
        },
    ),
    Case(
        "PW001",
        "a rule for an address, and a private address that is none",
        "met ManagementPortsClosed",
        vm(),
        {
            **_guarded(security_rule(destinations=("10.0.0.4",))),
            "nics": [
                nic(
                    ip_configurations=(ip_configuration(public_ip=PUBLIC_IP, private_address="soon"),),
                    network_security_group=GROUP,
                )
            ],
        },
    ),
    Case(
        "PW004",
        "Bastion, and a second address in a subnet that is not reported",
        "met BastionReaches",
        vm(),
        {**_bastion(), "nics": [nic(ip_configurations=(_NOWHERE, _PUBLIC), network_security_group=GROUP)]},
    ),
    *(
        Case("PW001", description, expected, vm(), facts)
        for description, expected, facts in (
            *_FIREWALLS,
            *_GATEWAYS,
            *_POOLS,
            *_ADMIN,
            *_JUST_IN_TIME,
            *_PRIVATE,
        )
    ),
    *(Case("PW001", description, expected, vm(), _guarded(rule)) for description, expected, rule in _SOURCES),
    *(Case("PW004", description, expected, vm(), facts) for description, expected, facts in _WAYS_IN),
    Case(
        "PW004",
        "Bastion and a Windows VM, whose group keeps RDP out",
        "unmet OtherWayNotAgreed",
        vm(os_family=OsFamily.WINDOWS),
        _bastion(_HUB, "Basic", security_rule(90, allows=False, destination_ports=("3389",))),
    ),
    *(Case("PW008", description, expected, vm(), facts) for description, expected, facts in _OUT),
)
