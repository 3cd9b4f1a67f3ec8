"""The journal of a lost machine is rebuilt from what its run left on Azure."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


IN_THE_SECOND = 235
"""A moment at which the first VM was let go of, and the second one is in its outage."""


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Callable[[int], Served]]:
    """Return what makes a served twin whose run was lost at a moment, its state folder with it."""
    with ExitStack() as opened:

        def lose(moment: int) -> Served:
            plan = estates.part_of(estates.planned_by(Policy()), LOST, OTHER)
            served = opened.enter_context(Served(tmp_path / "lost", plan))
            wave = plan.wave(WAVE)
            assert wave is not None
            served.begin(wave, Stage.PREPARATION)
            assert served.run(WAVE, Stage.PREPARATION) is not None
            served.begin(wave, Stage.OUTAGE)
            assert served.run(WAVE, Stage.OUTAGE, moment) is None
            shutil.rmtree(served.state)
            return served

        yield lose


def test_a_vm_that_was_done_is_recovered_as_done(lost: Callable[[int], Served]) -> None:
    """One that was let go of is known by its model and its snapshots: it is neither declined nor repeated."""
    served = lost(IN_THE_SECOND)
    found = recover(request_for(served, served.state))
    assert ((OTHER,), (LOST,), 0, {}) == (found.taken_up, found.through, found.untouched, found.unreadable)
    view = status(served.state, found.run)
    assert Phase.DONE is next(unit.phase for unit in view.state.units if unit.name == LOST)
    ended = served.run(WAVE, Stage.OUTAGE)
    assert ended is not None
    assert {LOST: ["done", ""], OTHER: ["done", ""]} == ended["vms"]
    downs = Counter(each.path.split("/")[-2] for each in served.twin.log if each.path.endswith("/deallocate"))
    assert {LOST: 2, OTHER: 1} == downs, "the first one is taken down twice, for Secure Boot is staged"


def test_a_vm_that_is_off_is_gone_on_with_after_its_window(lost: Callable[[int], Served]) -> None:
    """Found days later, a VM that its run had taken down is brought to its end, whatever the time is."""
    served = lost(IN_THE_SECOND)
    served.clock.skip_to(served.clock.now() + timedelta(days=2))
    recover(request_for(served, served.state))
    ended = served.run(WAVE, Stage.OUTAGE)
    assert ended is not None
    assert {LOST: ["done", ""], OTHER: ["done", ""]} == ended["vms"]


def test_a_changed_vm_without_snapshots_of_the_run_is_not_done(lost: Callable[[int], Served]) -> None:
    """What somebody else brought about is nobody's success: without its snapshots it stays as it is."""
    served = lost(IN_THE_SECOND)
    for resource in served.twin.resources():
        is_snapshot = str(resource.get("type")).lower() == "microsoft.compute/snapshots"
        if is_snapshot and resource["name"].startswith(LOST):
            query = {"api-version": "2025-01-02"}
            served.twin.handle(Request(method="DELETE", path=resource["id"], query=query))
    served.clock.skip_to(served.clock.now() + timedelta(minutes=10))
    found = recover(request_for(served, served.state))
    assert ((OTHER,), (), 1) == (found.taken_up, found.through, found.untouched)
