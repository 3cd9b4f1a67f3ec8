"""Extensions of a machine: what is refused, what is reported, and what they do inside."""

import json

import pytest

from tests.twin.seeds import TRUSTED, VM, Wire, deallocated, estate, vm
from tests.twin.test_guest import guest_of, telling

ENTRA = ("Microsoft.Azure.ActiveDirectory", "AADSSHLoginForLinux", "1.0")
ATTESTATION = ("Microsoft.Azure.Security.LinuxAttestation", "GuestAttestation", "1.0")
SCRIPT = ("Microsoft.Azure.Extensions", "CustomScript", "2.1")
ACCESS = ("Microsoft.OSTCExtensions", "VMAccessForLinux", "1.5")
IDENTITY = {"type": "SystemAssigned", "principalId": "11111111-0000-0000-0000-000000000001"}


def path_of(name: str) -> str:
    """The path of an extension of web-1."""
    return f"{VM}/extensions/{name}"


def body(kind: tuple[str, str, str], **properties) -> dict:
    """The body of an extension."""
    publisher, name, version = kind
    given = {"publisher": publisher, "type": name, "typeHandlerVersion": version, **properties}
    return {"location": "westeurope", "properties": given}


def install(wire: Wire, kind: tuple[str, str, str], name: str = "x", **properties) -> dict:
    """Install an extension and return the body of its operation."""
    return wire.do("PUT", path_of(name), body(kind, **properties))


def reported(wire: Wire) -> dict[str, str]:
    """What the agent reports of each extension."""
    found = wire.get(f"{VM}/instanceView").get("extensions", [])
    return {each["name"]: each["statuses"][0]["displayStatus"] for each in found}


def with_identity(**properties) -> dict:
    """A machine with a system-assigned identity."""
    return vm(**properties) | {"identity": IDENTITY}


def test_entra_login_lets_entra_accounts_in():
    """With an identity the extension succeeds, and logins with an Entra account come through from then on.

    https://learn.microsoft.com/entra/identity/devices/howto-vm-sign-in-azure-ad-linux
    """
    logins = [{"user": "ann@example.com", "method": "entra", "days_ago": 0}]
    wire = Wire(*estate(machine=telling(with_identity(), logins=logins)))
    assert [] == guest_of(wire).seen_logins(wire.clock.now())
    assert "Succeeded" == install(wire, ENTRA)["status"]
    assert ["entra"] == [each.method for each in guest_of(wire).seen_logins(wire.clock.now())]
    assert {"x": "Provisioning succeeded"} == reported(wire)
    wire.do("DELETE", path_of("x"))
    assert [] == guest_of(wire).seen_logins(wire.clock.now())
    assert {} == reported(wire)


def test_entra_login_needs_an_identity():
    """Without a system-assigned identity the Linux extension fails with exit code 22, and stays as Failed.

    https://learn.microsoft.com/entra/identity/devices/howto-vm-sign-in-azure-ad-linux#troubleshoot
    """
    wire = Wire()
    answer = install(wire, ENTRA)
    assert ("Failed", "VMExtensionProvisioningError") == (answer["status"], answer["error"]["code"])
    assert "exit code: 22" in answer["error"]["message"]
    assert "Failed" == wire.get(path_of("x"))["properties"]["provisioningState"]
    assert {"x": "Provisioning failed"} == reported(wire)


def test_entra_login_stays_away_from_a_domain():
    """A Windows machine in a domain is never joined to Entra ID."""
    machine = with_identity(osProfile={"adminUsername": "boss"})
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    wire = Wire(*estate(machine=telling(machine, domain="corp.example.com")))
    kind = ("Microsoft.Azure.ActiveDirectory", "AADLoginForWindows", "1.0")
    assert "DSREG_AUTOJOIN_DISC_FAILED" in install(wire, kind)["error"]["message"]
    assert not guest_of(wire).takes_entra_logins


@pytest.mark.parametrize(("profile", "status"), [(TRUSTED, "Succeeded"), (None, "Failed")])
def test_attestation_needs_trusted_launch(profile, status):
    """Guest attestation needs Secure Boot and vTPM.

    https://learn.microsoft.com/azure/virtual-machines/boot-integrity-monitoring-overview
    """
    machine = vm() if profile is None else vm(securityProfile=profile)
    assert status == install(Wire(*estate(machine=machine)), ATTESTATION)["status"]


