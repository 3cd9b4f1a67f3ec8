"""A small web shop that is nearly done: Trusted Launch, own keys, identities; two stragglers, one repair."""

from sample_estates.generator import compute, disks, governance, network, vaults
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk, Machine, Place
from sample_estates.generator.network import Balancer, Rule, Subnet
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
    sample.add(governance.just_in_time(shop.shop, fleet))
    sample.context = _context(shop.key_set)
    return sample


def _fleet(shop: _Shop) -> list[Machine]:
    rule = shop.security.id("Microsoft.Insights/dataCollectionRules", "dcr-bakery")
    front = Balancer(
        place=shop.shop,
        name="lb-shop-web",
        ports=(443,),
        public_ip=network.address_id(shop.network, "pip-shop"),
    )
    fleet: list[Machine] = []
    for row, (tier, (count, *_)) in enumerate(_TIERS.items()):
        for number in range(1, count + 1):
            vm = shop.machine(f"shop-{tier}-{number:02d}", tier, f"10.20.{row}.{number + 3}", number=number)
            why = ""
            if tier == "web":
                vm.pools = (front.pool,)
            if vm.name == "shop-pg-02":
                vm.keys_only = False
                why = "Set up with a password for good, but the guest proves that nobody can use one."
            shop.sample.vm(vm, "SSSS", why, backup=(shop.vault, "V2"))
            found = "LinuxNoPasswordForSSH" if not vm.windows else "AzureWindowsBaseline"
            shop.sample.add(
                governance.guest_assignment(vm, found, "Compliant"), governance.monitoring(vm, rule)
            )
            shop.sample.add(governance.patch_result(vm, 0, 0))
            fleet.append(vm)
    web = [vm for vm in fleet if vm.pools]
    shop.sample.add(network.load_balancer(front, web))
    shop.sample.add(network.public_ip(shop.network, "pip-shop", "203.0.113.40", front.frontend))
    jump = shop.machine("shop-jump-01", "queue", "10.20.9.4")
    jump.subnet, jump.data, jump.tags = f"{shop.vnet}/subnets/snet-mgmt", (), {"role": "jump-host"}
    shop.sample.vm(jump, "SSSS", "Reached through Bastion only.")
    batch = shop.machine("shop-bake_3f9c21", "queue", "10.20.3.60")
    scale_set = shop.shop.id("Microsoft.Compute/virtualMachineScaleSets", "shop-bake")
    batch.scale_set, batch.graph = scale_set, True
    shop.sample.add(compute.scale_set(shop.shop, "shop-bake", batch.size, 1))
    shop.sample.vm(batch, "SET", "Its scale set's model has to be changed, not the VM.")
    return fleet


def _stragglers(shop: _Shop) -> None:
    erp = shop.machine("shop-erp-01", "sql", "10.20.5.30")
    erp.image, erp.size, erp.security, erp.key_set, erp.at_host = (
        "ws2019-g1",
        "Standard_D2s_v3",
        None,
        None,
        False,
    )
    erp.system_identity, erp.extensions, erp.created, erp.zone = False, ("MDE.Windows",), "2020-03-12", None
    why = "Generation 1 and a Standard backup policy: both can be changed, with the owner's consent."
    shop.sample.vm(erp, "WRSR", why, backup=(shop.vault, "V1"))
    printer = shop.machine("shop-print-01", "queue", "10.20.3.31")
    printer.image, printer.security, printer.key_set, printer.at_host = "jammy", None, None, False
    printer.keys_only, printer.system_identity, printer.extensions = False, False, ()
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
    web = Rule(name="https", priority=100, ports=("443",))
    nat = place.id(f"{network.NETWORK}/natGateways", "nat-bakery")
    rows = {"web": (0, [web, admin, deny]), "app": (1, [admin, deny]), "data": (4, [admin, deny])}
    rows |= {"identity": (6, [admin, deny]), "mgmt": (9, [admin, deny])}
    prefixes = {
        "web": "10.20.0.0/24",
        "app": "10.20.1.0/22",
        "data": "10.20.4.0/23",
        "identity": "10.20.6.0/24",
        "mgmt": "10.20.9.0/24",
    }
    subnets = []
    for name, (_, rules) in rows.items():
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


def _context(key_set: str) -> str:
    return f"""\
# What Azure cannot know of the bakery. All people and addresses in here are invented.
format: readiness/context/1

windows:
  - name: before-baking
    rrule: "FREQ=WEEKLY;BYDAY=MO,TU"
    start: "01:00"
    duration: PT3H
    timezone: Europe/Stockholm
  - name: sunday-afternoon
    rrule: "FREQ=WEEKLY;BYDAY=SU"
    start: "14:00"
    duration: PT5H
    timezone: Europe/Stockholm

applications:
  - name: Web shop
    owner: {{name: Saga Lindholm-Reyes, email: saga.lindholm-reyes@example.com}}
    criticality: high
    environment: production
    match: {{resource_groups: [rg-shop], tags: {{app: shop}}}}
    windows: [before-baking, sunday-afternoon]
  - name: Administration
    owner: {{name: Bo Kasprzak, email: bo.kasprzak@example.com}}
    criticality: low
    environment: production
    match: {{names: [shop-jump-*]}}
    windows: [sunday-afternoon]

dependencies:
  - {{source: shop-web-01, target: shop-app-01}}
  - {{source: shop-web-02, target: shop-app-02}}
  - {{source: shop-web-03, target: shop-app-03}}
  - {{source: shop-web-04, target: shop-app-04}}
  - {{source: shop-web-05, target: shop-app-04}}
  - {{source: shop-app-01, target: shop-pg-01, hard: true}}
  - {{source: shop-app-02, target: shop-pg-01, hard: true}}
  - {{source: shop-app-03, target: shop-search-01}}
  - {{source: shop-app-04, target: shop-queue-01}}
  - {{source: shop-erp-01, target: shop-sql-01}}
  - {{source: shop-sql-01, target: shop-dc-01}}
  - {{source: shop-sql-02, target: shop-dc-02}}
  - {{source: shop-print-01, target: shop-queue-02}}

targets:
  - match: {{}}
    trusted_launch: {{secure_boot: true}}
    identity: {{type: system}}
    disk_encryption_set: {key_set}
    encryption_at_host: true
"""
