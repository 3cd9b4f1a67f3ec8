"""One application in one environment: its tiers, drawn in the proportions that real estates have."""

from collections.abc import Iterator
from dataclasses import dataclass

from sample_estates.generator import assurance, compute, disks, governance, network, perimeter, vaults
from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.landing import Landing
from sample_estates.generator.machine import DataDisk, Machine, Place
from sample_estates.generator.network import Balancer, Rule, Subnet

WORDS: tuple[str, ...] = (
    "atlas",
    "beacon",
    "cargo",
    "delta",
    "ember",
    "fathom",
    "grain",
    "harbor",
    "ingot",
    "jasper",
    "kiln",
    "ledger",
    "mosaic",
    "nectar",
    "orbit",
    "parcel",
    "quarry",
    "relay",
    "sextant",
    "tariff",
    "umber",
)
_ALIGNED = 3
"""The highest level, for which networks are segmented and keys are the customer's."""
_TIERS = ("web", "app", "data", "batch")
_ROWS = {"web": 0, "app": 1, "data": 2, "batch": 3}
_LINUX_NEW = (("jammy", 40), ("noble", 25), ("rhel9", 25), ("sles15", 10))
_LINUX_OLD = (("jammy-g1", 35), ("focal-g1", 25), ("rhel8-g1", 20), ("centos7-g1", 12), ("debian11-g1", 8))
_WINDOWS_NEW = (("ws2022", 70), ("ws2019", 30))
_WINDOWS_OLD = (("ws2019-g1", 50), ("ws2016-g1", 35), ("ws2012-g1", 15))
_SIZES = {
    "web": ("Standard_D2s_v5", "Standard_B2ms", "Standard_D2as_v5"),
    "app": ("Standard_D4s_v5", "Standard_D4s_v3", "Standard_D2s_v5"),
    "data": ("Standard_E4s_v5", "Standard_E8s_v5"),
    "batch": ("Standard_F4s_v2", "Standard_D2s_v3"),
}
_OLD_SIZES = ("Standard_D2_v2", "Standard_D2s_v3", "Standard_D4s_v3", "Standard_F4s_v2")


@dataclass(frozen=True, slots=True)
class Habits:
    """How far the team behind a workload has come; drawn once for all its machines."""

    keys: bool
    trusted: bool
    at_host: bool
    identities: bool
    backed_up: str | None
    encrypted_in_guest: bool
    aim: int = 1
    """The level that the team works for."""

    @property
    def is_assured(self) -> bool:
        """Whether somebody sees to it that nothing is left open, and proves it."""
        return self.aim > 1


