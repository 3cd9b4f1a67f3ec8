"""Which management ports of a VM can be reached from the internet, and what that rests on.

Follows Azure's order: is there a way in (the VM's own public address, or a load balancer); do the security
groups of the subnet **and** of the network interface let somebody on the internet through, first match by
priority; and where there is no group at all, a Basic way is open and a Standard one closed.

Does not see: destination NAT of Azure Firewall, admin rules of Azure Virtual Network Manager, load balancer
pools filled with addresses instead of network interfaces, and private ways.
"""

from functools import lru_cache
from ipaddress import ip_network

from msgspec import Struct

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration, NetworkSecurityGroup, Nic, SecurityRule
from readiness.model.virtual_machine import VirtualMachine

MANAGEMENT_PORTS = (22, 3389, 5985, 5986)

Spans = tuple[tuple[int, int], ...]
"""Ranges of addresses, each with its first and last one, in order and without overlap."""


class Opening(Struct, frozen=True):
    """A management port that can be reached, and the resource that leads to it."""

    port: int
    way: ResourceId


class Exposure(Struct, frozen=True):
    """What the internet can reach of one VM."""

    open: tuple[Opening, ...] = ()
    """Reachable from anywhere, or from very many addresses."""
    named: tuple[Opening, ...] = ()
    """Reachable from a few named public addresses only."""
    missing: tuple[ResourceId, ...] = ()
    """Resources that would have to be read to be sure."""


class _Way(Struct, frozen=True):
    """A way from the internet to an IP configuration."""

    resource: ResourceId
    ports: tuple[int, ...]
    is_basic: bool | None
    is_certain: bool = True
    """False where the load balancer was not read, so that it may be a private one."""


class _Admission(Struct, frozen=True):
    """Whom one security group lets through to one port."""

    spans: Spans
    azure: bool = False
    """Lets all of Azure in, other customers' VMs included."""

    @property
    def is_wide(self) -> bool:
        return self.azure or sum(last - first + 1 for first, last in self.spans) > _A_FEW


def exposure_of(vm: VirtualMachine, estate: Estate) -> Exposure:
    """Return which management ports the internet can reach on any of the VM's addresses."""
    if not vm.nics:
        return Exposure(missing=(vm.id,))
    found = [_of_nic(nic, estate.nics.get(nic), estate) for nic in vm.nics]
    return _joined(found)


def _of_nic(nic_id: ResourceId, nic: Nic | None, estate: Estate) -> Exposure:
    if nic is None or not nic.ip_configurations:
        return Exposure(missing=(nic_id,))
    return _joined([_of_configuration(entry, nic, estate) for entry in nic.ip_configurations])


def _joined(found: list[Exposure]) -> Exposure:
    return Exposure(
        open=tuple(dict.fromkeys(entry for one in found for entry in one.open)),
        named=tuple(dict.fromkeys(entry for one in found for entry in one.named)),
        missing=tuple(dict.fromkeys(entry for one in found for entry in one.missing)),
    )


def _of_configuration(configuration: IpConfiguration, nic: Nic, estate: Estate) -> Exposure:
    ways = _ways(configuration, estate)
    if not ways:
        return Exposure()
    groups, unread = _groups(configuration, nic, estate)
    return _joined([_of_port(port, way, groups, unread, configuration) for way in ways for port in way.ports])


def _of_port(
    port: int,
    way: _Way,
    groups: list[NetworkSecurityGroup],
    unread: list[ResourceId],
    configuration: IpConfiguration,
) -> Exposure:
    admissions = [_admission(group, port, configuration) for group in groups]
    spans, wide = _combined(admissions)
    if admissions and not spans and not wide:
        return Exposure()
    if not groups and not unread and way.is_basic is False:
        return Exposure()
    if unread:
        return Exposure(missing=tuple(unread))
    if not way.is_certain or (not groups and way.is_basic is None):
        return Exposure(missing=(way.resource,))
    opening = (Opening(port, way.resource),)
    return Exposure(open=opening) if wide or not groups else Exposure(named=opening)


def _combined(admissions: list[_Admission]) -> tuple[Spans, bool]:
    """Return who passes all groups, and whether that is very many."""
    if not admissions:
        return (), False
    spans = admissions[0].spans
    for entry in admissions[1:]:
        spans = _common(spans, entry.spans)
    all_of_azure = any(entry.azure for entry in admissions) and all(entry.is_wide for entry in admissions)
    return spans, all_of_azure or _Admission(spans).is_wide


def _ways(configuration: IpConfiguration, estate: Estate) -> list[_Way]:
    ways = []
    if configuration.public_ip is not None:
        address = estate.public_ips.get(configuration.public_ip)
        basic = address.is_basic if address else None
        ways.append(_Way(configuration.public_ip, MANAGEMENT_PORTS, basic))
    for balancer, path in estate.paths_to(configuration):
        # Backend port 0 is a rule for all ports.
        ports = tuple(port for port in MANAGEMENT_PORTS if path.backend_port in (0, port))
        if path.is_public and ports:
            ways.append(_Way(balancer.id, ports, balancer.is_basic))
    entrances = (*configuration.load_balancer_pools, *configuration.inbound_nat_rules)
    for balancer_id in dict.fromkeys(entry.parent for entry in entrances):
        if balancer_id.type == _LOAD_BALANCER and estate.load_balancer(balancer_id) is None:
            ways.append(_Way(balancer_id, MANAGEMENT_PORTS, None, is_certain=False))
    return ways


