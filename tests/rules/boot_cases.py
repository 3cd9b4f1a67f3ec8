"""Cases of the Trusted Launch rules."""

from typing import Any

from readiness.model.context import Context, Generation1, TrustedLaunchChoice
from readiness.model.estate_info import Gap
from readiness.model.reference import Reference
from readiness.model.vault import GalleryImage
from readiness.model.virtual_machine import DiskAttachment, Image, OsFamily, SecurityType
from readiness.store.reference import read_reference
from tests.builders import OS_DISK, SUBSCRIPTION, backup_item, boot, disk, protection, rid, sku, vm
from tests.rules.case import Case, chosen

_TL = {"security_type": SecurityType.TRUSTED_LAUNCH, "secure_boot": True, "vtpm": True}
_VAULTS = Gap(
    "collect", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/vaults", "Denied", "403"
)
_NO_IMAGE = {"image": None, "os_name": None}
_TABLES = read_reference()
_DEFINITION = rid("Microsoft.Compute/galleries", "gallery1/images/image1")


_CONVERTED = chosen(trusted_launch=TrustedLaunchChoice(generation_1=Generation1.CONVERT))


def _moved(vault: str) -> Context:
    return chosen(backup_policy=rid("Microsoft.RecoveryServices/vaults", f"{vault}/backupPolicies/enhanced"))


def _gallery(security: str | None) -> dict[str, Any]:
    return {"protected": protection(images={_DEFINITION: GalleryImage(id=_DEFINITION, security=security)})}


