"""Carries waves out by processes that are killed again and again, in three ways, and judges their twin.

*boundary*: each process dies before or after one of its next writes to the journal. *random*: each is killed
after some time, wherever it is. *lost*: the state folder is deleted with some of the kills, and what is left
on the twin is all that the next process has.
"""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from readiness.model.execution import Execution
from readiness.model.lifecycle import Stage
from readiness.model.plan import Wave
from readiness.planner.policy import Policy
from tests.engine import estates
from tests.engine.served import WINDOW, Served

CAPS = Policy(execution=Execution(max_concurrency=2))
VMS = ("sf-app-01", "sf-app-02", "sf-web-01", "sf-web-02", "bo-app-01", "bo-app-02", "bo-nightly-01")
SILENT: dict[str, object] = {
    "kind": "agent-silent",
    "resource": "sf-web-01",
    "while_security_type": "TrustedLaunch",
}
PACE = 40.0
"""Twin seconds in a second while a window is open: it has to outlast a hundred kills."""
BEFORE = 600.0
"""The same during preparation, which has a day: slower, or the window is gone when the last one is killed."""
SHARE = {Stage.PREPARATION: 0.25, Stage.OUTAGE: 0.55, Stage.CLOSURE: 0.2}
_LOST_EVERY = 5
_TOO_MANY = 400
"""Processes after which a stage that has not ended never will."""


class Round(NamedTuple):
    """One wave, killed in one way."""

    name: str
    wave: int
    failing: bool
    """Whether a VM of it does not come up, and has to be brought back between the kills."""


ROUNDS = (
    Round("boundary", 2, failing=True),
    Round("random", 2, failing=False),
    Round("boundary", 1, failing=False),
    Round("random", 1, failing=False),
    Round("lost", 2, failing=False),
)
"""The last one makes up for processes that ended before their random moment came, so it is none of those."""


class Result(NamedTuple):
    """What became of one stage."""

    round: Round
    stage: Stage
    kills: int
    losses: int
    seconds: float
    broken: list[str]


def carried_out(each: Round, kills: int, seed: int) -> Iterator[Result]:
    """Carry a wave out through all its stages, killing as often as is wanted."""
    draw = random.Random(f"{seed} {each}")  # noqa: S311  the same kills every time
    with TemporaryDirectory(prefix="readiness-chaos-") as folder:
        plan = estates.part_of(estates.planned_by(CAPS), *VMS)
        served = Served(Path(folder), plan, [SILENT] if each.failing else [])
        wave = plan.wave(each.wave)
        assert wave is not None
        with served:
            for stage, share in SHARE.items():
                yield _stage(served, each, wave, stage, int(kills * share), draw)


def _stage(served: Served, each: Round, wave: Wave, stage: Stage, kills: int, draw: random.Random) -> Result:
    began, told = time.monotonic(), len(served.twin.log)
    served.begin(wave, stage)
    if stage is not Stage.CLOSURE:
        served.clock.pace(PACE if stage is Stage.OUTAGE else BEFORE)
    killed = losses = 0
    word, ended = str(stage), None
    for _ in range(_TOO_MANY):
        if killed < kills:
            ended = _one(served, each, word, draw)
        else:
            served.clock.pace(WINDOW)
            ended = served.run(each.wave, word)
        if ended is not None:
            break
        killed += 1
        word = str(stage)
        if each.name == "lost" and killed % _LOST_EVERY == 0:
            # The closure finds in the journal of the outage when each VM was done: that one is kept.
            shutil.rmtree(served.state / "runs" / _run_of(served, stage), ignore_errors=True)
            losses, word = losses + 1, f"recover-{stage}"
    broken = list(_broken(served, each, wave, stage, ended, told))
    return Result(each, stage, killed, losses, time.monotonic() - began, broken)


def _one(served: Served, each: Round, word: str, draw: random.Random) -> dict[str, Any] | None:
    """Run one process that is to die; return what it says if it ended before."""
    if each.name != "random":
        return served.run(each.wave, word, draw.randint(2, 12))
    with served.process(each.wave, word) as process:
        try:
            process.wait(draw.uniform(0.6, 3.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        return served.answer(process)


def _run_of(served: Served, stage: Stage) -> str:
    found = [folder.name for folder in (served.state / "runs").iterdir() if folder.is_dir()]
    endings = {Stage.PREPARATION: "-prepare", Stage.CLOSURE: "-close"}
    ending = endings.get(stage)
    fitting = [name for name in found if (name.endswith(ending) if ending else name[-1].isdigit())]
    return fitting[0] if fitting else "none"


def _broken(
    served: Served, each: Round, wave: Wave, stage: Stage, ended: dict[str, Any] | None, told: int
) -> Iterator[str]:
    if ended is None:
        yield f"it has not ended after {_TOO_MANY} processes"
        return
    if ended["held"] is not None:
        yield f"it is held: {ended['held']}"
    for name, (phase, reason) in ended["vms"].items():
        if phase not in _allowed(each, stage, name, reason):
            yield f"{name} is {phase}: {reason}"
    outcome = served.outcome(wave, served.twin.log[told:])
    yield from outcome.violations(snapshots=stage is not Stage.PREPARATION)


def _allowed(each: Round, stage: Stage, name: str, reason: str) -> tuple[str, ...]:
    if stage is Stage.OUTAGE and each.failing and name == SILENT["resource"]:
        return ("rolled-back",)
    if each.name == "lost" and "changed since it was planned" in reason:
        # It was through and let go of before the state was lost: nobody knows it, and nobody touches it.
        return ("declined",)
    return ("done", "done-unproven-boot")
