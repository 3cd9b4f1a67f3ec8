"""Trusted Launch: whether a VM has it, and what stands between a VM and it."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.context import Generation1
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.sku import Sku
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, SecurityType, VirtualMachine
from readiness.rules import sightings
from readiness.rules.rule import Role, rule
from readiness.rules.sizes import with_table_said
from readiness.rules.systems import Support, System, support_of, system_of

_LEARN = "https://learn.microsoft.com/azure"
_OVERVIEW = Source(
    "Trusted Launch for Azure virtual machines", f"{_LEARN}/virtual-machines/trusted-launch", "2026-11"
)
_UPGRADE = Source(
    "Enable Trusted launch on existing Azure Gen2 VMs",
    f"{_LEARN}/virtual-machines/trusted-launch-existing-vm",
    "2026-11",
)
_GENERATION = Source(
    "Upgrade existing Azure Gen1 VMs to Trusted launch",
    f"{_LEARN}/virtual-machines/trusted-launch-existing-vm-gen-1",
    "2026-11",
)
_BACKUP = Source(
    "Migrate Azure VM backups from standard to enhanced policy",
    f"{_LEARN}/backup/backup-azure-vm-migrate-enhanced-policy",
    "2026-11",
)
_EPHEMERAL = Source(
    "Ephemeral OS disks for Azure VMs", f"{_LEARN}/virtual-machines/ephemeral-os-disks", "2026-11"
)

_boot_rule = partial(rule, dimension=Dimension.TRUSTED_LAUNCH, level=2)


@_boot_rule(
    id="TL001",
    title="Runs under Trusted Launch with Secure Boot and vTPM",
    role=Role.GOAL,
    remedy="Upgrade the VM to Trusted Launch with Secure Boot and vTPM on.",
    source=_OVERVIEW,
)
def trusted_launch(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A measured boot that refuses unsigned code keeps bootkits and rootkits out of a VM.

    A confidential VM has all of it and more. With Secure Boot or vTPM off, half of the protection is missing.
    Boot integrity monitoring is watching, not protection: its absence is said, and changes nothing here.
    """
    evidence = sightings.security_type_of(vm)
    match vm.boot.security_type:
        case SecurityType.CONFIDENTIAL_VM:
            return met("ConfidentialVm", "A confidential VM has a measured boot.", evidence)
        case SecurityType.TRUSTED_LAUNCH:
            return _firmware(vm, evidence)
        case SecurityType.STANDARD:
            absent = "" if vm.boot.written_type else " No security type is set, which means Standard."
            return unmet("TrustedLaunchOff", f"The VM runs without Trusted Launch.{absent}", evidence)
        case SecurityType.OTHER:
            return unknown(
                "SecurityTypeNotKnown", "This release does not know the VM's security type.", evidence
            )


def _firmware(vm: VirtualMachine, evidence: Evidence) -> Verdict:
    settings = (("secureBootEnabled", vm.boot.secure_boot), ("vTpmEnabled", vm.boot.vtpm))
    path = "properties.securityProfile.uefiSettings"
    facts = (evidence, *(Evidence(vm.id, f"{path}.{name}", value) for name, value in settings))
    if vm.boot.secure_boot is False:
        return unmet("SecureBootOff", "Trusted Launch is on, but Secure Boot is off.", *facts)
    if vm.boot.vtpm is False:
        return unmet("VtpmOff", "Trusted Launch is on, but the virtual TPM is off.", *facts)
    if vm.boot.secure_boot is None or vm.boot.vtpm is None:
        detail = "Azure did not report the UEFI settings; read the VM itself with its 'uefiSettings'."
        return unknown("FirmwareNotReported", detail, *facts)
    return met("TrustedLaunchOn", _watched(vm), *facts)


def _watched(vm: VirtualMachine) -> str:
    """Say whether somebody watches the boots. That is no part of the goal: it is installed afterwards."""
    kinds = {(entry.publisher.lower(), entry.type.lower()) for entry in vm.extensions}
    watched = any((publisher, "guestattestation") in kinds for publisher in _ATTESTATION)
    return "" if watched else "Its boots are not attested: the guest attestation extension is missing."


