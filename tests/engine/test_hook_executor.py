"""The team's own commands may take long: they keep nobody from asking Azure about VMs that are off."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RehearsalClock
from readiness.app.hooks import ToldHooks
from readiness.app.rehearsing import Inline
from readiness.engine.run import WaveRun
from readiness.engine.work import Ports
from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.model.lifecycle import Phase, Stage
from tests.engine.rig import Rig, wave_of

HOOK = HookCommand(name="drain", command=("true",))
LIMITS = Execution(hooks=Hooks(before_vm=(HOOK,), after_vm=(HOOK,)))


class Noted(Inline):
    """An executor that remembers the names of the steps that it performs."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Remember, and perform."""
        self.steps.append(args[3].name)
        return super().submit(fn, *args, **kwargs)


def test_hooks_have_an_executor_of_their_own(tmp_path: Path) -> None:
    """Whoever waits for a command takes no place from a call to Azure."""
    rig = Rig(tmp_path, wave_of("sf-web-01"), after=Stage.PREPARATION)
    azure, hooks = Noted(), Noted()
    with rig._open(Stage.OUTAGE) as (journal, cloud):
        ports = Ports(
            cloud=cloud,
            journal=journal,
            clock=RehearsalClock(rig.clock),
            observer=rig.watcher,
            executor=azure,
            hooks=ToldHooks(),
            hook_executor=hooks,
        )
        run = WaveRun(journal.info(), rig.wave, ALL_PLAYBOOKS, ports, execution=LIMITS)
        assert [Phase.DONE] == [unit.phase for unit in run.execute().units]
    assert [] == [name for name in azure.steps if "drain" in name]
    assert ["before.run-hook:drain", "release.run-hook-after:drain"] == hooks.steps
