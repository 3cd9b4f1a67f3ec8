"""Controls of what a VM boots, and of what runs in it."""

from datetime import timedelta

from readiness.model.assessment import Source, Whose
from readiness.model.levels import Level
from readiness.model.verdict import Dimension, Evidence, Status, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, SecurityType
from readiness.rules import sightings
from readiness.rules.controls.absence import extension_missing
from readiness.rules.controls.control import EvidenceClass, VmControl, VmFacts
from readiness.rules.controls.references import ASSESSMENTS

NOT_ELIGIBLE = "NotEligible"
"""The VM's size or operating system cannot have it: no exception, and counted apart from those."""

_LEARN = "https://learn.microsoft.com/azure"
_LAUNCH = Source(
    "Trusted Launch for Azure virtual machines", f"{_LEARN}/virtual-machines/trusted-launch", "2026-04"
)
_INTEGRITY = Source(
    "Boot integrity monitoring overview",
    f"{_LEARN}/virtual-machines/boot-integrity-monitoring-overview",
    "2026-04",
)
_CONFIDENTIAL = Source(
    "About Azure confidential VMs", f"{_LEARN}/confidential-computing/confidential-vm-overview", "2026-04"
)
_GUEST = Source(
    "Understand Azure machine configuration",
    f"{_LEARN}/governance/machine-configuration/overview",
    "2026-04",
)
_GALLERY = Source(
    "Store and share images in an Azure Compute Gallery",
    f"{_LEARN}/virtual-machines/azure-compute-gallery",
    "2026-04",
)
_METADATA = Source(
    "Metadata Security Protocol", f"{_LEARN}/virtual-machines/metadata-security-protocol/overview", "2026-04"
)
_ANTIMALWARE = Source(
    "Microsoft Antimalware for Azure Cloud Services and Virtual Machines",
    f"{_LEARN}/security/fundamentals/antimalware",
    "2026-04",
)


def trusted_launch(facts: VmFacts) -> Verdict:
    """The VM runs under Trusted Launch, or as a confidential VM, which has all of it and more."""
    kind = facts.vm.boot.security_type
    at = Evidence(facts.vm.id, "properties.securityProfile.securityType", kind.value)
    match kind:
        case SecurityType.TRUSTED_LAUNCH | SecurityType.CONFIDENTIAL_VM:
            return met("TrustedLaunchOn", "", at)
        case SecurityType.STANDARD:
            return _not_eligible(facts) or unmet("TrustedLaunchOff", "It runs without Trusted Launch.", at)
        case SecurityType.OTHER:
            return facts.rule("TL001")


def virtual_tpm(facts: VmFacts) -> Verdict:
    """A virtual TPM measures the boot and keeps keys."""
    return _firmware(facts, "vTpmEnabled", is_on=facts.vm.boot.vtpm)


def secure_boot(facts: VmFacts) -> Verdict:
    """Secure Boot starts signed code only."""
    return _firmware(facts, "secureBootEnabled", is_on=facts.vm.boot.secure_boot)


def _firmware(facts: VmFacts, setting: str, *, is_on: bool | None) -> Verdict:
    path = f"properties.securityProfile.uefiSettings.{setting}"
    at = Evidence(facts.vm.id, path, is_on)
    kind = facts.vm.boot.security_type
    if is_on or kind is SecurityType.CONFIDENTIAL_VM:
        return met("SettingOn", "", at)
    if kind is SecurityType.STANDARD:
        return _not_eligible(facts) or unmet("SettingOff", "It runs without Trusted Launch.", at)
    if is_on is None:
        return unknown("FirmwareNotReported", "Azure did not report the UEFI settings; read the VM.", at)
    return unmet("SettingOff", f"'{setting}' is off.", at)


def _not_eligible(facts: VmFacts) -> Verdict | None:
    for rule_id in ("TL003", "TL008"):
        answer = facts.rule(rule_id)
        if answer.status is Status.UNMET:
            return not_applicable(NOT_ELIGIBLE, answer.detail, *answer.evidence)
    return None


