"""The shape of a body: what is an object, a list or a word, before anybody looks inside. Pure.

A null is as good as nothing: it is left out. Properties that are not named here are kept as they are.
"""

from typing import Any

from readiness.twin.arm.network.kinds import KINDS
from readiness.twin.arm.network.links import LINKS
from readiness.twin.documents import Json
from readiness.twin.messages import ArmError

_PLURAL = {"publicIpAddresses", "applicationSecurityGroups", "loadBalancerBackendAddressPools",
           "loadBalancerInboundNatRules", "sourceApplicationSecurityGroups", "frontendIPConfigurations",
           "destinationApplicationSecurityGroups"}  # fmt: skip
_ENTRIES = {part for kind in KINDS.values() for part in kind.parts} | _PLURAL
_OBJECTS = {link.name for link in LINKS if link.source in KINDS} - _PLURAL | {
    *("properties", "addressSpace", "remoteVirtualNetwork", "sku", "dnsSettings", "remoteAddressSpace"),
    *("frontendIPConfiguration", "backendAddressPool", "probe", "ipConfiguration", "virtualMachine"),
}
_LISTS = {"addressPrefixes", "sourceAddressPrefixes", "destinationAddressPrefixes", "sourcePortRanges",
          "destinationPortRanges", "zones"}  # fmt: skip
_WORDS = {"id", "name", "location", "addressPrefix", "nextHopType", "nextHopIpAddress", "privateIPAddress",
          "privateIPAllocationMethod", "publicIPAllocationMethod", "sourceAddressPrefix",
          "destinationAddressPrefix", "sourcePortRange", "destinationPortRange", "protocol", "access",
          "direction", "resourceGuid", "etag"}  # fmt: skip


def shaped(value: Any, place: str = "") -> Any:
    """Return a copy of a body without its nulls, or refuse what has the wrong shape."""
    if isinstance(value, dict):
        after: Json = {}
        for name, inner in value.items():
            if inner is not None:
                _check(name, inner, f"{place}.{name}".strip("."))
                after[name] = shaped(inner, f"{place}.{name}".strip("."))
        return after
    if isinstance(value, list):
        return [shaped(inner, f"{place}[{at}]") for at, inner in enumerate(value)]
    return value


def _check(name: str, value: Any, place: str) -> None:
    if name in _WORDS:
        is_fit, wanted = isinstance(value, str), "a string"
    elif name in _LISTS:
        is_fit = isinstance(value, list) and all(isinstance(each, str) for each in value)
        wanted = "a list of strings"
    elif name in _ENTRIES:
        is_fit = isinstance(value, list) and all(isinstance(each, dict) for each in value)
        wanted = "a list of objects"
    elif name in _OBJECTS:
        is_fit, wanted = isinstance(value, dict), "an object"
    else:
        return
    if not is_fit:
        raise ArmError(
            400,
            "InvalidRequestFormat",
            f"Cannot parse the request: {place} is not {wanted}.",
            unverified=True,
        )
