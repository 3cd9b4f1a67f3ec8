"""What stands in the way of giving a VM something that was chosen by name, although it is satisfied without.

An assessment asks no prerequisites where a dimension is satisfied, since nothing has to be done there. Where
the context names a target that the VM lacks all the same, they are asked here: it is as safe as any other.
"""

from msgspec.structs import replace

from readiness.model.assessment import Classification, Finding, Standing
from readiness.model.estate import Estate
from readiness.model.playbook import Playbook, Target
from readiness.model.verdict import Status
from readiness.rules.catalog import ALL_RULES
from readiness.rules.rule import Rule


def with_hindrances(playbook: Playbook, target: Target, standing: Standing, estate: Estate) -> Standing:
    """Return a satisfied VM's standing, with unmet prerequisites where it lacks a target."""
    if standing.classification is not Classification.SATISFIED or not playbook.lacks(target):
        return standing
    needed = (rule for rule in ALL_RULES if rule.id in playbook.spec.needs)
    found = (_finding(rule, target, estate) for rule in needed)
    return replace(standing, reasons=tuple(one for one in found if one is not None))


def _finding(rule: Rule, target: Target, estate: Estate) -> Finding | None:
    verdict = rule.check(target.vm, estate)
    if verdict.status not in (Status.UNMET, Status.UNKNOWN):
        return None
    return Finding(
        rule=rule.id,
        title=rule.title,
        status=verdict.status.value,
        reason=verdict.reason,
        detail=verdict.detail,
        remedy=rule.remedy,
        source=rule.source,
        evidence=verdict.evidence,
    )
