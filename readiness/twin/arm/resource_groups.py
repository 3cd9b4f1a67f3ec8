"""Resource groups: GET, HEAD, lists, PUT, PATCH, DELETE with all that is in them.

Learn, "Resource Groups - Delete" and "Lock your resources": a group goes with its contents, and not at all
where it or anything in it is locked. Key vaults in it can be recovered afterwards, like any that are
deleted.
"""

import re
from datetime import datetime, timedelta

from readiness.twin.arm import deleted_vaults, deletion
from readiness.twin.arm.deleted_vaults import VAULT
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, same
from readiness.twin.durations import SECONDS
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import Address, parse
from readiness.twin.protocols import RESOURCES
from readiness.twin.state import GROUP, SUBSCRIPTION, VM, State, place
from readiness.twin.world import Call, Routes, World

SHORTEST, LONGEST = SECONDS["resourceGroups/delete"]

_CONDITION = re.compile(r"\s*(\w+) eq '([^']*)'\s*", re.IGNORECASE)
_EXTENSIONS = ("microsoft.authorization", "microsoft.security", "microsoft.resources", "microsoft.features")


def get(world: World, call: Call) -> Response:
    """Answer one group."""
    return Response(200, shown(need(world.state, call.address)))


def exists(world: World, call: Call) -> Response:
    """Answer HEAD: 204 where the group is, 404 where it is not, and never a body."""
    return Response(404 if world.state.find(call.address.resource_id) is None else 204)


def listed(world: World, call: Call) -> Response:
    """Answer the groups of a subscription."""
    return page(call, world.state.of_kind(GROUP, call.address.resource_id), shown)


def need(state: State, address: Address) -> Json:
    """Return a group, or refuse in ARM's words."""
    found = state.find(address.resource_id)
    if found is None:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{address.group}' could not be found.")
    return found


def shown(group: Json) -> Json:
    """Return a group as it is answered: one that is only known from what is in it has everything, too."""
    plausible = {
        "name": group["id"].split("/")[-1],
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    }
    copy: Json = duplicate(group)
    return plausible | copy


def write(world: World, call: Call) -> Response:
    """Make a group, or set its tags."""
    before = world.state.find(call.address.resource_id)
    wanted, own = call.body().get("location"), (before or {}).get("location")
    if not wanted:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if own and place(own) != place(wanted):
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{wanted}'. The Resource group already exists in location "
            f"'{own}'.",
        )
    ticket = world.admit(call, "resourceGroups/write", call.address.path)
    given = {name: duplicate(call.body()[name]) for name in ("tags", "managedBy") if name in call.body()}
    after: Json = (before or {"id": call.address.path, "name": call.address.name}) | {"location": wanted}
    after = {name: value for name, value in after.items() if name != "tags"} | given
    world.state.put(shown(after))
    return world.finished(ticket, Response(201 if before is None else 200, shown(after)))


def update(world: World, call: Call) -> Response:
    """Set the tags of a group."""
    group = need(world.state, call.address)
    ticket = world.admit(call, "resourceGroups/write", group["id"])
    if "tags" in call.body():
        group["tags"] = duplicate(call.body()["tags"] or {})
    return world.finished(ticket, Response(200, shown(group)))


def delete(world: World, call: Call) -> Response:
    """Delete a group and everything in it."""
    group = need(world.state, call.address)
    ticket = world.admit(call, "resourceGroups/delete", group["id"])
    group["properties"] = {"provisioningState": "Deleting"}

    def done(when: datetime) -> None:
        _empty(world, group["id"], when)
        world.state.remove(group["id"])

    def failed(_: datetime) -> None:
        group["properties"] = {"provisioningState": "Succeeded"}

    rest = _rest(world, group["id"], call.now)
    within = (rest + SHORTEST, rest + LONGEST)
    operation = world.begin(call, ticket, done=done, failed=failed, protocol=RESOURCES, within=within)
    return world.accepted(call, ticket, operation, Response(202))


def _rest(world: World, group_id: str, now: datetime) -> float:
    """Return the seconds until all that has begun in a group is over; what never ends is not waited for."""
    found = (world.operations.running(each["id"]) for each in _contents(world.state, group_id))
    rests = ((each.ends - now).total_seconds() for each in found if each is not None)
    return max((rest for rest in rests if rest < timedelta(days=1).total_seconds()), default=0.0)


def _contents(state: State, group_id: str) -> list[Json]:
    prefix = group_id.lower() + "/"
    return [each for each in state.everything() if each["id"].lower().startswith(prefix)]


def _empty(world: World, group_id: str, when: datetime) -> None:
    state = world.state
    for vault in state.of_kind(VAULT, group_id):
        deleted_vaults.put_away(world, vault, when)
    for vm in state.of_kind(VM, group_id):
        deletion.take_apart(state, vm)
    for resource in _contents(state, group_id):
        state.remove(resource["id"])


def resources(world: World, call: Call) -> Response:
    """Answer every top-level resource of a subscription or a group, without its properties.

    What extends another resource (locks, roles, policies, assessments) is no resource of its own. Of a filter
    the comparisons of type, group, name and location joined by `and` are understood; others change nothing.
    """
    if parse(call.address.resource_id).kind == GROUP:
        need(world.state, parse(call.address.resource_id))
    prefix = call.address.resource_id.lower() + "/"
    parts = re.split(r"\band\b", call.request.query.get("$filter", ""), flags=re.IGNORECASE)
    wanted = [(one[1].lower(), one[2]) for part in parts if (one := _CONDITION.fullmatch(part))]
    found = [
        each
        for each in world.state.everything()
        if each["id"].lower().startswith(prefix)
        and _is_top_level(each["id"])
        and all(_agrees(each, name, value) for name, value in wanted)
    ]
    return page(call, found, lambda each: {k: v for k, v in duplicate(each).items() if k != "properties"})


def _agrees(resource: Json, name: str, value: str) -> bool:
    """Tell whether a resource fits one comparison of a filter."""
    address = parse(resource["id"])
    match name:
        case "resourcetype":
            return same(address.kind, value)
        case "resourcegroup":
            return same(address.group, value)
        case "name":
            return same(address.name, value)
        case "location":
            return place(resource.get("location")) == place(value)
        case _:
            return True


def _is_top_level(resource_id: str) -> bool:
    kind = parse(resource_id).kind
    namespace, _, name = kind.partition("/")
    return name not in ("", "features") and "/" not in name and namespace not in _EXTENSIONS


ROUTES: Routes = {
    ("GET", SUBSCRIPTION, "resourcegroups"): listed,
    ("GET", GROUP, ""): get,
    ("HEAD", GROUP, ""): exists,
    ("PUT", GROUP, ""): write,
    ("PATCH", GROUP, ""): update,
    ("DELETE", GROUP, ""): delete,
    ("GET", SUBSCRIPTION, "resources"): resources,
    ("GET", GROUP, "resources"): resources,
}
