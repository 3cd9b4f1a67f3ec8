"""Cases of the rules on Trusted Launch and the guest: generation 1, Arm64, Secure Boot."""

from msgspec.structs import replace

from readiness.model.context import SecureBoot, TrustedLaunchChoice
from readiness.model.governance import PolicyAssignment
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import DiskAttachment, Image, OsFamily, Power, Sighting
from tests.builders import OS_DISK, SUBSCRIPTION, boot, disk, extension, rid, sku, snapshot, vm
from tests.rules.case import Case, chosen

_GEN1 = boot(generation=1)
_WINDOWS = {"os_family": OsFamily.WINDOWS, "image": None}
_SECURE = {"context": chosen(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.ON))}
_UNSAID = {"context": chosen(trusted_launch=TrustedLaunchChoice())}
_STAGED = {"context": chosen(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.STAGED))}
_SWITCHES_ON = PolicyAssignment(
    id=ResourceId(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/boot"),
    definition="95406fc3-1f69-47b0-8105-4c03b276ec5c",
    scope=f"/subscriptions/{SUBSCRIPTION}",
)
_INSECURE = {"context": chosen(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF))}
_ADE = {"disks": [disk(generation=1, has_ade_settings=True)]}
_ADE_EXTENSION = extension("Microsoft.Azure.Security", "AzureDiskEncryptionForLinux")
_OS_MARKED = {"disks": [disk(has_ade_settings=True)]}
_DATA = rid("Microsoft.Compute/disks", "vm1-data")
_DATA_VM = vm(data_disks=(DiskAttachment(disk=_DATA, lun=0),))
_MARKED_DATA = disk(id=_DATA, has_ade_settings=True)
_LIVE = Sighting("properties.instanceView.disks[0].statuses[1].code", "EncryptionState/encrypted")
_DATA_MARKED = {"disks": [disk(), _MARKED_DATA]}
_GALLERY = Image(id="/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/i")


def _linux(system: str, version: str | None = None) -> dict[str, object]:
    return {"boot": _GEN1, "os_name": system, "os_version": version, "image": None}


