"""Disk accesses: GET, lists, PUT, PATCH of tags, DELETE. Private endpoints behind them are only read.

Learn, "Disk Accesses": a disk or snapshot whose network access policy is AllowPrivate names one.
"""

from readiness.twin.arm import immediate, storage
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import Response, not_allowed
from readiness.twin.state import DISK, SNAPSHOT
from readiness.twin.world import Call, Routes, World

DISK_ACCESS = "microsoft.compute/diskaccesses"


def write(world: World, call: Call) -> Response:
    """Make a disk access, or set its tags."""
    before = world.state.find(call.address.resource_id)
    if call.request.method == "PATCH":
        before = world.state.need(call.address)
        location = str(before.get("location"))
    else:
        location = immediate.located(call, before)
    ticket = world.admit(call, "diskAccesses/write", call.address.path if before is None else before["id"])
    if before is not None:
        world.idle(before, "write")
    after: Json = duplicate(before) if before else immediate.fresh(call, "Microsoft.Compute/diskAccesses")
    after["location"] = location
    if "tags" in call.body():
        after["tags"] = duplicate(call.body()["tags"] or {})
    after.setdefault("properties", {})
    after["properties"].setdefault("timeCreated", call.now.isoformat())
    after["properties"].setdefault("privateEndpointConnections", [])
    return storage.accept(world, call, ticket, after)


def _check_removal(world: World, found: Json) -> None:
    users = [
        each["id"]
        for kind in (DISK, SNAPSHOT)
        for each in world.state.of_kind(kind)
        if same(look(each, "properties.diskAccessId"), found["id"])
    ]
    if users:
        raise not_allowed(
            f"Disk access '{found['name']}' cannot be deleted since '{users[0]}' uses it.", unverified=True
        )


ROUTES: Routes = {
    ("GET", "microsoft.compute", "diskaccesses"): storage.listed(DISK_ACCESS),
    ("GET", DISK_ACCESS, ""): storage.get,
    ("PUT", DISK_ACCESS, ""): write,
    ("PATCH", DISK_ACCESS, ""): write,
    ("DELETE", DISK_ACCESS, ""): storage.removal("diskAccesses/delete", _check_removal),
}
