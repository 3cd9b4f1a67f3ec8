"""Whether the rules of a shared security group are as planned, and may be written: asked before any is.

Reads only. The group is read once, so that all of its rules are seen at one instant. Asked besides are
permissions, locks, deny assignments, and policies for each rule as it is to be.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from readiness.azure.connect import Connection
from readiness.azure.evidence import fit_to_keep
from readiness.azure.operations import DEFAULT_WAIT
from readiness.azure.permissions import missing
from readiness.azure.plain import pages, read
from readiness.azure.preflight_deny_assignments import denials
from readiness.azure.preflight_parts import Asker, Refusal, Subject
from readiness.azure.preflight_policies import Policies
from readiness.azure.security_rules import API, is_at_work, meaning
from readiness.azure.wire_vault import lock as lock_of
from readiness.errors import DeniedError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.steps import Preflight, ProveRules, RuleStates, SetSecurityRule
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

_AUTHORIZATION = "providers/Microsoft.Authorization"
_PERMISSIONS_API, _LOCKS_API = "2022-04-01", "2020-05-01"


def begin(connection: Connection, step: ProveRules, context: StepContext) -> Progress:
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
    if not step.needed:
        return Done("they are", evidence)
    refused = next(refusals(connection, step.vm, step.needed, creates=creates), None)
    return refused or _foreseen(connection, _subject(step, group, context), evidence)


def _subject(step: ProveRules, group: dict[str, Any], context: StepContext) -> Subject:
    """Return the group with what is written of it: of what a rule may say, the last is what it is to say."""
    wanted = [(each.rule, each.allowed[-1]) for each in step.rules]
    work = tuple(
        SetSecurityRule(vm=step.vm, rule=rule, properties=properties)
        for rule, properties in wanted
        if properties is not None
    )
    return Subject(Preflight(vm=step.vm, work=work), context, group, None)


def _foreseen(connection: Connection, subject: Subject, evidence: str) -> Progress:
    """Answer by what deny assignments and policies would refuse; what is not known of them is told."""
    asker = Asker(connection)
    found = dict.fromkeys((*denials(asker, subject), *Policies(asker).find(subject)))
    for finding in found:
        if isinstance(finding, Refusal):
            return Failed(finding.code, finding.words, evidence=evidence)
    return Done("; ".join(["they are", *(finding.words for finding in found)]), evidence)


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
