"""Microsoft.PolicyInsights `checkPolicyRestrictions`: which policies a resource that is to be would not meet.

Shapes: Azure/azure-rest-api-specs, policyinsights 2023-03-01, checkPolicyRestrictions.json and its
examples. The content is judged by what refuses the write itself, so that both agree; but assignments of
management groups are left out, as Azure leaves them out (Azure/azure-dev, cli/azd/docs: the check of
storage accounts, in its reasons for what was not built). Pending fields are not answered. Nothing is
written, and nothing counts as a write.
"""

from readiness.twin import paths, policies
from readiness.twin.arm import scopes
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError, Response
from readiness.twin.world import Call, Routes, World

TAIL = "checkpolicyrestrictions"


def check(world: World, call: Call) -> Response:
    """Judge the content of a resource as it is to be."""
    scope = call.address.scope
    scopes.need_scope(world.state, scope)
    world.meet(call, world.arrive("checkPolicyRestrictions/read", call.address.path))
    outcome = _outcome(call, scope)
    effects = ("deny", "audit") if call.body().get("includeAuditEffect") is True else ("deny",)
    found = policies.violated(world.state, outcome, now=call.now, effects=effects)
    evaluations = [_told(each, effect) for each, effect in found if not scopes.is_from_above(each)]
    return Response(
        200, {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": evaluations}}
    )


def _outcome(call: Call, scope: str) -> Json:
    """Return the resource that is asked about, with the id it will have."""
    content = look(call.body(), "resourceDetails.resourceContent")
    if not isinstance(content, dict) or not isinstance(content.get("type"), str):
        raise ArmError(
            400,
            "InvalidCheckRestrictionsRequest",
            "The resource content must be an object with the 'type' of a resource.",
            unverified=True,
        )
    kind, name = content["type"], str(content.get("name") or "")
    parent = look(call.body(), "resourceDetails.scope")
    if isinstance(parent, str) and "/providers/" in parent.lower():
        resource_id = f"{parent.rstrip('/')}/{kind.rpartition('/')[2]}/{name}"
    else:
        resource_id = f"{scope}/providers/{kind}/{name}"
    outcome: Json = duplicate(content)
    return outcome | {"type": paths.parse(resource_id).kind, "id": resource_id, "name": name}


def _told(assignment: Json, effect: str) -> Json:
    return {
        "policyInfo": {
            "policyDefinitionId": look(assignment, "properties.policyDefinitionId"),
            "policyAssignmentId": assignment["id"],
        },
        "evaluationResult": "NonCompliant",
        "evaluationDetails": {"evaluatedExpressions": []},
        "effectDetails": {"policyEffect": effect.capitalize()},
    }


ROUTES: Routes = {("POST", "microsoft.policyinsights", TAIL): check}
