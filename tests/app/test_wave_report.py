"""The report of a wave, from journals that real runs on a twin left in a state folder."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from readiness.app.run_status import status
from readiness.app.schemas import wave_report_schema
from readiness.app.stages import only
from readiness.app.wave_report import wave_report, write
from readiness.errors import JournalError, UsageError
from readiness.model.codec import decode, encode
from readiness.model.lifecycle import SUCCEEDED, Stage
from readiness.model.plan import Wave
from readiness.model.run import RunInfo, SignalKind, StepState
from readiness.model.wave_report import End, WaveReport
from readiness.store.approvals import Approval, add_approval
from readiness.store.artefacts import write_plan
from readiness.store.journal import leave_signal, read_head
from readiness.store.runs import folder_of
from tests.app.carried_waves import PLAN, Carried, run_of
from tests.engine.rig import Fuse, KilledError, Truth

FAILING = "sf-app-02"
SILENT = {"kind": "agent-silent", "resource": FAILING, "while_security_type": "TrustedLaunch"}
SCHEMA = Path(__file__).parents[2] / "docs/schemas/wave-report.schema.json"
AT = datetime(2026, 12, 1, tzinfo=UTC)


def wave_with(name: str) -> Wave:
    """Return the wave of a VM."""
    return next(wave for wave in PLAN.waves if name in [vm.name for vm in wave.vms])


def ends(report: WaveReport) -> dict[str, End]:
    """Return how each VM stands."""
    return {vm.name: vm.end for vm in report.vms}


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """A wave whose outage is over: one VM was taken back, the others wait for their closure."""
    rig = Carried(tmp_path_factory.mktemp("over"), wave_with(FAILING), [SILENT], after=Stage.PREPARATION)
    rig.process()
    return rig


@pytest.fixture(scope="module")
def report(over: Carried) -> WaveReport:
    """The report of that wave."""
    return wave_report(run_of(over.wave), None, over.folder)


def test_every_vm_is_told_once(over: Carried, report: WaveReport) -> None:
    """All VMs of the wave are there; the one that failed is rolled back, with its reason."""
    assert {vm.name for vm in over.wave.vms} == set(ends(report))
    assert len(over.wave.vms) == sum(report.counts.values())
    (back,) = [vm for vm in report.vms if vm.end is End.ROLLED_BACK]
    assert FAILING == back.name
    assert "its agent has not reported ready" in back.reason
    assert not report.is_unfinished


def test_outages_are_those_that_status_tells(over: Carried, report: WaveReport) -> None:
    """How long a VM was away is what `status` says, beside what its plan said."""
    told = {unit.name: unit.downtime_seconds for unit in status(over.folder, run_of(over.wave)).state.units}
    assert told == {vm.name: vm.outage_seconds for vm in report.vms}
    planned = {vm.name: vm.outage.downtime_seconds if vm.outage else None for vm in over.wave.vms}
    assert planned == {vm.name: vm.planned_seconds for vm in report.vms}
    assert "assumed" == report.durations


def test_snapshots_are_those_that_the_twin_has(over: Carried, report: WaveReport) -> None:
    """Every snapshot that is told is on the twin, and none there is left untold."""
    told = sorted(one.disk for one in report.snapshots)
    assert Truth(over.twin.resources(), FAILING).snapshots == told
    began = status(over.folder, run_of(over.wave)).state.info.started_at
    assert {(began + timedelta(days=30)).date()} == {one.expires for one in report.snapshots}


def test_the_head_of_each_audit_chain_is_told(over: Carried, report: WaveReport) -> None:
    """There is one head a run, that of its journal, and the chain was checked."""
    for stage in (Stage.PREPARATION, Stage.OUTAGE):
        told = report.stage(stage)
        assert told is not None
        assert read_head(folder_of(over.folder, run_of(over.wave, stage))) == told.audit_head
        assert told.broken_at is None
    assert report.stage(Stage.CLOSURE) is None


def test_every_step_of_the_way_back_is_evidence(report: WaveReport) -> None:
    """The VM that was taken back has its failed proof and the steps of its way back, in words."""
    (back,) = [vm for vm in report.vms if vm.end is End.ROLLED_BACK]
    passage = back.passage(Stage.OUTAGE)
    assert passage is not None
    failed = [step for step in passage.steps if step.state is StepState.FAILED]
    assert {"NotHealthyInTime"} == {step.code for step in failed}
    undone = [step.words for step in passage.steps if step.name.startswith("undo.")]
    assert {"deallocate", "start", "prove its health"} <= set(undone)


def test_what_is_left_has_commands(report: WaveReport) -> None:
    """What was taken back is to be tried again, what soaks to be closed, and snapshots deleted one day."""
    commands = [one.command.split()[1] for one in report.left if one.command]
    assert ["retry", "close", "snapshots"] == commands
    due = [vm for vm in report.vms if vm.end is End.CLOSURE_DUE]
    assert due
    assert all(vm.closure_from and vm.closure_from > vm.opens for vm in due)
    (close,) = [one for one in report.left if "Close" in one.what]
    assert min(vm.closure_from for vm in due if vm.closure_from) == close.not_before


def test_a_plan_with_the_wave_is_the_same_source(over: Carried, report: WaveReport, tmp_path: Path) -> None:
    """A run's id, and a plan with or without the number of its only wave that has runs, mean the same."""
    write_plan(tmp_path, PLAN)
    for number in (over.wave.number, None):
        found = wave_report(str(tmp_path), number, over.folder)
        assert (report.vms, report.stages) == (found.vms, found.stages)
    assert [FAILING, ""] == [one.vm for one in found.left[:2]]
    assert f"readiness retry --failed {run_of(over.wave)}" in found.left[1].command
    assert str(tmp_path) in next(one.command for one in found.left if " close " in one.command)


