"""What the questions before the first effect share: whom they are about, how they ask, and what they find."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from msgspec import Struct

from readiness.azure.connect import Connection
from readiness.azure.plain import pages
from readiness.azure.protected_items import ItemPlace
from readiness.azure.remembered import LIFE, Answer, Json, Remembered
from readiness.azure.whoami import whoami
from readiness.azure.wire_values import obj, objects, reference
from readiness.errors import CloudError
from readiness.model.ids import ResourceId
from readiness.model.steps import Preflight, Work
from readiness.ports.cloud import StepContext

Kind = TypeVar("Kind")


class Refusal(Struct, frozen=True):
    """Something that Azure would refuse."""

    code: str
    words: str


class Unknown(Struct, frozen=True):
    """Something that is not known, or good to know; it blocks nothing."""

    words: str


Finding = Refusal | Unknown


class Subject:
    """Whom the questions are about: a VM as it is, and what is to be done to it."""

    def __init__(self, step: Preflight, context: StepContext, body: Json, place: ItemPlace | None) -> None:
        self.step = step
        self.context = context
        self.vm = step.vm
        self.body = body
        """The VM as it is on the wire."""
        self.place = place
        """Where its backups are, if it has any."""

    @property
    def now(self) -> datetime:
        """The instant of the question."""
        return self.context.now

    @property
    def all_work(self) -> tuple[Work, ...]:
        """What is done, and what may have to be done besides."""
        return (*self.step.work, *self.step.spare)

    def each(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """Return the steps of one kind among what is done."""
        return tuple(step for step in self.step.work if isinstance(step, kind))

    @cached_property
    def disks(self) -> tuple[ResourceId, ...]:
        """Its managed disks, and those that are worked on."""
        profile = obj(obj(self.body, "properties"), "storageProfile")
        entries = [obj(profile, "osDisk"), *objects(profile, "dataDisks")]
        found = [reference(entry, "managedDisk") for entry in entries]
        found += [getattr(step, "disk", None) for step in self.step.work]
        return tuple(dict.fromkeys(disk for disk in found if disk is not None))


class Asker:
    """Asks through one connection, and remembers for a while what many VMs have in common."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._known = Remembered()

    @cached_property
    def me(self) -> str | None:
        """The object id of who is logged in; None where the token does not say."""
        try:
            return whoami(self.connection.endpoint).object_id
        except CloudError:
            return None

    def ask(
        self,
        subject: Subject,
        what: str,
        scope: ResourceId,
        question: Callable[[], list[Json]],
        life: timedelta = LIFE,
    ) -> Answer:
        """Return the answer to a question about a scope, or the refusal to answer it."""
        return self._known.ask((what, scope.key), subject.now, question, life)

    def listed(
        self,
        subject: Subject,
        what: str,
        scope: ResourceId,
        path: str,
        version: str,
        life: timedelta = LIFE,
    ) -> Answer:
        """Return a list of Resource Manager, or the refusal to tell it."""
        through = scope.subscription or subject.vm.subscription
        return self.ask(subject, what, scope, lambda: pages(self.connection, through, path, version), life)


def group_of(resource: ResourceId) -> ResourceId:
    """Return the id of a resource's group."""
    return ResourceId(f"/subscriptions/{resource.subscription}/resourceGroups/{resource.resource_group}")


def subscription_of(resource: ResourceId) -> ResourceId:
    """Return the id of a resource's subscription."""
    return ResourceId(f"/subscriptions/{resource.subscription}")


def listing(words: Iterable[str]) -> str:
    """Return words one after another."""
    return ", ".join(words)


def laid_over(base: Any, change: Mapping[str, Any]) -> Json:
    """Return what comes of a PATCH: objects merge, null removes, all else replaces (RFC 7396)."""
    result: Json = dict(base) if isinstance(base, dict) else {}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = laid_over(result.get(name), value) if isinstance(value, Mapping) else value
    return result
