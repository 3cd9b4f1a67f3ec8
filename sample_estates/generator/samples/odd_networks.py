"""Machines whose network is odd: rules that overlap, contradict or make no sense, and ways in that hide."""

from typing import Any

from sample_estates.generator import network, perimeter
from sample_estates.generator.catalogue import Json
from sample_estates.generator.network import Balancer, Rule, Subnet
from sample_estates.generator.samples.oddities import Oddities

_SSH = Rule(name="ssh", priority=200, ports=("22",))
_RULES: tuple[tuple[str, str, str, tuple[Rule, ...]], ...] = (
    ("range", "W", "Port 22 lies within a range.", (Rule(name="all", priority=100, ports=("0-65535",)),)),
    ("plural", "W", "Port 22 is one of several.", (Rule(name="some", priority=100, ports=("80", "20-25")),)),
    (
        "halves",
        "W",
        "Two halves are the whole internet.",
        (Rule(name="halves", priority=100, ports=("22",), sources=("0.0.0.0/1", "128.0.0.0/1")),),
    ),
    (
        "azure",
        "W",
        "All of Azure, other customers included.",
        (Rule(name="azure", priority=100, ports=("22",), sources=("AzureCloud",)),),
    ),
    (
        "denied",
        "S",
        "The rule that closes comes first.",
        (Rule(name="close", priority=100, ports=("*",), sources=("*",), access="Deny", protocol="*"), _SSH),
    ),
    ("udp", "S", "Open for UDP only.", (Rule(name="udp", priority=100, ports=("22",), protocol="Udp"),)),
    ("words", "U", "A port that is no number may be any.", (Rule(name="odd", priority=100, ports=("ssh",)),)),
    ("dash", "U", "A range without an end.", (Rule(name="odd", priority=100, ports=("20-",)),)),
)


def add(odd: Oddities) -> None:
    """Add the machines."""
    for name, letter, why, rules in _RULES:
        group = f"nsg-{name}"
        odd.sample.add(network.security_group(odd.place, group, rules))
        words: dict[str, Any] = {
            "public_ip": f"pip-{name}",
            "nic_group": network.group_id(odd.place, group),
        }
        odd.make(f"ew-rule-{name}", f"RR{letter}R", why, subnet=odd.subnet("open"), **words)
    _groups(odd)
    _ways(odd)
    odd.make("ew-nonetwork-01", "RRUR", "No networkProfile was reported.", alter=_without_network)
    gone = odd.make("ew-nonic-01", "RRUR", "Its network interface was not read.")
    odd.sample.resources.remove(gone[2])
    odd.sample.dangling.append(str(gone[2]["id"]))


def _without_network(vm: Json) -> None:
    del vm["properties"]["networkProfile"]


def _groups(odd: Oddities) -> None:
    broken = network.security_group(odd.place, "nsg-broken", [_SSH])
    del broken["properties"]["securityRules"][0]["properties"]["direction"]
    odd.sample.add(broken)
    cases = (
        ("ew-group-01", "RRUR", "One rule of its group cannot be understood.", str(broken["id"]), "open"),
        (
            "ew-group-02",
            "RRUR",
            "Its security group was not read.",
            odd.missing(f"{network.NETWORK}/networkSecurityGroups", "nsg-gone"),
            "open",
        ),
        (
            "ew-group-03",
            "RRSR",
            "Its interface lets anybody in, but its subnet does not.",
            network.group_id(odd.place, "nsg-plural"),
            "closed",
        ),
    )
    for name, expect, why, group, subnet in cases:
        address = f"pip-{name}"
        odd.make(name, expect, why, public_ip=address, nic_group=group, subnet=odd.subnet(subnet))


def _ways(odd: Oddities) -> None:
    basic: dict[str, Any] = {"public_ip": "pip-basic", "basic_ip": True}
    odd.make("ew-way-01", "RRWR", "A Basic address, no group: open.", subnet=odd.subnet("open"), **basic)
    odd.make(
        "ew-way-02",
        "RRSR",
        "A Standard address, no group: closed.",
        subnet=odd.subnet("open"),
        public_ip="pip-standard",
    )
    lost = odd.make(
        "ew-way-03", "RRUR", "Its address was not read.", subnet=odd.subnet("open"), public_ip="pip-lost"
    )
    odd.sample.resources.remove(lost[-1])
    odd.sample.dangling.append(str(lost[-1]["id"]))
    gone = odd.missing(f"{network.NETWORK}/loadBalancers", "lb-gone")
    pool = f"{gone}/backendAddressPools/pool"
    odd.sample.dangling.append(pool)
    odd.make("ew-way-04", "RRUR", "Its balancer was not read.", subnet=odd.subnet("open"), pools=(pool,))
    _balanced(odd)
    _translated(odd)
    _by_policy(odd)
    _by_admins(odd)


