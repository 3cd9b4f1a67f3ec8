"""Extensions of a machine: GET, lists, PUT, PATCH and DELETE, and what they do inside.

Guarantees: protected settings are never kept nor answered; an extension whose handler fails ends Failed, with
the words of the agent, and stays as a resource. Templates of the wordings: Learn, "Understand common error
messages when you manage virtual machines in Azure"; of a second extension of a type as recorded by clients.
"""

from datetime import datetime

from readiness.twin.arm import immediate
from readiness.twin.arm.guest_work import UNREADY, check_allowed, end_badly, silence_of
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, merged, same, section
from readiness.twin.guest import extension_kinds, inside
from readiness.twin.guest.extension_kinds import Handler, Installation
from readiness.twin.guest.facts import is_windows
from readiness.twin.machine import disk_ids
from readiness.twin.messages import ArmError, Response, property_change_not_allowed
from readiness.twin.protocols import COMPUTE_PUT
from readiness.twin.state import VM, missing
from readiness.twin.world import Call, Routes, World

KIND = f"{VM}/extensions"
_STOPPED = "Cannot modify extensions in the VM when the VM is not running."
_WRITABLE = (
    *("publisher", "type", "typeHandlerVersion", "autoUpgradeMinorVersion", "enableAutomaticUpgrade"),
    *("settings", "forceUpdateTag", "suppressFailures", "provisionAfterExtensions"),
)
_SCRIPT_SECONDS = 5400.0
_TROUBLESHOOT = (
    "More information on troubleshooting is available at https://aka.ms/vmextension{}troubleshoot."
)


def get(world: World, call: Call) -> Response:
    """Answer one extension."""
    return Response(200, _shown(world, world.state.need(call.address), call))


def listed(world: World, call: Call) -> Response:
    """Answer the extensions of a machine, on one page as Azure does."""
    vm_id = call.address.resource_id
    immediate.need_parent(world, vm_id)
    return page(call, world.state.of_kind(KIND, vm_id), lambda each: _shown(world, each, call))


def _shown(world: World, found: Json, call: Call) -> Json:
    body: Json = duplicate(found)
    section(body, "properties").pop("protectedSettings", None)
    if "instanceview" in call.request.query.get("$expand", "").lower():
        view = _view(world, found)
        if view is not None:
            body["properties"]["instanceView"] = duplicate(view)
    return body


def _view(world: World, found: Json) -> Json | None:
    vm = world.state.find(_vm_id(found["id"]))
    views = [] if vm is None else world.state.machine(vm).guest.get("extensions") or []
    return next((each for each in views if same(each.get("name"), found["name"])), None)


def _vm_id(resource_id: str) -> str:
    return resource_id.rsplit("/", 2)[0]


def write(world: World, call: Call) -> Response:
    """Install an extension, or let it take up other settings."""
    before = world.state.find(call.address.resource_id)
    if before is None and call.request.method == "PATCH":
        raise missing(call.address.resource_id)
    vm = immediate.need_parent(world, _vm_id(call.address.resource_id))
    ticket = world.admit(call, "virtualMachines/extensions/write", call.address.resource_id)
    if before is not None:
        world.idle(before, "write")
    world.idle(vm, "write")
    machine = world.state.machine(vm)
    check_allowed(vm, machine, stopped=_STOPPED)
    after = _planned(call, vm, before)
    handler, version = _handler(after, vm)
    _check_alone(world, vm, after, handler)
    world.state.put(after)
    secret = look(call.body(), "properties.protectedSettings") or {}

    def done(when: datetime) -> None:
        silence = silence_of(vm, machine)
        trouble = None if silence else _install(world, vm, after, handler, secret, when)
        error = silence or (None if trouble is None else _failure(vm, after, trouble))
        after["properties"]["provisioningState"] = "Succeeded" if error is None else "Failed"
        if silence is None:
            _report(machine.guest, after, handler, version, trouble)
        is_hushed = after["properties"].get("suppressFailures") is True
        if error is not None and not is_hushed:
            end_badly(operation, error)

    def failed(_: datetime) -> None:
        after["properties"]["provisioningState"] = "Failed"
        error = operation.error or {}
        _report(machine.guest, after, handler, version, str(error.get("message")))

    within = None if machine.is_ready else UNREADY
    operation = world.begin(call, ticket, done=done, failed=failed, protocol=COMPUTE_PUT, within=within)
    return world.accepted(call, ticket, operation, Response(201 if before is None else 200, duplicate(after)))


def _planned(call: Call, vm: Json, before: Json | None) -> Json:
    body = call.body()
    is_put = call.request.method == "PUT"
    after: Json = (
        duplicate(before) if before else immediate.fresh(call, "Microsoft.Compute/virtualMachines/extensions")
    )
    after["location"] = vm.get("location")
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    given = {name: value for name, value in (body.get("properties") or {}).items() if name in _WRITABLE}
    for name in ("publisher", "type"):
        known = look(before, f"properties.{name}")
        if known is not None and name in given and not same(known, given[name]):
            raise property_change_not_allowed(name)
    after["properties"] = merged({} if is_put else section(after, "properties"), given)
    properties = after["properties"]
    properties.setdefault("autoUpgradeMinorVersion", False)
    properties["provisioningState"] = "Creating" if before is None else "Updating"
    return after


