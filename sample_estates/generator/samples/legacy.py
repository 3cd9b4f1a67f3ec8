"""A haulier's lift-and-shift estate: generation 1, disks encrypted in the guest, sets, passwords.

Nobody named a disk encryption set, so that customer-managed keys always need a decision first.
"""

from dataclasses import dataclass, field

from sample_estates.generator import compute, governance, network, posture, vaults
from sample_estates.generator.catalogue import CONTRIBUTOR, OWNER, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.listing import INVENTORY
from sample_estates.generator.machine import DataDisk, Machine, Place
from sample_estates.generator.network import Balancer, Rule, Subnet
from sample_estates.generator.samples.legacy_context import CONTEXT
from sample_estates.generator.samples.sample import Sample

REGION = "westeurope"
_DATA = (DataDisk(gb=512, sku="StandardSSD_LRS"),)
_2016 = "Windows Server 2016 has to be upgraded in place before a generation 1 VM can move on."
_OLD = "Its operating system is on no list that Azure keeps for Trusted Launch."
_DEBIAN = "Debian is listed for Trusted Launch, but not for the way there from generation 1."


@dataclass(frozen=True, slots=True)
class _Group:
    """Machines that are alike."""

    name: str
    count: int
    image: str
    subnet: str
    expect: str
    why: str = ""
    size: str = "Standard_D2s_v3"
    data: tuple[DataDisk, ...] = ()
    extensions: tuple[str, ...] = ()
    backup: str | None = "V1"
    in_set: bool = False
    group: str = "rg-erp"
    keys_only: bool = False
    power: str = "running"
    ade: bool = False
    tags: dict[str, str] = field(default_factory=dict)


_MMA, _OMS = ("MicrosoftMonitoringAgent",), ("OmsAgentForLinux",)
_KEY = "It has no identity, and an extension that lives on a key of its own."
_GROUPS = (
    _Group("nw-iis", 4, "ws2016-g1", "web", "BWSR", _2016, in_set=True, group="rg-web"),
    _Group("nw-app", 5, "ws2019-g1", "app", "WWSW", _KEY, extensions=_MMA, in_set=True, data=_DATA),
    _Group(
        "nw-sql",
        2,
        "ws2019-g1",
        "app",
        "WWSW",
        _KEY,
        "Standard_D4s_v3",
        (DataDisk(gb=1024, role="sqldata"), DataDisk(gb=512, role="sqllog")),
        ("SqlIaasExtension", "IaaSDiagnostics"),
        in_set=True,
    ),
    _Group("nw-dc", 2, "ws2012-g1", "identity", "BWSR", _OLD, group="rg-core", in_set=True),
    _Group(
        "nw-file",
        2,
        "ws2019-g1",
        "app",
        "BBSR",
        "Encrypted in the guest: the OS volume has to be decrypted before generation 2, and no disk that was "
        "ever encrypted so takes a customer's key.",
        data=_DATA,
        extensions=("AzureDiskEncryption",),
        ade=True,
        group="rg-files",
    ),
    _Group("nw-cent", 4, "centos7-g1", "plant", "BWWR", _OLD, group="rg-plant"),
    _Group("nw-rhel", 3, "rhel8-g1", "plant", "WWWW", _KEY, extensions=_OMS, data=_DATA, group="rg-plant"),
    _Group("nw-tms", 2, "rhel7-g1", "plant", "BWWR", _OLD, group="rg-plant"),
    _Group("nw-deb", 2, "debian11-g1", "plant", "BWWR", _DEBIAN, group="rg-plant"),
    _Group("nw-ubu", 3, "jammy-g1", "app", "WWWR", backup=None, group="rg-erp"),
    _Group("nw-edi", 2, "focal-g1", "app", "WWSR", "Generation 1, but with keys only.", keys_only=True),
    _Group("nw-scan", 1, "xenial-g1", "plant", "BWWR", _OLD, group="rg-plant"),
    _Group(
        "nw-dock",
        2,
        "rhel8-g1",
        "plant",
        "WWWR",
        "Its size runs generation 1 only: resize first.",
        "Standard_D2_v2",
        group="rg-plant",
    ),
    _Group(
        "nw-arch",
        1,
        "jammy-g1",
        "app",
        "BBWR",
        "Linux disks encrypted in the guest cannot be decrypted in place.",
        extensions=("AzureDiskEncryptionForLinux",),
        ade=True,
        group="rg-files",
    ),
    _Group("nw-year", 2, "ws2019-g1", "app", "WWSR", "Switched off between closings.", power="deallocated"),
    _Group("nw-print", 1, "ws2019", "app", "WWSR", "Generation 2, but under a Standard policy."),
    _Group("nw-wiki", 1, "jammy", "app", "RWWR", "Generation 2 and not backed up.", backup=None),
)


