"""The security profile: what Azure refuses, what it accepts, and what follows."""

import pytest

from tests.twin.backups import ITEM, VAULT, vault
from tests.twin.seeds import OS_DISK, SUBSCRIPTION, TRUSTED, VM, Wire, deallocated, disk, estate, size, vm

TO_TRUSTED = {"properties": {"securityProfile": TRUSTED}}
TO_STANDARD = {"properties": {"securityProfile": {"securityType": "Standard", "uefiSettings": None}}}
AT_HOST = {"properties": {"securityProfile": {"encryptionAtHost": True}}}


def test_the_security_type_changes_only_while_deallocated():
    """A running machine refuses a new security type, a deallocated one takes it."""
    wire = Wire()
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, TO_TRUSTED)
    wire.do("POST", f"{VM}/powerOff")
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, TO_TRUSTED)
    wire.do("POST", f"{VM}/deallocate")
    assert "Succeeded" == wire.do("PATCH", VM, TO_TRUSTED)["status"]


def test_settings_left_out_are_vtpm_without_secure_boot():
    """Trusted Launch without settings means vTPM on and Secure Boot off."""
    wire = Wire(*estate(machine=deallocated()))
    wire.do("PATCH", VM, {"properties": {"securityProfile": {"securityType": "TrustedLaunch"}}})
    settings = wire.get(VM)["properties"]["securityProfile"]["uefiSettings"]
    assert {"secureBootEnabled": False, "vTpmEnabled": True} == settings


def test_secure_boot_toggles_with_one_restart():
    """Secure Boot of a running Trusted Launch machine can be switched off; the machine restarts once."""
    wire = Wire(*estate(machine=vm(securityProfile=TRUSTED)))
    off = {"properties": {"securityProfile": {"uefiSettings": {"secureBootEnabled": False}}}}
    wire.do("PATCH", VM, off)
    assert ("PowerState/running", "Not Ready") == (wire.power(), wire.agent())
    assert "TrustedLaunch" == wire.get(VM)["properties"]["securityProfile"]["securityType"]
    wire.clock.sleep(35)
    assert "Ready" == wire.agent()


def test_settings_need_trusted_launch():
    """Secure Boot settings on a Standard machine are a 400."""
    settings = {"properties": {"securityProfile": {"uefiSettings": TRUSTED["uefiSettings"]}}}
    assert (400, "BadRequest") == Wire().refused("PATCH", VM, settings)


def test_confidential_machines_cannot_change():
    """A confidential machine keeps its security type, and no other machine becomes one."""
    wire = Wire(*estate(machine=deallocated(securityProfile={"securityType": "ConfidentialVM"})))
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PATCH", VM, TO_TRUSTED)


@pytest.mark.parametrize(
    "capabilities", [{"TrustedLaunchDisabled": "True"}, {"HyperVGenerations": "V1"}], ids=["disabled", "V1"]
)
def test_the_size_must_fit(capabilities):
    """A size that cannot carry Trusted Launch is a 400; one the seed says nothing of is let through."""
    wire = Wire(*estate(size(**capabilities), machine=deallocated()))
    assert (400, "BadRequest") == wire.refused("PATCH", VM, TO_TRUSTED)
    unknown = Wire(*estate(size("Standard_Other", **capabilities), machine=deallocated()))
    assert 200 == unknown.ask("PATCH", VM, TO_TRUSTED).status


def test_rollback_to_standard():
    """Back to Standard works while deallocated and from 2025-11-01 on; the disk stays generation 2."""
    wire = Wire(*estate(machine=deallocated(securityProfile=TRUSTED)))
    assert (400, "BadRequest") == wire.refused("PATCH", VM, TO_STANDARD, version="2025-04-01")
    wire.do("PATCH", VM, TO_STANDARD)
    assert {"securityType": "Standard"} == wire.get(VM)["properties"]["securityProfile"]
    assert "securityProfile" not in wire.get(VM, version="2024-11-01")["properties"]
    assert "V2" == wire.get(OS_DISK)["properties"]["hyperVGeneration"]


def test_a_put_to_standard_may_leave_the_settings_out():
    """The az CLI leaves the settings out of the body: they go with the security type."""
    wire = Wire(*estate(machine=deallocated(securityProfile=TRUSTED)))
    wire.do("PUT", VM, {"properties": {"securityProfile": {"securityType": "Standard"}}})
    assert {"securityType": "Standard"} == wire.get(VM)["properties"]["securityProfile"]


