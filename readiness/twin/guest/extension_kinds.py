"""What extensions do inside a guest: the handlers that are known, what each asks for, and what it changes.

Learn, "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID and OpenSSH" and its Windows
sister (exit codes without an identity), "Boot integrity monitoring overview" (what attestation needs); the
behaviour of VMAccess is that of its published source. A handler that is known and not listed under `effects`
installs itself and changes nothing that the twin holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from readiness.twin.documents import Json, look, same
from readiness.twin.guest import linux_birth, sshd
from readiness.twin.guest.system import Account, Guest


@dataclass(frozen=True, slots=True)
class Handler:
    """A type of extension."""

    publisher: str
    kind: str
    system: str
    versions: tuple[str, ...]
    """Full versions there are, oldest first."""

    def version(self, wanted: str) -> str | None:
        """Return the newest version that fits `major.minor`, or None."""
        fits = [each for each in self.versions if f"{each}.".startswith(f"{wanted}.")]
        return fits[-1] if fits else None


_ENTRA = "Microsoft.Azure.ActiveDirectory"
_SECURITY = "Microsoft.Azure.Security"
HANDLERS = (
    Handler(_ENTRA, "AADSSHLoginForLinux", "Linux", ("1.0.2747.1", "1.0.3068.1")),
    Handler(f"{_ENTRA}.LinuxSSH", "AADLoginForLinux", "Linux", ("1.0.2280.1",)),
    Handler(_ENTRA, "AADLoginForWindows", "Windows", ("1.0.0.1", "2.2.0.0")),
    Handler(f"{_SECURITY}.LinuxAttestation", "GuestAttestation", "Linux", ("1.0.1020.1",)),
    Handler(f"{_SECURITY}.WindowsAttestation", "GuestAttestation", "Windows", ("1.0.6.26",)),
    Handler("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", "Linux", ("1.33.4", "1.35.1")),
    Handler("Microsoft.Azure.Monitor", "AzureMonitorWindowsAgent", "Windows", ("1.34.0", "1.36.0")),
    Handler("Microsoft.GuestConfiguration", "ConfigurationforLinux", "Linux", ("1.26.79",)),
    Handler("Microsoft.GuestConfiguration", "ConfigurationforWindows", "Windows", ("1.29.88",)),
    Handler("Microsoft.Azure.Extensions", "CustomScript", "Linux", ("2.0.7", "2.1.13")),
    Handler("Microsoft.Compute", "CustomScriptExtension", "Windows", ("1.9.5", "1.10.20")),
    Handler("Microsoft.OSTCExtensions", "VMAccessForLinux", "Linux", ("1.4.0", "1.5.21")),
    Handler("Microsoft.Compute", "VMAccessAgent", "Windows", ("2.4.10",)),
    Handler("Microsoft.EnterpriseCloud.Monitoring", "OmsAgentForLinux", "Linux", ("1.19.0",)),
    Handler("Microsoft.EnterpriseCloud.Monitoring", "MicrosoftMonitoringAgent", "Windows", ("1.0.18067.0",)),
    Handler("Microsoft.Azure.KeyVault", "KeyVaultForLinux", "Linux", ("2.2.0", "3.0.1")),
    Handler("Microsoft.Azure.KeyVault", "KeyVaultForWindows", "Windows", ("1.0.0", "3.1.0")),
    Handler(_SECURITY, "AzureDiskEncryptionForLinux", "Linux", ("0.1.0.999", "1.1.0.60", "1.4.0.7")),
    Handler(_SECURITY, "AzureDiskEncryption", "Windows", ("1.1.0.4", "2.2.0.45", "2.4.0.4")),
    Handler("Microsoft.Azure.RecoveryServices", "VMSnapshotLinux", "Linux", ("1.0.9217.0",)),
    Handler("Microsoft.Azure.RecoveryServices", "VMSnapshot", "Windows", ("1.0.97.0",)),
    Handler("Microsoft.Azure.AzureDefenderForServers", "MDE.Linux", "Linux", ("1.0.5.0",)),
    Handler("Microsoft.Azure.AzureDefenderForServers", "MDE.Windows", "Windows", ("1.0.15.0",)),
    Handler("Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux", "Linux", ("1.4.3320.1",)),
    Handler("Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentWindows", "Windows", ("1.4.3422.1",)),
    Handler("Microsoft.ManagedServices", "ApplicationHealthLinux", "Linux", ("1.0.6", "2.0.12")),
    Handler("Microsoft.ManagedServices", "ApplicationHealthWindows", "Windows", ("1.0.8", "2.0.10")),
    Handler("Microsoft.Compute", "JsonADDomainExtension", "Windows", ("1.3.20",)),
)
ENCRYPTING = ("azurediskencryption", "azurediskencryptionforlinux")
SCRIPTS = ("customscript", "customscriptextension")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An extension that is being installed, and where."""

    guest: Guest
    vm: Json
    installed: frozenset[str]
    """Types of the other extensions of the machine, in lower case."""
    settings: Mapping[str, Any]
    secret: Mapping[str, Any]
    """Its protected settings, which nothing keeps."""