def _balanced(odd: Oddities) -> None:
    front = Balancer(
        place=odd.place,
        name="lb-odd",
        ports=(),
        basic=True,
        public_ip=network.address_id(odd.place, "pip-lb-odd"),
        nat=(("hidden", 50022, 22),),
    )
    vm = odd.machine("ew-way-05", subnet=odd.subnet("open"), nat_rules=(front.nat_rule("hidden"),))
    odd.sample.vm(vm, "RRWR", "A load balancer's port 50022 is its port 22.")
    odd.sample.add(network.load_balancer(front, [], [vm]))
    odd.sample.add(network.public_ip(odd.place, "pip-lb-odd", "203.0.113.70", front.frontend, basic=True))


def _translated(odd: Oddities) -> None:
    group = network.group_id(odd.place, "nsg-plural")
    why = "A firewall translates its port 40022 to port 22, and the group lets it in."
    made = odd.make("ew-way-06", "RRWR", why, subnet=odd.subnet("open"), nic_group=group)
    address = made[2]["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    kind = f"{network.NETWORK}/azureFirewalls"
    outside = network.address_id(odd.place, "pip-fw-odd")
    firewall: Json = {"id": odd.place.id(kind, "fw-odd"), "name": "fw-odd", "type": kind}
    firewall |= {"location": odd.place.region}
    rule = {
        "name": "ssh-for-vendor",
        "protocols": ["TCP"],
        "sourceAddresses": ["*"],
        "destinationAddresses": ["203.0.113.71"],
        "destinationPorts": ["40022"],
        "translatedAddress": address,
        "translatedPort": "22",
    }
    collection = {"priority": 100, "action": {"type": "Dnat"}, "rules": [rule]}
    way = {"subnet": {"id": odd.subnet("AzureFirewallSubnet")}, "publicIPAddress": {"id": outside}}
    firewall["properties"] = {
        "provisioningState": "Succeeded",
        "sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "ipConfigurations": [
            {"name": "front", "id": perimeter.front_of(str(firewall["id"])), "properties": way}
        ],
        "natRuleCollections": [{"name": "dnat", "properties": collection}],
    }
    odd.sample.add(firewall)
    odd.sample.add(
        network.public_ip(odd.place, "pip-fw-odd", "203.0.113.71", perimeter.front_of(str(firewall["id"])))
    )


def _by_policy(odd: Oddities) -> None:
    """Add a hub of its own, whose firewall leads to a machine by a rule of its policy."""
    subnets = [
        Subnet(name="servers", prefix="10.52.0.0/24"),
        Subnet(name="AzureFirewallSubnet", prefix="10.52.1.0/26"),
    ]
    own = network.network_id(odd.place, "vnet-hub")
    odd.sample.add(network.virtual_network(odd.place, "vnet-hub", "10.52.0.0/16", subnets))
    why = "A rule of its firewall's policy leads port 40122 to its port 22."
    words = {"subnet": f"{own}/subnets/servers", "address": "10.52.0.7"}
    group = network.group_id(odd.place, "nsg-plural")
    vm = odd.machine("ew-way-07", nic_group=group, **words)
    odd.sample.vm(vm, "RRWR", why)
    rule = perimeter.translation("ssh-for-partner", "203.0.113.72", 40122, vm.address, 22)
    policy = perimeter.firewall_policy(odd.place, "afwp-odd", [rule])
    outside = network.address_id(odd.place, "pip-afw-hub")
    subnet = f"{own}/subnets/AzureFirewallSubnet"
    found = perimeter.firewall(odd.place, "afw-hub", subnet, outside, policy=str(policy[0]["id"]))
    user = perimeter.front_of(str(found["id"]))
    odd.sample.add(
        *policy, found, network.public_ip(odd.place, "pip-afw-hub", "203.0.113.72", user, shielded=True)
    )


def _by_admins(odd: Oddities) -> None:
    """Add networks on which security admin rules overrule the security groups, the one way and the other."""
    for name, octet, letter, access, why in (
        ("open", 53, "W", "AlwaysAllow", "An admin rule lets everybody in, whatever its group says."),
        ("shut", 54, "S", "Deny", "An admin rule lets nobody in, whatever its group says."),
    ):
        subnet = Subnet(name="servers", prefix=f"10.{octet}.0.0/24")
        own = network.network_id(odd.place, f"vnet-{name}")
        odd.sample.add(network.virtual_network(odd.place, f"vnet-{name}", f"10.{octet}.0.0/16", [subnet]))
        odd.sample.add(perimeter.admin_rules(own, f"{name}-for-all", access=access, source="0.0.0.0/0"))
        group = network.group_id(odd.place, "nsg-denied" if access == "AlwaysAllow" else "nsg-plural")
        words = {"subnet": f"{own}/subnets/servers", "public_ip": f"pip-admin-{name}", "nic_group": group}
        vm = odd.machine(f"ew-admin-{name}", address=f"10.{octet}.0.7", **words)
        odd.sample.vm(vm, f"RR{letter}R", why)
