"""A small web shop that is nearly done: Trusted Launch, own keys, identities; two stragglers, one repair.

Its front rows correct their own drift and stand on Level 3, what keeps data is watched only and stands on
Level 2, and the stragglers stand on Level 1. Domain controllers reach Level 2 by an exception.
"""

from sample_estates.generator import (
    compute,
    disks,
    governance,
    network,
    perimeter,
    posture,
    recovery,
    vaults,
)
from sample_estates.generator.catalogue import VM_ADMINISTRATOR_LOGIN
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk, Machine, Place
from sample_estates.generator.network import Balancer, Rule, Subnet
from sample_estates.generator.samples.clean_shop_context import CONTEXT
from sample_estates.generator.samples.sample import Sample

REGION = "swedencentral"
_LINUX: tuple[str, ...] = (
    "AzureMonitorLinuxAgent",
    "MDE.Linux",
    "AADSSHLoginForLinux",
    "GuestAttestation.Linux",
    "AzurePolicyforLinux",
)
_WINDOWS: tuple[str, ...] = (
    "AzureMonitorWindowsAgent",
    "MDE.Windows",
    "AADLoginForWindows",
    "GuestAttestation.Windows",
    "AzurePolicyforWindows",
)
_TIERS = {  # name: how many, image, size, subnet, data disks
    "web": (5, "noble", "Standard_D2s_v5", "web", ()),
    "app": (4, "rhel9", "Standard_D4s_v5", "app", (DataDisk(gb=128),)),
    "search": (3, "noble", "Standard_E4s_v5", "app", (DataDisk(gb=512, role="index"),)),
    "queue": (3, "jammy", "Standard_D2as_v5", "app", (DataDisk(gb=64),)),
    "pg": (2, "jammy", "Standard_E8s_v5", "data", (DataDisk(gb=1024, role="pgdata"), DataDisk(gb=256))),
    "sql": (2, "ws2022", "Standard_E8s_v5", "data", (DataDisk(gb=1024, role="sqldata"),)),
    "dc": (2, "ws2022", "Standard_D2s_v5", "identity", ()),
}


_CORRECTED = ("web", "search", "queue")
"""Tiers whose guests set right what drifts from the baseline, and let nobody in but with Entra."""
_SCHEDULED = ("pg", "sql")
_ROWS = {"web": 0, "app": 4, "search": 5, "queue": 6, "pg": 8, "sql": 9, "dc": 10}
"""Third octet of each tier's addresses."""
_IMAGE = ("web-noble", "2026-10-19")


class _Shop:
    """The shop's places and shared resources."""

    def __init__(self) -> None:
        self.sample = Sample("clean_shop", ("bakery-production",))
        self.network = self.sample.place("rg-network", REGION)
        self.security = self.sample.place("rg-security", REGION)
        self.shop = self.sample.place("rg-shop", REGION)
        self.keys = vaults.guarded_keys(self.security, "bakery-sdc", Dice("clean_shop", "keys"))
        self.key_set = str(self.keys[2]["id"])
        self.vault = self.security.id(vaults.RECOVERY, "rsv-bakery")
        self.vnet = network.network_id(self.network, "vnet-bakery")
        images = self.shop.id("Microsoft.Compute/galleries/images", "gal_bakery", _IMAGE[0])
        self.image = recovery.image_version(images, _IMAGE[1])
        self.web_group = self.network.id(f"{network.NETWORK}/applicationSecurityGroups", "asg-web")

    def machine(self, name: str, tier: str, address: str, *, number: int = 1) -> Machine:
        """Return a machine as this shop builds them today."""
        _, image, size, subnet, data = _TIERS[tier]
        windows = image.startswith("ws")
        return Machine(
            name=name,
            place=self.shop,
            subnet=f"{self.vnet}/subnets/snet-{subnet}",
            address=address,
            image=image,
            size=size,
            created="2025-09-16",
            os_gb=127 if windows else 64,
            data=data,
            security="TrustedLaunch",
            at_host=True,
            key_set=self.key_set,
            system_identity=True,
            extensions=_WINDOWS if windows else _LINUX,
            inline=number % 2 == 0,
            zone=str((number - 1) % 3 + 1),
            tags={"app": "shop", "role": tier, "env": "production"},
        )


def build() -> Sample:
    """Return the estate."""
    shop = _Shop()
    sample = shop.sample
    sample.base([REGION], "P2")
    for place in (shop.network, shop.security, shop.shop):
        sample.add(governance.group(place, {"env": "production", "owner": "bakery-platform"}))
    _network(shop)
    sample.add(*shop.keys, vaults.recovery_vault(shop.security, "rsv-bakery"))
    sample.add(vaults.backup_policy(shop.vault, "V1"), vaults.backup_policy(shop.vault, "V2"))
    fleet = _fleet(shop)
    _stragglers(shop)
    _governed(shop, fleet)
    sample.add(governance.just_in_time(shop.shop, fleet))
    sample.context = CONTEXT.format(keys=shop.key_set)
    return sample


