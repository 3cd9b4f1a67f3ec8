"""What a Windows guest is furnished with: version, services, registry and BitLocker.

Plausible; of the registry only what administration of remote desktop, Secure Boot and restarts looks at.
"""

from readiness.twin.guest.facts import Facts
from readiness.twin.guest.settings import Settings
from readiness.twin.guest.system import Guest, Service

_TITLES = {
    "14393": "Microsoft Windows Server 2016 Datacenter",
    "17763": "Microsoft Windows Server 2019 Datacenter",
    "20348": "Microsoft Windows Server 2022 Datacenter",
    "26100": "Microsoft Windows Server 2025 Datacenter",
    "22631": "Microsoft Windows 11 Enterprise",
}
REMOTE_DESKTOP = r"hklm:\system\currentcontrolset\control\terminal server"
CURRENT_VERSION = r"hklm:\software\microsoft\windows nt\currentversion"
UPDATE_REBOOT = r"hklm:\software\microsoft\windows\currentversion\windowsupdate\auto update\rebootrequired"


def furnish(guest: Guest, facts: Facts, settings: Settings) -> None:
    """Furnish a Windows guest."""
    words = guest.version.split(".")
    build = words[2] if len(words) > 2 else "20348"  # noqa: PLR2004  10.0.20348.2700
    guest.title = _TITLES.get(build, str(facts.reported.get("osName") or _TITLES["20348"]))
    guest.kernel = f"10.0.{build}"
    for name, text in (
        ("WindowsAzureGuestAgent", "Windows Azure Guest Agent"),
        ("RdAgent", "RdAgent"),
        ("TermService", "Remote Desktop Services"),
        ("WinRM", "Windows Remote Management (WS-Management)"),
        ("vds", "Virtual Disk"),
        ("defragsvc", "Optimize drives"),
    ):
        guest.services[name] = Service(name=name, description=text)
    if settings.domain_controller:
        guest.services["NTDS"] = Service(name="NTDS", description="Active Directory Domain Services")
    if settings.cluster:
        guest.services["ClusSvc"] = Service(name="ClusSvc", description="Cluster Service")
    is_open = settings.remote_desktop is not False
    guest.registry[REMOTE_DESKTOP] = {"fDenyTSConnections": 0 if is_open else 1}
    guest.registry[CURRENT_VERSION] = {
        "ProductName": guest.title.removeprefix("Microsoft "),
        "CurrentBuild": build,
    }
    encrypted = settings.bitlocker
    if encrypted is None:
        encrypted = facts.had_ade or facts.chance(settings, "bitlocker")
    for disk in guest.disks if encrypted else []:
        for part in disk.partitions:
            if part.mount:
                part.is_bitlocked = part.is_protected = True
    guest.takes_entra_logins = settings.entra_joined is True or facts.has_extension("AADLoginForWindows")