CASES = (
    Case("TL001", "Trusted Launch with everything on", "met TrustedLaunchOn", vm(boot=boot(**_TL))),
    Case("TL001", "no security type", "unmet TrustedLaunchOff"),
    Case("TL001", "Secure Boot off", "unmet SecureBootOff", vm(boot=boot(**{**_TL, "secure_boot": False}))),
    Case("TL001", "vTPM off", "unmet VtpmOff", vm(boot=boot(**{**_TL, "vtpm": False}))),
    Case("TL001", "no UEFI settings", "unknown FirmwareNotReported", vm(boot=boot(**{**_TL, "vtpm": None}))),
    Case(
        "TL001",
        "a confidential VM is better still",
        "met ConfidentialVm",
        vm(boot=boot(security_type=SecurityType.CONFIDENTIAL_VM)),
    ),
    Case(
        "TL001",
        "a security type of the future",
        "unknown SecurityTypeNotKnown",
        vm(boot=boot(security_type=SecurityType.OTHER)),
    ),
    Case("TL002", "generation 2", "met Generation2"),
    Case(
        "TL002",
        "generation 1",
        "unmet Generation1",
        vm(boot=boot(generation=1)),
        {"disks": [disk(generation=1)]},
    ),
    Case(
        "TL002",
        "generation 1, to be converted",
        "not-applicable ConversionChosen",
        vm(boot=boot(generation=1)),
        {"disks": [disk(generation=1)], "context": _CONVERTED},
    ),
    Case("TL002", "from the instance view alone", "met Generation2", vm(), {"disks": []}),
    Case(
        "TL002",
        "not reported",
        "unknown GenerationNotReported",
        vm(boot=boot(generation=None)),
        {"disks": []},
    ),
    Case("TL003", "a size that can", "met SizeSupportsTrustedLaunch"),
    Case("TL003", "no SKU data", "unknown SizeNotRead", vm(), {"skus": []}),
    Case("TL003", "no size", "unknown SizeNotRead", vm(size=None)),
    Case(
        "TL003", "no generations listed", "unknown SizeNotRead", vm(), {"skus": [sku(hyper_v_generations=())]}
    ),
    Case(
        "TL003",
        "generation 1 only",
        "unmet SizeGeneration1Only",
        vm(),
        {"skus": [sku(hyper_v_generations=("V1",))]},
    ),
    Case(
        "TL003",
        "generation 2 but no Trusted Launch, as the M family",
        "unmet SizeWithoutTrustedLaunch",
        vm(),
        {"skus": [sku(trusted_launch_disabled=True)]},
    ),
    Case(
        "TL003",
        "no SKU data, but a size of the bundled table",
        "met SizeSupportsTrustedLaunchFromTable",
        vm(),
        {"skus": [], "reference": _TABLES},
    ),
    Case(
        "TL003",
        "generation 1 only, by the table",
        "unmet SizeGeneration1OnlyFromTable",
        vm(size="standard_a2_v2"),
        {"skus": [], "reference": _TABLES},
    ),
    Case(
        "TL003",
        "no Trusted Launch, by the table",
        "unmet SizeWithoutTrustedLaunchFromTable",
        vm(size="Standard_M64s"),
        {"skus": [], "reference": _TABLES},
    ),
    Case(
        "TL003",
        "no SKU data, and a size that the table does not name",
        "unknown SizeNotRead",
        vm(size="Standard_X1"),
        {"skus": [], "reference": _TABLES},
    ),
    Case(
        "TL003",
        "the table keeps silent where SKU data was collected",
        "unknown SizeNotRead",
        vm(size="Standard_M64s"),
        {"reference": _TABLES},
    ),
    Case("TL004", "no backup", "met NotBackedUp"),
    Case("TL004", "Enhanced policy", "met EnhancedPolicy", vm(), {"backup_items": [backup_item()]}),
    Case(
        "TL004",
        "Standard policy",
        "unmet StandardPolicy",
        vm(),
        {"backup_items": [backup_item(policy_type="V1")]},
    ),
    Case(
        "TL004",
        "Standard policy, to be changed",
        "not-applicable PolicyChangeChosen",
        vm(),
        {"backup_items": [backup_item(policy_type="V1")], "context": _moved("RSV1")},
    ),
    Case(
        "TL004",
        "a policy of a vault that does not hold the backup",
        "unmet PolicyOfAnotherVault",
        vm(),
        {"backup_items": [backup_item(policy_type="V1")], "context": _moved("rsv2")},
    ),
    Case(
        "TL004",
        "a policy of unknown kind",
        "unknown PolicyTypeNotReported",
        vm(),
        {"backup_items": [backup_item(policy_type=None)]},
    ),
    Case("TL004", "vaults that could not be read", "unknown BackupNotRead", vm(), {"gaps": [_VAULTS]}),
    Case("TL004", "upgraded already", "not-applicable AlreadyUpgraded", vm(boot=boot(**_TL))),
    Case("TL005", "an ordinary OS disk", "met PersistentOsDisk"),
    Case(
        "TL005",
        "an ephemeral OS disk",
        "unmet EphemeralOsDisk",
        vm(os_disk=DiskAttachment(disk=OS_DISK, is_ephemeral=True)),
    ),
    Case("TL005", "no OS disk reported", "unknown OsDiskNotReported", vm(os_disk=None)),
    Case("TL006", "no hibernation", "met NoHibernation"),
    Case("TL006", "Linux that hibernates", "unmet LinuxHibernation", vm(hibernation_enabled=True)),
    Case(
        "TL006",
        "Windows that hibernates",
        "met WindowsHibernation",
        vm(hibernation_enabled=True, os_family=OsFamily.WINDOWS),
    ),
    Case(
        "TL006",
        "something that hibernates",
        "unknown OsNotReported",
        vm(hibernation_enabled=True, os_family=None),
    ),
    Case("TL007", "a managed OS disk", "met ManagedOsDisk"),
    Case("TL007", "a VHD", "unmet UnmanagedOsDisk", vm(os_disk=DiskAttachment(disk=None))),
    Case("TL007", "no OS disk reported", "unknown OsDiskNotReported", vm(os_disk=None)),
    Case("TL008", "an image that is listed", "met SystemSupported"),
    Case(
        "TL008",
        "a disk that says so itself",
        "met DiskSupportsTrustedLaunch",
        vm(**_NO_IMAGE),
        {"disks": [disk(supported_security="TrustedLaunchAndConfidentialVMSupported")]},
    ),
    Case(
        "TL008",
        "a disk that says otherwise",
        "unmet DiskWithoutTrustedLaunch",
        vm(),
        {"disks": [disk(supported_security="ConfidentialVMSupported")]},
    ),
    Case(
        "TL008",
        "Windows Server 2012",
        "unmet SystemNotSupported",
        vm(os_name="Windows Server 2012 R2 Datacenter", image=None),
    ),
    Case(
        "TL008",
        "an upgrade in place is believed over the old image",
        "met SystemSupported",
        vm(
            os_name="Windows Server 2022 Datacenter",
            image=Image(publisher="MicrosoftWindowsServer", offer="WindowsServer", sku="2012-R2-Datacenter"),
        ),
    ),
    Case(
        "TL008",
        "a vendor's appliance",
        "unknown SystemNotRecognised",
        vm(image=Image(publisher="acme", offer="firewall", sku="byol")),
    ),
    Case(
        "TL008",
        "a version that only the earlier list names",
        "met SystemOnEarlierList",
        vm(image=Image(publisher="Oracle", offer="Oracle-Linux", sku="ol88-lvm-gen2")),
    ),
    Case(
        "TL008",
        "a minor version on neither list",
        "unknown SystemVersionNotListed",
        vm(os_name="redhat", os_version="9.1", image=None),
    ),
    Case("TL008", "no list at all", "unknown SystemNotRecognised", vm(), {"reference": Reference()}),
    Case("TL008", "a system on no list", "unmet SystemNotSupported", vm(os_name="centos", os_version="7.9")),
    Case(
        "TL008",
        "a version of a gallery image that supports it",
        "met ImageSupportsTrustedLaunch",
        vm(**{**_NO_IMAGE, "image": Image(id=f"{_DEFINITION}/versions/1.0.0")}),
        _gallery("TrustedLaunchAndConfidentialVmSupported"),
    ),
    Case(
        "TL008",
        "a gallery image that does not",
        "unmet ImageWithoutTrustedLaunch",
        vm(**{**_NO_IMAGE, "image": Image(id=_DEFINITION.text.upper())}),
        _gallery("ConfidentialVmSupported"),
    ),
    Case(
        "TL008",
        "a gallery image that says nothing",
        "unknown SystemNotRecognised",
        vm(**{**_NO_IMAGE, "image": Image(id=_DEFINITION.text)}),
        _gallery(None),
    ),
    Case("TL008", "nothing known", "unknown SystemNotRecognised", vm(**_NO_IMAGE)),
    Case("TL008", "upgraded already", "not-applicable AlreadyUpgraded", vm(boot=boot(**_TL))),
)