def integrity_monitored(facts: VmFacts) -> Verdict:
    """The guest attestation extension reports what was booted, and somebody is told when it changes."""
    if facts.vm.boot.security_type is SecurityType.STANDARD:
        return not_applicable("TrustedLaunchOff", "Only a measured boot can be attested.")
    found = facts.extension("guestattestation")
    if found is None:
        detail = "The guest attestation extension is not installed."
        return extension_missing(facts, "AttestationMissing", detail)
    at = sightings.extension_state_of(facts.vm, found)
    if not found.has_succeeded:
        return unmet("AttestationFailed", "The guest attestation extension does not work.", at)
    return facts.assessed(_ATTESTED_HEALTHY) or met("BootAttested", "", at)


def confidential(facts: VmFacts) -> Verdict:
    """Data stay encrypted while they are used, where somebody has said that they call for it."""
    if facts.vm.boot.security_type is SecurityType.CONFIDENTIAL_VM:
        return met("ConfidentialVm")
    return not_applicable("NotCalledFor", "Nobody has marked its data as calling for it.")


def baseline_met(facts: VmFacts) -> Verdict:
    """The guest agrees with the Azure security baseline of its operating system."""
    wanted = _BASELINES.get(facts.vm.os_family, ())
    posture = facts.estate.posture
    for entry in posture.guest_assignments(facts.vm.id):
        if entry.configuration in wanted:
            at = Evidence(entry.id, "properties.complianceStatus", entry.status)
            match entry.status.lower():
                case "compliant":
                    return met("BaselineMet", "", at)
                case "noncompliant":
                    return unmet("BaselineDrifted", "The guest departs from the security baseline.", at)
                case _:
                    continue
    return facts.assessed(ASSESSMENTS["CP-6"]) or unknown(
        "GuestNotAsked", "No guest configuration answers for the baseline; assign it, or attest it."
    )


def drift_corrected(facts: VmFacts) -> Verdict:
    """What drifts from the baseline is set right without anybody being asked."""
    wanted = _BASELINES.get(facts.vm.os_family, ())
    found = [
        entry
        for entry in facts.estate.posture.guest_assignments(facts.vm.id)
        if entry.configuration in wanted and entry.kind
    ]
    path = "properties.guestConfiguration.assignmentType"
    for entry in found:
        if (entry.kind or "").lower() in _CORRECTING:
            return met("DriftCorrected", "", Evidence(entry.id, path, entry.kind))
    if found:
        at = Evidence(found[0].id, path, found[0].kind)
        return unmet("DriftOnlyAudited", "Guest configuration looks, and corrects nothing.", at)
    return unknown("GuestNotAsked", "No assignment of the baseline was read; assign it, or attest it.")


def golden_image(facts: VmFacts) -> Verdict:
    """VMs are built from an image that is renewed every month, and are replaced rather than repaired."""
    image = facts.vm.image
    if image is None and not facts.vm.disks:
        return unknown("ImageNotReported", "Azure did not report the VM's image; read the VM itself.")
    if image is None or image.id is None:
        detail = "The VM does not come from an image of a gallery."
        return unmet("NotFromGallery", detail, *sightings.image_of(facts.vm))
    version = facts.estate.posture.image_version(image.id)
    if version is None or version.published is None:
        return unknown("ImageNotRead", "The version of the image was not read; collect the gallery.")
    at = Evidence(version.id, "properties.publishingProfile.publishedDate", version.published.isoformat())
    if facts.as_of - version.published.date() > _RENEWED:
        return unmet("ImageTooOld", f"The image is older than {_RENEWED.days} days.", at)
    return met("ImageFresh", "", at)


def metadata_protected(facts: VmFacts) -> Verdict:
    """Metadata services answer only to programs that are allowed to ask."""
    at = Evidence(facts.vm.id, "properties.securityProfile.proxyAgentSettings", facts.vm.metadata_protected)
    if facts.vm.metadata_protected:
        return met("MetadataProtected", "", at)
    return unmet("MetadataOpen", "Every program on the VM may ask the metadata services.", at)