def find(publisher: object, kind: object) -> Handler | None:
    """Return the handler of a publisher and type."""
    return next(
        (each for each in HANDLERS if same(each.publisher, publisher) and same(each.kind, kind)), None
    )


def install(kind: str, installation: Installation) -> str | None:
    """Let an extension do its work; return what the agent reports where it fails."""
    effect = _EFFECTS.get(kind.lower())
    return None if effect is None else effect(installation)


def remove(kind: str, guest: Guest) -> None:
    """Let an extension go: Linux refuses Entra logins from then on, Windows stays joined."""
    if kind.lower() == "aadsshloginforlinux":
        guest.takes_entra_logins = False
        guest.packages.pop("aadsshlogin", None)


def _has_system_identity(vm: Json) -> bool:
    return "systemassigned" in str(look(vm, "identity.type") or "").lower()


def _enter_linux(this: Installation) -> str | None:
    if not _has_system_identity(this.vm):
        return "Non-zero exit code: 22: the VM has no system-assigned managed identity"
    if "aadloginforlinux" in this.installed:
        return "Non-zero exit code: 23: AADLoginForLinux is installed and has to be uninstalled first"
    this.guest.takes_entra_logins = True
    this.guest.packages["aadsshlogin"] = "1.0.027980001"
    return None


def _enter_windows(this: Installation) -> str | None:
    if not _has_system_identity(this.vm):
        return "AAD Join failed with status code: -2145648574 (DSREG_E_MSI_TENANTID_UNAVAILABLE)."
    if this.guest.domain:
        return "AAD Join failed with status code: -2145648607 (DSREG_AUTOJOIN_DISC_FAILED)."
    this.guest.takes_entra_logins = True
    return None


def _attest(this: Installation) -> str | None:
    profile = look(this.vm, "properties.securityProfile")
    flags = ("uefiSettings.secureBootEnabled", "uefiSettings.vTpmEnabled")
    if all(look(profile, each) is True for each in flags):
        return None
    return "Guest attestation needs Trusted Launch with Secure Boot and vTPM"


def _access_linux(this: Installation) -> str | None:
    """VMAccess: `PasswordAuthentication yes` where a password comes, and never `no`; keys are added."""
    secret, files = this.secret, this.guest.files
    name, password, key = (secret.get(each) for each in ("username", "password", "ssh_key"))
    if secret.get("reset_ssh"):
        files.plant(sshd.MAIN, "PasswordAuthentication yes\nUsePAM yes\n")
    elif name and not (password or key):
        return "No password or ssh_key is specified."
    if name:
        number = 1000 + len(this.guest.users)
        user = this.guest.users.setdefault(
            str(name), Account(name=str(name), number=number, home=f"/home/{name}", has_password=False)
        )
        user.is_administrator = True
        user.has_password = user.has_password or bool(password)
        path = f"{user.home}/.ssh/authorized_keys"
        before = files.read(path) if files.is_file(path) and not secret.get("remove_prior_keys") else ""
        if key:
            files.plant(path, f"{before}{key}\n", 0o600)
    if password and files.is_file(sshd.MAIN):
        text = files.read(sshd.MAIN)
        files.write(sshd.MAIN, f"PasswordAuthentication yes\n{text}")
    reading = sshd.read(files)
    if reading.is_valid:
        this.guest.sshd_in_force = reading.settings()
    return None


def _encrypt(this: Installation) -> str | None:
    if this.guest.family == "linux":
        linux_birth.encrypt(this.guest)
        return None
    for disk in this.guest.disks:
        for part in disk.partitions:
            if part.mount:
                part.is_bitlocked = part.is_protected = True
    return None


_EFFECTS: dict[str, Callable[[Installation], str | None]] = {
    "aadsshloginforlinux": _enter_linux,
    "aadloginforwindows": _enter_windows,
    "guestattestation": _attest,
    "vmaccessforlinux": _access_linux,
    "azurediskencryption": _encrypt,
    "azurediskencryptionforlinux": _encrypt,
}
