"""Sizes: what is listed, and which change of size is refused."""

import pytest

from tests.twin.making import place
from tests.twin.seeds import COMPUTE, SUBSCRIPTION, TRUSTED, VM, Wire, deallocated, estate, size, vm

SUB = f"/subscriptions/{SUBSCRIPTION}"
SKUS = f"{SUB}/providers/Microsoft.Compute/skus"
SET = f"{COMPUTE}/availabilitySets/set"


def family(name: str, kind: str, **capabilities: str) -> dict:
    """A size of a family."""
    return size(name, **capabilities) | {"family": kind}


DSV5 = family("Standard_D2s_v5", "standardDSv5Family", EncryptionAtHostSupported="True")
D4S = family("Standard_D4s_v5", "standardDSv5Family")
E2S = family("Standard_E2s_v5", "standardESv5Family")


def to(name: str) -> dict:
    """A change of size."""
    return {"properties": {"hardwareProfile": {"vmSize": name}}}


def test_the_list_knows_one_filter():
    """Sizes are filtered by location, and any other filter is refused.

    Resource Skus - List, https://learn.microsoft.com/rest/api/compute/resource-skus/list
    """
    wire = Wire(*estate(DSV5, size("Standard_M64") | {"locations": ["northeurope"]}))
    wanted = wire.get(SKUS, query={"$filter": "location eq 'northeurope'"})["value"]
    assert ["Standard_M64"] == [each["name"] for each in wanted]
    assert (400, "InvalidParameter") == wire.refused("GET", SKUS, query={"$filter": "name eq 'x'"})


def test_the_older_lists_are_shorter():
    """The sizes of a location, and those of a machine, come in the older form.

    Virtual Machine Sizes - List, https://learn.microsoft.com/rest/api/compute/virtual-machine-sizes/list
    """
    wire = Wire(*estate(family("Standard_D2s_v5", "a", vCPUs="2", MemoryGB="8"), E2S | {"family": "b"}))
    path = f"{SUB}/providers/Microsoft.Compute/locations/westeurope/vmSizes"
    listed = {each["name"]: each for each in wire.get(path)["value"]}
    assert (2, 8192) == tuple(listed["Standard_D2s_v5"][name] for name in ("numberOfCores", "memoryInMB"))
    assert {"Standard_D2s_v5", "Standard_E2s_v5"} == set(listed)
    assert ["Standard_D2s_v5"] == [each["name"] for each in wire.get(f"{VM}/vmSizes")["value"]]
    wire.do("POST", f"{VM}/deallocate")
    assert 2 == len(wire.get(f"{VM}/vmSizes")["value"])


def test_another_family_needs_deallocation():
    """An allocated machine keeps to its family, and restarts for another size of it.

    Change the size of a virtual machine, https://learn.microsoft.com/azure/virtual-machines/sizes/resize-vm
    """
    wire = Wire(*estate(DSV5, D4S, E2S))
    answer = wire.ask("PATCH", VM, to("Standard_E2s_v5"))
    assert (409, "OperationNotAllowed") == (answer.status, answer.body["error"]["code"])
    assert "please deallocate" in answer.body["error"]["message"]
    wire.do("PATCH", VM, to("Standard_D4s_v5"))
    assert ("PowerState/running", "Not Ready") == (wire.power(), wire.agent())
    wire.do("POST", f"{VM}/deallocate")
    wire.do("PATCH", VM, to("Standard_E2s_v5"))
    assert "Standard_E2s_v5" == wire.get(VM)["properties"]["hardwareProfile"]["vmSize"]


def test_an_availability_set_is_pinned_while_one_runs():
    """A machine of a set keeps to the family while another one of the set is allocated.

    Change the size of a virtual machine, https://learn.microsoft.com/azure/virtual-machines/sizes/resize-vm
    """
    both = [deallocated(availabilitySet={"id": SET}), vm("web-2", availabilitySet={"id": SET})]
    wire = Wire(*estate(DSV5, E2S, both[1], machine=both[0]))
    answer = wire.ask("PATCH", VM, to("Standard_E2s_v5"))
    assert "availability set is currently allocated" in answer.body["error"]["message"]
    wire.do("POST", f"{VM.replace('web-1', 'web-2')}/deallocate")
    assert 200 == wire.ask("PATCH", VM, to("Standard_E2s_v5")).status


@pytest.mark.parametrize(("os_type", "status"), [("Windows", 409), ("Linux", 200)])
def test_windows_never_loses_its_resource_disk(os_type, status):
    """A Windows machine with a temporary disk cannot get a size without one, whatever its power.

    Azure VM sizes with no local temporary disk,
    https://learn.microsoft.com/azure/virtual-machines/azure-vms-no-temp-disk
    """
    machine = deallocated()
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = os_type
    sizes = [
        size("Standard_D2s_v5", MaxResourceVolumeMB="0"),
        size("Standard_D2s_v3", MaxResourceVolumeMB="16384"),
    ]
    assert status == Wire(*estate(*sizes, machine=machine)).ask("PATCH", VM, to("Standard_D2s_v3")).status


@pytest.mark.parametrize(
    ("profile", "capabilities", "refusal"),
    [
        (TRUSTED, {"TrustedLaunchDisabled": "True"}, (400, "BadRequest")),
        ({"encryptionAtHost": True}, {"EncryptionAtHostSupported": "False"}, (400, "InvalidParameter")),
        (None, {"MaxDataDiskCount": "0"}, (409, "OperationNotAllowed")),
    ],
    ids=["Trusted Launch", "encryption at host", "data disks"],
)
def test_the_new_size_must_carry_what_the_machine_has(profile, capabilities, refusal):
    """A size without what the machine uses is refused, even to a deallocated machine.

    Trusted Launch for Azure virtual machines, https://learn.microsoft.com/azure/virtual-machines/trusted-launch;
    Use encryption at host,
    https://learn.microsoft.com/azure/virtual-machines/linux/disks-enable-host-based-encryption-cli
    """
    machine = deallocated(**({"securityProfile": profile} if profile else {}))
    wire = Wire(*estate(DSV5, size("Standard_Less", **capabilities), machine=machine))
    assert refusal == wire.refused("PATCH", VM, to("Standard_Less"))


def test_a_size_the_location_does_not_have():
    """A size nobody offers in the location is refused, naming those that are offered.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    answer = place().ask("PATCH", VM, to("Standard_None"))
    assert (400, "InvalidParameter", "vmSize") == (
        answer.status,
        answer.body["error"]["code"],
        answer.body["error"]["target"],
    )
    assert "Standard_D2s_v5" in answer.body["error"]["message"]


def test_a_restricted_size_cannot_be_started_again():
    """A deallocated machine of a restricted size does not start.

    Resolve errors for SKU not available,
    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available
    """
    told = {"type": "Zone", "restrictionInfo": {"locations": ["westeurope"], "zones": ["2"]}}
    closed = DSV5 | {"restrictions": [told]}
    for zone, status in (("2", 409), ("1", 202)):
        wire = Wire(*estate(closed, machine=deallocated() | {"zones": [zone]}))
        assert status == wire.ask("POST", f"{VM}/start").status
