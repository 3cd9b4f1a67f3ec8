"""Controls of the network around a VM."""

from readiness.model.assessment import Source, Whose
from readiness.model.ids import ResourceId
from readiness.model.levels import Level
from readiness.model.verdict import Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.rules.controls.control import (
    EvidenceClass,
    VmControl,
    VmFacts,
)
from readiness.rules.controls.segments import admits_everything, forbids, separates

_LEARN = "https://learn.microsoft.com/azure"
_GROUPS = Source(
    "Network security groups", f"{_LEARN}/virtual-network/network-security-groups-overview", "2026-04"
)
_ADDRESSES = Source(
    "Public IP addresses in Azure", f"{_LEARN}/virtual-network/ip-services/public-ip-addresses", "2026-04"
)
_BASIC = Source(
    "Upgrade to Standard SKU public IP addresses in Azure",
    f"{_LEARN}/virtual-network/ip-services/public-ip-basic-upgrade-guidance",
    "2026-04",
)
_DDOS = Source(
    "What is Azure DDoS Protection?", f"{_LEARN}/ddos-protection/ddos-protection-overview", "2026-04"
)
_ADMIN = Source(
    "Security admin rules in Azure Virtual Network Manager",
    f"{_LEARN}/virtual-network-manager/concept-security-admins",
    "2026-04",
)
_FLOWS = Source("Virtual network flow logs", f"{_LEARN}/network-watcher/vnet-flow-logs-overview", "2026-04")
_INTERFACES = Source(
    "Create, change, or delete a network interface",
    f"{_LEARN}/virtual-network/virtual-network-network-interface",
    "2026-04",
)
_OUTBOUND = Source(
    "Default outbound access in Azure",
    f"{_LEARN}/virtual-network/ip-services/default-outbound-access",
    "2026-04",
)


def guarded(facts: VmFacts) -> Verdict:
    """A security group stands before every address of the VM, and none lets the internet in to every port."""
    unread = list(facts.unread_nics)
    estate = facts.estate
    for configuration, nic in facts.places:
        found = [nic.network_security_group]
        if configuration.subnet is not None and configuration.subnet in estate.subnet_security_groups:
            found.append(estate.subnet_security_groups[configuration.subnet])
        else:
            unread.append(configuration.subnet or nic.id)
        names = [name for name in found if name is not None]
        groups = [estate.security_groups[name] for name in names if name in estate.security_groups]
        unread += [name for name in names if name not in estate.security_groups]
        open_to_all = next((group for group in groups if admits_everything(group)), None)
        if open_to_all is not None and all(admits_everything(group) for group in groups):
            at = Evidence(open_to_all.id, "properties.securityRules", "every port from the internet")
            return unmet("OpenToInternet", f"{open_to_all.id.name} lets the internet in to every port.", at)
        if not names and configuration.subnet in estate.subnet_security_groups:
            return unmet(
                "NoSecurityGroup",
                "No security group stands before an address.",
                Evidence(nic.id, "id", nic.id.text),
            )
    if unread:
        names_unread = ", ".join(dict.fromkeys(entry.name for entry in unread))
        return unknown("NetworkNotRead", f"Not read: {names_unread}.")
    return met("Guarded")


def not_public(facts: VmFacts) -> Verdict:
    """Nothing of the VM is public, or an exception says why it has to be."""
    unread = list(facts.unread_nics)
    for configuration, _ in facts.places:
        if configuration.public_ip is not None:
            at = Evidence(configuration.public_ip, "id", configuration.public_ip.text)
            return unmet("PublicAddress", "The VM has a public address.", at)
        for balancer, path in facts.estate.paths_to(configuration):
            if path.is_public:
                at = Evidence(balancer.id, "properties.frontendIPConfigurations", path.name)
                return unmet("PublicLoadBalancer", f"{balancer.id.name} leads from the internet.", at)
        named = (*configuration.load_balancer_pools, *configuration.inbound_nat_rules)
        unread += [pool.parent for pool in named if facts.estate.load_balancer(pool.parent) is None]
    return unknown("NetworkNotRead", _not_read(unread)) if unread else met("NotPublic")


