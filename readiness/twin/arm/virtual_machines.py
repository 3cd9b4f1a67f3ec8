"""Virtual machines: GET, lists, PATCH and PUT of what exists.

Guarantees: an accepted write shows at once, with provisioningState Updating, and steps the etag; properties a
body leaves out stay as they are; secrets in a body are never kept. A write that ends Failed leaves the model
as it was before: an assumption, since Azure documents only the state. Creating and deleting are not modelled.
"""

from datetime import datetime

from readiness.twin.arm import etag, identity, power, security
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, merged, same
from readiness.twin.machine import Power, disk_ids, instance_view
from readiness.twin.messages import Response, property_change_not_allowed
from readiness.twin.plausible import disk_state
from readiness.twin.state import VM
from readiness.twin.world import Call, World

_READ_ONLY = {"provisioningState", "vmId", "timeCreated", "instanceView"}
_TAKEN = {"location", "zones", "plan", "tags", "properties", "identity", "extendedLocation"}


def get(world: World, call: Call) -> Response:
    """Answer one virtual machine."""
    vm = world.state.need(call.address)
    with_view = "instanceview" in call.request.query.get("$expand", "").lower()
    body = shown(world, vm, call.version, with_view=with_view)
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
    return page(call, vms, lambda vm: shown(world, vm, call.version, with_view=with_view))


def shown(world: World, vm: Json, version: str, *, with_view: bool) -> Json:
    """Return a virtual machine as an api-version shows it."""
    body: Json = duplicate(vm)
    security.show(body, version)
    if version < etag.SINCE:
        del body["etag"]
    if with_view:
        body["properties"]["instanceView"] = instance_view(
            world.state.machine(vm), vm, generation=world.state.generation(vm)
        )
    return body


def write(world: World, call: Call) -> Response:
    """Change a virtual machine, by PATCH or by PUT."""
    vm = world.state.need(call.address)
    is_put = call.request.method == "PUT"
    ticket = world.admit(
        call,
        "virtualMachines/write",
        vm["id"],
        charge="virtualMachines/put" if is_put else "virtualMachines/patch",
    )
    etag.check(call, vm)
    world.idle(vm, "write")
    after = _changed(vm, call.body(), is_put=is_put)
    security.normalise(after, call.body())
    _check_fixed(vm, after, call.body())
    security.check(world, call, vm, after)
    before = duplicate(vm)
    etag.bump(after)
    after["properties"]["provisioningState"] = "Updating"
    _set(world, vm, after)

    def done(when: datetime) -> None:
        identity.complete(vm, world.state, seed=world.seed)
        power.settle(vm, world.state.machine(vm), when)
        _take_effect(world, before, vm, when)

    def failed(when: datetime) -> None:
        _set(world, vm, before | {"etag": vm["etag"]})
        power.settle(vm, world.state.machine(vm), when, trouble=operation.error)

    operation = world.begin(call, ticket, done=done, failed=failed)
    body = shown(world, vm, call.version, with_view=False)
    headers = {"ETag": vm["etag"]} if "etag" in body else {}
    return world.accepted(call, ticket, operation, Response(200, body, headers))


def _changed(vm: Json, body: Json, *, is_put: bool) -> Json:
    given = {name: value for name, value in body.items() if name in _TAKEN - {"identity", "tags"}}
    given["properties"] = _writable(body.get("properties") or {})
    after: Json = merged(vm, given)
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
        kept["osProfile"] = {
            name: value
            for name, value in kept["osProfile"].items()
            if name not in ("adminPassword", "customData", "secrets")
        }
    return kept


def _check_fixed(before: Json, after: Json, body: Json) -> None:
    """Refuse a change to what is fixed at creation, in the words recorded for each property."""
    was, wanted = (look(vm, "properties.osProfile") for vm in (before, after))
    if was is None and wanted is not None:
        raise property_change_not_allowed("osProfile")
    for name in (
        "linuxConfiguration.disablePasswordAuthentication",
        "linuxConfiguration.ssh.publicKeys",
        "adminUsername",
        "computerName",
    ):
        if look(was, name) != look(wanted, name):
            raise property_change_not_allowed(name if "." in name else f"osProfile.{name}")
    if look(body, "properties.osProfile.adminPassword") is not None:
        raise property_change_not_allowed("osProfile.adminPassword")
    created = "properties.storageProfile.osDisk.createOption"
    if not same(look(before, created), look(after, created)):
        raise property_change_not_allowed("osDisk.createOption")


def _set(world: World, vm: Json, after: Json) -> None:
    """Set the model, and let go of disks it no longer names."""
    before = duplicate(vm)
    vm.clear()
    vm.update(after)
    if disk_ids(before) != disk_ids(after):
        world.state.link(vm, before)
        for disk in [*world.state.disks(before), *world.state.disks(after)]:
            _set_owner(world, disk)


def _set_owner(world: World, disk: Json) -> None:
    users = world.state.users(disk["id"])
    disk.pop("managedBy", None)
    if users:
        disk["managedBy"] = users[0]["id"]
    disk["properties"]["diskState"] = disk_state(world.state, disk)


def _take_effect(world: World, before: Json, vm: Json, when: datetime) -> None:
    """Let a change reach the machine once its operation has ended."""
    if security.security_type(before) == "Standard" and security.security_type(vm) == "TrustedLaunch":
        security.convert_generation(world.state, vm)
    if security.restarts(before, vm) and world.state.machine(vm).power is Power.RUNNING:
        power.boot(world, vm, when)
