"""Virtual networks: address spaces, subnets, and what keeps a subnet from changing."""

from itertools import combinations

from readiness.twin.arm.network.addresses import covered, network_of, overlap
from readiness.twin.arm.network.allocation import prefixes
from readiness.twin.arm.network.links import shown
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError
from readiness.twin.operations import identifier
from readiness.twin.state import State

_DISABLED_SINCE = "2022-01-01"
"""The first api-version on record that disables policies for private endpoints by itself."""
_SYNC_SINCE = "2021-01-01"
_PEERING: Json = {
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "allowVirtualNetworkAccess": True,
    "doNotVerifyRemoteGateways": False,
    "routeServiceVips": {},
    "useRemoteGateways": False,
}


def prepare(state: State, before: Json | None, after: Json) -> None:
    """Complete a virtual network, or refuse it."""
    properties = after["properties"]
    spaces = look(properties, "addressSpace.addressPrefixes") or []
    subnets = properties.setdefault("subnets", [])
    properties.setdefault("virtualNetworkPeerings", [])
    properties.setdefault("enableDdosProtection", False)
    if isinstance(properties.get("dhcpOptions"), dict):
        properties["dhcpOptions"].setdefault("dnsServers", [])
    if not spaces:
        raise ArmError(
            400,
            "InvalidRequestFormat",
            f"Cannot parse the request: {after['id']} has no addressSpace.addressPrefixes.",
            unverified=True,
        )
    _check_notation(after["id"], spaces)
    for subnet in subnets:
        subnet.setdefault("properties", {})
        _check_notation(f"{after['id']}/subnets/{subnet.get('name')}", prefixes(subnet) or [""])
        subnet["properties"].setdefault("delegations", [])
        subnet["properties"].setdefault("privateEndpointNetworkPolicies", "Disabled")
        subnet["properties"].setdefault("privateLinkServiceNetworkPolicies", "Enabled")
        if not all(covered(each, spaces) for each in prefixes(subnet)):
            # Recorded: github.com/MicrosoftDocs/azure-docs, pull request 123869; the next one, too.
            raise ArmError(
                400,
                "NetcfgSubnetRangeOutsideVnet",
                f"Subnet '{subnet.get('name')}' is not valid because its IP address range is outside the IP "
                f"address range of virtual network '{after['name']}'.",
            )
    for one, other in combinations(subnets, 2):
        if any(overlap(first, second) for first in prefixes(one) for second in prefixes(other)):
            raise ArmError(
                400,
                "NetcfgSubnetRangesOverlap",
                f"Subnet '{other.get('name')}' is not valid because its IP address range overlaps with that "
                f"of an existing subnet in virtual network '{after['name']}'.",
            )
    for peering in properties["virtualNetworkPeerings"]:
        _complete_peering(state, after, peering)
    if before is not None:
        check_used(state, before, subnets)


def set_policies(network: Json, version: str) -> None:
    """Let a new subnet have the policy for private endpoints that an api-version sets where none is asked."""
    for subnet in look(network, "properties.subnets") or []:
        if version < _DISABLED_SINCE:
            subnet.setdefault("properties", {}).setdefault("privateEndpointNetworkPolicies", "Enabled")


def _complete_peering(state: State, network: Json, peering: Json) -> None:
    """Fill in a peering (Azure/azure-cli, network/tests/latest/recordings/test_network_vnet_peering.yaml)."""
    own = peering.setdefault("properties", {})
    own["resourceGuid"] = identifier("peering", network["id"], peering.get("name"))
    for name, value in _PEERING.items():
        own.setdefault(name, duplicate(value))
    remote = state.find(look(own, "remoteVirtualNetwork.id"))
    space = look(remote, "properties.addressSpace.addressPrefixes")
    if space is not None:
        own["remoteAddressSpace"] = {"addressPrefixes": list(space)}
        own["remoteVirtualNetworkAddressSpace"] = {"addressPrefixes": list(space)}


def show_peerings(state: State, network: Json, version: str) -> None:
    """Let the peerings of a network that is about to be shown tell whether their other half is there."""
    for peering in look(network, "properties.virtualNetworkPeerings") or []:
        own = peering.get("properties") or {}
        remote = state.find(look(own, "remoteVirtualNetwork.id"))
        if remote is None or own.get("peeringState") not in (None, "Initiated", "Connected"):
            continue
        others = look(remote, "properties.virtualNetworkPeerings") or []
        is_whole = any(
            same(look(each, "properties.remoteVirtualNetwork.id"), network["id"]) for each in others
        )
        own["peeringState"] = "Connected" if is_whole else "Initiated"
        if version >= _SYNC_SINCE:
            own.setdefault("peeringSyncLevel", "FullyInSync" if is_whole else "RemoteNotInSync")
            own.setdefault("peerCompleteVnets", True)
        else:
            own.pop("remoteVirtualNetworkAddressSpace", None)


def _check_notation(resource_id: str, given: list[str]) -> None:
    for prefix in given:
        if network_of(prefix) is None:
            raise ArmError(
                400,
                "InvalidAddressPrefixFormat",
                f"Address prefix {prefix} of resource {resource_id} is not formatted correctly. It should "
                "follow CIDR notation, for example 10.0.0.0/24.",
                unverified=True,
            )


def check_used(state: State, before: Json, subnets: list[Json]) -> None:
    """Refuse to drop a subnet that is in use, and to move its addresses."""
    for earlier in shown(state, before)["properties"].get("subnets") or []:
        user = _user(earlier)
        if user is None:
            continue
        later = next((each for each in subnets if same(each.get("name"), earlier.get("name"))), None)
        if later is None:
            # Recorded: github.com/microsoft/nav-arm-templates, issue 161.
            raise ArmError(
                400,
                "InUseSubnetCannotBeDeleted",
                f"Subnet {earlier['name']} is in use by {user} and cannot be deleted. In order to delete the "
                "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
            )
        for prefix in prefixes(earlier):
            if prefix not in prefixes(later):
                raise ArmError(
                    400,
                    "InUsePrefixCannotBeDeleted",
                    f"IpPrefix {prefix} on Subnet {earlier['name']} has active allocations and cannot be "
                    "deleted.",
                    unverified=True,
                )


def _user(subnet: Json) -> str | None:
    for name in ("ipConfigurations", "privateEndpoints", "serviceAssociationLinks"):
        for each in look(subnet, f"properties.{name}") or []:
            return str(each.get("id"))
    return None