def _fleet(shop: _Shop) -> list[Machine]:
    released = ("2026-08-17", "2026-09-21", _IMAGE[1])
    shop.sample.add(*recovery.gallery(shop.shop, "gal_bakery", _IMAGE[0], released, "TrustedLaunchSupported"))
    front = Balancer(
        place=shop.shop,
        name="lb-shop-web",
        ports=(443,),
        public_ip=network.address_id(shop.network, "pip-shop"),
    )
    fleet: list[Machine] = []
    for tier, (count, *_) in _TIERS.items():
        for number in range(1, count + 1):
            vm = shop.machine(
                f"shop-{tier}-{number:02d}", tier, f"10.20.{_ROWS[tier]}.{number + 3}", number=number
            )
            why = ""
            if tier == "web":
                vm.pools, vm.app_groups = (front.pool,), (shop.web_group,)
                vm.gallery, vm.guarded_metadata, vm.created = shop.image, True, "2026-10-21"
            if vm.name == "shop-pg-02":
                vm.keys_only = False
                why = "Set up with a password for good, but the guest proves that nobody can use one."
            if tier == "dc":
                # A domain controller can join nothing else.
                vm.extensions = tuple(name for name in _WINDOWS if name != "AADLoginForWindows")
            vm.own_schedule = tier in _SCHEDULED
            shop.sample.vm(vm, "SSSS", why, backup=(shop.vault, "V2"))
            _observed(shop, vm, corrected=tier in _CORRECTED)
            fleet.append(vm)
    web = [vm for vm in fleet if vm.pools]
    shop.sample.add(network.load_balancer(front, web))
    shop.sample.add(network.public_ip(shop.network, "pip-shop", "203.0.113.40", front.frontend))
    jump = shop.machine("shop-jump-01", "queue", "10.20.11.4")
    jump.subnet, jump.data, jump.tags = f"{shop.vnet}/subnets/snet-mgmt", (), {"role": "jump-host"}
    shop.sample.vm(jump, "SSSS", "Reached through Bastion only, and backed up by nobody.")
    _observed(shop, jump, corrected=False)
    batch = shop.machine("shop-bake_3f9c21", "queue", "10.20.6.60")
    scale_set = shop.shop.id("Microsoft.Compute/virtualMachineScaleSets", "shop-bake")
    batch.scale_set, batch.graph = scale_set, True
    shop.sample.add(compute.scale_set(shop.shop, "shop-bake", batch.size, 1))
    shop.sample.vm(batch, "SET", "Its scale set's model has to be changed, not the VM.")
    return fleet


def _observed(shop: _Shop, vm: Machine, *, corrected: bool) -> None:
    """Add what is known of a machine's inside: its guest, its agent, its updates, Defender's findings."""
    rule = shop.security.id("Microsoft.Insights/dataCollectionRules", "dcr-bakery")
    system = "Windows" if vm.windows else "Linux"
    kind = "ApplyAndAutoCorrect" if corrected else "Audit"
    found = [governance.guest_assignment(vm, f"Azure{system}Baseline", "Compliant", kind)]
    if not vm.windows:
        found.append(governance.guest_assignment(vm, "LinuxNoPasswordForSSH", "Compliant"))
    if corrected:
        found.append(governance.guest_assignment(vm, "AADDisableLocalAuth_Linux", "Compliant"))
    found += [posture.finding(vm, key) for key in (posture.SCANNED, posture.FILES_WATCHED)]
    shop.sample.add(*found, governance.monitoring(vm, rule), governance.patch_result(vm, 0, 0))


def _governed(shop: _Shop, fleet: list[Machine]) -> None:
    """Add what guards the whole subscription: policies, privileged roles, logs, schedules."""
    sample, place = shop.sample, shop.security
    above = "/providers/Microsoft.Management/managementGroups/mg-bakery"
    scope = f"/subscriptions/{place.subscription}"
    benchmark = posture.policy(above, "security-benchmark", posture.BENCHMARK)
    refused = posture.policy(scope, "no-public-interfaces", posture.DENY_PUBLIC_ADDRESSES, effect="Deny")
    notes = {"owner": "saga.lindholm-reyes@example.com", "compensatingControls": "Behind Bastion only."}
    sample.add(
        benchmark,
        refused,
        posture.exemption(
            shop.shop.group_id(), "old-accounting", benchmark, expires="2027-03-31T00:00:00Z", notes=notes
        ),
        posture.setting(place, "WDATP"),
        *posture.activated_role(scope, VM_ADMINISTRATOR_LOGIN, Dice("clean_shop", "saga").guid(), place),
        posture.flow_log(place, "flow-bakery", shop.vnet),
    )
    logs = posture.log_hub(place, "log-bakery")
    sample.add(*logs, posture.collection_rule(place, "dcr-bakery", logs[0]["id"]))
    scheduled = [vm for vm in fleet if vm.own_schedule]
    sample.add(*posture.patch_schedule(place, "mc-sunday-night", scheduled))


