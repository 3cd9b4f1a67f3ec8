"""Virtual machines: GET, lists, PUT, PATCH and DELETE.

Guarantees: an accepted write shows at once, with provisioningState Updating, and steps the etag; properties a
body leaves out stay as they are; secrets in a body are never kept. A write that ends Failed leaves the model
as it was before: an assumption, since Azure documents only the state. As recorded, a PUT that changes nothing
is answered without the headers of an operation: the resource itself says when it is done.
"""

import re
from datetime import datetime

from readiness.twin.arm import (
    attachments,
    creation,
    deletion,
    etag,
    fixed,
    identity,
    new_disks,
    os_profile,
    power,
    security,
    sizes,
)
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, merged, same
from readiness.twin.durations import NOTHING_TO_DO
from readiness.twin.machine import Power, instance_view, model_disks
from readiness.twin.messages import Response
from readiness.twin.protocols import COMPUTE_PUT, STATE
from readiness.twin.state import VM, missing
from readiness.twin.world import Call, Routes, World

_READ_ONLY = {"provisioningState", "vmId", "timeCreated", "instanceView", "userData"}
_TAKEN = {"location", "zones", "plan", "tags", "properties", "identity", "extendedLocation"}
_CREATED_SINCE = "2021-11-01"
"""From this api-version on `timeCreated` is told."""
_SCALE_SET_FILTER = re.compile(r"\s*'?virtualMachineScaleSet/id'?\s+eq\s+'([^']*)'\s*", re.IGNORECASE)
"""Learn, "Virtual Machines - List": the one filter there is."""


def get(world: World, call: Call) -> Response:
    """Answer one virtual machine."""
    vm = world.state.need(call.address)
    with_view = "instanceview" in call.request.query.get("$expand", "").lower()
    body = shown(world, vm, call.version, with_view=with_view)
    # As recorded in Azure/azure-cli, network/tests/latest/recordings/test_network_watcher_packet_capture.
    if own := _extensions(world, vm["id"]).get(vm["id"].lower()):
        body["resources"] = own
    # Recorded: the ETag header is absent where the instance view is expanded.
    headers = {"ETag": vm["etag"]} if "etag" in body and not with_view else {}
    return Response(200, body, headers)


def view(world: World, call: Call) -> Response:
    """Answer the instance view of one virtual machine."""
    vm = world.state.need(call.address)
    return Response(200, instance_view(world.state.machine(vm), vm, generation=world.state.generation(vm)))


def listed(world: World, call: Call) -> Response:
    """Answer the virtual machines of a resource group or a subscription."""
    query = call.request.query
    with_view = same(query.get("statusonly"), "true") or "instanceview" in query.get("$expand", "").lower()
    vms = world.state.of_kind(VM, call.address.scope)
    if scale_set := _SCALE_SET_FILTER.fullmatch(query.get("$filter", "")):
        vms = [vm for vm in vms if same(look(vm, "properties.virtualMachineScaleSet.id"), scale_set[1])]
    known = _extensions(world, call.address.scope)
    return page(
        call,
        vms,
        lambda vm: _in_list(
            shown(world, vm, call.version, with_view=with_view), known.get(vm["id"].lower(), [])
        ),
    )


def _in_list(body: Json, extensions: list[Json]) -> Json:
    """Return a machine as lists show it: of its extensions the ids alone (Azure/azure-sdk-for-net#13378)."""
    if extensions:
        body["resources"] = extensions
    if "resources" in body:
        body["resources"] = [{"id": each["id"]} for each in body["resources"]]
    return body


def shown(world: World, vm: Json, version: str, *, with_view: bool) -> Json:
    """Return a virtual machine as an api-version shows it."""
    body: Json = duplicate(vm)
    security.show(body, version)
    _show_disks(world, body, vm)
    if version < etag.SINCE:
        del body["etag"]
    if version < _CREATED_SINCE:
        body["properties"].pop("timeCreated", None)
    if with_view:
        body["properties"]["instanceView"] = instance_view(
            world.state.machine(vm), vm, generation=world.state.generation(vm)
        )
    return body


def _show_disks(world: World, body: Json, vm: Json) -> None:
    """Leave out what the provider forgets of its disks while a machine is deallocated: size and type.

    As recorded in Azure/azure-cli, vm/tests/latest/recordings/test_enable_trusted_launch_on_v1.yaml.
    """
    if world.state.machine(vm).power is not Power.DEALLOCATED:
        return
    for entry in model_disks(body):
        if isinstance(entry.get("managedDisk"), dict):
            entry.pop("diskSizeGB", None)
            entry["managedDisk"].pop("storageAccountType", None)


def _extensions(world: World, scope: str) -> dict[str, list[Json]]:
    """Return the extensions beneath a scope, by the lower-case id of their machine."""
    found: dict[str, list[Json]] = {}
    for each in world.state.of_kind(f"{VM}/extensions", scope):
        found.setdefault(each["id"].lower().rsplit("/extensions/", 1)[0], []).append(duplicate(each))
    return found


