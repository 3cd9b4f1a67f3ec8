"""Cases of the controls of who gets at a VM, and of the network around it."""

from typing import Any

from msgspec.structs import replace

from readiness.model.access import (
    Access,
    AdminAccess,
    AdminRule,
    AdminRules,
    Bastion,
    JitAccess,
    NatGateway,
    Network,
    Peering,
    Subnet,
)
from readiness.model.ids import ResourceId
from readiness.model.monitoring import FlowLog, GuestAssignment
from readiness.model.network import LoadBalancer, LoadBalancerPath
from readiness.model.virtual_machine import Identity
from tests.builders import (
    GROUP,
    NIC,
    PUBLIC_IP,
    SUBNET,
    extension,
    ip_configuration,
    nic,
    public_ip,
    rid,
    security_group,
    security_rule,
    vm_id,
)
from tests.rules.control_builders import also, best_vm, but, control_case, listed

_JIT_TYPE = "Microsoft.Security/locations/jitNetworkAccessPolicies"
_RULES_TYPE = "Microsoft.Network/effectiveSecurityAdminRules"
_NETWORK = SUBNET.parent
_PEER = rid("Microsoft.Network/virtualNetworks", "hub")
_PUBLIC = nic(ip_configurations=(ip_configuration(public_ip=PUBLIC_IP),), network_security_group=GROUP)
_OPEN = {
    "nics": [_PUBLIC],
    "public_ips": [public_ip()],
    "security_groups": [security_group(security_rule())],
}
_NAMED = _OPEN | {"security_groups": [security_group(security_rule(sources=("198.51.100.7",)))]}
_BALANCER = rid("Microsoft.Network/loadBalancers", "lb1")
_POOL = ResourceId(f"{_BALANCER}/backendAddressPools/pool")
_POOLED = {
    "nics": [
        nic(ip_configurations=(ip_configuration(load_balancer_pools=(_POOL,)),), network_security_group=GROUP)
    ]
}
_FLAT = {"security_groups": [security_group()]}


def _jit(*ports: int) -> dict[str, Any]:
    entry = JitAccess(policy=rid(_JIT_TYPE, "jit"), vm=vm_id(), ports=ports)
    return {"access": Access(just_in_time=(entry,))}


def _bastion(network: ResourceId, *peerings: Peering) -> dict[str, Any]:
    networks = {_NETWORK: Network(id=_NETWORK, peerings=peerings)}
    host = Bastion(id=rid("Microsoft.Network/bastionHosts", "b"), network=network, sku="Standard")
    return {"access": Access(networks=networks, bastions=(host,))}


def _balanced(**facts: Any) -> dict[str, Any]:
    path = LoadBalancerPath(name="p", backend_port=443, is_public=True, pool=_POOL)
    return {**_POOLED, "load_balancers": [LoadBalancer(id=_BALANCER, **{"paths": (path,), **facts})]}


def _addressed(mode: str | None, *, planned: bool | None = False) -> dict[str, Any]:
    networks = {_NETWORK: Network(id=_NETWORK, has_ddos_plan=planned)}
    return {
        **_OPEN,
        "public_ips": [replace(public_ip(), ddos_mode=mode)],
        "access": Access(networks=networks),
    }


def _admin(**facts: Any) -> dict[str, Any]:
    rule = AdminRule(name="r", priority=1, access=AdminAccess.DENY, destination_ports=("22",))
    rules = AdminRules(id=_NETWORK, **{"rules": (rule,), **facts})
    return {**_FLAT, "access": Access(admin_rules={_NETWORK: rules})}


def _subnet(*gateways: NatGateway, **facts: Any) -> dict[str, Any]:
    found = {entry.id: entry for entry in gateways}
    return {"access": Access(subnets={SUBNET: Subnet(id=SUBNET, **facts)}, nat_gateways=found)}


_GATEWAY = rid("Microsoft.Network/natGateways", "n")
_LEADS_OUT = NatGateway(id=_GATEWAY, has_address=True)
_LEADS_NOWHERE = NatGateway(id=_GATEWAY)
_PRIVATE: dict[str, Any] = {"default_outbound": False, "nat_gateway": _GATEWAY}
_ROUTES = rid("Microsoft.Network/routeTables", "r")


_LOGIN = {
    "extensions": (extension("Microsoft.Azure.ActiveDirectory", "AADSSHLoginForLinux", state="Failed"),)
}
_GUEST_FAULT = but(GuestAssignment, status="NonCompliant")

