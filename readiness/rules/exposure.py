"""Which management ports of a VM can be reached from the internet, and what that rests on.

Follows Azure's order: is there a way in (`exposure_paths`); do the security admin rules of the network, then
the security groups of the subnet **and** of the network interface let somebody on the internet through
(`admission`); and where there is no group at all, a Basic way is open and a Standard one closed.

A firewall's destination NAT is taken for open when the guards let in either the caller's address or the
firewall's own: documents disagree on which of the two they see.
"""

from msgspec import Struct

from readiness.model.access import AdminRules
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration, NetworkSecurityGroup, Nic
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.admission import Admission, Guarded, by_admin_rules, by_group, from_inside, version_of
from readiness.rules.exposure_paths import Way, may_be_reached, ways_to
from readiness.rules.spans import common, public_part


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


_NONE = Exposure()


class Guards(Struct, frozen=True):
    """What stands before an IP configuration, and what of it was not read."""

    groups: tuple[NetworkSecurityGroup, ...]
    admin: AdminRules | None
    unread: tuple[ResourceId, ...]


def exposure_of(vm: VirtualMachine, estate: Estate) -> Exposure:
    """Return which management ports the internet can reach on any of the VM's addresses."""
    if not vm.nics:
        return Exposure(missing=(vm.id,))
    if len(vm.nics) == 1:
        return _of_nic(vm.nics[0], estate)
    return _joined([_of_nic(nic, estate) for nic in vm.nics])


def _of_nic(nic_id: ResourceId, estate: Estate) -> Exposure:
    nic = estate.nics.get(nic_id)
    if nic is None or not nic.ip_configurations:
        return Exposure(missing=(nic_id,))
    found = [
        (entry, ways)
        for entry in nic.ip_configurations
        if may_be_reached(entry, estate) and (ways := ways_to(entry, estate))
    ]
    if not found:
        return _NONE
    # Several rules ask the same question in a row; the costly part of the answer is kept.
    return estate.remembered(
        ("exposure", nic_id.key),
        lambda: _joined([_of_configuration(entry, nic, ways, estate) for entry, ways in found]),
    )


def _joined(found: list[Exposure]) -> Exposure:
    return Exposure(
        open=tuple(dict.fromkeys(entry for one in found for entry in one.open)),
        named=tuple(dict.fromkeys(entry for one in found for entry in one.named)),
        missing=tuple(dict.fromkeys(entry for one in found for entry in one.missing)),
    )


def _of_configuration(configuration: IpConfiguration, nic: Nic, ways: list[Way], estate: Estate) -> Exposure:
    guards = guards_of(configuration, nic, estate)
    return _joined([_of_port(port, way, guards, configuration, estate) for way in ways for port in way.ports])


def _of_port(port: int, way: Way, guards: Guards, configuration: IpConfiguration, estate: Estate) -> Exposure:
    opening = (Opening(port, way.resource),)
    guarded = by_admin_rules(guards.admin, port, configuration)
    admitted, is_open = _admitted(port, way, guards, guarded, configuration, estate)
    if admitted.is_empty and not is_open:
        return _NONE
    if guards.unread:
        return Exposure(missing=guards.unread)
    if not way.is_certain or (not guards.groups and way.is_basic is None and not guarded.always):
        return Exposure(missing=(way.resource,))
    return Exposure(open=opening) if is_open else Exposure(named=opening)


def _admitted(
    port: int,
    way: Way,
    guards: Guards,
    guarded: Guarded,
    configuration: IpConfiguration,
    estate: Estate,
) -> tuple[Admission, bool]:
    """Return who gets through on this way, and whether that is very many."""
    own = Admission(
        public_part(way.sources, version_of(configuration)),
        azure=any(source.lower().startswith("azurecloud") for source in way.sources),
    )
    always = Admission(common(guarded.always, own.spans), guarded.always_azure)
    if not always.is_empty:
        return always, always.is_wide
    if (
        way.is_relayed
        and not guarded.denies_inside
        and _lets_relay(port, way.relay, guards, configuration, estate)
    ):
        return own, own.is_wide
    admissions = [own, Admission(guarded.undecided)]
    if guards.groups:
        admissions += [by_group(group, port, configuration, estate) for group in guards.groups]
    elif way.is_basic is False and not guards.unread:
        return Admission(), False
    return combined(admissions)


def combined(admissions: list[Admission]) -> tuple[Admission, bool]:
    """Return who passes all guards, and whether that is very many."""
    spans = admissions[0].spans
    for entry in admissions[1:]:
        spans = common(spans, entry.spans)
    all_of_azure = any(entry.azure for entry in admissions) and all(entry.is_wide for entry in admissions)
    # A tag's addresses are not known: it passes another guard if that one lets in anybody at all.
    tagged = any(entry.tagged and not entry.spans for entry in admissions)
    named = tagged and all(not entry.is_empty for entry in admissions)
    found = Admission(spans, azure=all_of_azure, tagged=named)
    return found, found.is_wide


def _lets_relay(
    port: int, relay: ResourceId | None, guards: Guards, configuration: IpConfiguration, estate: Estate
) -> bool:
    """Tell whether the security groups may let in what a firewall or gateway passes on as its own."""
    within = estate.access.subnets.get(relay) if relay else None
    prefixes = within.prefixes if within else ()
    return all(from_inside(group, port, configuration, prefixes) is not False for group in guards.groups)


def guards_of(configuration: IpConfiguration, nic: Nic, estate: Estate) -> Guards:
    """Return what stands before an IP configuration, and what was not read of it."""
    wanted = [nic.network_security_group]
    unread: list[ResourceId] = []
    subnet = configuration.subnet
    admin = None
    if subnet is None:
        unread.append(nic.id)
    elif subnet not in estate.subnet_security_groups:
        unread.append(subnet)
    else:
        wanted.append(estate.subnet_security_groups[subnet])
        admin, doubt = _admin_rules(subnet.parent, estate)
        unread.extend(doubt)
    names = [name for name in wanted if name is not None]
    groups = tuple(estate.security_groups[name] for name in names if name in estate.security_groups)
    unread.extend(name for name in names if name not in estate.security_groups)
    return Guards(groups=groups, admin=admin, unread=tuple(dict.fromkeys(unread)))


def _admin_rules(network: ResourceId, estate: Estate) -> tuple[AdminRules | None, list[ResourceId]]:
    """Return the security admin rules in force on a network, and what was not read of them.

    They are not applied to networks that a service sets up for itself; security groups decide there.
    """
    found = estate.access.admin_rules.get(network)
    if found is not None and not found.is_understood:
        return None, [network]
    if found is None:
        gap = estate.unread(_ADMIN_RULES, network.subscription)
        return None, [ResourceId(gap.resource)] if gap else []
    return (None if _has_intent_policy(network, estate) else found), []


def _has_intent_policy(network: ResourceId, estate: Estate) -> bool:
    listed = estate.access.networks.get(network)
    names = listed.subnets if listed else ()
    subnets = (estate.access.subnets.get(name) for name in names)
    return any(service in _WITH_INTENT for subnet in subnets if subnet for service in subnet.delegations)


_ADMIN_RULES = "microsoft.network/effectivesecurityadminrules"
_WITH_INTENT = ("microsoft.sql/managedinstances", "microsoft.databricks/workspaces")
"""Services, as of 2026-11, whose networks security admin rules are not applied to."""
