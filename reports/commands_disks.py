"""By hand: snapshots, keys, the throwaway disk that proves a key, and the swap of an OS disk."""

import hashlib

from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    DropTrial,
    SetDiskEncryption,
    SwapOsDisk,
    TakeSnapshot,
    TryEncryption,
    words_for,
)
from reports.az import Check, Instruction, Value, az, fetched, given, placed, variable
from reports.subject import Subject

_CLOSED: dict[str, Value] = {"network_access_policy": "DenyAll", "public_network_access": "Disabled"}
_OWN_KEY = "encryption.type"
_OWN_SET = "encryption.diskEncryptionSetId"


def snapped(step: TakeSnapshot, subject: Subject) -> Instruction:
    """Take a full snapshot under the key of its disk, closed to the network."""
    wanted = subject.snapshot(step)
    create = az(
        "snapshot create",
        **placed(wanted),
        name=wanted.name,
        location=subject.location,
        source=step.disk,
        incremental="false",
        sku=variable("SKU"),
        **_CLOSED,
        tags=(f"readiness-manual={subject.plan}", f"readiness-vm={step.vm.resource_group}/{step.vm.name}"),
        encryption_type=variable("KIND"),
    )
    query = (
        "{state: provisioningState, incremental: incremental, of: creationData.sourceResourceId, "
        "taken: timeCreated}"
    )
    sees = f"state: Succeeded\nincremental: false\nof: {step.disk}\ntaken: a moment ago"
    return Instruction(
        does=words_for(step),
        note="A snapshot of this name from an earlier day protects nothing: give another name then.",
        commands=(
            *_key_of(step.disk),
            fetched("SKU", "disk show", ids=step.disk, query="sku.name"),
            'case "$SKU" in *ZRS) SKU=Standard_ZRS;; *) SKU=Standard_LRS;; esac',
            f"{create} {given('disk-encryption-set', 'SET')}",
        ),
        checks=(Check(command=az("snapshot show", ids=wanted, query=query), sees=sees),),
    )


def encrypted(step: SetDiskEncryption) -> Instruction:
    """Bring a disk under a key."""
    options = _key(step.encryption)
    show = az("disk show", ids=step.disk, query=f"{{type: {_OWN_KEY}, set: {_OWN_SET}}}")
    note = ""
    if not step.encryption.uses_customer_key:
        note = "Refused while the disk has incremental snapshots: these share its key."
    return Instruction(
        does=words_for(step),
        note=note,
        commands=(az("disk update", ids=step.disk, **options),),
        checks=(Check(command=show, sees=under(step.encryption)),),
    )


def tried(step: TryEncryption | DropTrial, subject: Subject) -> Instruction:
    """Make a small throwaway disk under the key, or delete it."""
    trial = _trial(step, subject)
    if isinstance(step, DropTrial):
        left = az("disk list", **placed(trial), query=f"[?name=='{trial.name}'].name", output="tsv")
        return Instruction(
            does=words_for(step),
            commands=(az("disk delete", ids=trial, yes=()),),
            checks=(Check(command=left, sees="nothing"),),
        )
    create = az(
        "disk create",
        **placed(trial),
        name=trial.name,
        location=subject.location,
        size_gb="4",
        sku="Standard_LRS",
        **_CLOSED,
        tags=(f"readiness-manual={subject.plan}",),
        **_key(step.encryption),
    )
    show = az("disk show", ids=trial, query=f"{{type: {_OWN_KEY}, set: {_OWN_SET}}}")
    return Instruction(
        does=words_for(step),
        note="If it fails, the key cannot be used here: stop, and delete the throwaway disk if it is there.",
        commands=(create,),
        checks=(Check(command=show, sees=under(step.encryption)),),
    )


def swapped(step: SwapOsDisk, subject: Subject) -> Instruction:
    """Make a disk from the snapshot, as the old one was, and put it in the old one's place."""
    tail = f"restored-{step.moment}" if step.moment else "restored"
    made = step.disk.sibling("Microsoft.Compute/disks", subject.named(step.disk.name, tail))
    create = az(
        "disk create",
        **placed(made),
        name=made.name,
        location=subject.location,
        source=subject.snapshot(step),
        sku=variable("SKU"),
        **_CLOSED,
        tags=(f"readiness-manual={subject.plan}",),
        encryption_type=variable("KIND"),
    )
    swap = az("vm update", ids=step.vm, os_disk=made)
    show = az("vm show", ids=step.vm, query="storageProfile.osDisk.managedDisk.id", output="tsv")
    return Instruction(
        does=words_for(step),
        note=f"Only while the VM is deallocated. {step.disk.name} is kept: delete nothing.",
        commands=(
            *_key_of(step.disk),
            fetched("SKU", "disk show", ids=step.disk, query="sku.name"),
            fetched("ZONE", "disk show", ids=step.disk, query="zones[0]"),
            f"{create} {given('disk-encryption-set', 'SET')} {given('zone', 'ZONE')}",
            swap,
        ),
        checks=(Check(command=show, sees=made.text),),
    )


def under(encryption: Encryption) -> str:
    """Return what a disk under a key shows."""
    named = encryption.disk_encryption_set
    return f"type: {encryption.type}\nset: {named.text if named else 'null'} (letter case does not count)"


def _key(encryption: Encryption) -> dict[str, Value]:
    options: dict[str, Value] = {"encryption_type": encryption.type.value}
    named = encryption.disk_encryption_set
    if named is not None and encryption.type is not EncryptionType.PLATFORM_KEY:
        options["disk_encryption_set"] = named
    return options


def _key_of(disk: ResourceId) -> tuple[str, ...]:
    """Return the commands that learn a disk's key: whether a copy inherits it is not documented."""
    return (
        fetched("KIND", "disk show", ids=disk, query=_OWN_KEY),
        fetched("SET", "disk show", ids=disk, query=_OWN_SET),
    )


def _trial(step: TryEncryption | DropTrial, subject: Subject) -> ResourceId:
    key = step.encryption.disk_encryption_set
    told = f"{step.vm.key} {step.encryption.type} {key.key if key else ''}"
    tail = f"trial-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    return step.vm.sibling("Microsoft.Compute/disks", f"readiness-{tail}-{subject.plan}")
