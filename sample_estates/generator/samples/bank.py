"""A regulated bank: three subscriptions, own keys, confidential VMs, locks, exceptions, no public door."""

from sample_estates.generator import (
    compute,
    disks,
    governance,
    network,
    perimeter,
    recovery,
    vaults,
)
from sample_estates.generator.catalogue import CRYPTO_USER, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk, Machine, Place
from sample_estates.generator.network import Rule, Subnet
from sample_estates.generator.samples import bank_evidence
from sample_estates.generator.samples.bank_context import CONTEXT
from sample_estates.generator.samples.bank_places import (
    CHANNELS,
    CORE,
    LINUX,
    REGION,
    SECOND,
    SHARED,
    WINDOWS,
    Bank,
)
from sample_estates.generator.samples.sample import Sample

_DOUBLE = "EncryptionAtRestWithPlatformAndCustomerKeys"
_EXTRA_SUBNETS = {
    CHANNELS: (
        Subnet(name="snet-gateway", prefix="10.41.2.0/24"),
        Subnet(name="snet-workers", prefix="10.41.3.0/24", delegation="Microsoft.Databricks/workspaces"),
    ),
    SHARED: (Subnet(name="AzureFirewallSubnet", prefix="10.42.2.0/26"),),
}
_HELD = "Its restore points are incremental, and nobody has shown yet that Azure changes such disks' keys."


def build() -> Sample:
    """Return the estate."""
    bank = Bank()
    bank.sample.base([REGION, SECOND], "P2")
    for name, place in bank.places.items():
        _platform(bank, name, place)
    _core(bank)
    _payments(bank)
    _channels(bank)
    _keys_that_fail(bank)
    _shared(bank)
    bank_evidence.add(bank)
    bank.sample.context = _context(bank)
    return bank.sample


def _platform(bank: Bank, name: str, place: Place) -> None:
    sample, row = bank.sample, 40 + bank.sample.subscriptions.index(name)
    admin = Rule(name="admin-from-jump-hosts", priority=110, ports=("22", "3389"), sources=("10.42.1.0/26",))
    deny = Rule(name="nothing-else", priority=4000, ports=("*",), sources=("*",), access="Deny", protocol="*")
    group = network.group_id(place, f"nsg-{name}")
    peers = [
        network.network_id(other, f"vnet-{peer}")
        for peer, other in bank.places.items()
        if (SHARED in (peer, name)) and peer != name
    ]
    routes = place.id(f"{network.NETWORK}/routeTables", f"rt-{name}")
    subnets = [
        Subnet(name="snet-servers", prefix=f"10.{row}.0.0/24", group=group, routes=routes),
        Subnet(name="snet-jump", prefix=f"10.{row}.1.0/26", group=group, routes=routes),
        *_EXTRA_SUBNETS.get(name, ()),
    ]
    sample.add(
        governance.group(place, {"owner": "kontor-platform"}),
        governance.lock(place.group_id(), "keep-platform", "CanNotDelete", "Change board only."),
        network.security_group(place, f"nsg-{name}", [admin, deny]),
        network.virtual_network(place, f"vnet-{name}", f"10.{row}.0.0/16", subnets, peers),
        *bank.keys[name],
        perimeter.route_table(place, f"rt-{name}", "10.42.2.4"),
        vaults.recovery_vault(place, f"rsv-{name}"),
        vaults.backup_policy(bank.vault(name), "V1"),
        vaults.backup_policy(bank.vault(name), "V2"),
    )


def _core(bank: Bank) -> None:
    """Add the ledger in confidential VMs, and the databases under double encryption."""
    sample = bank.sample
    group = sample.place("rg-ledger", REGION, CORE)
    why = "The group is locked against any write, but there is nothing left to write."
    sample.add(
        governance.group(group, {"app": "ledger"}),
        governance.lock(
            group.group_id(), "frozen-ledger", "ReadOnly", "Year-end closing: ask the ledger team."
        ),
    )
    sealed = _sealing_set(bank)
    for number in range(1, 7):
        vm = bank.machine(CORE, "rg-ledger", f"kb-ledger-{number:02d}", "cvm", "Standard_EC8as_v5")
        vm.security, vm.key_set, vm.extensions = "ConfidentialVM", sealed, LINUX[:3]
        sample.vm(vm, "SSSS", why if number == 1 else "", backup=(bank.vault(CORE), "V2"))
    for number in (1, 2):
        vm = bank.machine(CORE, "rg-custody", f"kb-custody-{number:02d}", "ws2022-cvm", "Standard_DC4as_v5")
        vm.security, vm.key_set, vm.extensions = "ConfidentialVM", None, WINDOWS[:3]
        why = "The OS disk of a confidential VM gets its key when it is made; the exception ends in 2027."
        expect = "SESS" if number == 1 else "SBSS"
        sample.vm(vm, expect, why if number == 1 else why.replace("ends in 2027", "ended in September"))
    group = sample.place("rg-custody", REGION, CORE)
    close, databases = group.id(f"{disks.COMPUTE}/proximityPlacementGroups", "ppg-custody"), []
    for number in range(1, 5):
        vm = bank.machine(CORE, "rg-custody", f"kb-db-{number:02d}", "ws2022", "Standard_E8s_v5")
        # Machines that stand close to one another are in one zone.
        vm.placement_group, vm.zone = close, "1"
        databases.append(vm)
        vm.data = (DataDisk(gb=1024, role="sqldata"), DataDisk(gb=512, role="sqllog"))
        vm.encryption = _DOUBLE
        why = "Double encryption has a customer's key in it." if number == 1 else ""
        sample.vm(vm, "SSSS", why, backup=(bank.vault(CORE), "V2"))
    sample.add(governance.group(group, {"app": "custody"}))
    sample.add(compute.placement_group(group, "ppg-custody", databases))


