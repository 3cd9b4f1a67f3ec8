"""The campaign of an object that several VMs share: a closure whose unit is the object, and no VM.

It is a security group that is tightened, or a just-in-time policy that VMs are put into. Invariants:
* Nothing is written before all that is written was seen as it was planned on; after a crash also as it is
  wanted.
* A group bears a lease while it is worked on, and what its rules said: enough to go on from another machine.
  Each write of a rule is held against the group's etag, so that of two who write at once one is refused, and
  looks again. A policy bears no tags and has no etag: it is read right before the write and again after it.
* The way back restores the rules that were begun, newest first, or takes out of the policy the VMs that were
  put into it, and proves it. What somebody else has changed since is never written over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from readiness.engine.advance import Campaign, Records, may_have_written
from readiness.engine.decisions import RECALLED
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase
from readiness.model.observation import Before
from readiness.model.outage import plan_steps
from readiness.model.steps import (
    MarkGroup,
    PlannedStep,
    ProveJustInTime,
    ProveRules,
    RemoveJustInTime,
    RemoveSecurityRule,
    RuleStates,
    SetJustInTime,
    SetSecurityRule,
    Step,
)
from readiness.model.virtual_machine import Identity, Power, SecurityType

_WRITES = tuple(
    sorted(
        action
        for action in {*SetSecurityRule.actions, *RemoveSecurityRule.actions, *MarkGroup.actions}
        if "/networkSecurityGroups/" in action or "/tags/" in action
    )
)
_MARK = "check.take-lease"
_RECALL_LASTS = timedelta(hours=12)


class GroupCampaign(Campaign):
    """A shared object's way through its closure."""

    def steps(self, phase: Phase, records: Records) -> tuple[PlannedStep, ...]:
        """Return the steps of a phase in order."""
        match phase:
            case Phase.CHECKING:
                marks = self._mark(self._lease_end(records)) if self._is_marked(records) else ()
                return plan_steps((self._as_planned(), *marks), stage="check")
            case Phase.CLOSING:
                return self.vm.closure
            case Phase.UNDOING:
                return self._way_back(records)
            case _:
                return ()

    def before(self, _records: Records) -> Before:
        """Return what stands for the state before: each step carries the rule that it replaces."""
        return _nothing_of(self.vm.id)

    def total_steps(self, records: Records) -> int:
        """Return how many steps it has on the straight path, plus those of a way back under way."""
        undoing = self._way_back(records) if any(name.startswith("undo.") for name in records) else ()
        checks = self.steps(Phase.CHECKING, records)
        # Only what bears a mark has to be let go of.
        release = self._parts.release() if self._changes() else ()
        return sum(map(len, (checks, self.vm.closure, release, undoing)))

    def _as_planned(self) -> ProveRules | ProveJustInTime:
        for step in (each.step for each in self.vm.closure):
            if isinstance(step, SetJustInTime):
                # Only a policy of our own is deleted on the way back.
                writes = {*(RemoveJustInTime if step.creates else SetJustInTime).actions}
                needed = tuple(sorted(writes - {*ProveJustInTime.actions}))
                return ProveJustInTime(
                    vm=step.vm, machines=step.machines, creates=step.creates, needed=needed
                )
        states = (RuleStates(rule=one.rule, allowed=(one.earlier, one.properties)) for one in self._changes())
        return ProveRules(vm=self.vm.id, rules=tuple(states), needed=_WRITES)

    def _changes(self) -> tuple[SetSecurityRule, ...]:
        return tuple(each.step for each in self.vm.closure if isinstance(each.step, SetSecurityRule))

    def _is_marked(self, records: Records) -> bool:
        """Tell whether it bears a mark, or is going to: an older journal wrote its rules without one."""
        return _MARK in records or not any(planned.name in records for planned in self.vm.closure)

    def _mark(self, until: datetime, *, back: bool = False) -> tuple[MarkGroup, ...]:
        changes = self._changes()
        return (MarkGroup(vm=self.vm.id, until=until, back=back, rules=changes),) if changes else ()

    def way_back(self, begun: Sequence[Step]) -> tuple[PlannedStep, ...]:
        """Return what takes steps back that were begun, and the proof of it."""
        before = _nothing_of(self.vm.id)
        back = [step for playbook in reversed(self.playbooks) for step in playbook.undo(before, tuple(begun))]
        return plan_steps((*back, *_proof(self.vm.id, back)), stage="undo")

    def _way_back(self, records: Records) -> tuple[PlannedStep, ...]:
        back = self.way_back([each.step for each in self.vm.closure if may_have_written(each, records)])
        if RECALLED not in records or _MARK not in records:
            return back
        mark = self._mark(records[RECALLED].intended_at + _RECALL_LASTS, back=True)
        return (*plan_steps(mark, stage="recall"), *back)


def _proof(group: ResourceId, back: Sequence[Step]) -> tuple[ProveRules | ProveJustInTime, ...]:
    """Return the proof that everything of a way back is as it was."""
    states, policies = [], []
    for step in back:
        if isinstance(step, RemoveJustInTime):
            policies.append(
                ProveJustInTime(vm=group, machines=step.machines, creates=step.creates, is_back=True)
            )
        elif isinstance(step, SetSecurityRule):
            states.append(RuleStates(rule=step.rule, allowed=(step.properties,)))
        elif isinstance(step, RemoveSecurityRule):
            states.append(RuleStates(rule=step.rule, allowed=(None,)))
    return (*policies, *([ProveRules(vm=group, rules=tuple(states))] if states else ()))


def _nothing_of(group: ResourceId) -> Before:
    return Before(
        vm=group,
        power=Power.UNKNOWN,
        size=None,
        security_type=SecurityType.STANDARD,
        secure_boot=None,
        vtpm=None,
        encryption_at_host=False,
        identity=Identity(),
        agent_ready=None,
        extensions=(),
        disks=(),
    )