def test_the_same_journals_give_the_same_bytes(over: Carried, report: WaveReport, tmp_path: Path) -> None:
    """Written twice, every form of the report is the same file."""
    again = wave_report(run_of(over.wave), None, over.folder)
    for folder, made in ((tmp_path / "a", report), (tmp_path / "b", again)):
        write(made, folder)
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert {".csv", ".html", ".json", ".md", ".sha256", ".xlsx"} == {Path(name).suffix for name in names}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_its_json_is_valid(report: WaveReport) -> None:
    """What is written is valid by the schema in the documents, and is read back as it was."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(wave_report_schema()))
    assert made == schema, "write docs/schemas/wave-report.schema.json anew"
    Draft202012Validator.check_schema(schema)
    assert [] == list(Draft202012Validator(schema).iter_errors(json.loads(encode(report))))
    assert report == decode(encode(report), WaveReport)


def test_a_wave_that_is_closed_is_finished(tmp_path: Path) -> None:
    """After its closure every VM is done, and only snapshots are left."""
    rig = Carried(tmp_path, wave_with("bo-app-01"), after=Stage.PREPARATION)
    rig.process()
    leave_signal(
        folder_of(tmp_path, run_of(rig.wave)), SignalKind.APPROVE, at=AT, sent_by="Bo", note="on its console"
    )
    rig.process()
    rig.process(stage=Stage.CLOSURE)
    found = wave_report(run_of(rig.wave, Stage.CLOSURE), None, tmp_path)
    assert {End.DONE} == set(ends(found).values())
    assert [*Stage] == [one.stage for one in found.stages]
    assert ["later"] == [one.urgency for one in found.left if "readiness tighten" not in one.command]
    (word,) = [one for one in found.approvals if one.note]
    assert ("Bo", "Said that it is healthy", AT) == (word.who, word.what, word.at)


def test_a_closure_is_for_those_whose_outage_is_done(tmp_path: Path) -> None:
    """Nobody waits for the closure of a VM that was rolled back: without it, the wave is finished."""
    rig = Carried(tmp_path, wave_with(FAILING), [SILENT], after=Stage.PREPARATION)
    done = {unit.vm for unit in rig.process().units if unit.phase in SUCCEEDED}
    rig.wave = only(rig.wave, done)
    rig.process(stage=Stage.CLOSURE)
    run = run_of(rig.wave, Stage.CLOSURE)
    assert FAILING in {vm.name for vm in wave_with(FAILING).vms if vm.closure}
    assert FAILING not in {unit.name for unit in status(tmp_path, run).state.units}
    report = wave_report(run, None, tmp_path)
    assert (End.ROLLED_BACK, False) == (ends(report)[FAILING], report.is_unfinished)


def test_a_wave_that_was_only_prepared(tmp_path: Path) -> None:
    """Nothing was away yet: the wave is unfinished, and the next command carries it out."""
    rig = Carried(tmp_path, wave_with(FAILING), after=Stage.PREPARATION)
    found = wave_report(run_of(rig.wave, Stage.PREPARATION), None, tmp_path)
    assert {End.REMAINING} == set(ends(found).values())
    assert found.is_unfinished
    assert [None] * len(found.vms) == [vm.outage_seconds for vm in found.vms]
    first = found.left[0]
    assert first.command.startswith("readiness run ")
    assert min(vm.opens for vm in found.vms) == first.not_before


def test_a_run_that_died_is_unfinished(tmp_path: Path) -> None:
    """While a VM is down its outage is open and counts until the journal last spoke."""
    rig = Carried(tmp_path, wave_with(FAILING), after=Stage.PREPARATION)
    with pytest.raises(KilledError):
        rig.process(Fuse(90))
    found = wave_report(run_of(rig.wave), None, tmp_path)
    assert found.is_unfinished
    assert End.REMAINING in ends(found).values()
    down = [span for vm in found.vms for passage in vm.passages for span in passage.away if span.is_open]
    assert down
    outage = found.stage(Stage.OUTAGE)
    assert outage is not None
    assert {outage.told_at} == {span.end for span in down}
    assert "readiness run " in found.left[0].command


def test_a_second_try_tells_of_both(tmp_path: Path) -> None:
    """A VM that was tried again has the steps, the outage and the snapshots of both tries."""
    rig = Carried(tmp_path, wave_with(FAILING), [SILENT], after=Stage.PREPARATION)
    rig.process()
    failing = next(vm for vm in rig.wave.vms if vm.name == FAILING)
    once = next(vm for vm in wave_report(run_of(rig.wave), None, tmp_path).vms if vm.name == FAILING)
    with rig._open(Stage.OUTAGE) as (journal, _):
        journal.begin_again(failing.id)
    rig.process()
    found = wave_report(run_of(rig.wave), None, tmp_path)
    (twice,) = [vm for vm in found.vms if vm.name == FAILING]
    passage = twice.passage(Stage.OUTAGE)
    assert passage is not None
    assert 2 == len(passage.rounds)
    assert (twice.outage_seconds or 0) > (once.outage_seconds or 0)
    told = sorted(one.disk for one in found.snapshots)
    assert Truth(rig.twin.resources(), FAILING).snapshots == told
    assert {1, 2} == {one.round for one in found.snapshots if one.vm == FAILING}
    listed = status(tmp_path, run_of(rig.wave)).result().snapshots
    assert sorted(one.id for one in found.snapshots) == sorted(one.id for one in listed)


def test_a_story_that_was_changed_is_said_to_be(tmp_path: Path) -> None:
    """A report of an altered journal says from which event on its chain does not hold."""
    rig = Carried(tmp_path, wave_with(FAILING), after=Stage.PREPARATION)
    run = run_of(rig.wave, Stage.PREPARATION)
    with sqlite3.connect(folder_of(tmp_path, run) / "journal.sqlite") as connection:
        connection.execute("UPDATE event SET text = 'nothing happened' WHERE number = 3")
    connection.close()
    (stage,) = wave_report(run, None, tmp_path).stages
    assert 3 == stage.broken_at


def test_approvals_of_the_wave_are_told(over: Carried) -> None:
    """A second person's approval is told with object id, note and what there was to be seen."""
    given = Approval(
        digest=PLAN.digest, wave=over.wave.number, by="Cy", object_id="7", at=AT, note="go", evidence="abc"
    )
    other = Approval(digest=PLAN.digest, wave=over.wave.number + 50, by="Di", at=AT)
    for one in (given, other):
        add_approval(over.folder, one)
    try:
        found = wave_report(run_of(over.wave), None, over.folder)
    finally:
        (over.folder / "approvals.jsonl").unlink()
    told = [(one.who, one.at, one.object_id, one.note, one.evidence) for one in found.approvals]
    assert ("Cy", AT, "7", "go", "abc") in told
    assert "Di" not in [one.who for one in found.approvals]
    assert 2 == sum(1 for one in found.approvals if one.what.startswith("Began the "))