@pytest.mark.parametrize(
    ("os_disk", "agent"),
    [
        (disk("web-1-os", hyperVGeneration="V1"), "Not Ready"),
        (disk("web-1-os", hyperVGeneration="V1") | {"twin": {"partitionStyle": "gpt"}}, "Ready"),
        (disk("web-1-os", hyperVGeneration="V1") | {"tags": {"guestPartitionStyle": "GPT"}}, "Ready"),
    ],
    ids=["MBR", "GPT hidden", "GPT tagged"],
)
def test_generation_1_flips_for_good(os_disk, agent):
    """A generation 1 machine becomes generation 2 and runs; only a GPT disk ever boots."""
    wire = Wire(*estate(os_disk, machine=deallocated()))
    wire.do("PATCH", VM, TO_TRUSTED)
    assert "V2" == wire.get(OS_DISK)["properties"]["hyperVGeneration"]
    wire.do("POST", f"{VM}/start")
    wire.clock.sleep(600)
    assert ("PowerState/running", agent) == (wire.power(), wire.agent())


def test_host_encryption_changes_only_while_deallocated():
    """Encryption at host is refused on a running machine and accepted on a deallocated one."""
    wire = Wire()
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, AT_HOST)
    wire.do("POST", f"{VM}/deallocate")
    wire.do("PATCH", VM, AT_HOST)
    assert wire.get(VM)["properties"]["securityProfile"]["encryptionAtHost"] is True


def test_host_encryption_never_follows_disk_encryption():
    """A machine with a disk Azure Disk Encryption ever touched refuses encryption at host."""
    touched = disk("web-1-data") | {"twin": {"everAde": True}}
    wire = Wire(*estate(touched, machine=deallocated()))
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, AT_HOST)
    assert "twin" not in wire.get(touched["id"])


def test_an_ade_extension_marks_its_machine():
    """A machine with the disk encryption extension counts as encrypted, whatever its disks say."""
    extension = {
        "id": f"{VM}/extensions/AzureDiskEncryption",
        "properties": {"publisher": "Microsoft.Azure.Security", "type": "AzureDiskEncryptionForLinux"},
    }
    wire = Wire(*estate(extension, machine=deallocated()))
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, AT_HOST)


def feature(name: str, state: str) -> dict:
    """A preview feature of the compute provider, in a state."""
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Features/providers/Microsoft.Compute/features"
    return {"id": f"{path}/{name}", "properties": {"state": state}}


def test_encryption_at_host_needs_its_feature():
    """Encryption at host is refused in the recorded words while its feature is not registered.

    Use encryption at host, prerequisites,
    https://learn.microsoft.com/azure/virtual-machines/linux/disks-enable-host-based-encryption-cli
    """
    wire = Wire(*estate(feature("EncryptionAtHost", "NotRegistered"), machine=deallocated()))
    answer = wire.ask("PATCH", VM, AT_HOST)
    assert (400, "InvalidParameter") == (answer.status, answer.body["error"]["code"])
    assert answer.body["error"]["message"] == (
        "The property 'securityProfile.encryptionAtHost' is not valid because the "
        "'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription."
    )
    allowed = Wire(*estate(feature("EncryptionAtHost", "Registered"), machine=deallocated()))
    assert 200 == allowed.ask("PATCH", VM, AT_HOST).status


def test_rollback_in_old_versions_needs_a_feature():
    """Before 2025-11-01 the way back to Standard needs UseStandardSecurityType, and then works.

    Enable Trusted Launch on existing Gen2 VMs, roll-back,
    https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm
    """
    machine = deallocated(securityProfile=TRUSTED)
    refused = Wire(*estate(machine=machine)).ask("PATCH", VM, TO_STANDARD, version="2025-04-01")
    assert "Microsoft.Compute/UseStandardSecurityType" in refused.body["error"]["message"]
    wire = Wire(*estate(feature("UseStandardSecurityType", "Registered"), machine=machine))
    assert "Succeeded" == wire.do("PATCH", VM, TO_STANDARD, version="2025-04-01")["status"]


@pytest.mark.parametrize(
    ("option", "status"),
    [("TrustedLaunchSupported", 200), ("TrustedLaunchAndConfidentialVMSupported", 200), ("Standard", 400)],
)
def test_the_disk_says_whether_trusted_launch_can_be_used(option, status):
    """A disk that is known not to support Trusted Launch refuses the upgrade with the words for images.

    azure-cli issue 27975, https://github.com/Azure/azure-cli/issues/27975
    """
    os_disk = disk("web-1-os", supportedCapabilities={"supportedSecurityOption": option})
    assert status == Wire(*estate(os_disk, machine=deallocated())).ask("PATCH", VM, TO_TRUSTED).status


