"""Cases of the controls of what a VM boots and runs, and of its data."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from readiness.model.governance import ImageVersion
from readiness.model.monitoring import GuestAssignment
from readiness.model.virtual_machine import BootProfile, DiskAttachment, Image, OsFamily, SecurityType
from tests.builders import (
    VAULT,
    backup_item,
    boot,
    disk,
    encryption_set,
    extension,
    protection,
    rid,
    sku,
    vault,
)
from tests.rules.control_builders import GRANT, also, assessment, best_vm, but, control_case, listed

_ON = best_vm().boot
_OFF = {"boot": boot(encryption_at_host=True)}
_CONFIDENTIAL = {"boot": boot(security_type=SecurityType.CONFIDENTIAL_VM)}
_NOT_ELIGIBLE = {"skus": [sku(trusted_launch_disabled=True)]}
_IMAGE = rid("Microsoft.Compute/galleries", "g/images/i/versions/1.0.0")
_FROM_GALLERY = {"image": Image(id=_IMAGE.text)}
_WINDOWS = {"os_family": OsFamily.WINDOWS}
_VHD = {"os_disk": DiskAttachment(disk=None)}
_NO_DISKS = {"os_disk": None, "data_disks": ()}
_ITEMS = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
_STATUS = "b7604066-ed76-45f9-a5c1-c97e4812dc55"
_BASELINE = "1f655fb7-63ca-4980-91a3-56dbc2b715c6"
_NOT_ASKED = but(GuestAssignment)["posture"]


def _boot(**changes: Any) -> dict[str, BootProfile]:
    return {"boot": replace(_ON, **changes)}


def _attested(*, state: str = "Succeeded") -> dict[str, Any]:
    return {
        "extensions": (
            extension("Microsoft.Azure.Security.LinuxAttestation", "GuestAttestation", state=state),
        )
    }


def _antimalware(*, state: str = "Succeeded") -> dict[str, Any]:
    return {
        **_WINDOWS,
        "extensions": (extension("Microsoft.Azure.Security", "IaaSAntimalware", state=state),),
    }


def _published(when: datetime | None) -> dict[str, Any]:
    return also(ImageVersion(id=_IMAGE, published=when))


def _vault(**changes: Any) -> dict[str, Any]:
    return {"protected": protection(vaults={VAULT: vault(**changes)}, grants=(GRANT,))}


def _set(**changes: Any) -> dict[str, Any]:
    return {"encryption_sets": [encryption_set(**{"source_vault": VAULT, **changes})]}


def _shared(access: str | None, public: str | None = None) -> dict[str, Any]:
    return {"disks": [disk(network_access=access, public_access=public)]}


CASES = (
    control_case("CP-1", "met TrustedLaunchOn"),
    control_case("CP-1", "met TrustedLaunchOn", _CONFIDENTIAL),
    control_case("CP-1", "unmet TrustedLaunchOff", _OFF),
    control_case("CP-1", "not-applicable NotEligible", _OFF, **_NOT_ELIGIBLE),
    *(
        case
        for control, setting in (("CP-2", "vtpm"), ("CP-3", "secure_boot"))
        for case in (
            control_case(control, "met SettingOn"),
            control_case(control, "met SettingOn", _CONFIDENTIAL),
            control_case(control, "unmet SettingOff", _boot(**{setting: False})),
            control_case(control, "unmet SettingOff", _OFF),
            control_case(control, "unknown FirmwareNotReported", _boot(**{setting: None})),
            control_case(control, "not-applicable NotEligible", _OFF, **_NOT_ELIGIBLE),
        )
    ),
    control_case("CP-4", "not-applicable TrustedLaunchOff", _OFF),
    control_case("CP-4", "unmet AttestationMissing"),
    control_case("CP-4", "unknown NotListed", listed=()),
    control_case("CP-4", "unknown ExtensionNotRead", {"extensions": (extension("", ""),)}),
    control_case("CP-4", "unmet AttestationFailed", _attested(state="Failed")),
    control_case("CP-4", "met BootAttested", _attested()),
    control_case("CP-4", "met AssessedHealthy", _attested(), **also(assessment(_STATUS, "Healthy"))),
    control_case("CP-4", "unmet AssessedUnhealthy", _attested(), **also(assessment(_STATUS, "Unhealthy"))),
    control_case("CP-5", "met ConfidentialVm", _CONFIDENTIAL),
    control_case("CP-5", "not-applicable NotCalledFor"),
    control_case("CP-6", "met BaselineMet"),
    control_case("CP-6", "unmet BaselineDrifted", **but(GuestAssignment, status="NonCompliant")),
    control_case("CP-6", "unknown GuestNotAsked", **but(GuestAssignment)),
    control_case("CP-6", "unknown GuestNotAsked", **but(GuestAssignment, status="Pending")),
    control_case("CP-6", "met AssessedHealthy", posture=[*_NOT_ASKED, assessment(_BASELINE, "Healthy")]),
    control_case(
        "CP-6", "unmet AssessedUnhealthy", posture=[*_NOT_ASKED, assessment(_BASELINE, "Unhealthy")]
    ),
    control_case(
        "CP-6", "unknown GuestNotAsked", posture=[*_NOT_ASKED, assessment(_BASELINE, "NotApplicable")]
    ),
    control_case("CP-7", "met DriftCorrected"),
    control_case("CP-7", "unmet DriftOnlyAudited", **but(GuestAssignment, kind="Audit")),
    control_case("CP-7", "unknown GuestNotAsked", **but(GuestAssignment)),
    control_case("CP-7", "unknown GuestNotAsked", **but(GuestAssignment, configuration="other")),
    control_case("CP-8", "unmet NotFromGallery"),
    control_case("CP-8", "unknown ImageNotReported", {"image": None, **_NO_DISKS}),
    control_case("CP-8", "unknown ImageNotRead", _FROM_GALLERY),
    control_case("CP-8", "unknown ImageNotRead", _FROM_GALLERY, **_published(None)),
    control_case("CP-8", "unmet ImageTooOld", _FROM_GALLERY, **_published(datetime(2026, 10, 1, tzinfo=UTC))),
    control_case("CP-8", "met ImageFresh", _FROM_GALLERY, **_published(datetime(2026, 10, 20, tzinfo=UTC))),
    control_case("CP-9", "unmet MetadataOpen"),
    control_case("CP-9", "met MetadataProtected", {"metadata_protected": True}),
    control_case("CP-10", "not-applicable Linux"),
    control_case("CP-10", "met AntimalwareOn", _antimalware()),
    control_case("CP-10", "unmet AntimalwareFailed", _antimalware(state="Failed")),
    control_case("CP-10", "unmet NoAntimalware", _WINDOWS),
    control_case("CP-10", "unknown NotListed", _WINDOWS, listed=()),
    control_case("CP-10", "unknown ExtensionNotRead", {**_WINDOWS, "extensions": (extension("", ""),)}),
    control_case("DP-1", "met EncryptedByDesign"),
    control_case("DP-1", "unknown DisksNotReported", _NO_DISKS),
    control_case("DP-1", "not-applicable UnmanagedDisk", _VHD),
    control_case("DP-2", "met ManagedDisks"),
    control_case("DP-2", "unknown DisksNotReported", _NO_DISKS),
    control_case("DP-2", "unmet UnmanagedDisk", _VHD),
    control_case("DP-3", "met AtHostOn"),
    control_case("DP-3", "unmet AtHostOff", _boot(encryption_at_host=False)),
    control_case("DP-5", "unmet PlatformKey", **_shared("DenyAll")),
    control_case("DP-6", "met KeyKept"),
    control_case("DP-6", "not-applicable NoCustomerKey", **_shared("DenyAll")),
    control_case("DP-6", "unknown SetNotRead", encryption_sets=[]),
    control_case("DP-6", "unmet KeyRotationFailed", **_set(rotation_error="KeyNotFound")),
    control_case("DP-6", "unmet KeyNotRotated", **_set(rotates=False)),
    control_case("DP-6", "unknown VaultNotRead", protected=protection(vaults={}, grants=(GRANT,))),
    control_case("DP-6", "unknown VaultNotRead", **_set(source_vault=None)),
    control_case("DP-6", "unmet KeyCanBePurged", **_vault(purge_protection=None)),
    control_case("DP-6", "unmet KeyCanBePurged", **_vault(soft_delete=False)),
    control_case("DP-7", "met ExportLocked"),
    control_case("DP-7", "met ExportLocked", **_shared("AllowPrivate", "Disabled")),
    control_case("DP-7", "unmet ExportOpen", **_shared("AllowPrivate")),
    control_case("DP-7", "unmet ExportOpen", **_shared("AllowAll")),
    control_case("DP-7", "unknown DiskNotRead", **_shared(None)),
    control_case("DP-7", "unknown DiskNotRead", disks=[]),
    control_case("DP-7", "not-applicable UnmanagedDisk", _VHD),
    control_case("DP-8", "unknown RestoreNotAttested"),
    control_case("DP-8", "unmet BackupUnhealthy", backup_items=[backup_item(last_backup_status="Failed")]),
    control_case(
        "DP-8", "unmet BackupUnhealthy", backup_items=[backup_item(protection_state="ProtectionStopped")]
    ),
    control_case("DP-8", "unknown NotListed", backup_items=[]),
    control_case("DP-8", "unmet NotBackedUp", backup_items=[], **listed(_ITEMS)),
)
