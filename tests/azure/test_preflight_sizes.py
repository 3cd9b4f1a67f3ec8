"""The sizes that an owner approved are looked at before the first effect; what would not do is told."""

from typing import Any

import pytest

from readiness.model.ids import ResourceId
from readiness.model.steps import PatchVm, Preflight, Resize, Start, Work
from readiness.ports.cloud import Done
from tests.azure.asking import Process
from tests.azure.test_preflight import usage, words
from tests.azure.test_preflight_policies import assignment, definition
from tests.twin.seeds import COMPUTE, SUBSCRIPTION, VM, Wire, estate, size, vm

MACHINE = ResourceId(VM)
OWN, OTHER, THIRD = "Standard_D2s_v5", "Standard_D4s_v5", "Standard_D2as_v5"
NIC = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Network/networkInterfaces/web-1"
)
ABLE = {
    "EncryptionAtHostSupported": "True",
    "CpuArchitectureType": "x64",
    "MaxResourceVolumeMB": "0",
    "MaxDataDiskCount": "8",
    "MaxNetworkInterfaces": "2",
    "AcceleratedNetworkingEnabled": "True",
    "DiskControllerTypes": "SCSI",
    "PremiumIO": "True",
}
TRUSTED = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}
WORK: tuple[Work, ...] = (
    PatchVm(vm=MACHINE, properties={"securityProfile": {**TRUSTED, "encryptionAtHost": True}}),
    Start(vm=MACHINE),
)
NONE_LEFT = "none of its approved sizes would do"


def offered(
    name: str, cores: str = "2", family: str = "standardDSv5Family", **changes: Any
) -> dict[str, Any]:
    """Return a size that can do everything, but for what is changed."""
    return size(name, **{**ABLE, "vCPUs": cores, **changes}) | {"family": family}


def accelerated() -> dict[str, Any]:
    """Return the interface of the machine, accelerated."""
    return {
        "id": NIC,
        "name": "web-1",
        "type": "Microsoft.Network/networkInterfaces",
        "location": "westeurope",
        "properties": {"enableAcceleratedNetworking": True, "ipConfigurations": []},
    }


def looked(*seed: dict[str, Any], names: tuple[str, ...] = (OTHER,), **more: Any) -> str:
    """Ask for a machine that may take sizes; whatever is found out about them, it may go."""
    interfaces = {"networkInterfaces": [{"id": NIC}]}
    machine = vm(networkProfile=interfaces, hardwareProfile={"vmSize": OWN}) | more.pop("top", {})
    process = Process(Wire(*estate(accelerated(), *seed, machine=machine), **more))
    spare = tuple(Resize(vm=MACHINE, size=name) for name in names)
    answer = process.begin(Preflight(vm=MACHINE, work=WORK, spare=spare))
    assert isinstance(answer, Done), "what another size cannot do refused the VM"
    assert [] == process.writes()
    return words(answer)


def test_a_size_that_would_do_is_not_spoken_of() -> None:
    """Where everything fits nothing is told of sizes."""
    assert "could not run as" not in looked(offered(OWN), offered(OTHER), usage("cores", 2, 10))


def restricted(kind: str, **told: Any) -> dict[str, Any]:
    """Return a size that is closed to the subscription."""
    closed = {"type": kind, "values": ["westeurope"], "reasonCode": "NotAvailableForSubscription"}
    return offered(OTHER) | {
        "restrictions": [closed | {"restrictionInfo": {"locations": ["westeurope"], **told}}]
    }


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (offered(OTHER) | {"locations": ["northeurope"]}, "it is not offered in westeurope"),
        (restricted("Location"), "closed to the subscription"),
        (restricted("Zone", zones=["1"]), "closed to the subscription"),
        (
            offered(OTHER) | {"locationInfo": [{"location": "westeurope", "zones": ["2", "3"]}]},
            "it is not offered in zone 1",
        ),
        (offered(OTHER, HyperVGenerations="V1"), "it does not run generation 2"),
        (offered(OTHER, TrustedLaunchDisabled="True"), "it has no Trusted Launch"),
        (offered(OTHER, EncryptionAtHostSupported="False"), "it has no encryption at host"),
        (offered(OTHER, CpuArchitectureType="Arm64"), "its processor is Arm64"),
        (offered(OTHER, MaxResourceVolumeMB="76800"), "temporary disk"),
        (offered(OTHER, MaxDataDiskCount="0"), "it takes 0 data disks of 1"),
        (offered(OTHER, PremiumIO="False"), "it takes no Premium disks"),
        (offered(OTHER, MaxNetworkInterfaces="0"), "it takes 0 network interfaces of 1"),
        (offered(OTHER, AcceleratedNetworkingEnabled="False"), "it has no accelerated networking"),
        (offered(OTHER, DiskControllerTypes="NVMe"), "its disks are attached by nvme"),
    ],
)
def test_what_a_size_cannot_do_is_told(other: dict[str, Any], why: str) -> None:
    """Each reason is told with the size, and that nothing is left where no size would do."""
    told = looked(offered(OWN), offered(THIRD), other, top={"zones": ["1"]})
    assert f"it could not run as {OTHER}" in told
    assert why in told
    assert NONE_LEFT in told
    both = looked(offered(OWN), offered(THIRD), other, names=(OTHER, THIRD), top={"zones": ["1"]})
    assert why in both
    assert NONE_LEFT not in both


