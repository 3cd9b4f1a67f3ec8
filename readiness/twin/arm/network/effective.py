"""Effective security rules and routes of a network interface, which Azure works out for a running machine.

Recorded: github.com/Azure/azure-cli, recordings/test_network_nic_convenience_commands.yaml. Service tags
other than VirtualNetwork, AzureLoadBalancer and Internet are told by name and not expanded. Routes are those
of Learn, "Virtual network traffic routing": the system's, peerings' and the table's; none from gateways.
"""

from datetime import datetime

from readiness.twin.arm.network import addresses, links
from readiness.twin.arm.network.rules import defaults, values
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.machine import Power
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.protocols import NETWORK_ROTATING
from readiness.twin.state import VM, State
from readiness.twin.world import Call, Ticket, World

_RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")


def security_groups(world: World, call: Call) -> Response:
    """Work out the rules of every group that a network interface passes."""
    interface = world.state.need(call.address)
    ticket = world.admit(call, "networkInterfaces/effectiveNetworkSecurityGroups", interface["id"])
    if not _runs(world.state, interface):
        # Recorded: github.com/Azure/azure-xplat-cli, recordings of `network nic effective-nsg list`.
        raise ArmError(
            400,
            "NicMustBeAttachedToRunningVmToGetEffectiveSecurityGroups",
            "A network interface must be attached to a running virtual machine to get effective security "
            f"groups. The network interface {interface['id']} is not attached to a running virtual machine.",
        )
    found = {"value": groups_of(world.state, interface)}
    return _later(world, call, ticket, found)


def routes(world: World, call: Call) -> Response:
    """Work out the routes of a network interface."""
    interface = world.state.need(call.address)
    ticket = world.admit(call, "networkInterfaces/effectiveRouteTable", interface["id"])
    if not _runs(world.state, interface):
        # The code is recorded in public reports; the sentence follows the other one's.
        raise ArmError(
            400,
            "NicMustBeAttachedToRunningVmToGetEffectiveRoutes",
            "A network interface must be attached to a running virtual machine to get effective routes. The "
            f"network interface {interface['id']} is not attached to a running virtual machine.",
        )
    found = {"value": routes_of(world.state, interface)}
    return _later(world, call, ticket, found)


def _later(world: World, call: Call, ticket: Ticket, found: Json) -> Response:
    def nothing(_: datetime) -> None:
        """Leave everything as it is: an action that only reads."""

    operation = world.begin(
        call,
        ticket,
        done=nothing,
        failed=nothing,
        protocol=NETWORK_ROTATING,
        output=lambda: duplicate(found),
    )
    return world.accepted(call, ticket, operation, Response(202))


def _runs(state: State, interface: Json) -> bool:
    vm = state.find(look(links.shown(state, interface), "properties.virtualMachine.id"))
    if vm is None or parse(vm["id"]).kind != VM:
        return False
    return state.machine(vm).power is Power.RUNNING


def _subnets(state: State, interface: Json) -> list[Json]:
    found = []
    for each in look(interface, "properties.ipConfigurations") or []:
        subnet = links.part(state, str(look(each, "properties.subnet.id")))
        if subnet is not None and subnet not in found:
            found.append(subnet)
    return found


def groups_of(state: State, interface: Json) -> list[Json]:
    """Return the effective rules of each group before an interface: its subnet's, then its own."""
    tags = tag_map(state, interface)
    passed = [
        ("subnet", subnet["id"], look(subnet, "properties.networkSecurityGroup.id"))
        for subnet in _subnets(state, interface)
    ]
    passed.append(
        ("networkInterface", interface["id"], look(interface, "properties.networkSecurityGroup.id"))
    )
    found: list[Json] = []
    for word, resource_id, group_id in passed:
        group = state.find(group_id)
        if group is None:
            continue
        properties = group.get("properties") or {}
        told = [
            _rule(rule, name, tags)
            for name, listed in (
                ("securityRules", properties.get("securityRules") or []),
                ("defaultSecurityRules", properties.get("defaultSecurityRules") or defaults()),
            )
            for rule in listed
        ]
        found.append(
            {
                "networkSecurityGroup": {"id": group["id"]},
                "association": {word: {"id": resource_id}},
                "effectiveSecurityRules": sorted(
                    told, key=lambda each: (each["direction"], each["priority"])
                ),
                "tagMap": tags,
            }
        )
    return found


