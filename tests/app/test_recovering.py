"""The journal of a lost machine is rebuilt from what its run left on Azure."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.app.carrying import RunRequest, prepare_run
from readiness.app.recovering import recover
from readiness.app.run_status import status
from readiness.errors import JournalError, PlanError, UsageError, WrongTargetError
from readiness.model.codec import encode
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import StepRecord, StepState
from readiness.planner.policy import Policy
from readiness.store.journal import read_story
from readiness.store.runs import folder_of
from readiness.twin.messages import Request
from tests.engine import estates
from tests.engine.rig import Watcher
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


def request_for(served: Served, state: Path, **more: Any) -> RunRequest:
    """Return what an operator asks for on another machine."""
    return RunRequest(
        **more,
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


def test_half_of_a_journal_is_none(served: Served, tmp_path: Path) -> None:
    """A recovery that ends in the middle leaves no journal that would hide what is off; it is done again."""
    second = tmp_path / "share"
    found = recover(request_for(served, tmp_path / "state"))
    file = folder_of(second, found.run) / "journal.jsonl"
    file.parent.mkdir(parents=True)
    head = {"format": "readiness/journal-copy/1", "run": status(tmp_path / "state", found.run).state.info}
    file.write_bytes(encode(head) + b"\n" + encode({"does": "unheard of"}) + b"\n")
    with pytest.raises(JournalError, match="nobody knows"):
        recover(request_for(served, tmp_path / "other", second_state=second))
    assert not (folder_of(tmp_path / "other", found.run) / "journal.sqlite").exists()
    assert (LOST,) == recover(request_for(served, tmp_path / "other")).taken_up


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
def lost(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return what makes a served twin whose run was lost at a moment, its state folder with it."""
    with ExitStack() as opened:

        def lose(moment: int, kept: Path | None = None) -> Served:
            plan = estates.part_of(estates.planned_by(Policy()), LOST, OTHER)
            served = opened.enter_context(Served(tmp_path / "lost", plan))
            wave = plan.wave(WAVE)
            assert wave is not None
            served.begin(wave, Stage.PREPARATION)
            assert served.run(WAVE, Stage.PREPARATION) is not None
            served.begin(wave, Stage.OUTAGE)
            assert served.run(WAVE, Stage.OUTAGE, moment) is None
            if kept is not None:
                shutil.copytree(served.state, kept)
            shutil.rmtree(served.state)
            return served

        yield lose


def test_marks_that_cannot_be_read_are_not_taken_for_none(lost: Callable[..., Served]) -> None:
    """A run of which nothing else is left is not begun anew: its VM may be off, and a person looks."""
    served = lost(IN_THE_OUTAGE)
    (body,) = [one for one in served.twin.resources() if one["id"].lower() == id_of(served, LOST).key]
    tags = {name: value for name, value in body["tags"].items() if name != "readiness-before"}
    query = {"api-version": "2024-07-01"}
    served.clock.skip_to(served.clock.now() + timedelta(hours=1))
    request = Request(method="PATCH", path=id_of(served, LOST).text, query=query, body={"tags": tags})
    assert served.twin.handle(request).status < 300
    found = recover(request_for(served, served.state))
    assert ({LOST: "its tag readiness-before is missing"}, 1) == (found.unreadable, found.untouched)
    view = status(served.state, found.run)
    assert {LOST: Phase.DECLINED, OTHER: Phase.WAITING} == {u.name: u.phase for u in view.state.units}


def test_a_vm_that_was_done_is_recovered_as_done(lost: Callable[..., Served]) -> None:
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


def test_a_vm_that_is_off_is_gone_on_with_after_its_window(lost: Callable[..., Served]) -> None:
    """Found days later, a VM that its run had taken down is brought to its end, whatever the time is."""
    served = lost(IN_THE_SECOND)
    served.clock.skip_to(served.clock.now() + timedelta(days=2))
    recover(request_for(served, served.state))
    ended = served.run(WAVE, Stage.OUTAGE)
    assert ended is not None
    assert {LOST: ["done", ""], OTHER: ["done", ""]} == ended["vms"]


def test_a_changed_vm_without_snapshots_of_the_run_is_not_done(lost: Callable[..., Served]) -> None:
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


