"""Cases of the password access rules that look inside: guest evidence, Entra login, systems."""

from typing import Any

from msgspec.structs import replace

from readiness.model.context import LoginChoice, LoginMethod
from readiness.model.estate_info import Gap
from readiness.model.ids import ResourceId
from readiness.model.monitoring import GuestAssignment
from readiness.model.virtual_machine import Extension, Identity, Image, OsFamily, OsProfile, VirtualMachine
from tests.builders import SUBSCRIPTION, extension, vm, vm_id
from tests.rules.case import Case, chosen

_KEYS = OsProfile(computer_name="vm1", password_disabled=True, agent_provisioned=True)
_PASSWORD = vm(os_profile=replace(_KEYS, password_disabled=False))
_SYSTEM = Identity(system_assigned=True)
_ENTRA = "Microsoft.Azure.ActiveDirectory"
_LINUX_LOGIN = extension(_ENTRA, "AADSSHLoginForLinux")
_OLD_LOGIN = extension("Microsoft.Azure.ActiveDirectory.LinuxSSH", "AADLoginForLinux")
_WINDOWS_LOGIN = extension(_ENTRA, "AADLoginForWindows")
_DOMAIN = extension("Microsoft.Compute", "JsonADDomainExtension")
_GAP = Gap(
    "collect",
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments",
    "Denied",
    "Not allowed.",
)


def _windows(*extensions: Extension, identity: Identity = _SYSTEM) -> VirtualMachine:
    return vm(os_family=OsFamily.WINDOWS, extensions=extensions, identity=identity)


def _found(status: str, name: str = "LinuxNoPasswordForSSH", *more: GuestAssignment) -> dict[str, Any]:
    place = f"{vm_id()}/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/{name}"
    check = GuestAssignment(id=ResourceId(place), vm=vm_id(), configuration=name.lower(), status=status)
    return {"posture": (check, *more)}


_SECOND = GuestAssignment(
    id=ResourceId(f"{vm_id()}/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/second"),
    vm=vm_id(),
    configuration="linuxnopasswordforssh",
    status="Compliant",
)


def _image(publisher: str, offer: str, sku: str) -> VirtualMachine:
    return replace(_PASSWORD, image=Image(publisher=publisher, offer=offer, sku=sku))


