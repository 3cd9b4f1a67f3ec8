"""User-assigned managed identities: GET, lists, PUT, PATCH, DELETE.

Guarantees: the principal and client ids follow from the twin's seed, and an identity that is deleted and
made again is a new principal. As recorded from the provider, the ids of new identities say `resourcegroups`.
"""

import re

from readiness.twin.arm import immediate
from readiness.twin.arm.directory import USER_ASSIGNED, announce
from readiness.twin.arm.identity import home
from readiness.twin.documents import Json, duplicate
from readiness.twin.messages import ArmError, Response
from readiness.twin.operations import identifier
from readiness.twin.world import Call, Routes, World

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}")
_KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"


def write(world: World, call: Call) -> Response:
    """Make an identity, or set its tags."""
    before = world.state.find(call.address.resource_id)
    location = immediate.located(call, before)
    if _NAME.fullmatch(call.address.name) is None:
        # Learn, "Naming rules and restrictions", Microsoft.ManagedIdentity.
        raise ArmError(
            400,
            "BadRequest",
            f"The identity name '{call.address.name}' is not valid: 3-128 letters, digits, hyphens and "
            "underscores, starting with a letter or digit.",
            unverified=True,
        )
    ticket = world.admit(call, "userAssignedIdentities/write", call.address.resource_id)
    after: Json = duplicate(before) if before is not None else _new(world, call, location, ticket.nth)
    after["tags"] = duplicate(call.body().get("tags") or {})
    # As recorded in Azure/azure-cli, identity/tests/latest/recordings/: a new one says where it is.
    headers = {} if before is not None else {"Location": f"{after['id']}?api-version={call.version}"}
    answer = immediate.save(world, ticket, before, after)
    return Response(answer.status, answer.body, {**answer.headers, **headers})


def _new(world: World, call: Call, location: str, nth: int) -> Json:
    resource = immediate.fresh(call, _KIND)
    resource["id"] = re.sub("/resourcegroups/", "/resourcegroups/", resource["id"], flags=re.IGNORECASE)
    principal = identifier(world.seed, "principal", resource["id"], nth)
    announce(world.state, principal, call.now)
    return resource | {
        "location": location,
        "properties": {
            "tenantId": home(world.state, world.seed),
            "principalId": principal,
            "clientId": identifier(world.seed, "client", resource["id"], nth),
        },
    }


ROUTES: Routes = {
    ("GET", "microsoft.managedidentity", "userassignedidentities"): immediate.listed(USER_ASSIGNED),
    ("GET", USER_ASSIGNED, ""): immediate.get,
    ("PUT", USER_ASSIGNED, ""): write,
    ("PATCH", USER_ASSIGNED, ""): immediate.tagged("userAssignedIdentities/write"),
    ("DELETE", USER_ASSIGNED, ""): immediate.removal("userAssignedIdentities/delete"),
}
