"""Runs become history: at their end, or when a report finds one whose process was killed; on a real twin."""

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from readiness.app.history import record_run
from readiness.app.recording import record_of, take_in
from readiness.app.run_status import status
from readiness.model.history import RunRecord
from readiness.model.lifecycle import Stage
from readiness.store.history import History
from readiness.twin.core import Twin
from readiness.twin.seed import load as load_seed
from readiness.twin.server import TwinServer
from tests.cli.terminal import AS_OF, START, HurriedClock, Terminal, read_until, started
from tests.cli.test_shared_group import RATE, Desk
from tests.cli.test_wave import DONE, NEEDS_A_PERSON, SOME_ROLLED_BACK, Wave, begun
from tests.engine import shared_estate

BACK = "bo-app-01"


def recorded(terminal: Terminal, state: Path, *more: object) -> dict[str, Any]:
    """Return the runs that `report history` lists, by id."""
    listed = json.loads(terminal.type("report", "history", "--state", state, "--output", "json", *more).out)
    return {run["id"]: run for run in listed["runs"]}


def kept(state: Path) -> tuple[RunRecord, ...]:
    """Return the runs that the file of the history holds, and let nobody take in more of them."""
    with History.opened(state) as history:
        return history.runs()


def outcomes(run: dict[str, Any]) -> dict[str, str]:
    """Return how each VM of a listed run came out."""
    return {vm["name"]: vm["outcome"] for vm in run["vms"]}


