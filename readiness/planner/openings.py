"""The openings of a VM: rules of network security groups that let the internet reach its management ports.

Rests on the same answer as the assessment: a rule is an opening only where the port is open after everything
else was asked. Where one of the groups before an interface belongs to the VM alone, tightening that one is
enough, and a group that others share is left as it is.
"""

from collections import defaultdict
from collections.abc import Iterator

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import NetworkSecurityGroup, SecurityRule
from readiness.model.playbook import Opening
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.admission import admitting
from readiness.rules.exposure import exposure_of, guards_of

_FIRST_PRIORITY = 100
_SPARE = 2
"""A rule that denies, and one before it that lets named addresses in."""

_Doors = dict[tuple[ResourceId, str], set[int]]
"""Ports by security group and rule."""


def openings_of(vm: VirtualMachine, estate: Estate) -> tuple[Opening, ...]:
    """Return the rules that let the internet reach a VM's management ports, by their ids."""
    doors: _Doors = defaultdict(set)
    for port, groups in _guarded(vm, estate):
        group, names = next(
            ((one, names) for one, names in groups if not _is_shared(one.id, vm, estate)), groups[0]
        )
        for name in names:
            doors[group.id, name].add(port)
    taken: dict[ResourceId, set[int]] = {}
    found = []
    for (group_id, name), ports in sorted(doors.items()):
        group = estate.security_groups[group_id]
        rule = next(one for one in group.rules if one.name == name and one.inbound)
        used = taken.setdefault(group_id, {one.priority for one in group.rules if one.inbound})
        found.append(
            Opening(
                rule=ResourceId(f"{group_id}/securityRules/{name}"),
                properties=properties_of(rule),
                ports=tuple(sorted(ports)),
                shared=_is_shared(group_id, vm, estate),
                spare=_spare(rule.priority, used),
            )
        )
    return tuple(found)


def _guarded(
    vm: VirtualMachine, estate: Estate
) -> Iterator[tuple[int, list[tuple[NetworkSecurityGroup, tuple[str, ...]]]]]:
    """Yield each open port with the groups before it, each with the rules that let the internet in."""
    for opening in exposure_of(vm, estate).open:
        for nic in filter(None, (estate.nics.get(name) for name in vm.nics)):
            for configuration in nic.ip_configurations:
                if opening.way in estate.public_ips and configuration.public_ip != opening.way:
                    continue
                groups = guards_of(configuration, nic, estate).groups
                admitted = [(one, admitting(one, opening.port, configuration)) for one in groups]
                admitted = [(one, names) for one, names in admitted if names]
                if admitted:
                    yield opening.port, admitted


def _is_shared(group: ResourceId, vm: VirtualMachine, estate: Estate) -> bool:
    """Tell whether a group stands before a subnet, where others may come any day, or before other VMs."""
    subnets, users = estate.remembered("users of security groups", lambda: _users(estate))
    return group in subnets or not users.get(group, set()) <= set(vm.nics)


def _users(estate: Estate) -> tuple[set[ResourceId], dict[ResourceId, set[ResourceId]]]:
    """Return the groups that stand before subnets, and by group the interfaces that name it themselves."""
    subnets = {group for group in estate.subnet_security_groups.values() if group is not None}
    users: dict[ResourceId, set[ResourceId]] = defaultdict(set)
    for nic in estate.nics.values():
        if nic.network_security_group is not None:
            users[nic.network_security_group].add(nic.id)
    return subnets, users


def _spare(priority: int, used: set[int]) -> tuple[int, ...]:
    """Return the free priorities nearest before a rule, and count them as used."""
    free = [one for one in range(priority - 1, _FIRST_PRIORITY - 1, -1) if one not in used][:_SPARE]
    used.update(free)
    return tuple(sorted(free))


def properties_of(rule: SecurityRule) -> dict[str, object]:
    """Return a rule as Azure takes it: one value under the singular field, several under the plural one."""
    properties: dict[str, object] = {"description": rule.description} if rule.description else {}
    properties |= {
        "protocol": rule.protocol,
        "access": "Allow" if rule.allows else "Deny",
        "priority": rule.priority,
        "direction": "Inbound" if rule.inbound else "Outbound",
    }
    properties |= _prefixes("sourceAddressPrefix", rule.sources, rule.source_groups)
    properties |= _prefixes("destinationAddressPrefix", rule.destinations, rule.destination_groups)
    properties |= _several("sourcePortRange", rule.source_ports)
    return properties | _several("destinationPortRange", rule.destination_ports)


def _prefixes(key: str, prefixes: tuple[str, ...], groups: tuple[ResourceId, ...]) -> dict[str, object]:
    if groups:
        named = key.removesuffix("AddressPrefix") + "ApplicationSecurityGroups"
        return {named: [{"id": group.text} for group in groups]}
    return _several(key, prefixes)


def _several(key: str, values: tuple[str, ...]) -> dict[str, object]:
    if len(values) == 1:
        return {key: values[0]}
    return {key + ("s" if key.endswith("e") else "es"): [*values]}
