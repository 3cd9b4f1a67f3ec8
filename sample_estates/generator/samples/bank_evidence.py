"""What guards the bank and what is known of its machines: policies, roles, firewall, guests, replicas."""

from sample_estates.generator import governance, network, perimeter, posture, recovery, vaults
from sample_estates.generator.catalogue import VM_ADMINISTRATOR_LOGIN, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import Machine
from sample_estates.generator.samples.bank_places import CHANNELS, CORE, REGION, SECOND, SHARED, Bank

_CORRECTED = ("kb-ledger", "kb-pay-01", "kb-pay-02")
"""Machines whose guests set right what drifts, and let nobody in but with Entra."""
_SILENT = ("kb-swift", "kb-gateway")
"""Appliances that nobody may look into."""
_FIREWALL = "afw-kontor"


def add(bank: Bank) -> None:
    """Add all of it, for the machines that were made so far; then the workers of a service that owns them."""
    for vm in bank.fleet:
        if not vm.name.startswith((*_SILENT, "aks-")):
            _observed(bank, vm)
    _governed(bank)
    _hub(bank)
    _workers(bank)


def add_front(bank: Bank, members: list[Machine]) -> None:
    """Add the gateway through which customers reach the web tier."""
    place = bank.places[CHANNELS]
    subnet = f"{network.network_id(place, f'vnet-{CHANNELS}')}/subnets/snet-gateway"
    outside = network.address_id(place, "pip-agw-kontor")
    gateway = perimeter.application_gateway(place, "agw-kontor", subnet, outside, members)
    user = f"{gateway['id']}/frontendIPConfigurations/front"
    bank.sample.add(network.public_ip(place, "pip-agw-kontor", "203.0.113.90", user, shielded=True), gateway)


def add_replicas(bank: Bank, members: list[Machine]) -> None:
    """Add the vault in the second region, into which Site Recovery replicates machines."""
    place = bank.sample.place("rg-channels-recovery", SECOND, CHANNELS)
    vault = vaults.recovery_vault(place, "rsv-kontor-recovery")
    bank.sample.add(governance.group(place, {"owner": "kontor-platform"}), vault)
    bank.sample.add(*(recovery.replica(str(vault["id"]), vm, SECOND) for vm in members))


def _observed(bank: Bank, vm: Machine) -> None:
    corrected = vm.name.startswith(_CORRECTED)
    system = "Windows" if vm.windows else "Linux"
    kind = "ApplyAndAutoCorrect" if corrected else "ApplyAndMonitor"
    state = "NonCompliant" if vm.name == "kc-drift-01" else "Compliant"
    found = [governance.guest_assignment(vm, f"Azure{system}Baseline", state, kind)]
    if corrected:
        found.append(governance.guest_assignment(vm, "AADDisableLocalAuth_Linux", "Compliant"))
    code = "Unhealthy" if vm.name == "kc-drift-01" else "Healthy"
    found += [posture.finding(vm, posture.SCANNED, code), posture.finding(vm, posture.FILES_WATCHED)]
    rule = bank.places[SHARED].id("Microsoft.Insights/dataCollectionRules", "dcr-kontor")
    # The message brokers run in a network that the logs' firewall knows nothing of yet.
    if not vm.name.startswith("kc-mq"):
        found.append(governance.monitoring(vm, rule))
    late = vm.name.startswith("kc-api")
    found.append(governance.patch_result(vm, 0, 2 if late else 0))
    bank.sample.add(*found)


def _governed(bank: Bank) -> None:
    sample = bank.sample
    above = "/providers/Microsoft.Management/managementGroups/mg-kontor"
    benchmark = posture.policy(above, "security-benchmark", posture.BENCHMARK)
    refused = posture.policy(above, "no-public-interfaces", posture.DENY_PUBLIC_ADDRESSES, effect="Deny")
    sample.add(benchmark, refused)
    ledger = sample.place("rg-payments", REGION, CORE)
    notes: Json = {"owner": "lioba.marchetti@example.com", "compensatingControls": "Isolated subnet."}
    expires = "2027-03-31T00:00:00Z"
    sample.add(
        posture.exemption(ledger.group_id(), "swift-appliances", benchmark, expires=expires, notes=notes)
    )
    for name, place in bank.places.items():
        scope, admins = f"/subscriptions/{place.subscription}", Dice("bank", "roles", name).guid()
        # In the channels the administrators still hold their role for good.
        grant = posture.standing_role if name == CHANNELS else posture.activated_role
        sample.add(*grant(scope, VM_ADMINISTRATOR_LOGIN, admins, place))
        sample.add(posture.setting(place, "WDATP", enabled=name != CHANNELS))
        own = network.network_id(place, f"vnet-{name}")
        if name != CHANNELS:
            sample.add(posture.flow_log(place, f"flow-{name}", own))
        sample.add(perimeter.admin_rules(own, "deny-lateral-movement"))
    place = bank.places[SHARED]
    logs = posture.log_hub(place, "log-kontor")
    sample.add(*logs, posture.collection_rule(place, "dcr-kontor", str(logs[0]["id"])))


def _hub(bank: Bank) -> None:
    """Add the firewall in the shared network, through which everything leaves."""
    place = bank.places[SHARED]
    subnet = f"{network.network_id(place, f'vnet-{SHARED}')}/subnets/AzureFirewallSubnet"
    outside = network.address_id(place, f"pip-{_FIREWALL}")
    out = perimeter.allowed_names("updates", ["10.40.0.0/14"], ["*.ubuntu.com", "*.windowsupdate.com"])
    secret = "https://kv-kontor-shared-gwc.vault.azure.net/secrets/inspection"  # noqa: S105  a name
    rules = perimeter.firewall_policy(place, "afwp-kontor", [out], secret)
    found = perimeter.firewall(place, _FIREWALL, subnet, outside, policy=str(rules[0]["id"]))
    user = perimeter.front_of(str(found["id"]))
    address = network.public_ip(place, f"pip-{_FIREWALL}", "203.0.113.91", user, shielded=True)
    bank.sample.add(address, *rules, found)


def _workers(bank: Bank) -> None:
    """Add the workers of a Databricks workspace, which belong to their service."""
    place = bank.sample.place("databricks-rg-kontor-risk", REGION, CHANNELS)
    workspace = bank.places[CHANNELS].id("Microsoft.Databricks/workspaces", "dbw-kontor-risk")
    bank.sample.add(governance.group(place, managed_by=workspace))
    for number in range(2):
        name = Dice("bank", "worker", number).hex(32)
        vm = bank.machine(CHANNELS, place.group, f"db-{name}", "jammy", "Standard_D4s_v5")
        vm.subnet = vm.subnet.replace("snet-servers", "snet-workers")
        vm.address = f"10.41.3.{number + 4}"
        vm.security, vm.key_set, vm.extensions, vm.at_host = None, None, (), False
        vm.tags = {"Vendor": "Databricks", "ClusterName": "risk-nightly"}
        why = "The workspace makes and removes its workers as it needs them." if number == 0 else ""
        bank.sample.vm(vm, "AKS", why)
