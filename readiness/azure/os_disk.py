"""The swap of an OS disk for one made from its snapshot.

Each call makes the next request of: create the disk, put it in the OS disk's place. Both are looked for
first. Guarantees: the VM is deallocated; nothing is swapped where its security type, or its OS disk's
generation or size, is not that of the snapshot; the disk that was replaced is kept, and named.
"""

import hashlib
from functools import partial
from typing import Any

from azure.core import MatchConditions

from readiness.azure import wire
from readiness.azure.connect import Connection
from readiness.azure.marks import marks_of, relative
from readiness.azure.operations import DEFAULT_WAIT, only_begun
from readiness.azure.operations import begin as begin_operation
from readiness.azure.plain import body_of, vm_body
from readiness.azure.wire_values import Json, number, obj, own_id, resource_id, text
from readiness.errors import MissingError
from readiness.model.ids import ResourceId
from readiness.model.steps import SwapOsDisk, snapshot_id
from readiness.model.virtual_machine import Power
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

_LONGEST_NAME = 80
_STANDARD = "standard"
_OWN_SETTINGS = (
    *("diskSizeGB", "encryption", "networkAccessPolicy", "publicNetworkAccess", "diskAccessId"),
    *("dataAccessAuthMode", "tier", "burstingEnabled", "supportsHibernation"),
)
"""What a disk has by itself. Generation, system and security type come with a copy, and may not be given."""


def restored_id(step: SwapOsDisk, context: StepContext) -> ResourceId:
    """Return the deterministic id of the disk made from the step's snapshot, beside the one it replaces."""
    snapshot = snapshot_id(step, context.plan, context.started)
    tail = f"-restored-{hashlib.sha256(snapshot.key.encode()).hexdigest()[:8]}"
    return step.disk.sibling("Microsoft.Compute/disks", step.disk.name[: _LONGEST_NAME - len(tail)] + tail)


def begin(connection: Connection, step: SwapOsDisk, context: StepContext) -> Progress:
    """Look how far the swap is, and begin what comes next."""
    body = vm_body(connection, step.vm, expand="instanceView")
    wanted = restored_id(step, context)
    if _os_disk_of(body) == wanted:
        if (text(obj(body, "properties"), "provisioningState") or "").lower() == "updating":
            return Pending(None, DEFAULT_WAIT, "the VM is being updated")
        return Done(f"{wanted.name} is its OS disk now; {step.disk.name} is kept")
    sources = _sources(connection, step, body, context)
    if isinstance(sources, Failed):
        return sources
    made = _found(connection, wanted)
    if made is None or _state(made) in ("failed", "canceled"):
        return _make(connection, step, wanted, sources, context)
    snapshot = sources[1]
    if resource_id(obj(obj(made, "properties"), "creationData"), "sourceResourceId") != own_id(snapshot):
        return Failed("NameTaken", f"{wanted.name} is there, and not made from {text(snapshot, 'name')}")
    if _state(made) != "succeeded":
        return Pending(None, DEFAULT_WAIT, f"{wanted.name} is {_state(made)}")
    return _swap(connection, step.vm, body, wanted)


def _sources(
    connection: Connection, step: SwapOsDisk, vm: Json, context: StepContext
) -> tuple[Json, Json] | Failed:
    """Return the OS disk as it is and its snapshot, or why they cannot be swapped."""
    current = _os_disk_of(vm)
    if current != step.disk:
        name = current.name if current else "none"
        return Failed("SwapMismatch", f"the VM's OS disk is {name}, and not {step.disk.name}")
    if wire.virtual_machine(vm).power is not Power.DEALLOCATED:
        return Failed("VmNotDeallocated", "an OS disk is swapped only while the VM is deallocated")
    old = _found(connection, step.disk)
    if old is None:
        return Failed("DiskMissing", f"{step.disk.name} is not there any more")
    snapshot = _found(connection, snapshot_id(step, context.plan, context.started))
    if snapshot is None or _state(snapshot) != "succeeded":
        why = "there is none" if snapshot is None else f"it is {_state(snapshot)}"
        return Failed("SnapshotMissing", f"no snapshot of {step.disk.name} can be used: {why}")
    differs = _differences(vm, old, snapshot)
    if differs:
        return Failed("SwapMismatch", f"the snapshot does not fit the VM: {'; '.join(differs)}")
    return old, snapshot