def test_protected_settings_are_never_told():
    """What is protected does its work and appears nowhere."""
    wire = Wire()
    secret = {"commandToExecute": "echo hush-hush > /tmp/mark"}
    install(wire, SCRIPT, protectedSettings=secret)
    assert "hush-hush\n" == guest_of(wire).files.read("/tmp/mark")  # noqa: S108
    answers = [wire.get(path_of("x"), query={"$expand": "instanceView"}), wire.get(f"{VM}/extensions")]
    assert "hush-hush" not in json.dumps([*answers, wire.twin.resources()])


def test_a_script_that_fails_fails_its_extension():
    """A custom script with another exit code than 0 ends Failed, in the recorded words.

    https://github.com/Azure/custom-script-extension-linux/issues/107
    """
    answer = install(Wire(), SCRIPT, settings={"commandToExecute": "exit 3"})
    assert "command terminated with exit status=3" in answer["error"]["message"]


def test_access_brings_passwords_back():
    """VMAccess with a password switches password logins on again; with a key it adds the key.

    https://github.com/Azure/azure-linux-extensions/tree/master/VMAccess
    """
    wire = Wire(*estate(machine=telling(vm(), files={"/etc/ssh/sshd_config": "PasswordAuthentication no\n"})))
    assert "Failed" == install(wire, ACCESS, protectedSettings={"username": "me"})["status"]
    install(wire, ACCESS, protectedSettings={"username": "me", "ssh_key": "ssh-rsa AAAA me"})
    made = guest_of(wire)
    assert "ssh-rsa AAAA me\n" == made.files.read("/home/me/.ssh/authorized_keys")
    assert "no" == made.sshd_in_force["passwordauthentication"]
    install(wire, ACCESS, protectedSettings={"username": "me", "password": "hush"})
    assert "yes" == made.sshd_in_force["passwordauthentication"]


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        (("Contoso", "Nope", "1.0"), (404, "ArtifactNotFound")),
        ((ENTRA[0], ENTRA[1], "9.9"), (400, "ArtifactVersionNotFound")),
        (("Microsoft.Compute", "CustomScriptExtension", "1.10"), (400, "BadRequest")),
    ],
)
def test_what_cannot_be_installed_is_refused(kind, refusal):
    """An unknown type or version, and one for the other system, are refused at once.

    Error messages, https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    assert refusal == Wire().refused("PUT", path_of("x"), body(kind))


def test_one_extension_of_a_type():
    """A second extension of the same handler is refused, whatever its name."""
    wire = Wire()
    install(wire, SCRIPT, settings={"commandToExecute": "true"})
    assert (400, "BadRequest") == wire.refused("PUT", path_of("y"), body(SCRIPT))


def test_a_type_is_fixed():
    """Publisher and type of an extension cannot change."""
    wire = Wire()
    install(wire, SCRIPT, settings={"commandToExecute": "true"})
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PUT", path_of("x"), body(ATTESTATION))


def test_extensions_need_a_running_machine():
    """A machine that is off takes no extension and gives none back.

    Error messages, https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    seeded = {"id": path_of("x"), "properties": body(SCRIPT)["properties"]}
    wire = Wire(*estate(seeded, machine=deallocated()))
    assert (409, "OperationNotAllowed") == wire.refused("PUT", path_of("y"), body(ATTESTATION))
    assert (409, "OperationNotAllowed") == wire.refused("DELETE", path_of("x"))


def test_disk_encryption_leaves_its_mark():
    """After the disk encryption extension a machine never takes encryption at host."""
    wire = Wire()
    kind = ("Microsoft.Azure.Security", "AzureDiskEncryptionForLinux", "1.1")
    assert "Succeeded" == install(wire, kind, settings={"VolumeType": "Data"})["status"]
    assert any(part.kind == "crypt" for part in guest_of(wire).disks[1].partitions)
    wire.do("POST", f"{VM}/deallocate")
    change = {"properties": {"securityProfile": {"encryptionAtHost": True}}}
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, change)


def test_an_extension_takes_up_new_settings():
    """A PATCH keeps what it leaves out; an operation that a fault ends leaves the extension Failed."""
    fault = {"kind": "fail", "operation": "virtualMachines/extensions/write", "nth": 3, "at": "end"}
    wire = Wire(*estate(), faults=[fault])
    install(wire, SCRIPT, settings={"commandToExecute": "true"})
    wire.do("PATCH", path_of("x"), {"properties": {"forceUpdateTag": "2"}})
    assert "true" == wire.get(path_of("x"))["properties"]["settings"]["commandToExecute"]
    wire.do("PATCH", path_of("x"), {"properties": {"forceUpdateTag": "3"}})
    assert "Failed" == wire.get(path_of("x"))["properties"]["provisioningState"]
