"""Defender plans (pricings) of a subscription or a machine: list, GET, PUT.

Learn, "Pricings - Update": a plan is Free until it is set to Standard; Defender for Servers has sub-plans,
P1 and P2, of which a single machine can have P1 only. Assessments, settings and the like are read as they
are seeded.
"""

from readiness.twin.arm import immediate, scopes
from readiness.twin.arm.directory import stamp
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import State, missing
from readiness.twin.world import Call, Routes, World

PRICING = "microsoft.security/pricings"
_TYPE = "Microsoft.Security/pricings"
SERVERS = "VirtualMachines"
_PLANS = (
    SERVERS,
    "AppServices",
    "SqlServers",
    "StorageAccounts",
    "KeyVaults",
    "Arm",
    "Containers",
    "CloudPosture",
)


def _plan(state: State, scope: str, name: str) -> Json | None:
    """Return a plan of a scope; a subscription has every plan, free of charge until it is bought."""
    found = state.find(f"{scope}/providers/{_TYPE}/{name}")
    if found is not None:
        return found
    known = next((plan for plan in _PLANS if same(plan, name)), None)
    if known is None or scope.strip("/").count("/") != 1:
        return None
    return {
        "id": f"{scope}/providers/{_TYPE}/{known}",
        "name": known,
        "type": _TYPE,
        "properties": {"pricingTier": "Free", "freeTrialRemainingTime": "P30D"},
    }


def get(world: World, call: Call) -> Response:
    """Answer one plan."""
    found = _plan(world.state, call.address.scope, call.address.name)
    if found is None:
        raise missing(call.address.resource_id)
    return Response(200, duplicate(found))


def listed(world: World, call: Call) -> Response:
    """Answer the plans of a scope, seeded ones first."""
    scope = call.address.scope
    seeded = [each for each in world.state.of_kind(PRICING, scope) if same(scopes.scope_of(each), scope)]
    names = {each["name"].lower() for each in seeded}
    free = [_plan(world.state, scope, name) for name in _PLANS if name.lower() not in names]
    return page(call, [*seeded, *(plan for plan in free if plan is not None)], duplicate)


def write(world: World, call: Call) -> Response:
    """Set a plan."""
    scope, name = call.address.scope, call.address.name
    scopes.need_scope(world.state, scope)
    given: Json = call.body().get("properties") or {}
    tier, sub_plan = given.get("pricingTier"), given.get("subPlan")
    if tier not in ("Free", "Standard"):
        raise ArmError(
            400, "BadRequest", f"The pricing tier '{tier}' is not Free or Standard.", unverified=True
        )
    is_servers = same(name, SERVERS)
    if sub_plan is not None and is_servers and sub_plan not in ("P1", "P2"):
        raise ArmError(400, "BadRequest", f"The sub-plan '{sub_plan}' is not P1 or P2.", unverified=True)
    is_subscription = scope.strip("/").count("/") == 1
    if not is_subscription and not (is_servers and (tier == "Free" or sub_plan == "P1")):
        raise ArmError(
            400,
            "BadRequest",
            "A resource can have the plan VirtualMachines only as Free or P1.",
            unverified=True,
        )
    before = _plan(world.state, scope, name)
    ticket = world.admit(call, "pricings/write", call.address.resource_id)
    after = before if before is not None else immediate.fresh(call, _TYPE)
    properties: Json = {
        key: duplicate(given[key]) for key in ("pricingTier", "subPlan", "enforce") if key in given
    }
    if tier == "Standard":
        # Learn: whoever names no sub-plan gets the fullest one.
        properties |= {"subPlan": sub_plan or "P2"} if is_servers else {}
        properties["enablementTime"] = look(before, "properties.enablementTime") or stamp(call.now)
        properties["extensions"] = duplicate(given.get("extensions") or [])
    properties["freeTrialRemainingTime"] = look(before, "properties.freeTrialRemainingTime") or "PT0S"
    world.state.put(after | {"properties": properties})
    return world.finished(ticket, Response(200, duplicate(world.state.find(after["id"]))))


ROUTES: Routes = {
    ("GET", "microsoft.security", "pricings"): listed,
    ("GET", PRICING, ""): get,
    ("PUT", PRICING, ""): write,
}
