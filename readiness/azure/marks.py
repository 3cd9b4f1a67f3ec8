"""What we write on resources to know them again: leases and the state from before, as tags. Pure.

A tag's value holds at most 256 characters, so ids are kept relative to the resource's own subscription, and
the state from before as short words. What stands here is all that is left when the runner's machine is lost.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, DiskBefore
from readiness.model.steps import SetSecurityRule
from readiness.model.virtual_machine import Identity, Power, SecurityType
from readiness.ports.cloud import StepContext

LEASE, BEFORE, PLAN, STARTED = "readiness-lease", "readiness-before", "readiness-plan", "readiness-started"
RUN, OF_VM = "readiness-run", "readiness-vm"
BACK = "readiness-back"
"""On a VM that a person wants back as it was: whoever takes its run up goes the same way."""
INTENDED = "readiness-intended"
"""On a run command: when its step was intended, of which its name is made."""
LONGEST_TAG = 256
_RULE, _MOST_RULES = "readiness-rule-", 12
"""A resource has at most 50 tags, and most are its owner's."""


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


def tags_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return a resource's tags; Azure tells their names apart by no case."""
    return {name.lower(): value for name, value in (resource.get("tags") or {}).items()}


def is_ours(resource: Mapping[str, Any], plan: str) -> bool:
    """Tell whether a resource bears the mark of a plan."""
    return _tag(resource.get("tags") or {}, PLAN) == plan


def is_for(resource: Mapping[str, Any], vm: ResourceId) -> bool:
    """Tell whether a campaign of a VM, of whatever plan, created a resource."""
    tags = resource.get("tags") or {}
    return _tag(tags, PLAN) is not None and (_tag(tags, OF_VM) or "").lower() == relative(vm).lower()


def rule_marks(changes: Sequence[SetSecurityRule]) -> dict[str, str]:
    """Return what a person needs to see which rules of a group are being changed, and what they said.

    A run needs the plan for it, which has all of it in full; a tag has no room for a long list of addresses.
    """
    listed = changes if len(changes) <= _MOST_RULES else changes[: _MOST_RULES - 1]
    told = [_rule_mark(change) for change in listed]
    if len(listed) < len(changes):
        told.append(f"{len(changes) - len(listed)} more: see the plan")
    return {f"{_RULE}{number:02}": text[:LONGEST_TAG] for number, text in enumerate(told, start=1)}


def _rule_mark(change: SetSecurityRule) -> str:
    if change.earlier is None:
        return f"{change.rule.name}: new"
    wanted = change.properties
    said = {key: value for key, value in change.earlier.items() if value and value != wanted.get(key)}
    return f"{change.rule.name}: was {encode(said).decode()}"


def ours_in(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of the tags that are of a lease, whosever it is."""
    others = without_ours(tags)
    return {name: value for name, value in tags.items() if name not in others}


def without_ours(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without those of a lease."""
    ours = {LEASE, BEFORE, PLAN, STARTED, BACK}
    return {
        name: value
        for name, value in tags.items()
        if name.lower() not in ours and not name.lower().startswith(_RULE)
    }


def _tag(tags: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in tags.items() if key.lower() == name), None)
