"""Customer-managed keys for every disk, and encryption at host, while the VM is deallocated.

Source: Microsoft Learn, "Server-side encryption of Azure Disk Storage"
(https://learn.microsoft.com/azure/virtual-machines/disk-encryption). The change is made in place, disk by
disk; disks stay attached, and data is not copied. Going back to a platform key drops the set, and is refused
while a disk has incremental snapshots, since a disk and these share one key.
Does: only what was chosen; without a named disk encryption set no key changes. The OS disk first, then data
disks by LUN; a throwaway disk proves set, vault, key and permission days before.
Does not: touch the OS disk of a confidential VM, whose key is chosen at its creation; take on Ultra disks,
Premium SSD v2 and shared disks, which the planner refuses: no full snapshot protects the former, and the
latter's VMs all have to be deallocated together.
"""

from playbooks import backup
from readiness.model.context import Choice
from readiness.model.disk import Disk, Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import Change, DropTrial, PatchVm, SetDiskEncryption, Step, TryEncryption, Undo
from readiness.model.verdict import Dimension, Verdict, met, not_applicable, unmet

SPEC = PlaybookSpec(
    id="disk-encryption",
    title="Customer-managed keys and encryption at host",
    dimension=Dimension.CMK,
    level=3,
    outage=OutageNeed.DEALLOCATE,
    needs=(
        "EN002",
        "EN003",
        "EN004",
        "EN005",
        "EN006",
        "EN007",
        "EN009",
        "EN010",
        "EN011",
        "EN012",
        "EN013",
        "EN014",
        "EN015",
        "EN016",
        "EN017",
        "EN018",
        "EN019",
        "EN020",
        "EN021",
        "EN022",
        "EN023",
        "EN030",
    ),
    undo=Undo.CONFIG,
)


def is_chosen(choice: Choice) -> bool:
    """Tell whether a disk encryption set was named for the VM."""
    return choice.disk_encryption_set is not None


def prepare(target: Target) -> tuple[Change, ...]:
    """Prove the key on a throwaway disk, and have a fresh backup."""
    if not convert(target):
        return ()
    vm, wanted = target.vm.id, _wanted(target)
    changes_keys = any(not _is_under(disk, target.choice) for disk in target.disks)
    trial = (TryEncryption(vm=vm, encryption=wanted), DropTrial(vm=vm, encryption=wanted))
    return (*(trial if changes_keys else ()), *backup.fresh(target))


def convert(target: Target) -> tuple[Change, ...]:
    """Switch on encryption at host if it was chosen, then bring each disk under the chosen set."""
    vm, choice = target.vm, target.choice
    at_host = choice.encryption_at_host and not vm.boot.encryption_at_host
    host: tuple[Change, ...] = (_encryption_at_host(target.vm.id, on=True),) if at_host else ()
    disks = tuple(
        SetDiskEncryption(vm=vm.id, disk=disk.id, encryption=_wanted(target))
        for disk in target.disks
        if not _is_under(disk, choice)
    )
    return (*host, *disks)


def verify(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that Azure shows every disk under the chosen set, and encryption at host where chosen."""
    if choice.disk_encryption_set is None:
        return (not_applicable("NotChosen"),)
    missing = [disk.id.name for disk in seen.disks if not _is_under(disk, choice)]
    if missing:
        told = f"not under {choice.disk_encryption_set.name}: {', '.join(missing)}"
        return (unmet("NotUnderChosenSet", told),)
    if choice.encryption_at_host and not seen.vm.boot.encryption_at_host:
        return (unmet("NoEncryptionAtHost", f"{seen.vm.name} does not show encryption at host"),)
    return (met("CustomerKey"),)


def undo(before: Before, begun: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return each begun disk to its key from before, last one first, and encryption at host as it was."""
    earlier = {disk.id: disk.encryption for disk in before.disks}
    disks = tuple(
        SetDiskEncryption(vm=step.vm, disk=step.disk, encryption=earlier[step.disk])
        for step in reversed(begun)
        if isinstance(step, SetDiskEncryption) and step.disk in earlier
    )
    touched = any(isinstance(step, PatchVm) and _touches_host(step) for step in begun)
    host = (_encryption_at_host(before.vm, on=before.encryption_at_host),) if touched else ()
    return (*host, *disks)


def consent(_target: Target) -> tuple[str, ...]:
    """Return what its owner agrees to."""
    return (
        "it stops when its key is disabled, deleted or expired, and does not start until it is back",
        "its disks go back to a platform key only while no incremental copy of them was made since",
    )


def _is_under(disk: Disk, choice: Choice) -> bool:
    """Tell whether a disk needs no change: it is under the chosen set, or a confidential VM's OS disk."""
    if (disk.security_type or "").lower().startswith("confidentialvm"):
        return True
    found = disk.encryption
    return found.uses_customer_key and found.disk_encryption_set == choice.disk_encryption_set


def _wanted(target: Target) -> Encryption:
    return Encryption(type=_kind(target), disk_encryption_set=target.choice.disk_encryption_set)


def _kind(target: Target) -> EncryptionType:
    """Return the encryption a disk gets from the chosen set: a disk's type has to be its set's."""
    double = EncryptionType.PLATFORM_AND_CUSTOMER_KEYS
    found = target.encryption_set
    is_double = found is not None and (found.encryption_type or "").lower() == double.lower()
    return double if is_double else EncryptionType.CUSTOMER_KEY


def _encryption_at_host(vm: ResourceId, *, on: bool) -> PatchVm:
    return PatchVm(vm=vm, properties={"securityProfile": {"encryptionAtHost": on}})


def _touches_host(step: PatchVm) -> bool:
    return "encryptionAtHost" in step.properties.get("securityProfile", {})


PLAYBOOK = Playbook(
    spec=SPEC,
    is_chosen=is_chosen,
    prepare=prepare,
    convert=convert,
    verify=verify,
    undo=undo,
    consent=consent,
)
