"""Which operating systems run under Trusted Launch, by what Azure reports of them.

The instance view's name decides where it names a version, for it knows of upgrades in place; else the image.
What neither list knows is unknown: an image may be a vendor's appliance that never boots again.
"""

import re

from readiness.model.virtual_machine import VirtualMachine


def system_of(vm: VirtualMachine) -> tuple[str, bool | None]:
    """Return what is known of the VM's operating system, and whether it runs under Trusted Launch."""
    image = vm.image
    listed = " ".join(part for part in (image.publisher, image.offer, image.sku) if part) if image else ""
    for text in (vm.os_name or "", listed):
        supported = _is_supported(text.lower())
        if supported is not None:
            return text, supported
    return listed or vm.os_name or "", None


def _is_supported(text: str) -> bool | None:
    if _UNSUPPORTED.search(text):
        return False
    return True if _SUPPORTED.search(text) else None


_UNSUPPORTED = re.compile(
    r"windows.*\b(2003|2008|2012)|\bcentos\b|\brhel\b.* [67]([._-]|$)|\bsles\b.*[ -]1[12]\b"
    r"|\bcanonical\b.*\b1[246][._]04|\bdebian\b.* (debian-)?([789]|10)\b|\bfreebsd\b"
)
_SUPPORTED = re.compile(
    r"windows ?server.*\b(2016|2019|2022|2025)|\bwindows[ -]?1[01]\b"
    r"|\bcanonical\b.*\b(18|20|22|24|26)[._]04|\bcanonical ubuntu-(18|20|22|24|26)[._]04"
    r"|\brhel\b.* (8[._]?(6|8|10)|9[._]?[4-8]|10([._]?[0-2])?|[89])(?![.\d]|_\d)"
    r"|\bsles-15-sp[3-7]\b|\bsles-16\b|\bdebian\b.* (debian-)?1[123]\b"
    r"|\balmalinux\b.* (8|9|10)-|\bmicrosoftcblmariner\b|\bazure-linux"
)