@_boot_rule(
    id="TL002",
    title="Boots as generation 2",
    role=Role.WORK,
    remedy="Convert the OS disk to GPT and upgrade the VM to generation 2, with the owner's consent: "
    "there is no way back but a restore.",
    source=_GENERATION,
)
def generation_two(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Secure Boot and vTPM are parts of UEFI firmware, which only generation 2 VMs have.

    Where its conversion was chosen, it is part of the upgrade.
    """
    disk = estate.os_disk_of(vm)
    word = f"V{vm.boot.generation}" if vm.boot.generation else None
    if disk is not None and disk.generation is not None:
        evidence = Evidence(disk.id, "properties.hyperVGeneration", word)
    else:
        evidence = Evidence(vm.id, "properties.instanceView.hyperVGeneration", word)
    match vm.boot.generation:
        case 2:
            return met("Generation2", "", evidence)
        case None:
            detail = "Neither the OS disk nor the instance view reports a generation; read the OS disk."
            return unknown("GenerationNotReported", detail, evidence)
        case _ if _is_to_be_converted(vm, estate):
            return not_applicable("ConversionChosen", "The VM boots through BIOS until it is converted.")
        case _:
            return unmet("Generation1", "The VM boots through BIOS.", evidence)


def _is_to_be_converted(vm: VirtualMachine, estate: Estate) -> bool:
    choice = estate.choice_for(vm).trusted_launch
    return choice is not None and choice.generation_1 is Generation1.CONVERT


@_boot_rule(
    id="TL003",
    title="Has a size that supports Trusted Launch",
    role=Role.WORK,
    remedy="Resize the VM to a size that supports generation 2 and Trusted Launch.",
    source=_OVERVIEW,
)
def size_supports_it(vm: VirtualMachine, estate: Estate) -> Verdict:
    """What a size can do is only reliable from its capabilities; families mix sizes with and without.

    Where no capabilities were collected at all, a bundled table of common sizes answers, and says so.
    """
    sku, from_table = estate.size_of(vm)
    if sku is not None and from_table:
        return with_table_said(_size_verdict(vm, sku), vm, estate)
    return _size_verdict(vm, sku)


def _size_verdict(vm: VirtualMachine, sku: Sku | None) -> Verdict:
    size = sightings.size_of(vm)
    if sku is None or not sku.hyper_v_generations:
        detail = f"The capabilities of size {vm.size or '(not reported)'} in {vm.location} were not read; "
        return unknown("SizeNotRead", detail + "collect the compute SKUs of this region.", size)
    generations = ",".join(sku.hyper_v_generations)
    place = ResourceId(f"/subscriptions/{vm.id.subscription}/providers/Microsoft.Compute/skus/{sku.name}")
    listed = Evidence(place, "capabilities[name=HyperVGenerations].value", generations)
    if "v2" not in generations.lower().split(","):
        return unmet("SizeGeneration1Only", f"Size {sku.name} runs generation 1 only.", size, listed)
    if sku.trusted_launch_disabled:
        disabled = Evidence(place, "capabilities[name=TrustedLaunchDisabled].value", "True")
        return unmet("SizeWithoutTrustedLaunch", f"Size {sku.name} has no Trusted Launch.", size, disabled)
    return met("SizeSupportsTrustedLaunch", "", size, listed)


@_boot_rule(
    id="TL004",
    title="Is backed up by an Enhanced policy, or not at all",
    role=Role.WORK,
    remedy="Move the VM's backup to an Enhanced policy. That may run a job for hours and cannot be undone.",
    source=_BACKUP,
)
def backup_policy(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Azure Backup's Standard policy does not follow a VM through the upgrade; the Enhanced one does.

    Where an Enhanced policy of the same vault was chosen, moving the backup to it is part of the upgrade.
    """
    if vm.boot.security_type is not SecurityType.STANDARD:
        return not_applicable("AlreadyUpgraded", "The VM has been upgraded already.")
    item = estate.backup_of(vm)
    if item is None:
        gap = estate.unread("Microsoft.RecoveryServices/vaults", vm.id.subscription)
        if gap is not None:
            detail = f"The backup vaults were not read ({gap.reason}), so its policy is not known."
            return unknown("BackupNotRead", detail, sightings.list_missing(gap))
        return met("NotBackedUp", "Azure Backup does not protect this VM.")
    evidence = Evidence(item.id, "properties.policyType", item.policy_type)
    match (item.policy_type or "").upper():
        case "V2":
            return met("EnhancedPolicy", "", evidence)
        case "V1":
            return _standard_policy(vm, estate, evidence)
        case _:
            detail = "The VM is backed up, but the kind of policy was not read; read the protected item."
            return unknown("PolicyTypeNotReported", detail, evidence)


def _standard_policy(vm: VirtualMachine, estate: Estate, evidence: Evidence) -> Verdict:
    chosen, item = estate.choice_for(vm).backup_policy, estate.backup_of(vm)
    if chosen is None or item is None:
        return unmet("StandardPolicy", "The VM is backed up by a Standard policy.", evidence)
    if not item.id.is_within(chosen.parent):
        detail = f"The chosen backup policy {chosen.name} is of another vault than the VM's backup."
        return unmet("PolicyOfAnotherVault", detail, evidence)
    detail = f"Its backup moves to policy {chosen.name} before the upgrade."
    return not_applicable("PolicyChangeChosen", detail)


@_boot_rule(
    id="TL005",
    title="Keeps its OS disk when it is deallocated",
    role=Role.BLOCKER,
    remedy="Build the VM anew under Trusted Launch; its owner has to plan that.",
    source=_EPHEMERAL,
)
def persistent_os_disk(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """The upgrade needs a deallocated VM, and deallocation is exactly what an ephemeral OS disk rules out."""
    if vm.os_disk is None:
        detail = "Azure did not report the VM's OS disk; read the VM itself."
        return unknown("OsDiskNotReported", detail, sightings.os_disk_missing(vm))
    path = "properties.storageProfile.osDisk.diffDiskSettings.option"
    if vm.os_disk.is_ephemeral:
        return unmet("EphemeralOsDisk", "The OS disk is ephemeral.", Evidence(vm.id, path, "Local"))
    return met("PersistentOsDisk", "", Evidence(vm.id, path, None))


@_boot_rule(
    id="TL006",
    title="Does not hibernate under Linux",
    role=Role.BLOCKER,
    remedy="Let the owner decide between hibernation and Trusted Launch.",
    source=_OVERVIEW,
)
def no_linux_hibernation(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Azure does not support hibernation of Linux VMs under Trusted Launch; Windows VMs are free to."""
    path = "properties.additionalCapabilities.hibernationEnabled"
    evidence = Evidence(vm.id, path, vm.hibernation_enabled)
    if not vm.hibernation_enabled:
        return met("NoHibernation", "", evidence)
    match vm.os_family:
        case OsFamily.LINUX:
            return unmet("LinuxHibernation", "Hibernation is on for this Linux VM.", evidence)
        case OsFamily.WINDOWS:
            return met("WindowsHibernation", "Windows may hibernate under Trusted Launch.", evidence)
        case None:
            detail = "Hibernation is on and the operating system was not reported; read 'osDisk.osType'."
            return unknown("OsNotReported", detail, evidence)


@_boot_rule(
    id="TL007",
    title="Boots from a managed disk",
    role=Role.BLOCKER,
    remedy="Convert the VM to managed disks.",
    source=_UPGRADE,
)
def managed_os_disk(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A VHD in a storage account can neither be upgraded nor be snapshotted as a managed disk is."""
    if vm.os_disk is None:
        detail = "Azure did not report the VM's OS disk; read the VM itself."
        return unknown("OsDiskNotReported", detail, sightings.os_disk_missing(vm))
    path = "properties.storageProfile.osDisk.managedDisk.id"
    if vm.os_disk.disk is None:
        return unmet(
            "UnmanagedOsDisk", "The OS disk is a VHD in a storage account.", Evidence(vm.id, path, None)
        )
    return met("ManagedOsDisk", "", Evidence(vm.id, path, vm.os_disk.disk.text))


@_boot_rule(
    id="TL008",
    title="Runs an operating system that supports Trusted Launch",
    role=Role.BLOCKER,
    remedy="Upgrade the operating system to a supported version, or rebuild the VM from a supported image.",
    source=_OVERVIEW,
)
def supported_system(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A system or appliance that Azure does not know to boot under Trusted Launch may never boot again.

    What Azure says of the disk or its gallery image decides before any list of systems. A system that only
    an earlier list names is met with a warning: versions leave the list when their support ends.
    """
    if vm.boot.security_type is not SecurityType.STANDARD:
        return not_applicable("AlreadyUpgraded", "The VM has been upgraded already.")
    disk = estate.os_disk_of(vm)
    if disk is not None and disk.supported_security is not None:
        path = "properties.supportedCapabilities.supportedSecurityOption"
        marked = Evidence(disk.id, path, disk.supported_security)
        if "trustedlaunch" in disk.supported_security.lower():
            return met("DiskSupportsTrustedLaunch", "", marked)
        return unmet("DiskWithoutTrustedLaunch", "The OS disk's image has no Trusted Launch.", marked)
    image = estate.protection.images.get(_definition(vm)) if vm.image and vm.image.id else None
    if image is not None and image.security is not None:
        marked = Evidence(image.id, "properties.features[name=SecurityType].value", image.security)
        if "trustedlaunch" in image.security.lower():
            return met("ImageSupportsTrustedLaunch", "", marked)
        return unmet("ImageWithoutTrustedLaunch", "The VM's gallery image has no Trusted Launch.", marked)
    return _listed(vm, estate)


def _definition(vm: VirtualMachine) -> ResourceId:
    text = vm.image.id or "" if vm.image else ""
    head, found, _ = text.lower().partition("/versions/")
    return ResourceId(head if found else text)


def _judged(vm: VirtualMachine, estate: Estate) -> tuple[System, Support]:
    system = system_of(vm)
    return system, support_of(system, estate.reference)


def _listed(vm: VirtualMachine, estate: Estate) -> Verdict:
    system, support = estate.remembered(
        ("TL008", vm.os_family, vm.os_name, vm.os_version, vm.image), lambda: _judged(vm, estate)
    )
    day = estate.reference.systems_verified_on
    evidence = sightings.system_of(vm, system)
    match support:
        case Support.LISTED:
            return met("SystemSupported", "", *evidence)
        case Support.EARLIER:
            detail = (
                f"{system.text} is not on the list of {day} any more, only on an earlier one: it boots "
                "under Trusted Launch, but Microsoft has stopped testing it. Update it soon."
            )
            return met("SystemOnEarlierList", detail, *evidence)
        case Support.NOT_LISTED:
            return unmet("SystemNotSupported", f"Azure does not list this system: {system.text}.", *evidence)
        case Support.UNKNOWN if system.key and system.version and estate.reference.systems:
            detail = (
                f"The list of {day} names other minor versions of {system.text}, but not this one; "
                "update it to a listed one, or prove on a copy that it boots."
            )
            return unknown("SystemVersionNotListed", detail, *evidence)
        case Support.UNKNOWN:
            detail = (
                f"Nobody can tell whether {system.told} boots under Trusted Launch; "
                "ask the image's vendor, and read the OS disk's 'supportedSecurityOption'."
            )
            return unknown("SystemNotRecognised", detail, *evidence)


_ATTESTATION = ("microsoft.azure.security.windowsattestation", "microsoft.azure.security.linuxattestation")

RULES = (
    trusted_launch,
    generation_two,
    size_supports_it,
    backup_policy,
    persistent_os_disk,
    no_linux_hibernation,
    managed_os_disk,
    supported_system,
)
