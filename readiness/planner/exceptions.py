"""The estate's exceptions as a plan carries them: who answers for what is left as it is, and until when.

Pure. They inform: what an exception permits is the assessment's answer, and so is in the plan already.
"""

from collections import defaultdict

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.plan import PlanException


def exceptions_of(estate: Estate) -> tuple[PlanException, ...]:
    """Return every exception of the context with the VMs it names, by id; expired ones too."""
    entries = estate.context.exceptions
    named: defaultdict[str, list[ResourceId]] = defaultdict(list)
    for vm in estate.vms if entries else ():
        for entry in estate.exceptions_for(vm):
            named[entry.id].append(vm.id)
    return tuple(
        PlanException(
            id=entry.id,
            covers=entry.rule or (entry.dimension.value if entry.dimension else ""),
            owner=entry.owner,
            approved_by=entry.approved_by,
            reason=entry.reason,
            expires=entry.expires,
            compensating_control=entry.compensating_control,
            vms=tuple(sorted(named[entry.id])),
        )
        for entry in sorted(entries, key=lambda one: one.id)
    )
