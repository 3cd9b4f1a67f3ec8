"""PUT, PATCH and DELETE of network resources and of their parts.

Guarantees: a PUT replaces the whole resource, so that a part it leaves out is gone; an accepted write shows
at once as Updating with another etag, and ends with yet another one; a part that is written by itself passes
every check that its parent's PUT passes. A write that ends Failed leaves the model as it was before: an
assumption. Operations and If-Match of a part are those of its parent, whose etag it carries; If-None-Match
asks for the part itself, which is an assumption, too.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from readiness.twin.arm.network import links, showing, virtual_networks
from readiness.twin.arm.network.kinds import KINDS, Kind, check_retired
from readiness.twin.arm.network.shapes import shaped
from readiness.twin.arm.network.usage import check_unused
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.faults import SMOOTH
from readiness.twin.gates import check_absent, next_etag
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.paths import parse
from readiness.twin.protocols import NETWORK, NETWORK_ACTION
from readiness.twin.state import place
from readiness.twin.world import Call, Ticket, World

_AT_ONCE = replace(NETWORK, tells_wait=False)
"""A write that is done when it is answered: there is an operation to follow, and nothing to wait for."""
_TAKEN = ("location", "extendedLocation", "zones", "sku", "identity", "properties")


def put(world: World, call: Call) -> Response:
    """Make a resource, or replace one."""
    kind = KINDS[call.address.kind]
    before = world.state.find(call.address.resource_id)
    ticket = world.admit(call, f"{kind.word}/write", call.address.path if before is None else before["id"])
    after = _built(world, call, kind, before, shaped(call.body()))
    _check(world, call, kind, before, after)
    return _begin(world, call, ticket, before, after, Response(201 if before is None else 200))


def _built(world: World, call: Call, kind: Kind, before: Json | None, body: Json) -> Json:
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    resource_id = call.address.path if before is None else before["id"]
    name = call.address.name if before is None else before["name"]
    if before is not None and place(before.get("location")) != place(body["location"]):
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{place(before.get('location'))}' in resource "
            f"group '{call.address.group}'. A resource with the same name cannot be created in location "
            f"'{place(body['location'])}'. Please select a new resource name.",
        )
    after: Json = {"name": name, "id": resource_id, "type": f"Microsoft.Network/{kind.word}"}
    after |= {key: duplicate(body[key]) for key in _TAKEN if body.get(key) is not None}
    after.setdefault("properties", {})
    if body.get("tags") is not None:
        after["tags"] = duplicate(body["tags"])
    earlier = (before or {}).get("properties") or {}
    after["properties"]["resourceGuid"] = earlier.get("resourceGuid") or identifier(
        world.seed, "guid", resource_id, call.now
    )
    return after


def _check(world: World, call: Call, kind: Kind, before: Json | None, after: Json) -> None:
    """Check what is asked for, and complete it."""
    if before is not None:
        idle(world, call, before)
    check_retired(before, after, call.now)
    _drop_backs(after)
    _name_parts(kind, after)
    if parse(after["id"]).kind == links.VIRTUAL_NETWORK:
        virtual_networks.set_policies(after, call.version)
    kind.prepare(world.state, before, after)
    _name_parts(kind, after)
    links.check(world.state, before, after)


def idle(world: World, call: Call, resource: Json) -> None:
    """Refuse a write while another one is being carried out, with the address at which to follow that."""
    running = world.operations.running(resource["id"])
    if running is not None:
        subscription = parse(resource["id"]).subscription
        # Recorded by many clients of subnets and pools, with api-versions 2019-09-01 and 2022-07-01.
        raise ArmError(
            409,
            "AnotherOperationInProgress",
            "Another operation on this or dependent resource is in progress. To retrieve status of the "
            f"operation use uri: {call.request.base_url}/subscriptions/{subscription}/providers/"
            f"Microsoft.Network/locations/{running.place}/operations/{running.name}"
            f"?api-version={call.version}.",
        )


def _drop_backs(after: Json) -> None:
    """Leave out references back, which a client sends along from what it has read and cannot set."""
    kind = parse(after["id"]).kind
    for link in links.LINKS:
        if link.target != kind or not link.back:
            continue
        holders = after["properties"].get(link.child) or [] if link.child else [after]
        for holder in holders:
            (holder.get("properties") or {}).pop(link.back, None)


def _name_parts(kind: Kind, resource: Json) -> None:
    for collection in kind.parts:
        for each in resource["properties"].get(collection) or []:
            if not isinstance(each, dict) or not each.get("name"):
                raise ArmError(
                    400,
                    "InvalidRequestFormat",
                    f"Cannot parse the request: an entry of {collection} of {resource['id']} has no name.",
                    unverified=True,
                )
            each["id"] = f"{resource['id']}/{collection}/{each['name']}"
            each["type"] = f"{resource['type']}/{collection}"


def _stamp(resource: Json, state: str) -> None:
    """Set the state and the next tag of a resource and of its parts."""
    kind = KINDS[parse(resource["id"]).kind]
    present = resource.get("etag") or f'W/"{resource["properties"]["resourceGuid"]}"'
    resource["etag"] = next_etag(resource | {"etag": present})
    resource["properties"]["provisioningState"] = state
    for collection in kind.parts:
        for each in resource["properties"].get(collection) or []:
            each["etag"] = resource["etag"]
            each.setdefault("properties", {})["provisioningState"] = state


def _begin(
    world: World, call: Call, ticket: Ticket, before: Json | None, after: Json, answer: Response
) -> Response:
    """Set the new model, and begin the operation that carries it out."""
    previous = duplicate(before)
    is_done = _is_done_at_once(world, ticket, after)
    if before is not None:
        after["etag"] = before.get("etag")
    _stamp(after, "Succeeded" if is_done else "Updating")
    resource = after if before is None else before
    if before is not None:
        before.clear()
        before.update(after)
    world.state.put(resource)

    def done(_: datetime) -> None:
        if not is_done:
            _stamp(resource, "Succeeded")

    def failed(_: datetime) -> None:
        if previous is not None:
            resource.clear()
            resource.update(previous)
        _stamp(resource, "Failed")

    how: Any = {"protocol": _AT_ONCE, "within": (0.0, 0.0)} if is_done else {"protocol": NETWORK}
    operation = world.begin(call, ticket, done=done, failed=failed, **how)
    body = showing.at(call.version, world.state, resource)
    if not same(call.address.resource_id, resource["id"]):
        body = _member(body, call) or {}
    if previous is None and parse(resource["id"]).kind == links.PUBLIC_IP:
        # As recorded in Azure/azure-cli, network/tests/latest/recordings/: the address comes with the end.
        body["properties"].pop("ipAddress", None)
    return world.accepted(call, ticket, operation, Response(answer.status, body, answer.headers))


def _is_done_at_once(world: World, ticket: Ticket, after: Json) -> bool:
    """Tell whether a write only has to be kept: no machine and no member has to learn of it.

    As recorded in Azure/azure-libraries-for-net, Tests/Fluent.Tests/SessionRecords, and in Azure/azure-cli,
    network/tests/latest/recordings/: an interface without a machine and a load balancer without members are
    Succeeded in the answer, which asks for no wait, and keep the etag it tells.
    """
    is_part = ticket.operation.count("/") > 1
    if is_part or world.faults.ending(ticket.arrival) != SMOOTH:
        return False
    is_far = same(look(after, "sku.tier"), "Global") or same(look(after, "sku.name"), "Gateway")
    kind, properties = parse(after["id"]).kind, links.shown(world.state, after)["properties"]
    if kind == links.INTERFACE:
        return "virtualMachine" not in properties
    pools = properties.get("backendAddressPools") or []
    members = any(look(each, "properties.backendIPConfigurations") for each in pools)
    return kind == links.LOAD_BALANCER and not members and not is_far


def update_tags(world: World, call: Call) -> Response:
    """Replace the tags of a resource, at once; PATCH of a network resource can do nothing else."""
    kind = KINDS[call.address.kind]
    resource = world.state.need(call.address)
    ticket = world.admit(call, f"{kind.word}/updateTags", resource["id"])
    idle(world, call, resource)
    resource["tags"] = duplicate(call.body().get("tags") or {})
    _stamp(resource, str(resource["properties"].get("provisioningState") or "Succeeded"))
    return world.finished(ticket, Response(200, showing.at(call.version, world.state, resource)))


def delete(world: World, call: Call) -> Response:
    """Delete a resource that nothing uses."""
    kind = KINDS[call.address.kind]
    resource = world.state.find(call.address.resource_id)
    ticket = world.admit(
        call, f"{kind.word}/delete", call.address.path if resource is None else resource["id"]
    )
    if resource is None:
        return world.finished(ticket, Response(204))
    idle(world, call, resource)
    check_unused(world.state, resource)
    resource.setdefault("properties", {})["provisioningState"] = "Deleting"

    def done(_: datetime) -> None:
        world.state.remove(resource["id"])

    def failed(_: datetime) -> None:
        resource["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed, protocol=NETWORK_ACTION)
    return world.accepted(call, ticket, operation, Response(202))


def parent(world: World, call: Call) -> tuple[Json, str]:
    """Return the resource that a part belongs to, and the name of the part's collection in Azure's case."""
    resource_id = links.owner(call.address.path)
    found = world.state.find(resource_id)
    if found is None:
        # Learn, "Resolve errors for parent resources".
        raise ArmError(
            404,
            "ParentResourceNotFound",
            "Can not perform requested operation on nested resource. Parent resource "
            f"'{resource_id.rsplit('/', 1)[-1]}' not found.",
        )
    word = call.address.tail or call.address.kind.rsplit("/", 1)[-1]
    kind = KINDS[parse(resource_id).kind]
    return found, next(each for each in kind.parts if each.lower() == word)


def _member(resource: Json, call: Call) -> Json | None:
    word = call.address.kind.rsplit("/", 1)[-1]
    for name, entries in resource["properties"].items():
        if name.lower() == word:
            return next((each for each in entries if same(each.get("name"), call.address.name)), None)
    return None


def put_part(world: World, call: Call) -> Response:
    """Make or replace a part of a resource: a rule, a subnet, a route, a pool."""
    before, collection = parent(world, call)
    kind = KINDS[parse(before["id"]).kind]
    ticket = world.admit(call, f"{kind.word}/{collection}/write", before["id"])
    earlier = _member(before, call)
    if earlier is not None:
        check_absent(call.request, earlier)
    name = call.address.name if earlier is None else earlier["name"]
    fresh = {"name": name, "properties": shaped(call.body()).get("properties") or {}}
    after: Json = duplicate(before)
    entries = after["properties"].setdefault(collection, [])
    position = next((at for at, each in enumerate(entries) if same(each.get("name"), name)), len(entries))
    entries[position : position + 1] = [fresh]
    _check(world, call, kind, before, after)
    return _begin(world, call, ticket, before, after, Response(201 if earlier is None else 200))


def delete_part(world: World, call: Call) -> Response:
    """Take a part out of a resource."""
    before, collection = parent(world, call)
    kind = KINDS[parse(before["id"]).kind]
    ticket = world.admit(call, f"{kind.word}/{collection}/delete", before["id"])
    gone = _member(before, call)
    if gone is None:
        return world.finished(ticket, Response(204))
    after: Json = duplicate(before)
    after["properties"][collection] = [
        each for each in after["properties"][collection] if not same(each.get("name"), gone["name"])
    ]
    _check(world, call, kind, before, after)
    gone.setdefault("properties", {})["provisioningState"] = "Deleting"

    def done(_: datetime) -> None:
        before["properties"][collection].remove(gone)
        _stamp(before, "Succeeded")

    def failed(_: datetime) -> None:
        gone["properties"]["provisioningState"] = "Failed"

    operation = world.begin(call, ticket, done=done, failed=failed, protocol=NETWORK_ACTION)
    return world.accepted(call, ticket, operation, Response(202))
