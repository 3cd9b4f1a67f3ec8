"""Making virtual machines: what Azure asks for, what it makes, and what it refuses."""

import pytest

from tests.twin.making import GROUP, NEW, NIC, SECRET, UBUNTU, body, nic, place
from tests.twin.seeds import COMPUTE, DATA_DISK, KEY, SUBSCRIPTION, VM, Wire, disk, size
from tests.twin.test_sdk import client_of

NO_PROFILE = {"osDisk": {"createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/old-os"}}}
SETS = f"{COMPUTE}/availabilitySets"
STANDARD = {"securityType": "Standard"}


def made(wire: Wire, **more: object) -> dict:
    """Make a machine, wait, and return it."""
    wire.do("PUT", NEW, body(**more.pop("properties", {})), **more)
    return wire.get(NEW, **more)


def test_a_machine_is_made_through_the_sdk():
    """A machine made by the real client runs, with its disk, its interface and its agent.

    Virtual Machines - Create Or Update,
    https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update
    """
    wire = place()
    client = client_of(wire)
    vm = client.virtual_machines.begin_create_or_update("rg-app", "new-1", body()).result()
    assert ("Succeeded", "new-1") == (vm.provisioning_state, vm.name)
    assert vm.vm_id
    assert vm.time_created is not None
    made_disk = client.disks.get("rg-app", vm.storage_profile.os_disk.name)
    assert ("Attached", "V2", 30, NEW) == (
        made_disk.disk_state,
        made_disk.hyper_v_generation,
        made_disk.disk_size_gb,
        made_disk.managed_by,
    )
    assert {"id": NEW} == wire.get(NIC)["properties"]["virtualMachine"]
    wire.clock.sleep(60)
    assert ("PowerState/running", "Ready") == (wire.power(NEW), wire.agent(NEW))


def test_a_new_machine_is_a_201_that_is_creating():
    """The answer is 201 with both the model and an operation, and the machine shows that it is creating.

    azure-cli, recording test_vm_create_state_modifications,
    https://github.com/Azure/azure-cli/tree/dev/src/azure-cli/azure/cli/command_modules/vm/tests
    """
    wire = place()
    answer = wire.ask("PUT", NEW, body())
    assert (201, "Creating") == (answer.status, answer.body["properties"]["provisioningState"])
    assert "Azure-AsyncOperation" in answer.headers
    assert "PowerState/creating" == wire.power(NEW)
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", NEW, {"tags": {}})


def test_what_the_provider_fills_in():
    """A machine of which little is said shows what the provider adds, and a disk named after it.

    azure-cli, recording test_vm_trusted_launch_update,
    https://github.com/Azure/azure-cli/tree/dev/src/azure-cli/azure/cli/command_modules/vm/tests
    """
    properties = made(place())["properties"]
    assert {
        "computerName": "new-1",
        "adminUsername": "azureuser",
        "linuxConfiguration": {
            "disablePasswordAuthentication": False,
            "provisionVMAgent": True,
            "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
        },
        "secrets": [],
        "allowExtensionOperations": True,
        "requireGuestProvisionSignal": True,
    } == properties["osProfile"]
    storage = properties["storageProfile"]
    assert ("SCSI", [], "Detach") == (
        storage["diskControllerType"],
        storage["dataDisks"],
        storage["osDisk"]["deleteOption"],
    )
    assert storage["osDisk"]["name"].startswith("new-1_disk1_")
    assert "exactVersion" in storage["imageReference"]


def test_no_secret_is_ever_kept():
    """Neither password nor custom data of a new machine is anywhere in the ground truth."""
    wire = place()
    made(wire)
    assert SECRET not in str(wire.twin.resources())
    assert "aHVudGVyMg==" not in str(wire.twin.resources())


