"""What a folder lets SQLite do: its locks do not hold on network file systems, and some can only be read."""

import os
from pathlib import Path, PurePosixPath

from readiness.errors import JournalError

_MOUNTS = Path("/proc/mounts")
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"})


def insist_on_local(folder: Path) -> None:
    """Refuse a folder on a network file system, where this machine says what its file systems are.

    Raises:
        JournalError: The folder is on a network file system.
    """
    if not _MOUNTS.exists():
        return
    kind = file_system_of(PurePosixPath(folder.absolute().as_posix()), _MOUNTS.read_text(encoding="utf-8"))
    if kind in _NETWORK:
        raise JournalError(
            f"The state folder {folder} is on a network file system ({kind}).",
            details="The locks that keep two runs apart do not hold there.",
            remedy="Give a folder on a local disk with --state.",
        )


def address_to_read(path: Path) -> str:
    """Return the address under which SQLite opens a file to read, in a folder that cannot be written too.

    To read in write-ahead mode SQLite writes beside the file. Where it cannot, as in a backup, a file that is
    complete, because no log lies beside it, is read as one that nobody changes.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    is_complete = not path.with_name(f"{path.name}-wal").exists()
    return f"{address}&immutable=1" if is_complete and not os.access(path.parent, os.W_OK) else address


def file_system_of(folder: PurePosixPath, mounts: str) -> str:
    """Return the file system type of a folder, given the text of `/proc/mounts`; empty if it is not told."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004  device, mount point, type
            continue
        point = PurePosixPath(fields[1].replace("\\040", " "))
        if (point == folder or point in folder.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
