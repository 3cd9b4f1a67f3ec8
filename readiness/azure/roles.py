"""Role assignments whose names follow from scope, principal and role: ours are known without a journal.

An assignment that somebody else made for the same three is left alone, and counts as in place. What is taken
away is the one of that name and no other.
"""

import uuid
from typing import Any
from urllib.parse import quote

from readiness.azure.connect import Connection
from readiness.azure.plain import pages, read, send, vm_body
from readiness.errors import CloudError
from readiness.model.ids import ResourceId
from readiness.model.steps import AssignRole, RemoveRole
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

API = "2022-04-01"
_TYPE = "providers/Microsoft.Authorization"
_PROPAGATION = 20.0
"""Seconds until a principal that the directory does not know yet is asked for again."""


def begin(connection: Connection, step: AssignRole | RemoveRole, _: StepContext) -> Progress:
    """Look whether it is in place, and begin it if not."""
    principal = step.principal or _own_principal(connection, step.vm)
    if principal is None:
        if isinstance(step, RemoveRole):
            return Done(
                "the VM has no identity of its own any more, so that no assignment of it grants anything"
            )
        return Failed("NoIdentity", "the VM has no identity of its own that a role could be assigned to")
    role = _definition(connection, step)
    if role is None:
        return Failed("RoleNotFound", f"there is no role '{step.role}' that can be assigned on {step.scope}")
    path = f"{step.scope}/{_TYPE}/roleAssignments/{assignment_name(step.scope, principal, role)}"
    is_there = read(connection, step.vm.subscription, path, API) is not None
    if isinstance(step, RemoveRole):
        return _remove(connection, step, path) if is_there else Done("it is not assigned by us")
    return Done("already assigned") if is_there else _assign(connection, step, path, principal, role)


def assignment_name(scope: ResourceId, principal: str, role: str) -> str:
    """Return the deterministic name of an assignment; the role is a definition's id, of any scope."""
    guid = role.rstrip("/").rpartition("/")[2]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope.key}|{principal}|{guid}".lower()))


def _assign(connection: Connection, step: AssignRole, path: str, principal: str, role: str) -> Progress:
    properties = {"roleDefinitionId": role, "principalId": principal, "principalType": step.kind}
    try:
        send(connection, step.vm.subscription, "PUT", path, API, body={"properties": properties})
    except CloudError as error:
        if error.code == "RoleAssignmentExists":
            return Done("already assigned, by somebody else")
        if error.code == "PrincipalNotFound":
            return Pending(None, _PROPAGATION, "the directory does not know the identity yet")
        raise
    return Done("assigned")


def _remove(connection: Connection, step: RemoveRole, path: str) -> Progress:
    send(connection, step.vm.subscription, "DELETE", path, API)
    return Done("removed")


def _own_principal(connection: Connection, vm: ResourceId) -> str | None:
    found = (vm_body(connection, vm).get("identity") or {}).get("principalId")
    return str(found) if found else None


def _definition(connection: Connection, step: AssignRole | RemoveRole) -> str | None:
    """Return the id of the role's definition: as given, or that of the role with this name."""
    if step.role.startswith("/"):
        return step.role
    wanted = f"roleName eq '{step.role.replace(chr(39), chr(39) * 2)}'"
    path = f"{step.scope}/{_TYPE}/roleDefinitions?$filter={quote(wanted)}"
    found = [
        role for role in pages(connection, step.vm.subscription, path, API) if _is_named(role, step.role)
    ]
    # A name means the role of Azure's own; a custom one of that name is the last resort.
    found.sort(key=lambda role: role["properties"].get("type") != "BuiltInRole")
    return str(found[0]["id"]) if found else None


def _is_named(role: dict[str, Any], name: str) -> bool:
    return str((role.get("properties") or {}).get("roleName") or "").lower() == name.lower()
