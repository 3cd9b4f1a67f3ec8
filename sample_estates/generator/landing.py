"""What a subscription has in a region before any application moves in: hub, keys, backup, servers."""

from collections.abc import Iterator

from sample_estates.generator import governance, network, posture, vaults
from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk, Machine, Place
from sample_estates.generator.network import Rule, Subnet

SHORT = {
    "westeurope": "weu",
    "northeurope": "neu",
    "germanywestcentral": "gwc",
    "swedencentral": "sdc",
    "uksouth": "uks",
}
"""The regions of generated estates, with the short form that names carry."""

_DIRECTORY = ("53", "88", "135", "389", "445", "464", "636", "3268-3269", "49152-65535")


class Landing:
    """One subscription in one region; its ids are known before its resources are written."""

    def __init__(self, place: Place, label: str, seed: int) -> None:
        self.label = f"{label}-{SHORT[place.region]}"
        self.hub = place.beside(f"rg-hub-{self.label}")
        self.security = place.beside(f"rg-security-{self.label}")
        self.shared = place.beside(f"rg-shared-{self.label}")
        self.dice = Dice(seed, "landing", self.label)
        self.keys = vaults.guarded_keys(self.security, f"{self.label}-{self.dice.hex(3)}", self.dice)
        self.network = network.network_id(self.hub, f"vnet-hub-{self.label}")
        self.vault = self.security.id(vaults.RECOVERY, f"rsv-{self.label}")

    @property
    def region(self) -> str:
        """The region it is in."""
        return self.hub.region

    @property
    def key_set(self) -> str:
        """The id of its disk encryption set."""
        return str(self.keys[2]["id"])

    @property
    def nat(self) -> str:
        """The id of the gateway through which its machines leave."""
        return self.hub.id(f"{network.NETWORK}/natGateways", f"nat-{self.label}")

    @property
    def collection(self) -> str:
        """The id of the rule that says what its machines' agents send."""
        return self.shared.id("Microsoft.Insights/dataCollectionRules", f"dcr-{self.label}")

    def resources(self, octet: int) -> Iterator[Json]:
        """Yield everything but the shared machines; `octet` numbers the hub's addresses."""
        tags = {"env": "shared", "owner": "platform-team"}
        for place in (self.hub, self.security, self.shared):
            yield governance.group(place, tags)
        yield from self.keys
        yield vaults.recovery_vault(self.security, f"rsv-{self.label}")
        yield vaults.backup_policy(self.vault, "V1")
        yield vaults.backup_policy(self.vault, "V2")
        yield governance.lock(self.hub.group_id(), "keep-hub", "CanNotDelete", "The hub serves everybody.")
        address = network.address_id(self.hub, f"pip-nat-{self.label}")
        yield network.public_ip(self.hub, f"pip-nat-{self.label}", f"203.0.113.{octet % 250 + 1}", self.nat)
        yield network.nat_gateway(self.hub, f"nat-{self.label}", address)
        yield network.security_group(self.hub, f"nsg-identity-{self.label}", _identity_rules())
        yield network.security_group(self.hub, f"nsg-mgmt-{self.label}", _management_rules(self.dice))
        yield network.virtual_network(
            self.hub, f"vnet-hub-{self.label}", f"10.{octet}.0.0/22", self._subnets(octet)
        )
        yield posture.flow_log(self.hub, f"flow-hub-{self.label}", self.network)
        logs = posture.log_hub(self.shared, f"log-{self.label}")
        yield from logs
        yield posture.collection_rule(self.shared, f"dcr-{self.label}", str(logs[0]["id"]))

    def _subnets(self, octet: int) -> list[Subnet]:
        groups = {
            name: network.group_id(self.hub, f"nsg-{name}-{self.label}") for name in ("identity", "mgmt")
        }
        return [
            Subnet(name=f"snet-{name}", prefix=f"10.{octet}.{row}.0/24", group=groups[name], nat=self.nat)
            for row, name in enumerate(("identity", "mgmt"))
        ]

    def machines(self, octet: int) -> list[Machine]:
        """Return the shared machines: two domain controllers, a jump host and a monitoring server."""
        subnets = [f"{self.network}/subnets/snet-{name}" for name in ("identity", "mgmt")]
        found = [
            Machine(
                name=f"dc-{self.label}-{number:02d}",
                place=self.shared,
                subnet=subnets[0],
                address=f"10.{octet}.0.{number + 3}",
                image=self.dice.pick(("ws2019", "ws2022", "ws2016-g1")),
                zone=str(number),
                os_gb=127,
                extensions=("MDE.Windows",),
                tags={"role": "domain-controller"},
            )
            for number in (1, 2)
        ]
        jump = Machine(
            name=f"jump-{self.label}-01",
            place=self.shared,
            subnet=subnets[1],
            address=f"10.{octet}.1.4",
            size="Standard_B2s",
            keys_only=self.dice.chance(0.5),
            tags={"role": "jump-host"},
        )
        watch = Machine(
            name=f"mon-{self.label}-01",
            place=self.shared,
            subnet=subnets[1],
            address=f"10.{octet}.1.5",
            size="Standard_D4s_v5",
            data=(DataDisk(gb=512, role="metrics"),),
            tags={"role": "monitoring"},
        )
        return [*found, jump, watch]


def _identity_rules() -> list[Rule]:
    return [
        Rule(name="directory", priority=120, ports=_DIRECTORY, sources=("VirtualNetwork",), protocol="*"),
        Rule(name="no-admin-from-internet", priority=200, ports=("22", "3389"), access="Deny"),
    ]


def _management_rules(dice: Dice) -> list[Rule]:
    office = f"198.51.100.{dice.between(8, 240)}/32"
    return [
        Rule(name="admin-from-office", priority=110, ports=("22", "3389"), sources=(office,)),
        Rule(name="no-admin-from-internet", priority=200, ports=("22", "3389"), access="Deny"),
    ]