@pytest.mark.parametrize(
    ("version", "sku", "profile"),
    [
        ("2025-11-01", "22_04-lts-gen2", "TrustedLaunch"),
        ("2025-04-01", "22_04-lts-gen2", None),
        ("2025-11-01", "22_04-lts", "Standard"),
    ],
    ids=["new version", "old version", "generation 1"],
)
def test_trusted_launch_is_the_default_of_new_versions(version, sku, profile):
    """From 2025-11-01 on a generation 2 machine of which nothing is said has Trusted Launch.

    Trusted Launch for Azure virtual machines, https://learn.microsoft.com/azure/virtual-machines/trusted-launch
    """
    storage = body()["properties"]["storageProfile"] | {"imageReference": UBUNTU | {"sku": sku}}
    shown = made(place(), properties={"storageProfile": storage}, version=version)["properties"]
    assert profile == shown.get("securityProfile", {}).get("securityType")


def test_standard_needs_a_feature_in_old_versions():
    """Asking for Standard before 2025-11-01 is refused until the feature is registered.

    Trusted Launch FAQ, https://learn.microsoft.com/azure/virtual-machines/trusted-launch-faq
    """
    feature = {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Features/providers/Microsoft.Compute"
        "/features/UseStandardSecurityType",
        "properties": {"state": "Registered"},
    }
    asked = body(securityProfile=STANDARD)
    assert (400, "BadRequest") == place().refused("PUT", NEW, asked, version="2025-04-01")
    assert 201 == place(feature).ask("PUT", NEW, asked, version="2025-04-01").status
    assert 201 == place().ask("PUT", NEW, asked, version="2025-11-01").status


@pytest.mark.parametrize(
    ("features", "generation", "status"),
    [
        ([{"name": "SecurityType", "value": "TrustedLaunchSupported"}], "V2", 201),
        ([{"name": "SecurityType", "value": "ConfidentialVMSupported"}], "V2", 400),
        ([], "V2", 400),
        ([{"name": "SecurityType", "value": "TrustedLaunch"}], "V1", 400),
    ],
    ids=["supported", "confidential only", "no feature", "generation 1"],
)
def test_the_image_must_take_trusted_launch(features, generation, status):
    """A gallery image says whether Trusted Launch can be used with it; the refusal is the recorded one.

    azure-cli issue 27975, https://github.com/Azure/azure-cli/issues/27975
    """
    image = f"{COMPUTE}/galleries/own/images/base"
    definition = {
        "id": image,
        "location": "westeurope",
        "properties": {
            "osType": "Linux",
            "osState": "Generalized",
            "hyperVGeneration": generation,
            "features": features,
        },
    }
    storage = body()["properties"]["storageProfile"] | {"imageReference": {"id": f"{image}/versions/1.0.0"}}
    asked = body(storageProfile=storage, securityProfile={"securityType": "TrustedLaunch"})
    answer = place(definition).ask("PUT", NEW, asked)
    assert status == answer.status
    if status == 400:
        assert answer.body["error"]["message"].startswith("Use of TrustedLaunch setting is not supported")


def test_an_existing_disk_is_attached():
    """A machine around an existing disk has no profile, and adding one is refused with the recorded words.

    Troubleshoot images, https://learn.microsoft.com/azure/virtual-machines/troubleshooting-shared-images
    """
    wire = place(disk("old-os"))
    asked = body(storageProfile=NO_PROFILE, osProfile=None)
    refused = wire.ask("PUT", NEW, body(storageProfile=NO_PROFILE))
    assert "Parameter 'osProfile' is not allowed." == refused.body["error"]["message"]
    wire.do("PUT", NEW, asked)
    attached = wire.get(f"{COMPUTE}/disks/old-os")
    assert ("Attached", NEW) == (attached["properties"]["diskState"], attached["managedBy"])
    assert (409, "PropertyChangeNotAllowed") == wire.refused(
        "PATCH", NEW, {"properties": {"osProfile": {"computerName": "x"}}}
    )