def _sealing_set(bank: Bank) -> str:
    place = bank.places[CORE]
    vault, held = bank.keys[CORE][:2]
    dice = Dice("bank", "sealing")
    principal = dice.guid()
    kind = "ConfidentialVmEncryptedWithCustomerKey"
    found = vaults.encryption_set(place, "des-kontor-sealed", held, principal, kind)
    role = governance.role_assignment(str(vault["id"]), CRYPTO_USER, principal, place, dice.guid())
    bank.sample.add(found, role)
    return str(found["id"])


def _payments(bank: Bank) -> None:
    """Add payment gateways: an appliance with an exception, one whose exception ran out, an old Windows."""
    sample = bank.sample
    sample.add(governance.group(sample.place("rg-payments", REGION, CORE), {"app": "payments"}))
    for number, (expect, why) in enumerate(
        (
            ("ESES", "A vendor's appliance: both gaps are excepted until 2027."),
            ("USUS", "The same appliance again, but its exceptions ran out in September."),
        ),
        start=1,
    ):
        vm = bank.machine(CORE, "rg-payments", f"kb-swift-{number:02d}", "jammy", "Standard_F4s_v2")
        vm.image, vm.specialised, vm.agent, vm.security, vm.extensions = None, True, "Not Ready", None, ()
        sample.vm(vm, expect, why)
    gateway = bank.machine(CORE, "rg-payments", "kb-gateway-01", "ws2016-g1", "Standard_D4s_v3")
    gateway.security, gateway.extensions = None, ("MDE.Windows",)
    sample.vm(gateway, "ESSS", "Windows Server 2016 in generation 1, excepted until its successor comes.")
    for number in range(1, 5):
        vm = bank.machine(CORE, "rg-payments", f"kb-pay-{number:02d}", "rhel9", "Standard_D4s_v5")
        vm.data = (DataDisk(gb=256),)
        sample.vm(vm, "SSSS", backup=(bank.vault(CORE), "V2"))


def _channels(bank: Bank) -> None:
    """Add web and mobile banking: keys are done, Trusted Launch is next."""
    sample = bank.sample
    sample.add(governance.group(sample.place("rg-online", REGION, CHANNELS), {"app": "online"}))
    fleet: list[Machine] = []
    for tier, image, count in (("web", "noble", 6), ("api", "rhel9", 6), ("mq", "sles15", 3)):
        for number in range(1, count + 1):
            vm = bank.machine(CHANNELS, "rg-online", f"kc-{tier}-{number:02d}", image, "Standard_D4s_v5")
            vm.security, vm.extensions = None, LINUX[:3]
            vm.data = (DataDisk(gb=128),) if tier == "mq" else ()
            why = "Site Recovery replicates it to another region." if tier == "mq" else ""
            sample.vm(vm, "WSSS" if tier == "mq" else "RSSS", why, backup=(bank.vault(CHANNELS), "V2"))
            fleet.append(vm)
    drifted = bank.machine(CHANNELS, "rg-online", "kc-drift-01", "jammy", "Standard_D2s_v5")
    why = "Set up with keys, but the guest lets people in with a password again: what it says counts."
    sample.vm(drifted, "SSRS", why)
    sample.add(governance.guest_assignment(drifted, "LinuxNoPasswordForSSH", "NonCompliant"))
    half = bank.machine(CHANNELS, "rg-online", "kc-half-01", "jammy", "Standard_D2s_v5")
    half.secure_boot = False
    sample.vm(half, "RSSS", "Under Trusted Launch with Secure Boot off: a restart away.")
    sleeper = bank.machine(CHANNELS, "rg-online", "kc-sleeper-01", "jammy", "Standard_D4s_v5")
    sleeper.security, sleeper.hibernation = None, True
    sample.vm(sleeper, "BSSS", "Azure does not hibernate Linux under Trusted Launch.")
    sample.add(governance.just_in_time(fleet[0].place, fleet))
    bank_evidence.add_front(bank, [vm for vm in fleet if "-web-" in vm.name])
    bank_evidence.add_replicas(bank, [vm for vm in fleet if "-mq-" in vm.name])


