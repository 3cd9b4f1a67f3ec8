"""What a run left on Azure of itself: enough to go on when the machine that carried it out is gone.

The lease on a VM and the tags of its snapshots tell the run, its beginning, and the state from before. Of a
VM that was let go of only the snapshots are left. What a script in a guest is known by stands on its run
command, until its answer was read. Reads only.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.azure.group_lease import group_tags
from readiness.azure.marks import (
    BACK,
    BEFORE,
    INTENDED,
    OF_VM,
    PLAN,
    RUN,
    STARTED,
    Lease,
    before_from,
    lease_of,
    relative,
    tags_of,
)
from readiness.azure.plain import body_of, pages
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, DiskBefore, Observation
from readiness.ports.cloud import Cloud

_COMPUTE_API = "2024-07-01"


class Script(Struct, frozen=True, kw_only=True):
    """A script that a run had in a guest, and whose answer it has not read."""

    name: str
    """Of its run command."""
    intended: datetime
    """When its step was intended: with that its answer is found, and it is not run again."""


class Trace(Struct, frozen=True, kw_only=True):
    """What was found of a run on one VM."""

    lease: Lease | None
    """None where the run let go of the VM."""
    started: datetime
    before: Before
    snapshots: tuple[ResourceId, ...]
    """Those that this round of the run took."""
    is_whole: bool
    """Whether there is one of each disk that it has."""
    seen: Observation
    back: datetime | None = None
    """Since when it is on its way back because a person wants it so."""
    scripts: tuple[Script, ...] = ()


class GroupMark(Struct, frozen=True, kw_only=True):
    """What was found of a run on a shared security group."""

    lease: Lease
    started: datetime
    back: datetime | None
    """Since when it is on its way back because a person wants it so."""


class Snapshots:
    """The snapshots of a plan by VM, listed once a resource group."""

    def __init__(self, connection: Connection, plan: str) -> None:
        self._connection = connection
        self.plan = plan
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def of_round(self, vm: ResourceId, disks: Sequence[ResourceId], run: str, started: str) -> "_Round":
        """Return the snapshots that a round of a run took of a VM, whatever disk it has now."""
        return list(self._of_run(vm, disks, run, started))

    def of_run(self, vm: ResourceId, disks: Sequence[ResourceId], run: str) -> "_Round":
        """Return those of the last round of a run."""
        rounds: dict[str, _Round] = defaultdict(list)
        for one in self._of_run(vm, disks, run):
            rounds[tags_of(one).get(STARTED, "")].append(one)
        return rounds[max(rounds)] if rounds else []

    def _of_run(
        self, vm: ResourceId, disks: Sequence[ResourceId], run: str, started: str | None = None
    ) -> Iterator[dict[str, Any]]:
        places = {(disk.subscription.lower(), disk.resource_group.lower()): disk for disk in disks}
        for disk in places.values():
            for one in self._listed(disk):
                tags = tags_of(one)
                is_of_run = tags.get(RUN) == run and (tags.get(OF_VM) or "").lower() == relative(vm).lower()
                if is_of_run and started in (None, tags.get(STARTED)):
                    yield one

    def _listed(self, disk: ResourceId) -> list[dict[str, Any]]:
        place = (disk.subscription.lower(), disk.resource_group.lower())
        if place not in self._known:
            client = self._connection.compute(disk.subscription).snapshots
            with translated():
                listed = [one.as_dict() for one in client.list_by_resource_group(disk.resource_group)]
            self._known[place] = [one for one in listed if tags_of(one).get(PLAN) == self.plan]
        return self._known[place]


_Round = list[dict[str, Any]]


def trace_of(connection: Connection, cloud: Cloud, vm: ResourceId, snapshots: Snapshots) -> Trace | None:
    """Return what a run left on a VM; None where it never took its lease, or let go of it.

    Raises:
        ValueError, KeyError: The marks cannot be read.
    """
    machines = connection.compute(vm.subscription).virtual_machines
    tags = tags_of(body_of(partial(machines.get, vm.resource_group, vm.name)))
    lease = lease_of(tags)
    if lease is None or tags.get(PLAN) != snapshots.plan:
        return None
    seen = cloud.observe(vm)
    found = snapshots.of_round(vm, [disk.id for disk in seen.disks], lease.run, tags[STARTED])
    return Trace(
        lease=lease,
        started=datetime.fromisoformat(tags[STARTED]),
        before=before_from(vm, tags[BEFORE], _disks(vm, seen, found)),
        snapshots=_ids(found),
        is_whole=_is_whole(seen, found),
        seen=seen,
        back=_back(tags),
        scripts=tuple(_scripts(connection, vm, lease.run, tags[STARTED])),
    )


def group_mark_of(connection: Connection, group: ResourceId, plan: str) -> GroupMark | None:
    """Return what a run of a plan left on a shared group; None where it never marked it, or let go of it.

    Raises:
        ValueError, KeyError: The marks cannot be read.
    """
    tags = group_tags(connection, group) or {}
    lease = lease_of(tags)
    if lease is None or tags.get(PLAN) != plan:
        return None
    return GroupMark(lease=lease, started=datetime.fromisoformat(tags[STARTED]), back=_back(tags))


def _back(tags: dict[str, str]) -> datetime | None:
    return datetime.fromisoformat(tags[BACK]) if BACK in tags else None


def released_trace_of(cloud: Cloud, vm: ResourceId, snapshots: Snapshots, run: str) -> Trace | None:
    """Return what a run left on a VM that it let go of: its snapshots; None where there are none.

    Raises:
        ValueError, KeyError: The marks cannot be read.
    """
    seen = cloud.observe(vm)
    found = snapshots.of_run(vm, [disk.id for disk in seen.disks], run)
    if not found:
        return None
    tags = tags_of(found[0])
    return Trace(
        lease=None,
        started=datetime.fromisoformat(tags[STARTED]),
        before=before_from(vm, tags[BEFORE], _disks(vm, seen, found)),
        snapshots=_ids(found),
        is_whole=_is_whole(seen, found),
        seen=seen,
    )


def _scripts(connection: Connection, vm: ResourceId, run: str, started: str) -> Iterator[Script]:
    """Yield the scripts of a round that are in the guest still, or whose answers wait to be read."""
    for one in pages(connection, vm.subscription, f"{vm}/runCommands", _COMPUTE_API):
        tags = tags_of(one)
        if (tags.get(RUN), tags.get(STARTED)) == (run, started) and tags.get(INTENDED):
            yield Script(name=str(one["name"]), intended=datetime.fromisoformat(tags[INTENDED]))


def _disks(vm: ResourceId, seen: Observation, found: _Round) -> tuple[DiskBefore, ...]:
    """Return the disks as they were before; one without a snapshot has not been written to yet."""
    of_disk = {_source(one): one for one in found}
    return tuple(
        DiskBefore(id=disk.id, encryption=_encryption(vm, of_disk.get(disk.id.key), disk.encryption))
        for disk in seen.disks
    )


def _is_whole(seen: Observation, found: _Round) -> bool:
    return {disk.id.key for disk in seen.disks} <= {_source(one) for one in found}


def _ids(found: _Round) -> tuple[ResourceId, ...]:
    return tuple(ResourceId(str(one["id"])) for one in found)


def _encryption(vm: ResourceId, snapshot: dict[str, Any] | None, now: Encryption) -> Encryption:
    """Return a disk's encryption from before; without a snapshot nothing was written to it yet."""
    if snapshot is None:
        return now
    tags = tags_of(snapshot)
    kind = tags.get("readiness-before-key")
    if kind is None:
        return now
    named = tags.get("readiness-before-set")
    group, _, name = (named or "").partition("/")
    scope = f"/subscriptions/{vm.subscription}/resourceGroups/{group}"
    chosen = ResourceId(f"{scope}/providers/Microsoft.Compute/diskEncryptionSets/{name}") if named else None
    return Encryption(type=EncryptionType(kind), disk_encryption_set=chosen)


def _source(snapshot: dict[str, Any]) -> str:
    properties = snapshot.get("properties") or {}
    return str((properties.get("creationData") or {}).get("sourceResourceId") or "").lower()
