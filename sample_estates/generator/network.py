"""ARM shapes of networks: VNets, security groups, interfaces, addresses, load balancers, Bastion."""

from collections.abc import Sequence
from dataclasses import dataclass

from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.disks import resource
from sample_estates.generator.machine import Machine, Place

NETWORK = "Microsoft.Network"
_DEFAULTS = (
    ("AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
    ("AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
    ("DenyAllInBound", "*", "*", "Deny", 65500, "Inbound"),
    ("AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
    ("AllowInternetOutBound", "*", "Internet", "Allow", 65001, "Outbound"),
    ("DenyAllOutBound", "*", "*", "Deny", 65500, "Outbound"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet: its addresses, its security group and its way out."""

    name: str
    prefix: str
    group: str | None = None
    nat: str | None = None
    routes: str | None = None
    delegation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An inbound rule of a security group; more than one port or source makes it use the plural fields."""

    name: str
    priority: int
    ports: tuple[str, ...]
    sources: tuple[str, ...] = ("Internet",)
    access: str = "Allow"
    protocol: str = "Tcp"
    to_groups: tuple[str, ...] = ()


def network_id(place: Place, name: str) -> str:
    """Return the id of a VNet."""
    return place.id(f"{NETWORK}/virtualNetworks", name)


def group_id(place: Place, name: str) -> str:
    """Return the id of a network security group."""
    return place.id(f"{NETWORK}/networkSecurityGroups", name)


def address_id(place: Place, name: str) -> str:
    """Return the id of a public IP address."""
    return place.id(f"{NETWORK}/publicIPAddresses", name)


def virtual_network(
    place: Place, name: str, prefix: str, subnets: Sequence[Subnet], peers: Sequence[str] = ()
) -> Json:
    """Return a VNet with its subnets and its peerings."""
    own = network_id(place, name)
    found = resource(own, f"{NETWORK}/virtualNetworks", place)
    found["properties"] = {
        "provisioningState": "Succeeded",
        "addressSpace": {"addressPrefixes": [prefix]},
        "subnets": [_subnet(own, entry) for entry in subnets],
        "virtualNetworkPeerings": [_peering(own, peer) for peer in peers],
        "enableDdosProtection": False,
    }
    return found


def _subnet(network: str, entry: Subnet) -> Json:
    properties: Json = {"provisioningState": "Succeeded", "addressPrefix": entry.prefix}
    if entry.group:
        properties["networkSecurityGroup"] = {"id": entry.group}
    if entry.nat:
        properties |= {"natGateway": {"id": entry.nat}, "defaultOutboundAccess": False}
    if entry.routes:
        properties |= {"routeTable": {"id": entry.routes}, "defaultOutboundAccess": False}
    if entry.delegation:
        given = {"name": "service", "properties": {"serviceName": entry.delegation}}
        properties["delegations"] = [given]
    kind = f"{NETWORK}/virtualNetworks/subnets"
    return {
        "name": entry.name,
        "id": f"{network}/subnets/{entry.name}",
        "type": kind,
        "properties": properties,
    }


def _peering(network: str, peer: str) -> Json:
    name = f"to-{peer.rpartition('/')[2]}"
    return {
        "name": name,
        "id": f"{network}/virtualNetworkPeerings/{name}",
        "properties": {
            "peeringState": "Connected",
            "remoteVirtualNetwork": {"id": peer},
            "allowForwardedTraffic": True,
        },
    }


def security_group(place: Place, name: str, rules: Sequence[Rule], *, defaults: bool = True) -> Json:
    """Return a security group; `defaults` writes the six rules that every group has."""
    own = group_id(place, name)
    found = resource(own, f"{NETWORK}/networkSecurityGroups", place)
    found["properties"] = {
        "provisioningState": "Succeeded",
        "securityRules": [_rule(own, entry) for entry in rules],
        "defaultSecurityRules": [_default(own, *entry) for entry in _DEFAULTS] if defaults else [],
    }
    return found


def _rule(group: str, entry: Rule) -> Json:
    one_port, one_source = len(entry.ports) == 1, len(entry.sources) == 1
    properties: Json = {"provisioningState": "Succeeded", "protocol": entry.protocol, "sourcePortRange": "*"}
    if one_port:
        properties["destinationPortRange"] = entry.ports[0]
    if one_source:
        properties["sourceAddressPrefix"] = entry.sources[0]
    if entry.to_groups:
        properties["destinationApplicationSecurityGroups"] = [{"id": target} for target in entry.to_groups]
    else:
        properties["destinationAddressPrefix"] = "*"
    properties |= {"access": entry.access, "priority": entry.priority, "direction": "Inbound"}
    properties |= {
        "destinationPortRanges": [] if one_port else list(entry.ports),
        "sourceAddressPrefixes": [] if one_source else list(entry.sources),
    }
    return {"name": entry.name, "id": f"{group}/securityRules/{entry.name}", "properties": properties}


def _default(group: str, name: str, source: str, target: str, *rest: object) -> Json:
    access, priority, direction = rest
    return {
        "name": name,
        "id": f"{group}/defaultSecurityRules/{name}",
        "properties": {
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": target,
            "access": access,
            "priority": priority,
            "direction": direction,
        },
    }


def interface(vm: Machine, dice: Dice) -> Json:
    """Return the network interface of a VM."""
    found = resource(vm.nic_id, f"{NETWORK}/networkInterfaces", vm.place, vm.tags)
    configuration: Json = {
        "privateIPAddress": vm.address,
        "privateIPAllocationMethod": "Dynamic",
        "primary": True,
        "privateIPAddressVersion": "IPv4",
        "subnet": {"id": vm.subnet},
    }
    if vm.public_ip:
        configuration["publicIPAddress"] = {"id": address_id(vm.place, vm.public_ip)}
    lists = {
        "loadBalancerBackendAddressPools": vm.pools,
        "loadBalancerInboundNatRules": vm.nat_rules,
        "applicationSecurityGroups": vm.app_groups,
    }
    configuration |= {name: [{"id": entry} for entry in ids] for name, ids in lists.items() if ids}
    properties: Json = {
        "provisioningState": "Succeeded",
        "ipConfigurations": [
            {
                "name": "primary",
                "id": f"{vm.nic_id}/ipConfigurations/primary",
                "properties": configuration,
            }
        ],
        "enableAcceleratedNetworking": not vm.size.startswith("Standard_B"),
        "enableIPForwarding": vm.forwarding,
        "primary": True,
        "virtualMachine": {"id": vm.id},
    }
    if vm.nic_group:
        properties["networkSecurityGroup"] = {"id": vm.nic_group}
    if not vm.off:
        digits = dice.hex(6).upper()
        properties["macAddress"] = f"00-0D-3A-{digits[:2]}-{digits[2:4]}-{digits[4:]}"
    found["properties"] = properties
    return found


def public_ip(
    place: Place, name: str, address: str, user: str, *, basic: bool = False, shielded: bool = False
) -> Json:
    """Return a public IP address; `user` is the IP configuration or NAT gateway that has it.

    A shielded one is under DDoS IP Protection.
    """
    found = resource(address_id(place, name), f"{NETWORK}/publicIPAddresses", place)
    found["sku"] = {"name": "Basic" if basic else "Standard", "tier": "Regional"}
    found["properties"] = {
        "provisioningState": "Succeeded",
        "ipAddress": address,
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Dynamic" if basic else "Static",
        "natGateway" if "/natGateways/" in user else "ipConfiguration": {"id": user},
    }
    if shielded:
        found["properties"]["ddosSettings"] = {"protectionMode": "Enabled"}
    return found


def nat_gateway(place: Place, name: str, address: str) -> Json:
    """Return a NAT gateway with its public address."""
    kind = f"{NETWORK}/natGateways"
    found = resource(place.id(kind, name), kind, place)
    found["sku"] = {"name": "Standard"}
    found["properties"] = {"provisioningState": "Succeeded", "publicIpAddresses": [{"id": address}]}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """A load balancer: its frontend, what it sends on, and to whom."""

    place: Place
    name: str
    ports: tuple[int, ...]
    public_ip: str | None = None
    subnet: str | None = None
    basic: bool = False
    nat: tuple[tuple[str, int, int], ...] = ()
    """Inbound NAT rules: name, frontend port, backend port."""

    @property
    def id(self) -> str:
        """The load balancer's own id."""
        return self.place.id(f"{NETWORK}/loadBalancers", self.name)

    @property
    def pool(self) -> str:
        """The id of its one backend pool."""
        return f"{self.id}/backendAddressPools/pool"

    @property
    def frontend(self) -> str:
        """The id of its one frontend."""
        return f"{self.id}/frontendIPConfigurations/front"

    def nat_rule(self, name: str) -> str:
        """Return the id of an inbound NAT rule."""
        return f"{self.id}/inboundNatRules/{name}"


def load_balancer(given: Balancer, members: Sequence[Machine], targets: Sequence[Machine] = ()) -> Json:
    """Return a load balancer with the members of its pool, and the targets of its NAT rules in order."""
    found = resource(given.id, f"{NETWORK}/loadBalancers", given.place)
    found["sku"] = {"name": "Basic" if given.basic else "Standard", "tier": "Regional"}
    front: Json = {"provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic"}
    if given.public_ip:
        front["publicIPAddress"] = {"id": given.public_ip}
    else:
        front["subnet"] = {"id": given.subnet}
    inside = [{"id": f"{vm.nic_id}/ipConfigurations/primary"} for vm in members]
    found["properties"] = {
        "provisioningState": "Succeeded",
        "frontendIPConfigurations": [{"name": "front", "id": given.frontend, "properties": front}],
        "backendAddressPools": [
            {"name": "pool", "id": given.pool, "properties": {"backendIPConfigurations": inside}}
        ],
        "loadBalancingRules": [_balancing(given, port) for port in given.ports],
        "inboundNatRules": [_nat(given, *rule, vm) for rule, vm in zip(given.nat, targets, strict=True)],
        "probes": [],
        "outboundRules": [],
    }
    return found


def _balancing(given: Balancer, port: int) -> Json:
    return {
        "name": f"port-{port}",
        "id": f"{given.id}/loadBalancingRules/port-{port}",
        "properties": {
            "frontendIPConfiguration": {"id": given.frontend},
            "frontendPort": port,
            "backendPort": port,
            "protocol": "Tcp",
            "backendAddressPool": {"id": given.pool},
            "backendAddressPools": [{"id": given.pool}],
        },
    }


def _nat(given: Balancer, name: str, front: int, back: int, vm: Machine) -> Json:
    return {
        "name": name,
        "id": given.nat_rule(name),
        "properties": {
            "frontendIPConfiguration": {"id": given.frontend},
            "frontendPort": front,
            "backendPort": back,
            "protocol": "Tcp",
            "backendIPConfiguration": {"id": f"{vm.nic_id}/ipConfigurations/primary"},
        },
    }


def bastion(place: Place, name: str, subnet: str, address: str) -> Json:
    """Return a Bastion host of the Standard kind."""
    kind = f"{NETWORK}/bastionHosts"
    found = resource(place.id(kind, name), kind, place)
    found["sku"] = {"name": "Standard"}
    way = {"subnet": {"id": subnet}, "publicIPAddress": {"id": address}}
    found["properties"] = {
        "provisioningState": "Succeeded",
        "enableTunneling": True,
        "ipConfigurations": [{"name": "front", "properties": way}],
    }
    return found