def _handler(after: Json, vm: Json) -> tuple[Handler, str]:
    properties = after["properties"]
    publisher, kind = properties.get("publisher"), properties.get("type")
    found = extension_kinds.find(publisher, kind)
    if found is None:
        raise ArmError(
            404,
            "ArtifactNotFound",
            f"The VM extension with publisher '{publisher}' and type '{kind}' could not be found in location "
            f"'{vm.get('location')}'.",
        )
    wanted = str(properties.get("typeHandlerVersion") or "")
    # A handler upgrades its minor version where it may, so that an older minor one is satisfied, too.
    fits = found.version(wanted)
    if fits is None and properties.get("autoUpgradeMinorVersion") is True:
        fits = found.version(wanted.partition(".")[0])
    if fits is None:
        raise ArmError(
            400,
            "ArtifactVersionNotFound",
            f"No version found in the artifact repository that satisfies the requested version '{wanted}' "
            f"for VM extension with publisher '{publisher}' and type '{kind}'.",
        )
    system = "Windows" if is_windows(vm) else "Linux"
    if found.system != system:
        raise ArmError(
            400,
            "BadRequest",
            f"The VM extension with publisher '{publisher}' and type '{kind}' is for {found.system} and "
            f"cannot be installed on a {system} VM.",
            unverified=True,
        )
    return found, fits


def _check_alone(world: World, vm: Json, after: Json, handler: Handler) -> None:
    for other in world.state.of_kind(KIND, vm["id"]):
        is_other = not same(other["id"], after["id"])
        names = (look(other, f"properties.{each}") for each in ("publisher", "type"))
        if is_other and extension_kinds.find(*names) is handler:
            raise ArmError(
                400,
                "BadRequest",
                f"Multiple VMExtensions per handler not supported for OS type '{handler.system}'. "
                f"VMExtension '{other['name']}' with handler '{handler.publisher}.{handler.kind}' already "
                "added or specified in input.",
            )


def _install(
    world: World, vm: Json, after: Json, handler: Handler, secret: Json, when: datetime
) -> str | None:
    """Install inside the machine; return what its agent reports where that fails."""
    settings = look(after, "properties.settings") or {}
    kind = handler.kind.lower()
    guest = inside.guest_of(world.state, vm, now=when, seed=world.seed)
    if kind in extension_kinds.SCRIPTS:
        command = secret.get("commandToExecute") or settings.get("commandToExecute")
        if not command:
            return "Enable failed: invalid configuration: 'commandToExecute' is not specified"
        outcome = inside.run(world.state, vm, str(command), when=when, seed=world.seed, limit=_SCRIPT_SECONDS)
        failure = "Enable failed: failed to execute command: command terminated with exit status="
        return f"{failure}{outcome.code}" if outcome.code else None
    others = (each for each in world.state.of_kind(KIND, vm["id"]) if not same(each["id"], after["id"]))
    trouble = extension_kinds.install(
        kind,
        Installation(
            guest=guest,
            vm=vm,
            installed=frozenset(str(look(each, "properties.type")).lower() for each in others),
            settings=settings,
            secret=secret,
        ),
    )
    if trouble is None and kind in extension_kinds.ENCRYPTING:
        world.state.ever_ade |= {vm["id"].lower(), *(each.lower() for each in disk_ids(vm))}
    return trouble


def _failure(vm: Json, after: Json, trouble: str) -> Json:
    properties = after["properties"]
    system = "windows" if is_windows(vm) else "linux"
    return {
        "code": "VMExtensionProvisioningError",
        "message": f"VM has reported a failure when processing extension '{after['name']}' (publisher "
        f"'{properties['publisher']}' and type '{properties['type']}'). Error message: '{trouble}'. "
        + _TROUBLESHOOT.format(system),
    }


def _report(guest: Json, after: Json, handler: Handler, version: str, trouble: str | None) -> None:
    """Let the agent report an extension, and the handler that carries it."""
    word, shown = ("succeeded", "Provisioning succeeded")
    if trouble is not None:
        word, shown = "failed", "Provisioning failed"
    name = f"{handler.publisher}.{handler.kind}"
    view = {
        "name": after["name"],
        "type": name,
        "typeHandlerVersion": version,
        "statuses": [
            {
                "code": f"ProvisioningState/{word}",
                "level": "Info" if trouble is None else "Error",
                "displayStatus": shown,
                "message": trouble or "",
            }
        ],
    }
    others = [each for each in guest.get("extensions") or [] if not same(each.get("name"), after["name"])]
    guest["extensions"] = [*others, view]
    agent = section(guest, "vmAgent")
    ready = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready"}
    known = [each for each in agent.get("extensionHandlers") or [] if not same(each.get("type"), name)]
    agent["extensionHandlers"] = [*known, {"type": name, "typeHandlerVersion": version, "status": ready}]


def delete(world: World, call: Call) -> Response:
    """Remove an extension; one that is not there is already removed."""
    found = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "virtualMachines/extensions/delete", call.address.resource_id)
    if found is None:
        return world.finished(ticket, Response(204))
    vm = immediate.need_parent(world, _vm_id(found["id"]))
    world.idle(found, "delete")
    machine = world.state.machine(vm)
    check_allowed(vm, machine, stopped=_STOPPED)
    found["properties"]["provisioningState"] = "Deleting"

    def done(when: datetime) -> None:
        if world.state.find(found["id"]) is not found:
            return
        world.state.remove(found["id"])
        extension_kinds.remove(
            str(look(found, "properties.type")), inside.guest_of(world.state, vm, now=when, seed=world.seed)
        )
        views = machine.guest.get("extensions") or []
        machine.guest["extensions"] = [each for each in views if not same(each.get("name"), found["name"])]

    def failed(_: datetime) -> None:
        found["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed)
    return world.accepted(call, ticket, operation, Response(202))


ROUTES: Routes = {
    ("GET", VM, "extensions"): listed,
    ("GET", KIND, ""): get,
    ("PUT", KIND, ""): write,
    ("PATCH", KIND, ""): write,
    ("DELETE", KIND, ""): delete,
}