CASES = (
    Case("TL015", "generation 2", "not-applicable NotGeneration1"),
    Case("TL015", "Ubuntu of generation 1", "met Generation1SystemSupported", vm(boot=_GEN1)),
    Case(
        "TL015",
        "Windows Server 2016 runs under Trusted Launch, and is not upgraded from generation 1",
        "unmet Generation1SystemNotSupported",
        vm(boot=_GEN1, **_WINDOWS, os_name="Windows Server 2016 Datacenter"),
    ),
    Case(
        "TL015",
        "Windows Server 2019",
        "met Generation1SystemSupported",
        vm(boot=_GEN1, **_WINDOWS, os_name="Windows Server 2019 Datacenter"),
    ),
    Case("TL015", "Debian", "unmet Generation1SystemNotSupported", vm(**_linux("debian", "12.4"))),
    Case("TL015", "Azure Linux", "unmet Generation1SystemNotSupported", vm(**_linux("mariner", "2.0"))),
    Case("TL015", "nothing known", "unknown Generation1SystemNotRecognised", vm(boot=_GEN1, image=None)),
    Case(
        "TL015",
        "a Windows Server of an unknown year",
        "unknown Generation1SystemNotRecognised",
        vm(boot=_GEN1, **_WINDOWS, os_name="Windows Server"),
    ),
    Case("TL016", "generation 2", "not-applicable NotGeneration1"),
    Case("TL016", "Linux", "not-applicable NotWindows", vm(boot=_GEN1)),
    Case("TL016", "a plain Windows", "met Generation1VolumePlain", vm(boot=_GEN1, **_WINDOWS)),
    Case(
        "TL016", "an encrypted Windows", "unmet Generation1VolumeEncrypted", vm(boot=_GEN1, **_WINDOWS), _ADE
    ),
    Case(
        "TL016", "a disk that was not read", "unknown DiskNotRead", vm(boot=_GEN1, **_WINDOWS), {"disks": []}
    ),
    Case("TL017", "generation 2", "not-applicable NotGeneration1"),
    Case("TL017", "Windows", "not-applicable NotLinux", vm(boot=_GEN1, **_WINDOWS)),
    Case("TL017", "a marketplace image", "met FromMarketplace", vm(boot=_GEN1)),
    Case("TL017", "a gallery image", "unmet NotFromMarketplace", vm(boot=_GEN1, image=_GALLERY)),
    Case("TL017", "an attached disk", "unmet NotFromMarketplace", vm(boot=_GEN1, image=None)),
    Case("TL017", "no system reported", "unknown OsNotReported", vm(boot=_GEN1, os_family=None)),
    Case("TL018", "generation 2", "not-applicable NotGeneration1"),
    Case("TL018", "a ready agent", "met AgentReady", vm(boot=_GEN1)),
    Case("TL018", "an agent that is not", "unmet AgentNotReady", vm(boot=_GEN1, agent_ready=False)),
    Case("TL018", "no instance view", "unknown AgentNotReported", vm(boot=_GEN1, agent_ready=None)),
    Case("TL018", "a deallocated VM", "unmet NotRunning", vm(boot=_GEN1, power=Power.DEALLOCATED)),
    Case("TL019", "no sign of Arm64", "met NotArm"),
    Case("TL019", "an x64 disk", "met NotArm", vm(), {"disks": [disk(architecture="x64")]}),
    Case(
        "TL019",
        "an Arm64 size, and a disk that says nothing",
        "unknown ArmImageNotReported",
        vm(),
        {"skus": [sku(architecture="Arm64")]},
    ),
    Case(
        "TL019",
        "an Arm64 disk with Trusted Launch, in another letter case",
        "met ArmImageSupported",
        vm(),
        {"disks": [disk(architecture="ARM64", supported_security="trustedLaunchSupported")]},
    ),
    Case(
        "TL019",
        "an Arm64 disk without",
        "unmet ArmImageWithoutTrustedLaunch",
        vm(),
        {"disks": [disk(architecture="Arm64", supported_security="Standard")]},
    ),
    Case("TL020", "nothing chosen", "not-applicable SecureBootNotChosen"),
    Case("TL020", "Secure Boot left out on purpose", "not-applicable SecureBootNotChosen", vm(), _INSECURE),
    Case("TL020", "staged", "not-applicable SecureBootStaged", vm(image=None), _STAGED),
    Case("TL020", "nobody said, and a risk", "not-applicable SecureBootStaged", vm(image=None), _UNSAID),
    Case("TL020", "nobody said, and no risk", "met NoKnownRisk", vm(), _UNSAID),
    Case("TL020", "nobody said, and Windows", "met WindowsDrivers", vm(**_WINDOWS), _UNSAID),
    Case("TL021", "staged", "not-applicable SecureBootNotDeclined", vm(), _STAGED),
    Case("TL021", "Secure Boot left out on purpose", "unmet SecureBootLeftOff", vm(), _INSECURE),
    Case("TL009", "no sign of it", "met NoGuestEncryption"),
    Case("TL009", "an encrypted Windows disk", "unmet GuestEncryption", vm(**_WINDOWS), _OS_MARKED),
    Case("TL009", "an encrypted Linux OS disk", "not-applicable LinuxOsDiskEncrypted", vm(), _OS_MARKED),
    Case("TL009", "an encrypted data disk of a Linux", "unmet GuestEncryption", _DATA_VM, _DATA_MARKED),
    Case("TL009", "a disk that was not read", "unknown DiskNotRead", vm(), {"disks": []}),
    Case("TL023", "no sign of it", "met LinuxOsDiskPlain"),
    Case("TL023", "Windows", "not-applicable NotLinux", vm(**_WINDOWS), _OS_MARKED),
    Case("TL023", "a marked OS disk", "unmet LinuxOsDiskEncrypted", vm(), _OS_MARKED),
    Case(
        "TL023",
        "a marked OS disk beside the extension",
        "unmet LinuxOsDiskEncrypted",
        vm(extensions=(_ADE_EXTENSION,)),
        _OS_MARKED,
    ),
    Case(
        "TL023",
        "an OS disk whose copy is marked",
        "unmet LinuxOsDiskEncrypted",
        vm(),
        {"snapshots": [snapshot(has_ade_settings=True)]},
    ),
    Case(
        "TL023",
        "an OS disk encrypted by the oldest method",
        "unmet LinuxOsDiskEncrypted",
        vm(os_disk=DiskAttachment(disk=OS_DISK, has_dual_pass_ade=True)),
    ),
    Case(
        "TL023",
        "its only disk is encrypted, as the instance view says",
        "unmet LinuxOsDiskEncrypted",
        vm(encryption_signs=(_LIVE,)),
    ),
    Case(
        "TL023",
        "one of its disks is encrypted, as the instance view says",
        "unknown EncryptedDiskNotKnown",
        replace(_DATA_VM, encryption_signs=(_LIVE,)),
        {"disks": [disk(), disk(id=_DATA)]},
    ),
    Case("TL023", "a marked data disk", "met OnlyDataDisksEncrypted", _DATA_VM, _DATA_MARKED),
    Case(
        "TL023",
        "a marked data disk beside an OS disk that was not read",
        "unknown EncryptedDiskNotKnown",
        _DATA_VM,
        {"disks": [_MARKED_DATA]},
    ),
    Case("TL023", "the extension alone", "unknown EncryptedDiskNotKnown", vm(extensions=(_ADE_EXTENSION,))),
    Case("TL023", "a disk that was not read", "unknown DiskNotRead", vm(), {"disks": []}),
    Case("TL021", "nothing chosen", "not-applicable SecureBootNotDeclined"),
    Case("TL021", "on already", "not-applicable SecureBootOn", vm(boot=boot(secure_boot=True)), _INSECURE),
    Case(
        "TL021",
        "a policy that switches it on",
        "unmet PolicySwitchesSecureBootOn",
        vm(),
        {**_INSECURE, "posture": (_SWITCHES_ON,)},
    ),
    Case(
        "TL021",
        "a policy that would only say so",
        "unmet SecureBootLeftOff",
        vm(),
        {**_INSECURE, "posture": (replace(_SWITCHES_ON, is_enforced=False),)},
    ),
    Case("TL020", "on already", "not-applicable SecureBootOn", vm(boot=boot(secure_boot=True)), _SECURE),
    Case("TL020", "Windows", "met WindowsDrivers", vm(**_WINDOWS), _SECURE),
    Case("TL020", "no system reported", "unknown OsNotReported", vm(os_family=None), _SECURE),
    Case("TL020", "a Linux from the marketplace", "met NoKnownRisk", vm(), _SECURE),
    Case(
        "TL020",
        "a distributor's plan is about support",
        "met NoKnownRisk",
        vm(plan="redhat"),
        _SECURE,
    ),
    Case("TL020", "a vendor's plan", "unmet VendorImage", vm(plan="fortinet"), _SECURE),
    Case("TL020", "an image from nowhere", "unmet CustomImage", vm(image=None), _SECURE),
    Case("TL020", "a gallery image", "unmet CustomImage", vm(image=_GALLERY), _SECURE),
    Case("TL020", "a GPU", "unmet LinuxGpu", vm(), {**_SECURE, "skus": [sku(gpus=1)]}),
    Case(
        "TL020",
        "a GPU driver",
        "unmet KernelModules",
        vm(extensions=(extension("microsoft.hpccompute", "NvidiaGpuDriverLinux"),)),
        _SECURE,
    ),
)
