"""GET and lists of network resources and of their parts, each with its references back."""

from readiness.twin.arm.network import links, showing
from readiness.twin.arm.network.kinds import KINDS
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.state import missing
from readiness.twin.world import Call, World


def get(world: World, call: Call) -> Response:
    """Answer one resource."""
    body = showing.at(call.version, world.state, world.state.need(call.address))
    return Response(200, body, {"ETag": body["etag"]} if body.get("etag") else {})


def listed(world: World, call: Call) -> Response:
    """Answer the resources of one type in a resource group or a subscription."""
    kind = f"{call.address.kind}/{call.address.tail}"
    known = links.referrers(world.state, kind)
    found = world.state.of_kind(kind, call.address.scope)
    return page(call, found, lambda each: showing.at(call.version, world.state, each, known))


def _entries(world: World, call: Call, collection: str) -> list[Json]:
    resource_id = links.owner(call.address.path)
    resource = world.state.find(resource_id)
    if resource is None:
        raise missing(resource_id)
    body = showing.at(call.version, world.state, resource)
    word = next(each for each in KINDS[parse(resource_id).kind].parts if each.lower() == collection)
    entries: list[Json] = body["properties"].get(word) or []
    return entries


def get_part(world: World, call: Call) -> Response:
    """Answer one part of a resource; one that was seeded by itself is answered as it is."""
    if world.state.find(links.owner(call.address.path)) is None:
        return Response(200, world.state.need(call.address))
    for each in _entries(world, call, call.address.kind.rsplit("/", 1)[-1]):
        if same(each.get("name"), call.address.name):
            return Response(200, each, {"ETag": each["etag"]} if each.get("etag") else {})
    seeded = world.state.find(call.address.resource_id)
    if seeded is not None:
        return Response(200, seeded)
    # Recorded: the network provider answers a missing part with a code and sentence of its own.
    raise ArmError(404, "NotFound", f"Resource {call.address.path} not found.")


def listed_parts(world: World, call: Call) -> Response:
    """Answer the parts of a resource."""
    return page(call, _entries(world, call, call.address.tail), lambda each: each)
