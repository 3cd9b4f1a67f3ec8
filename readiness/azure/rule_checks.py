"""Whether the rules of a shared security group are as planned, and may be written: asked before any is.

Reads only. The group is read once, so that all of its rules are seen at one instant.
"""

from collections.abc import Iterator
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
    refusal = next(_refusals(connection, step), None) if step.needed else None
    return refusal or Done("they are", evidence)


def _properties(rule: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if rule is None else rule.get("properties") or {}


def _is_allowed(found: dict[str, Any] | None, states: RuleStates) -> bool:
    if found is None:
        return None in states.allowed
    return any(meaning(found) == meaning(one) for one in states.allowed if one is not None)


def _refusals(connection: Connection, step: ProveRules) -> Iterator[Failed]:
    """Yield what Azure would refuse; where it may not be asked, the write itself is the question."""
    group = step.vm
    permissions = _list(connection, step, group, "permissions", _PERMISSIONS_API)
    lacking = missing(step.needed, permissions) if permissions is not None else ()
    if lacking:
        told = f"on {group.name} there is no permission for {', '.join(lacking)}"
        yield Failed("PermissionMissing", told)
    creates = any(None in each.allowed for each in step.rules)
    scope = ResourceId(f"/subscriptions/{group.subscription}")
    for lock in map(lock_of, _list(connection, step, scope, "locks", _LOCKS_API) or ()):
        is_hard = lock.level.lower() == "readonly"
        if group.is_within(lock.scope) and (is_hard or creates):
            what = "allows no change of it" if is_hard else "would not let a new rule be taken back"
            yield Failed(f"{lock.level}Lock", f"the lock {lock.id.name} on {lock.scope.name} {what}")


def _list(
    connection: Connection, step: ProveRules, scope: ResourceId, what: str, version: str
) -> list[dict[str, Any]] | None:
    """Return a list that Azure keeps of a scope; None for somebody who may not ask."""
    try:
        return pages(connection, step.vm.subscription, f"{scope}/{_AUTHORIZATION}/{what}", version)
    except DeniedError:
        return None
