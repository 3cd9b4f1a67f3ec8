"""The campaign of a shared security group: a closure whose unit is the group, and no VM.

Invariants:
* Nothing is written before every rule was seen as it was planned on; after a crash also as it is wanted.
* No lease is taken, since a group has none: each write is held against the group's etag, so that of two who
  write at once one is refused, and looks again.
* The way back restores the rules that were begun, newest first, and proves that they are as they were. What
  somebody else has changed since is never written over.
"""

from collections.abc import Sequence

from readiness.engine.advance import Campaign, Records, may_have_written
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase
from readiness.model.observation import Before
from readiness.model.outage import plan_steps
from readiness.model.steps import (
    PlannedStep,
    ProveRules,
    RemoveSecurityRule,
    RuleStates,
    SetSecurityRule,
    Step,
)
from readiness.model.virtual_machine import Identity, Power, SecurityType

_WRITES = tuple(
    sorted(
        action
        for action in {*SetSecurityRule.actions, *RemoveSecurityRule.actions}
        if "/networkSecurityGroups/" in action
    )
)


class GroupCampaign(Campaign):
    """A shared group's way through its closure."""

    def steps(self, phase: Phase, records: Records) -> tuple[PlannedStep, ...]:
        """Return the steps of a phase in order."""
        match phase:
            case Phase.CHECKING:
                return plan_steps((self._as_planned(),), stage="check")
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
        return 1 + len(self.vm.closure) + len(undoing)

    def _as_planned(self) -> ProveRules:
        changes = [each.step for each in self.vm.closure if isinstance(each.step, SetSecurityRule)]
        states = (RuleStates(rule=one.rule, allowed=(one.earlier, one.properties)) for one in changes)
        return ProveRules(vm=self.vm.id, rules=tuple(states), needed=_WRITES)

    def way_back(self, begun: Sequence[Step]) -> tuple[PlannedStep, ...]:
        """Return what takes steps back that were begun, and the proof of it."""
        before = _nothing_of(self.vm.id)
        back = [step for playbook in reversed(self.playbooks) for step in playbook.undo(before, tuple(begun))]
        return plan_steps((*back, *_proof(self.vm.id, back)), stage="undo")

    def _way_back(self, records: Records) -> tuple[PlannedStep, ...]:
        return self.way_back([each.step for each in self.vm.closure if may_have_written(each, records)])


def _proof(group: ResourceId, back: Sequence[Step]) -> tuple[ProveRules, ...]:
    """Return the proof that every rule of a way back is as it was."""
    states = []
    for step in back:
        if isinstance(step, SetSecurityRule):
            states.append(RuleStates(rule=step.rule, allowed=(step.properties,)))
        elif isinstance(step, RemoveSecurityRule):
            states.append(RuleStates(rule=step.rule, allowed=(None,)))
    return (ProveRules(vm=group, rules=tuple(states)),) if states else ()


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
