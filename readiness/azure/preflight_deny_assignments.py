"""Which deny assignments would refuse what a campaign does, whatever roles allow.

Deployment stacks, managed applications and blueprints put them on what they hold. They are listed once a
subscription, those above and below it included. One that names everybody, or who is logged in, refuses; where
only a group, or a condition, decides that, it is told as not known. Who makes them can take them away: nobody
else can.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from readiness.azure.permissions import allows
from readiness.azure.preflight_parts import (
    Asker,
    Finding,
    Refusal,
    Subject,
    Unknown,
    group_of,
    listing,
    subscription_of,
)
from readiness.azure.preflight_permissions import needs_of
from readiness.azure.remembered import Answer, Json
from readiness.azure.wire_values import flag, obj, objects, scope_of, text
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId

_API = "2022-04-01"
_EVERYBODY = "00000000-0000-0000-0000-000000000000"
_PEOPLE = ("user", "serviceprincipal")
_LONGEST = 160
_REMEDIES = (
    ("*deployment stack*", "have the owner of the stack exclude this identity from its deny settings"),
    ("*managed app*", "what a managed application holds only its publisher may change"),
    ("*blueprint*", "have the lock of the blueprint's assignment taken away"),
)
_REMEDY = (
    "only what made it can take it away, or exclude this identity: a deployment stack, a managed "
    "application, or a blueprint"
)

Needs = dict[ResourceId, tuple[str, ...]]


def denials(asker: Asker, subject: Subject) -> Iterator[Finding]:
    """Find what deny assignments refuse."""
    needs = {scope: actions for scope, actions in needs_of(subject).items() if scope.subscription}
    for subscription in dict.fromkeys(map(subscription_of, needs)):
        own = {scope: needs[scope] for scope in needs if subscription_of(scope) == subscription}
        found = _listed(asker, subject, subscription)
        if not isinstance(found, DeniedError):
            yield from _judged(asker, found, own)
            continue
        yield Unknown("not known: deny assignments on the subscription, since asking is not allowed")
        for group in dict.fromkeys(group_of(scope) for scope in own if scope.resource_group):
            listed = _listed(asker, subject, group)
            if isinstance(listed, DeniedError):
                yield Unknown(f"not known: deny assignments on {group.name}, since asking is not allowed")
            else:
                yield from _judged(asker, listed, own)


def _listed(asker: Asker, subject: Subject, scope: ResourceId) -> Answer:
    path = f"{scope}/providers/Microsoft.Authorization/denyAssignments"
    return asker.listed(subject, "denials", scope, path, _API)


def _judged(asker: Asker, found: list[Json], needs: Needs) -> Iterator[Finding]:
    for each in found:
        held = {scope: actions for scope in needs if (actions := _held(each, scope, needs[scope]))}
        if not held:
            continue
        properties = obj(each, "properties")
        whom = _means(asker, properties)
        if whom is False:
            continue
        name = text(properties, "denyAssignmentName") or text(each, "name") or "of an unknown name"
        things = listing(f"{listing(actions)} on {scope.name}" for scope, actions in held.items())
        words = f"the deny assignment {name[:_LONGEST]} denies {things}"
        has_condition = any(text(one, "condition") for one in objects(properties, "permissions"))
        if whom and not has_condition:
            yield Refusal("DenyAssignment", f"{words}: {_remedy(properties)}")
        else:
            why = "it has a condition" if whom else "it depends on who is logged in, or on a group"
            yield Unknown(f"not known: whether {words}: {why}")


def _held(assignment: Json, scope: ResourceId, actions: tuple[str, ...]) -> tuple[str, ...]:
    """Return which actions on a scope are denied."""
    properties, own = obj(assignment, "properties"), scope_of(assignment)
    if flag(properties, "doNotApplyToChildScopes"):
        is_reached = scope.key == own
        actions = tuple(action for action in actions if _is_done_to(scope, action))
    else:
        is_above = not own or "/managementgroups/" in own
        is_reached = is_above or scope.key == own or scope.key.startswith(f"{own}/")
    permissions = objects(properties, "permissions") if is_reached else []
    return tuple(action for action in actions if any(allows(one, action) for one in permissions))


def _is_done_to(scope: ResourceId, action: str) -> bool:
    """Tell whether an action is done to a scope itself, and not to something that lies or is made in it."""
    kind = f"{scope.type.lower()}/"
    inner = action.lower().removeprefix(kind).split("/")
    is_own = len(inner) == 1 or (len(inner) == 2 and inner[1] == "action")  # noqa: PLR2004  its name, and that
    return action.lower().startswith(kind) and is_own


def _means(asker: Asker, properties: Json) -> bool | None:
    """Tell whether an assignment means who is logged in; None where that is not known."""
    principals, excluded = objects(properties, "principals"), objects(properties, "excludePrincipals")
    is_everybody = any(text(one, "id") == _EVERYBODY for one in principals)
    named: bool | None = True if is_everybody else _is_among(asker, principals)
    left_out = _is_among(asker, excluded)
    if named is False or left_out is True:
        return False
    return None if named is None or left_out is None else True


def _is_among(asker: Asker, principals: list[Json]) -> bool | None:
    if not principals:
        return False
    own = asker.me
    if own is None:
        return None
    if any((text(one, "id") or "").lower() == own for one in principals):
        return True
    # Who is in a group Entra knows, and this asks nothing of Entra.
    return None if any((text(one, "type") or "").lower() not in _PEOPLE for one in principals) else False


def _remedy(properties: Json) -> str:
    told = f"{text(properties, 'denyAssignmentName')} {text(properties, 'description')}".lower()
    return next((words for pattern, words in _REMEDIES if fnmatchcase(told, pattern)), _REMEDY)
