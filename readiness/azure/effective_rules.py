"""The security rules in force at a network interface, as Azure answers them, and what they let in. Pure.

Who counts as *the internet* is decided where the assessment decides it: whoever lets in as many public
addresses as a /16 has, or all of Azure, has named nobody. All groups before an interface have to let a caller
in; the security admin rules of a network manager come before them.
"""

from typing import Any

from readiness.azure.wire_values import number, obj, objects, reference, text, texts
from readiness.model.access import AdminAccess, AdminRule, AdminRules
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration, NetworkSecurityGroup, SecurityRule
from readiness.rules.admission import Admission, admission_of, admitting, by_admin_rules
from readiness.rules.exposure import combined

Json = dict[str, Any]

_NETWORK = ResourceId("")
"""An answer does not say which network its rules are in force on, and nobody asks."""


def openings(answer: list[Json], configuration: IpConfiguration, ports: tuple[int, ...]) -> list[str]:
    """Return, in words, which ports the internet reaches at an IP configuration, by which rules."""
    groups = [_group(entry) for entry in answer if reference(entry, "networkSecurityGroup") is not None]
    admin = _admin_rules(answer)
    found = []
    for port in ports:
        guarded = by_admin_rules(admin, port, configuration)
        if Admission(guarded.always, guarded.always_azure).is_wide:
            found.append(f"{port}: a security admin rule always lets the internet in")
            continue
        if not groups:
            if guarded.undecided:
                found.append(f"{port}: no network security group stands before it")
            continue
        admissions = [admission_of(group, port, configuration) for group in groups]
        _, is_open = combined([Admission(guarded.undecided), *admissions])
        if is_open:
            named = (_by(group, port, configuration) for group in groups)
            found.append(f"{port}: let in by {' and '.join(named)}")
    return found


def _by(group: NetworkSecurityGroup, port: int, configuration: IpConfiguration) -> str:
    names = (name.rpartition("/")[2] for name in admitting(group, port, configuration))
    return f"{', '.join(names)} of {group.id.name}"


def _group(entry: Json) -> NetworkSecurityGroup:
    group = reference(entry, "networkSecurityGroup")
    rules = (_rule(rule) for rule in objects(entry, "effectiveSecurityRules"))
    return NetworkSecurityGroup(id=group or ResourceId(""), rules=tuple(rules))


def _rule(rule: Json) -> SecurityRule:
    return SecurityRule(
        name=text(rule, "name") or "",
        priority=number(rule, "priority") or 0,
        allows=(text(rule, "access") or "").lower() == "allow",
        inbound=(text(rule, "direction") or "").lower() == "inbound",
        protocol=text(rule, "protocol") or "All",
        sources=_addresses(rule, "source"),
        destinations=_addresses(rule, "destination"),
        destination_ports=_listed(rule, "destinationPortRange"),
        source_ports=_listed(rule, "sourcePortRange"),
    )


def _admin_rules(answer: list[Json]) -> AdminRules | None:
    listed = [
        rule
        for entry in answer
        if obj(obj(entry, "association"), "networkManager")
        for rule in objects(entry, "effectiveSecurityRules")
        if (text(rule, "direction") or "").lower() == "inbound"
    ]
    rules = tuple(_admin_rule(rule) for rule in listed)
    return AdminRules(id=_NETWORK, rules=rules) if rules else None


def _admin_rule(rule: Json) -> AdminRule:
    access = {"deny": AdminAccess.DENY, "allow": AdminAccess.ALLOW}
    return AdminRule(
        name=text(rule, "name") or "",
        priority=number(rule, "priority") or 0,
        access=access.get((text(rule, "access") or "").lower(), AdminAccess.ALWAYS_ALLOW),
        protocol=text(rule, "protocol") or "All",
        sources=_addresses(rule, "source"),
        destinations=_addresses(rule, "destination"),
        destination_ports=_listed(rule, "destinationPortRange"),
        source_ports=_listed(rule, "sourcePortRange"),
    )


def _addresses(rule: Json, side: str) -> tuple[str, ...]:
    """Return whom a side of a rule means, as written; what Azure puts behind it counts where nothing is.

    The addresses behind `VirtualNetwork` follow the routes: where a firewall is the way out they are all
    addresses, although nobody outside is in the network.
    """
    given = [text(rule, f"{side}AddressPrefix"), *texts(rule, f"{side}AddressPrefixes")]
    written = tuple(dict.fromkeys(each for each in given if each))
    return written or texts(rule, f"expanded{side.capitalize()}AddressPrefix") or ("*",)


def _listed(rule: Json, name: str) -> tuple[str, ...]:
    given = [text(rule, name), *texts(rule, f"{name}s")]
    return tuple(dict.fromkeys(each for each in given if each)) or ("*",)
