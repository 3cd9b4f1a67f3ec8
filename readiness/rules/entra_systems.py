"""Which operating systems Entra login is documented for, and which images guest configuration never looks at.

A table that Azure changes, kept as data. What no line knows is not listed, which is not the same as refused.
"""

import re

from msgspec import Struct

from readiness.model.virtual_machine import VirtualMachine


class SystemLine(Struct, frozen=True):
    """One system: how images of it are named, and whether Entra login is documented for it."""

    name: str
    pattern: str
    is_listed: bool


class SystemTable(Struct, frozen=True, kw_only=True):
    """Lines that are tried from top to bottom, and when they were last compared with the document."""

    verified_on: str
    lines: tuple[SystemLine, ...]


def entra_login_on(vm: VirtualMachine) -> tuple[str, bool | None]:
    """Return the system a Linux VM runs, and whether Entra login is documented for it."""
    text = _image_text(vm)
    for line in LINUX_LOGIN.lines:
        if re.search(line.pattern, text):
            return line.name, line.is_listed
    return text or (vm.os_name or ""), None


def guest_configuration_skips(vm: VirtualMachine) -> bool:
    """Tell whether the built-in policies leave the VM's image out, so that its guest is never looked at."""
    text = _image_text(vm)
    return any(re.search(pattern, text) for pattern in SKIPPED_IMAGES)


def _image_text(vm: VirtualMachine) -> str:
    image = vm.image
    parts = (image.publisher, image.offer, image.sku) if image else (vm.os_name,)
    return " ".join(part for part in parts if part).lower()


LINUX_LOGIN = SystemTable(
    verified_on="2026-11",
    lines=(
        SystemLine("Ubuntu before 16.04", r"canonical.*\b(10|12|14)[._]\d\d", is_listed=False),
        SystemLine("Ubuntu 16.04 to 24.04", r"canonical.*\b(16|18|20|22|24)[._]04", is_listed=True),
        SystemLine("RHEL before 7.4", r"\brhel\b.* (6|7[._]?[0-3](?!\d))", is_listed=False),
        SystemLine("RHEL before 8.3", r"\brhel\b.* 8[._]?[0-2](?!\d)", is_listed=False),
        SystemLine("RHEL 7.4 to 9", r"\brhel\b.* (7[._]?[4-9]|7-|8[._]?([3-9]|10)|8-|9)", is_listed=True),
        SystemLine("CentOS", r"\bcentos\b", is_listed=False),
        SystemLine("SLES 11", r"\bsles\b.*\b11\b", is_listed=False),
        SystemLine("SLES 12, 15 SP1 and later", r"\bsles\b.*\b(12\b|15-sp[1-9])", is_listed=True),
        SystemLine("openSUSE Leap", r"opensuse-leap.*\b(42-3|15-[1-9])", is_listed=True),
        SystemLine("Debian before 9", r"\bdebian\b.*\b[78]\b", is_listed=False),
        SystemLine("Debian 9 to 12", r"\bdebian-?(9|10|11|12)\b|\bdebian\b.* (9|10|11|12)\b", is_listed=True),
        SystemLine("Oracle Linux before 8", r"\boracle-linux\b.* (ol)?[67]", is_listed=False),
        SystemLine("Oracle Linux 8 and 9", r"\boracle-linux\b.* (ol)?[89]", is_listed=True),
        SystemLine("AlmaLinux 8 and 9", r"\balmalinux\b.*\b[89]", is_listed=True),
        SystemLine("Rocky Linux 8 and 9", r"\brocky.*\b[89]", is_listed=True),
        SystemLine("CBL-Mariner 1", r"\bcbl-mariner\b.*\b1\b", is_listed=False),
        SystemLine("Azure Linux", r"\bmicrosoftcblmariner\b|\bazure-?linux\b", is_listed=True),
        SystemLine("FreeBSD", r"\bfreebsd\b", is_listed=False),
    ),
)
"""Compared with "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID and OpenSSH"."""
SKIPPED_IMAGES = (
    r"^(redhat|openlogic|oracle|cloudera) \S+ 6",
    r"^suse \S+ 11",
    r"^canonical \S+ 12",
    r"^(azuredatabricks|azureopenshift) ",
)
"""Publisher, offer and SKU that the built-in policy for SSH keys leaves out, as of 2026-11."""
