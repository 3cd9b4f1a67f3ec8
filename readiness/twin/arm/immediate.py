"""Resources whose writes are done when they are answered: what vaults, identities, roles and locks share.

Guarantees: a write is counted and meets scripted trouble like any other; a new resource is answered 201, a
changed one 200; deleting what is not there is 204; an answer shares nothing with the truth.
"""

from readiness.twin import gates
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import Address
from readiness.twin.state import missing, place
from readiness.twin.world import Call, Handler, Ticket, World


def get(world: World, call: Call) -> Response:
    """Answer one resource."""
    return Response(200, duplicate(world.state.need(call.address)))


def listed(kind: str) -> Handler:
    """Make the answer to a list of one kind under a scope."""

    def answer(world: World, call: Call) -> Response:
        address = call.address
        scope = address.resource_id if address.names else address.scope
        return page(call, world.state.of_kind(kind, scope), duplicate)

    return answer


def system_data(call: Call, before: Json | None) -> Json:
    """Return who made a resource and who changed it last, as newer providers tell."""
    stamp = {"By": gates.CALLER, "ByType": "Application", "At": call.now.isoformat()}
    made = {f"created{name}": value for name, value in stamp.items()}
    own = look(before, "systemData") or {}
    return made | own | {f"lastModified{name}": value for name, value in stamp.items()}


def save(world: World, ticket: Ticket, before: Json | None, after: Json) -> Response:
    """Set a resource in the place of what it was before, and answer it."""
    world.state.put(after)
    return world.finished(ticket, Response(201 if before is None else 200, duplicate(after)))


def removal(operation: str, *, is_told: bool = True) -> Handler:
    """Make the answer to the deletion of one kind: some are told what was deleted, some nothing."""

    def answer(world: World, call: Call) -> Response:
        found = world.state.find(call.address.resource_id)
        ticket = world.admit(call, operation, call.address.resource_id)
        if found is None:
            return world.finished(ticket, Response(204))
        world.state.remove(found["id"])
        return world.finished(ticket, Response(200, duplicate(found) if is_told else None))

    return answer


def tagged(operation: str) -> Handler:
    """Make the answer to a PATCH that changes nothing but tags."""

    def answer(world: World, call: Call) -> Response:
        found = world.state.need(call.address)
        ticket = world.admit(call, operation, found["id"])
        if "tags" in call.body():
            found["tags"] = duplicate(call.body()["tags"] or {})
        return world.finished(ticket, get(world, call))

    return answer


def fresh(call: Call, kind: str) -> Json:
    """Return a new resource at the address of a call, still without properties."""
    return {"id": call.address.path, "name": call.address.name, "type": kind}


def located(call: Call, before: Json | None) -> str:
    """Return where a resource is or will be: a location is required at first and never changes."""
    wanted = call.body().get("location")
    if before is not None:
        check_location(call.address, before, wanted)
        return str(before.get("location") or wanted)
    if not wanted:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    return str(wanted)


def check_location(address: Address, before: Json, wanted: object) -> None:
    """Refuse to move a resource to another region."""
    own = before.get("location")
    if wanted and own and place(wanted) != place(own):
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{address.name}' already exists in location '{place(own)}' in resource group "
            f"'{address.group}'. A resource with the same name cannot be created in location '{wanted}'. "
            "Please select a new resource name.",
        )


def need_parent(world: World, resource_id: str) -> Json:
    """Return what a resource hangs on, or refuse."""
    found = world.state.find(resource_id)
    if found is None:
        raise missing(resource_id)
    return found
