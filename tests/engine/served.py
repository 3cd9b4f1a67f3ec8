"""A served twin whose time can be hurried, and processes that carry waves out on it and are killed."""

import json
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from readiness.model.lifecycle import Stage
from readiness.model.plan import Plan, Wave
from readiness.store.artefacts import write_plan
from readiness.twin.clock import ScaledClock
from readiness.twin.core import Exchange, Twin
from readiness.twin.faults import Faults
from readiness.twin.seed import load as load_seed
from readiness.twin.server import TwinServer
from tests.engine import estates
from tests.engine.ground_truth import Outcome
from tests.engine.rig import AHEAD, STARTED

ONLINE, WINDOW = 2000.0, 150.0
"""Twin seconds in a second: online work waits for hours and binds no window; a window has to last."""


class PacedClock(ScaledClock):
    """A twin's clock whose pace can be changed while it goes."""

    def pace(self, rate: float) -> None:
        """Go on from now at another rate."""
        with self._lock:
            self._origin, self._started, self.rate = self._read(), time.monotonic(), rate


class Served:
    """One twin, served from this process, and one state folder for the processes that work on it."""

    def __init__(self, folder: Path, plan: Plan, faults: list[dict[str, object]] | None = None) -> None:
        self.folder = folder
        self.plan = plan
        self.clock = PacedClock(STARTED, rate=ONLINE)
        document = {"format": "readiness/faults/1", "faults": faults or []}
        self.twin = Twin(load_seed(estates.folder()), clock=self.clock, faults=Faults.parse(document))
        self.before = self.twin.resources()
        self.server = TwinServer(self.twin, certificate_folder=folder)
        self.state = folder / "state"
        write_plan(folder / "plan", plan)

    def __enter__(self) -> "Served":
        """Serve."""
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.server.stop()

    def begin(self, wave: Wave, stage: Stage) -> None:
        """Move time to when the stage of a wave begins, at a pace that suits it."""
        opens = min(vm.occurrence.opens for vm in wave.vms)
        soak = timedelta(minutes=self.plan.policy.execution.soak_minutes)
        moments = {
            Stage.PREPARATION: opens - AHEAD,
            Stage.OUTAGE: opens,
            Stage.CLOSURE: self.clock.now() + soak,
        }
        self.clock.pace(WINDOW if stage is Stage.OUTAGE else ONLINE)
        self.clock.skip_to(moments[stage])

    def process(self, wave: int, stage: str, moment: int = 0) -> "subprocess.Popen[str]":
        """Begin a process that carries a stage out, and kills itself at a moment; 0 is never."""
        places = [self.folder / "plan", self.state, self.server.url, self.server.certificate]
        module = [sys.executable, "-m", "tests.engine.killed_runner"]
        command = [*module, *map(str, places), str(wave), stage, str(moment)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, wave: int, stage: str, moment: int = 0) -> dict[str, Any] | None:
        """Run such a process to its end, and return what it says; None if it was killed."""
        with self.process(wave, stage, moment) as process:
            return self.answer(process)

    def answer(self, process: "subprocess.Popen[str]") -> dict[str, Any] | None:
        """Wait for a process, and return what it says; None if it was killed."""
        out, err = process.communicate(timeout=300)
        if process.returncode == -signal.SIGKILL:
            return None
        assert process.returncode == 0, err
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def outcome(self, wave: Wave, log: list[Exchange] | None = None) -> Outcome:
        """Return what the twin says of a wave."""
        told = self.twin.log if log is None else log
        return Outcome(self.plan, wave, self.before, self.twin.resources(), list(told))
