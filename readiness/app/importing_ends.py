"""Finds the one VM of the estate that an end of a dependency speaks of, or says why there is none.

Tried in this order: the id; group and name; the name, in observed traffic also what the system calls itself,
in full or without its domain; the private or public address. Where several VMs answer, an address or the
virtual network of the other end may tell them apart; otherwise none is taken.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from readiness.azure.collection import Collection
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.network import IpConfiguration
from readiness.model.virtual_machine import VirtualMachine
from readiness.store.dependency_forms import Endpoint, Seen, Stated

_NAMED = 5
_Address = IPv4Address | IPv6Address
_Found = tuple[ResourceId, ...]


class Outside(Struct, frozen=True):
    """An end that is no machine of anybody's estate: the internet, or a service of Azure."""


class Itself(Struct, frozen=True):
    """An end that never leaves the machine or its link: loopback, link-local, multicast."""


class NoSingleVm(Struct, frozen=True):
    """An end that none of the VMs answers to, or several."""

    endpoint: str
    why: str


End = ResourceId | Outside | Itself | NoSingleVm


class Finder:
    """Knows the VMs of one estate by their ids, names, system names and addresses."""

    def __init__(self, collection: Collection, estate: Estate) -> None:
        self.names = collection.names()
        self._ids = {found for ids in self.names.values() for found in ids}
        self._by_system: dict[str, set[ResourceId]] = {}
        self._by_address: dict[str, set[ResourceId]] = {}
        self._networks: dict[ResourceId, set[str]] = {}
        self._read: dict[str, _Address | None] = {}
        for vm in estate.vms:
            if vm.os_profile and vm.os_profile.computer_name:
                self._by_system.setdefault(vm.os_profile.computer_name.lower(), set()).add(vm.id)
            for configuration in _configurations(vm, estate):
                self._learn(vm.id, configuration, estate)

    def ends(self, line: Stated | Seen) -> tuple[End, End]:
        """Return the VMs of both ends of a line, or what an end is instead."""
        is_seen = isinstance(line, Seen)
        sources, targets = (self._candidates(end, is_seen=is_seen) for end in (line.source, line.target))
        return (
            self._end(line, line.source, self._beside(line.source, sources, targets)),
            self._end(line, line.target, self._beside(line.target, targets, sources)),
        )

    def _learn(self, vm: ResourceId, configuration: IpConfiguration, estate: Estate) -> None:
        public = estate.public_ips.get(configuration.public_ip) if configuration.public_ip else None
        for written in (configuration.private_address, public.address if public else None):
            if address := self._address(written or ""):
                self._by_address.setdefault(str(address), set()).add(vm)
        if configuration.subnet:
            self._networks.setdefault(vm, set()).add(configuration.subnet.parent.key)

    def _address(self, written: str) -> _Address | None:
        if written not in self._read:
            self._read[written] = _parsed(written)
        return self._read[written]

    def _candidates(self, end: Endpoint, *, is_seen: bool) -> _Found:
        if end.name.startswith("/"):
            found = ResourceId(end.name)
            return (found,) if found in self._ids else ()
        address = self._address(end.address)
        there = self._by_address.get(str(address), set()) if address else set()
        if not end.name:
            return tuple(sorted(there))
        narrowed = tuple(
            vm
            for vm in self._named(end.name.lower(), is_system=is_seen and not end.group)
            if (not end.group or vm.resource_group.lower() == end.group.lower())
            and (not end.subscription or vm.subscription == end.subscription)
        )
        return (tuple(vm for vm in narrowed if vm in there) or narrowed) if len(narrowed) > 1 else narrowed

    def _named(self, name: str, *, is_system: bool) -> Iterable[ResourceId]:
        """Return the VMs of a name; systems are often named in full by their domain."""
        for written in dict.fromkeys((name, name.partition(".")[0])):
            found = {*self.names.get(written, ())}
            if is_system:
                found |= self._by_system.get(written, set())
            if found:
                return sorted(found)
        return ()

    def _beside(self, end: Endpoint, candidates: _Found, others: _Found) -> _Found:
        """Keep of several VMs at one address that in the other end's network, where addresses are unique."""
        if len(candidates) < 2 or len(others) != 1 or end.name:  # noqa: PLR2004
            return candidates
        networks = self._networks.get(others[0], set())
        near = tuple(vm for vm in candidates if networks & self._networks.get(vm, set()))
        return near or candidates

    def _end(self, line: Stated | Seen, end: Endpoint, candidates: _Found) -> End:
        address = self._address(end.address)
        if address is not None and _stays(address):
            return Itself()
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            listed = ", ".join(str(vm) for vm in candidates[:_NAMED])
            more = f" and {len(candidates) - _NAMED} more" if len(candidates) > _NAMED else ""
            why = f"{len(candidates)} VMs of the estate answer to it: {listed}{more}"
            return NoSingleVm(str(end), why)
        if not end.name and ((address is not None and address.is_global) or _is_public(line)):
            return Outside()
        return NoSingleVm(str(end) or "(nothing)", "no VM of the estate answers to it")


def _configurations(vm: VirtualMachine, estate: Estate) -> Iterable[IpConfiguration]:
    for nic in (estate.nics.get(entry) for entry in vm.nics):
        yield from nic.ip_configurations if nic else ()


def _is_public(line: Stated | Seen) -> bool:
    return isinstance(line, Seen) and line.public


def _parsed(written: str) -> _Address | None:
    try:
        found = ip_address(written.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _stays(address: _Address) -> bool:
    return address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