def write(world: World, call: Call) -> Response:
    """Make a virtual machine by PUT, or change one, by PATCH or by PUT."""
    vm = world.state.find(call.address.resource_id)
    is_put = call.request.method == "PUT"
    if vm is None:
        if not is_put:
            raise missing(call.address.resource_id)
        return creation.create(world, call, lambda new: shown(world, new, call.version, with_view=False))
    return _change(world, call, vm, is_put=is_put)


def _change(world: World, call: Call, vm: Json, *, is_put: bool) -> Response:
    ticket = world.admit(
        call,
        "virtualMachines/write",
        vm["id"],
        charge="virtualMachines/put" if is_put else "virtualMachines/patch",
    )
    world.idle(vm, "write")
    before, after = duplicate(vm), _changed(vm, call.body(), is_put=is_put)
    _check(world, call, before, after)
    disks = new_disks.make(world, after, None, call.now)
    is_same = is_put and _plain(after) == _plain(before)
    etag.bump(after)
    after["properties"]["provisioningState"] = "Updating"
    for disk in disks:
        world.state.put(disk)
    _set(world, vm, after)

    def done(when: datetime) -> None:
        identity.complete(vm, world.state, seed=world.seed, when=when)
        power.settle(vm, world.state.machine(vm), when)
        _take_effect(world, before, vm, when)

    def failed(when: datetime) -> None:
        _set(world, vm, before | {"etag": vm["etag"]})
        for disk in disks:
            world.state.remove(disk["id"])
        power.settle(vm, world.state.machine(vm), when, trouble=operation.error)

    operation = world.begin(
        call,
        ticket,
        done=done,
        failed=failed,
        protocol=STATE if is_same else COMPUTE_PUT,
        within=NOTHING_TO_DO if is_same else None,
    )
    body = shown(world, vm, call.version, with_view=False)
    headers = {"ETag": vm["etag"]} if "etag" in body else {}
    return world.accepted(call, ticket, operation, Response(200, body, headers))


def _plain(vm: Json) -> Json:
    """Return a model without the word for Standard, which only some api-versions send back."""
    copy: Json = duplicate(vm)
    security.show(copy, "")
    return copy


def _check(world: World, call: Call, before: Json, after: Json) -> None:
    """Let every rule refuse a change."""
    body, machine = call.body(), world.state.machine(before)
    security.normalise(after, body)
    fixed.check(world.state, before, after, body, machine)
    identity.check(world.state, before.get("identity"), after.get("identity"))
    security.check(world, call, before, after)
    sizes.check_change(world.state, before, after, machine)
    attachments.check(world.state, before, after, machine)


def _changed(vm: Json, body: Json, *, is_put: bool) -> Json:
    given = {name: value for name, value in body.items() if name in _TAKEN - {"identity", "tags", "location"}}
    given["properties"] = _writable(body.get("properties") or {})
    after: Json = merged(duplicate(vm), given)
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    if "identity" in body:
        after["identity"] = identity.changed(vm.get("identity"), body["identity"], replaces=is_put)
        if after["identity"] is None:
            del after["identity"]
    return after


def _writable(properties: Json) -> Json:
    """Leave out what a client may send back but not set, and every secret."""
    kept: Json = {name: value for name, value in properties.items() if name not in _READ_ONLY}
    if isinstance(kept.get("osProfile"), dict):
        kept["osProfile"] = os_profile.without_secrets(kept["osProfile"])
    return kept


def _set(world: World, vm: Json, after: Json) -> None:
    """Set the model, and let go of disks and interfaces it no longer names."""
    before = duplicate(vm)
    vm.clear()
    vm.update(after)
    attachments.change(world.state, before, after)


def _take_effect(world: World, before: Json, vm: Json, when: datetime) -> None:
    """Let a change reach the machine and its disks once its operation has ended."""
    security.take_effect(world.state, before, vm)
    for entry in model_disks(vm):
        _grow(world, entry)
    if security.restarts(before, vm) and world.state.machine(vm).power is Power.RUNNING:
        power.boot(world, vm, when)


def _grow(world: World, entry: Json) -> None:
    """Let a disk have the size its machine's model asks for; disks never shrink."""
    disk, wanted = world.state.find(look(entry, "managedDisk.id")), entry.get("diskSizeGB")
    known = look(disk, "properties.diskSizeGB")
    if disk is not None and isinstance(wanted, int) and isinstance(known, int) and wanted > known:
        disk["properties"] |= {"diskSizeGB": wanted, "diskSizeBytes": wanted * 1024**3}


ROUTES: Routes = {
    ("GET", "microsoft.compute", "virtualmachines"): listed,
    ("GET", VM, ""): get,
    ("GET", VM, "instanceview"): view,
    ("PATCH", VM, ""): write,
    ("PUT", VM, ""): write,
    ("DELETE", VM, ""): deletion.delete,
}
