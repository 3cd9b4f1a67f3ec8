"""Whom the guards before a network interface let through to a port.

First the security admin rules of Azure Virtual Network Manager, then the security group of the subnet, then
that of the interface. Each address is decided by the first rule that matches it, by priority; an address
that no rule of a group matches is turned away by Azure's default rules, unless it is a private one.

What is not known is read the careful way round: an unlisted service tag admits somebody, but not many; a
rule that denies only some source ports denies nobody, since whoever calls chooses them.
"""

from collections.abc import Iterator

from msgspec import Struct

from readiness.model.access import AdminAccess, AdminRules
from readiness.model.estate import Estate
from readiness.model.network import IpConfiguration, NetworkSecurityGroup, SecurityRule
from readiness.rules.spans import (
    EVERYWHERE,
    INTERNET,
    Spans,
    addresses,
    common,
    contains,
    merged,
    public_part,
    size_of,
    without,
)

A_FEW = 1 << 16
"""As many addresses as a /16 has; whoever admits as many has not named anybody."""


class Admission(Struct, frozen=True):
    """Whom one guard lets through to one port."""

    spans: Spans = ()
    azure: bool = False
    """Lets all of Azure in, other customers' VMs included."""
    tagged: bool = False
    """Lets in a service of Microsoft's, whose addresses are public and not listed here."""

    @property
    def is_wide(self) -> bool:
        """Whether it lets in so many that nobody was named."""
        return self.azure or size_of(self.spans) >= A_FEW

    @property
    def is_empty(self) -> bool:
        """Whether it lets nobody in."""
        return not (self.spans or self.azure or self.tagged)


class Guarded(Struct, frozen=True):
    """What security admin rules leave for the security groups to decide."""

    undecided: Spans
    always: Spans = ()
    """Let in whatever the security groups say."""
    always_azure: bool = False
    denies_inside: bool = False
    """Turns away whoever comes from private addresses too."""


def version_of(configuration: IpConfiguration) -> int:
    """Return the version of the internet protocol that an IP configuration speaks."""
    return 6 if ":" in (configuration.private_address or "") else 4


def by_group(
    group: NetworkSecurityGroup, port: int, configuration: IpConfiguration, estate: Estate
) -> Admission:
    """Return whom on the internet a security group lets through to one port."""
    rules, is_general = estate.remembered(("inbound", group.id.key), lambda: _inbound(group))
    version = version_of(configuration)
    # Where no rule tells one address from another, all members of the group get the same answer.
    own = None if is_general else (configuration.private_address, configuration.security_groups)
    return estate.remembered(
        ("admission", group.id.key, port, version, own), lambda: _walk(rules, port, configuration, version)
    )


def admission_of(group: NetworkSecurityGroup, port: int, configuration: IpConfiguration) -> Admission:
    """Return the same of a group that belongs to no estate, worked out anew."""
    return _walk(_inbound(group)[0], port, configuration, version_of(configuration))


def admitting(group: NetworkSecurityGroup, port: int, configuration: IpConfiguration) -> tuple[str, ...]:
    """Return the names of the rules by which a security group lets somebody on the internet through."""
    rules, _ = _inbound(group)
    found = _deciding(rules, port, configuration, version_of(configuration))
    return tuple(
        rule.name
        for rule, decided in found
        if rule.allows and (decided or any(_is_public_tag(source) for source in rule.sources))
    )


def by_admin_rules(found: AdminRules | None, port: int, configuration: IpConfiguration) -> Guarded:
    """Return what security admin rules decide about the internet, and what they leave undecided."""
    version = version_of(configuration)
    undecided = INTERNET[version]
    passed: list[tuple[int, int]] = []
    always: list[tuple[int, int]] = []
    azure = False
    inside: AdminAccess | None = None
    for rule in sorted(found.rules if found else (), key=lambda one: one.priority):
        denies = rule.access is AdminAccess.DENY
        if not (
            _speaks_tcp(rule.protocol)
            and any(_covers(ports, port) for ports in rule.destination_ports)
            and _means(rule.destinations, configuration, careful=not denies)
        ):
            continue
        if denies and not _all_ports(rule.source_ports):
            continue
        sources = public_part(rule.sources, version)
        meant = common(undecided, sources)
        if inside is None and any(source.lower() in EVERYWHERE for source in rule.sources):
            inside = rule.access
        if rule.access is AdminAccess.ALWAYS_ALLOW:
            always.extend(meant)
            azure = azure or _names_azure(rule.sources)
        elif rule.access is AdminAccess.ALLOW:
            passed.extend(meant)
        undecided = without(undecided, sources)
    return Guarded(
        undecided=merged([*undecided, *passed]),
        always=merged(always),
        always_azure=azure,
        denies_inside=inside is AdminAccess.DENY,
    )


