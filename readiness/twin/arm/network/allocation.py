"""Addresses: which private one a network interface gets from its subnet, and which public one there is.

Learn, "Virtual networks FAQ": the first four addresses of a subnet and the last one are Azure's own. Public
addresses come from the blocks set aside for documentation (RFC 5737), so that nothing a rehearsal does with
one can reach a machine.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_address, ip_network
from itertools import chain

from readiness.twin.arm.network.links import (
    INTERFACE,
    LINKS,
    LOAD_BALANCER,
    PUBLIC_IP,
    ids,
    part,
)
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.state import State

_FIRST, _LAST = 4, 1
_DOCUMENTATION = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
_HOLDERS = {
    link.source: link.within
    for link in LINKS
    if link.name == "subnet" and link.source in (INTERFACE, LOAD_BALANCER)
}


def prefixes(subnet: Json) -> list[str]:
    """Return the address prefixes of a subnet, whichever spelling they stand in."""
    properties = subnet.get("properties") or {}
    single = properties.get("addressPrefix")
    return [single] if single else list(properties.get("addressPrefixes") or [])


def held(state: State, subnet_id: str, *, besides: str) -> dict[str, str]:
    """Return the private addresses in use in a subnet, with the resources that have them."""
    found = {}
    for kind, within in _HOLDERS.items():
        for resource in state.of_kind(kind):
            if same(resource["id"], besides):
                continue
            for each in look(resource, f"properties.{within}") or []:
                address = look(each, "properties.privateIPAddress")
                if address and any(same(one, subnet_id) for one in ids(look(each, "properties.subnet"))):
                    found[str(address)] = resource["id"]
    return found


def settle(state: State, before: Json | None, after: Json, within: str) -> None:
    """Give every IP configuration in a subnet its private address, or refuse the one it asks for."""
    earlier = {each.get("name"): each for each in look(before, f"properties.{within}") or []}
    given: set[str] = set()
    for each in look(after, f"properties.{within}") or []:
        properties = each.setdefault("properties", {})
        subnet_id = look(properties, "subnet.id")
        subnet = None if subnet_id is None else part(state, subnet_id)
        if subnet is None or subnet_id is None:
            continue
        static = same(properties.setdefault("privateIPAllocationMethod", "Dynamic"), "Static")
        properties.setdefault("privateIPAddressVersion", "IPv4")
        was = look(earlier.get(each.get("name")), "properties") or {}
        if not static and same(look(was, "subnet.id"), subnet_id) and was.get("privateIPAddress"):
            properties["privateIPAddress"] = was["privateIPAddress"]
            given.add(properties["privateIPAddress"])
            continue
        taken = held(state, subnet_id, besides=after["id"])
        if static:
            _check_static(after, each, subnet, dict.fromkeys(given, after["id"]) | taken)
        else:
            properties["privateIPAddress"] = _free(subnet, set(taken) | given)
        given.add(str(properties["privateIPAddress"]))


def _check_static(after: Json, entry: Json, subnet: Json, taken: Mapping[str, object]) -> None:
    wanted = entry["properties"].get("privateIPAddress")
    try:
        address = ip_address(str(wanted))
    except ValueError:
        raise ArmError(
            400,
            "InvalidRequestFormat",
            f"Cannot parse the request: '{wanted}' is no private IP address.",
            target="privateIPAddress",
            unverified=True,
        ) from None
    ranges = [ip_network(each) for each in prefixes(subnet)]
    within = next((each for each in ranges if address in each), None)
    shown = ",".join(map(str, ranges))
    if within is None:
        # Recorded in many public reports, among them github.com/kubernetes/ingress-nginx.
        raise ArmError(
            400,
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {wanted} does not belong to the range of subnet prefix {shown}.",
        )
    offset = int(address) - int(within.network_address)
    if within.version == 4 and not _FIRST <= offset < within.num_addresses - _LAST:  # noqa: PLR2004
        # Recorded: github.com/hashicorp/terraform-provider-azurerm, issue 4225.
        raise ArmError(
            400,
            "PrivateIPAddressInReservedRange",
            f"Private static IP address {wanted} falls within reserved IP range of subnet prefix {within}.",
        )
    if str(address) in taken:
        # Recorded: github.com/daniel-rhoades/acs-engine-terraform, issue 10.
        raise ArmError(
            400,
            "PrivateIPAddressIsAllocated",
            f"IP configuration {after['id']}/ipConfigurations/{entry.get('name')} is using the private IP "
            f"address {wanted} which is already allocated to resource {taken[str(address)]}.",
        )


def _free(subnet: Json, taken: set[str]) -> str:
    for prefix in prefixes(subnet):
        network = ip_network(prefix)
        if not isinstance(network, IPv4Network):
            continue
        for offset in range(_FIRST, network.num_addresses - _LAST):
            address = str(network[offset])
            if address not in taken:
                return address
    raise ArmError(
        400,
        "SubnetIsFull",
        f"Subnet {subnet.get('name')} with address prefix {','.join(prefixes(subnet))} does not have enough "
        "capacity for 1 IP addresses.",
        unverified=True,
    )


def public_address(state: State) -> str:
    """Return the next public address that nobody has, or refuse when all are given out."""
    taken = {look(each, "properties.ipAddress") for each in state.of_kind(PUBLIC_IP)}
    every = list(chain.from_iterable(IPv4Network(each).hosts() for each in _DOCUMENTATION))
    free = next((str(each) for each in every if str(each) not in taken), None)
    if free is None:
        # Recorded: github.com/evgenyb/aks-workshops, issue 22.
        raise ArmError(
            400,
            "PublicIPCountLimitReached",
            f"Cannot create more than {len(every)} public IP addresses for this subscription in this region.",
        )
    return free
