"""What stands in the way of giving a VM something that was chosen by name, although it is satisfied without.

An assessment asks no prerequisites where a dimension is satisfied, since nothing has to be done there. Where
the context names a target that the VM lacks all the same, they are asked here: it is as safe as any other.
"""

from msgspec.structs import replace

from readiness.model.assessment import Classification, Standing
from readiness.model.estate import Estate
from readiness.model.playbook import Playbook, Target
from readiness.model.verdict import Status
from readiness.rules.catalog import ALL_RULES
from readiness.rules.evaluate import finding_of

_HINDERS = (Status.UNMET, Status.UNKNOWN)


def with_hindrances(playbook: Playbook, target: Target, standing: Standing, estate: Estate) -> Standing:
    """Return a satisfied VM's standing, with unmet prerequisites where it lacks a target."""
    if standing.classification is not Classification.SATISFIED or not playbook.lacks(target):
        return standing
    needed = (rule for rule in ALL_RULES if rule.id in playbook.spec.needs)
    answers = ((rule, rule.check(target.vm, estate)) for rule in needed)
    hindrances = (finding_of(rule, answer) for rule, answer in answers if answer.status in _HINDERS)
    return replace(standing, reasons=tuple(hindrances))
