"""A journal is kept on a local disk only."""

from pathlib import PurePosixPath

import pytest

from readiness.store.place import file_system_of

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
files:/export /home nfs4 rw 0 0
//server/my\\040share /mnt/my\\040share cifs rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
tmpfs /run tmpfs rw 0 0
garbage
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/var/state", "ext4"),
        ("/home/me/.readiness", "nfs4"),
        ("/home/local/state", "xfs"),
        ("/mnt/my share/state", "cifs"),
        ("/homeless", "ext4"),
        ("/run/x", "tmpfs"),
    ],
)
def test_the_longest_mount_point_decides(folder: str, expected: str) -> None:
    """A folder is on the file system of the deepest mount point above it."""
    assert expected == file_system_of(PurePosixPath(folder), MOUNTS)


def test_nothing_told_is_nothing_known() -> None:
    """Where no mount point is told, no file system is named."""
    assert "" == file_system_of(PurePosixPath("/var"), "")
