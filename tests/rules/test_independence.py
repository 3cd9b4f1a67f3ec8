"""One resource never changes what is said of an unrelated VM, however odd it is."""

import random
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.azure.collection import collect
from readiness.model.assessment import VmAssessment
from readiness.model.context import Context
from readiness.model.ids import ResourceId
from readiness.rules.evaluate import evaluate
from tests.builders import SUBSCRIPTION, info

BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"
TYPES = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachines/other/extensions",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/snapshots",
    "Microsoft.Compute/diskEncryptionSets",
    "Microsoft.Compute/restorePointCollections",
    "Microsoft.Compute/restorePointCollections/c/restorePoints",
    "Microsoft.Compute/galleries/g/images",
    "Microsoft.KeyVault/vaults",
    "Microsoft.KeyVault/vaults/v/keys",
    "Microsoft.RecoveryServices/vaults/v/replicationFabrics/f/replicationProtectionContainers/c"
    "/replicationProtectedItems",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/bastionHosts",
    "Microsoft.Network/firewallPolicies/other/ruleCollectionGroups",
    "Microsoft.Network/effectiveSecurityAdminRules",
    "Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies",
    "Microsoft.Compute/virtualMachines/other/providers/Microsoft.GuestConfiguration"
    "/guestConfigurationAssignments",
    "Microsoft.RecoveryServices/vaults/v/backupFabrics/f/protectionContainers/c/protectedItems",
    "Microsoft.Compute/virtualMachines/other/patchAssessmentResults",
    "Microsoft.Compute/virtualMachines/other/providers/Microsoft.Security/assessments",
    "Microsoft.Compute/virtualMachines/other/providers/Microsoft.Insights/dataCollectionRuleAssociations",
    "Microsoft.Compute/virtualMachines/other/providers/Microsoft.Maintenance/configurationAssignments",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleEligibilityScheduleInstances",
    "Microsoft.Authorization/policyExemptions",
    "Microsoft.Security/pricings",
)
KEYS = (
    "storageProfile",
    "osDisk",
    "osProfile",
    "securityProfile",
    "networkProfile",
    "ipConfigurations",
    "securityRules",
    "subnets",
    "encryption",
    "type",
    "sku",
    "tags",
    "instanceView",
    "statuses",
    "hyperVGeneration",
    "loadBalancingRules",
    "backendAddressPools",
    "natRuleCollections",
    "ruleCollections",
    "rules",
    "virtualMachines",
    "virtualNetworkPeerings",
)


def _own() -> list[dict[str, Any]]:
    vm = f"{BASE}/Microsoft.Compute/virtualMachines/mine"
    disk = f"{BASE}/Microsoft.Compute/disks/mine"
    nic = f"{BASE}/Microsoft.Network/networkInterfaces/mine"
    group = f"{BASE}/Microsoft.Network/networkSecurityGroups/mine"
    subnet = f"{BASE}/Microsoft.Network/virtualNetworks/mine/subnets/a"
    address = f"{BASE}/Microsoft.Network/publicIPAddresses/mine"
    configuration = {
        "subnet": {"id": subnet},
        "publicIPAddress": {"id": address},
        "privateIPAddress": "10.0.0.4",
    }
    rule = {"priority": 100, "access": "Allow", "direction": "Inbound", "protocol": "*"}
    everywhere = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}
    properties = {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"osDisk": {"osType": "Linux", "managedDisk": {"id": disk}}},
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
    }
    return [
        {"id": vm, "type": TYPES[0], "location": "westeurope", "properties": properties},
        {"id": disk, "type": "Microsoft.Compute/disks", "properties": {"hyperVGeneration": "V2"}},
        {
            "id": nic,
            "type": "Microsoft.Network/networkInterfaces",
            "properties": {
                "networkSecurityGroup": {"id": group},
                "ipConfigurations": [{"properties": configuration}],
            },
        },
        {
            "id": group,
            "type": "Microsoft.Network/networkSecurityGroups",
            "properties": {"securityRules": [{"name": "ssh", "properties": rule | everywhere}]},
        },
        {"id": subnet, "type": "Microsoft.Network/virtualNetworks/subnets", "properties": {}},
        {"id": address, "type": "Microsoft.Network/publicIPAddresses", "sku": {"name": "Standard"}},
    ]


MINE = ResourceId(_own()[0]["id"])

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
_junk = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def _stranger(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    name = draw(st.sampled_from(("other", "OTHER", "third", "")))
    resource: dict[str, Any] = {"id": f"{BASE}/{kind}/{name}", "properties": draw(_junk)}
    resource |= draw(
        st.dictionaries(st.sampled_from(("type", "id", "tags", "identity", "resources", "sku")), _junk)
    )
    return resource


def _result(resources: list[dict[str, Any]]) -> VmAssessment:
    placed = [(f"resources.jsonl:{number}", resource) for number, resource in enumerate(resources, start=1)]
    estate = collect(placed).estate(info(), Context())
    assessment = evaluate(estate, as_of=date(2026, 11, 2), release="test")
    assert all(entry.adds_up for entry in assessment.coverage)
    return next(vm for vm in assessment.vms if vm.id == MINE)


@settings(max_examples=200)
@given(strangers=st.lists(_stranger(), max_size=6), seed=st.integers(0, 1000))
def test_strangers_leave_a_vm_alone(strangers: list[dict[str, Any]], seed: int) -> None:
    """Arbitrary junk beside a VM's resources, in any order, changes nothing for it and raises nothing."""
    resources = _own() + strangers
    random.Random(seed).shuffle(resources)  # noqa: S311  a shuffle, no secret

    assert _result(_own()) == _result(resources)


@settings(max_examples=100)
@given(doubled=st.lists(st.integers(0, 5), max_size=4), seed=st.integers(0, 1000))
def test_duplicates_and_order_do_not_matter(doubled: list[int], seed: int) -> None:
    """The same resources twice, in another letter case and in another order give the same answer."""
    copies = [_own()[number] | {"id": _own()[number]["id"].upper()} for number in doubled if number]
    resources = _own() + copies
    random.Random(seed).shuffle(resources)  # noqa: S311  a shuffle, no secret

    before, after = _result(_own()), _result(resources)

    assert [(one.classification, one.work) for one in before.dimensions.values()] == [
        (one.classification, one.work) for one in after.dimensions.values()
    ]
