"""Management locks at a subscription, a group or a resource: GET, lists, PUT, DELETE.

What a lock keeps from happening is decided in one place for all types, by the gate that reads these
resources; this module only holds them.
"""

from readiness.twin.arm import immediate, scopes
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import LOCK
from readiness.twin.world import Call, Routes, World

_LEVELS = ("CanNotDelete", "ReadOnly")


def write(world: World, call: Call) -> Response:
    """Set a lock."""
    scopes.need_scope(world.state, call.address.scope)
    level = look(call.body(), "properties.level")
    if level not in _LEVELS:
        raise ArmError(
            400,
            "InvalidLockLevel",
            f"The lock level '{level}' is not valid. Use CanNotDelete or ReadOnly.",
            unverified=True,
        )
    before = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "locks/write", call.address.resource_id)
    given = call.body()["properties"]
    properties: Json = {
        name: duplicate(given[name]) for name in ("level", "notes", "owners") if name in given
    }
    after = immediate.fresh(call, "Microsoft.Authorization/locks") | {"properties": properties}
    return immediate.save(world, ticket, before, after)


ROUTES: Routes = {
    ("GET", "microsoft.authorization", "locks"): scopes.listed_below,
    ("GET", LOCK, ""): immediate.get,
    ("PUT", LOCK, ""): write,
    ("DELETE", LOCK, ""): immediate.removal("locks/delete", is_told=False),
}
