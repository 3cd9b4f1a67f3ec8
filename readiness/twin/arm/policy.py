"""Azure Policy: assignments, exemptions, custom definitions and initiatives are held and listed here.

Of the built-in definitions a few are answered, each by its id; an assignment may name any of them. Who made
what and when is told twice, in `metadata` and in `systemData`, and an identity is complete at once
(Azure/azure-cli, resource/tests/latest/recordings/test_resource_policy_identity.yaml). Whether a policy
denies something is judged elsewhere (`readiness.twin.policies`).
"""

from readiness.twin import gates, policies
from readiness.twin.arm import identity, immediate, scopes
from readiness.twin.arm.directory import read_time
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError, Response
from readiness.twin.world import Call, Routes, World

ASSIGNMENT = "microsoft.authorization/policyassignments"
EXEMPTION = "microsoft.authorization/policyexemptions"
DEFINITION = "microsoft.authorization/policydefinitions"
INITIATIVE = "microsoft.authorization/policysetdefinitions"
_CATEGORIES = ("Waiver", "Mitigated")


def _invalid(message: str) -> ArmError:
    """Refuse content that cannot be."""
    return ArmError(
        400, "InvalidRequestContent", f"The request content was invalid: {message}", unverified=True
    )


def assign(world: World, call: Call) -> Response:
    """Assign a policy or an initiative."""
    given = call.body().get("properties") or {}
    if not given.get("policyDefinitionId"):
        raise _invalid("'policyDefinitionId' is missing.")
    mode = given.get("enforcementMode", "Default")
    return _save(world, call, "policyAssignments", {"enforcementMode": mode, "scope": call.address.scope})


def exempt(world: World, call: Call) -> Response:
    """Exempt a scope from an assignment that reaches it."""
    given = call.body().get("properties") or {}
    if given.get("exemptionCategory") not in _CATEGORIES:
        raise _invalid("'exemptionCategory' is Waiver or Mitigated.")
    if given.get("expiresOn") is not None and read_time(given["expiresOn"]) is None:
        raise _invalid("'expiresOn' is no time with a zone.")
    assignment = world.state.find(given.get("policyAssignmentId"))
    if assignment is None or not scopes.is_above(scopes.scope_of(assignment), call.address.scope):
        # Learn, "Azure Policy exemption structure".
        raise ArmError(
            404,
            "PolicyAssignmentNotFound",
            f"The policy assignment '{given.get('policyAssignmentId')}' is not found at or above "
            f"'{call.address.scope}'.",
            unverified=True,
        )
    return _save(world, call, "policyExemptions", {})


def define(world: World, call: Call) -> Response:
    """Make or change a custom policy definition."""
    if look(call.body(), "properties.policyRule") is None:
        raise _invalid("'policyRule' is missing.")
    mode = look(call.body(), "properties.mode") or "Indexed"
    return _save(world, call, "policyDefinitions", {"policyType": "Custom", "mode": mode})


def gather(world: World, call: Call) -> Response:
    """Make or change a custom initiative."""
    members = look(call.body(), "properties.policyDefinitions")
    if not isinstance(members, list) or not all(look(each, "policyDefinitionId") for each in members):
        raise _invalid("'policyDefinitions' is no list of policy definitions.")
    return _save(world, call, "policySetDefinitions", {"policyType": "Custom"})


def definition(world: World, call: Call) -> Response:
    """Answer a definition: of the estate, or a built-in one."""
    found = policies.definition_of(world.state, call.address.resource_id)
    return Response(200, duplicate(found)) if found is not None else immediate.get(world, call)


def _save(world: World, call: Call, word: str, more: dict[str, str]) -> Response:
    scopes.need_scope(world.state, call.address.scope)
    before = world.state.find(call.address.resource_id)
    ticket = world.admit(call, f"{word}/write", call.address.resource_id)
    after = immediate.fresh(call, f"Microsoft.Authorization/{word}")
    after |= {name: duplicate(call.body()[name]) for name in ("location",) if name in call.body()}
    after["properties"] = duplicate(call.body()["properties"]) | more
    if word != "policyExemptions":
        after["properties"]["metadata"] = _metadata(call, before)
    after["systemData"] = immediate.system_data(call, before)
    _give_identity(world, call, before, after)
    world.state.put(after)
    status = 200 if word == "policyExemptions" and before is not None else 201
    return world.finished(ticket, Response(status, duplicate(after)))


def _metadata(call: Call, before: Json | None) -> Json:
    own = look(call.body(), "properties.metadata") or {}
    was = look(before, "properties.metadata") or {}
    stamp = {"By": gates.OBJECT, "On": call.now.isoformat()}
    made = {f"created{word}": was.get(f"created{word}", value) for word, value in stamp.items()}
    changed = {f"updated{word}": None if before is None else value for word, value in stamp.items()}
    return {**duplicate(own), **made, **changed}


def _give_identity(world: World, call: Call, before: Json | None, after: Json) -> None:
    own = identity.changed(look(before, "identity"), call.body().get("identity"), replaces=True)
    if own is None:
        return
    identity.check(world.state, look(before, "identity"), own)
    holder = {"id": after["id"], "etag": call.now.isoformat(), "identity": own}
    identity.complete(holder, world.state, seed=world.seed, when=call.now)
    after["identity"] = own


ROUTES: Routes = {
    **{
        ("GET", "microsoft.authorization", tail): scopes.listed
        for tail in ("policyassignments", "policyexemptions", "policydefinitions", "policysetdefinitions")
    },
    **{("GET", kind, ""): immediate.get for kind in (ASSIGNMENT, EXEMPTION, INITIATIVE)},
    ("GET", DEFINITION, ""): definition,
    ("PUT", ASSIGNMENT, ""): assign,
    ("PUT", EXEMPTION, ""): exempt,
    ("PUT", DEFINITION, ""): define,
    ("PUT", INITIATIVE, ""): gather,
    ("DELETE", ASSIGNMENT, ""): immediate.removal("policyAssignments/delete"),
    ("DELETE", EXEMPTION, ""): immediate.removal("policyExemptions/delete"),
    ("DELETE", DEFINITION, ""): immediate.removal("policyDefinitions/delete"),
    ("DELETE", INITIATIVE, ""): immediate.removal("policySetDefinitions/delete"),
}