def tag_map(state: State, interface: Json) -> dict[str, list[str]]:
    """Return what stands behind the three tags of the default rules, as seen from a network interface."""
    own: list[str] = []
    for subnet in _subnets(state, interface):
        network = state.find(links.owner(subnet["id"])) or {}
        own += look(network, "properties.addressSpace.addressPrefixes") or []
        own += [prefix for _, prefix in _peered(state, network)]
    return {
        "VirtualNetwork": [*dict.fromkeys(own), addresses.PLATFORM],
        "AzureLoadBalancer": [addresses.PLATFORM],
        "Internet": list(addresses.internet()),
    }


def _peered(state: State, network: Json) -> list[tuple[str, str]]:
    found = []
    for peering in look(network, "properties.virtualNetworkPeerings") or []:
        if not same(look(peering, "properties.peeringState"), "Connected"):
            continue
        remote = state.find(look(peering, "properties.remoteVirtualNetwork.id"))
        spaces = look(remote, "properties.addressSpace.addressPrefixes") or look(
            peering, "properties.remoteAddressSpace.addressPrefixes"
        )
        found += [(str(peering.get("name")), str(prefix)) for prefix in spaces or []]
    return found


def _rule(rule: Json, collection: str, tags: dict[str, list[str]]) -> Json:
    properties = rule["properties"]
    protocol = str(properties["protocol"])
    told: Json = {"name": f"{collection}/{rule['name']}", "protocol": "All" if protocol == "*" else protocol}
    for side in ("source", "destination"):
        ports = [
            addresses.port_range(each) for each in values(properties, f"{side}PortRange", f"{side}PortRanges")
        ] or ["0-65535"]
        told |= {f"{side}PortRange": ports[0], f"{side}PortRanges": ports}
        given = values(properties, f"{side}AddressPrefix", f"{side}AddressPrefixes")
        anywhere = ["0.0.0.0/0", "0.0.0.0/0"]
        listed = anywhere if given in (["*"], []) else given
        told |= {f"{side}AddressPrefix": listed[0], f"{side}AddressPrefixes": listed}
        behind = [addresses.expanded(each, tags) for each in given]
        if any(behind):
            told[f"expanded{side.capitalize()}AddressPrefix"] = [
                each for value, known in zip(given, behind, strict=True) for each in (known or [value])
            ]
    return told | {name: properties[name] for name in ("access", "priority", "direction")}


def routes_of(state: State, interface: Json) -> list[Json]:
    """Return the routes of an interface; a user's route makes the system's of its prefix invalid."""
    subnets = _subnets(state, interface)
    if not subnets:
        return []
    network = state.find(links.owner(subnets[0]["id"])) or {}
    table = state.find(look(subnets[0], "properties.routeTable.id"))
    mine = look(table, "properties.routes") or []
    system = [(each, "VnetLocal") for each in look(network, "properties.addressSpace.addressPrefixes") or []]
    system += [(prefix, "VNetPeering") for _, prefix in _peered(state, network)]
    system.append(("0.0.0.0/0", "Internet"))
    system += [(each, "None") for each in _RESERVED if each not in dict(system)]
    overridden = {look(each, "properties.addressPrefix") for each in mine}
    told = [
        {
            "source": "Default",
            "state": "Invalid" if prefix in overridden else "Active",
            "addressPrefix": [prefix],
            "nextHopType": hop,
            "nextHopIpAddress": [],
        }
        for prefix, hop in system
    ]
    return told + [
        {
            "name": each["name"],
            "source": "User",
            "state": "Active",
            "addressPrefix": [each["properties"]["addressPrefix"]],
            "nextHopType": each["properties"]["nextHopType"],
            "nextHopIpAddress": [hop] if (hop := each["properties"].get("nextHopIpAddress")) else [],
        }
        for each in mine
    ]