def no_basic_sku(facts: VmFacts) -> Verdict:
    """Basic addresses and load balancers were retired on 2025-09-30, and let everybody in by default."""
    unread = list(facts.unread_nics)
    estate = facts.estate
    for configuration, _ in facts.places:
        if configuration.public_ip is not None:
            address = estate.public_ips.get(configuration.public_ip)
            if address is None:
                unread.append(configuration.public_ip)
            elif address.is_basic:
                return unmet(
                    "BasicAddress",
                    f"{address.id.name} is a Basic address.",
                    Evidence(address.id, "sku.name", "Basic"),
                )
        for pool in (*configuration.load_balancer_pools, *configuration.inbound_nat_rules):
            balancer = estate.load_balancer(pool.parent)
            if balancer is not None and balancer.is_basic:
                at = Evidence(balancer.id, "sku.name", "Basic")
                return unmet("BasicLoadBalancer", f"{balancer.id.name} is a Basic load balancer.", at)
            if balancer is None and pool.parent.type == "microsoft.network/loadbalancers":
                unread.append(pool.parent)
    return unknown("NetworkNotRead", _not_read(unread)) if unread else met("NoBasicSku")


def ddos_protected(facts: VmFacts) -> Verdict:
    """Public addresses are under DDoS Network Protection or DDoS IP Protection."""
    unread = list(facts.unread_nics)
    estate = facts.estate
    public = [(entry, entry.public_ip) for entry, _ in facts.places if entry.public_ip is not None]
    for configuration, address in public:
        found = estate.public_ips.get(address)
        mode = (found.ddos_mode or "").lower() if found else ""
        network = estate.access.networks.get(configuration.subnet.parent) if configuration.subnet else None
        planned = network is not None and network.has_ddos_plan is True and mode != "disabled"
        if found is None or (network is None and mode != "enabled"):
            unread.append(address)
        elif mode != "enabled" and not planned:
            return unmet(
                "NoDdosProtection",
                f"{address.name} is not protected.",
                Evidence(address, "properties.ddosSettings.protectionMode", found.ddos_mode),
            )
    if unread:
        return unknown("NetworkNotRead", _not_read(unread))
    return met("DdosProtected") if public else not_applicable("NotPublic", "The VM has no public address.")


def segmented(facts: VmFacts) -> Verdict:
    """Whoever gets into one VM does not reach its neighbours: a deny stands on the ports that attackers use.

    Azure lets everything inside a virtual network talk until an admin rule or a security group says no.
    """
    unread = list(facts.unread_nics)
    estate = facts.estate
    for configuration, nic in facts.places:
        subnet = configuration.subnet
        names = [nic.network_security_group, estate.subnet_security_groups.get(subnet or nic.id)]
        groups = [estate.security_groups.get(name) for name in names if name]
        if any(group is not None and separates(group) for group in groups):
            continue
        network = subnet.parent if subnet else nic.id
        rules = estate.access.admin_rules.get(network)
        if rules is not None and forbids(rules):
            continue
        is_known = rules.is_understood if rules is not None else facts.was_listed(_ADMIN_RULES)
        if None in groups or subnet not in estate.subnet_security_groups or not is_known:
            unread.append(network)
            continue
        return unmet(
            "NotSegmented", "Neighbours reach the VM's management ports.", Evidence(nic.id, "id", nic.id.text)
        )
    if unread:
        return unknown(
            "SegmentsNotRead", f"{_not_read(unread)} Collect the effective admin rules, or attest it."
        )
    return met("Segmented")


def flows_logged(facts: VmFacts) -> Verdict:
    """Who talked to whom is on record: a flow log on the network, the subnet, the interface or its group."""
    unread = list(facts.unread_nics)
    for configuration, nic in facts.places:
        subnet = configuration.subnet
        found: list[ResourceId | None] = [nic.id, nic.network_security_group, subnet]
        if subnet is not None:
            found += [subnet.parent, facts.estate.subnet_security_groups.get(subnet)]
        if facts.estate.posture.flow_log(entry for entry in found if entry is not None) is None:
            if facts.was_listed("Microsoft.Network/networkWatchers/flowLogs"):
                return unmet("NoFlowLog", "No flow log covers the VM.", Evidence(nic.id, "id", nic.id.text))
            unread.append(subnet or nic.id)
    return unknown("FlowLogsNotRead", _not_read(unread)) if unread else met("FlowsLogged")