def test_disk_and_machine_share_a_security_type():
    """A Trusted Launch disk fits no Standard machine.

    azure-powershell issue 24253, https://github.com/Azure/azure-powershell/issues/24253
    """
    tl_disk = disk("old-os", securityProfile={"securityType": "TrustedLaunch"})
    asked = body(storageProfile=NO_PROFILE, osProfile=None, securityProfile=STANDARD)
    answer = place(tl_disk).ask("PUT", NEW, asked)
    assert (
        400,
        "Security type of VM is not compatible with the security type of attached OS Disk.",
    ) == (answer.status, answer.body["error"]["message"])
    plain = body(storageProfile=NO_PROFILE, osProfile=None)
    assert "TrustedLaunch" == made_from(place(tl_disk), plain)


def made_from(wire: Wire, asked: dict) -> str:
    """Make a machine and return its security type."""
    wire.do("PUT", NEW, asked)
    return wire.get(NEW)["properties"]["securityProfile"]["securityType"]


def test_data_disks_are_made_and_attached():
    """Empty data disks come into being with their key, existing ones are attached."""
    storage = body()["properties"]["storageProfile"] | {
        "dataDisks": [
            {
                "lun": 0,
                "createOption": "Empty",
                "diskSizeGB": 64,
                "managedDisk": {"diskEncryptionSet": {"id": KEY}},
            },
            {"lun": 1, "createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/free"}},
        ]
    }
    wire = place(disk("free", osType=None))
    shown = made(wire, properties={"storageProfile": storage})["properties"]["storageProfile"]["dataDisks"]
    new = wire.get(shown[0]["managedDisk"]["id"])["properties"]
    assert (64, "EncryptionAtRestWithCustomerKey", "Attached") == (
        new["diskSizeGB"],
        new["encryption"]["type"],
        new["diskState"],
    )
    assert NEW == wire.get(f"{COMPUTE}/disks/free")["managedBy"]


def data(*disks: dict) -> dict:
    """A storage profile with data disks."""
    return body()["properties"]["storageProfile"] | {"dataDisks": list(disks)}


TAKEN = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": DATA_DISK}}
EMPTY = {"lun": 0, "createOption": "Empty", "diskSizeGB": 4}


