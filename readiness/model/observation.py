"""What the cloud showed of one VM, the part of it that an undo restores, and what counts as healthy."""

import hashlib
from enum import StrEnum

import msgspec
from msgspec import Struct

from readiness.model.disk import Disk, Encryption
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import Identity, Power, SecurityType, VirtualMachine


class Observation(Struct, frozen=True, kw_only=True):
    """A VM and its managed disks at one instant."""

    vm: VirtualMachine
    disks: tuple[Disk, ...]


class DiskBefore(Struct, frozen=True, kw_only=True):
    """What an undo restores on one disk."""

    id: ResourceId
    encryption: Encryption


class Before(Struct, frozen=True, kw_only=True):
    """The state an undo restores. Undo reads it from the journal, never from the cloud."""

    vm: ResourceId
    power: Power
    size: str | None
    security_type: SecurityType
    secure_boot: bool | None
    vtpm: bool | None
    encryption_at_host: bool
    identity: Identity
    agent_ready: bool | None
    extensions: tuple[str, ...]
    """Names of the extensions that had succeeded."""
    disks: tuple[DiskBefore, ...]

    @property
    def was_running(self) -> bool:
        """Whether the VM ran, and so must run again at the end."""
        return self.power is Power.RUNNING


class Health(StrEnum):
    """The answers of a health proof."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    PENDING = "pending"
    """Not yet: it may still be booting. What stays so too long is unhealthy."""
    INCONCLUSIVE = "inconclusive"
    """Neither good nor bad, however long one looks: a person decides."""


def before_of(seen: Observation) -> Before:
    """Return the part of an observation that an undo restores."""
    vm = seen.vm
    return Before(
        vm=vm.id,
        power=vm.power,
        size=vm.size,
        security_type=vm.boot.security_type,
        secure_boot=vm.boot.secure_boot,
        vtpm=vm.boot.vtpm,
        encryption_at_host=bool(vm.boot.encryption_at_host),
        identity=vm.identity,
        agent_ready=vm.agent_ready,
        extensions=tuple(sorted(entry.name for entry in vm.extensions if entry.has_succeeded)),
        disks=tuple(DiskBefore(id=disk.id, encryption=disk.encryption) for disk in seen.disks),
    )


def fingerprint(vm: VirtualMachine, disks: tuple[Disk, ...]) -> str:
    """Return a digest of the model fields a plan rests on: not of tags, power, extensions or identities.

    Preparation adds identities and extensions after the plan was made, and so do policies of the customer.
    """
    facts = [
        vm.id.key,
        (vm.size or "").lower(),
        vm.boot.generation,
        vm.boot.security_type,
        bool(vm.boot.secure_boot),
        bool(vm.boot.vtpm),
        bool(vm.boot.encryption_at_host),
        [[entry.disk.key if entry.disk else None, entry.lun] for entry in vm.disks],
        [
            [
                disk.id.key,
                disk.encryption.type,
                disk.encryption.disk_encryption_set.key if disk.encryption.disk_encryption_set else None,
                disk.generation,
                disk.has_ade_settings,
            ]
            for disk in sorted(disks, key=lambda entry: entry.id)
        ],
    ]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:16]


def differences(before: Before, seen: Observation) -> tuple[str, ...]:
    """Return in what the VM's configuration differs from the recorded one; its identities may have grown."""
    now = before_of(seen)
    facts = {
        "security type": (before.security_type, now.security_type),
        "Secure Boot": (bool(before.secure_boot), bool(now.secure_boot)),
        "vTPM": (bool(before.vtpm), bool(now.vtpm)),
        "encryption at host": (before.encryption_at_host, now.encryption_at_host),
        "size": ((before.size or "").lower(), (now.size or "").lower()),
        "power": (before.power, now.power),
    }
    after = {disk.id: disk.encryption for disk in now.disks}
    if before.disks and now.disks:  # the OS disk comes first, and on the way back another may be in its place
        after.setdefault(before.disks[0].id, now.disks[0].encryption)
    for disk in before.disks:
        facts[f"encryption of {disk.id.name}"] = (disk.encryption, after.get(disk.id))
    return tuple(f"{name} was {old}, is {new}" for name, (old, new) in facts.items() if old != new)


def judge_health(before: Before, seen: Observation) -> tuple[Health, str]:
    """Compare a started VM with what it was before: power, agent, and the extensions it had.

    Returns:
        The answer and a sentence. A VM whose agent was not ready before has nothing that could prove its
        boot now. Its provisioning state does not count: it tells of the last operation, not of the machine.
    """
    vm = seen.vm
    if vm.power is not Power.RUNNING:
        return Health.PENDING, f"power is {vm.power}"
    if before.agent_ready and not vm.agent_ready:
        return Health.PENDING, "running, but its agent has not reported ready"
    failed = {
        entry.name
        for entry in vm.extensions
        if entry.name in before.extensions and (entry.provisioning_state or "").lower() == "failed"
    }
    if failed:
        return Health.UNHEALTHY, f"extensions that worked before now fail: {', '.join(sorted(failed))}"
    if not vm.agent_ready:
        return (
            Health.INCONCLUSIVE,
            "running, and nothing proves its boot: its agent was not ready before",
        )
    return Health.HEALTHY, "running, and its agent is ready"
