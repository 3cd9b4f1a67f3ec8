"""The parts of one VM's campaign as planned steps: its checks, its work, its proofs, and letting go. Pure."""

from datetime import datetime, timedelta

from readiness.engine.patience import latest_descent
from readiness.model.execution import Execution, HookCommand
from readiness.model.lifecycle import Stage
from readiness.model.outage import plan_steps
from readiness.model.plan import PlannedVm
from readiness.model.steps import (
    Hook,
    Look,
    PlannedStep,
    Preflight,
    ProveBackup,
    ProveHealth,
    ProveModel,
    ProvePrepared,
    ProveTime,
    Recheck,
    RecordBefore,
    ReleaseLease,
    Resize,
    RunHook,
    RunHookAfter,
    Start,
    Step,
    SwapOsDisk,
    TakeLease,
    TakeSnapshot,
    Undo,
    UnmarkGroup,
    Work,
)

AFTER = Undo.SWAP
"""The way back that is only open until the VM has answered once: later it would erase what was written."""
_OFF_AND_ON = (Start, ProveHealth)


class Parts:
    """The parts of one VM's campaign in one stage."""

    def __init__(self, vm: PlannedVm, stage: Stage, execution: Execution) -> None:
        self._vm = vm
        self._stage = stage
        self._execution = execution
        self._checks: dict[datetime | None, tuple[PlannedStep, ...]] = {}

    def checks(self, lease_until: datetime | None = None) -> tuple[PlannedStep, ...]:
        """Everything that may refuse, then the state from before, then the lease: the first effect."""
        # Asked for with every step of a campaign, and always the same.
        if lease_until not in self._checks:
            self._checks[lease_until] = self._make_checks(lease_until)
        return self._checks[lease_until]

    def _make_checks(self, lease_until: datetime | None) -> tuple[PlannedStep, ...]:
        vm = self._vm
        until = lease_until or vm.occurrence.closes + timedelta(seconds=vm.reserved_seconds)
        steps: list[Step] = []
        if self._stage is Stage.CLOSURE:
            steps.append(ProveModel(vm=vm.id))
        else:
            steps.append(Recheck(vm=vm.id, fingerprint=vm.fingerprint))
        if self._stage is Stage.OUTAGE:
            steps.append(ProvePrepared(vm=vm.id))
            if vm.backup_item is not None and vm.outage:
                age = self._execution.backup_max_age_hours
                policy = vm.choice.backup_policy
                steps.append(ProveBackup(vm=vm.id, item=vm.backup_item, max_age_hours=age, policy=policy))
        work, lease = self._work(), TakeLease(vm=vm.id, until=until)
        if work:
            steps.append(self._preflight(work, lease))
        steps.append(RecordBefore(vm=vm.id))
        if work:
            steps.append(lease)
        return plan_steps(steps, stage="check")

    def hooks_before(self) -> tuple[PlannedStep, ...]:
        """The team's commands before the VM goes down, and a last look at the clock."""
        vm = self._vm
        if vm.outage is None:
            return ()
        hooks = [
            RunHook(vm=vm.id, name=hook.name, command=_filled(hook, vm), timeout=hook.timeout)
            for hook in self._execution.hooks.before_vm
        ]
        return plan_steps((*hooks, ProveTime(vm=vm.id, until=latest_descent(vm))), stage="before")

    def preparation(self) -> tuple[PlannedStep, ...]:
        """The online work before the outage, and its proof."""
        return (*self._vm.preparation, *plan_steps((ProvePrepared(vm=self._vm.id),), stage="prepared"))

    def conversion(self, *, running: bool) -> tuple[PlannedStep, ...]:
        """The outage up to its last proof of health; a VM that was found off is never started."""
        outage = self._vm.outage
        if outage is None:
            return ()
        if running:
            return outage.steps[:-1] if isinstance(outage.steps[-1].step, ProveHealth) else outage.steps
        return tuple(
            planned
            for planned in outage.steps
            if planned.name.startswith("outage.") and not isinstance(planned.step, _OFF_AND_ON)
        )

    def proof(self, *, running: bool) -> tuple[PlannedStep, ...]:
        """The last proof of health, and that Azure shows everything."""
        outage = self._vm.outage
        health = outage.steps[-1:] if outage and running else ()
        return (*health, *plan_steps((ProveModel(vm=self._vm.id),), stage="verify"))

    def closure(self) -> tuple[PlannedStep, ...]:
        """The online work after the soak."""
        return self._vm.closure

    def release(self, again: str = "") -> tuple[PlannedStep, ...]:
        """Letting go: the team's commands after the VM, and the lease last."""
        vm = self._vm
        after = self._execution.hooks.after_vm if self._stage is Stage.OUTAGE and vm.outage else ()
        hooks = [
            RunHookAfter(vm=vm.id, name=hook.name, command=_filled(hook, vm), timeout=hook.timeout)
            for hook in after
        ]
        mark = UnmarkGroup(vm=vm.id) if vm.is_shared else ReleaseLease(vm=vm.id)
        return plan_steps((*hooks, mark), stage=f"release{again}")

    def straight(self, *, running: bool) -> int:
        """Return how many steps it takes if all goes well."""
        work = len(self._work())
        checks = len(self.checks()) + (len(self.release()) if work else 0)
        if self._stage is Stage.PREPARATION:
            return checks + len(self.preparation())
        if self._stage is Stage.CLOSURE:
            return checks + len(self.closure())
        return (
            checks
            + len(self.hooks_before())
            + len(self.conversion(running=running))
            + len(self.proof(running=running))
        )

    def _work(self) -> tuple[PlannedStep, ...]:
        """Return the steps that have an effect on the VM."""
        match self._stage:
            case Stage.PREPARATION:
                return self._vm.preparation
            case Stage.CLOSURE:
                return self._vm.closure
            case Stage.OUTAGE:
                return self._vm.outage.steps if self._vm.outage else ()

    def _preflight(self, work: tuple[PlannedStep, ...], lease: TakeLease) -> Preflight:
        """Return the look ahead at all that has an effect: the lease first, and what a way back may need."""
        swaps = [
            SwapOsDisk(vm=self._vm.id, disk=each.step.disk, moment=each.step.moment)
            for each in work
            if each.name.startswith("guest.") and isinstance(each.step, TakeSnapshot)
        ]
        return Preflight(
            vm=self._vm.id,
            work=(lease, *_effects(work)),
            spare=(*_effects(self._vm.fallback), *swaps, *self._other_sizes()),
            item=self._vm.backup_item if self._stage is Stage.OUTAGE else None,
        )

    def _other_sizes(self) -> tuple[Work, ...]:
        """Return what is done where Azure has no room: a resize to each size that was approved."""
        is_started = self._stage is Stage.OUTAGE and self._vm.outage is not None
        sizes = self._vm.choice.sizes if is_started else ()
        return tuple(Resize(vm=self._vm.id, size=size) for size in sizes)


def _effects(steps: tuple[PlannedStep, ...]) -> tuple[Work, ...]:
    return tuple(each.step for each in steps if not isinstance(each.step, Look | Hook | Preflight))


def _filled(hook: HookCommand, vm: PlannedVm) -> tuple[str, ...]:
    """Return a hook's command with what it is run for in the place of the words in braces."""
    known = {"vm": vm.name, "id": vm.id.text, "application": vm.application, "wave": str(vm.wave)}
    return tuple(_replaced(word, known) for word in hook.command)


def _replaced(word: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        word = word.replace("{" + name + "}", value)
    return word