@pytest.mark.parametrize(
    ("properties", "refusal", "words"),
    [
        ({"hardwareProfile": {"vmSize": "Standard_X"}}, (400, "InvalidParameter"), "The requested VM size"),
        ({"networkProfile": None}, (400, "InvalidParameter"), "Required parameter 'networkProfile'"),
        ({"osProfile": None}, (400, "InvalidParameter"), "Required parameter 'osProfile'"),
        ({"storageProfile": data(TAKEN)}, (409, "ConflictingUserInput"), "already owned by VM"),
        (
            {"storageProfile": data(EMPTY, EMPTY)},
            (400, "InvalidParameter"),
            "A disk at LUN 0 already exists.",
        ),
        (
            {"storageProfile": data(*({**EMPTY, "lun": n} for n in range(5)))},
            (409, "OperationNotAllowed"),
            "The maximum number of data disks",
        ),
        (
            {"availabilitySet": {"id": f"{SETS}/none"}},
            (404, "NotFound"),
            "The Availability Set",
        ),
        (
            {"osProfile": {"computerName": "n", "adminUsername": "admin", "adminPassword": SECRET}},
            (400, "InvalidParameter"),
            "The Admin Username specified is not allowed.",
        ),
        (
            {"osProfile": {"computerName": "n", "adminUsername": "kim", "adminPassword": "short"}},
            (400, "InvalidParameter"),
            "The supplied password must be between 6-72 characters",
        ),
        (
            {"osProfile": {"computerName": "n", "adminUsername": "kim"}},
            (400, "InvalidParameter"),
            "Authentication using either SSH",
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_what_is_refused_leaves_nothing_behind(properties, refusal, words):
    """A refusal has Azure's code and words, and neither machine nor disk comes of it.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = place()
    before = len(wire.twin.resources())
    answer = wire.ask("PUT", NEW, body(**properties))
    assert refusal == (answer.status, answer.body["error"]["code"])
    assert words in answer.body["error"]["message"]
    assert before == len(wire.twin.resources())


def test_interfaces_belong_to_one_machine():
    """An interface another machine uses is refused as recorded, and so is one that is not there.

    bosh-azure-cpi-release, known issues,
    https://github.com/cloudfoundry/bosh-azure-cpi-release/blob/master/docs/additional-information/known-issues.md
    """
    wire = place(nic(virtualMachine={"id": VM}))
    assert (400, "NicInUse") == wire.refused("PUT", NEW, body())
    other = {"networkInterfaces": [{"id": NIC + "-none"}]}
    assert (400, "InvalidResourceReference") == wire.refused("PUT", NEW, body(networkProfile=other))


def test_a_location_is_required():
    """A new machine without a location is refused by Resource Manager itself."""
    asked = body()
    del asked["location"]
    assert (400, "LocationRequired") == place().refused("PUT", NEW, asked)


def test_sizes_without_premium_storage_refuse_premium_disks():
    """A size that does not carry Premium storage refuses a Premium disk, in the recorded words.

    terraform-provider-azurerm and Kubernetes users' reports of InvalidParameter; capability PremiumIO:
    Resource Skus - List, https://learn.microsoft.com/rest/api/compute/resource-skus/list
    """
    wire = place(size("Standard_D2_v5", PremiumIO="False"))
    answer = wire.ask("PUT", NEW, body(hardwareProfile={"vmSize": "Standard_D2_v5"}))
    assert 400 == answer.status
    assert "does not support the storage account type Premium_LRS" in answer.body["error"]["message"]


def test_a_restricted_size_is_not_available():
    """A size restricted in its location is SkuNotAvailable, for a new machine and for a start alike.

    Resolve errors for SKU not available,
    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available
    """
    closed = size("Standard_Closed") | {
        "restrictions": [
            {
                "type": "Location",
                "reasonCode": "NotAvailableForSubscription",
                "restrictionInfo": {"locations": ["westeurope"]},
            }
        ]
    }
    asked = body(hardwareProfile={"vmSize": "Standard_Closed"})
    assert (409, "SkuNotAvailable") == place(closed).refused("PUT", NEW, asked)


@pytest.mark.parametrize(
    ("code", "power"),
    [("AllocationFailed", "PowerState/deallocated"), ("OSProvisioningTimedOut", "PowerState/running")],
)
def test_a_failed_creation_leaves_a_failed_machine(code, power):
    """A machine whose creation fails is there, Failed, and runs where only its provisioning timed out.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    fault = {"kind": "fail", "operation": "virtualMachines/write", "at": "end", "code": code}
    wire = place(faults=[fault])
    assert "Failed" == wire.do("PUT", NEW, body())["status"]
    assert ("Failed", power) == (wire.get(NEW)["properties"]["provisioningState"], wire.power(NEW))
    assert NEW == wire.get(NIC)["properties"]["virtualMachine"]["id"]


def test_flexible_scale_sets_manage_their_members():
    """A member of a flexible scale set names it as its manager, and is among its instances.

    Orchestration modes for virtual machine scale sets,
    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes
    """
    scale_set = {
        "id": f"{COMPUTE}/virtualMachineScaleSets/flex",
        "location": "westeurope",
        "properties": {"orchestrationMode": "Flexible"},
    }
    wire = place(scale_set)
    vm = made(wire, properties={"virtualMachineScaleSet": {"id": scale_set["id"]}})
    assert scale_set["id"] == vm["managedBy"]
    assert [NEW] == [each["id"] for each in wire.get(f"{scale_set['id']}/virtualMachines")["value"]]
    summary = wire.get(f"{scale_set['id']}/instanceView")["virtualMachine"]["statusesSummary"]
    assert {"code": "PowerState/running", "count": 1} in summary
    query = {"$filter": f"'virtualMachineScaleSet/id' eq '{scale_set['id']}'"}
    listed = wire.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines", query=query)["value"]
    assert [NEW] == [each["id"] for each in listed]
