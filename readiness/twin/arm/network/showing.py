"""What an api-version shows of a network resource: properties that came with one, or went with another.

As recorded in Azure/azure-cli, command modules `network` and `vm`, tests/latest/recordings: `ddosSettings`
of a Standard address shows from 2022-05-01 on, the tracking and the second sku of an interface from
2022-11-01 on, `ipamPoolPrefixAllocations` of a subnet from 2024-01-01 on, its policies from 2019-01-01 on,
and `enableVmProtection` of a virtual network before 2020-11-01. The kind of an interface and what goes with
it are absent from the recordings of 2020 in Azure/azure-libraries-for-net, Tests/Fluent.Tests/SessionRecords.
"""

from readiness.twin.arm.network import virtual_networks
from readiness.twin.arm.network.links import INTERFACE, PUBLIC_IP, VIRTUAL_NETWORK, Referrers, shown
from readiness.twin.documents import Json
from readiness.twin.paths import parse
from readiness.twin.state import State

_DDOS_SINCE = "2022-05-01"
_KIND_SINCE = "2021-01-01"
_TRACKING_SINCE = "2022-11-01"
_POLICIES_SINCE = "2019-01-01"
_IPAM_SINCE = "2024-01-01"
_VM_PROTECTION_UNTIL = "2020-11-01"


def at(version: str, state: State, resource: Json, known: Referrers | None = None) -> Json:
    """Return a copy of a resource as an api-version shows it, with its references back as of now."""
    body = shown(state, resource, known)
    kind, properties = parse(resource["id"]).kind, body.setdefault("properties", {})
    if kind == PUBLIC_IP and version < _DDOS_SINCE:
        properties.pop("ddosSettings", None)
    if kind == INTERFACE and version < _KIND_SINCE:
        body.pop("kind", None)
        properties.setdefault("enableAcceleratedNetworking", False)
        for name in ("allowPort25Out", "auxiliaryMode", "nicType", "vnetEncryptionSupported"):
            properties.pop(name, None)
    if kind == INTERFACE and version >= _TRACKING_SINCE:
        properties.setdefault("disableTcpStateTracking", False)
        properties.setdefault("auxiliarySku", "None")
    if kind == VIRTUAL_NETWORK:
        _show_network(version, state, body)
    return body


def _show_network(version: str, state: State, body: Json) -> None:
    properties = body["properties"]
    virtual_networks.show_peerings(state, body, version)
    if version >= _VM_PROTECTION_UNTIL:
        properties.pop("enableVmProtection", None)
    else:
        properties.setdefault("enableVmProtection", False)
    for subnet in properties.get("subnets") or []:
        if version < _POLICIES_SINCE:
            for name in ("privateEndpointNetworkPolicies", "privateLinkServiceNetworkPolicies"):
                (subnet.get("properties") or {}).pop(name, None)
        if version >= _IPAM_SINCE:
            subnet.setdefault("properties", {}).setdefault("ipamPoolPrefixAllocations", [])