def antimalware(facts: VmFacts) -> Verdict:
    """Something looks for malware: Defender for Endpoint, or the older antimalware extension."""
    if facts.vm.os_family is OsFamily.LINUX:
        return not_applicable(
            "Linux", "The extension is for Windows; Defender for Endpoint is asked for elsewhere."
        )
    found = facts.extension("iaasantimalware", "mde.windows")
    if found is not None and found.has_succeeded:
        return met("AntimalwareOn", "", sightings.extension_of(facts.vm, found))
    if found is not None:
        at = sightings.extension_state_of(facts.vm, found)
        return unmet("AntimalwareFailed", "The extension is installed but does not work.", at)
    return extension_missing(facts, "NoAntimalware", "Neither extension is installed.")


_BASELINES: dict[OsFamily | None, tuple[str, ...]] = {
    OsFamily.LINUX: ("azurelinuxbaseline",),
    OsFamily.WINDOWS: ("azurewindowsbaseline",),
}
_ATTESTED_HEALTHY = ASSESSMENTS["CP-4"][2:]
_CORRECTING = ("applyandautocorrect", "deployandautocorrect")
_RENEWED = timedelta(days=30)
"""How old an image may be."""

CONTROLS = (
    VmControl(
        id="CP-1",
        title="Runs under Trusted Launch",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Upgrade the VM to Trusted Launch.",
        source=_LAUNCH,
        whose=Whose.OURS,
        dimension=Dimension.TRUSTED_LAUNCH,
        rests_on=("TL001",),
        seed_claim="Trusted Launch is said to be the default, and templates without it to be refused. "
        "Existing VMs are never changed, and templates without it still deploy.",
        check=trusted_launch,
    ),
    VmControl(
        id="CP-2",
        title="Has a virtual TPM",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch the virtual TPM on, with Trusted Launch.",
        source=_LAUNCH,
        whose=Whose.OURS,
        dimension=Dimension.TRUSTED_LAUNCH,
        rests_on=("TL001",),
        check=virtual_tpm,
    ),
    VmControl(
        id="CP-3",
        title="Starts with Secure Boot",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch Secure Boot on, with Trusted Launch.",
        source=_LAUNCH,
        whose=Whose.OURS,
        dimension=Dimension.TRUSTED_LAUNCH,
        rests_on=("TL001",),
        check=secure_boot,
    ),
    VmControl(
        id="CP-4",
        title="Boot integrity is monitored",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Install the guest attestation extension.",
        source=_INTEGRITY,
        whose=Whose.OURS,
        dimension=Dimension.TRUSTED_LAUNCH,
        comes_with=Dimension.TRUSTED_LAUNCH,
        check=integrity_monitored,
    ),
    VmControl(
        id="CP-5",
        title="Data in use are encrypted where that is called for",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Build the VM anew as a confidential VM.",
        source=_CONFIDENTIAL,
        whose=Whose.OTHER_TEAM,
        check=confidential,
    ),
    VmControl(
        id="CP-6",
        title="The guest meets the security baseline",
        level=Level.ADVANCED,
        evidence=EvidenceClass.GUEST,
        remedy="Assign the baseline policy for guest configuration and set right what it finds.",
        source=_GUEST,
        whose=Whose.OTHER_TEAM,
        check=baseline_met,
    ),
    VmControl(
        id="CP-7",
        title="Drift from the baseline corrects itself",
        level=Level.FULL,
        evidence=EvidenceClass.GUEST,
        remedy="Assign the baseline with automatic correction.",
        source=_GUEST,
        whose=Whose.OTHER_TEAM,
        check=drift_corrected,
    ),
    VmControl(
        id="CP-8",
        title="Built from a fresh golden image",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Build images in a gallery every month and roll VMs over to them.",
        source=_GALLERY,
        whose=Whose.OTHER_TEAM,
        seed_claim="Weekly images are asked for. That is guidance; this asks for thirty days.",
        check=golden_image,
    ),
    VmControl(
        id="CP-9",
        title="Metadata services are protected",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch the Metadata Security Protocol on in enforcing mode, after a time of auditing.",
        source=_METADATA,
        whose=Whose.OTHER_TEAM,
        check=metadata_protected,
    ),
    VmControl(
        id="CP-10",
        title="Something looks for malware",
        level=Level.BASIC,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Install Defender for Endpoint.",
        source=_ANTIMALWARE,
        whose=Whose.OTHER_TEAM,
        check=antimalware,
    ),
)
