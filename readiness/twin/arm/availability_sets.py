"""Availability sets: GET, lists, PUT, PATCH of tags, DELETE.

Guarantees: the machines of a set are those whose models name it, in upper case as the provider tells them,
and those of the seed that the twin does not know. Templates of the wordings: Learn, "Understand common error
messages when you manage virtual machines in Azure".
"""

from readiness.twin.arm import immediate
from readiness.twin.arm.paging import page
from readiness.twin.arm.placement import AVAILABILITY_SET, members
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import Response, invalid_parameter, not_allowed
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

_FAULT_DOMAINS = (1, 3)
_UPDATE_DOMAINS = (1, 20)


def get(world: World, call: Call) -> Response:
    """Answer one availability set."""
    return Response(200, shown(world.state, world.state.need(call.address)))


def listed(world: World, call: Call) -> Response:
    """Answer the availability sets of a resource group or a subscription."""
    found = world.state.of_kind(AVAILABILITY_SET, call.address.scope)
    return page(call, found, lambda each: shown(world.state, each))


def shown(state: State, found: Json) -> Json:
    """Return a set with the machines that are in it."""
    body: Json = duplicate(found)
    section(body, "properties")["virtualMachines"] = told(state, "availabilitySet", found)
    return body


def told(state: State, field: str, found: Json) -> list[Json]:
    """Return the ids of the machines in a set or group, as the provider tells them."""
    known = [{"id": _upper(vm["id"])} for vm in members(state, field, found["id"])]
    seeded = look(found, "properties.virtualMachines") or []
    return known + [{"id": each["id"]} for each in seeded if state.find(each.get("id")) is None]


def _upper(vm_id: str) -> str:
    words = vm_id.split("/")
    words[4], words[-1] = words[4].upper(), words[-1].upper()
    return "/".join(words)


def write(world: World, call: Call) -> Response:
    """Make an availability set, or set its tags and its SKU."""
    before = world.state.find(call.address.resource_id)
    location = immediate.located(call, before)
    ticket = world.admit(call, "availabilitySets/write", call.address.resource_id)
    body = call.body()
    after: Json = duplicate(before) if before else immediate.fresh(call, "Microsoft.Compute/availabilitySets")
    after["location"] = location
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    sku = look(body, "sku.name") or look(before, "sku.name") or "Classic"
    if before is not None and same(look(before, "sku.name"), "Aligned") and not same(sku, "Aligned"):
        raise not_allowed("Changing availability set SKU from 'Aligned' to 'Classic' is not allowed.")
    after["sku"] = {"name": sku}
    _set_domains(section(after, "properties"), body)
    group = look(body, "properties.proximityPlacementGroup")
    if group is not None:
        after["properties"]["proximityPlacementGroup"] = duplicate(group)
    world.state.put(after)
    # As recorded, making one is a 200, too, and a write does not tell who is in it.
    return world.finished(ticket, Response(200, _without_members(after)))


def _without_members(found: Json) -> Json:
    body: Json = duplicate(found)
    body["properties"].pop("virtualMachines", None)
    return body


def _set_domains(properties: Json, body: Json) -> None:
    for name, shown_name, usual, (low, high) in (
        ("platformUpdateDomainCount", "update", 5, _UPDATE_DOMAINS),
        ("platformFaultDomainCount", "fault", 3, _FAULT_DOMAINS),
    ):
        wanted = look(body, f"properties.{name}")
        properties[name] = properties.get(name, usual) if wanted is None else wanted
        if not isinstance(properties[name], int) or not low <= properties[name] <= high:
            raise invalid_parameter(
                f"The specified {shown_name} domain count {properties[name]} must fall in the range {low} to "
                f"{high}.",
                name,
            )


def delete(world: World, call: Call) -> Response:
    """Delete an availability set in which there is no machine."""
    found = world.state.find(call.address.resource_id)
    if found is None:
        return Response(204)
    ticket = world.admit(call, "availabilitySets/delete", found["id"])
    if members(world.state, "availabilitySet", found["id"]):
        raise not_allowed(
            f"Availability Set {found['name']} cannot be deleted. Before deleting an Availability Set please "
            "ensure that it does not contain any VM."
        )
    world.state.remove(found["id"])
    return world.finished(ticket, Response(200))


ROUTES: Routes = {
    ("GET", "microsoft.compute", "availabilitysets"): listed,
    ("GET", AVAILABILITY_SET, ""): get,
    ("PUT", AVAILABILITY_SET, ""): write,
    ("PATCH", AVAILABILITY_SET, ""): immediate.tagged("availabilitySets/write"),
    ("DELETE", AVAILABILITY_SET, ""): delete,
}
