"""MBR2GPT: validates a disk and converts it, with the exit codes of its manual.

Learn, "MBR2GPT.EXE": a disk has to have an MBR, at most three primary partitions, an active system partition,
and no volume that is encrypted and protected; a new EFI system partition of 100 MB is made at the expense of
the operating system's. The conversion changes the disk, not the firmware, and is never taken back.
"""

from typing import Any

from readiness.twin.guest.layouts import LAYOUT_ESP_MB
from readiness.twin.guest.powershell import values
from readiness.twin.guest.powershell.invocation import Command, Invocation
from readiness.twin.guest.system import Disk, Partition
from readiness.twin.operations import identifier

_BAD_ARGUMENTS = 4
_ENCRYPTED = 6
_LAYOUT = 7
_MOST_PRIMARIES = 3
_KNOWN = {"/validate", "/convert", "/allowfullos", "/disk", "/logs", "/map", "/?"}


def _mbr2gpt(run: Invocation) -> list[Any]:
    words = [values.shown(each).lower() for each in run.args]
    verbs = {word for word in words if word in ("/validate", "/convert")}
    if len(verbs) != 1 or any(word.partition(":")[0] not in _KNOWN for word in words):
        return run.ended(_BAD_ARGUMENTS, "MBR2GPT: Invalid arguments.")
    if "/allowfullos" not in words:
        return run.ended(
            _BAD_ARGUMENTS,
            "ERROR: MBR2GPT can only be used from the Windows Preinstallation Environment. Use "
            "/allowFullOS to override.",
        )
    disk = run.guest.os_disk
    number = next((word.partition(":")[2] for word in words if word.startswith("/disk:")), str(disk.number))
    lines = [f"MBR2GPT: Attempting to validate disk {number}", "MBR2GPT: Retrieving layout of disk"]
    if number != str(disk.number):
        return run.ended(_LAYOUT, *lines, "Disk layout validation failed for disk " + number)
    code = _obstacle(disk)
    lines.append("MBR2GPT: Validating layout, disk sector size is: 512 bytes")
    if code:
        return run.ended(code, *lines, f"Disk layout validation failed for disk {number}")
    if "/validate" in words:
        return run.ended(0, *lines, "MBR2GPT: Validation completed successfully")
    _convert(disk)
    return run.ended(
        0,
        f"MBR2GPT will now attempt to convert disk {number}.",
        "If conversion is successful the disk can only be booted in GPT mode.",
        "These changes cannot be undone!",
        "",
        *lines,
        "MBR2GPT: Trying to shrink the system partition",
        "MBR2GPT: Trying to shrink the OS partition",
        "MBR2GPT: Creating the EFI system partition",
        "MBR2GPT: Installing the new boot files",
        "MBR2GPT: Performing the layout conversion",
        "MBR2GPT: Migrating default boot entry",
        "MBR2GPT: Adding recovery boot entry",
        "MBR2GPT: Fixing drive letter mapping",
        "MBR2GPT: Conversion completed successfully",
        "MBR2GPT: Before the new system can boot properly you need to switch the firmware to boot to UEFI "
        "mode!",
    )


def _obstacle(disk: Disk) -> int:
    """Return the exit code of what stands in the way, or 0."""
    if disk.style != "mbr" or len(disk.partitions) > _MOST_PRIMARIES:
        return _LAYOUT
    if not any(part.is_active for part in disk.partitions):
        return _LAYOUT
    if any(part.is_protected for part in disk.partitions):
        return _ENCRYPTED
    return 0


def _convert(disk: Disk) -> None:
    windows = next(part for part in disk.partitions if part.mount == "C:")
    windows.size_mb -= LAYOUT_ESP_MB
    number = len(disk.partitions) + 1
    esp = Partition(number=number, kind="efi", size_mb=LAYOUT_ESP_MB, file_system="FAT32")
    esp.uuid = identifier("partition", disk.resource_id, disk.device, number)
    disk.partitions.append(esp)
    for part in disk.partitions:
        part.is_active = False
    disk.style = "gpt"


COMMANDS: dict[str, Command] = {"mbr2gpt": _mbr2gpt}
