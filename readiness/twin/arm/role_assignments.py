"""Role assignments at any scope: GET, lists with filters, PUT, DELETE; schedules are only read.

Learn, "Troubleshoot Azure RBAC": the same principal has a role at a scope once; neither of the three can be
changed; a principal that was made a moment ago is not found yet, unless the request says what kind of
principal it is. An assignment acts only some time after it was made.
"""

import uuid
from datetime import datetime

from readiness.twin import gates
from readiness.twin.arm import directory, immediate, role_definitions, scopes
from readiness.twin.arm.identity import home
from readiness.twin.arm.role_definitions import ASSIGNMENT
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World


def write(world: World, call: Call) -> Response:
    """Assign a role."""
    scope = call.address.scope
    given: Json = call.body().get("properties") or {}
    _check_request(call, given)
    scopes.need_scope(world.state, scope)
    role = role_definitions.find(world.state, given["roleDefinitionId"])
    if role is None:
        raise role_definitions.unknown(given["roleDefinitionId"], 400)
    kind = _principal_type(world, given, call.now)
    before = world.state.find(call.address.resource_id)
    _check_unique(world.state, call, before, given)
    ticket = world.admit(call, "roleAssignments/write", call.address.resource_id)
    after = immediate.fresh(call, "Microsoft.Authorization/roleAssignments")
    made = directory.stamp(call.now)
    after["properties"] = {
        **{name: given[name] for name in ("condition", "conditionVersion", "description") if name in given},
        "roleDefinitionId": given["roleDefinitionId"],
        "principalId": given["principalId"],
        "principalType": kind,
        "scope": scope or "/",
        "createdOn": look(before, "properties.createdOn") or made,
        "updatedOn": made,
        "createdBy": look(before, "properties.createdBy") or gates.OBJECT,
        "updatedBy": gates.OBJECT,
    }
    answer = immediate.save(world, ticket, before, after)
    if before is None and isinstance(answer.body, dict):
        # As recorded in Azure/azure-cli, role/tests/latest/recordings/: told by later reads alone.
        del answer.body["properties"]["createdBy"]
    return answer


def _check_request(call: Call, given: Json) -> None:
    try:
        uuid.UUID(call.address.name)
    except ValueError:
        raise ArmError(
            400,
            "InvalidRoleAssignmentId",
            f"The role assignment ID '{call.address.name}' is not valid. The role assignment ID must be a "
            "GUID.",
        ) from None
    for name in ("principalId", "roleDefinitionId"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise ArmError(
                400, "InvalidRequestFormat", f"The role assignment has no '{name}'.", unverified=True
            )


def _principal_type(world: World, given: Json, now: datetime) -> str:
    """Refuse a principal that has not replicated, or is of another kind than the request says."""
    principal, wanted = given["principalId"], given.get("principalType")
    shown = principal.replace("-", "")
    is_identity = directory.bearer(world.state, principal) is not None
    if is_identity and wanted is None and not directory.is_replicated(world.state, principal, now):
        raise ArmError(
            400,
            "PrincipalNotFound",
            f"Principal {shown} does not exist in the directory {home(world.state, world.seed)}. "
            "Check that you have the correct principal ID. If you are creating this principal and then "
            "immediately assigning a role, this error might be related to a replication delay. In this case, "
            "set the role assignment principalType property to a value, such as ServicePrincipal, User, or "
            "Group. See https://aka.ms/docs-principaltype",
        )
    if is_identity and wanted not in (None, "ServicePrincipal"):
        raise ArmError(
            400,
            "UnmatchedPrincipalType",
            f"The PrincipalId '{shown}' has type 'ServicePrincipal' , which is different "
            f"from specified PrinciaplType '{wanted}'.",
        )
    return str(wanted or ("ServicePrincipal" if is_identity else "User"))


def _check_unique(state: State, call: Call, before: Json | None, given: Json) -> None:
    if before is not None:
        if not _same_grant(before, given):
            raise ArmError(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        return
    for other in state.of_kind(ASSIGNMENT):
        if same(scopes.scope_of(other), call.address.scope) and _same_grant(other, given):
            raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")


def _same_grant(assignment: Json, given: Json) -> bool:
    role = look(assignment, "properties.roleDefinitionId")
    return same(_guid(role), _guid(given["roleDefinitionId"])) and same(
        look(assignment, "properties.principalId"), given["principalId"]
    )


def _guid(role_id: object) -> str:
    return str(role_id).rsplit("/", 1)[-1]


def allows(state: State, principal_id: str, action: str, resource_id: str, now: datetime) -> bool:
    """Tell whether a role a principal has by now allows an action on the data of a resource."""
    for assignment in state.of_kind(ASSIGNMENT):
        if not same(look(assignment, "properties.principalId"), principal_id):
            continue
        if not scopes.is_above(scopes.scope_of(assignment), resource_id) or not directory.acts(
            assignment, now
        ):
            continue
        role = role_definitions.find(state, look(assignment, "properties.roleDefinitionId"))
        if role is not None and role_definitions.grants(role, action, is_data=True):
            return True
    return False


_READ_ONLY = ("roleassignmentscheduleinstances", "roleeligibilityscheduleinstances", "denyassignments")

ROUTES: Routes = {
    ("GET", "microsoft.authorization", "roleassignments"): scopes.listed,
    ("GET", ASSIGNMENT, ""): immediate.get,
    ("PUT", ASSIGNMENT, ""): write,
    ("DELETE", ASSIGNMENT, ""): immediate.removal("roleAssignments/delete"),
    **{("GET", "microsoft.authorization", tail): scopes.listed for tail in _READ_ONLY},
}
