"""Which operating system a VM runs, and what Azure's list for Trusted Launch says of it.

The instance view decides where it names a system and its version, for it knows of upgrades in place; else the
image. The lists themselves are reference data. What no list knows is unknown: an image may be a vendor's
appliance that never boots again.
"""

import re
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.reference import Reference, SystemEntry
from readiness.model.virtual_machine import OsFamily, VirtualMachine


class System(Struct, frozen=True, kw_only=True):
    """An operating system as far as it was recognised."""

    key: str
    """Such as `rhel`; empty where nothing was recognised."""
    version: str | None
    text: str
    """The words it was recognised by."""
    is_running: bool = False
    """The instance view said so, and not the image."""

    @property
    def told(self) -> str:
        """What a sentence calls it: in quotes by its own words, or the VM where nothing was reported."""
        return f"'{self.text}'" if self.text else "this VM"


class Support(Enum):
    """What the list says of a system."""

    LISTED = "listed"
    EARLIER = "earlier"
    """On an older list only."""
    NOT_LISTED = "not listed"
    UNKNOWN = "unknown"
    """Neither list names this version, only others of the same release; or nothing was recognised."""


def system_of(vm: VirtualMachine) -> System:
    """Return the VM's operating system, by its instance view first and its image second."""
    image = vm.image
    listed = " ".join(part for part in (image.publisher, image.offer, image.sku) if part) if image else ""
    seen = " ".join(part for part in (vm.os_name, vm.os_version) if part)
    running, built = _recognise_seen(vm, seen), _recognise(listed)
    for found in (running, built):
        if found.key and found.version:
            return found
    return next((found for found in (running, built) if found.key), built if listed else running)


def support_of(system: System, reference: Reference) -> Support:
    """Return what the list for Trusted Launch says of a system."""
    if not system.key or not reference.systems:
        return Support.UNKNOWN
    entry = _entry(system, reference)
    if entry is None:
        return Support.NOT_LISTED
    if system.version is None:
        return Support.UNKNOWN
    if _names(entry.current, system.version):
        return Support.LISTED
    if _names(entry.earlier, system.version):
        return Support.EARLIER
    release = system.version.partition(".")[0]
    return Support.UNKNOWN if _names((*entry.current, *entry.earlier), release) else Support.NOT_LISTED


def generation1_support_of(system: System, reference: Reference) -> Support:
    """Return whether the list lets a system be upgraded from generation 1."""
    entry = _entry(system, reference)
    if entry is None or entry.generation1 is None:
        return support_of(system, reference)
    if not entry.generation1:
        return Support.NOT_LISTED
    if system.version is None:
        return Support.UNKNOWN
    return Support.LISTED if _names(entry.generation1, system.version) else Support.NOT_LISTED


def _entry(system: System, reference: Reference) -> SystemEntry | None:
    return next((entry for entry in reference.systems if entry.system == system.key), None)


def _names(versions: tuple[str, ...], version: str) -> bool:
    """Tell whether a list names a version, or one within it where only the release is known."""
    return any(
        version == listed or version.startswith(f"{listed}.") or listed.startswith(f"{version}.")
        for listed in versions
    )


def _recognise_seen(vm: VirtualMachine, text: str) -> System:
    name = (vm.os_name or "").lower()
    if vm.os_family is OsFamily.WINDOWS or "windows" in name:
        return replace(_recognise(vm.os_name or ""), is_running=True)
    key = next((key for word, key in _SEEN if word in name), "")
    numbers = _NUMBERS.match((vm.os_version or "").lower())
    version = ".".join(part for part in numbers.groups() if part) if numbers else None
    return System(key=key, version=version, text=text, is_running=True)


def _recognise(text: str) -> System:
    lowered = text.lower()
    for key, pattern in _IMAGES:
        found = pattern.search(lowered)
        if found is not None:
            version = ".".join(part for part in found.groups() if part)
            return System(key=key, version=version or None, text=text)
    return System(key="", version=None, text=text)


_SEEN = (
    ("ubuntu", "ubuntu"),
    ("redhat", "rhel"),
    ("red hat", "rhel"),
    ("rhel", "rhel"),
    ("centos", "centos"),
    ("almalinux", "almalinux"),
    ("rocky", "rocky"),
    ("oracle", "oracle"),
    ("sles", "sles"),
    ("suse", "sles"),
    ("debian", "debian"),
    ("mariner", "azurelinux"),
    ("azurelinux", "azurelinux"),
    ("azure linux", "azurelinux"),
    ("freebsd", "freebsd"),
)
"""Words in the instance view's name of a system."""
_NUMBERS = re.compile(r"(\d+)(?:[.\-_]?(?:sp)?(\d+))?")
_IMAGES = (
    ("windows-server", re.compile(r"\bws(20\d\d)\b|windows ?server.*?\b(20\d\d)\b")),
    ("windows", re.compile(r"\bwindows[ -]?(7|8|10|11)\b|\bwin(7|8|10|11)\b")),
    ("ubuntu", re.compile(r"(?:\bcanonical\b|ubuntu).*?(?<!\d)(\d\d)[._]?(04|10)(?!\d)")),
    ("centos", re.compile(r"\bcentos\b(?:.*?\b(\d)(?:[._](\d+))?)?")),
    ("rhel", re.compile(r"\b(?:rhel|redhat)\b.*[ a-z-](10|[5-9])[._]?(\d{1,2})?(?!\d)")),
    ("almalinux", re.compile(r"\balmalinux\b.*?\b(\d{1,2})(?:[._](\d+))?")),
    ("rocky", re.compile(r"rocky.*? (?:.*\D)?(10|[89])(?:[._](\d+))?(?!\d)")),
    ("oracle", re.compile(r"\boracle\b.*\bol(10|\d)[._]?(\d{1,2})?(?!\d)")),
    ("sles", re.compile(r"\bsles\b.*?\b(1\d)(?:[-_ .]sp(\d)|[-_.](\d)\b)?")),
    ("debian", re.compile(r"\bdebian\b.*\b(\d{1,2})(?![\d.])")),
    ("azurelinux", re.compile(r"\b(?:mariner|azure-?linux)\b.*?-(\d)\b")),
    ("freebsd", re.compile(r"\bfreebsd\b")),
)
"""Publisher, offer and SKU of an image, or the whole name of a Windows, and the version in them."""