def test_the_disk_takes_its_machines_security_type():
    """After an upgrade the disk is a Trusted Launch disk, and after the way back it is none."""
    wire = Wire(*estate(machine=deallocated()))
    wire.do("PATCH", VM, TO_TRUSTED)
    assert {"securityType": "TrustedLaunch"} == wire.get(OS_DISK)["properties"]["securityProfile"]
    wire.do("PATCH", VM, TO_STANDARD)
    assert "securityProfile" not in wire.get(OS_DISK)["properties"]


def test_a_disk_of_another_security_type_cannot_be_swapped_in():
    """A Trusted Launch machine refuses a Standard disk in the recorded words.

    azure-powershell issue 24253, https://github.com/Azure/azure-powershell/issues/24253
    """
    new = disk("web-1-new")
    wire = Wire(*estate(new, machine=deallocated(securityProfile=TRUSTED)))
    swap = {"storageProfile": {"osDisk": {"name": "web-1-new", "managedDisk": {"id": new["id"]}}}}
    answer = wire.ask("PATCH", VM, {"properties": swap})
    assert (
        "Security type of VM is not compatible with the security type of attached OS Disk."
        == answer.body["error"]["message"]
    )


def test_linux_does_not_hibernate_with_trusted_launch():
    """A Linux machine that can hibernate refuses Trusted Launch; a Windows machine takes it.

    Trusted Launch for Azure virtual machines, unsupported features,
    https://learn.microsoft.com/azure/virtual-machines/trusted-launch
    """
    machine = deallocated(additionalCapabilities={"hibernationEnabled": True})
    assert (400, "BadRequest") == Wire(*estate(machine=machine)).refused("PATCH", VM, TO_TRUSTED)
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    assert 200 == Wire(*estate(machine=machine)).ask("PATCH", VM, TO_TRUSTED).status


def test_members_of_flexible_scale_sets_keep_their_type():
    """A member of a flexible scale set is refused, and the refusal is marked as not on public record.

    Upgrade scale sets to Trusted Launch,
    https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vmss
    """
    scale_set = OS_DISK.replace("disks/web-1-os", "virtualMachineScaleSets/flex")
    machine = deallocated(virtualMachineScaleSet={"id": scale_set})
    answer = Wire(*estate(machine=machine)).ask("PATCH", VM, TO_TRUSTED)
    assert (409, "PropertyChangeNotAllowed") == (answer.status, answer.body["error"]["code"])
    assert "1" == answer.headers["x-twin-unverified"]


def test_generation_1_needs_its_feature_only_where_one_is_told_of():
    """Where the preview feature is known and not registered, a generation 1 machine is not upgraded.

    Azure/Gen1-Trustedlaunch, https://github.com/Azure/Gen1-Trustedlaunch
    """
    first = disk("web-1-os", hyperVGeneration="V1")
    pending = feature("Gen1ToTLMigrationPreview", "Pending")
    assert (400, "BadRequest") == Wire(*estate(first, pending, machine=deallocated())).refused(
        "PATCH", VM, TO_TRUSTED
    )
    assert 200 == Wire(*estate(first, machine=deallocated())).ask("PATCH", VM, TO_TRUSTED).status


def test_the_etag_is_younger_than_the_machine():
    """Versions before 2023-09-01 tell no etag, and those before 2021-11-01 no time of creation.

    Virtual Machines - Get, https://learn.microsoft.com/rest/api/compute/virtual-machines/get
    """
    wire = Wire(*estate(machine=vm(timeCreated="2024-11-12T10:20:53+00:00")))
    told = {
        version: ("etag" in (body := wire.get(VM, version=version)), "timeCreated" in body["properties"])
        for version in ("2020-06-01", "2022-11-01", "2024-11-01")
    }
    assert {"2020-06-01": (False, False), "2022-11-01": (False, True), "2024-11-01": (True, True)} == told


@pytest.mark.parametrize(("tier", "is_refused"), [("V1", True), ("V2", False)])
def test_a_standard_backup_policy_stands_in_the_way(tier, is_refused):
    """A machine under Standard backup is not upgraded; one under Enhanced backup is.

    MicrosoftDocs/azure-docs pull request 117510, and Learn, "Enable Trusted Launch on existing VMs".
    """
    policy = {"id": f"{VAULT}/backupPolicies/daily", "properties": {"policyType": tier}}
    item = {"id": ITEM, "properties": {"sourceResourceId": VM, "policyId": policy["id"]}}
    wire = Wire(*estate(vault(), policy, item, machine=deallocated()))
    if is_refused:
        assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, TO_TRUSTED)
    else:
        assert "Succeeded" == wire.do("PATCH", VM, TO_TRUSTED)["status"]
