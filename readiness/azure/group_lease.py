"""The lease on a shared security group: tags like those of a VM's, and what its rules said before.

Written with Azure's own operation for tags, which may change nothing else of the group, before the first of
its rules is written, and taken away last. It is a mark and no lock, since tags are held against no etag: each
write of a rule is, so that of two runs one is refused.
"""

from readiness.azure.connect import Connection
from readiness.azure.lease import held_by, holds, is_ours, marks_of_lease, says, taken_over_from
from readiness.azure.marks import lease_of, ours_in, rule_marks, tags_of
from readiness.azure.plain import read, send
from readiness.model.ids import ResourceId
from readiness.model.steps import MarkGroup, UnmarkGroup
from readiness.ports.cloud import Done, Failed, Progress, StepContext

_API = "2021-04-01"


def begin(connection: Connection, step: MarkGroup | UnmarkGroup, context: StepContext) -> Progress:
    """Look whose the group is, and mark it or take our marks away."""
    tags = group_tags(connection, step.vm)
    if isinstance(step, UnmarkGroup):
        return _unmark(connection, step, context, tags or {})
    if tags is None:
        return Failed("GroupMissing", f"{step.vm.name} is not there any more: assess and plan it again")
    found = lease_of(tags)
    if is_ours(found, context) and says(tags, step, context):
        return Done("it is ours already")
    if found is not None and holds(found, context):
        return held_by(found)
    old = ours_in(tags)
    if old:
        _change(connection, step.vm, "Delete", old)
    _change(connection, step.vm, "Merge", marks_of_lease(step, context) | rule_marks(step.rules))
    return Done(taken_over_from(found) if found and not is_ours(found, context) else "marked")


def group_tags(connection: Connection, group: ResourceId) -> dict[str, str] | None:
    """Return the tags of a group by their names in lower case; None where there is no such group."""
    found = read(connection, group.subscription, _address(group), _API)
    return None if found is None else tags_of(found.get("properties") or {})


def _unmark(
    connection: Connection, step: UnmarkGroup, context: StepContext, tags: dict[str, str]
) -> Progress:
    found = lease_of(tags)
    if found is None:
        return Done("no lease is left")
    if not is_ours(found, context):
        return Done(f"the lease on it is that of run {found.run} now")
    _change(connection, step.vm, "Delete", ours_in(tags))
    return Done("its marks are gone")


def _change(connection: Connection, group: ResourceId, operation: str, tags: dict[str, str]) -> None:
    """Add tags or take them away; of the latter only those that still have the values given."""
    body = {"operation": operation, "properties": {"tags": tags}}
    send(connection, group.subscription, "PATCH", _address(group), _API, body=body)


def _address(group: ResourceId) -> str:
    return f"{group}/providers/Microsoft.Resources/tags/default"
