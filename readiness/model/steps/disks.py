"""Changes of disks: snapshots, keys, the trial of a key, and the swap of an OS disk on the way back."""

from typing import ClassVar

from readiness.model.disk import Encryption
from readiness.model.ids import ResourceId
from readiness.model.steps.kinds import COMPUTE, DISK_OPERATION, LOOK, VM_WRITE, PowerNeed, StepBase, Undo

_SNAPSHOT = (
    *DISK_OPERATION,
    f"{COMPUTE}/disks/beginGetAccess/action",
    f"{COMPUTE}/snapshots/read",
    f"{COMPUTE}/snapshots/write",
)
_TRIAL = (
    *LOOK,
    *DISK_OPERATION,
    f"{COMPUTE}/disks/write",
    f"{COMPUTE}/disks/delete",
    f"{COMPUTE}/diskEncryptionSets/read",
)


class TakeSnapshot(StepBase, frozen=True, kw_only=True, tag="take-snapshot"):
    """Take a **full** snapshot of one disk.

    Never an incremental one: a disk that has incremental snapshots refuses a change of its encryption.
    """

    words: ClassVar[str] = "full snapshot"
    duration: ClassVar[str] = "snapshot"
    actions: ClassVar[tuple[str, ...]] = _SNAPSHOT

    disk: ResourceId
    moment: str = ""
    """Tells it from another snapshot of the disk in one campaign; empty for the one taken while off."""


class SetDiskEncryption(StepBase, frozen=True, kw_only=True, tag="set-disk-encryption"):
    """Bring one disk under another key; a platform key drops the disk encryption set."""

    words: ClassVar[str] = "key"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "encrypt-disk"
    actions: ClassVar[tuple[str, ...]] = (
        *DISK_OPERATION,
        f"{COMPUTE}/disks/write",
        f"{COMPUTE}/diskEncryptionSets/read",
    )

    disk: ResourceId
    encryption: Encryption


class TryEncryption(StepBase, frozen=True, kw_only=True, tag="try-encryption"):
    """Create a small throwaway disk under the key: proves set, vault, key, permission and region."""

    words: ClassVar[str] = "try the key on a throwaway disk"
    duration: ClassVar[str] = "encrypt-disk"
    actions: ClassVar[tuple[str, ...]] = _TRIAL

    encryption: Encryption


class DropTrial(StepBase, frozen=True, kw_only=True, tag="drop-trial"):
    """Delete the throwaway disk that `TryEncryption` created, and no other."""

    words: ClassVar[str] = "delete the throwaway disk"
    duration: ClassVar[str] = "encrypt-disk"
    actions: ClassVar[tuple[str, ...]] = _TRIAL

    encryption: Encryption


class SwapOsDisk(StepBase, frozen=True, kw_only=True, tag="swap-os-disk"):
    """Create a disk from the OS disk's snapshot and put it in the OS disk's place; the old one is kept."""

    words: ClassVar[str] = "swap in a disk made from the snapshot of"
    power: ClassVar[PowerNeed] = PowerNeed.OFF
    duration: ClassVar[str] = "snapshot"
    actions: ClassVar[tuple[str, ...]] = (
        *VM_WRITE,
        *DISK_OPERATION,
        f"{COMPUTE}/disks/write",
        f"{COMPUTE}/snapshots/read",
        f"{COMPUTE}/disks/beginGetAccess/action",
    )
    undo: ClassVar[Undo] = Undo.SWAP

    disk: ResourceId
    moment: str = ""
    """Which snapshot of the disk."""


DiskChange = TakeSnapshot | SetDiskEncryption | TryEncryption | DropTrial | SwapOsDisk
