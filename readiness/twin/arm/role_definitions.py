"""Role definitions: built-in ones, custom ones, and the permissions of whoever asks.

Guarantees: a role can be asked for at any scope, and answers with the id that scope gives it; a seeded
definition stands in the place of the built-in one with its id. Tokens are not looked at, so whoever asks may
do everything.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from readiness.twin.arm import immediate, scopes
from readiness.twin.arm.built_in_roles import BUILT_IN, BuiltIn
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

ROLE = "microsoft.authorization/roledefinitions"
ASSIGNMENT = "microsoft.authorization/roleassignments"
_TYPE = "Microsoft.Authorization/roleDefinitions"
_TERM = re.compile(r"(rolename|type) eq '((?:[^']|'')*)'", re.IGNORECASE)
"""A quote within a text is doubled, as OData wants it."""
_FIELDS = {"rolename": "properties.roleName", "type": "properties.type"}


def _built_in(role: BuiltIn) -> Json:
    permission = {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": [],
    }
    return {
        "id": f"/providers/{_TYPE}/{role.guid}",
        "type": _TYPE,
        "name": role.guid,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [permission],
        },
    }


_BUILT_IN = {role.guid: _built_in(role) for role in BUILT_IN}


def find(state: State, role_id: object) -> Json | None:
    """Return the role of an id, whatever scope the id names."""
    guid = str(role_id or "").rstrip("/").rsplit("/", 1)[-1].lower()
    for role in state.of_kind(ROLE):
        if same(parse(role["id"]).name, guid):
            return role
    return _BUILT_IN.get(guid)


def unknown(role_id: object, status: int) -> ArmError:
    """Refuse a role that is not there."""
    guid = str(role_id or "").rstrip("/").rsplit("/", 1)[-1]
    return ArmError(
        status,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{guid.replace('-', '')}' does not exist.",
    )


def grants(role: Json, action: str, *, is_data: bool) -> bool:
    """Tell whether a role allows an action on the data, or on the resource."""
    allowed, denied = ("dataActions", "notDataActions") if is_data else ("actions", "notActions")
    return any(
        _names(permission.get(allowed), action) and not _names(permission.get(denied), action)
        for permission in look(role, "properties.permissions") or []
    )


def _names(patterns: list[str] | None, action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns or [])


def _shown(role: Json, scope: str) -> Json:
    copy: Json = duplicate(role)
    words = [word for word in scope.split("/") if word]
    subscription = "/" + "/".join(words[:2]) if words[:1] == ["subscriptions"] else ""
    copy["id"] = f"{subscription}/providers/{_TYPE}/{parse(role['id']).name}"
    return copy


def _all(state: State, scope: str) -> Iterator[Json]:
    seeded = {parse(role["id"]).name.lower(): role for role in state.of_kind(ROLE)}
    for role in (_BUILT_IN | seeded).values():
        places = look(role, "properties.assignableScopes") or ["/"]
        if any(scopes.is_above(place, scope) or scopes.is_above(scope, place) for place in places):
            yield role


def get(world: World, call: Call) -> Response:
    """Answer one role."""
    role = find(world.state, call.address.name)
    if role is None:
        raise unknown(call.address.name, 404)
    return Response(200, _shown(role, call.address.scope))


def listed(world: World, call: Call) -> Response:
    """Answer the roles that can be assigned at a scope; `roleName eq` and `type eq` narrow them down."""
    found = list(_all(world.state, call.address.scope))
    given = call.request.query.get("$filter", "")
    for term in re.split(r"\s+and\s+", given.strip(), flags=re.IGNORECASE) if given.strip() else []:
        matched = _TERM.fullmatch(term.strip())
        if matched is not None:
            path, wanted = _FIELDS[matched[1].lower()], matched[2].replace("''", "'")
            found = [role for role in found if same(look(role, path), wanted)]
        elif term.strip().lower() != "atscopeandbelow()":
            raise ArmError(400, "InvalidFilter", f"The filter '{term}' is not supported.", unverified=True)
    return page(call, found, lambda role: _shown(role, call.address.scope))


def write(world: World, call: Call) -> Response:
    """Make or change a custom role."""
    given: Json = call.body().get("properties") or {}
    name = call.address.name
    if name.lower() in _BUILT_IN:
        raise ArmError(
            403, "RoleDefinitionUpdateNotAllowed", "A built-in role cannot be changed.", unverified=True
        )
    for field in ("roleName", "assignableScopes", "permissions"):
        if not given.get(field):
            raise ArmError(
                400, "InvalidRequestFormat", f"The role definition has no '{field}'.", unverified=True
            )
    for role in _all(world.state, ""):
        is_other = not same(parse(role["id"]).name, name)
        if is_other and same(look(role, "properties.roleName"), given["roleName"]):
            raise ArmError(
                409,
                "RoleDefinitionWithSameNameExists",
                "A custom role with the same name already exists in this directory. Use a different name",
            )
    before = find(world.state, name)
    ticket = world.admit(call, "roleDefinitions/write", call.address.resource_id)
    after = immediate.fresh(call, _TYPE) | {"properties": duplicate(given) | {"type": "CustomRole"}}
    if before is not None:
        after["id"] = before["id"]
    world.state.put(after)
    return world.finished(ticket, Response(201, _shown(after, call.address.scope)))


def delete(world: World, call: Call) -> Response:
    """Delete a custom role nobody has."""
    role = find(world.state, call.address.name)
    if role is None:
        return Response(204)
    if parse(role["id"]).name.lower() in _BUILT_IN:
        raise ArmError(
            403, "RoleDefinitionUpdateNotAllowed", "A built-in role cannot be deleted.", unverified=True
        )
    name = parse(role["id"]).name
    for assignment in world.state.of_kind(ASSIGNMENT):
        if same(str(look(assignment, "properties.roleDefinitionId")).rsplit("/", 1)[-1], name):
            # Learn, "Troubleshoot Azure RBAC": the code and the sentence.
            raise ArmError(
                400,
                "RoleDefinitionHasAssignments",
                "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)",
            )
    ticket = world.admit(call, "roleDefinitions/delete", role["id"])
    world.state.remove(role["id"])
    return world.finished(ticket, Response(200, _shown(role, call.address.scope)))


def permissions(world: World, call: Call) -> Response:
    """Answer what the one who asks may do at a scope: everything."""
    scopes.need_scope(world.state, call.address.scope)
    everything = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
    return page(call, [everything], duplicate)


ROUTES: Routes = {
    ("GET", "microsoft.authorization", "roledefinitions"): listed,
    ("GET", ROLE, ""): get,
    ("PUT", ROLE, ""): write,
    ("DELETE", ROLE, ""): delete,
    ("GET", "microsoft.authorization", "permissions"): permissions,
}
