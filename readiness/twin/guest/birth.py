"""A guest, made from what the resource of its machine says and from what a seed says of the guest.

Guarantees: the same facts, settings and seed make the same guest; what is said is so, whatever the facts;
what is drawn is drawn by seed and id, with the chances of `settings`. Says nothing about how a boot goes.
"""

import re
from datetime import timedelta

from readiness.twin.documents import Json, look, same
from readiness.twin.guest import layouts, linux_birth, windows_birth
from readiness.twin.guest.facts import Facts, is_windows
from readiness.twin.guest.settings import Settings
from readiness.twin.guest.system import RED_HAT, Account, Guest, Login, Method, Partition, Style
from readiness.twin.operations import draw

_PUBLISHERS = {
    "canonical": "ubuntu",
    "redhat": "rhel",
    "suse": "sles",
    "debian": "debian",
    "almalinux": "almalinux",
    "oracle": "ol",
    "microsoftcblmariner": "azurelinux",
}
_NAMES = {
    "ubuntu": "ubuntu",
    "red": "rhel",
    "rhel": "rhel",
    "sles": "sles",
    "suse": "sles",
    "debian": "debian",
}
_NAMES |= {"alma": "almalinux", "rocky": "rocky", "oracle": "ol", "mariner": "azurelinux", "centos": "rhel"}
_USUAL_VERSIONS = {"ubuntu": "22.04", "debian": "12", "sles": "15.5", "azurelinux": "3.0"}
_ADDRESSES = ("10.0.4.7", "10.0.4.21", "10.1.0.15", "192.168.20.3")
_DAYS = 28.0
ENDORSED = ("canonical", "redhat", "suse")
"""Publishers whose generation 1 images carry a GUID partition table and an EFI system partition: Learn,
"Upgrade existing Azure Gen1 VMs to Trusted launch"."""


def make(facts: Facts, settings: Settings) -> Guest:
    """Make the guest of a machine."""
    windows = is_windows(facts.vm)
    distribution, version = ("windows", _version(facts)) if windows else _distribution(facts)
    distribution = settings.distribution or distribution
    guest = Guest(
        family="windows" if windows else "linux",
        distribution=distribution,
        version=settings.version or version,
        title="",
        kernel="",
        host_name=str(look(facts.vm, "properties.osProfile.computerName") or facts.vm["name"]),
        booted=facts.now - timedelta(hours=1 + facts.number("uptime", 24 * 40)),
    )
    _lay_disks(guest, facts, settings)
    _add_users(guest, facts, settings)
    (windows_birth if windows else linux_birth).furnish(guest, facts, settings)
    _add_logins(guest, facts, settings)
    _decide(guest, facts, settings)
    for name, state in (settings.services or {}).items():
        if name in guest.services:
            guest.services[name].state = state
    for path, text in (settings.files or {}).items():
        if text is None:
            guest.files.remove(path)
        else:
            guest.files.plant(path, str(text))
    return guest


def _distribution(facts: Facts) -> tuple[str, str]:
    reported = str(facts.reported.get("osName") or "").lower()
    image = look(facts.vm, "properties.storageProfile.imageReference") or {}
    publisher = str(image.get("publisher") or "").lower()
    named = next((name for word, name in _NAMES.items() if word in reported), None)
    by_image = next((name for word, name in _PUBLISHERS.items() if word in publisher), None)
    # The agent knows better than the image; a view that was made up says what was made up for all.
    name = by_image if by_image and named in (None, "ubuntu") else named or "ubuntu"
    words = " ".join(str(image.get(each) or "") for each in ("offer", "sku"))
    found = re.search(r"(?<!\d)(\d\d?)[._](\d\d?)(?!\d)", words) or re.search(
        r"(?<!\d)(\d\d?)()(?!\d)", words
    )
    told = str(facts.reported.get("osVersion") or "")
    if by_image and found:
        return name, found[1] + (f".{found[2]}" if found[2] else "")
    return name, told or _USUAL_VERSIONS.get(name, "9.4")


def _version(facts: Facts) -> str:
    return str(facts.reported.get("osVersion") or "10.0.20348.2700")


