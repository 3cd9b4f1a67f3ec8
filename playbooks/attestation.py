"""Boot integrity after the soak: the guest attestation extension, and a look at the boot's certificates.

Part of Trusted Launch. Sources: Microsoft Learn, "Boot integrity monitoring overview"
(https://learn.microsoft.com/azure/virtual-machines/boot-integrity-monitoring-overview) for publisher, type,
version and settings: it needs Secure Boot and vTPM on, and a running VM that reaches `AzureAttestation`;
Microsoft Support KB 5085395 and 5103014 (the certificates of 2011 expire from June 2026), KB 5068202 (the
registry value `UEFICA2023Status`).
Does not: renew certificates. A missing one is told and hinders nothing: the VM boots without it, and Windows
may say `NotStarted` of firmware that has it from the start.
"""

from readiness.model.observation import Before
from readiness.model.steps import AskGuest, Change, InstallExtension, RemoveExtension, Step
from readiness.model.virtual_machine import OsFamily, VirtualMachine

_NAME = "GuestAttestation"
_PUBLISHERS = {
    OsFamily.WINDOWS: "Microsoft.Azure.Security.WindowsAttestation",
    OsFamily.LINUX: "Microsoft.Azure.Security.LinuxAttestation",
}
_SETTINGS = {
    "AttestationConfig": {
        "MaaSettings": {"maaEndpoint": "", "maaTenantName": "GuestAttestation"},
        "AscSettings": {"ascReportingEndpoint": "", "ascReportingFrequency": ""},
        "useCustomToken": "false",
        "disableAlerts": "false",
    }
}
_CERTIFICATES = {
    OsFamily.WINDOWS: r"""
$key = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecureBoot\Servicing'
"UEFI CA 2023: $(Get-ItemPropertyValue -Path $key -Name UEFICA2023Status)"
""",
    OsFamily.LINUX: r"""
if mokutil --db | grep -q "UEFI CA 2023"; then state=Updated; else state="not found"; fi
echo "UEFI CA 2023: $state"
""",
}


def steps(vm: VirtualMachine) -> tuple[Change, ...]:
    """Install the extension if it is missing, and ask for the certificates."""
    family = vm.os_family
    if family is None:
        return ()
    publisher = _PUBLISHERS[family]
    extension = InstallExtension(
        vm=vm.id, name=_NAME, publisher=publisher, kind=_NAME, version="1.0", settings=_SETTINGS
    )
    look = AskGuest(
        vm=vm.id,
        name="secure-boot-certificates-of-2023",
        script=_CERTIFICATES[family],
        expects="^UEFI CA 2023: Updated$",
    )
    found = {(entry.publisher.lower(), entry.type.lower()) for entry in vm.extensions}
    is_there = (publisher.lower(), _NAME.lower()) in found
    return (look,) if is_there else (extension, look)


def undo(before: Before, begun: tuple[Step, ...]) -> tuple[Step, ...]:
    """Remove the extension if it was not there before."""
    return tuple(
        RemoveExtension(vm=step.vm, name=step.name)
        for step in begun
        if isinstance(step, InstallExtension) and step.name == _NAME and _NAME not in before.extensions
    )
