"""The security profile: what Azure refuses, what it accepts, and what follows."""

import pytest

from tests.twin.seeds import OS_DISK, TRUSTED, VM, Wire, deallocated, disk, estate, size, vm

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