def test_sources_that_mean_nothing(over: Carried, tmp_path: Path) -> None:
    """Neither a run nor a plan; another wave than the run's; a plan none of whose waves has runs."""
    write_plan(tmp_path / "plan", PLAN)
    run, number = run_of(over.wave), over.wave.number
    for source, wave, state, said in (
        ("nothing-wave-1", None, over.folder, "neither a run nor a plan"),
        (run, number + 1, over.folder, f"is a run of wave {number}"),
        (str(tmp_path / "plan"), number, tmp_path, f"Wave {number} of the plan"),
        (str(tmp_path / "plan"), None, tmp_path, "has no runs in"),
    ):
        with pytest.raises(UsageError, match=said):
            wave_report(source, wave, state)


def test_several_waves_have_to_be_named(tmp_path: Path) -> None:
    """Where several waves of a plan have runs, all are listed, and none is chosen."""
    write_plan(tmp_path / "plan", PLAN)
    numbers = []
    for name in ("bo-app-01", FAILING):
        numbers.append(Carried(tmp_path, wave_with(name), after=Stage.PREPARATION).wave.number)
    with pytest.raises(UsageError, match="2 waves of the plan") as refused:
        wave_report(str(tmp_path / "plan"), None, tmp_path)
    assert f"They are: {', '.join(map(str, sorted(numbers)))}." == refused.value.details


