"""What infrastructure code has to say follows from a VM's steps, and from nothing else."""

from typing import get_args

from playbooks import disk_encryption, generation1, managed_identity, trusted_launch
from readiness.model.codec import to_builtins
from readiness.model.context import Choice, Generation1, IdentityChoice, SecureBoot, TrustedLaunchChoice
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.iac import settings_of
from readiness.model.iac_settings import (
    LEGACY,
    LINUX,
    MANAGED_DISK,
    VM_TYPE,
    WINDOWS,
    CodeForm,
    Effect,
    Setting,
)
from readiness.model.playbook import Target
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    ChangeBackupPolicy,
    PatchVm,
    SetDiskEncryption,
    Step,
    TakeSnapshot,
)
from readiness.model.virtual_machine import OsFamily
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


def test_a_conversion_keeps_its_image() -> None:
    """After generation 1 the image reference stays, the disk is of generation 2, and both are ignored."""
    windows = vm(os_family=OsFamily.WINDOWS)
    choice = Choice(trusted_launch=TrustedLaunchChoice(generation_1=Generation1.CONVERT))
    target = Target(vm=windows, disks=(disk(),), choice=choice, encryption_set=None)
    settings = found(*generation1.convert(target))
    azurerm = [entry for entry in settings if entry.form is CodeForm.AZURERM]
    assert {
        (LINUX, WINDOWS): ((), "source_image_reference", None),
        (LEGACY,): ((), "storage_image_reference", None),
        (MANAGED_DISK,): (("hyper_v_generation",), "hyper_v_generation", "V2"),
    } == {entry.types: (entry.path, entry.ignored, entry.value) for entry in azurerm}
    assert {Effect.REPLACES} == {entry.effect for entry in azurerm}
    assert all(entry.verified for entry in azurerm)
    told = [entry for entry in settings if entry.form is CodeForm.BICEP and entry.advice]
    assert ["imageReference" in entry.advice and "createOption" in entry.advice for entry in told] == [True]
    assert {"properties.hyperVGeneration": "V2"} == said(settings, CodeForm.BICEP)


def test_named_identities_are_said_by_id() -> None:
    """Azurerm and AzAPI list the ids of named identities, a template has a property for each."""
    one, two = (rid("Microsoft.ManagedIdentity/userAssignedIdentities", name) for name in ("id1", "id2"))
    named = found(AssignIdentity(vm=vm_id(), system=False, user_assigned=(one, two)))
    listed = {"identity.type": "UserAssigned", "identity.identity_ids": (one.text, two.text)}
    assert listed == said(named, CodeForm.AZURERM) == said(named, CodeForm.AZAPI)
    assert {
        "identity.type": "UserAssigned",
        f"identity.userAssignedIdentities.{one}": {},
        f"identity.userAssignedIdentities.{two}": {},
    } == said(named, CodeForm.BICEP)
    both = said(found(AssignIdentity(vm=vm_id(), user_assigned=(one,))), CodeForm.AZURERM)
    assert "SystemAssigned, UserAssigned" == both["identity.type"]


def test_only_what_azure_would_answer_is_not_verified() -> None:
    """Both providers take away an identity that code does not name; what Azure keeps is unknown."""
    settings = found(AssignIdentity(vm=vm_id()))
    marks = {(entry.form, entry.types[0]): (entry.effect, entry.verified) for entry in settings}
    assert {
        (CodeForm.AZURERM, LINUX): (Effect.UNDOES, True),
        (CodeForm.AZURERM, LEGACY): (Effect.UNSEEN, False),
        (CodeForm.AZAPI, VM_TYPE): (Effect.UNDOES, True),
        (CodeForm.BICEP, VM_TYPE): (Effect.UNSEEN, False),
    } == marks


def test_a_role_is_advice_with_its_scope_and_principal() -> None:
    """Two roles on one scope are both told, and nothing is written: the assignment has to be imported."""
    roles = [AssignRole(vm=vm_id(), role=role, scope=vm_id()) for role in ("Reader", "Contributor")]
    group = AssignRole(vm=vm_id(), role="Reader", scope=vm_id().parent, principal="0-1", kind="Group")
    told = [entry.advice for entry in found(*roles, group) if entry.form is CodeForm.AZURERM]
    assert ["Reader", "Contributor", "Reader"] == [
        advice.split("role ")[1].split(" on ")[0] for advice in told
    ]
    assert "the identity of vm1 as principal" in told[0]
    assert "principal 0-1" in told[2]
    assert all("import it" in advice and "az role assignment list --scope" in advice for advice in told)


def test_the_policy_of_a_backup_is_said() -> None:
    """A backup policy that was changed is said where the VM's protection is code."""
    item, policy = (
        rid("Microsoft.RecoveryServices/vaults", f"rsv/{kind}/x") for kind in ("items", "policies")
    )
    settings = found(ChangeBackupPolicy(vm=vm_id(), item=item, policy=policy))
    assert {"backup_policy_id": policy.text} == said(settings, CodeForm.AZURERM)
    assert all(entry.may_be_absent for entry in settings)


