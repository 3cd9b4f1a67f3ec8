"""Disks, partitions and file systems, as the usual tools show them."""

import posixpath

from readiness.twin.guest.shell.process import CommandCode, Process
from readiness.twin.guest.system import Disk, Guest, Partition

_SECTORS = 2048
"""Sectors in a MiB."""
_GPT_NAMES = {
    "efi": ("EFI System", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
    "bios": ("BIOS boot", "21686148-6449-6e6f-744e-656564454649"),
}
_LINUX = ("Linux filesystem", "0fc63daf-8483-4772-8e79-3d69d8477de4")
_COLUMNS = ("NAME", "MAJ:MIN", "RM", "SIZE", "RO", "TYPE", "MOUNTPOINTS")


def _device(disk: Disk, part: Partition | None) -> str:
    return disk.device + (str(part.number) if part else "")


def find(guest: Guest, path: str) -> tuple[Disk, Partition | None] | None:
    """Return the disk, or the partition, of a device."""
    name = path.removeprefix("/dev/")
    for disk in guest.disks:
        if disk.device == name:
            return disk, None
        for part in disk.partitions:
            if _device(disk, part) == name:
                return disk, part
    return None


def at_mount(guest: Guest, path: str) -> tuple[Disk, Partition] | None:
    """Return the partition on which a path lies."""
    mounts = [(part.mount, disk, part) for disk in guest.disks for part in disk.partitions if part.mount]
    while True:
        for mount, disk, part in mounts:
            if mount == path:
                return disk, part
        if path in ("/", ""):
            return None
        path = posixpath.dirname(path)


def _missing(process: Process, path: str, code: int) -> int:
    return process.fail(f"{path}: not a block device", code)


def _blkid(process: Process) -> int:
    args, form = list(process.args), "full"
    tags: list[str] = []
    paths: list[str] = []
    while args:
        word = args.pop(0)
        if word in ("-s", "-o"):
            value = args.pop(0)
            tags, form = ([*tags, value], form) if word == "-s" else (tags, value)
        elif not word.startswith("-"):
            paths.append(word)
    guest = process.guest
    rows = [find(guest, each) for each in paths] if paths else _all(guest)
    shown = 0
    for row in rows:
        facts = {} if row is None else _tags(*row)
        facts = {name: value for name, value in facts.items() if value and (not tags or name in tags)}
        if row is None or not facts:
            continue
        shown += 1
        if form == "value":
            process.say(*facts.values())
        elif form == "export":
            process.say(
                f"DEVNAME=/dev/{_device(*row)}", *(f"{name}={value}" for name, value in facts.items())
            )
        else:
            listed = " ".join(f'{name}="{value}"' for name, value in facts.items())
            process.say(f"/dev/{_device(*row)}: {listed}")
    return 0 if shown else 2


def _all(guest: Guest) -> list[tuple[Disk, Partition | None] | None]:
    return [(disk, part) for disk in guest.disks for part in disk.partitions]


def _tags(disk: Disk, part: Partition | None) -> dict[str, str]:
    if part is None:
        return {"PTTYPE": {"gpt": "gpt", "mbr": "dos"}.get(disk.style, "")}
    return {
        "LABEL": part.label,
        "UUID": part.uuid if part.file_system else "",
        "TYPE": part.file_system,
        "PARTUUID": part.uuid[:13],
    }


def _lsblk(process: Process) -> int:
    args, columns, is_bare, paths, letters = list(process.args), list(_COLUMNS), False, [], ""
    while args:
        word = args.pop(0)
        if word.startswith("--"):
            return process.fail(f"unrecognized option '{word}'")
        if word.startswith("-"):
            letters += word[1:]
            if word.endswith("o") and args:
                columns = args.pop(0).upper().split(",")
        else:
            paths.append(word)
    is_bare = "n" in letters
    if "f" in letters:
        columns = ["NAME", "FSTYPE", "LABEL", "UUID", "MOUNTPOINTS"]
    guest = process.guest
    rows: list[tuple[Disk, Partition | None]] = []
    for path in paths or [f"/dev/{disk.device}" for disk in guest.disks]:
        found = find(guest, path)
        if found is None:
            return _missing(process, path, 32)
        rows.append(found)
        if found[1] is None and "d" not in letters:
            rows += [(found[0], part) for part in found[0].partitions]
    table = [] if is_bare else [columns]
    is_tree = "l" not in letters and "r" not in letters and len(columns) > 1
    table += [[_cell(name, *row, is_tree=is_tree) for name in columns] for row in rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(columns))]
    for cells in table:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        process.say(" ".join(padded).rstrip())
    return 0


def _cell(name: str, disk: Disk, part: Partition | None, *, is_tree: bool) -> str:
    cells = {
        "NAME": ("└─" if part and is_tree else "") + _device(disk, part),
        "KNAME": _device(disk, part),
        "PATH": f"/dev/{_device(disk, part)}",
        "PKNAME": disk.device if part else "",
        "SIZE": _size(part.size_mb if part else disk.size_mb),
        "TYPE": "part" if part else "disk",
        "PTTYPE": {"gpt": "gpt", "mbr": "dos"}.get(disk.style, ""),
        "MAJ:MIN": "8:0",
        "RM": "0",
        "RO": "0",
    }
    if part is not None:
        known = _GPT_NAMES.get(part.kind, _LINUX) if disk.style == "gpt" else ("", "")
        cells |= {"MOUNTPOINT": part.mount, "MOUNTPOINTS": part.mount, "FSTYPE": part.file_system}
        cells |= {"PARTTYPENAME": known[0], "PARTTYPE": known[1], "LABEL": part.label}
        cells["UUID"] = part.uuid if part.file_system else ""
    return cells.get(name, "")