def test_a_run_without_its_plan_says_which(tmp_path: Path) -> None:
    """A plan made anew would be another one: the one that was approved has to come back."""
    rig = Carried(tmp_path, wave_with(FAILING), after=Stage.PREPARATION)
    run = run_of(rig.wave, Stage.PREPARATION)
    for path in folder_of(tmp_path, run).glob("plan*.json"):
        path.unlink()
    with pytest.raises(JournalError, match=run) as caught:
        wave_report(run, None, tmp_path)
    assert PLAN.approval in caught.value.details
    assert "plan create" not in caught.value.remedy


def test_times_are_measured_only_where_every_stage_was_in_azure(tmp_path: Path) -> None:
    """A preparation in Azure makes no measure of an outage on a twin."""
    rig = Carried(tmp_path, wave_with(FAILING), after=Stage.PREPARATION)
    rig.process()
    for stage, told in ((Stage.PREPARATION, "assumed"), (Stage.OUTAGE, "measured")):
        with sqlite3.connect(folder_of(tmp_path, run_of(rig.wave, stage)) / "journal.sqlite") as connection:
            (body,) = connection.execute("SELECT value FROM meta WHERE key = 'run'").fetchone()
            info = replace(decode(body, RunInfo), place="live AzurePublic")
            connection.execute("UPDATE meta SET value = ? WHERE key = 'run'", (encode(info).decode(),))
        connection.close()
        assert told == wave_report(run_of(rig.wave), None, tmp_path).durations