def _lay_disks(guest: Guest, facts: Facts, settings: Settings) -> None:
    windows = guest.family == "windows"
    is_gpt = facts.is_gpt or facts.generation != "V1"
    style: Style = "gpt" if is_gpt else "mbr"
    if settings.partition_style is not None:
        style = "gpt" if settings.partition_style == "gpt" else "mbr"
    known = facts.disks[0] if facts.disks else None
    usual = 127 if windows else 30
    disk = layouts.os_disk(
        is_windows=windows,
        is_red_hat=guest.distribution in RED_HAT,
        style=style,
        size_gb=_size(known, usual),
        resource_id=str((known or {}).get("id") or ""),
    )
    for number in range(len(disk.partitions) + 1, (settings.primary_partitions or 0) + 1):
        disk.partitions.append(
            Partition(number=number, kind="recovery", size_mb=450, file_system="NTFS", label="Recovery")
        )
    guest.disks = [disk] + [
        layouts.data_disk(index, is_windows=windows, size_gb=_size(each, 64), resource_id=each["id"])
        for index, each in enumerate(facts.disks[1:])
    ]


def _size(disk: Json | None, usual: int) -> int:
    found = look(disk, "properties.diskSizeGB")
    return found if isinstance(found, int) else usual


def _add_users(guest: Guest, facts: Facts, settings: Settings) -> None:
    profile = look(facts.vm, "properties.osProfile") or {}
    linux = profile.get("linuxConfiguration") or {}
    administrator = str(profile.get("adminUsername") or "azureuser")
    windows = guest.family == "windows"
    told = settings.users or [{"name": administrator, "administrator": True}]
    for index, entry in enumerate(told):
        name = str(entry["name"])
        has_password = entry.get(
            "password", windows or linux.get("disablePasswordAuthentication") is not True
        )
        guest.users[name] = Account(
            name=name,
            number=(500 if windows else 1000) + index,
            home=f"C:\\Users\\{name}" if windows else f"/home/{name}",
            has_password=has_password,
            is_administrator=bool(entry.get("administrator", name == administrator)),
        )
        keys = [str(each.get("keyData") or "") for each in look(linux, "ssh.publicKeys") or []]
        if "keys" in entry:
            keys = [
                f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAItwin{index}{at} {name}" for at in range(entry["keys"])
            ]
        elif name != administrator:
            keys = []
        if keys and not windows:
            home = guest.users[name].home
            guest.files.plant(f"{home}/.ssh/authorized_keys", "".join(f"{key}\n" for key in keys), 0o600)
            guest.files.set_mode(f"{home}/.ssh", 0o700)


def _add_logins(guest: Guest, facts: Facts, settings: Settings) -> None:
    if settings.logins is not None:
        for entry in settings.logins:
            method: Method = entry.get("method", "publickey")
            _log_in(guest, facts, str(entry["user"]), method, float(entry.get("days_ago", 1)))
        return
    for user in guest.users.values():
        ways: list[tuple[Method, bool, str]] = [
            ("password", user.has_password, "password_login"),
            ("publickey", guest.files.is_file(f"{user.home}/.ssh/authorized_keys"), "key_login"),
        ]
        for method, is_possible, name in ways:
            if is_possible and facts.chance(settings, name):
                _log_in(guest, facts, user.name, method, _DAYS * draw(facts.seed, facts.vm["id"], method))
    if guest.takes_entra_logins and facts.chance(settings, "entra_login"):
        days = _DAYS * draw(facts.seed, facts.vm["id"], "entra")
        _log_in(guest, facts, "operator@example.com", "entra", days)


def _log_in(guest: Guest, facts: Facts, user: str, method: Method, days: float) -> None:
    source = _ADDRESSES[facts.number(f"source {user}", len(_ADDRESSES))]
    when = facts.now - timedelta(days=days)
    guest.logins.append(Login(user=user, method=method, when=when, source=source))


def _decide(guest: Guest, facts: Facts, settings: Settings) -> None:
    """Set what is said, or else drawn."""

    def said(value: bool | None, name: str) -> bool:  # noqa: FBT001  what a file says, or nothing
        return facts.chance(settings, name) if value is None else value

    guest.has_unsigned_boot = said(settings.unsigned_boot_component, "unsigned_boot_component")
    guest.needs_reboot = said(settings.reboot_required, "reboot_required")
    guest.domain = settings.domain or ""
    if settings.domain is None and facts.has_extension("JsonADDomainExtension"):
        guest.domain = "corp.example.com"
    guest.is_domain_controller = settings.domain_controller is True
    if guest.is_domain_controller and not guest.domain:
        guest.domain = "corp.example.com"
    guest.cluster = settings.cluster or ""
    is_shared = any((look(disk, "properties.maxShares") or 1) > 1 for disk in facts.disks)
    if settings.cluster is None and is_shared:
        guest.cluster = "cluster-1"
    if settings.certificates is not None:
        guest.has_current_certificates = settings.certificates == "2023"
    elif same(look(facts.vm, "properties.securityProfile.securityType"), "TrustedLaunch"):
        guest.has_current_certificates = not facts.chance(settings, "certificates_of_2011")
