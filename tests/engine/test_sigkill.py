"""Processes killed with SIGKILL, again and again: nothing is lost on their twin, and nothing done twice."""

import random

import pytest

from readiness.model.execution import Execution
from readiness.model.lifecycle import Stage
from readiness.planner.policy import Policy
from tests.engine import estates
from tests.engine.served import Served

WAVE = 2
VMS = ("sf-app-01", "sf-app-02", "sf-web-01", "sf-web-02")
KILLS = 30
EACH = {Stage.PREPARATION: (10, 300), Stage.OUTAGE: (16, 520), Stage.CLOSURE: (8, 260)}
"""For each stage how often it is killed, and about how many moments before and after a write it has."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A twin that is served, and a plan for it that lets two VMs go at once."""
    plan = estates.planned_by(Policy(execution=Execution(max_concurrency=2)))
    return Served(tmp_path_factory.mktemp("killed"), estates.part_of(plan, *VMS))


def test_a_wave_survives_its_processes(served: Served) -> None:
    """Killed thirty times over its three stages, a wave of several batches ends with every promise kept."""
    wave = served.plan.wave(WAVE)
    assert wave is not None
    draw, kills = random.Random(1), 0  # noqa: S311  the same moments every time
    with served:
        for stage, (times, moments) in EACH.items():
            served.begin(wave, stage)
            told = len(served.twin.log)
            for _ in range(times):
                moment = draw.randint(moments // times // 2, moments // times)
                kills += served.run(WAVE, stage, moment) is None
            ended = served.run(WAVE, stage)
            assert ended is not None
            assert ({name: ["done", ""] for name in VMS}, None) == (ended["vms"], ended["held"]), stage
            outcome = served.outcome(wave, served.twin.log[told:])
            assert [] == outcome.violations(snapshots=stage is not Stage.PREPARATION), stage
    assert kills >= KILLS, f"only {kills} of the processes were killed before they had ended"
