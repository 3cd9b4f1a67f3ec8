"""Tags as a resource of their own, `Microsoft.Resources/tags/default` of a scope: GET, PUT, PATCH, DELETE.

Learn, "Tags - Update At Scope": Merge adds and changes, Replace sets them all, Delete takes away those whose
name and value are given. No other property of the resource has to be known or sent.
"""

from readiness.twin.arm import etag
from readiness.twin.arm.immediate import need_parent
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError, Response
from readiness.twin.world import Call, Routes, World

TAGS = "microsoft.resources/tags"
MOST = 50
"""Tags a resource can have."""


def _answer(scope: Json) -> Json:
    return {
        "id": f"{scope['id']}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": duplicate(scope.get("tags") or {})},
    }


def get(world: World, call: Call) -> Response:
    """Answer the tags of a resource, a group or a subscription."""
    return Response(200, _answer(need_parent(world, call.address.scope)))


def write(world: World, call: Call) -> Response:
    """Change the tags of a resource, a group or a subscription."""
    scope = need_parent(world, call.address.scope)
    given: Json = look(call.body(), "properties.tags") or {}
    word = "Replace" if call.request.method == "PUT" else call.body().get("operation")
    own: Json = scope.get("tags") or {}
    match word:
        case "Merge":
            after = own | given
        case "Replace":
            after = given
        case "Delete":
            after = {name: value for name, value in own.items() if given.get(name) != value}
        case _:
            raise ArmError(
                400,
                "InvalidRequestContent",
                f"The tags operation '{word}' is not valid: use Merge, Replace or Delete.",
                unverified=True,
            )
    if len(after) > MOST:
        raise ArmError(
            400,
            "TooManyTags",
            f"The resource has {len(after)} tags; at most {MOST} are allowed.",
            unverified=True,
        )
    return _set(world, call, scope, after)


def delete(world: World, call: Call) -> Response:
    """Take all tags away."""
    return _set(world, call, need_parent(world, call.address.scope), {})


def _set(world: World, call: Call, scope: Json, after: Json) -> Response:
    ticket = world.admit(call, "tags/write", scope["id"])
    if after != (scope.get("tags") or {}) and "etag" in scope:
        etag.bump(scope)
    scope["tags"] = duplicate(after)
    return world.finished(ticket, Response(200, None if call.request.method == "DELETE" else _answer(scope)))


ROUTES: Routes = {
    ("GET", TAGS, ""): get,
    ("PUT", TAGS, ""): write,
    ("PATCH", TAGS, ""): write,
    ("DELETE", TAGS, ""): delete,
}
