"""How disks are laid out: the partitions that images of each kind of system bring along.

Plausible, not measured: Ubuntu, Debian and SUSE images carry a BIOS boot partition and an EFI system
partition, so that they boot either way; Red Hat's keep /boot apart; Windows images follow their generation.
"""

from readiness.twin.guest.system import Disk, Partition, Style
from readiness.twin.operations import identifier

_MB_IN_GB = 1024
LAYOUT_ESP_MB = 100
"""Of an EFI system partition that a conversion makes."""
_LETTERS = "acdefghijklmnopqrstuvwxyz"
"""Of devices: the second one is the temporary disk, which is not modelled."""


def os_disk(*, is_windows: bool, is_red_hat: bool, style: Style, size_gb: int, resource_id: str) -> Disk:
    """Return the disk of an operating system."""
    size = size_gb * _MB_IN_GB
    if is_windows:
        parts = _windows_gpt(size) if style == "gpt" else _windows_mbr(size)
    elif style == "mbr":
        parts = [Partition(number=1, kind="data", size_mb=size - 2, file_system="ext4", mount="/")]
        parts[0].is_active = True
    else:
        parts = _red_hat(size) if is_red_hat else _ubuntu(size)
    return _numbered(
        Disk(device="sda", number=0, size_mb=size, style=style, partitions=parts, resource_id=resource_id)
    )


def data_disk(position: int, *, is_windows: bool, size_gb: int, resource_id: str) -> Disk:
    """Return the disk of data at a position: one file system on all of it."""
    size = size_gb * _MB_IN_GB
    mount = f"{'FGHIJKLMNOPQRSTUVWXY'[position % 20]}:" if is_windows else f"/data{position + 1}"
    part = Partition(
        number=1,
        kind="data",
        size_mb=size - 2,
        file_system="NTFS" if is_windows else "xfs",
        mount=mount,
        label="Data" if is_windows else "",
    )
    device = f"sd{_LETTERS[(position + 1) % len(_LETTERS)]}"
    disk = Disk(
        device=device,
        number=position + 2,
        size_mb=size,
        style="gpt",
        partitions=[part],
        resource_id=resource_id,
    )
    return _numbered(disk)


def _ubuntu(size: int) -> list[Partition]:
    root = Partition(number=1, kind="data", size_mb=size - 111, file_system="ext4", mount="/")
    root.label = "cloudimg-rootfs"
    bios = Partition(number=14, kind="bios", size_mb=4)
    esp = Partition(number=15, kind="efi", size_mb=106, file_system="vfat", mount="/boot/efi", label="UEFI")
    return [root, bios, esp]


def _red_hat(size: int) -> list[Partition]:
    esp = Partition(number=1, kind="efi", size_mb=500, file_system="vfat", mount="/boot/efi")
    boot = Partition(number=2, kind="data", size_mb=500, file_system="xfs", mount="/boot")
    bios = Partition(number=3, kind="bios", size_mb=2)
    root = Partition(number=4, kind="data", size_mb=size - 1004, file_system="xfs", mount="/")
    return [esp, boot, bios, root]


def _windows_gpt(size: int) -> list[Partition]:
    return [
        Partition(number=1, kind="recovery", size_mb=450, file_system="NTFS", label="Recovery"),
        Partition(number=2, kind="efi", size_mb=99, file_system="FAT32"),
        Partition(number=3, kind="reserved", size_mb=16),
        Partition(number=4, kind="data", size_mb=size - 567, file_system="NTFS", mount="C:", label="Windows"),
    ]


def _windows_mbr(size: int) -> list[Partition]:
    system = Partition(number=1, kind="data", size_mb=500, file_system="NTFS", label="System Reserved")
    system.is_active = True
    windows = Partition(
        number=2, kind="data", size_mb=size - 502, file_system="NTFS", mount="C:", label="Windows"
    )
    return [system, windows]


def _numbered(disk: Disk) -> Disk:
    for part in disk.partitions:
        part.uuid = identifier("partition", disk.resource_id, disk.device, part.number)
    return disk
