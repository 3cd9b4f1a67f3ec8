"""Everything without a module of its own: seeded resources can be read one by one and listed, never written.

Guarantees: a list of a type nobody seeded is empty, not an error; writing what is only read is a clear 405.
Filters of a list are not understood and change nothing.
"""

from readiness.twin.arm.identity import home, tenant
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.state import SUBSCRIPTION, VM, missing, place
from readiness.twin.world import Call, Routes, World


def read(world: World, call: Call) -> Response:
    """Answer a seeded resource, or a list of them."""
    address = call.address
    if not address.tail:
        return Response(200, duplicate(world.state.need(address)))
    kind = f"{address.kind}/{address.tail}"
    scope = address.resource_id if address.names else address.scope
    if address.kind == VM and world.state.find(scope) is None:
        raise missing(scope)
    return page(call, world.state.of_kind(kind, scope), duplicate)


def refuse(world: World, call: Call) -> Response:
    """Refuse to write what is only read, and what is not known at all."""
    address = call.address
    if world.state.knows(address.kind):
        raise ArmError(
            405,
            "MethodNotAllowed",
            f"The twin serves '{address.kind}' read-only: {call.request.method} is not modelled.",
        )
    raise ArmError(
        404,
        "InvalidResourceType",
        f"The twin knows no {call.request.method} {address.path}: it is not modelled.",
    )


def tenants(world: World, call: Call) -> Response:
    """Answer the one tenant of a twin."""
    own = home(world.state, world.seed)
    return page(call, [{"id": f"/tenants/{own}", "tenantId": own}], duplicate)


def subscription(world: World, call: Call) -> Response:
    """Answer one subscription."""
    return Response(200, _subscription(world, world.state.need(call.address)))


def subscriptions(world: World, call: Call) -> Response:
    """Answer all subscriptions."""
    return page(call, world.state.of_kind(SUBSCRIPTION), lambda found: _subscription(world, found))


def _subscription(world: World, found: Json) -> Json:
    own: str = found["id"].split("/")[2]
    plausible = {
        "subscriptionId": own,
        "displayName": own,
        "state": "Enabled",
        "tenantId": tenant(world.seed),
        "authorizationSource": "RoleBased",
    }
    copy: Json = duplicate(found)
    return plausible | copy


def locations(world: World, call: Call) -> Response:
    """Answer the locations in which a subscription has resources."""
    own = call.address.resource_id
    prefix = own.lower() + "/"
    found = {
        place(each.get("location"))
        for each in world.state.everything()
        if each["id"].lower().startswith(prefix)
    }
    named = [
        {"id": f"{own}/locations/{name}", "name": name, "displayName": name, "type": "Region"}
        for name in sorted(found - {"", "global"})
    ]
    return page(call, named, duplicate)


def request_id(world: World, count: int) -> str:
    """Return the id of the nth request a twin answers."""
    return identifier(world.seed, "request", count)


ROUTES: Routes = {
    ("GET", "microsoft.resources", "tenants"): tenants,
    ("GET", "microsoft.resources", "subscriptions"): subscriptions,
    ("GET", SUBSCRIPTION, ""): subscription,
    ("GET", SUBSCRIPTION, "locations"): locations,
}
