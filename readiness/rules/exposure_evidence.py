"""What an auditor can look up where the internet reaches a VM: the ways in, and the rules that let in."""

from collections.abc import Iterator

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.verdict import Evidence
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.admission import admitting
from readiness.rules.exposure import Opening, guards_of
from readiness.rules.sightings import unread_of


def evidence_of(openings: tuple[Opening, ...], vm: VirtualMachine, estate: Estate) -> list[Evidence]:
    """Return the public address, load balancer or firewall of each opening, and who lets in behind it."""
    ways = [_way(way, estate) for way in dict.fromkeys(entry.way for entry in openings)]
    rules = [found for entry in openings for found in _rules(entry, vm, estate)]
    return list(dict.fromkeys((*ways, *rules)))


def _way(way: ResourceId, estate: Estate) -> Evidence:
    address = estate.public_ips.get(way)
    if address is None:
        return Evidence(way, "id", way.text)
    return Evidence(way, "properties.ipAddress", address.address)


def _rules(opening: Opening, vm: VirtualMachine, estate: Estate) -> Iterator[Evidence]:
    nics = (estate.nics.get(nic) for nic in vm.nics)
    for nic in nics:
        for configuration in nic.ip_configurations if nic else ():
            if nic is None or (opening.way in estate.public_ips and configuration.public_ip != opening.way):
                continue
            for group in guards_of(configuration, nic, estate).groups:
                for name in admitting(group, opening.port, configuration):
                    path = f"properties.securityRules[name={name}].properties.access"
                    yield Evidence(group.id, path, "Allow")


def missing_of(missing: tuple[ResourceId, ...], vm: VirtualMachine, estate: Estate) -> list[Evidence]:
    """Return what stands, or fails to stand, where somebody would have to look to be sure."""
    return [_missing(entry, vm, estate) for entry in missing]


def _missing(entry: ResourceId, vm: VirtualMachine, estate: Estate) -> Evidence:
    if entry == vm.id:
        return Evidence(entry, "properties.networkProfile.networkInterfaces[0].id", None)
    nic = estate.nics.get(entry)
    if nic is not None:
        subnets = [configuration.subnet for configuration in nic.ip_configurations]
        position = subnets.index(None) if None in subnets else len(subnets)
        return Evidence(entry, f"properties.ipConfigurations[{position}].properties.subnet.id", None)
    return Evidence(entry, "id", entry.text) if _was_read(entry, estate) else unread_of([entry], estate)[0]


def _was_read(entry: ResourceId, estate: Estate) -> bool:
    access = estate.access
    known = (estate.public_ips, access.networks, access.firewall_policies, access.firewall_rule_groups)
    return (
        any(entry in kept for kept in known)
        or estate.load_balancer(entry) is not None
        or any(firewall.id == entry for firewall in access.firewalls)
    )