def _os_disk_of(vm: Json) -> ResourceId | None:
    os_disk = obj(obj(obj(vm, "properties"), "storageProfile"), "osDisk")
    return resource_id(obj(os_disk, "managedDisk"), "id")


def _found(connection: Connection, wanted: ResourceId) -> Json | None:
    client = connection.compute(wanted.subscription)
    of_type: Any = client.snapshots if wanted.type.endswith("/snapshots") else client.disks
    try:
        return body_of(partial(of_type.get, wanted.resource_group, wanted.name))
    except MissingError:
        return None


def _state(resource: Json) -> str:
    return (text(obj(resource, "properties"), "provisioningState") or "succeeded").lower()


def _differences(vm: Json, old: Json, snapshot: Json) -> list[str]:
    """Return in what a snapshot does not fit a VM and its OS disk as they are now."""
    disk, copy = obj(old, "properties"), obj(snapshot, "properties")
    of_vm = _security(obj(vm, "properties"))
    security = _security(copy)
    generations = [(text(each, "hyperVGeneration") or "V1").upper() for each in (disk, copy)]
    size, least = number(disk, "diskSizeGB"), number(copy, "diskSizeGB")
    differs = []
    # Of a confidential VM the disk's type says more than the VM's.
    if not security.startswith(of_vm):
        differs.append(f"its security type is {security}, the VM's is {of_vm}")
    if generations[0] != generations[1]:
        differs.append(f"it is of generation {generations[1]}, the OS disk is of {generations[0]}")
    if size != least:
        differs.append(f"it holds {least} GB, the OS disk {size} GB")
    return differs


def _security(properties: Json) -> str:
    return (text(obj(properties, "securityProfile"), "securityType") or _STANDARD).lower()


def _make(
    connection: Connection,
    step: SwapOsDisk,
    wanted: ResourceId,
    sources: tuple[Json, Json],
    context: StepContext,
) -> Progress:
    old, snapshot = sources
    had = obj(old, "properties")
    body: Any = {
        "location": old["location"],
        "tags": (old.get("tags") or {})
        | marks_of(step.vm, context)
        | {"readiness-replaces": relative(step.disk)},
        "properties": {name: had[name] for name in _OWN_SETTINGS if had.get(name) is not None}
        | {"creationData": {"createOption": "Copy", "sourceResourceId": snapshot["id"]}},
    }
    body |= {name: old[name] for name in ("zones", "extendedLocation") if old.get(name)}
    if name := text(obj(old, "sku"), "name"):
        body["sku"] = {"name": name}
    disks = connection.compute(wanted.subscription).disks
    call = partial(disks.begin_create_or_update, wanted.resource_group, wanted.name, body)
    return only_begun(begin_operation(call))


def _swap(connection: Connection, vm: ResourceId, body: Json, wanted: ResourceId) -> Progress:
    was = obj(obj(obj(body, "properties"), "storageProfile"), "osDisk")
    # It has to be there and stay as it is: a change of it is refused.
    option = {"createOption": was["createOption"]} if was.get("createOption") else {}
    os_disk = {**option, "name": wanted.name, "managedDisk": {"id": wanted.text}}
    patch: Any = {"properties": {"storageProfile": {"osDisk": os_disk}}}
    machines = connection.compute(vm.subscription).virtual_machines
    call = partial(machines.begin_update, vm.resource_group, vm.name, patch)
    if etag := text(body, "etag"):
        call = partial(call, etag=etag, match_condition=MatchConditions.IfNotModified)
    return only_begun(begin_operation(call))