def test_the_later_step_counts() -> None:
    """Of a staged Secure Boot only what it ends with is said, once."""
    staged = [
        PatchVm(
            vm=vm_id(),
            properties={
                "securityProfile": {
                    "securityType": "TrustedLaunch",
                    "uefiSettings": {"secureBootEnabled": on, "vTpmEnabled": True},
                }
            },
        )
        for on in (False, True)
    ]
    settings = [entry for entry in found(*staged) if entry.path == ("secure_boot_enabled",)]
    assert [True] == [entry.value for entry in settings]


def test_every_kind_of_step_is_known() -> None:
    """No step that leads forward leaves code without an answer; ways back are never asked about."""
    kinds = {kind.__struct_config__.tag for kind in get_args(Step)}
    back = {"remove-identity", "remove-role", "remove-security-rule", "remove-extension", "swap-os-disk"}
    back |= {"remove-just-in-time"}
    unknown = set(settings_of(vm_id(), [{"type": kind, "disk": OS_DISK.text} for kind in kinds])[1])
    written = {"patch-vm", "set-disk-encryption", "install-extension", "assign-role", "change-backup-policy"}
    # These have settings, and are unknown here only because they say nothing of themselves.
    assert back | written | {"set-security-rule", "resize", "set-just-in-time"} == unknown


def test_rules_and_extensions() -> None:
    """A rule is said attribute by attribute; a new one and an extension may be left out, and are advice."""
    rule = rid("Microsoft.Network/networkSecurityGroups", "nsg1/securityRules/ssh")
    properties = {"access": "Deny", "sourceAddressPrefix": "Internet", "priority": 100}
    steps = [
        {
            "type": "set-security-rule",
            "rule": rule.text,
            "properties": properties,
            "earlier": {"access": "Allow"},
        },
        {"type": "install-extension", "name": "AADSSHLoginForLinux"},
    ]
    settings, unknown = settings_of(vm_id(), steps)
    assert () == unknown
    assert {"access": "Deny", "source_address_prefix": "Internet", "priority": 100} == said(
        settings, CodeForm.AZURERM
    )
    extension = [entry for entry in settings if entry.target.name == "AADSSHLoginForLinux"]
    assert {()} == {entry.path for entry in extension}
    new = settings_of(vm_id(), [steps[0] | {"earlier": None}])[0]
    assert all(entry.may_be_absent and '"Internet"' in entry.advice and not entry.path for entry in new)
    several = {
        "type": "set-security-rule",
        "rule": rule.text,
        "earlier": {},
        "properties": {"sourceAddressPrefixes": ["a"]},
    }
    (listed,) = [entry for entry in settings_of(vm_id(), [several])[0] if entry.form is CodeForm.AZURERM]
    others = ("source_address_prefix", "source_application_security_group_ids")
    assert (("source_address_prefixes",), ("a",), others, False) == (
        listed.path,
        listed.value,
        listed.instead_of,
        listed.may_be_absent,
    )
    assert set(CodeForm) == {entry.form for entry in extension}


def test_just_in_time_access_is_told() -> None:
    """The rules that a policy writes are to be kept, and its VMs named; nothing is written for it."""
    policy = rid("Microsoft.Security/locations", "westeurope/jitNetworkAccessPolicies/default")
    step = {"type": "set-just-in-time", "machines": [{"vm": vm_id().text, "ports": [22]}]}
    settings, unknown = settings_of(policy, [step])
    assert () == unknown
    assert {policy} == {entry.target for entry in settings}
    assert all(vm_id().name in entry.advice and not entry.path and not entry.verified for entry in settings)
    assert set(CodeForm) == {entry.form for entry in settings}


def test_a_rule_says_what_was_changed_of_it() -> None:
    """What stays as it was is not asked of code; of prefix, prefixes and groups only one is left."""
    before = {"access": "Allow", "priority": 300, "sourceApplicationSecurityGroups": [{"id": "/asg"}]}
    after = {"access": "Allow", "priority": 300, "sourceAddressPrefix": "VirtualNetwork"}
    rule = rid("Microsoft.Network/networkSecurityGroups", "nsg1/securityRules/ssh")
    step = {"type": "set-security-rule", "rule": rule.text, "properties": after, "earlier": before}
    settings = settings_of(vm_id(), [step])[0]
    assert {"source_address_prefix": "VirtualNetwork"} == said(settings, CodeForm.AZURERM)
    assert {"properties.sourceAddressPrefix": "VirtualNetwork"} == said(settings, CodeForm.BICEP)
    azurerm = next(entry for entry in settings if entry.form is CodeForm.AZURERM)
    assert ("source_address_prefixes", "source_application_security_group_ids") == azurerm.instead_of