CASES = (
    control_case("AC-1", "not-applicable NothingToOpen"),
    control_case("AC-1", "unmet NotJustInTime", **_OPEN, **listed(_JIT_TYPE)),
    control_case("AC-1", "unmet NotJustInTime", **_NAMED, **listed(_JIT_TYPE)),
    control_case("AC-1", "unknown NotListed", **_OPEN),
    control_case("AC-1", "unmet JustInTimeBypassed", **_OPEN, **_jit(22)),
    control_case("AC-1", "unmet JustInTimeElsewhere", **_NAMED, **_jit(8080)),
    control_case("AC-1", "met JustInTime", **_NAMED, **_jit(22)),
    control_case("AC-1", "unknown NetworkNotRead", nics=[]),
    control_case("AC-2", "unmet ManagementPortOpen", **_OPEN),
    control_case("AC-3", "met NotReachable"),
    control_case("AC-3", "met KeysOnly", **_OPEN),
    control_case("AC-3", "unknown NetworkNotRead", {"os_profile": None}, nics=[]),
    control_case(
        "AC-3",
        "unmet PasswordExposed",
        {"os_profile": replace(best_vm().os_profile, password_disabled=False)},  # type: ignore[type-var]
        **_OPEN,
    ),
    control_case("AC-4", "met EntraLogin"),
    control_case("AC-4", "unmet EntraLoginMissing", {"extensions": ()}),
    control_case("AC-4", "unknown NotListed", {"extensions": ()}, listed=()),
    control_case("AC-4", "unknown NotListed", {"extensions": ()}, listed=()),
    control_case("AC-4", "unmet EntraLoginFailed", _LOGIN),
    control_case("AC-4", "unmet EntraLoginWithoutIdentity", {"identity": Identity()}),
    control_case("AC-4", "unknown ExtensionNotRead", {"extensions": (extension("", ""),)}),
    control_case("AC-4", "unknown OsNotReported", {"os_family": None}),
    control_case("AC-5", "met BastionBeside", **_bastion(_NETWORK)),
    control_case(
        "AC-5", "met BastionInPeer", **_bastion(_PEER, Peering(name="p", remote=_PEER, is_connected=True))
    ),
    control_case("AC-5", "unknown NetworkNotRead", nics=[]),
    control_case("AC-5", "unknown BastionNotRead", **_bastion(_PEER)),
    control_case("AC-5", "unmet NoBastion", **listed("Microsoft.Network/bastionHosts")),
    control_case("AC-6", "unmet NoIdentity", {"identity": Identity()}),
    control_case("AC-9", "met LocalAccountsDisabled"),
    control_case("AC-9", "unmet LocalAccountsEnabled", **_GUEST_FAULT),
    control_case("AC-9", "unknown GuestNotAsked", **but(GuestAssignment, status="Pending")),
    control_case("NW-1", "met Guarded"),
    control_case("NW-1", "unmet NoSecurityGroup", nics=[nic()]),
    control_case("NW-1", "unknown NetworkNotRead", security_groups=[]),
    control_case("NW-1", "unknown NetworkNotRead", subnets={}),
    control_case(
        "NW-1",
        "unmet OpenToInternet",
        security_groups=[security_group(security_rule(destination_ports=("*",)))],
    ),
    control_case("NW-2", "met NotPublic"),
    control_case("NW-2", "unmet PublicAddress", **_OPEN),
    control_case("NW-2", "unmet PublicLoadBalancer", **_balanced()),
    control_case("NW-2", "unknown NetworkNotRead", **_POOLED),
    control_case("NW-3", "met NoBasicSku"),
    control_case("NW-3", "unmet BasicAddress", nics=[_PUBLIC], public_ips=[public_ip(is_basic=True)]),
    control_case("NW-3", "unmet BasicLoadBalancer", **_balanced(is_basic=True)),
    control_case("NW-3", "unknown NetworkNotRead", nics=[_PUBLIC]),
    control_case("NW-5", "not-applicable NotPublic"),
    control_case("NW-5", "met DdosProtected", **_addressed("Enabled")),
    control_case("NW-5", "met DdosProtected", **_addressed("VirtualNetworkInherited", planned=True)),
    control_case("NW-5", "unmet NoDdosProtection", **_addressed("Disabled", planned=True)),
    control_case("NW-5", "unmet NoDdosProtection", **_addressed(None, planned=None)),
    control_case("NW-5", "unknown NetworkNotRead", **_OPEN),
    control_case("NW-6", "met Segmented"),
    control_case("NW-6", "met Segmented", **_admin()),
    control_case("NW-6", "unmet NotSegmented", **_admin(rules=())),
    control_case("NW-6", "unknown SegmentsNotRead", **_admin(rules=(), is_understood=False)),
    control_case("NW-6", "unknown SegmentsNotRead", **_FLAT),
    control_case("NW-6", "unknown SegmentsNotRead", security_groups=[], **listed(_RULES_TYPE)),
    control_case("NW-6", "unknown SegmentsNotRead", **_FLAT, subnets={}, **listed(_RULES_TYPE)),
    control_case("NW-6", "unmet NotSegmented", **_FLAT, **listed(_RULES_TYPE)),
    control_case("NW-8", "unknown FlowLogsNotRead"),
    control_case("NW-8", "unmet NoFlowLog", **listed("Microsoft.Network/networkWatchers/flowLogs")),
    control_case(
        "NW-8", "met FlowsLogged", **also(FlowLog(id=rid("x/y", "f"), target=_NETWORK, is_enabled=True))
    ),
    control_case("NW-9", "unknown NetworkNotRead"),
    control_case(
        "NW-9", "met NoForwarding", nics=[nic(id=NIC, network_security_group=GROUP, forwards=False)]
    ),
    control_case("NW-9", "unmet Forwards", nics=[nic(network_security_group=GROUP, forwards=True)]),
    control_case("NW-10", "unknown NetworkNotRead"),
    control_case("NW-10", "unmet DefaultOutbound", **_subnet()),
    control_case("NW-10", "unmet NoWayOut", **_subnet(default_outbound=False)),
    control_case("NW-10", "met ExplicitOutbound", **_subnet(_LEADS_OUT, **_PRIVATE)),
    control_case("NW-10", "unmet NatGatewayWithoutAddress", **_subnet(_LEADS_NOWHERE, **_PRIVATE)),
    control_case("NW-10", "met ExplicitOutbound", **_subnet(_LEADS_NOWHERE, **_PRIVATE, route_table=_ROUTES)),
    control_case("NW-10", "unknown NetworkNotRead", **_subnet(**_PRIVATE)),
)
