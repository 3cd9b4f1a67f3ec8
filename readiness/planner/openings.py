"""The openings of a VM: rules of network security groups that let the internet reach its management ports.

Rests on the same answer as the assessment: a rule is an opening only where the port is open after everything
else was asked. Where one of the groups before an interface belongs to the VM alone, tightening that one is
enough, and a group that others share is left as it is. Otherwise the group is an object of its own, with the
openings of all VMs that a plan closes, and with every other VM that would lose something.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import Struct

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


class SharedGroup(Struct, frozen=True, kw_only=True):
    """A security group that several VMs may hang on, and what is open through it."""

    id: ResourceId
    openings: tuple[Opening, ...]
    ports: dict[ResourceId, tuple[int, ...]]
    """By VM that is closed otherwise, the ports that only this group leaves open."""
    vms: tuple[ResourceId, ...]
    """Those of the VMs that it was asked for to whom it makes a difference."""
    others: tuple[VirtualMachine, ...]
    """All others to whom it makes or may make one."""
    subnets: tuple[ResourceId, ...]
    """The subnets that it stands before."""


def openings_of(vm: VirtualMachine, estate: Estate) -> tuple[Opening, ...]:
    """Return the rules that let the internet reach a VM's management ports, by their ids."""
    return _openings(_doors(vm, estate), estate, lambda group: _is_shared(group, vm, estate))


def shared_groups(vms: Sequence[VirtualMachine], estate: Estate) -> Iterator[SharedGroup]:
    """Yield every shared group that VMs are open through, once, with the openings of all of them together."""
    doors: _Doors = defaultdict(set)
    ports: dict[ResourceId, dict[ResourceId, set[int]]] = defaultdict(lambda: defaultdict(set))
    for vm in vms:
        for (group, name), found in _doors(vm, estate).items():
            if _is_shared(group, vm, estate):
                doors[group, name] |= found
                ports[group][vm.id] |= found
    behind = _vms_behind(ports, estate)
    asked = {vm.id for vm in vms}
    for group, by_vm in sorted(ports.items()):
        openings = _openings({door: found for door, found in doors.items() if door[0] == group}, estate, _yes)
        touched = {port for opening in openings for port in opening.ports}
        affected = [vm for vm in behind[group] if vm.id in by_vm or _may_matter(vm, touched, estate)]
        yield SharedGroup(
            id=group,
            openings=openings,
            ports={
                vm: tuple(sorted(found - _kept_open(vm, group, ports))) for vm, found in sorted(by_vm.items())
            },
            vms=tuple(vm.id for vm in affected if vm.id in asked),
            others=tuple(vm for vm in affected if vm.id not in asked),
            subnets=tuple(
                sorted(one for one, before in estate.subnet_security_groups.items() if before == group)
            ),
        )


def _doors(vm: VirtualMachine, estate: Estate) -> _Doors:
    """Return the rules that have to be tightened for a VM, in groups of its own where that is enough."""
    doors: _Doors = defaultdict(set)
    for port, groups in _guarded(vm, estate):
        group, names = next(
            ((one, names) for one, names in groups if not _is_shared(one.id, vm, estate)), groups[0]
        )
        for name in names:
            doors[group.id, name].add(port)
    return doors


def _openings(doors: _Doors, estate: Estate, is_shared: Callable[[ResourceId], bool]) -> tuple[Opening, ...]:
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
                shared=is_shared(group_id),
                spare=_spare(rule.priority, used),
            )
        )
    return tuple(found)


def _yes(_group: ResourceId) -> bool:
    return True


def _vms_behind(groups: Collection[ResourceId], estate: Estate) -> dict[ResourceId, list[VirtualMachine]]:
    """Return by group the VMs that it stands before, at their interfaces or before their subnets."""
    found: dict[ResourceId, list[VirtualMachine]] = defaultdict(list)
    for vm in estate.vms if groups else ():
        for group in groups_before(vm, estate).intersection(groups):
            found[group].append(vm)
    return found


def groups_before(vm: VirtualMachine, estate: Estate) -> set[ResourceId]:
    """Return the security groups at the interfaces of a VM, and before their subnets."""
    nics = [nic for nic in map(estate.nics.get, vm.nics) if nic is not None]
    subnets = (one.subnet for nic in nics for one in nic.ip_configurations)
    before = (estate.subnet_security_groups.get(subnet) for subnet in subnets if subnet is not None)
    return {group for group in (*(nic.network_security_group for nic in nics), *before) if group is not None}


def _may_matter(vm: VirtualMachine, ports: set[int], estate: Estate) -> bool:
    """Tell whether somebody on the internet reaches one of the ports of a VM, or nobody can say."""
    exposure = exposure_of(vm, estate)
    reached = {opening.port for opening in (*exposure.open, *exposure.named)}
    return bool(exposure.missing) or bool(reached & ports)


def _kept_open(
    vm: ResourceId, group: ResourceId, ports: dict[ResourceId, dict[ResourceId, set[int]]]
) -> set[int]:
    """Return the ports of a VM that another shared group opens, too, on another of its ways."""
    others = (by_vm for one, by_vm in ports.items() if one != group)
    return {port for by_vm in others for port in by_vm.get(vm, ())}


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