class _Haulier:
    """The haulier's places, network and vaults."""

    def __init__(self) -> None:
        self.sample = Sample("legacy", ("nordwind-logistics",))
        self.core = self.sample.place("rg-core", REGION)
        self.vault = self.core.id(vaults.RECOVERY, "rsv-nordwind")
        self.ade_vault = self.core.id(vaults.VAULTS, "kv-nordwind-ade")
        self.vnet = network.network_id(self.core, "vnet-nordwind")
        self.members: dict[str, list[Machine]] = {}
        self.web = Balancer(
            place=self.sample.place("rg-web", REGION),
            name="lb-nw-web",
            ports=(80, 443),
            public_ip=network.address_id(self.sample.place("rg-web", REGION), "pip-nw-web"),
        )

    def subnet(self, name: str) -> str:
        """Return the id of a subnet."""
        return f"{self.vnet}/subnets/snet-{name}"


_ROWS = {"web": 0, "app": 1, "plant": 2, "identity": 3, "dmz": 4}


def build() -> Sample:
    """Return the estate."""
    haulier = _Haulier()
    sample = haulier.sample
    sample.listed = INVENTORY
    sample.base([REGION], None)
    for name in ("rg-core", "rg-web", "rg-erp", "rg-files", "rg-plant"):
        sample.add(governance.group(sample.place(name, REGION), {"owner": "nordwind-it"}))
    _network(haulier)
    sample.add(vaults.recovery_vault(haulier.core, "rsv-nordwind"), vaults.backup_policy(haulier.vault, "V1"))
    sample.add(vaults.key_vault(haulier.core, "kv-nordwind-ade", roles=False, purge=False, closed=False))
    address = 4
    for group in _GROUPS:
        for number in range(1, group.count + 1):
            _machine(haulier, group, number, address)
            address += 1
    for name, members in haulier.members.items():
        sample.add(compute.availability_set(members[0].place, f"avail-{name}", members))
    iis = haulier.members["nw-iis"]
    sample.add(network.load_balancer(haulier.web, iis))
    sample.add(
        network.public_ip(haulier.web.place, "pip-nw-web", "203.0.113.60", haulier.web.frontend),
        governance.lock(haulier.core.group_id(), "keep", "CanNotDelete", "Do not remove the core."),
    )
    _appliances(haulier)
    _exposed(haulier)
    _governed(haulier)
    sample.context = CONTEXT
    return sample


def _machine(haulier: _Haulier, group: _Group, number: int, address: int) -> None:
    place = haulier.sample.place(group.group, REGION)
    vm = Machine(
        name=f"{group.name}-{number:02d}",
        place=place,
        subnet=haulier.subnet(group.subnet),
        address=f"10.30.{_ROWS[group.subnet]}.{address}",
        image=group.image,
        size=group.size,
        created="2023-10-18",
        os_gb=127 if group.image.startswith("ws") else 64,
        os_sku="Standard_LRS" if group.size == "Standard_D2_v2" else "StandardSSD_LRS",
        data=group.data,
        keys_only=group.keys_only,
        extensions=group.extensions,
        inline=number % 2 == 0,
        power=group.power,
        ade=haulier.ade_vault if group.ade else None,
        patching="ImageDefault",
        shouting=True,
        tags={"role": group.name.partition("-")[2], "wave": "migrated-2023"},
    )
    if group.in_set:
        vm.availability_set = place.id("Microsoft.Compute/availabilitySets", f"avail-{group.name}")
        haulier.members.setdefault(group.name, []).append(vm)
    if group.name == "nw-iis":
        vm.pools = (haulier.web.pool,)
    backup = (haulier.vault, group.backup) if group.backup else None
    haulier.sample.vm(vm, group.expect, group.why, backup=backup)


def _appliances(haulier: _Haulier) -> None:
    why = "A vendor's appliance from a specialised disk, without an agent: nobody can tell what it takes."
    for number in (1, 2):
        vm = Machine(
            name=f"nw-fw-{number:02d}",
            place=haulier.core,
            subnet=haulier.subnet("dmz"),
            address=f"10.30.4.{number + 3}",
            image=None,
            size="Standard_F4s_v2",
            specialised=True,
            forwarding=True,
            agent="Not Ready",
            tags={"role": "firewall", "vendor-image": "yes"},
        )
        haulier.sample.vm(vm, "UWUR", why, alter=_plan)


