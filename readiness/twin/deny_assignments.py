"""Deny assignments of an estate: which of them refuse a write of the twin's caller, whatever roles allow.

Learn, "List Azure deny assignments": they hold at a scope and below it unless they say otherwise, for the
principals they name but those they exclude, and for the actions of their permissions less the notActions. The
caller is in no group. Conditions are not modelled: an assignment that has one denies nothing.
"""

from fnmatch import fnmatchcase

from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.state import State

DENIAL = "microsoft.authorization/denyassignments"
_EVERYBODY = "00000000-0000-0000-0000-000000000000"


def check(state: State, action: str, resource_id: str, *, caller: str, object_id: str) -> None:
    """Refuse a write that a deny assignment holds, naming it as Azure does."""
    if not state.knows(DENIAL):
        return
    for each in state.above(DENIAL, resource_id):
        scope = each["id"][: each["id"].lower().rfind("/providers/")]
        only_here = look(each, "properties.doNotApplyToChildScopes") is True
        if only_here and not same(scope, resource_id):
            continue
        if _means(each, object_id) and _denies(each, action):
            raise ArmError(
                403,
                "DenyAssignmentAuthorizationFailed",
                f"The client '{caller}' with object id '{object_id}' has permission to perform action "
                f"'{action}' on scope '{resource_id}'; however, the access is denied because of the deny "
                f"assignment with name '{look(each, 'properties.denyAssignmentName')}' and Id "
                f"'{each['id'].rsplit('/', 1)[-1]}' at scope '{scope}'.",
            )


def _means(assignment: Json, object_id: str) -> bool:
    named = {str(look(one, "id")).lower() for one in look(assignment, "properties.principals") or []}
    excluded = {
        str(look(one, "id")).lower() for one in look(assignment, "properties.excludePrincipals") or []
    }
    return bool(named & {_EVERYBODY, object_id}) and object_id not in excluded


def _denies(assignment: Json, action: str) -> bool:
    return any(
        not look(one, "condition")
        and _names(look(one, "actions"), action)
        and not _names(look(one, "notActions"), action)
        for one in look(assignment, "properties.permissions") or []
    )


def _names(patterns: list[str] | None, action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns or [])
