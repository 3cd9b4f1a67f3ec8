"""The team's own commands around a whole wave, each a journaled step. One that fails before holds the wave.

They run while nothing is under way, so that the loop waits for them; each process that starts VMs runs those
before, and those after once all it began has ended.
"""

from readiness.engine.ledger import Ledger
from readiness.engine.work import Ports
from readiness.model.execution import Execution, HookCommand
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Stage
from readiness.model.plan import Wave
from readiness.model.run import EventKind, RunInfo, StepResult
from readiness.model.steps import Hook, RunHook, RunHookAfter


class WaveHooks:
    """The commands of one wave; only its outage has any."""

    def __init__(self, info: RunInfo, wave: Wave, execution: Execution, ledger: Ledger, ports: Ports) -> None:
        own = info.stage is Stage.OUTAGE
        self._before = execution.hooks.before_wave if own else ()
        self._after = execution.hooks.after_wave if own else ()
        self._id = ResourceId(f"/providers/readiness/waves/{wave.number}")
        self._words = {"wave": str(wave.number), "run": info.id, "name": wave.name}
        self._ledger = ledger
        self._ports = ports
        self._begun = False

    def before(self) -> str | None:
        """Run the commands once before this process starts anything; return why it may not, if one failed."""
        if self._begun:
            return None
        for hook in self._before:
            step = RunHook(vm=self._id, name=hook.name, command=self._filled(hook), timeout=hook.timeout)
            result = self._run(f"before-wave.{hook.name}", step)
            if not result.ok:
                return f"the hook {hook.name} before the wave failed: {result.detail}"
        self._begun = True
        return None

    def go_on(self) -> None:
        """Take note that VMs are under way for which an earlier process ran the commands."""
        self._begun = True

    def after(self) -> None:
        """Run the commands once nothing is under way any more, whether all is done or the rest is held."""
        if not self._begun:
            return
        self._begun = False
        for hook in self._after:
            step = RunHookAfter(vm=self._id, name=hook.name, command=self._filled(hook), timeout=hook.timeout)
            self._run(f"after-wave.{hook.name}", step)

    def _run(self, name: str, step: Hook) -> StepResult:
        result = self._ledger.hooked(self._id, name, lambda: self._ports.hooks.run(step))
        kind = EventKind.STEP if result.ok else EventKind.FAILURE
        self._ledger.tell(kind, None, f"hook {step.name}: {result.detail}")
        return result

    def _filled(self, hook: HookCommand) -> tuple[str, ...]:
        found = []
        for word in hook.command:
            for name, value in self._words.items():
                word = word.replace("{" + name + "}", value)  # noqa: PLW2901  one word after another
            found.append(word)
        return tuple(found)
