"""What Azure would refuse later, asked before the first effect, and answered all at once.

Asked are permissions, deny assignments, locks, policies, incremental snapshots of disks whose encryption
changes, a backup under way, quotas, and whether the other sizes that were approved would do. A question
that is itself refused is told as not known, and blocks nothing.
"""

from collections.abc import Callable, Iterable, Iterator

from readiness.azure import protected_items
from readiness.azure.connect import Connection
from readiness.azure.plain import vm_body
from readiness.azure.preflight_deny_assignments import denials
from readiness.azure.preflight_parts import (
    Asker,
    Finding,
    Refusal,
    Subject,
    Unknown,
    group_of,
    listing,
    subscription_of,
)
from readiness.azure.preflight_permissions import permissions
from readiness.azure.preflight_policies import Policies
from readiness.azure.preflight_quotas import claims_of, quotas, snapshots_in
from readiness.azure.preflight_sizes import Sizes
from readiness.azure.remembered import Answer, Json
from readiness.azure.wire_values import flag, obj, resource_id, text
from readiness.azure.wire_vault import lock as lock_of
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId
from readiness.model.plan import Wave
from readiness.model.steps import Preflight
from readiness.model.vault import Lock
from readiness.ports.cloud import Done, Failed, Progress, StepContext

_LOCKS_API = "2020-05-01"


class Questions:
    """Asks through one connection, and remembers for a while what many VMs have in common."""

    def __init__(self, connection: Connection, wave: Wave | None = None) -> None:
        """Take what to ask through, and the wave whose VMs share quotas."""
        self._connection = connection
        self._asker = Asker(connection)
        self._policies = Policies(self._asker)
        self._sizes = Sizes(self._asker, self._policies)
        self._claims = claims_of(wave) if wave is not None else ()

    def begin(self, step: Preflight, context: StepContext) -> Progress:
        """Ask everything, and answer at once: there is nothing to wait for."""
        subject = Subject(step, context, vm_body(self._connection, step.vm), _place_of(step.item))
        questions: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
            lambda subject: permissions(self._asker, subject),
            lambda subject: denials(self._asker, subject),
            self._locks,
            self._policies.find,
            self._snapshots,
            self._jobs,
            lambda subject: quotas(self._asker, subject, self._claims),
            self._sizes.find,
        )
        found = dict.fromkeys(finding for ask in questions for finding in ask(subject))
        refusals = [finding for finding in found if isinstance(finding, Refusal)]
        notes = [finding.words for finding in found if isinstance(finding, Unknown)]
        if refusals:
            words = [refusal.words for refusal in refusals]
            return Failed(refusals[0].code, f"Azure would refuse: {'; '.join([*words, *notes])}")
        return Done("; ".join(["nothing is known that Azure would refuse", *notes]))

    # Locks --------------------------------------------------------------------------------------

    def _locks(self, subject: Subject) -> Iterator[Finding]:
        targets = (subject.vm, *subject.disks)
        for subscription in dict.fromkeys(map(subscription_of, targets)):
            own = [target for target in targets if subscription_of(target) == subscription]
            groups = dict.fromkeys(map(group_of, own))
            found = self._locks_on(subject, subscription)
            if isinstance(found, DeniedError):
                # A group tells of its own locks to those who may not ask about the subscription.
                yield Unknown("not known: locks on the subscription, since asking is not allowed")
                listed = [(group, self._locks_on(subject, group)) for group in groups]
            else:
                listed = [(subscription, found)]
            for scope, locks in listed:
                if isinstance(locks, DeniedError):
                    yield Unknown(f"not known: locks on {scope.name}, since asking is not allowed")
                else:
                    yield from _held(map(lock_of, locks), own)

    def _locks_on(self, subject: Subject, scope: ResourceId) -> Answer:
        path = f"{scope}/providers/Microsoft.Authorization/locks"
        return self._asker.listed(subject, "locks", scope, path, _LOCKS_API)

    # Snapshots and backups ----------------------------------------------------------------------

    def _snapshots(self, subject: Subject) -> Iterator[Finding]:
        for subscription in dict.fromkeys(map(subscription_of, subject.step.disks)):
            found = snapshots_in(self._asker, subject, subscription)
            if isinstance(found, DeniedError):
                yield Unknown("not known: incremental snapshots, since asking is not allowed")
                continue
            for disk in subject.step.disks:
                names = [text(each, "name") or "" for each in found if _is_increment(each, disk)]
                if names:
                    yield Refusal(
                        "IncrementalSnapshots",
                        f"the encryption of {disk.name} cannot change while it has incremental snapshots "
                        f"({listing(names)}): copy those that are needed into full ones, and delete them",
                    )

    def _jobs(self, subject: Subject) -> Iterator[Finding]:
        place, connection = subject.place, self._connection
        if place is None:
            if subject.step.item is not None:
                yield Unknown(f"not known: whether a backup is under way: {subject.step.item} is no item")
            return
        found = self._asker.ask(
            subject, "jobs", place.vault, lambda: protected_items.jobs_under_way(connection, place.vault)
        )
        if isinstance(found, DeniedError):
            yield Unknown("not known: whether a backup is under way, since asking is not allowed")
        elif any(protected_items.is_of(job, place) for job in found):
            words = f"a job of its backup is under way in {place.vault.name}: wait for its end, and try again"
            yield Refusal("BackupRunning", words)


def _place_of(item: ResourceId | None) -> protected_items.ItemPlace | None:
    try:
        return protected_items.place_of(item) if item is not None else None
    except ValueError:
        return None


def _held(locks: Iterable[Lock], targets: list[ResourceId]) -> Iterator[Finding]:
    for lock in locks:
        held = next((target for target in targets if target.is_within(lock.scope)), None)
        if held is None:
            continue
        where = f"the lock {lock.id.name} on {lock.scope.name}"
        if lock.level.lower() == "readonly":
            yield Refusal("ReadOnlyLock", f"{where} allows no change: whoever set it has to take it away")
        else:
            yield Unknown(f"{where} keeps snapshots from being deleted later")


def _is_increment(snapshot: Json, disk: ResourceId) -> bool:
    properties = obj(snapshot, "properties")
    source = resource_id(obj(properties, "creationData"), "sourceResourceId")
    return flag(properties, "incremental") is True and source == disk
