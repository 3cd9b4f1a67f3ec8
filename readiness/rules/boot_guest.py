"""Trusted Launch and the guest: upgrades from generation 1, Arm64, and what Secure Boot might refuse."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Status, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, Power, VirtualMachine
from readiness.rules import encryption
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
    at = Evidence(vm.id, "properties.storageProfile.imageReference", system.text or None)
    match generation1_support_of(system, estate.reference):
        case Support.LISTED | Support.EARLIER:
            return met("Generation1SystemSupported", "", at)
        case Support.NOT_LISTED:
            detail = f"Azure does not upgrade this system from generation 1: {system.text}."
            return unmet("Generation1SystemNotSupported", detail, at)
        case Support.UNKNOWN:
            detail = (
                f"Nobody can tell whether '{system.text or 'this VM'}' can be upgraded from generation 1; "
                "read the instance view while it runs."
            )
            return unknown("Generation1SystemNotRecognised", detail, at)


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
    answer = encryption.never_ade.check(vm, estate)
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
    at = Evidence(vm.id, "properties.instanceView.vmAgent.statuses", vm.agent_ready)
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
    size = Evidence(vm.id, "properties.hardwareProfile.vmSize", vm.size)
    if "arm64" not in seen:
        return met("NotArm", "", size)
    option = disk.supported_security if disk else None
    if option is not None and "trustedlaunch" in option.lower():
        return met("ArmImageSupported", "", size)
    if option is not None:
        return unmet("ArmImageWithoutTrustedLaunch", "Its Arm64 image has no Trusted Launch.", size)
    detail = "It runs on Arm64, and its OS disk does not say whether its image supports Trusted Launch."
    return unknown("ArmImageNotReported", detail, size)


@_guest_rule(
    id="TL020",
    title="Has nothing that Secure Boot is likely to refuse, where that was chosen",
    role=Role.WORK,
    remedy="Let the owner prove on a copy that the VM boots with Secure Boot (on Linux: run 'sbinfo'), sign "
    "what is unsigned, or choose 'secure_boot: false' for it.",
    source=_QUESTIONS,
)
def secure_boot_fits(vm: VirtualMachine, estate: Estate) -> Verdict:
    """An unsigned kernel or boot loader does not boot, and an unsigned module or GPU driver is not loaded.

    What is installed inside the guest shows only in part: extensions, the GPU, and where the image is from.
    Software that talks through a serial (COM) port shows nowhere; its owner has to know of it.
    """
    choice = estate.choice_for(vm).trusted_launch
    if choice is None or not choice.secure_boot:
        return not_applicable("SecureBootNotChosen", "Secure Boot was not chosen for this VM.")
    if vm.boot.secure_boot:
        return not_applicable("SecureBootOn", "Secure Boot is on already.")
    if vm.os_family is OsFamily.WINDOWS:
        return met("WindowsDrivers", "Windows loads signed drivers only, with Secure Boot or without.")
    if vm.os_family is None:
        return unknown("OsNotReported", "The operating system was not reported; read 'osDisk.osType'.")
    return _linux_risk(vm, estate)


def _linux_risk(vm: VirtualMachine, estate: Estate) -> Verdict:
    known = {(risk.publisher.lower(), risk.type.lower()): risk for risk in estate.reference.secure_boot_risks}
    for entry in vm.extensions:
        risk = known.get((entry.publisher.lower(), entry.type.lower()))
        if risk is not None:
            at = Evidence(vm.id, f"extensions[{entry.name}].type", entry.type)
            return unmet("KernelModules", f"Secure Boot may refuse {risk.what}.", at)
    sku, _ = estate.size_of(vm)
    if sku is not None and sku.gpus:
        at = Evidence(vm.id, "properties.hardwareProfile.vmSize", vm.size)
        return unmet("LinuxGpu", "It has a GPU, and most GPU drivers for Linux are not signed.", at)
    image = vm.image
    path = "properties.storageProfile.imageReference.publisher"
    at = Evidence(vm.id, path, image.publisher if image else None)
    if image is None or not image.publisher:
        return unmet("CustomImage", "Its disk is from no marketplace image: its kernel may be unsigned.", at)
    if vm.plan is not None and vm.plan.lower() not in _DISTRIBUTORS:
        return unmet("VendorImage", f"Its image is a product of {vm.plan}: its kernel may be unsigned.", at)
    return met("NoKnownRisk", "", at)


_DISTRIBUTORS = frozenset(("canonical", "redhat", "suse", "debian", "almalinux", "oracle", "ciq", "resf"))
"""Publishers whose plans are about support and not about another kernel."""

RULES = (
    generation1_system,
    generation1_volume,
    generation1_origin,
    generation1_agent,
    arm_image,
    secure_boot_fits,
)