def _size(megabytes: int) -> str:
    return f"{megabytes / 1024:.4g}G" if megabytes >= 1024 else f"{megabytes}M"  # noqa: PLR2004


def _fdisk(process: Process) -> int:
    if process.args[:1] != ["-l"]:
        return process.fail("the guest knows 'fdisk -l' only")
    disks = process.guest.disks
    if process.args[1:]:
        found = find(process.guest, process.args[1])
        if found is None:
            return process.fail(f"cannot open {process.args[1]}: No such file or directory")
        disks = [found[0]]
    for disk in disks:
        sectors = disk.size_mb * _SECTORS
        process.say(
            f"Disk /dev/{disk.device}: {disk.size_mb / 1024:.4g} GiB, {sectors * 512} bytes, "
            f"{sectors} sectors",
            f"Disklabel type: {'gpt' if disk.style == 'gpt' else 'dos'}",
            "",
            f"{'Device':12}{'Size':>8} Type",
        )
        for part in disk.partitions:
            kind = _GPT_NAMES.get(part.kind, _LINUX)[0] if disk.style == "gpt" else "Linux"
            process.say(f"/dev/{_device(disk, part):7}{part.size_mb:>7}M {kind}")
        process.say("")
    return 0


def _parted(process: Process) -> int:
    words = [each for each in process.args if not each.startswith("-")]
    disks = process.guest.disks
    if words and words[0].startswith("/dev/"):
        found = find(process.guest, words[0])
        if found is None:
            return process.fail(f"Error: Could not stat device {words[0]} - No such file or directory.")
        disks = [found[0]]
    if words[-1:] != ["print"]:
        return process.fail("the guest knows 'parted -s [DEVICE] print' only")
    for disk in disks:
        process.say(
            "Model: Msft Virtual Disk (scsi)",
            f"Disk /dev/{disk.device}: {disk.size_mb}MB",
            f"Partition Table: {'gpt' if disk.style == 'gpt' else 'msdos'}",
            "",
            "Number  Size    File system  Flags",
        )
        for part in disk.partitions:
            flag = {"efi": "boot, esp", "bios": "bios_grub"}.get(part.kind, "boot" if part.is_active else "")
            shown = "fat32" if part.file_system == "vfat" else part.file_system
            process.say(f"{part.number:>2}      {part.size_mb}MB  {shown:11}  {flag}".rstrip())
        process.say("")
    return 0


def _df(process: Process) -> int:
    paths = [each for each in process.args if not each.startswith("-")] or ["/"]
    process.say(f"{'Filesystem':14} {'1K-blocks':>10} {'Used':>10} {'Available':>10} Use% Mounted on")
    for each in paths:
        found = at_mount(process.guest, process.path(each))
        if found is None:
            return process.fail(f"{each}: No such file or directory")
        disk, part = found
        total = part.size_mb * 1024
        used = total * 2 // 5
        process.say(
            f"/dev/{_device(disk, part):9} {total:>10} {used:>10} {total - used:>10}  40% {part.mount}"
        )
    return 0


def _findmnt(process: Process) -> int:
    args, columns, target, letters = list(process.args), ["TARGET", "SOURCE", "FSTYPE"], "/", ""
    while args:
        word = args.pop(0)
        if word.startswith("-"):
            letters += word.strip("-")
            columns = args.pop(0).upper().split(",") if word.endswith("o") else columns
        else:
            target = word
    mounts = ((disk, part) for disk in process.guest.disks for part in disk.partitions)
    found = next((each for each in mounts if each[1].mount == target), None)
    if found is None:
        return 1
    disk, part = found
    cells = {"TARGET": part.mount, "SOURCE": f"/dev/{_device(disk, part)}", "FSTYPE": part.file_system}
    if "n" not in letters:
        process.say(" ".join(columns))
    return process.say(" ".join(cells.get(name, "") for name in columns))


def _cryptsetup(process: Process) -> int:
    if process.args[:1] == ["isLuks"]:
        found = find(process.guest, process.args[-1])
        return 0 if found and found[1] and found[1].kind == "crypt" else 1
    if process.args[:1] == ["status"]:
        is_on = any(part.kind == "crypt" for disk in process.guest.disks for part in disk.partitions)
        name = process.args[-1]
        return process.say(
            f"/dev/mapper/{name} is active." if is_on else f"/dev/mapper/{name} is inactive."
        ) or (0 if is_on else 4)
    return process.fail("the guest knows 'cryptsetup status' and 'isLuks' only")


COMMANDS: dict[str, CommandCode] = {
    "blkid": _blkid,
    "lsblk": _lsblk,
    "fdisk": _fdisk,
    "parted": _parted,
    "df": _df,
    "findmnt": _findmnt,
    "cryptsetup": _cryptsetup,
}