def _plan(resource: Json) -> None:
    resource["plan"] = {"name": "hourly", "product": "edge-firewall", "publisher": "invented-networks"}


def _exposed(haulier: _Haulier) -> None:
    """Add the machines that the internet can reach, each in another way."""
    sample, place = haulier.sample, haulier.core
    desktop = Balancer(
        place=place,
        name="lb-nw-rds",
        ports=(),
        basic=True,
        public_ip=network.address_id(place, "pip-nw-rds"),
        nat=(("rds-1", 50001, 3389), ("rds-2", 50002, 3389)),
    )
    hosts = []
    for number in (1, 2):
        vm = _plain(haulier, f"nw-rds-{number:02d}", "dmz", f"10.30.4.{number + 10}")
        vm.image, vm.os_gb, vm.nat_rules = "ws2019-g1", 127, (desktop.nat_rule(f"rds-{number}"),)
        why = "Remote desktop through a Basic load balancer, on a port that looks harmless from outside."
        sample.vm(vm, "WWWR", why, backup=(haulier.vault, "V1"))
        hosts.append(vm)
    sample.add(network.load_balancer(desktop, [], hosts))
    sample.add(
        network.public_ip(place, "pip-nw-rds", "203.0.113.61", desktop.frontend, basic=True),
        network.security_group(
            place,
            "nsg-nw-temporary",
            [
                Rule(name="vendor", priority=100, ports=("20-25", "8000-8100"), sources=("0.0.0.0/0",)),
                Rule(name="too-late", priority=400, ports=("22",), access="Deny"),
            ],
        ),
    )
    ftp = _plain(haulier, "nw-ftp-01", "dmz", "10.30.4.20")
    ftp.public_ip, ftp.basic_ip = "pip-nw-ftp", True
    sample.vm(ftp, "WWWR", "A Basic address and no security group: everything is open.")
    vendor = _plain(haulier, "nw-vendor-01", "dmz", "10.30.4.21")
    vendor.public_ip, vendor.nic_group = "pip-nw-vendor", network.group_id(place, "nsg-nw-temporary")
    sample.vm(vendor, "WWWR", "Port 22 lies within a range that is open, above the rule that would close it.")
    closed = _plain(haulier, "nw-track-01", "plant", "10.30.2.90")
    closed.public_ip, closed.keys_only = "pip-nw-track", True
    sample.vm(closed, "WWSR", "A public address, but the subnet's group lets nobody in to manage it.")


def _plain(haulier: _Haulier, name: str, subnet: str, address: str) -> Machine:
    return Machine(
        name=name,
        place=haulier.core,
        subnet=haulier.subnet(subnet),
        address=address,
        image="jammy-g1",
        size="Standard_D2s_v3",
        created="2023-11-08",
        os_sku="StandardSSD_LRS",
        keys_only=False,
        patching="ImageDefault",
        tags={"role": name.split("-")[1], "wave": "migrated-2023"},
    )


def _network(haulier: _Haulier) -> None:
    place: Place = haulier.core
    admin = Rule(name="admin-from-office", priority=300, ports=("22", "3389"), sources=("10.0.0.0/8",))
    web = Rule(name="web", priority=100, ports=("80", "443"))
    subnets = []
    for name, row in _ROWS.items():
        group = None
        # The demilitarised zone never got a group: its firewalls were to do everything.
        if name != "dmz":
            rules = [web, admin] if name == "web" else [admin]
            haulier.sample.add(network.security_group(place, f"nsg-nw-{name}", rules))
            group = network.group_id(place, f"nsg-nw-{name}")
        subnets.append(Subnet(name=f"snet-{name}", prefix=f"10.30.{row}.0/24", group=group))
    dice = Dice("legacy", "network")
    found = network.virtual_network(place, "vnet-nordwind", "10.30.0.0/16", subnets)
    found["properties"]["resourceGuid"] = dice.guid()
    haulier.sample.add(found)


def _governed(haulier: _Haulier) -> None:
    """Add who may do what: an owner and a pipeline for good, and a policy that was never switched on."""
    place = haulier.core
    scope = f"/subscriptions/{place.subscription}"
    for number, role in enumerate((OWNER, CONTRIBUTOR)):
        dice = Dice("legacy", "roles", number)
        found = governance.role_assignment(scope, role, dice.guid(), place, dice.guid())
        found["properties"]["principalType"] = "User" if role == OWNER else "ServicePrincipal"
        haulier.sample.add(found)
    idle = posture.policy(
        scope, "no-public-interfaces", posture.DENY_PUBLIC_ADDRESSES, effect="Audit", enforced=False
    )
    haulier.sample.add(idle)
