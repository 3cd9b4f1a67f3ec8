"""What Azure would refuse later, asked before the first effect, and answered all at once.

Asked are permissions, locks, incremental snapshots of disks whose encryption changes, a backup under way,
and quotas. A question that is itself refused is told as not known, and blocks nothing. Whether a policy would
deny a change is not asked: Azure answers that only for a whole resource as it is to be.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from readiness.azure import protected_items
from readiness.azure.connect import Connection
from readiness.azure.permissions import missing
from readiness.azure.plain import pages, vm_body
from readiness.azure.remembered import Json, Remembered
from readiness.azure.wire_values import flag, location_of, number, obj, objects, reference, resource_id, text
from readiness.azure.wire_vault import lock as lock_of
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId
from readiness.model.steps import Preflight
from readiness.model.vault import Lock
from readiness.ports.cloud import Done, Failed, Progress, StepContext

_PERMISSIONS_API, _LOCKS_API, _COMPUTE_API = "2022-04-01", "2020-05-01", "2024-07-01"
_SNAPSHOTS_API = "2024-03-02"
_AUTHORIZATION = "providers/Microsoft.Authorization"
_COMPUTE = "microsoft.compute/"
_DISK, _SNAPSHOT = f"{_COMPUTE}disks/", f"{_COMPUTE}snapshots/"
_AT_VM = (f"{_COMPUTE}virtualmachines/", f"{_COMPUTE}locations/")
_VAULT = "microsoft.recoveryservices/"
_SNAPSHOT_QUOTAS = ("standardsnapshotcount", "zrssnapshotcount")


class _Refusal(Struct, frozen=True):
    """Something that Azure would refuse."""

    code: str
    words: str


class _Unknown(Struct, frozen=True):
    """Something that is not known, or good to know; it blocks nothing."""

    words: str


_Finding = _Refusal | _Unknown


class _Subject(Struct, frozen=True, kw_only=True):
    """What the questions are about."""

    vm: ResourceId
    location: str
    disks: tuple[ResourceId, ...]
    item: protected_items.ItemPlace | None
    step: Preflight
    now: datetime

    def needs(self, *prefixes: str) -> tuple[str, ...]:
        """Return the actions that are needed, of the types with these names."""
        return tuple(action for action in self.step.needed if action.lower().startswith(prefixes))


class Questions:
    """Asks through one connection, and remembers for a while what many VMs have in common."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known = Remembered()

    def begin(self, step: Preflight, context: StepContext) -> Progress:
        """Ask everything, and answer at once: there is nothing to wait for."""
        subject = self._subject(step, context.now)
        found = dict.fromkeys(
            finding
            for ask in (self._permissions, self._locks, self._snapshots, self._jobs, self._quotas)
            for finding in ask(subject)
        )
        refusals = [finding for finding in found if isinstance(finding, _Refusal)]
        notes = [finding.words for finding in found if isinstance(finding, _Unknown)]
        if refusals:
            words = [refusal.words for refusal in refusals]
            return Failed(refusals[0].code, f"Azure would refuse: {'; '.join([*words, *notes])}")
        return Done("; ".join(["nothing is known that Azure would refuse", *notes]))

    def _subject(self, step: Preflight, now: datetime) -> _Subject:
        body = vm_body(self._connection, step.vm)
        profile = obj(obj(body, "properties"), "storageProfile")
        entries = [obj(profile, "osDisk"), *objects(profile, "dataDisks")]
        disks = (reference(entry, "managedDisk") for entry in entries)
        return _Subject(
            vm=step.vm,
            location=location_of(body),
            disks=tuple(dict.fromkeys([*(disk for disk in disks if disk is not None), *step.disks])),
            item=_place_of(step.item),
            step=step,
            now=now,
        )

    # Permissions --------------------------------------------------------------------------------

    def _permissions(self, subject: _Subject) -> Iterator[_Finding]:
        yield from self._lacking(subject, subject.needs(*_AT_VM), group_of(subject.vm), (subject.vm,))
        groups = dict.fromkeys(map(group_of, subject.disks))
        for group in groups:
            disks = tuple(disk for disk in subject.disks if group_of(disk) == group)
            yield from self._lacking(subject, subject.needs(_DISK), group, disks)
            yield from self._lacking(subject, subject.needs(_SNAPSHOT), group)
        if subject.item is not None:
            yield from self._lacking(subject, subject.needs(_VAULT), subject.item.vault)
        yield from self._elsewhere(subject)

    def _lacking(
        self,
        subject: _Subject,
        needed: tuple[str, ...],
        scope: ResourceId,
        inner: tuple[ResourceId, ...] = (),
    ) -> Iterator[_Finding]:
        """Find what is missing on a scope, and on the resources in it that may be allowed by themselves."""
        if not needed:
            return
        found = self._asked(subject, "permissions", scope, self._allowed(scope))
        lacking = needed if isinstance(found, DeniedError) else missing(needed, found)
        if not lacking:
            return
        if inner:
            for resource in inner:
                yield from self._lacking(subject, lacking, resource)
        elif isinstance(found, DeniedError):
            yield _Unknown(f"not known: what may be done on {scope.name}, since asking is not allowed")
        else:
            yield _Refusal("PermissionMissing", f"on {scope.name} there is no permission for {_and(lacking)}")

    def _elsewhere(self, subject: _Subject) -> Iterator[_Finding]:
        """Find what may not be done in the VM's own group, and may be allowed where it is needed."""
        known = (*_AT_VM, _DISK, _SNAPSHOT, *((_VAULT,) if subject.item is not None else ()))
        needed = tuple(action for action in subject.step.needed if not action.lower().startswith(known))
        if not needed:
            return
        group = group_of(subject.vm)
        found = self._asked(subject, "permissions", group, self._allowed(group))
        lacking = needed if isinstance(found, DeniedError) else missing(needed, found)
        if lacking:
            yield _Unknown(f"not known: whether {_and(lacking)} is allowed where it is needed")

    def _allowed(self, scope: ResourceId) -> Callable[[], list[Json]]:
        return self._list(scope, f"{scope}/{_AUTHORIZATION}/permissions", _PERMISSIONS_API)

    # Locks --------------------------------------------------------------------------------------

    def _locks(self, subject: _Subject) -> Iterator[_Finding]:
        targets = (subject.vm, *subject.disks)
        for subscription in dict.fromkeys(map(subscription_of, targets)):
            own = [target for target in targets if subscription_of(target) == subscription]
            groups = dict.fromkeys(map(group_of, own))
            found = self._locks_on(subject, subscription)
            if isinstance(found, DeniedError):
                # A group tells of its own locks to those who may not ask about the subscription.
                yield _Unknown("not known: locks on the subscription, since asking is not allowed")
                listed = [(group, self._locks_on(subject, group)) for group in groups]
            else:
                listed = [(subscription, found)]
            for scope, locks in listed:
                if isinstance(locks, DeniedError):
                    yield _Unknown(f"not known: locks on {scope.name}, since asking is not allowed")
                else:
                    yield from _held(map(lock_of, locks), own)

    def _locks_on(self, subject: _Subject, scope: ResourceId) -> list[Json] | DeniedError:
        path = f"{scope}/{_AUTHORIZATION}/locks"
        return self._asked(subject, "locks", scope, self._list(scope, path, _LOCKS_API))

    # Snapshots, backups, quotas -----------------------------------------------------------------

    def _snapshots(self, subject: _Subject) -> Iterator[_Finding]:
        for subscription in dict.fromkeys(map(subscription_of, subject.step.disks)):
            path = f"{subscription}/providers/Microsoft.Compute/snapshots"
            ask = self._list(subscription, path, _SNAPSHOTS_API)
            found = self._asked(subject, "snapshots", subscription, ask)
            if isinstance(found, DeniedError):
                yield _Unknown("not known: incremental snapshots, since asking is not allowed")
                continue
            for disk in subject.step.disks:
                names = [text(each, "name") or "" for each in found if _is_increment(each, disk)]
                if names:
                    yield _Refusal(
                        "IncrementalSnapshots",
                        f"the encryption of {disk.name} cannot change while it has incremental snapshots "
                        f"({_and(names)}): copy those that are needed into full ones, and delete them",
                    )

    def _jobs(self, subject: _Subject) -> Iterator[_Finding]:
        place, connection = subject.item, self._connection
        if place is None:
            if subject.step.item is not None:
                yield _Unknown(f"not known: whether a backup is under way: {subject.step.item} is no item")
            return
        found = self._asked(
            subject, "jobs", place.vault, lambda: protected_items.jobs_under_way(connection, place.vault)
        )
        if isinstance(found, DeniedError):
            yield _Unknown("not known: whether a backup is under way, since asking is not allowed")
        elif any(protected_items.is_of(job, place) for job in found):
            words = f"a job of its backup is under way in {place.vault.name}: wait for its end, and try again"
            yield _Refusal("BackupRunning", words)

    def _quotas(self, subject: _Subject) -> Iterator[_Finding]:
        takes = subject.needs(f"{_SNAPSHOT}write")
        starts = subject.needs(f"{_COMPUTE}virtualmachines/start/action")
        if not (takes or starts):
            return
        scope = subscription_of(subject.vm)
        path = f"{scope}/providers/Microsoft.Compute/locations/{subject.location}/usages"
        key = ResourceId(path)
        found = self._asked(subject, "usages", key, self._list(scope, path, _COMPUTE_API))
        if isinstance(found, DeniedError) or not found:
            yield _Unknown(f"not known: quotas in {subject.location}")
            return
        for usage in found:
            name = (text(obj(usage, "name"), "value") or "").lower()
            used, limit = number(usage, "currentValue"), number(usage, "limit")
            if used is None or limit is None:
                continue
            if takes and name in _SNAPSHOT_QUOTAS and used + len(subject.disks) > limit:
                words = f"only {max(0, limit - used)} more snapshots are allowed in {subject.location}"
                yield _Refusal("QuotaExceeded", f"{words}, and {len(subject.disks)} are needed")
            # What is deallocated gives its cores back first: a start fails where the limit was lowered.
            if starts and name == "cores" and used > limit:
                words = f"more cores are in use in {subject.location} than allowed ({used} of {limit})"
                yield _Refusal("QuotaExceeded", f"{words}: what was deallocated would not start again")

    # Asking -------------------------------------------------------------------------------------

    def _list(self, scope: ResourceId, path: str, version: str) -> Callable[[], list[Json]]:
        connection = self._connection
        return lambda: pages(connection, scope.subscription, path, version)

    def _asked(
        self, subject: _Subject, what: str, scope: ResourceId, ask: Callable[[], list[Json]]
    ) -> list[Json] | DeniedError:
        return self._known.ask((what, scope.key), subject.now, ask)