def _stragglers(shop: _Shop) -> None:
    erp = shop.machine("shop-erp-01", "sql", "10.20.9.30")
    erp.image, erp.size, erp.security, erp.key_set, erp.at_host = (
        "ws2019-g1",
        "Standard_D2s_v3",
        None,
        None,
        False,
    )
    erp.system_identity, erp.extensions, erp.created, erp.zone = False, ("MDE.Windows",), "2021-10-12", None
    why = "Generation 1 and a Standard backup policy: both can be changed, with the owner's consent."
    shop.sample.vm(erp, "WRSR", why, backup=(shop.vault, "V1"))
    weak = posture.finding(erp, posture.SCANNED, "Unhealthy")
    shop.sample.add(weak, posture.finding_owner(weak, "bo.kasprzak@example.com", "2026-11-30T00:00:00Z"))
    shop.sample.add(governance.patch_result(erp, 1, 4))
    printer = shop.machine("shop-print-01", "queue", "10.20.6.31")
    printer.image, printer.security, printer.key_set, printer.at_host = "jammy", None, None, False
    printer.keys_only, printer.system_identity, printer.extensions = False, False, ()
    printer.own_schedule = True
    identity = shop.shop.id("Microsoft.ManagedIdentity/userAssignedIdentities", "id-printing")
    printer.user_identities = (identity,)
    dice = Dice("clean_shop", "printing")
    shop.sample.add(governance.user_identity(shop.shop, "id-printing", dice.guid(), dice.guid()))
    why = "A password that works from the inside, and an incremental snapshot that holds the disk's key."
    made = shop.sample.vm(printer, "RWWS", why)
    snapshot = disks.snapshot(printer, made[1], "shop-print-01-nightly", incremental=True, dice=dice)
    shop.sample.add(snapshot)


def _network(shop: _Shop) -> None:
    place: Place = shop.network
    deny = Rule(name="no-admin-from-internet", priority=200, ports=("22", "3389"), access="Deny")
    admin = Rule(name="admin-from-bastion", priority=110, ports=("22", "3389"), sources=("10.20.15.0/26",))
    web = Rule(name="https", priority=100, ports=("443",), to_groups=(shop.web_group,))
    apart = Rule(
        name="no-neighbours", priority=300, ports=perimeter.RISKY, sources=("VirtualNetwork",), access="Deny"
    )
    nat = place.id(f"{network.NETWORK}/natGateways", "nat-bakery")
    rows = {"web": [web, admin, deny, apart], "app": [admin, deny, apart], "data": [admin, deny]}
    rows |= {"identity": [admin, deny], "mgmt": [admin, deny]}
    prefixes = {
        "web": "10.20.0.0/24",
        "app": "10.20.4.0/22",
        "data": "10.20.8.0/23",
        "identity": "10.20.10.0/24",
        "mgmt": "10.20.11.0/24",
    }
    shop.sample.add(perimeter.application_group(place, "asg-web"))
    subnets = []
    for name, rules in rows.items():
        shop.sample.add(network.security_group(place, f"nsg-{name}", rules))
        group = network.group_id(place, f"nsg-{name}")
        subnets.append(Subnet(name=f"snet-{name}", prefix=prefixes[name], group=group, nat=nat))
    subnets.append(Subnet(name="AzureBastionSubnet", prefix="10.20.15.0/26"))
    shop.sample.add(network.virtual_network(place, "vnet-bakery", "10.20.0.0/20", subnets))
    inside = f"{shop.vnet}/subnets/AzureBastionSubnet"
    address = network.address_id(place, "pip-bastion")
    host = network.bastion(place, "bas-bakery", inside, address)
    shop.sample.add(network.public_ip(place, "pip-bastion", "203.0.113.41", f"{host['id']}/front"), host)
    outside = network.address_id(place, "pip-nat")
    shop.sample.add(network.public_ip(place, "pip-nat", "203.0.113.42", nat))
    shop.sample.add(network.nat_gateway(place, "nat-bakery", outside))