@pytest.mark.parametrize(
    ("usages", "other", "why"),
    [
        ([usage("cores", 9, 10)], offered(OTHER, "4"), "only 1 more cores are allowed"),
        ([usage("cores", 8, 10)], offered(OTHER, "4"), ""),
        (
            [usage("standardDSv5Family", 9, 10)],
            offered(OTHER, "4"),
            "only 1 more cores of standardDSv5Family",
        ),
        ([usage("standardDSv5Family", 8, 10)], offered(OTHER, "4"), ""),
        (
            [usage("standardDASv5Family", 9, 10)],
            offered(OTHER, "2", "standardDASv5Family"),
            "and 2 are needed",
        ),
        ([usage("standardDASv5Family", 8, 10)], offered(OTHER, "2", "standardDASv5Family"), ""),
    ],
)
def test_quotas_have_to_hold_it(usages: list[dict[str, Any]], other: dict[str, Any], why: str) -> None:
    """The cores that the VM has given back count for the region, and for its own family alone."""
    told = looked(offered(OWN), other, *usages)
    assert bool(why) is ("could not run as" in told)
    assert why in told


def test_spot_vms_have_a_quota_of_their_own() -> None:
    """The quotas of regular VMs say nothing of a Spot VM, whose sizes all share one."""
    seed = (offered(OWN), offered(OTHER, "4"), usage("cores", 10, 10), usage("standardDSv5Family", 10, 10))
    spot = vm(networkProfile={"networkInterfaces": []}, hardwareProfile={"vmSize": OWN}, priority="Spot")
    assert "could not run as" not in looked(*seed, top=spot)
    told = looked(*seed, usage("lowPriorityCores", 9, 10), top=spot)
    assert "only 1 more cores of Spot VMs are allowed in westeurope, and 2 are needed" in told


def test_a_policy_of_allowed_sizes_is_asked() -> None:
    """A policy that denies a size is named; the size that it allows is not spoken of."""
    rule = {
        "allOf": [
            {"field": "type", "equals": "Microsoft.Compute/virtualMachines"},
            {"field": "Microsoft.Compute/virtualMachines/sku.name", "notIn": [OWN, THIRD]},
        ]
    }
    sizes = (offered(OWN), offered(OTHER), offered(THIRD))
    told = looked(*sizes, definition(rule), assignment(), names=(OTHER, THIRD))
    assert f"it could not run as {OTHER}: the policy 'Only ours' (held) denies the VM web-1" in told
    assert f"as {THIRD}" not in told


def test_who_may_not_ask_for_sizes_is_told_so() -> None:
    """What is not known of sizes is told, and blocks nothing; policies are asked all the same."""
    told = looked(offered(OWN), offered(OTHER), faults=[{"kind": "denied", "operation": "skus/read"}])
    assert "not known: what its approved sizes can do" in told
    assert "could not run as" not in told


def test_without_approved_sizes_nothing_is_asked() -> None:
    """The long list of sizes is read only for VMs that may take one of them."""
    process = Process(Wire(*estate(offered(OWN))))
    process.begin(Preflight(vm=MACHINE, work=WORK))
    assert not [one for one in process.asked if "/skus" in one or f"{COMPUTE}/disks/" in one]