CASES = (
    Case("PW002", "the guest takes keys only", "met GuestTakesKeysOnly", _PASSWORD, _found("Compliant")),
    Case(
        "PW002", "the guest takes passwords again", "unmet GuestTakesPasswords", vm(), _found("NonCompliant")
    ),
    Case("PW002", "a check that has not run", "unmet PasswordProvisioned", _PASSWORD, _found("Pending")),
    Case("PW002", "a check that has not run, and keys", "met KeysOnly", vm(), _found("Pending")),
    Case(
        "PW002",
        "two checks that disagree",
        "unmet GuestTakesPasswords",
        _PASSWORD,
        _found("NonCompliant", "LinuxNoPasswordForSSH", _SECOND),
    ),
    Case(
        "PW002",
        "accounts without any password",
        "unmet EmptyPasswordsAccepted",
        vm(),
        _found("NonCompliant", "PasswordPolicy_msid110"),
    ),
    Case(
        "PW002",
        "a specialised disk and a guest that was asked",
        "met GuestTakesKeysOnly",
        vm(os_profile=None),
        _found("Compliant"),
    ),
    Case(
        "PW002",
        "checks that could not be listed",
        "unknown GuestEvidenceNotRead",
        _PASSWORD,
        {"gaps": [_GAP]},
    ),
    Case(
        "PW002",
        "checks that could not be listed, but one was",
        "met GuestTakesKeysOnly",
        _PASSWORD,
        {**_found("Compliant"), "gaps": [_GAP]},
    ),
    Case(
        "PW003",
        "the old extension",
        "unmet EntraLoginOutdated",
        vm(extensions=(_OLD_LOGIN,), identity=_SYSTEM),
    ),
    Case(
        "PW003",
        "the old extension beside the new one that works",
        "met EntraLogin",
        vm(extensions=(_OLD_LOGIN, _LINUX_LOGIN), identity=_SYSTEM),
    ),
    Case("PW003", "Windows with Entra login", "met EntraLogin", _windows(_WINDOWS_LOGIN)),
    Case(
        "PW003",
        "Windows with Entra login and no identity",
        "unmet EntraLoginWithoutIdentity",
        _windows(_WINDOWS_LOGIN, identity=Identity()),
    ),
    Case("PW003", "Windows in a domain", "not-applicable DomainJoined", _windows(_DOMAIN)),
    Case(
        "PW003",
        "Windows in a domain with Entra login",
        "unmet EntraLoginInDomain",
        _windows(_DOMAIN, _WINDOWS_LOGIN),
    ),
    Case("PW006", "Ubuntu", "met EntraLoginSupported"),
    Case(
        "PW006",
        "Ubuntu 14.04",
        "unmet EntraLoginUnsupported",
        _image("Canonical", "UbuntuServer", "14.04.5-LTS"),
    ),
    Case("PW006", "RHEL 7.3", "unmet EntraLoginUnsupported", _image("RedHat", "RHEL", "7.3")),
    Case("PW006", "RHEL 7.9", "met EntraLoginSupported", _image("RedHat", "RHEL", "7_9")),
    Case("PW006", "RHEL 8.2", "unmet EntraLoginUnsupported", _image("RedHat", "RHEL", "82gen2")),
    Case("PW006", "RHEL 8.10", "met EntraLoginSupported", _image("RedHat", "RHEL", "810-gen2")),
    Case("PW006", "CentOS", "unmet EntraLoginUnsupported", _image("OpenLogic", "CentOS", "7_9")),
    Case("PW006", "Debian", "met EntraLoginSupported", _image("Debian", "debian-12", "12-gen2")),
    Case("PW006", "SLES 15 SP5", "met EntraLoginSupported", _image("SUSE", "sles-15-sp5", "gen2")),
    Case(
        "PW006",
        "Oracle Linux 8",
        "met EntraLoginSupported",
        _image("Oracle", "Oracle-Linux", "ol89-lvm-gen2"),
    ),
    Case(
        "PW006",
        "an appliance",
        "unmet SystemNotListed",
        _image("fortinet", "fortinet_fortigate-vm_v5", "fgt"),
    ),
    Case("PW006", "no image", "unmet SystemNotListed", replace(_PASSWORD, image=None)),
    Case("PW006", "Windows", "not-applicable NotLinux", _windows()),
    Case(
        "PW006",
        "an old system that gets keys",
        "not-applicable KeysChosen",
        _image("Canonical", "UbuntuServer", "14.04.5-LTS"),
        {"context": chosen(login=LoginChoice(method=LoginMethod.KEY))},
    ),
    Case(
        "PW006",
        "an old system that is to get Entra login",
        "unmet EntraLoginUnsupported",
        _image("Canonical", "UbuntuServer", "14.04.5-LTS"),
        {"context": chosen(login=LoginChoice(method=LoginMethod.ENTRA, admin_groups=("g",)))},
    ),
    Case("PW006", "Entra login at work", "not-applicable EntraLoginWorks", vm(extensions=(_LINUX_LOGIN,))),
    Case("PW007", "keys from the start", "not-applicable NoPasswordToDisprove"),
    Case("PW007", "a password and no check", "unmet GuestEvidenceMissing", _PASSWORD),
    Case(
        "PW007",
        "a password, the extension and no check",
        "unmet GuestEvidenceMissing",
        replace(
            _PASSWORD,
            identity=_SYSTEM,
            extensions=(extension("Microsoft.GuestConfiguration", "ConfigurationforLinux"),),
        ),
    ),
    Case("PW007", "a password and a check", "met GuestWasSeen", _PASSWORD, _found("Compliant")),
    Case("PW007", "a check that has not run", "unmet GuestEvidencePending", _PASSWORD, _found("Pending")),
    Case(
        "PW007",
        "an image that is left out",
        "unmet GuestConfigurationSkips",
        _image("RedHat", "RHEL", "6.10"),
    ),
    Case(
        "PW007",
        "checks that could not be listed",
        "unknown GuestEvidenceNotRead",
        _PASSWORD,
        {"gaps": [_GAP]},
    ),
)
