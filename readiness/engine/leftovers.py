"""What a preparation may have left on Azure, and has to be gone before it lets go of its VM. Pure.

A key is proven on a throwaway disk that the next step deletes. Whatever stops the preparation in between, the
disk is deleted at its end; where even that is refused, the end says so.
"""

from collections.abc import Mapping

from readiness.model.outage import plan_steps
from readiness.model.plan import PlannedVm
from readiness.model.run import StepRecord
from readiness.model.steps import DropTrial, PlannedStep, TryEncryption

_STAGE = "release"


def throwaway_disks(vm: PlannedVm, records: Mapping[str, StepRecord]) -> tuple[PlannedStep, ...]:
    """Return the deletions that are still owed for disks whose creation was asked for."""
    owed: list[DropTrial] = []
    for planned in vm.preparation:
        record = records.get(planned.name)
        match planned.step:
            case TryEncryption(encryption=key) if record is not None:
                owed.append(DropTrial(vm=vm.id, encryption=key))
            case DropTrial() as step if record is not None and record.result and record.result.ok:
                owed = [other for other in owed if other != step]
    return plan_steps(owed, stage=_STAGE)


def words_for_left(steps: tuple[PlannedStep, ...], records: Mapping[str, StepRecord]) -> str:
    """Return what could not be deleted, and why, for the end of a campaign; empty where nothing is left."""
    answers = [records[planned.name].result for planned in steps if planned.name in records]
    told = [answer.detail for answer in answers if answer is not None and not answer.ok]
    return f"; its throwaway disk is left behind: {'; '.join(told)}" if told else ""