def no_forwarding(facts: VmFacts) -> Verdict:
    """A VM that forwards other machines' traffic is a router, and should be one on purpose."""
    unread = list(facts.unread_nics)
    for _, nic in facts.places:
        if nic.forwards is True:
            at = Evidence(nic.id, "properties.enableIPForwarding", value=True)
            return unmet("Forwards", f"{nic.id.name} forwards traffic.", at)
        if nic.forwards is None:
            unread.append(nic.id)
    return unknown("NetworkNotRead", _not_read(unread)) if unread else met("NoForwarding")


def explicit_outbound(facts: VmFacts) -> Verdict:
    """The way out is somebody's decision: a NAT gateway or a route, not an address that Azure lends."""
    unread = list(facts.unread_nics)
    for configuration, nic in facts.places:
        subnet = facts.estate.access.subnets.get(configuration.subnet) if configuration.subnet else None
        if subnet is None:
            unread.append(configuration.subnet or nic.id)
        elif subnet.default_outbound is not False:
            at = Evidence(subnet.id, "properties.defaultOutboundAccess", subnet.default_outbound)
            return unmet("DefaultOutbound", f"{subnet.id.name} has Azure's default way out.", at)
        elif subnet.route_table is None:
            gateway = facts.estate.access.nat_gateways.get(subnet.nat_gateway) if subnet.nat_gateway else None
            if subnet.nat_gateway is None:
                at = Evidence(subnet.id, "properties.natGateway", None)
                return unmet("NoWayOut", f"{subnet.id.name} has neither a NAT gateway nor a route table.", at)
            if gateway is None:
                unread.append(subnet.nat_gateway)
            elif not gateway.has_address:
                at = Evidence(subnet.id, "properties.natGateway.id", subnet.nat_gateway.text)
                detail = f"NAT gateway {gateway.id.name} has no public address, so it leads nobody out."
                return unmet("NatGatewayWithoutAddress", detail, at)
    return unknown("NetworkNotRead", _not_read(unread)) if unread else met("ExplicitOutbound")


def _not_read(unread: list[ResourceId]) -> str:
    return f"Not read: {', '.join(dict.fromkeys(entry.name for entry in unread))}."


_ADMIN_RULES = "Microsoft.Network/effectiveSecurityAdminRules"

CONTROLS = (
    VmControl(
        id="NW-1",
        title="A security group stands before every address",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Put a security group on the subnet and remove rules for every port from the internet.",
        source=_GROUPS,
        whose=Whose.OTHER_TEAM,
        check=guarded,
    ),
    VmControl(
        id="NW-2",
        title="Nothing of the VM is public without a reason",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Take the public address away, or except the VM and say why it has to be public.",
        source=_ADDRESSES,
        whose=Whose.OTHER_TEAM,
        check=not_public,
    ),
    VmControl(
        id="NW-3",
        title="No Basic address or load balancer",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Upgrade the address or the load balancer to the Standard SKU.",
        source=_BASIC,
        whose=Whose.OTHER_TEAM,
        check=no_basic_sku,
    ),
    VmControl(
        id="NW-5",
        title="Public addresses are protected against DDoS",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Put the network under DDoS Network Protection, or the address under IP Protection.",
        source=_DDOS,
        whose=Whose.OTHER_TEAM,
        seed_claim="DDoS Protection Standard is now called DDoS Network Protection, beside IP Protection.",
        check=ddos_protected,
    ),
    VmControl(
        id="NW-6",
        title="Neighbours are kept apart",
        level=Level.FULL,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Deny management ports inside the network, by admin rules or by security groups.",
        source=_ADMIN,
        whose=Whose.OTHER_TEAM,
        check=segmented,
    ),
    VmControl(
        id="NW-8",
        title="Flows are logged",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch on a flow log with traffic analytics for the virtual network.",
        source=_FLOWS,
        whose=Whose.OTHER_TEAM,
        check=flows_logged,
    ),
    VmControl(
        id="NW-9",
        title="No VM forwards traffic",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch IP forwarding off, or except the appliance that needs it.",
        source=_INTERFACES,
        whose=Whose.OTHER_TEAM,
        check=no_forwarding,
    ),
    VmControl(
        id="NW-10",
        title="The way out is explicit",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Give the subnet a NAT gateway or a route, and make it private.",
        source=_OUTBOUND,
        whose=Whose.OTHER_TEAM,
        check=explicit_outbound,
    ),
)