def from_inside(
    group: NetworkSecurityGroup, port: int, configuration: IpConfiguration, prefixes: tuple[str, ...]
) -> bool | None:
    """Tell whether a security group lets in those who come from a subnet; None where that cannot be told.

    Azure's default rules let in whoever comes from the same or a joined network.
    """
    sources = addresses(prefixes)
    doubts: set[bool] = set()
    answer = True
    for rule in _inbound(group)[0]:
        if not _concerns(rule, port, configuration):
            continue
        hit = _hits(rule, sources)
        if hit and (rule.allows or _all_ports(rule.source_ports)):
            answer = rule.allows
            break
        if hit is not False:
            doubts.add(rule.allows)
    return answer if doubts <= {answer} else None


def _inbound(group: NetworkSecurityGroup) -> tuple[tuple[SecurityRule, ...], bool]:
    # Azure keeps priorities unique; where they are not, the rule that lets in is taken to come first.
    rules = sorted(
        (rule for rule in group.rules if rule.inbound), key=lambda one: (one.priority, not one.allows)
    )
    is_general = all(
        not rule.destination_groups and any(target.lower() in _ANY_TARGET for target in rule.destinations)
        for rule in rules
    )
    return tuple(rules), is_general


def _walk(
    rules: tuple[SecurityRule, ...], port: int, configuration: IpConfiguration, version: int
) -> Admission:
    admitted: list[tuple[int, int]] = []
    azure = tagged = False
    for rule, decided in _deciding(rules, port, configuration, version):
        if rule.allows:
            azure = azure or _names_azure(rule.sources)
            tagged = tagged or any(_is_public_tag(source) for source in rule.sources)
            admitted.extend(decided)
    return Admission(merged(admitted), azure, tagged)


def _deciding(
    rules: tuple[SecurityRule, ...], port: int, configuration: IpConfiguration, version: int
) -> Iterator[tuple[SecurityRule, Spans]]:
    """Return the rules that decide about a port in their order, each with the public addresses it decides."""
    undecided = INTERNET[version]
    for rule in rules:
        if not undecided:
            return
        if not _concerns(rule, port, configuration):
            continue
        if not rule.allows and not _all_ports(rule.source_ports):
            continue
        sources = public_part(rule.sources, version)
        yield rule, common(undecided, sources)
        undecided = without(undecided, sources)


def _concerns(rule: SecurityRule, port: int, configuration: IpConfiguration) -> bool:
    return (
        _speaks_tcp(rule.protocol)
        and any(_covers(ports, port) for ports in rule.destination_ports)
        and _reaches(rule, configuration)
    )


def _reaches(rule: SecurityRule, configuration: IpConfiguration) -> bool:
    if rule.destination_groups:
        return any(group in configuration.security_groups for group in rule.destination_groups)
    return _means(rule.destinations, configuration, careful=rule.allows)


def _means(destinations: tuple[str, ...], configuration: IpConfiguration, *, careful: bool) -> bool:
    address = configuration.private_address
    if address is None:
        # Which address the rule has to match is not known: assume the worse of either answer.
        return careful or any(target.lower() in _ANY_TARGET for target in destinations)
    return any(
        contains(target, address) or (careful and target == "networkgroup:") for target in destinations
    )


def _speaks_tcp(protocol: str) -> bool:
    return protocol.lower() in ("*", "any", "all", "tcp")


def _covers(ports: str, port: int) -> bool:
    first, _, last = (part.strip() for part in ports.partition("-"))
    if first.isdigit() and (last or first).isdigit():
        return int(first) <= port <= int(last or first)
    return ports.lower() in ("*", "any")


def _all_ports(ports: tuple[str, ...]) -> bool:
    return any(entry.lower() in ("*", "any", "0-65535", "1-65535") for entry in ports)


def _names_azure(sources: tuple[str, ...]) -> bool:
    return any(source.lower().startswith("azurecloud") for source in sources)


def _is_public_tag(source: str) -> bool:
    word = source.lower()
    return word[:1].isalpha() and ":" not in word and word not in _PRIVATE_TAGS and word != "networkgroup:"


def _hits(rule: SecurityRule, sources: Spans) -> bool | None:
    """Tell whether a rule means all who come from these addresses; None where it may mean some of them."""
    if any(source.lower() in EVERYWHERE or source.lower() == "virtualnetwork" for source in rule.sources):
        return True
    written = addresses(rule.sources)
    if not sources:
        return None if written else False
    shared = common(sources, written)
    if shared == sources:
        return True
    return None if shared else False


_ANY_TARGET = (*EVERYWHERE, "virtualnetwork")
_PRIVATE_TAGS = ("any", "internet", "virtualnetwork", "azureloadbalancer", "gatewaymanager", "azurebastion")
