"""What exists in Azure, as far as the invented estates use it: images, sizes, extensions, roles."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """A Marketplace image, and what a VM made from it reports of itself."""

    publisher: str
    offer: str
    sku: str
    version: str
    os_name: str
    os_version: str
    generation: int = 2
    windows: bool = False
    security: str | None = None
    """What the OS disk inherits as `supportedSecurityOption`."""


_TL = "TrustedLaunchSupported"
_BOTH = "TrustedLaunchAndConfidentialVMSupported"
_JAMMY, _WINDOWS = "0001-com-ubuntu-server-jammy", "MicrosoftWindowsServer"
_2016, _2019, _2022 = (f"Windows Server {year} Datacenter" for year in (2016, 2019, 2022))

IMAGES = {
    "jammy": Image("Canonical", _JAMMY, "22_04-lts-gen2", "22.04.202308180", "ubuntu", "22.04", security=_TL),
    "jammy-g1": Image("Canonical", _JAMMY, "22_04-lts", "22.04.202306100", "ubuntu", "22.04", 1),
    "noble": Image(
        "Canonical", "ubuntu-24_04-lts", "server", "24.04.202411260", "ubuntu", "24.04", security=_TL
    ),
    "focal-g1": Image(
        "Canonical", "0001-com-ubuntu-server-focal", "20_04-lts", "20.04.202302090", "ubuntu", "20.04", 1
    ),
    "xenial-g1": Image("Canonical", "UbuntuServer", "16.04-LTS", "16.04.202109280", "ubuntu", "16.04", 1),
    "cvm": Image(
        "Canonical",
        "0001-com-ubuntu-confidential-vm-jammy",
        "22_04-lts-cvm",
        "22.04.202404250",
        "ubuntu",
        "22.04",
        security=_BOTH,
    ),
    "rhel9": Image("RedHat", "RHEL", "9-lvm-gen2", "9.4.2024081415", "redhat", "9.6", security=_TL),
    "rhel8-g1": Image("RedHat", "RHEL", "8_8", "8.8.2023081613", "redhat", "8.8", 1),
    "rhel7-g1": Image("RedHat", "RHEL", "7.9", "7.9.2023062017", "redhat", "7.9", 1),
    "centos7-g1": Image("OpenLogic", "CentOS", "7_9", "7.9.2022101800", "centos", "7.9.2009", 1),
    "debian11-g1": Image("Debian", "debian-11", "11", "0.20230912.1501", "debian", "11.9", 1),
    "sles15": Image("SUSE", "sles-15-sp5", "gen2", "2024.02.07", "sles", "15.5", security=_TL),
    "sles-sap": Image("SUSE", "sles-sap-15-sp5", "gen2", "2024.02.07", "sles", "15.5", 2),
    "ws2022": Image(
        _WINDOWS,
        "WindowsServer",
        "2022-datacenter-g2",
        "20348.2461.240510",
        _2022,
        "10.0.20348.4297",
        windows=True,
        security=_BOTH,
    ),
    "ws2019": Image(
        _WINDOWS,
        "WindowsServer",
        "2019-datacenter-gensecond",
        "17763.4737.230802",
        _2019,
        "10.0.17763.7919",
        2,
        windows=True,
    ),
    "ws2019-g1": Image(
        _WINDOWS,
        "WindowsServer",
        "2019-Datacenter",
        "17763.2114.2108051826",
        _2019,
        "10.0.17763.7919",
        1,
        windows=True,
    ),
    "ws2016-g1": Image(
        _WINDOWS,
        "WindowsServer",
        "2016-Datacenter",
        "14393.4530.2107071717",
        _2016,
        "10.0.14393.7330",
        1,
        windows=True,
    ),
    "ws2012-g1": Image(
        _WINDOWS,
        "WindowsServer",
        "2012-R2-Datacenter",
        "9600.20778.230107",
        "Windows Server 2012 R2 Datacenter",
        "6.3.9600",
        1,
        windows=True,
    ),
    "ws2022-cvm": Image(
        _WINDOWS,
        "WindowsServer",
        "2022-datacenter-smalldisk-g2",
        "20348.2461.240510",
        _2022,
        "10.0.20348.4297",
        windows=True,
        security=_BOTH,
    ),
}


@dataclass(frozen=True, slots=True)
class Size:
    """A compute size: its family, cores, memory, generations and what else its capabilities say."""

    family: str
    vcpus: int
    memory: int
    generations: str = "V1,V2"
    extra: Json = field(default_factory=dict)


_CONFIDENTIAL: Json = {"TrustedLaunchDisabled": "True", "ConfidentialComputingType": "SNP"}

SIZES = {
    "Standard_B2ms": Size("standardBSFamily", 2, 8),
    "Standard_B2s": Size("standardBSFamily", 2, 4),
    "Standard_D2_v2": Size("standardDv2Family", 2, 7, "V1", {"EncryptionAtHostSupported": "False"}),
    "Standard_D2as_v5": Size("standardDASv5Family", 2, 8),
    "Standard_D2ps_v5": Size(
        "standardDPSv5Family", 2, 8, "V2", {"TrustedLaunchDisabled": "True", "CpuArchitectureType": "Arm64"}
    ),
    "Standard_D2s_v3": Size("standardDSv3Family", 2, 8),
    "Standard_D2s_v5": Size("standardDSv5Family", 2, 8),
    "Standard_D4s_v3": Size("standardDSv3Family", 4, 16),
    "Standard_D4s_v5": Size("standardDSv5Family", 4, 16),
    "Standard_DC4as_v5": Size("standardDCASv5Family", 4, 16, "V2", _CONFIDENTIAL),
    "Standard_E4s_v5": Size("standardESv5Family", 4, 32),
    "Standard_E8s_v5": Size("standardESv5Family", 8, 64),
    "Standard_EC8as_v5": Size("standardECASv5Family", 8, 64, "V2", _CONFIDENTIAL),
    "Standard_F4s_v2": Size("standardFSv2Family", 4, 8),
    "Standard_NC4as_T4_v3": Size("Standard NCASv3_T4 Family", 4, 28, "V1,V2", {"GPUs": "1"}),
    "Standard_M64": Size("standardMSFamily", 64, 1000, "V1,V2", {"TrustedLaunchDisabled": "True"}),
}


@dataclass(frozen=True, slots=True)
class ExtensionKind:
    """A VM extension as its resource shows it."""

    publisher: str
    type: str
    version: str


_MONITOR, _ENTRA = "Microsoft.Azure.Monitor", "Microsoft.Azure.ActiveDirectory"
_DEFENDER, _DIAGNOSTICS = "Microsoft.Azure.AzureDefenderForServers", "Microsoft.Azure.Diagnostics"
_GUEST, _RETIRED = "Microsoft.GuestConfiguration", "Microsoft.EnterpriseCloud.Monitoring"

EXTENSIONS = {
    "AzureMonitorLinuxAgent": ExtensionKind(_MONITOR, "AzureMonitorLinuxAgent", "1.33"),
    "AzureMonitorWindowsAgent": ExtensionKind(_MONITOR, "AzureMonitorWindowsAgent", "1.30"),
    "AADSSHLoginForLinux": ExtensionKind(_ENTRA, "AADSSHLoginForLinux", "1.0"),
    "AADLoginForWindows": ExtensionKind(_ENTRA, "AADLoginForWindows", "2.2"),
    "MDE.Linux": ExtensionKind(_DEFENDER, "MDE.Linux", "1.0"),
    "MDE.Windows": ExtensionKind(_DEFENDER, "MDE.Windows", "1.0"),
    "AzurePolicyforLinux": ExtensionKind(_GUEST, "ConfigurationforLinux", "1.26"),
    "AzurePolicyforWindows": ExtensionKind(_GUEST, "ConfigurationforWindows", "1.29"),
    "GuestAttestation.Linux": ExtensionKind(
        "Microsoft.Azure.Security.LinuxAttestation", "GuestAttestation", "1.0"
    ),
    "GuestAttestation.Windows": ExtensionKind(
        "Microsoft.Azure.Security.WindowsAttestation", "GuestAttestation", "1.0"
    ),
    "OmsAgentForLinux": ExtensionKind(_RETIRED, "OmsAgentForLinux", "1.13"),
    "MicrosoftMonitoringAgent": ExtensionKind(_RETIRED, "MicrosoftMonitoringAgent", "1.0"),
    "IaaSDiagnostics": ExtensionKind(_DIAGNOSTICS, "IaaSDiagnostics", "1.5"),
    "LinuxDiagnostic": ExtensionKind(_DIAGNOSTICS, "LinuxDiagnostic", "4.0"),
    "AzureDiskEncryption": ExtensionKind("Microsoft.Azure.Security", "AzureDiskEncryption", "2.2"),
    "AzureDiskEncryptionForLinux": ExtensionKind(
        "Microsoft.Azure.Security", "AzureDiskEncryptionForLinux", "1.1"
    ),
    "SqlIaasExtension": ExtensionKind("Microsoft.SqlServer.Management", "SqlIaaSAgent", "2.0"),
    "DependencyAgentLinux": ExtensionKind(
        "Microsoft.Azure.Monitoring.DependencyAgent", "DependencyAgentLinux", "9.10"
    ),
    "NvidiaGpuDriverLinux": ExtensionKind("Microsoft.HpcCompute", "NvidiaGpuDriverLinux", "1.9"),
    "JsonADDomainExtension": ExtensionKind("Microsoft.Compute", "JsonADDomainExtension", "1.3"),
    "AADLoginForLinux": ExtensionKind("Microsoft.Azure.ActiveDirectory.LinuxSSH", "AADLoginForLinux", "1.0"),
    "CustomScript": ExtensionKind("Microsoft.Azure.Extensions", "CustomScript", "2.1"),
    "SiteRecovery-Linux": ExtensionKind("Microsoft.Azure.RecoveryServices.SiteRecovery", "Linux", "1.0"),
    "KeyVaultForLinux": ExtensionKind("Microsoft.Azure.KeyVault", "KeyVaultForLinux", "3.0"),
}

CRYPTO_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
VM_ADMINISTRATOR_LOGIN = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
VM_USER_LOGIN = "fb879df8-f326-4884-b1cf-06f3ad86be52"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
"""Built-in roles, by the id of their definition."""