def test_what_becomes_of_a_wave_is_recorded(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Every stage is a run of the history, as it ended last: after a person's word, or after a way back."""
    with begun(terminal, plan_folder, tmp_path) as wave:
        assert [(Stage.PREPARATION, 5)] == [(run.stage, run.count("done")) for run in kept(tmp_path)]
        wave.type(NEEDS_A_PERSON, *wave.words("run"), "--quiet")
        (first,) = [run for run in kept(tmp_path) if run.stage is Stage.OUTAGE]
        assert (4, 1, None) == (first.count("done"), first.count("failed"), first.ended_at)
        _looked_at(wave, first)
        wave.type(DONE, "approve", "--run", wave.run, "--state", tmp_path, "--note", "seen")
        wave.type(DONE, *wave.words("run"), "--quiet")
        (second,) = [run for run in kept(tmp_path) if run.stage is Stage.OUTAGE]
        assert (5, True) == (second.count("done"), second.ended_at is not None)
        _counts_as_upgraded(wave, is_upgraded=True)
        back = ("rollback", "--run", wave.run, "--vm", BACK, "--yes", *wave.place)
        wave.type(SOME_ROLLED_BACK, *back, "--quiet")
        _counts_as_upgraded(wave, is_upgraded=False)
        assert "rolled_back" == outcomes(recorded(terminal, tmp_path)[wave.run])[BACK]
        wave.type(DONE, *wave.words("close"), "--quiet")
    assert ["twin"] * 3 == [run.place.split(" ")[0] for run in kept(tmp_path)]
    assert all(run.is_rehearsal for run in kept(tmp_path))
    assert [Stage.PREPARATION, Stage.OUTAGE, Stage.CLOSURE] == [run.stage for run in kept(tmp_path)]


def _looked_at(wave: Wave, run: RunRecord) -> None:
    """What was recorded at the end of a process is what anybody reads from its journal."""
    view = status(wave.state, wave.run)
    assert run == record_of(view)
    assert (5, view.head) == (run.snapshots, run.audit_head)
    away = {vm.name: vm.downtime_seconds for vm in run.vms}
    assert away[BACK]
    assert away["bo-app-02"] is None, "it was off, and stayed off"
    brought = {vm.name: (vm.decides, vm.actions) for vm in run.vms}
    assert (True, ("trusted-launch", "disk-encryption")) == brought[BACK]
    assert (False, ()) == brought["bo-report-01"], "its preparation was all that it needed"


def _counts_as_upgraded(wave: Wave, *, is_upgraded: bool) -> None:
    """Had it been Azure, the VM would count as upgraded now, or not any more."""
    elsewhere = wave.state / f"as-if-live-{is_upgraded}"
    for run in kept(wave.state):
        record_run(elsewhere, replace(run, is_rehearsal=False))
    with History.opened(elsewhere) as history:
        names = {key.rpartition("/")[2] for key in history.upgraded()}
    assert is_upgraded is (BACK in names)
    assert "bo-nightly-01" in names
    with History.opened(wave.state) as history:
        assert {} == history.upgraded(), "a rehearsal upgrades nobody"


def test_a_killed_run_is_taken_in_by_the_next_report(
    terminal: Terminal, plan_folder: Path, tmp_path: Path
) -> None:
    """What no process could record any more is read from the journal, once, and again after it went on."""
    with begun(terminal, plan_folder, tmp_path, rate=20) as wave:
        with started(*wave.words("run"), "--output", "lines") as process:
            read_until(process, "bo-appliance-01", "deallocate ...")
            assert wave.run not in recorded(terminal, tmp_path), "its own process records it"
            process.kill()
            process.wait()
        assert wave.run not in {run.id for run in kept(tmp_path)}
        found = recorded(terminal, tmp_path)[wave.run]
        assert ("remaining", None) == (outcomes(found)[BACK], found["ended_at"])
        assert () == take_in(tmp_path)
        assert found == recorded(terminal, tmp_path)[wave.run]
        wave.twin.clock.hurry(800)
        wave.type(NEEDS_A_PERSON, *wave.words("run"), "--quiet")
        assert "done" == outcomes(recorded(terminal, tmp_path)[wave.run])[BACK]


def test_a_run_goes_by_its_vms(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Whatever name an assessment is recorded under: the runs on its VMs are of its history."""
    with begun(terminal, plan_folder, tmp_path) as wave:
        assert {f"{wave.run}-prepare"} == set(recorded(terminal, tmp_path, "--estate", "starter"))
    assess = ("assess", "starter", "--as-of", AS_OF, "--state", tmp_path, "--record-as")
    terminal.type(*assess, "production")
    assert {f"{wave.run}-prepare"} == set(recorded(terminal, tmp_path, "--estate", "production"))
    assert "knows no estate 'starter'" in terminal.refused(
        2, "report", "history", "--state", tmp_path, "--estate", "starter"
    )
    to = tmp_path / "progress"
    assert 0 == terminal.type("report", "progress", "--state", tmp_path, "--to", to, "--format", "json").code
    shown = json.loads((to / "progress.json").read_text(encoding="utf-8"))["runs"]
    assert [("preparation", True)] == [(run["stage"], run["is_rehearsal"]) for run in shown]


def test_a_shared_group_goes_by_the_vms_that_hang_on_it(terminal: Terminal, tmp_path: Path) -> None:
    """What was tightened is on record with those VMs, under whatever name, and upgrades none of them."""
    twin = Twin(load_seed(shared_estate.folder()), clock=HurriedClock(START, rate=RATE))
    with TwinServer(twin, certificate_folder=tmp_path / "state") as server:
        desk = Desk(terminal, tmp_path, twin, server.url)
        desk.closed(1)
        desk.closed(2)
        done = desk.result(DONE, *desk.words)["run"]
    (run,) = [run for run in kept(desk.state) if run.id == done]
    assert [(shared_estate.GROUP, "done", False)] == [(vm.name, vm.outcome, vm.decides) for vm in run.vms]
    assert set(shared_estate.CLOSED) <= {vm.name for vm in run.hanging}
    assess = ("assess", shared_estate.folder(), "--as-of", AS_OF, "--state", desk.state)
    terminal.type(*assess, "--record-as", "production")
    assert done in recorded(terminal, desk.state, "--estate", "production")


def test_a_history_in_trouble_never_disturbs_a_run(
    terminal: Terminal, plan_folder: Path, tmp_path: Path
) -> None:
    """The run ends with its own code; one warning says what to do, and the next report makes up for it."""
    spoilt = tmp_path / "history.sqlite"
    with begun(terminal, plan_folder, tmp_path) as wave:
        spoilt.write_bytes(b"no database at all, though long enough" * 200)
        before = spoilt.read_bytes()
        ended = wave.type(NEEDS_A_PERSON, *wave.words("run"), "--quiet", "--output", "json")
        assert 5 == len(json.loads(ended.out)["vms"])
        assert 1 == ended.err.count("Warning: ") == ended.err.count("Remedy: ")
        assert f"{wave.run} is not recorded in the history" in ended.err
        assert before == spoilt.read_bytes()
        spoilt.unlink()
        assert {wave.run, f"{wave.run}-prepare"} == set(recorded(terminal, tmp_path))


def test_a_damaged_journal_hides_no_other_run(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A report warns of the run that it cannot read, and tells of all others."""
    with begun(terminal, plan_folder, tmp_path) as wave:
        broken = tmp_path / "runs" / f"{wave.run}-close"
        broken.mkdir()
        (broken / "journal.sqlite").write_bytes(b"no database at all, though long enough" * 200)
        ended = terminal.type("report", "history", "--state", tmp_path)
    assert (0, 1) == (ended.code, ended.err.count("Warning: "))
    assert f"{wave.run}-close is not recorded" in ended.err
    assert f"{wave.run}-prepare" in ended.out


def test_a_rehearsal_in_process_is_no_run(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """What is rehearsed in virtual time leaves nothing in a history."""
    assert 8 == terminal.type("rehearse", plan_folder, "--wave", "1", "--quiet").code
    assert [] == list(tmp_path.rglob("history.sqlite"))
