"""What a campaign writes, each resource as it is to be: the content that policies are asked about.

Bodies come from where they are made for the write itself. A VM is told after each of its writes: the first is
the lease, so that a VM which does not meet a policy as it is comes first, too.
"""

from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from readiness.azure import lease, wire
from readiness.azure.connect import Connection
from readiness.azure.extensions import extension_body
from readiness.azure.patches import encryption_patch, with_identities, without_identities
from readiness.azure.plain import body_of
from readiness.azure.preflight_parts import Subject, group_of, laid_over
from readiness.azure.remembered import Json
from readiness.azure.snapshots import snapshot_body
from readiness.azure.trial_disk import trial_body, trial_id
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignIdentity,
    InstallExtension,
    PatchVm,
    RemoveIdentity,
    RunInGuest,
    SetDiskEncryption,
    SetSecurityRule,
    TakeLease,
    TakeSnapshot,
    TryEncryption,
    Work,
    snapshot_id,
)
from readiness.model.virtual_machine import Identity

_COMPUTE, _DISKS, _NETWORK = "2024-07-01", "2024-03-02", "2024-05-01"
_NOT_WRITTEN = ("id", "etag", "resources", "systemData")


class Written(Struct, frozen=True, kw_only=True):
    """A resource as it is to be."""

    words: str
    """For people: which one."""
    id: ResourceId
    content: Json
    version: str
    """The api-version of the content."""
    is_spare: bool = False
    """Whether it is only written if something else goes wrong."""

    @property
    def group(self) -> ResourceId:
        """The group it is in."""
        return group_of(self.id)

    @property
    def parent(self) -> ResourceId | None:
        """The resource that it is a child of."""
        return self.id.parent if self.id.type.count("/") > 1 else None


def written(connection: Connection, subject: Subject) -> Iterator[Written]:
    """Return each resource that is written."""
    yield from vm_states(subject)
    seen: dict[ResourceId, Json] = {}
    for step in subject.step.work:
        found = _other(connection, subject, step, seen)
        if found is not None:
            yield found


def vm_states(subject: Subject) -> Iterator[Written]:
    """Return the VM after each write of it; what comes to the same is told once."""
    told: list[Json] = []
    content = _content(subject.vm, subject.body)
    for work, is_spare in ((subject.step.work, False), (subject.step.spare, True)):
        for step in work:
            content = _after(content, step, subject)
            if isinstance(step, _OF_VM) and content not in told:
                told.append(content)
                words = f"the VM {subject.vm.name}"
                yield Written(
                    words=words, id=subject.vm, content=content, version=_COMPUTE, is_spare=is_spare
                )


_OF_VM = (TakeLease, PatchVm, AssignIdentity, RemoveIdentity)


def _after(vm: Json, step: Work, subject: Subject) -> Json:
    match step:
        case TakeLease():
            return laid_over(vm, {"tags": lease.marks_of_lease(step, subject.context)})
        case PatchVm(properties=properties):
            return laid_over(vm, {"properties": properties})
        case AssignIdentity() | RemoveIdentity():
            has = wire.virtual_machine({**subject.body, "identity": vm.get("identity")}).identity
            meant = Identity(system_assigned=step.system, user_assigned=step.user_assigned)
            change = with_identities if isinstance(step, AssignIdentity) else without_identities
            return laid_over(vm, {"identity": change(has, meant)})
        case _:
            return vm


def _other(
    connection: Connection, subject: Subject, step: Work, seen: dict[ResourceId, Json]
) -> Written | None:
    """Return what a step writes beside the VM itself, if anything."""
    context, location = subject.context, str(subject.body.get("location") or "")
    match step:
        case TakeSnapshot(disk=disk):
            own = snapshot_id(step, context.plan, context.started)
            content = snapshot_body(step, _disk(connection, disk, seen), context)
            return _made(f"the snapshot of {disk.name}", own, content)
        case SetDiskEncryption(disk=disk, encryption=encryption):
            body = _disk(connection, disk, seen)
            properties = {**body["properties"], "encryption": encryption_patch(encryption)}
            return _made(f"the disk {disk.name}", disk, {**body, "properties": properties})
        case TryEncryption():
            return _made("the throwaway disk", trial_id(step), trial_body(step, location, context))
        case InstallExtension(name=name):
            own = ResourceId(f"{step.vm}/extensions/{name}")
            content = extension_body(step, location, None, context)
            return _made(f"the extension {name}", own, content, _COMPUTE)
        case RunInGuest(name=name):
            # Its script is nobody's business here: a policy asks whether there may be commands at all.
            own = ResourceId(f"{step.vm}/runCommands/readiness-{name}")
            return _made("a run command", own, {"location": location, "properties": {}}, _COMPUTE)
        case SetSecurityRule(rule=rule, properties=properties):
            content = {"properties": properties}
            return _made(f"the security rule {rule.name}", rule, content, _NETWORK)
        case _:
            return None


def _made(words: str, resource: ResourceId, body: Json, version: str = _DISKS) -> Written:
    return Written(words=words, id=resource, content=_content(resource, body), version=version)


def _content(resource: ResourceId, body: Json) -> Json:
    """Return a body with the type and the name that its address says, as Azure Policy wants to know them."""
    kept = {name: value for name, value in body.items() if name not in _NOT_WRITTEN}
    _, _, tail = resource.text.rpartition("/providers/")
    provider, *words = tail.split("/")
    return kept | {"type": "/".join([provider, *words[::2]]), "name": resource.name}


def _disk(connection: Connection, disk: ResourceId, seen: dict[ResourceId, Json]) -> Json:
    if disk not in seen:
        disks = connection.compute(disk.subscription).disks
        seen[disk] = body_of(partial(disks.get, disk.resource_group, disk.name))
    return seen[disk]