def group_of(resource: ResourceId) -> ResourceId:
    """Return the id of a resource's group."""
    return ResourceId(f"/subscriptions/{resource.subscription}/resourceGroups/{resource.resource_group}")


def subscription_of(resource: ResourceId) -> ResourceId:
    """Return the id of a resource's subscription."""
    return ResourceId(f"/subscriptions/{resource.subscription}")


def _place_of(item: ResourceId | None) -> protected_items.ItemPlace | None:
    try:
        return protected_items.place_of(item) if item is not None else None
    except ValueError:
        return None


def _held(locks: Iterable[Lock], targets: list[ResourceId]) -> Iterator[_Finding]:
    for lock in locks:
        held = next((target for target in targets if target.is_within(lock.scope)), None)
        if held is None:
            continue
        where = f"the lock {lock.id.name} on {lock.scope.name}"
        if lock.level.lower() == "readonly":
            yield _Refusal("ReadOnlyLock", f"{where} allows no change: whoever set it has to take it away")
        else:
            yield _Unknown(f"{where} keeps snapshots from being deleted later")


def _is_increment(snapshot: dict[str, Any], disk: ResourceId) -> bool:
    properties = obj(snapshot, "properties")
    source = resource_id(obj(properties, "creationData"), "sourceResourceId")
    return flag(properties, "incremental") is True and source == disk


def _and(words: Iterable[str]) -> str:
    return ", ".join(words)
