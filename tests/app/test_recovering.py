"""The journal of a lost machine is rebuilt from what its run left on Azure."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from readiness.app.carrying import RunRequest
from readiness.app.recovering import recover
from readiness.app.run_status import status
from readiness.errors import JournalError
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.planner.policy import Policy
from readiness.twin.messages import Request
from tests.engine import estates
from tests.engine.served import Served

WAVE = 2
LOST, OTHER = "sf-web-02", "sf-web-01"
IN_THE_OUTAGE = 45
"""A moment at which the first VM has its lease and is on its way, and the other was not begun."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served twin on which the machine of a run was lost in the middle of an outage."""
    plan = estates.part_of(estates.planned_by(Policy()), LOST, OTHER)
    served = Served(tmp_path_factory.mktemp("lost"), plan)
    wave = plan.wave(WAVE)
    assert wave is not None
    with served:
        served.begin(wave, Stage.PREPARATION)
        assert served.run(WAVE, Stage.PREPARATION) is not None
        served.begin(wave, Stage.OUTAGE)
        assert served.run(WAVE, Stage.OUTAGE, IN_THE_OUTAGE) is None
        shutil.rmtree(served.state)
        yield served


def request_for(served: Served, state: Path) -> RunRequest:
    """Return what an operator asks for on another machine."""
    return RunRequest(
        plan=served.folder / "plan",
        wave=WAVE,
        approve=served.plan.digest,
        state=state,
        twin=served.server.url,
        certificate=served.server.certificate,
    )


def id_of(served: Served, name: str) -> ResourceId:
    """Return a VM of the plan by its name."""
    return next(vm.id for wave in served.plan.waves for vm in wave.vms if vm.name == name)


def test_a_lost_run_is_taken_up_from_its_state_before(served: Served, tmp_path: Path) -> None:
    """What bears the run's lease is under way again, with the options that lead to its place."""
    found = recover(request_for(served, tmp_path))
    assert ((LOST,), (), 1, {}) == (found.taken_up, found.through, found.untouched, found.unreadable)
    view = status(tmp_path, found.run)
    assert {LOST: Phase.READYING, OTHER: Phase.WAITING} == {u.name: u.phase for u in view.state.units}
    assert ("--twin", served.server.url) == view.state.info.way[:2]


def test_what_is_here_is_not_recovered(served: Served, tmp_path: Path) -> None:
    """A journal that is there is gone on with, and not written anew."""
    recover(request_for(served, tmp_path))
    with pytest.raises(JournalError, match="is here"):
        recover(request_for(served, tmp_path))


def test_a_vm_that_is_gone_hinders_no_other(served: Served, tmp_path: Path) -> None:
    """A VM that somebody deleted meanwhile is told, and the others are recovered."""
    query = {"api-version": "2024-07-01", "forceDeletion": "true"}
    gone = served.twin.handle(Request(method="DELETE", path=id_of(served, OTHER).text, query=query))
    assert gone.status in (200, 202, 204)
    served.clock.skip_to(served.clock.now() + timedelta(minutes=10))
    found = recover(request_for(served, tmp_path))
    assert ((LOST,), 0, [OTHER]) == (found.taken_up, found.untouched, list(found.unreadable))
