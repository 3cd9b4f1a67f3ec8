"""Proximity placement groups: GET, lists, PUT, PATCH of tags, DELETE.

Guarantees: what is in a group is what names it: machines, availability sets and scale sets.
"""

from readiness.twin.arm import immediate
from readiness.twin.arm.availability_sets import told
from readiness.twin.arm.paging import page
from readiness.twin.arm.placement import AVAILABILITY_SET, PLACEMENT_GROUP, SCALE_SET
from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import Response, not_allowed, property_change_not_allowed
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

_FIELD = "proximityPlacementGroup"
_HELD = {"availabilitySets": AVAILABILITY_SET, "virtualMachineScaleSets": SCALE_SET}


def get(world: World, call: Call) -> Response:
    """Answer one group."""
    return Response(200, _shown(world.state, world.state.need(call.address)))


def listed(world: World, call: Call) -> Response:
    """Answer the groups of a resource group or a subscription."""
    found = world.state.of_kind(PLACEMENT_GROUP, call.address.scope)
    return page(call, found, lambda each: _shown(world.state, each))


def _shown(state: State, found: Json) -> Json:
    body: Json = duplicate(found)
    properties = section(body, "properties")
    properties["virtualMachines"] = told(state, _FIELD, found)
    for name, kind in _HELD.items():
        properties[name] = [
            {"id": each["id"]}
            for each in state.of_kind(kind)
            if same(look(each, f"properties.{_FIELD}.id"), found["id"])
        ]
    return body


def write(world: World, call: Call) -> Response:
    """Make a group, or set its tags; its type is fixed."""
    before = world.state.find(call.address.resource_id)
    location = immediate.located(call, before)
    ticket = world.admit(call, "proximityPlacementGroups/write", call.address.resource_id)
    body = call.body()
    kind = look(body, "properties.proximityPlacementGroupType") or "Standard"
    after: Json = (
        duplicate(before) if before else immediate.fresh(call, "Microsoft.Compute/proximityPlacementGroups")
    )
    properties = section(after, "properties")
    if not same(properties.setdefault("proximityPlacementGroupType", kind), kind):
        raise property_change_not_allowed("proximityPlacementGroupType", unverified=True)
    after["location"] = location
    if "tags" in body:
        after["tags"] = duplicate(body["tags"] or {})
    if body.get("zones"):
        after["zones"] = duplicate(body["zones"])
    if look(body, "properties.intent") is not None:
        properties["intent"] = duplicate(body["properties"]["intent"])
    world.state.put(after)
    # As recorded, a write does not tell what is in a group.
    told = {name: value for name, value in properties.items() if name not in ("virtualMachines", *_HELD)}
    answer = duplicate(after) | {"properties": duplicate(told)}
    return world.finished(ticket, Response(201 if before is None else 200, answer))


def delete(world: World, call: Call) -> Response:
    """Delete a group in which there is nothing."""
    found = world.state.find(call.address.resource_id)
    if found is None:
        return Response(204)
    ticket = world.admit(call, "proximityPlacementGroups/delete", found["id"])
    properties = _shown(world.state, found)["properties"]
    if any(properties[name] for name in ("virtualMachines", *_HELD)):
        raise not_allowed(
            f"Proximity Placement Group {found['name']} cannot be deleted. Before deleting a Proximity "
            "Placement Group please ensure that it does not contain any resource.",
            unverified=True,
        )
    world.state.remove(found["id"])
    return world.finished(ticket, Response(200))


ROUTES: Routes = {
    ("GET", "microsoft.compute", "proximityplacementgroups"): listed,
    ("GET", PLACEMENT_GROUP, ""): get,
    ("PUT", PLACEMENT_GROUP, ""): write,
    ("PATCH", PLACEMENT_GROUP, ""): immediate.tagged("proximityPlacementGroups/write"),
    ("DELETE", PLACEMENT_GROUP, ""): delete,
}
