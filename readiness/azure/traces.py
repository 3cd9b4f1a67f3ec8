"""What a run left on Azure of itself: enough to go on when the machine that carried it out is gone.

The lease on a VM and the tags of its snapshots tell the run, its beginning, and the state from before. Of a
VM that was let go of only the snapshots are left.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.faults import translated
from readiness.azure.marks import (
    BEFORE,
    OF_VM,
    PLAN,
    RUN,
    STARTED,
    Lease,
    before_from,
    lease_of,
    relative,
)
from readiness.azure.plain import body_of
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, DiskBefore, Observation
from readiness.ports.cloud import Cloud


class Trace(Struct, frozen=True, kw_only=True):
    """What was found of a run on one VM."""

    lease: Lease | None
    """None where the run let go of the VM."""
    started: datetime
    before: Before
    snapshots: tuple[ResourceId, ...]
    seen: Observation


class Snapshots:
    """The snapshots of a plan by VM, listed once a resource group."""

    def __init__(self, connection: Connection, plan: str) -> None:
        self._connection = connection
        self.plan = plan
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def of(self, disk: ResourceId) -> dict[str, Any] | None:
        """Return the plan's snapshot of a disk, as it stands in Azure."""
        return next((one for one in self._listed(disk) if _source(one) == disk.key), None)

    def of_run(self, vm: ResourceId, disks: Sequence[ResourceId], run: str) -> list[dict[str, Any]]:
        """Return the newest snapshots of a run, one for each disk of a VM; none where one is missing."""
        rounds: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for disk in disks:
            for one in self._listed(disk):
                tags = _tags(one)
                is_of_run = tags.get(RUN) == run and (tags.get(OF_VM) or "").lower() == relative(vm).lower()
                if is_of_run and _source(one) == disk.key:
                    rounds[tags.get(STARTED, "")].setdefault(disk.key, one)
        whole = [started for started, found in rounds.items() if len(found) == len(disks)]
        return list(rounds[max(whole)].values()) if whole else []

    def _listed(self, disk: ResourceId) -> list[dict[str, Any]]:
        place = (disk.subscription.lower(), disk.resource_group.lower())
        if place not in self._known:
            client = self._connection.compute(disk.subscription).snapshots
            with translated():
                listed = [one.as_dict() for one in client.list_by_resource_group(disk.resource_group)]
            self._known[place] = [one for one in listed if _tags(one).get(PLAN) == self.plan]
        return self._known[place]


def trace_of(connection: Connection, cloud: Cloud, vm: ResourceId, snapshots: Snapshots) -> Trace | None:
    """Return what a run left on a VM; None where it never took its lease, or let go of it.

    Raises:
        ValueError: The marks cannot be read.
    """
    machines = connection.compute(vm.subscription).virtual_machines
    tags = _tags(body_of(partial(machines.get, vm.resource_group, vm.name)))
    lease = lease_of(tags)
    if lease is None or tags.get(PLAN) != snapshots.plan:
        return None
    seen = cloud.observe(vm)
    found = {disk.id: snapshots.of(disk.id) for disk in seen.disks}
    disks = tuple(
        DiskBefore(id=disk.id, encryption=_encryption(vm, found[disk.id], disk.encryption))
        for disk in seen.disks
    )
    return Trace(
        lease=lease,
        started=datetime.fromisoformat(tags[STARTED]),
        before=before_from(vm, tags[BEFORE], disks),
        snapshots=tuple(ResourceId(str(one["id"])) for one in found.values() if one),
        seen=seen,
    )


def released_trace_of(cloud: Cloud, vm: ResourceId, snapshots: Snapshots, run: str) -> Trace | None:
    """Return what a run left on a VM that it let go of: a snapshot of each disk; None where one is missing.

    Raises:
        ValueError, KeyError: The marks cannot be read.
    """
    seen = cloud.observe(vm)
    found = snapshots.of_run(vm, [disk.id for disk in seen.disks], run)
    if not found:
        return None
    of_disk = {_source(one): one for one in found}
    disks = tuple(
        DiskBefore(id=disk.id, encryption=_encryption(vm, of_disk[disk.id.key], disk.encryption))
        for disk in seen.disks
    )
    tags = _tags(found[0])
    return Trace(
        lease=None,
        started=datetime.fromisoformat(tags[STARTED]),
        before=before_from(vm, tags[BEFORE], disks),
        snapshots=tuple(ResourceId(str(one["id"])) for one in found),
        seen=seen,
    )


def _encryption(vm: ResourceId, snapshot: dict[str, Any] | None, now: Encryption) -> Encryption:
    """Return a disk's encryption from before; without a snapshot nothing was written to it yet."""
    if snapshot is None:
        return now
    tags = _tags(snapshot)
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


def _tags(body: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (body.get("tags") or {}).items()}
