"""The lease on a VM: one tag that keeps other runs away, written with the state from before, removed last.

Both writes are held against the VM's etag: of two runs that take the lease at once, one is refused.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from azure.core import MatchConditions
from msgspec.structs import replace

from readiness.azure.connect import Connection
from readiness.azure.marks import (
    BACK,
    BEFORE,
    LEASE,
    PLAN,
    STARTED,
    Lease,
    before_mark,
    lease_of,
    without_ours,
)
from readiness.azure.operations import Begin, begin
from readiness.azure.plain import body_of
from readiness.model.ids import ResourceId
from readiness.model.steps import ReleaseLease, TakeLease
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext


def take(connection: Connection, step: TakeLease, context: StepContext) -> Progress:
    """Mark the VM as ours, unless another run's lease on it has not ended."""
    body = _vm(connection, step.vm)
    tags: dict[str, str] = body.get("tags") or {}
    found = lease_of(tags)
    if is_ours(found, context) and says(tags, step, context):
        return Done("it is ours already")
    if found is not None and holds(found, context):
        return held_by(found)
    wanted = without_ours(tags) | marks_of_lease(step, context)
    progress = begin(_update(connection, step.vm, wanted, body.get("etag")))
    if found is not None and not is_ours(found, context) and isinstance(progress, Pending):
        return replace(progress, detail=taken_over_from(found))
    return progress


def says(tags: Mapping[str, str], step: TakeLease, context: StepContext) -> bool:
    """Tell whether tags say all of a lease that is ours: one that was not let go of knows no way back yet."""
    return tags.get(STARTED) == context.started and (BACK in tags or not step.back)


def is_ours(found: Lease | None, context: StepContext) -> bool:
    """Tell whether a lease is that of this very run."""
    return found is not None and (found.run, found.instance) == (context.run, context.instance)


def holds(found: Lease, context: StepContext) -> bool:
    """Tell whether a lease is another run's, and has not ended."""
    return not is_ours(found, context) and found.until > context.now


def held_by(found: Lease) -> Failed:
    """Return the refusal for the sake of another run."""
    detail = f"run {found.run} has the lease on it until {found.until:%Y-%m-%d %H:%M} UTC"
    return Failed("LeaseHeld", detail)


def taken_over_from(found: Lease) -> str:
    """Say whose lease had ended."""
    return f"taken over from run {found.run}, whose lease ended {found.until:%Y-%m-%d %H:%M} UTC"


def marks_of_lease(step: TakeLease, context: StepContext) -> dict[str, str]:
    """Return the tags that a lease is."""
    marks = {
        LEASE: Lease(run=context.run, instance=context.instance, until=step.until).written(),
        PLAN: context.plan,
        STARTED: context.started,
    }
    if context.before is not None:
        marks[BEFORE] = before_mark(context.before)
    if step.back:
        marks[BACK] = context.now.isoformat(timespec="seconds")
    return marks


def release(connection: Connection, step: ReleaseLease, context: StepContext) -> Progress:
    """Take our marks away; those of another run stay."""
    body = _vm(connection, step.vm)
    tags: dict[str, str] = body.get("tags") or {}
    found = lease_of(tags)
    if found is None:
        return Done("no lease is left")
    if not is_ours(found, context):
        return Done(f"the lease on it is that of run {found.run} now")
    return begin(_update(connection, step.vm, without_ours(tags), body.get("etag")))


def _vm(connection: Connection, vm: ResourceId) -> dict[str, Any]:
    machines = connection.compute(vm.subscription).virtual_machines
    return body_of(partial(machines.get, vm.resource_group, vm.name))


def _update(connection: Connection, vm: ResourceId, tags: dict[str, str], etag: str | None) -> Begin:
    machines = connection.compute(vm.subscription).virtual_machines
    patch: Any = {"tags": tags}
    call = partial(machines.begin_update, vm.resource_group, vm.name, patch)
    return partial(call, etag=etag, match_condition=MatchConditions.IfNotModified) if etag else call