def _groups(
    configuration: IpConfiguration, nic: Nic, estate: Estate
) -> tuple[list[NetworkSecurityGroup], list[ResourceId]]:
    """Return the security groups before an IP configuration, and what was not read of them."""
    wanted = [nic.network_security_group]
    unread = []
    subnet = configuration.subnet
    if subnet is None:
        unread.append(nic.id)
    elif subnet not in estate.subnet_security_groups:
        unread.append(subnet)
    else:
        wanted.append(estate.subnet_security_groups[subnet])
    names = [name for name in wanted if name is not None]
    groups = [estate.security_groups[name] for name in names if name in estate.security_groups]
    return groups, [*unread, *(name for name in names if name not in estate.security_groups)]


def _admission(group: NetworkSecurityGroup, port: int, configuration: IpConfiguration) -> _Admission:
    """Walk a group's rules by priority: each address is decided by the first rule that matches it."""
    version = 6 if ":" in (configuration.private_address or "") else 4
    undecided = _INTERNET[version]
    admitted: list[tuple[int, int]] = []
    azure = False
    for entry in sorted(group.rules, key=lambda candidate: candidate.priority):
        if not undecided:
            break
        if not _concerns(entry, port, configuration):
            continue
        sources = _sources(entry.sources, version)
        if entry.allows:
            azure = azure or any(source.lower().startswith("azurecloud") for source in entry.sources)
            admitted.extend(_common(undecided, sources))
        undecided = _without(undecided, sources)
    return _Admission(_merged(admitted), azure)


def _concerns(entry: SecurityRule, port: int, configuration: IpConfiguration) -> bool:
    return (
        entry.inbound
        and entry.protocol.lower() in ("*", "any", "all", "tcp")
        and any(_covers(ports, port) for ports in entry.destination_ports)
        and _reaches(entry, configuration)
    )


def _covers(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    if first.isdigit() and (last or first).isdigit():
        return int(first) <= port <= int(last or first)
    return ports in ("*", "Any")


def _reaches(entry: SecurityRule, configuration: IpConfiguration) -> bool:
    if entry.destination_groups:
        return any(group in configuration.security_groups for group in entry.destination_groups)
    address = configuration.private_address
    if address is None:
        # Which address the rule has to match is not known: assume the worse of either answer.
        return entry.allows or any(target.lower() in _EVERYWHERE for target in entry.destinations)
    return any(_contains(target, address) for target in entry.destinations)


@lru_cache(maxsize=65536)
def _contains(target: str, address: str) -> bool:
    if target.lower() in _EVERYWHERE:
        return True
    try:
        network, own = ip_network(target, strict=False), ip_network(address)
    except ValueError:
        return False
    return network.version == own.version and own.network_address in network


@lru_cache(maxsize=65536)
def _sources(sources: tuple[str, ...], version: int) -> Spans:
    return _merged([span for source in sources for span in _spans_of(source, version)])


def _spans_of(source: str, version: int) -> Spans:
    """Return the public addresses that a rule's source stands for; other service tags stand for none."""
    if source.lower() in ("*", "any", "internet"):
        return _INTERNET[version]
    try:
        network = ip_network(source, strict=False)
    except ValueError:
        return ()
    if network.version != version:
        return ()
    own = ((int(network.network_address), int(network.broadcast_address)),)
    return _common(_INTERNET[version], own)


def _common(left: Spans, right: Spans) -> Spans:
    if left == right:
        return left
    pairs = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return tuple(sorted((first, last) for first, last in pairs if first <= last))


def _without(spans: Spans, taken: Spans) -> Spans:
    if spans == taken:
        return ()
    left = list(spans)
    for first, last in taken:
        parts = [((a, min(b, first - 1)), (max(a, last + 1), b)) for a, b in left]
        left = [part for pair in parts for part in pair if part[0] <= part[1]]
    return tuple(left)


def _merged(spans: list[tuple[int, int]]) -> Spans:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def _span(text: str) -> tuple[int, int]:
    network = ip_network(text)
    return int(network.network_address), int(network.broadcast_address)


_PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
)
_INTERNET: dict[int, Spans] = {
    4: _without((_span("0.0.0.0/0"),), tuple(_span(text) for text in _PRIVATE)),
    6: (_span("2000::/3"),),
}
_EVERYWHERE = ("*", "any", "virtualnetwork", "0.0.0.0/0", "::/0")
_LOAD_BALANCER = "microsoft.network/loadbalancers"
_A_FEW = 1 << 16
"""As many addresses as a /16 has; whoever admits more has not named anybody."""