class Workload:
    """One application in one environment, in a resource group and a VNet of its own."""

    def __init__(self, number: int, environment: str, landing: Landing, size: int, seed: int) -> None:
        self.dice = Dice(seed, "workload", number)
        word = WORDS[number % len(WORDS)]
        self.code = f"{word}{number // len(WORDS):02d}{environment[0]}"
        self.title = f"{word.capitalize()} {number // len(WORDS):02d} {environment}"
        self.environment = environment
        self.landing = landing
        self.place: Place = landing.hub.beside(f"rg-{self.code}")
        self.prefix = f"10.{64 + number // 64 % 192}.{number % 64 * 4}"
        self.wants_keys = self.dice.chance(0.85)
        self._habits = self._draw_habits(assurance.drawn_aim(seed, number))
        self._balancers: dict[str, Balancer] = {}
        self._sets: dict[str, str] = {}
        self.machines = [vm for tier, count in _split(size) for vm in self._tier(tier, count)]
        self._extras = self._lonely_extras()

    @property
    def tags(self) -> dict[str, str]:
        """The tags on every resource of the workload."""
        found = {"env": self.environment, "app": self.code, "owner": f"{self.code[:-3]}-team"}
        return found | {"key-set": self.landing.label} if self.wants_keys else found

    def of_tier(self, tier: str) -> list[Machine]:
        """Return the machines of a tier."""
        return [vm for vm in self.machines if vm.tags["role"] == tier]

    def resources(self) -> Iterator[Json]:
        """Yield all its resources: the group, the network, then machine by machine."""
        yield governance.group(self.place, self.tags)
        yield from self._network()
        for tier, name in self._sets.items():
            yield compute.availability_set(self.place, name, self.of_tier(tier))
        batch = self.of_tier("batch")
        if batch and batch[0].scale_set:
            yield compute.scale_set(self.place, f"vmss-{self.code}", batch[0].size, len(batch))
        for vm in self.machines:
            yield from self._machine(vm)
        yield from self._extras

    @property
    def is_assured(self) -> bool:
        """Whether its team works for Level 2 or 3, and restores its backups for a test."""
        return self._habits.is_assured

    def _draw_habits(self, aim: int) -> Habits:
        if aim > 1:
            return Habits(
                keys=aim == _ALIGNED,
                trusted=True,
                at_host=True,
                identities=True,
                backed_up="V2",
                encrypted_in_guest=False,
                aim=aim,
            )
        dice, mature = self.dice, self.dice.chance(0.2)
        backup = dice.weighted(
            (("V1", 45), ("V2", 30), ("", 25 if self.environment == "production" else 150))
        )
        return Habits(
            keys=dice.chance(0.6 if mature else 0.03),
            trusted=dice.chance(0.9 if mature else 0.12),
            at_host=dice.chance(0.5 if mature else 0.05),
            identities=dice.chance(0.95 if mature else 0.3),
            backed_up=backup or None,
            encrypted_in_guest=not mature and dice.chance(0.06),
        )

    def _tier(self, tier: str, count: int) -> list[Machine]:
        dice, habits = self.dice, self._habits
        windows = dice.chance({"web": 0.22, "app": 0.3, "data": 0.5, "batch": 0.15}[tier])
        old = not habits.trusted and dice.chance(0.33)
        choices = ((_LINUX_NEW, _LINUX_OLD), (_WINDOWS_NEW, _WINDOWS_OLD))[windows][old]
        image, size = dice.weighted(choices), dice.pick(_OLD_SIZES if old else _SIZES[tier])
        zonal = not old and dice.chance(0.6)
        grouped = tier in ("web", "app") and count > 1 and not zonal
        if tier == "web" and count:
            self._balancers[tier] = self._balancer(tier)
        if grouped:
            self._sets[tier] = f"avail-{self.code}-{tier}"
        member = tier == "batch" and dice.chance(0.35)
        extensions = self._extensions(tier, windows=windows, old=old)
        scale_set = self.place.id(f"{disks.COMPUTE}/virtualMachineScaleSets", f"vmss-{self.code}")
        found = [
            Machine(
                name=f"{self.code}-{tier}-{number:02d}",
                place=self.place,
                subnet=f"{network.network_id(self.place, f'vnet-{self.code}')}/subnets/snet-{tier}",
                address=f"{self._row(tier)}.{number + 3}",
                image=image,
                size=size,
                created=dice.day(2024, 2024) if old else dice.day(2025, 2025),
                os_gb=127 if windows else dice.pick((30, 64)),
                os_sku="StandardSSD_LRS" if old else "Premium_LRS",
                data=self._data(tier),
                security="TrustedLaunch" if habits.trusted and not old else None,
                secure_boot=not dice.chance(0.08),
                at_host=habits.at_host and not old and not habits.encrypted_in_guest,
                disks_closed=habits.is_assured,
                key_set=self.landing.key_set if habits.keys and not habits.encrypted_in_guest else None,
                ade=str(self.landing.keys[0]["id"]) if habits.encrypted_in_guest else None,
                keys_only=not dice.chance(0.35),
                system_identity=habits.identities and not dice.chance(0.1),
                extensions=extensions,
                inline=dice.chance(0.3),
                power="deallocated" if dice.chance(0.065) else "running",
                agent="Not Ready" if dice.chance(0.01) else "Ready",
                zone=str(number % 3 + 1) if zonal else None,
                availability_set=self._set_id(tier) if grouped else None,
                scale_set=scale_set if member else None,
                pools=(self._balancers[tier].pool,) if tier == "web" else (),
                patching="AutomaticByPlatform" if habits.is_assured or dice.chance(0.4) else "ImageDefault",
                shouting=dice.chance(0.2),
                graph=dice.chance(0.1),
                tags=self.tags | {"role": tier},
            )
            for number in range(1, count + 1)
        ]
        for number, vm in enumerate(found, start=1):
            self._open(vm, tier, number)
        return found

    def _row(self, tier: str) -> str:
        first, second, third = self.prefix.split(".")
        return f"{first}.{second}.{int(third) + _ROWS[tier]}"

    def _set_id(self, tier: str) -> str:
        return self.place.id(f"{disks.COMPUTE}/availabilitySets", self._sets[tier])

    def _balancer(self, tier: str) -> Balancer:
        name = f"lb-{self.code}-{tier}"
        public = self.dice.chance(0.5)
        subnet = f"{network.network_id(self.place, f'vnet-{self.code}')}/subnets/snet-{tier}"
        return Balancer(
            place=self.place,
            name=name,
            ports=(80, 443),
            public_ip=network.address_id(self.place, f"pip-{name}") if public else None,
            subnet=None if public else subnet,
            basic=public and not self._habits.is_assured and self.dice.chance(0.1),
        )

    def _data(self, tier: str) -> tuple[DataDisk, ...]:
        if tier == "data":
            sizes = (512, 256) if self.dice.chance(0.6) else (1024,)
            return tuple(DataDisk(gb=gb) for gb in sizes)
        return (DataDisk(gb=128),) if self.dice.chance(0.35) else ()

    def _extensions(self, tier: str, *, windows: bool, old: bool) -> tuple[str, ...]:
        if self._habits.is_assured:
            return assurance.agents(windows=windows)
        system, dice = "Windows" if windows else "Linux", self.dice
        found = [f"MDE.{system}"] if dice.chance(0.5) else []
        if dice.chance(0.5):
            agent = "MicrosoftMonitoringAgent" if windows else "OmsAgentForLinux"
            found.append(agent if old else f"AzureMonitor{system}Agent")
        if self._habits.trusted and dice.chance(0.5):
            found.append(f"GuestAttestation.{system}")
        if self._habits.identities and not windows and dice.chance(0.4):
            found.append("AADSSHLoginForLinux")
        if self._habits.encrypted_in_guest:
            found.append("AzureDiskEncryption" if windows else "AzureDiskEncryptionForLinux")
        return (*found, "SqlIaasExtension") if tier == "data" and windows else tuple(found)

    def _open(self, vm: Machine, tier: str, number: int) -> None:
        """Give a few machines public addresses, some Basic, some behind a group that closes nothing."""
        if tier == "data" or vm.pools or self._habits.is_assured or not self.dice.chance(0.04):
            return
        vm.public_ip = f"pip-{self.code}-{tier}-{number:02d}"
        vm.basic_ip = self.dice.chance(0.2)
        if self.dice.chance(0.5):
            vm.nic_group = network.group_id(self.place, f"nsg-{self.code}-open")

    def _network(self) -> Iterator[Json]:
        own = network.network_id(self.place, f"vnet-{self.code}")
        admin = Rule(name="admin-from-hub", priority=310, ports=("22", "3389"), sources=("10.0.0.0/10",))
        web = Rule(name="web", priority=100, ports=("80", "443"))
        anyone = Rule(name="temporary-ssh", priority=105, ports=("22",), sources=("*",))
        apart = Rule(
            name="no-neighbours",
            priority=400,
            ports=perimeter.RISKY,
            sources=("VirtualNetwork",),
            access="Deny",
        )
        groups = {name: network.group_id(self.place, f"nsg-{self.code}-{name}") for name in _TIERS}
        subnets = [
            Subnet(
                name=f"snet-{tier}",
                prefix=f"{self._row(tier)}.0/24",
                group=groups[tier],
                nat=self.landing.nat,
            )
            for tier in _TIERS
            if self.of_tier(tier)
        ]
        for tier in _TIERS:
            if self.of_tier(tier):
                rules = [web, admin] if tier == "web" else [admin]
                # One tier in twelve was opened for somebody, and nobody closed it again.
                rules = [anyone, *rules] if not self._habits.is_assured and self.dice.chance(0.08) else rules
                rules += [apart] if self._habits.aim == _ALIGNED else []
                yield network.security_group(self.place, f"nsg-{self.code}-{tier}", rules, defaults=False)
        if any(vm.nic_group for vm in self.machines):
            yield network.security_group(self.place, f"nsg-{self.code}-open", [anyone], defaults=False)
        yield network.virtual_network(
            self.place, own.rpartition("/")[2], f"{self.prefix}.0/22", subnets, (self.landing.network,)
        )
        for tier, balancer in self._balancers.items():
            if balancer.public_ip:
                name = balancer.public_ip.rpartition("/")[2]
                yield network.public_ip(
                    self.place, name, _public(self.dice), balancer.frontend, basic=balancer.basic
                )
            yield network.load_balancer(balancer, self.of_tier(tier))

    def _machine(self, vm: Machine) -> Iterator[Json]:
        dice = self.dice
        made = list(compute.compute_of(vm, dice))
        yield from made
        yield network.interface(vm, dice)
        if vm.public_ip:
            user = f"{vm.nic_id}/ipConfigurations/primary"
            yield network.public_ip(self.place, vm.public_ip, _public(dice), user, basic=vm.basic_ip)
        if any(name.startswith("AzureMonitor") for name in vm.extensions):
            yield governance.monitoring(vm, self.landing.collection)
        if self._habits.backed_up and vm.scale_set is None:
            yield vaults.backup_item(self.landing.vault, vm, self._habits.backed_up)
        if self._habits.is_assured:
            yield from assurance.evidence(vm, self._habits.aim)
        if dice.chance(0.06):
            name = f"{vm.name}-before-change"
            yield disks.snapshot(vm, made[1], name, incremental=dice.chance(0.35), dice=dice)

    def _lonely_extras(self) -> list[Json]:
        if not self.dice.chance(0.05):
            return []
        level = self.dice.pick(("CanNotDelete", "CanNotDelete", "ReadOnly"))
        return [governance.lock(self.place.group_id(), "guard", level, "Ask the owner before any change.")]


