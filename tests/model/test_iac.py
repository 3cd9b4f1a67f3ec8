"""What infrastructure code has to say follows from a VM's steps, and from nothing else."""

from playbooks import disk_encryption, managed_identity, trusted_launch
from readiness.model.codec import to_builtins
from readiness.model.context import Choice, IdentityChoice, SecureBoot, TrustedLaunchChoice
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.iac import settings_of
from readiness.model.iac_settings import LEGACY, CodeForm, Effect, Setting
from readiness.model.playbook import Target
from readiness.model.steps import PatchVm, SetDiskEncryption, TakeSnapshot
from tests.builders import ENCRYPTION_SET, OS_DISK, disk, encryption_set, rid, vm, vm_id

DATA = rid("Microsoft.Compute/disks", "vm1-data")
KEY = Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=ENCRYPTION_SET)


def found(*steps: object) -> tuple[Setting, ...]:
    """Return the settings that follow from steps."""
    settings, unknown = settings_of(vm_id(), [to_builtins(step) for step in steps])
    assert () == unknown
    return settings


def said(settings: tuple[Setting, ...], form: CodeForm) -> dict[str, object]:
    """Return what has to stand where, for one form of code; the old VM resource aside."""
    return {
        ".".join(entry.path): entry.value
        for entry in settings
        if entry.form is form and entry.path and entry.types != (LEGACY,)
    }


def test_every_playbook_is_said_in_every_form() -> None:
    """What the playbooks write is what each form of code has to say, value for value."""
    choice = Choice(
        trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF),
        disk_encryption_set=ENCRYPTION_SET,
        encryption_at_host=True,
        identity=IdentityChoice(),
    )
    target = Target(vm=vm(), disks=(disk(),), choice=choice, encryption_set=encryption_set())
    steps = (
        *managed_identity.prepare(target),
        TakeSnapshot(vm=vm_id(), disk=OS_DISK),
        *trusted_launch.convert(target),
        *disk_encryption.convert(target),
    )
    settings = found(*steps)
    assert {
        "identity.type": "SystemAssigned",
        "secure_boot_enabled": False,
        "vtpm_enabled": True,
        "encryption_at_host_enabled": True,
        "disk_encryption_set_id": ENCRYPTION_SET.text,
        "os_disk.disk_encryption_set_id": ENCRYPTION_SET.text,
    } == said(settings, CodeForm.AZURERM)
    properties = {
        "properties.securityProfile.securityType": "TrustedLaunch",
        "properties.securityProfile.uefiSettings.secureBootEnabled": False,
        "properties.securityProfile.uefiSettings.vTpmEnabled": True,
        "properties.securityProfile.encryptionAtHost": True,
        "properties.encryption.type": "EncryptionAtRestWithCustomerKey",
        "properties.encryption.diskEncryptionSetId": ENCRYPTION_SET.text,
        "properties.storageProfile.osDisk.managedDisk.diskEncryptionSet.id": ENCRYPTION_SET.text,
    }
    assert properties | {"identity.type": "SystemAssigned"} == said(settings, CodeForm.BICEP)
    in_body = {f"body.{path}": value for path, value in properties.items()}
    assert in_body | {"identity.type": "SystemAssigned"} == said(settings, CodeForm.AZAPI)


def test_what_forces_a_new_vm_is_to_be_ignored() -> None:
    """Secure Boot and vTPM force a new VM, so both stand under ignore_changes; nothing that is safe does."""
    profile = {
        "securityType": "TrustedLaunch",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
    }
    patch = PatchVm(vm=vm_id(), properties={"securityProfile": {**profile, "encryptionAtHost": True}})
    azurerm = [entry for entry in found(patch) if entry.form is CodeForm.AZURERM]
    ignored = {entry.path: (entry.ignored, entry.effect) for entry in azurerm}
    assert {
        ("secure_boot_enabled",): ("secure_boot_enabled", Effect.REPLACES),
        ("vtpm_enabled",): ("vtpm_enabled", Effect.REPLACES),
        ("encryption_at_host_enabled",): ("", Effect.UNDOES),
    } == ignored


def test_only_the_os_disk_is_said_in_the_vm() -> None:
    """The first disk that gets a snapshot is the OS disk; a data disk has code of its own alone."""
    steps = [TakeSnapshot(vm=vm_id(), disk=OS_DISK), TakeSnapshot(vm=vm_id(), disk=DATA)]
    settings = found(*steps, SetDiskEncryption(vm=vm_id(), disk=DATA, encryption=KEY))
    assert {DATA} == {entry.target for entry in settings}
    assert not any(entry.may_be_absent for entry in settings)


def test_kinds_of_steps_nobody_knows_are_told() -> None:
    """A step whose consequence for code is not known is named, not passed over."""
    steps = [
        {"type": "paint-it-green"},
        {"type": "start", "vm": vm_id().text},
        {"type": "patch-vm", "properties": {}},
    ]
    assert ((), ("paint-it-green", "patch-vm")) == settings_of(vm_id(), steps)


def test_rules_and_extensions() -> None:
    """A security rule is said attribute by attribute; an extension needs nothing, and is told as advice."""
    rule = rid("Microsoft.Network/networkSecurityGroups", "nsg1/securityRules/ssh")
    properties = {"access": "Deny", "sourceAddressPrefix": "Internet", "priority": 100}
    steps = [
        {"type": "set-security-rule", "rule": rule.text, "properties": properties},
        {"type": "install-extension", "name": "AADSSHLoginForLinux"},
    ]
    settings, unknown = settings_of(vm_id(), steps)
    assert () == unknown
    assert {"access": "Deny", "source_address_prefix": "Internet", "priority": 100} == said(
        settings, CodeForm.AZURERM
    )
    extension = [entry for entry in settings if entry.target.name == "AADSSHLoginForLinux"]
    assert {()} == {entry.path for entry in extension}
    assert set(CodeForm) == {entry.form for entry in extension}
