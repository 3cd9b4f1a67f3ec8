"""A guest: an operating system with its files, accounts, logins, services, kernel modules and disks.

Holds what is true inside a machine, and answers questions about it; `birth` makes one from the facts of its
resource, commands look at it and change it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from readiness.twin.guest.files import Files

Method: TypeAlias = Literal["password", "publickey", "entra"]
Style: TypeAlias = Literal["gpt", "mbr", "raw"]
RED_HAT = ("rhel", "almalinux", "rocky", "ol", "azurelinux")


@dataclass(slots=True, kw_only=True)
class Account:
    """A local account."""

    name: str
    number: int
    home: str
    has_password: bool
    is_locked: bool = False
    is_administrator: bool = False
    is_enabled: bool = True
    shell: str = "/bin/bash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody who came in over the network."""

    user: str
    method: Method
    when: datetime
    source: str


@dataclass(slots=True, kw_only=True)
class Service:
    """A service, and whether it runs."""

    name: str
    description: str
    state: Literal["active", "inactive", "failed"] = "active"
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A kernel module that is loaded."""

    name: str
    is_signed: bool = True
    file: str = ""


@dataclass(slots=True, kw_only=True)
class Partition:
    """A part of a disk."""

    number: int
    kind: Literal["efi", "bios", "data", "reserved", "recovery", "crypt"]
    size_mb: int
    file_system: str = ""
    mount: str = ""
    """Where it is mounted, or its drive letter."""
    label: str = ""
    uuid: str = ""
    is_active: bool = False
    is_bitlocked: bool = False
    is_protected: bool = False
    """Of a BitLocker volume: whether its protectors are on."""


@dataclass(slots=True, kw_only=True)
class Disk:
    """A disk as the guest sees it."""

    device: str
    number: int
    size_mb: int
    style: Style
    partitions: list[Partition]
    resource_id: str = ""

    @property
    def esp(self) -> Partition | None:
        """Return the EFI system partition."""
        return next((each for each in self.partitions if each.kind == "efi"), None)


@dataclass(slots=True, kw_only=True)
class Guest:
    """What runs inside a machine."""

    family: Literal["linux", "windows"]
    distribution: str
    """As /etc/os-release names it: `ubuntu`, `rhel`; of Windows, `windows`."""
    version: str
    title: str
    kernel: str
    host_name: str
    files: Files = field(default_factory=Files)
    users: dict[str, Account] = field(default_factory=dict)
    logins: list[Login] = field(default_factory=list)
    services: dict[str, Service] = field(default_factory=dict)
    modules: list[Module] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)
    disks: list[Disk] = field(default_factory=list)
    registry: dict[str, dict[str, int | str]] = field(default_factory=dict)
    """Values by name, by the key in lower case."""
    has_unsigned_boot: bool = False
    """Whether a boot loader, kernel or boot driver carries no signature that the firmware trusts."""
    is_uefi: bool = False
    """How it was booted the last time; Secure Boot and the TPM likewise."""
    is_secure_boot: bool = False
    has_tpm: bool = False
    booted: datetime
    needs_reboot: bool = False
    domain: str = ""
    is_domain_controller: bool = False
    cluster: str = ""
    takes_entra_logins: bool = False
    has_current_certificates: bool = True
    """Whether firmware and boot manager carry the Secure Boot certificates of 2023."""
    sshd_in_force: dict[str, str] = field(default_factory=dict)
    """The settings sshd last read with success: what it acts by until it is reloaded."""
    console: list[str] = field(default_factory=list)
    """What the last boot wrote to the serial console."""

    @property
    def is_red_hat(self) -> bool:
        """Tell whether this is of Red Hat's family: rpm, an `sshd` service, bash for a shell."""
        return self.distribution in RED_HAT

    @property
    def ssh_unit(self) -> str:
        """Return the name of the SSH service."""
        return "ssh" if self.distribution in ("ubuntu", "debian") else "sshd"

    @property
    def os_disk(self) -> Disk:
        """Return the disk it was booted from."""
        return self.disks[0]

    def seen_logins(self, now: datetime) -> list[Login]:
        """Return who has come in by now, newest first; with an Entra account only where that is possible."""
        seen = (
            each
            for each in self.logins
            if each.when <= now and (each.method != "entra" or self.takes_entra_logins)
        )
        return sorted(seen, key=lambda each: each.when, reverse=True)


def hindrance(guest: Guest) -> str | None:
    """Return what keeps a guest from booting with its firmware, or None.

    Learn, "Azure Linux virtual machine fails to boot with UEFI", "Upgrade Gen1 VMs to Trusted Launch" and
    "Trusted Launch - FAQ": UEFI needs an EFI system partition, Windows on a GPT disk needs UEFI, and with
    Secure Boot every boot component has to be signed.
    """
    disk = guest.os_disk
    if guest.is_uefi and (disk.style != "gpt" or disk.esp is None):
        return "The boot loader did not load an operating system."
    if not guest.is_uefi and guest.family == "windows" and disk.style == "gpt":
        return "No bootable device was found."
    if guest.is_secure_boot and guest.has_unsigned_boot:
        return "The boot loader failed: Secure Boot violation, an image has no signature that is trusted."
    return None
