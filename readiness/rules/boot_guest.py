"""Trusted Launch and the guest: upgrades from generation 1, Arm64, and what Secure Boot might refuse."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.context import SecureBoot
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Status, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, Power, VirtualMachine
from readiness.rules import encryption, sightings
from readiness.rules.not_read import os_not_reported
from readiness.rules.rule import Role, rule
from readiness.rules.systems import Support, generation1_support_of, system_of

_LEARN = "https://learn.microsoft.com/azure/virtual-machines"
_UPGRADE = Source(
    "Enable Trusted launch on existing Azure Gen2 VMs", f"{_LEARN}/trusted-launch-existing-vm", "2026-11"
)
_GENERATION = Source(
    "Upgrade existing Azure Gen1 VMs to Trusted launch",
    f"{_LEARN}/trusted-launch-existing-vm-gen-1",
    "2026-11",
)
_QUESTIONS = Source("FAQ for Trusted Launch", f"{_LEARN}/trusted-launch-faq", "2026-11")

_guest_rule = partial(rule, dimension=Dimension.TRUSTED_LAUNCH, level=2)


@_guest_rule(
    id="TL009",
    title="Has no disk encryption inside the guest that could hold on to its old boot",
    role=Role.WORK,
    remedy="Let the owner decrypt it, or confirm that recovery keys are kept and protectors suspended "
    "(Windows), or that the OS boots without the encrypted data disks (Linux).",
    source=_UPGRADE,
)
def no_guest_encryption(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Encryption in the guest can be sealed to how the VM boots, and then asks for a recovery key.

    Azure forbids the upgrade of a generation 2 VM under Azure Disk Encryption nowhere, and promises nothing.
    """
    answer = estate.about(vm, encryption.never_ade.check)
    match answer.status:
        case Status.UNMET if vm.os_family is OsFamily.LINUX and _os_disk_marks(vm, estate):
            return not_applicable("LinuxOsDiskEncrypted", "An encrypted Linux OS disk is TL023's question.")
        case Status.UNMET:
            return unmet("GuestEncryption", answer.detail, *answer.evidence)
        case Status.MET:
            return met("NoGuestEncryption", "There is no sign of Azure Disk Encryption.")
        case _:
            return answer


