"""Extension resources: what hangs on a scope, which is a resource, a group, a subscription or above.

Guarantees: ids of extension resources start with their scope, so that what acts on a scope is what hangs on
it or above it. The twin holds no tree of management groups: every one of them is above every subscription.
"""

import re
from collections.abc import Iterable

from readiness.twin import paths
from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import State, missing
from readiness.twin.world import Call, World

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
_POLICY_TYPE = re.compile(r"policytype eq '([^']*)'", re.IGNORECASE)
_PRINCIPAL = re.compile(r"principalid eq '?([^']+?)'?|assignedto\('([^']*)'\)", re.IGNORECASE)


def scope_of(resource: Json) -> str:
    """Return the scope a resource hangs on: empty for the tenant."""
    return paths.parse(resource["id"]).scope


def is_from_above(resource: Json) -> bool:
    """Tell whether a resource hangs on a management group."""
    return scope_of(resource).lower().startswith(_MANAGEMENT_GROUPS)


def is_above(upper: str, lower: str) -> bool:
    """Tell whether a scope is, or holds, another."""
    upper, lower = upper.rstrip("/").lower(), lower.rstrip("/").lower()
    if upper in ("", lower):
        return True
    if upper.startswith(_MANAGEMENT_GROUPS):
        return lower.startswith("/subscriptions/")
    return lower.startswith(upper + "/")


def need_scope(state: State, scope: str) -> None:
    """Refuse to hang something on what is not there."""
    is_resource = scope.lower().startswith("/subscriptions/")
    if is_resource and state.find(scope) is None:
        raise missing(scope)


def listed(world: World, call: Call) -> Response:
    """Answer what hangs on a scope, above and below it, as the filter narrows it down."""
    kind = f"{call.address.kind}/{call.address.tail}"
    found = narrowed(call, _related(world.state, kind, call.address.scope))
    return page(call, found, duplicate)


def listed_below(world: World, call: Call) -> Response:
    """Answer what hangs on a scope or below it."""
    kind, scope = f"{call.address.kind}/{call.address.tail}", call.address.scope
    found = [each for each in world.state.of_kind(kind) if is_above(scope, scope_of(each))]
    return page(call, found, duplicate)


def _related(state: State, kind: str, scope: str) -> Iterable[Json]:
    for each in state.of_kind(kind):
        own = scope_of(each)
        if is_above(own, scope) or is_above(scope, own):
            yield each


def narrowed(call: Call, found: Iterable[Json]) -> list[Json]:
    """Apply a filter: `atScope()` and its like, `principalId eq`, `assignedTo()`, joined by `and`.

    Definitions of policies are narrowed by `policyType eq`; one that is seeded without a type is custom.
    Learn, "Role Assignments - List For Scope": atScope() leaves out what lies below the scope. Help of
    the Azure CLI's `policy assignment list`: atScopeAndBelow() leaves out what lies above it.
    """
    result = list(found)
    for term in _terms(call):
        if term.lower() == "atscope()":
            result = [each for each in result if is_above(scope_of(each), call.address.scope)]
        elif term.lower() == "atscopeandbelow()":
            result = [each for each in result if is_above(call.address.scope, scope_of(each))]
        elif term.lower() == "atexactscope()":
            result = [each for each in result if same(scope_of(each), call.address.scope)]
        elif typed := _POLICY_TYPE.fullmatch(term):
            result = [e for e in result if same(look(e, "properties.policyType") or "Custom", typed[1])]
        elif matched := _PRINCIPAL.fullmatch(term):
            wanted = matched[1] or matched[2]
            result = [each for each in result if same(look(each, "properties.principalId"), wanted)]
        else:
            raise ArmError(400, "InvalidFilter", f"The filter '{term}' is not supported.", unverified=True)
    return result


def _terms(call: Call) -> list[str]:
    given = call.request.query.get("$filter", "").strip()
    return [term.strip() for term in re.split(r"\s+and\s+", given, flags=re.IGNORECASE)] if given else []
