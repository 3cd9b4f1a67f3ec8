"""Whether the rules of a shared security group are as planned, and may be written: asked before any is.

Reads only. The group is read once, so that all of its rules are seen at one instant.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from readiness.azure.connect import Connection
from readiness.azure.evidence import fit_to_keep
from readiness.azure.operations import DEFAULT_WAIT
from readiness.azure.permissions import missing
from readiness.azure.plain import pages, read
from readiness.azure.security_rules import API, is_at_work, meaning
from readiness.azure.wire_vault import lock as lock_of
from readiness.errors import DeniedError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.steps import ProveRules, RuleStates
from readiness.ports.cloud import Done, Failed, Pending, Progress

_AUTHORIZATION = "providers/Microsoft.Authorization"
_PERMISSIONS_API, _LOCKS_API = "2022-04-01", "2020-05-01"


def begin(connection: Connection, step: ProveRules) -> Progress:
    """Look, and answer at once."""
    group = read(connection, step.vm.subscription, step.vm.text, API)
    if group is None:
        return Failed("GroupMissing", f"{step.vm.name} is not there any more: assess and plan it again")
    rules = {str(rule.get("name")).lower(): rule for rule in group["properties"].get("securityRules") or []}
    if is_at_work(group) or any(map(is_at_work, rules.values())):
        return Pending(None, DEFAULT_WAIT, "the group is being changed")
    found = {each.rule.name: _properties(rules.get(each.rule.name.lower())) for each in step.rules}
    evidence = fit_to_keep(encode(found).decode())
    other = [each.rule.name for each in step.rules if not _is_allowed(found[each.rule.name], each)]
    if other:
        told = f"changed since they were planned on: {', '.join(other)}; assess and plan again"
        return Failed("RuleChangedSincePlanned", told, evidence=evidence)
    creates = any(None in each.allowed for each in step.rules)
    asked = refusals(connection, step.vm, step.needed, creates=creates) if step.needed else iter(())
    return next(asked, None) or Done("they are", evidence)


def _properties(rule: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if rule is None else rule.get("properties") or {}


def _is_allowed(found: dict[str, Any] | None, states: RuleStates) -> bool:
    if found is None:
        return None in states.allowed
    return any(meaning(found) == meaning(one) for one in states.allowed if one is not None)


def refusals(
    connection: Connection,
    target: ResourceId,
    needed: Sequence[str],
    *,
    creates: bool,
    scope: ResourceId | None = None,
) -> Iterator[Failed]:
    """Yield what Azure would refuse; where it may not be asked, the write itself is the question.

    Args:
        connection: Where to ask.
        target: What is written; locks on it and above it count.
        needed: The actions that permissions have to allow.
        creates: Whether something is made that a way back deletes.
        scope: Where permissions are asked for, if not of the target itself.
    """
    place = scope or target
    permissions = _list(connection, place, "permissions", _PERMISSIONS_API)
    lacking = missing(needed, permissions) if permissions is not None else ()
    if lacking:
        told = f"on {place.name} there is no permission for {', '.join(lacking)}"
        yield Failed("PermissionMissing", told)
    subscription = ResourceId(f"/subscriptions/{target.subscription}")
    for lock in map(lock_of, _list(connection, subscription, "locks", _LOCKS_API) or ()):
        is_hard = lock.level.lower() == "readonly"
        if target.is_within(lock.scope) and (is_hard or creates):
            what = "allows no change of it" if is_hard else "would not let what is made be taken back"
            yield Failed(f"{lock.level}Lock", f"the lock {lock.id.name} on {lock.scope.name} {what}")


def _list(connection: Connection, scope: ResourceId, what: str, version: str) -> list[dict[str, Any]] | None:
    """Return a list that Azure keeps of a scope; None for somebody who may not ask."""
    try:
        return pages(connection, scope.subscription, f"{scope}/{_AUTHORIZATION}/{what}", version)
    except DeniedError:
        return None