def test_a_second_place_gives_the_lost_journal_back(
    lost: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it every record, event and the head are those that were lost, and the run ends as without it."""
    second, kept = tmp_path / "share", tmp_path / "kept"
    monkeypatch.setenv("READINESS_SECOND_STATE", str(second))
    served = lost(IN_THE_SECOND, kept)
    monkeypatch.delenv("READINESS_SECOND_STATE")
    request = request_for(served, served.state, second_state=second)
    found = recover(request)
    assert ((OTHER,), (LOST,), ()) == (found.taken_up, found.through, found.ended)
    was, now = (read_story(folder_of(state, found.run)) for state in (kept, served.state))
    assert [_as_copied(record) for record in was.records] == list(now.records)
    assert (was.info, was.events, was.head, None) == (now.info, now.events, now.head, now.broken_at)
    assert found.copied_until is not None
    ended = served.run(WAVE, Stage.OUTAGE)
    assert ended is not None
    assert {LOST: ["done", ""], OTHER: ["done", ""]} == ended["vms"]
    # Nobody names it again, and it is gone on with.
    again = recover(replace(request, state=tmp_path / "third"))
    assert ((), (LOST, OTHER)) == (again.taken_up, again.through)


def _as_copied(record: StepRecord) -> StepRecord:
    """Return a record without the address of an operation, which stays at home."""
    state = StepState.INTENT if record.state is StepState.BEGUN else record.state
    return replace(record, state=state, token=None)


def test_what_the_second_place_missed_is_taken_from_the_marks(
    lost: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy from before the VM was worked on does not make it one that was found off."""
    second = tmp_path / "share"
    monkeypatch.setenv("READINESS_SECOND_STATE", str(second))
    served = lost(IN_THE_SECOND)
    monkeypatch.delenv("READINESS_SECOND_STATE")
    (file,) = (path for path in second.glob("runs/*/journal.jsonl") if "prepare" not in str(path))
    lines = file.read_bytes().splitlines(keepends=True)
    leased = next(n for n, line in enumerate(lines) if OTHER.encode() in line and b"take-lease" in line)
    for kept in (leased, leased + 2):
        file.write_bytes(b"".join(lines[:kept]))
        state = tmp_path / f"state-{kept}"
        found = recover(request_for(served, state, second_state=second))
        assert ((OTHER,), (LOST,), 0) == (found.taken_up, found.through, found.untouched)
        records = read_story(folder_of(state, found.run)).records
        assert "outage.deallocate" in {record.name for record in records if record.vm.name == OTHER}
    shutil.rmtree(served.state, ignore_errors=True)
    (tmp_path / f"state-{leased}").rename(served.state)
    ended = served.run(WAVE, Stage.OUTAGE)
    assert ended is not None
    assert {LOST: ["done", ""], OTHER: ["done", ""]} == ended["vms"]


def test_a_second_place_of_another_run_is_refused(served: Served, tmp_path: Path) -> None:
    """What was written at another place is not taken for this one; without a copy the marks are enough."""
    second = tmp_path / "share"
    found = recover(request_for(served, tmp_path / "state", second_state=second))
    assert (None, str(second)) == (found.copied_until, found.nothing_in)
    with pytest.raises(UsageError, match="the state folder itself"):
        recover(request_for(served, tmp_path / "same", second_state=tmp_path / "same"))
    file = folder_of(second, found.run) / "journal.jsonl"
    file.parent.mkdir(parents=True)
    info = read_story(folder_of(tmp_path / "state", found.run)).info
    head = {"format": "readiness/journal-copy/1", "run": replace(info, place="twin elsewhere")}
    file.write_bytes(encode(head) + b"\n")
    with pytest.raises(WrongTargetError, match="twin elsewhere"):
        recover(request_for(served, tmp_path / "other", second_state=second))


def test_a_run_without_its_plan_says_where_to_put_it(served: Served, tmp_path: Path) -> None:
    """The remedy is the plan that was approved, in its place, and no new one."""
    found = recover(request_for(served, tmp_path))
    folder = folder_of(tmp_path, found.run)
    (folder / "plan.json").unlink()
    assert status(tmp_path, found.run).plan == served.plan, "the copy under its digest is as good"
    (folder / f"plan-{served.plan.approval}.json").unlink()
    with pytest.raises(JournalError, match="not beside its journal") as caught:
        status(tmp_path, found.run)
    assert f"{folder / 'plan.json'}" in caught.value.remedy
    assert served.plan.approval in caught.value.details
    assert "create" not in caught.value.remedy


def test_a_run_that_was_lost_is_not_begun_anew(served: Served, tmp_path: Path) -> None:
    """Its own lease on a VM tells it: nothing is declined or written, and the way back is named."""
    writes = len(served.twin.log)
    with pytest.raises(JournalError, match="was begun before") as refused:
        prepare_run(request_for(served, tmp_path), Watcher())
    assert f"Its lease is on {LOST}:" in refused.value.details
    assert f"readiness recover {served.folder / 'plan'} --wave {WAVE} --stage outage " in refused.value.remedy
    assert ([], writes) == (list(tmp_path.iterdir()), len(served.twin.log))


def test_nothing_is_closed_before_its_outage_is_on_record(served: Served, tmp_path: Path) -> None:
    """A closure that has no VM is refused with the reason of each, and does not end as if all were closed."""
    with pytest.raises(PlanError, match="can be closed now") as refused:
        prepare_run(request_for(served, tmp_path, stage=Stage.CLOSURE), Watcher())
    assert f"{LOST}: its outage is not on record here" in refused.value.details
    assert [] == list(tmp_path.iterdir())