def cluster_nodes(landing: Landing, count: int, dice: Dice) -> Iterator[tuple[Machine | None, Json]]:
    """Yield the node group of a Kubernetes cluster: its VMs belong to the service, not to their owner."""
    head = f"/subscriptions/{landing.shared.subscription}/resourceGroups/{landing.shared.group}"
    cluster = f"{head}/providers/Microsoft.ContainerService/managedClusters/aks-{landing.label}"
    place = landing.shared.beside(f"MC_{landing.shared.group}_aks-{landing.label}_{landing.region}")
    yield None, governance.group(place, managed_by=cluster)
    for number in range(count):
        vm = Machine(
            name=f"aks-{landing.label}-pool1-{number}",
            place=place,
            subnet=f"{landing.network}/subnets/snet-mgmt",
            address=f"10.0.1.{number + 40}",
            tags={"role": "node", "aks-managed-poolName": "pool1"},
        )
        for found in (*compute.compute_of(vm, dice), network.interface(vm, dice)):
            yield (vm if found["id"] == vm.id else None), found


def _split(size: int) -> list[tuple[str, int]]:
    """Share machines out over the tiers; a single one is an application server."""
    data, batch = size // 5, size // 10
    web = min((size - data - batch) * 2 // 5, 240)
    return [("web", web), ("app", size - web - data - batch), ("data", data), ("batch", batch)]


def _public(dice: Dice) -> str:
    return f"198.51.{dice.between(100, 199)}.{dice.between(1, 254)}"
