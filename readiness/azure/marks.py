"""What we write on resources to know them again: leases and the state from before, as tags. Pure.

A tag's value holds at most 256 characters, so ids are kept relative to the resource's own subscription, and
the state from before as short words. What stands here is all that is left when the runner's machine is lost.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, DiskBefore
from readiness.model.virtual_machine import Identity, Power, SecurityType
from readiness.ports.cloud import StepContext

LEASE, BEFORE, PLAN, STARTED = "readiness-lease", "readiness-before", "readiness-plan", "readiness-started"
RUN, OF_VM = "readiness-run", "readiness-vm"
LONGEST_TAG = 256


class Lease(Struct, frozen=True, kw_only=True):
    """Whose a VM is, and until when."""

    run: str
    instance: str
    until: datetime

    def written(self) -> str:
        """Return the lease as a tag's value."""
        return f"{self.run} {self.instance} {self.until.isoformat(timespec='seconds')}"


def lease_of(tags: Mapping[str, str]) -> Lease | None:
    """Return the lease on a VM; a mark that cannot be read is one that never ends."""
    value = _tag(tags, LEASE)
    if value is None:
        return None
    try:
        run, instance, text = value.split(" ")
        until = datetime.fromisoformat(text)
    except ValueError:
        until = None
    if until is None or until.tzinfo is None:
        return Lease(run=value, instance="", until=datetime.max.replace(tzinfo=UTC))
    return Lease(run=run, instance=instance, until=until)


class _Short(Struct, frozen=True, kw_only=True):
    """The state from before in few characters."""

    power: str
    size: str | None = None
    type: str = SecurityType.STANDARD
    sb: bool | None = None
    tpm: bool | None = None
    eah: bool = False
    id: bool = False
    uai: int = 0
    agent: bool | None = None


def before_mark(before: Before) -> str:
    """Return a VM's state from before as a tag's value; that of its disks stands on their snapshots."""
    short = _Short(
        power=before.power,
        size=before.size,
        type=before.security_type,
        sb=before.secure_boot,
        tpm=before.vtpm,
        eah=before.encryption_at_host,
        id=before.identity.system_assigned,
        uai=len(before.identity.user_assigned),
        agent=before.agent_ready,
    )
    return encode(short).decode()


def before_from(vm: ResourceId, mark: str, disks: tuple[DiskBefore, ...]) -> Before:
    """Return the state from before that a mark tells.

    Raises:
        ValueError: The mark cannot be read.
    """
    short = msgspec.json.decode(mark, type=_Short)
    return Before(
        vm=vm,
        power=Power(short.power),
        size=short.size,
        security_type=SecurityType(short.type),
        secure_boot=short.sb,
        vtpm=short.tpm,
        encryption_at_host=short.eah,
        identity=Identity(system_assigned=short.id, user_assigned=()),
        agent_ready=short.agent,
        extensions=(),
        disks=disks,
    )


def relative(resource: ResourceId) -> str:
    """Return `<resource group>/<name>`: enough beside a resource of the same subscription, and short."""
    return f"{resource.resource_group}/{resource.name}"


def marks_of(vm: ResourceId, context: StepContext) -> dict[str, str]:
    """Return the marks of something that a campaign creates: of which plan, run and VM it is."""
    return {PLAN: context.plan, STARTED: context.started, RUN: context.run, OF_VM: relative(vm)}


def is_ours(resource: Mapping[str, Any], plan: str) -> bool:
    """Tell whether a resource bears the mark of a plan."""
    return _tag(resource.get("tags") or {}, PLAN) == plan


def is_for(resource: Mapping[str, Any], vm: ResourceId) -> bool:
    """Tell whether a campaign of a VM, of whatever plan, created a resource."""
    tags = resource.get("tags") or {}
    return _tag(tags, PLAN) is not None and (_tag(tags, OF_VM) or "").lower() == relative(vm).lower()


def without_ours(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a VM's tags without those of a lease."""
    ours = {LEASE, BEFORE, PLAN, STARTED}
    return {name: value for name, value in tags.items() if name.lower() not in ours}


def _tag(tags: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in tags.items() if key.lower() == name), None)