def _keys_that_fail(bank: Bank) -> None:
    """Add reporting, whose chosen keys do not fit or do not work."""
    sample, place = bank.sample, bank.places[CHANNELS]
    held = bank.keys[CHANNELS][1]
    dice = Dice("bank", "failing")
    broken = vaults.encryption_set(place, "des-kontor-broken", held, dice.guid())
    error = {"code": "ManagedServiceIdentityNotFound", "message": "Auto-key rotation was disabled."}
    broken["properties"]["autoKeyRotationError"] = error
    far = vaults.encryption_set(
        sample.place(place.group, SECOND, CHANNELS), "des-kontor-weu", held, dice.guid()
    )
    sample.add(
        broken, far, governance.group(sample.place("rg-reporting", REGION, CHANNELS), {"app": "reports"})
    )
    reasons = (
        ("kc-report-01", "B", "The key that was chosen cannot be rotated: its identity is gone.", None),
        ("kc-report-02", "B", "The key that was chosen is in another region.", None),
        ("kc-report-03", "U", _HELD, "V2"),
        ("kc-report-04", "R", "Nothing stands between it and its key.", None),
        ("kc-report-05", "W", "It was backed up once, and its restore points are still there.", None),
    )
    for name, letter, why, policy in reasons:
        vm = bank.machine(CHANNELS, "rg-reporting", name, "ws2022", "Standard_E4s_v5")
        vm.key_set, vm.at_host, vm.data = None, False, (DataDisk(gb=512),)
        backup = (bank.vault(CHANNELS), policy) if policy else None
        sample.vm(vm, f"S{letter}SS", why, backup=backup)
        if letter == "W":
            sample.add(*recovery.restore_points(vm, ("2026-10-06", "2026-10-07")))


def _shared(bank: Bank) -> None:
    """Add directory, jump hosts, monitoring, and a cluster's nodes that belong to their service."""
    sample = bank.sample
    sample.add(governance.group(sample.place("rg-directory", REGION, SHARED), {"app": "directory"}))
    for number in (1, 2, 3):
        vm = bank.machine(SHARED, "rg-directory", f"ks-dc-{number:02d}", "ws2022", "Standard_D2s_v5")
        sample.vm(vm, "SSSS")
    jumps = []
    for number in (1, 2):
        vm = bank.machine(SHARED, "rg-directory", f"ks-jump-{number:02d}", "ws2022", "Standard_D2s_v5")
        vm.subnet = vm.subnet.replace("snet-servers", "snet-jump")
        vm.address = f"10.42.1.{number + 3}"
        sample.vm(vm, "SSSS")
        jumps.append(vm)
    sample.add(governance.just_in_time(jumps[0].place, jumps))
    identity = sample.place("rg-directory", REGION, SHARED)
    name = identity.id("Microsoft.ManagedIdentity/userAssignedIdentities", "id-kontor-watch")
    dice = Dice("bank", "watch")
    sample.add(governance.user_identity(identity, "id-kontor-watch", dice.guid(), dice.guid()))
    for number in (1, 2):
        vm = bank.machine(SHARED, "rg-directory", f"ks-watch-{number:02d}", "rhel9", "Standard_D4s_v5")
        vm.system_identity, vm.user_identities, vm.extensions = False, (name,), LINUX[:2]
        sample.vm(vm, "SSSS", "A user-assigned identity is an identity.")
    _cluster(bank)


def _cluster(bank: Bank) -> None:
    place = bank.sample.place("MC_rg-kontor_aks-kontor_germanywestcentral", REGION, SHARED)
    cluster = bank.places[SHARED].id("Microsoft.ContainerService/managedClusters", "aks-kontor")
    group: Json = governance.group(place, managed_by=cluster)
    bank.sample.add(group)
    for number in range(3):
        vm = bank.machine(SHARED, place.group, f"aks-pool1-{number}", "jammy", "Standard_D4s_v5")
        vm.security, vm.key_set, vm.extensions = None, None, ()
        bank.sample.vm(vm, "AKS", "The cluster's service rebuilds its nodes." if number == 0 else "")
    bank.sample.add(compute.availability_set(place, "aks-pool1", []))


def _context(bank: Bank) -> str:
    sets = {name: bank.key_set(name) for name in bank.sample.subscriptions}
    place = bank.places[CHANNELS]
    broken = place.id(f"{disks.COMPUTE}/diskEncryptionSets", "des-kontor-broken")
    far = place.id(f"{disks.COMPUTE}/diskEncryptionSets", "des-kontor-weu")
    return CONTEXT.format(
        core=sets[CORE], channels=sets[CHANNELS], shared=sets[SHARED], broken=broken, far=far
    )
