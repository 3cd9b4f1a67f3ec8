"""Password access, seen from outside: who on the internet reaches a management port, and other ways in."""

from functools import partial

from readiness.model.access import JitAccess
from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration, Nic
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, VirtualMachine
from readiness.rules import sightings
from readiness.rules.admission import from_inside
from readiness.rules.exposure import Opening, exposure_of, guards_of
from readiness.rules.exposure_evidence import evidence_of, missing_of
from readiness.rules.exposure_paths import bastions_for, private_ways
from readiness.rules.rule import Role, rule

_LEARN = "https://learn.microsoft.com"
_GROUPS = Source(
    "How network security groups filter network traffic",
    f"{_LEARN}/azure/virtual-network/network-security-group-how-it-works",
    "2026-11",
)
_BASTION = Source("What is Azure Bastion?", f"{_LEARN}/azure/bastion/bastion-overview", "2026-11")
_OUTBOUND = Source(
    "Default outbound access in Azure",
    f"{_LEARN}/azure/virtual-network/ip-services/default-outbound-access",
    "2026-11",
)

_access_rule = partial(rule, dimension=Dimension.PASSWORD_ACCESS, level=1)


@_access_rule(
    id="PW001",
    title="Shows no management port to the internet",
    role=Role.GOAL,
    remedy="Close the port to the internet and let people in through Bastion, just-in-time access or a VPN.",
    source=_GROUPS,
)
def ports_closed(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Whoever can reach SSH, RDP or WinRM can try passwords, all day long.

    A just-in-time policy proves nothing: rules that were there before it keep letting people in.
    """
    exposure = exposure_of(vm, estate)
    if exposure.open:
        return _open(vm, exposure.open, estate)
    if exposure.missing:
        names = ", ".join(entry.name for entry in exposure.missing)
        detail = f"Without these nobody can tell whether a port is open: {names}."
        return unknown("NetworkNotRead", detail, *missing_of(exposure.missing, vm, estate))
    if exposure.named:
        detail = f"Only named public addresses reach {_ports(exposure.named)}."
        return met("OnlyNamedAddresses", detail, *evidence_of(exposure.named, vm, estate))
    managed = estate.access.just_in_time_for(vm.id)
    if managed:
        detail = "Just-in-time access opens the ports, on request only."
        return met("ManagedByJustInTime", detail, _policy_at(managed[0]))
    private = _private_ways(vm, estate)
    if private:
        return met("OnlyPrivateWays", f"Reachable without the internet through {', '.join(private)}.")
    return met("ManagementPortsClosed")


@_access_rule(
    id="PW004",
    title="Leaves nobody outside when its ports are closed",
    role=Role.WORK,
    remedy="Agree with the VM's users on another way in, such as Bastion or a VPN, before closing the port.",
    source=_BASTION,
)
def other_way_in(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A port that is open is probably in use; closing it first and asking later locks people out.

    Addresses that a target names in `allow_from` are agreed upon: they keep reaching the port.
    Bastion counts where it stands in the VM's network, or in one that is joined to it and the SKU reaches
    there, and where the security groups let it in.
    """
    exposure = exposure_of(vm, estate)
    if exposure.open:
        bastion = _bastion_for(vm, estate)
        if bastion is not None:
            detail = f"Bastion {bastion.name} reaches the VM without the open port."
            return met("BastionReaches", detail, Evidence(bastion, "id", bastion.text))
        if {entry.port for entry in exposure.open} <= _managed_ports(vm, estate):
            return met("JustInTimeReaches", "Just-in-time access opens the same ports on request.")
        login = estate.choice_for(vm).login
        if login is not None and login.allow_from:
            return met("NamedAddressesChosen", f"Still let in are {', '.join(login.allow_from)}.")
        detail = f"People may come in from the internet today: {_ports(exposure.open)}."
        return unmet("OtherWayNotAgreed", detail, *evidence_of(exposure.open, vm, estate))
    if exposure.missing:
        detail = "Nobody can tell whether people come in from the internet."
        return unknown("NetworkNotRead", detail, *missing_of(exposure.missing, vm, estate))
    return not_applicable("NothingToClose", "No management port is open to the internet.")


@_access_rule(
    id="PW008",
    title="Gets out without its public address",
    role=Role.WORK,
    remedy="Give the subnet a NAT gateway, or a route to a firewall, before the public address goes.",
    source=_OUTBOUND,
)
def way_out(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Agents and Entra login call out; a VM whose only way out is its public address loses them with it.

    Azure's default outbound access is not counted: it is being withdrawn, new networks have none, and from
    when on an old one loses it is not documented.
    """
    reached = [(one, nic) for one, nic in _addresses(vm, estate) if one.public_ip is not None]
    if not reached or not any(
        entry.way == one.public_ip for entry in exposure_of(vm, estate).open for one, _ in reached
    ):
        return not_applicable(
            "PublicAddressStays", "No management port is open on a public address of its own."
        )
    verdicts = [_way_out(one, nic, estate) for one, nic in reached]
    order = {"unmet": 0, "unknown": 1}
    return min(verdicts, key=lambda verdict: order.get(verdict.status.value, 2))


RULES = (ports_closed, other_way_in, way_out)


def _open(vm: VirtualMachine, openings: tuple[Opening, ...], estate: Estate) -> Verdict:
    detail = f"Reachable from the internet: {_ports(openings)}."
    evidence = evidence_of(openings, vm, estate)
    managed = _managed_ports(vm, estate) & {entry.port for entry in openings}
    if not managed:
        return unmet("ManagementPortOpen", detail, *evidence)
    granted = {
        request.port
        for entry in estate.access.just_in_time_for(vm.id)
        for request in entry.requests
        if request.until > estate.info.collected_at
    }
    if managed <= granted:
        return unmet("ManagementPortOpen", f"{detail} Somebody was let in on request.", *evidence)
    return unmet(
        "JustInTimeNotEffective",
        f"{detail} Just-in-time access manages these ports, but older rules still let everybody in.",
        *evidence,
        _policy_at(estate.access.just_in_time_for(vm.id)[0]),
    )


def _policy_at(managed: JitAccess) -> Evidence:
    at = f"properties.virtualMachines[id={managed.vm}]"
    if not managed.ports:
        return Evidence(managed.policy, f"{at}.id", managed.vm.text)
    port = managed.ports[0]
    return Evidence(managed.policy, f"{at}.ports[number={port}].number", port)


def _managed_ports(vm: VirtualMachine, estate: Estate) -> set[int]:
    return {port for entry in estate.access.just_in_time_for(vm.id) for port in entry.ports}


def _private_ways(vm: VirtualMachine, estate: Estate) -> list[str]:
    if not estate.access.networks:
        return []
    found = (
        way for configuration, _ in _addresses(vm, estate) for way in private_ways(configuration, estate)
    )
    return list(dict.fromkeys(found))


def _addresses(vm: VirtualMachine, estate: Estate) -> list[tuple[IpConfiguration, Nic]]:
    nics = (estate.nics.get(nic) for nic in vm.nics)
    return [(configuration, nic) for nic in nics if nic for configuration in nic.ip_configurations]


def _bastion_for(vm: VirtualMachine, estate: Estate) -> ResourceId | None:
    ports = {OsFamily.LINUX: (22,), OsFamily.WINDOWS: (3389,)}.get(vm.os_family or OsFamily.LINUX, (22,))
    for configuration, nic in _addresses(vm, estate):
        if configuration.subnet is None:
            continue
        guards = guards_of(configuration, nic, estate)
        for name in bastions_for(configuration.subnet.parent, estate):
            prefixes = _bastion_prefixes(name, estate)
            if not guards.unread and all(
                from_inside(group, port, configuration, prefixes) for group in guards.groups for port in ports
            ):
                return name
    return None


def _bastion_prefixes(name: ResourceId, estate: Estate) -> tuple[str, ...]:
    network = next((entry.network for entry in estate.access.bastions if entry.id == name), None)
    subnet = estate.access.subnets.get(ResourceId(f"{network}/subnets/AzureBastionSubnet"))
    return subnet.prefixes if subnet else ()


def _way_out(configuration: IpConfiguration, nic: Nic, estate: Estate) -> Verdict:
    name = configuration.subnet
    subnet = estate.access.subnets.get(name) if name else None
    if subnet is None:
        detail = f"Read the subnet of {nic.id.name}: it says how its members get out."
        return unknown("SubnetNotRead", detail, *sightings.unread_of([name or nic.id], estate))
    gateway = estate.access.nat_gateways.get(subnet.nat_gateway) if subnet.nat_gateway else None
    # A gateway that was not listed is taken for whole: Azure keeps few without an address.
    if subnet.nat_gateway is not None and (gateway is None or gateway.has_address):
        at = Evidence(subnet.id, "properties.natGateway.id", subnet.nat_gateway.text)
        return met("NatGateway", "The subnet has a NAT gateway.", at)
    pools = set(estate.pools_of(configuration))
    for balancer in estate.load_balancers:
        if pools.intersection(balancer.outbound_pools):
            at = Evidence(balancer.id, "id", balancer.id.text)
            return met("LoadBalancerLeadsOut", f"Load balancer {balancer.id.name} leads it out.", at)
    if subnet.route_table is not None:
        table = estate.access.route_tables.get(subnet.route_table)
        if table is None:
            detail = f"Read {subnet.route_table.name}: it may lead out through a firewall."
            return unknown("RoutesNotRead", detail, *sightings.unread_of([subnet.route_table], estate))
        if (table.default_hop or "").lower() in ("virtualappliance", "virtualnetworkgateway"):
            at = Evidence(subnet.id, "properties.routeTable.id", subnet.route_table.text)
            detail = f"A route of {table.id.name} leads it out: its next hop is a {table.default_hop}."
            return met("RouteLeadsOut", detail, at)
    at = Evidence(subnet.id, "properties.defaultOutboundAccess", subnet.default_outbound)
    if subnet.default_outbound is False:
        return unmet(
            "NoWayOut", "The subnet is private: without its public address the VM cannot call out.", at
        )
    detail = (
        "Without its public address only Azure's default outbound access is left, which is being withdrawn."
    )
    return unmet("OnlyDefaultWayOut", detail, at)


def _ports(openings: tuple[Opening, ...]) -> str:
    return ", ".join(f"port {entry.port} through {entry.way.name}" for entry in openings)