@_guest_rule(
    id="TL023",
    title="Has no encrypted OS disk, where it runs Linux",
    role=Role.BLOCKER,
    remedy="Let the owner build the VM anew with encryption at host and move its data: Azure Disk Encryption "
    "cannot decrypt the OS disk of a Linux VM.",
    source=encryption.MIGRATE,
)
def linux_os_disk(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Microsoft's pages disagree on an encrypted Linux OS disk, and there is no way to decrypt one in place.

    Marks that say the encryption is off count too: Azure shows that before the guest has decrypted anything.
    """
    if vm.os_family is not OsFamily.LINUX:
        return not_applicable("NotLinux", "The rule is about Linux disks; TL009 and TL016 ask about Windows.")
    marks = _os_disk_marks(vm, estate)
    if marks:
        detail = "The OS disk bears the marks of Azure Disk Encryption, past or present."
        return unmet("LinuxOsDiskEncrypted", detail, *marks)
    answer = estate.about(vm, encryption.never_ade.check)
    match answer.status:
        case Status.UNMET if not _are_data_disks_marked(vm, estate):
            detail = f"{answer.detail} Which disks are encrypted shows nowhere; ask the guest ('lsblk')."
            return unknown("EncryptedDiskNotKnown", detail, *answer.evidence)
        case Status.UNMET:
            return met("OnlyDataDisksEncrypted", "The marks are on data disks only.", *answer.evidence)
        case Status.MET:
            return met("LinuxOsDiskPlain", "There is no sign of Azure Disk Encryption.")
        case _:
            return answer


@_guest_rule(
    id="TL015",
    title="Runs a system that can be upgraded from generation 1, where it is one",
    role=Role.BLOCKER,
    remedy="Upgrade Windows Server 2016 in place to 2019 or later first; build Debian and Azure Linux VMs "
    "anew from a generation 2 image, or ask Microsoft at https://aka.ms/Gen1ToTLUpgrade.",
    source=_GENERATION,
    requires=("TL008",),
)
def generation1_system(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Fewer systems survive the change from BIOS to UEFI than run under Trusted Launch."""
    if vm.boot.generation != 1:
        return not_applicable("NotGeneration1", "The VM is not known to be of generation 1.")
    system = system_of(vm)
    at = sightings.system_of(vm, system)
    match generation1_support_of(system, estate.reference):
        case Support.LISTED | Support.EARLIER:
            return met("Generation1SystemSupported", "", *at)
        case Support.NOT_LISTED:
            detail = f"Azure does not upgrade this system from generation 1: {system.text}."
            return unmet("Generation1SystemNotSupported", detail, *at)
        case Support.UNKNOWN:
            detail = (
                f"Nobody can tell whether {system.told} can be upgraded from generation 1; "
                "read the instance view while it runs."
            )
            return unknown("Generation1SystemNotRecognised", detail, *at)


@_guest_rule(
    id="TL016",
    title="Has no encrypted Windows volume to convert, where it is of generation 1",
    role=Role.BLOCKER,
    remedy="Decrypt the OS volume in full (Azure Disk Encryption and BitLocker), and ask for it again after "
    "the upgrade.",
    source=_GENERATION,
)
def generation1_volume(vm: VirtualMachine, estate: Estate) -> Verdict:
    """An encrypted Windows volume cannot be converted from MBR to GPT.

    BitLocker that was switched on inside the guest shows in no API: the conversion's own check finds it.
    """
    if vm.boot.generation != 1:
        return not_applicable("NotGeneration1", "The VM is not known to be of generation 1.")
    if vm.os_family is OsFamily.LINUX:
        return not_applicable("NotWindows", "The rule is about Windows volumes.")
    answer = estate.about(vm, encryption.never_ade.check)
    match answer.status:
        case Status.UNMET:
            return unmet("Generation1VolumeEncrypted", answer.detail, *answer.evidence)
        case Status.MET:
            return met("Generation1VolumePlain", "", *answer.evidence)
        case _:
            return answer


@_guest_rule(
    id="TL017",
    title="Comes from a marketplace image, where it is a Linux of generation 1",
    role=Role.BLOCKER,
    remedy="Build the VM anew from a generation 2 image; converting such a disk by hand is supported by "
    "nobody.",
    source=_GENERATION,
)
def generation1_origin(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Marketplace images of Linux are already partitioned for UEFI; disks from elsewhere mostly are not."""
    if vm.boot.generation != 1:
        return not_applicable("NotGeneration1", "The VM is not known to be of generation 1.")
    if vm.os_family is OsFamily.WINDOWS:
        return not_applicable("NotLinux", "The rule is about Linux disks.")
    path = "properties.storageProfile.imageReference.publisher"
    at = Evidence(vm.id, path, vm.image.publisher if vm.image else None)
    if vm.os_family is None:
        return unknown("OsNotReported", "The operating system was not reported; read 'osDisk.osType'.", at)
    if vm.image is None or not vm.image.publisher:
        return unmet("NotFromMarketplace", "Its disk comes from no marketplace image.", at)
    return met("FromMarketplace", "", at)


@_guest_rule(
    id="TL018",
    title="Answers through its agent, where its disk has to be converted",
    role=Role.WORK,
    remedy="Start the VM and repair its agent: the disk is converted from inside.",
    source=_GENERATION,
)
def generation1_agent(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A generation 1 disk is checked and converted by a command inside the running guest."""
    if vm.boot.generation != 1:
        return not_applicable("NotGeneration1", "The VM is not known to be of generation 1.")
    at = sightings.agent_of(vm)
    if vm.power is Power.DEALLOCATED:
        return unmet("NotRunning", "The VM is deallocated, so nothing can run inside it.", at)
    if vm.agent_ready is None:
        return unknown("AgentNotReported", "The agent's state was not read; read the instance view.", at)
    if not vm.agent_ready:
        return unmet("AgentNotReady", "Its agent is not ready.", at)
    return met("AgentReady", "", at)


@_guest_rule(
    id="TL019",
    title="Has an image that is known to boot under Trusted Launch, where it runs on Arm64",
    role=Role.BLOCKER,
    remedy="Build the VM anew from an Arm64 marketplace image that supports Trusted Launch.",
    source=_UPGRADE,
)
def arm_image(vm: VirtualMachine, estate: Estate) -> Verdict:
    """On Arm64 only some marketplace images support Trusted Launch; the list of systems is about x64.

    Every Arm64 size says what it is, so no sign of it means x64.
    """
    disk, (sku, _) = estate.os_disk_of(vm), estate.size_of(vm)
    seen = {(entry.architecture or "").lower() for entry in (disk, sku) if entry is not None}
    size = sightings.size_of(vm)
    if "arm64" not in seen:
        return met("NotArm", "", size)
    option = disk.supported_security if disk else None
    path = "properties.supportedCapabilities.supportedSecurityOption"
    listed = [Evidence(disk.id, path, option)] if disk else []
    if option is not None and "trustedlaunch" in option.lower():
        return met("ArmImageSupported", "", size, *listed)
    if option is not None:
        return unmet("ArmImageWithoutTrustedLaunch", "Its Arm64 image has no Trusted Launch.", size, *listed)
    detail = "It runs on Arm64, and its OS disk does not say whether its image supports Trusted Launch."
    return unknown("ArmImageNotReported", detail, size, *listed)


@_guest_rule(
    id="TL020",
    title="Has nothing that Secure Boot is likely to refuse, where that was chosen",
    role=Role.WORK,
    remedy="Let the owner prove on a copy that the VM boots with Secure Boot (on Linux: run 'sbinfo') and "
    "sign what is unsigned, or choose 'secure_boot: false', which leaves Secure Boot to be done later.",
    source=_QUESTIONS,
)
def secure_boot_fits(vm: VirtualMachine, estate: Estate) -> Verdict:
    """An unsigned kernel or boot loader does not boot, and an unsigned module or GPU driver is not loaded.

    What is installed inside the guest shows only in part: extensions, the GPU, and where the image is from.
    Software that talks through a serial (COM) port shows nowhere; its owner has to know of it.
    """
    match secure_boot_for(vm, estate):
        case None | SecureBoot.OFF:
            return not_applicable("SecureBootNotChosen", "Secure Boot was not chosen for this VM.")
        case SecureBoot.STAGED if not vm.boot.secure_boot:
            detail = "Secure Boot is switched on once a first boot was proven."
            return not_applicable("SecureBootStaged", detail)
        case _:
            pass
    if vm.boot.secure_boot:
        return not_applicable("SecureBootOn", "Secure Boot is on already.")
    if vm.os_family is OsFamily.WINDOWS:
        return met("WindowsDrivers", "Windows loads signed drivers only, with Secure Boot or without.")
    if vm.os_family is None:
        return os_not_reported(vm)
    return _linux_risk(vm, estate)


@_guest_rule(
    id="TL021",
    title="Has Secure Boot chosen for it, where Trusted Launch is",
    role=Role.WORK,
    remedy="Prove on a copy that the VM boots with Secure Boot, then choose it; until then keep policies "
    "that deploy Secure Boot away from the VM.",
    source=_QUESTIONS,
)
def secure_boot_to_stay_off(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Trusted Launch without Secure Boot is half of the protection: the upgrade may run, and work is left.

    A policy that deploys Secure Boot would switch it on at a time of its own.
    """
    if secure_boot_for(vm, estate) is not SecureBoot.OFF:
        return not_applicable("SecureBootNotDeclined", "Nobody has chosen to leave Secure Boot off.")
    if vm.boot.secure_boot:
        return not_applicable("SecureBootOn", "Secure Boot is on already.")
    at = Evidence(vm.id, f"{_FIRMWARE}.secureBootEnabled", vm.boot.secure_boot)
    policies = estate.posture.policies_on(vm.id, SWITCHES_SECURE_BOOT_ON, estate.info.collected_at)
    if policies:
        assigned = Evidence(policies[0].id, "properties.policyDefinitionId", policies[0].definition_id)
        detail = f"Secure Boot was chosen to stay off, and policy {policies[0].id.name} would switch it on."
        return unmet("PolicySwitchesSecureBootOn", detail, at, assigned)
    detail = "Secure Boot was chosen to stay off: it has to be proved and switched on later."
    return unmet("SecureBootLeftOff", detail, at)


def secure_boot_for(vm: VirtualMachine, estate: Estate) -> SecureBoot | None:
    """Return how the VM is to boot, None where Trusted Launch was not chosen.

    Where nobody said, a Linux VM that may hold something unsigned is staged; every other is to have it on.
    """
    choice = estate.choice_for(vm).trusted_launch
    if choice is None or choice.secure_boot is not None:
        return choice.secure_boot if choice else None
    is_risky = vm.os_family is OsFamily.LINUX and _linux_risk(vm, estate).status is not Status.MET
    return SecureBoot.STAGED if is_risky else SecureBoot.ON


def _os_disk_marks(vm: VirtualMachine, estate: Estate) -> list[Evidence]:
    disk, attached = estate.os_disk_of(vm), vm.os_disk
    copies = estate.snapshots_of(disk) if disk is not None else ()
    marked = (*((disk,) if disk else ()), *copies)
    found = [sightings.ade_mark_of(entry) for entry in marked if entry.has_ade_settings]
    if attached is not None and attached.has_dual_pass_ade:
        path = f"{sightings.attachment_path(attached)}.encryptionSettings.enabled"
        found.append(Evidence(vm.id, path, attached.ade_enabled))
    if not vm.data_disks:  # what the instance view says of disks is said of its only one
        live = filter(encryption.is_live, vm.encryption_signs)
        found += [Evidence(vm.id, sign.path, sign.value) for sign in live]
    return found


def _are_data_disks_marked(vm: VirtualMachine, estate: Estate) -> bool:
    """Tell whether what is encrypted are data disks; an OS disk that was not read may be encrypted too."""
    disks = [estate.disks.get(entry.disk) for entry in vm.data_disks if entry.disk is not None]
    is_marked = any(disk is not None and disk.has_ade_settings for disk in disks)
    return is_marked and estate.os_disk_of(vm) is not None


def _linux_risk(vm: VirtualMachine, estate: Estate) -> Verdict:
    known = {(risk.publisher.lower(), risk.type.lower()): risk for risk in estate.reference.secure_boot_risks}
    for entry in vm.extensions:
        risk = known.get((entry.publisher.lower(), entry.type.lower()))
        if risk is not None:
            at = sightings.extension_of(vm, entry)
            return unmet("KernelModules", f"Secure Boot may refuse {risk.what}.", at)
    sku, _ = estate.size_of(vm)
    if sku is not None and sku.gpus:
        detail = "It has a GPU, and most GPU drivers for Linux are not signed."
        return unmet("LinuxGpu", detail, sightings.size_of(vm))
    image = vm.image
    path = "properties.storageProfile.imageReference.publisher"
    at = Evidence(vm.id, path, image.publisher if image else None)
    if image is None or not image.publisher:
        return unmet("CustomImage", "Its disk is from no marketplace image: its kernel may be unsigned.", at)
    if vm.plan is not None and vm.plan.lower() not in _DISTRIBUTORS:
        sold = Evidence(vm.id, "plan.publisher", vm.plan)
        return unmet("VendorImage", f"Its image is a product of {vm.plan}: its kernel may be unsigned.", sold)
    return met("NoKnownRisk", "", at)


_DISTRIBUTORS = frozenset(("canonical", "redhat", "suse", "debian", "almalinux", "oracle", "ciq", "resf"))
"""Publishers whose plans are about support and not about another kernel."""

_FIRMWARE = "properties.securityProfile.uefiSettings"
SWITCHES_SECURE_BOOT_ON = (
    "7cb1b219-61c6-47e0-b80c-4472cadeeb5f",
    "95406fc3-1f69-47b0-8105-4c03b276ec5c",
)
"""Built-in policies, as of 2026-11, that switch Secure Boot on: for Windows, and for Linux."""

RULES = (
    no_guest_encryption,
    linux_os_disk,
    generation1_system,
    generation1_volume,
    generation1_origin,
    generation1_agent,
    arm_image,
    secure_boot_fits,
    secure_boot_to_stay_off,
)
