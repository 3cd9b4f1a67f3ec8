"""Customer-managed keys for every disk, and encryption at host, while the VM is deallocated.

Source: Microsoft Learn, "Server-side encryption of Azure Disk Storage"
(https://learn.microsoft.com/azure/virtual-machines/disk-encryption). The change is made in place, disk by
disk; disks stay attached, and data is not copied.
Does: only what was chosen; without a named disk encryption set no key changes.
"""

from readiness.model.context import Choice
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import Change, PatchVm, SetDiskEncryption, Undo
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


def prepare(_target: Target) -> tuple[Change, ...]:
    """Do nothing online."""
    return ()


def convert(target: Target) -> tuple[Change, ...]:
    """Switch on encryption at host if it was chosen, then bring each disk under the customer's key."""
    vm, choice = target.vm, target.choice
    wanted = Encryption(type=_kind(target), disk_encryption_set=choice.disk_encryption_set)
    at_host = choice.encryption_at_host and not vm.boot.encryption_at_host
    host: tuple[Change, ...] = (_encryption_at_host(target.vm.id, on=True),) if at_host else ()
    disks = tuple(
        SetDiskEncryption(vm=vm.id, disk=disk.id, encryption=wanted)
        for disk in target.disks
        if not disk.encryption.uses_customer_key
    )
    return (*host, *disks)


def verify(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that Azure shows every disk under a customer's key, and encryption at host where chosen."""
    if not is_chosen(choice):
        return (not_applicable("NotChosen"),)
    missing = [disk.id.name for disk in seen.disks if not disk.encryption.uses_customer_key]
    if missing:
        return (unmet("PlatformKey", f"not under a customer-managed key: {', '.join(missing)}"),)
    if choice.encryption_at_host and not seen.vm.boot.encryption_at_host:
        return (unmet("NoEncryptionAtHost", f"{seen.vm.name} does not show encryption at host"),)
    return (met("CustomerKey"),)


def undo(before: Before, begun: tuple[Change, ...]) -> tuple[Change, ...]:
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
    spec=SPEC, is_chosen=is_chosen, prepare=prepare, convert=convert, verify=verify, undo=undo
)
