"""The machine is lost with its state folder, at any moment: another one goes on from what stands on Azure."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from readiness.app.rebuilding import Stands
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import SignalKind
from readiness.store.journal import leave_signal
from readiness.twin.messages import Request
from tests.engine.cases import NO_BOOT, SILENT, Case, truth_of, undisturbed
from tests.engine.lost import lose, marked, recovered
from tests.engine.rig import Fuse, KilledError, Rig, Truth

CASES = (
    (Case("bo-app-01", Stage.OUTAGE), 11),
    (Case("bo-nightly-01", Stage.PREPARATION), 13),
    (Case("bo-nightly-01", Stage.CLOSURE), 15),
    (Case("bo-app-02", Stage.OUTAGE, Phase.DONE_UNPROVEN_BOOT), 17),
    (Case("sf-web-02", Stage.OUTAGE), 19),
    (Case("sf-web-01", Stage.OUTAGE, Phase.ROLLED_BACK, SILENT), 31),
    (Case("sf-web-01", Stage.OUTAGE, Phase.DONE, NO_BOOT), 17),
)
"""Stages, and every how many moments the machine is lost. Between them: Trusted Launch, its weaker setting,
its way back, keys of customers, identities, scripts in guests, and ends of logins."""
GENERATION_1 = Case("sf-legacy-01", Stage.OUTAGE)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("case", "every"), CASES, ids=[f"{case.vm}-{case.stage}-{case.end}" for case, _ in CASES]
)
def test_lost_at_any_moment_it_ends_the_same(tmp_path: Path, case: Case, every: int) -> None:
    """Wherever the machine was lost, the end is that of a quiet run: nothing off, leased or left behind."""
    quiet = undisturbed(case)
    for moment in range(every, quiet.moments + 1, every):
        rig = case.rig(tmp_path / f"lost-{moment}")
        lose(rig, moment, case.stage)
        recovered(rig, case.stage)
        unit = rig.process(stage=case.stage).units[0]
        assert (case.end, []) == (unit.phase, marked(rig)), f"lost at moment {moment}: {unit.reason}"
        assert quiet.after == truth_of(rig), f"lost at moment {moment}"


def test_the_last_thing_that_is_lost_is_the_end_itself(tmp_path: Path) -> None:
    """A VM that was let go of ended as it did: it is neither taken down again nor declined."""
    for number, (case, stands) in enumerate(
        (
            (Case("bo-app-01", Stage.OUTAGE), Stands.THROUGH),
            (Case("sf-web-01", Stage.OUTAGE, Phase.DONE, NO_BOOT), Stands.THROUGH),
            (Case("sf-web-01", Stage.OUTAGE, Phase.ROLLED_BACK, SILENT), Stands.ENDED),
        )
    ):
        quiet = undisturbed(case)
        rig = case.rig(tmp_path / str(number))
        lose(rig, quiet.moments, case.stage)
        rig.twin.log.clear()
        assert stands is recovered(rig, case.stage)
        unit = rig.process(stage=case.stage).units[0]
        assert (case.end, []) == (unit.phase, rig.twin.log), unit.reason
        assert ("Secure Boot is off" in unit.note) is (NO_BOOT == case.faults)


def test_neither_as_before_nor_as_planned_it_is_nobodys_success(tmp_path: Path) -> None:
    """A VM that was let go of, and is off although it ran, is stranded: a person looks why."""
    case = Case("bo-app-01", Stage.OUTAGE)
    rig = case.rig(tmp_path)
    rig.process(stage=case.stage)
    shutil.rmtree(rig.folder / case.stage)
    deallocated(rig)
    assert Stands.ENDED is recovered(rig, case.stage)
    unit = rig.process(stage=case.stage).units[0]
    assert (Phase.STRANDED, True) == (unit.phase, "power was running, is deallocated" in unit.reason)


def deallocated(rig: Rig) -> None:
    """Take the VM of a rig down as somebody else would."""
    path = f"{rig.wave.vms[0].id}/deallocate"
    assert (
        rig.twin.handle(Request(method="POST", path=path, query={"api-version": "2024-07-01"})).status < 300
    )
    rig.clock.sleep(600)


def test_a_generation_1_vm_is_never_left_off(tmp_path: Path) -> None:
    """Lost while its disk is converted: it is upgraded, or boots the old way from the disk of before."""
    quiet = undisturbed(GENERATION_1)
    ends = set()
    for moment in range(40, quiet.moments + 1, 9):
        rig = GENERATION_1.rig(tmp_path / f"lost-{moment}")
        lose(rig, moment, GENERATION_1.stage)
        recovered(rig, GENERATION_1.stage)
        unit = rig.process(stage=GENERATION_1.stage).units[0]
        truth = Truth(rig.twin.resources(), GENERATION_1.vm)
        ends.add(unit.phase)
        assert ("running", []) == (truth.power, marked(rig)), f"lost at moment {moment}: {unit.reason}"
        if unit.phase is Phase.DONE:
            assert quiet.after == truth_of(rig), f"lost at moment {moment}"
        else:
            assert (Phase.ROLLED_BACK, "Standard") == (unit.phase, truth.security_type), unit.reason
    assert {Phase.DONE, Phase.ROLLED_BACK} == ends


@pytest.mark.parametrize(("vm", "stage"), [("bo-app-01", Stage.OUTAGE), ("bo-nightly-01", Stage.CLOSURE)])
def test_what_a_person_took_back_stays_on_its_way_back(tmp_path: Path, vm: str, stage: Stage) -> None:
    """Lost on a way back that somebody asked for, it is not upgraded once more."""
    case = Case(vm, stage)
    quiet = case.rig(tmp_path / "quiet")
    fuse = Fuse(None)
    taken_back(quiet, stage, fuse)
    after = truth_of(quiet)
    marks = [name for name in quiet.records(stage) if name.startswith("recall.")]
    assert ["recall.take-lease"] == marks
    ends = set()
    for moment in range(9, fuse.count - 10, 12):
        rig = case.rig(tmp_path / f"lost-{moment}")
        with pytest.raises(KilledError):
            taken_back(rig, stage, Fuse(moment))
        shutil.rmtree(rig.folder / stage)
        assert Stands.UNDER_WAY is recovered(rig, stage)
        unit = rig.process(stage=stage).units[0]
        ends.add(unit.phase)
        assert (Phase.ROLLED_BACK, []) == (unit.phase, marked(rig)), f"lost at moment {moment}: {unit.reason}"
        assert after == truth_of(rig), f"lost at moment {moment}"
    assert {Phase.ROLLED_BACK} == ends


def taken_back(rig: Rig, stage: Stage, fuse: Fuse) -> None:
    """Carry a stage out, have it taken back, and burn the fuse while that goes on."""
    rig.process(stage=stage)
    leave_signal(rig.folder / stage, SignalKind.ROLLBACK, at=datetime.now(UTC), sent_by="x", note="")
    rig.process(fuse, stage)
