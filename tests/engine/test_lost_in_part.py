"""The machine is lost, and what is left of it is less than what had happened: nothing is done twice."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.recovering import look_for, rebuild_all
from readiness.app.stages import part_of
from readiness.engine.state import campaign_of
from readiness.model.execution import Execution
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import DIGEST_LENGTH
from readiness.model.run import SignalKind, UnitState
from readiness.store.journal import SqliteJournal, leave_signal, read_rounds, read_story
from readiness.store.second_place import Copy, Line, lines_of
from readiness.twin.messages import Request
from tests.engine.cases import SILENT, Case, truth_of, undisturbed
from tests.engine.gated import GatedRig, let_in
from tests.engine.lost import marked
from tests.engine.rig import Fuse, KilledError, Rig, Truth
from tests.engine.test_rights_lapse import FORBIDDEN

STAGE = Stage.OUTAGE
DONE = Case("bo-app-01", STAGE)
BACK = Case("sf-web-01", STAGE, Phase.ROLLED_BACK, SILENT)
OFF, VERIFYING = 42, 76
"""Moments of an undisturbed run: the VM is off and nothing was written; it was started, and is proven."""


def copied(rig: Rig) -> tuple[Line, ...]:
    """Return what a second place holds of a run that was written there to its last step."""
    return tuple(lines_of(read_rounds(rig.folder / STAGE), ()))


def taken_up(rig: Rig, lines: Sequence[Line] | None) -> UnitState:
    """Lose the machine, rebuild what it knew from lines of a copy and from the marks, and go on."""
    info, wave = read_story(rig.folder / STAGE).info, part_of(rig.wave, STAGE)
    shutil.rmtree(rig.folder / STAGE)
    copy = Copy(info=info, lines=tuple(lines)) if lines is not None else None
    with rig.cloud() as cloud:
        found = look_for(cloud._connection, info.plan[:DIGEST_LENGTH], wave, info.id, STAGE)
    with closing(SqliteJournal.open(rig.folder / STAGE, info)) as journal:
        campaigns = [campaign_of(vm, ALL_PLAYBOOKS, info, rig.execution or Execution()) for vm in wave.vms]
        rebuild_all(journal, campaigns, found, copy, rig.clock.now())
    rig.twin.log.clear()
    return rig.process(stage=STAGE).units[0]


@pytest.mark.parametrize(("case", "every"), [(DONE, 6), (BACK, 7)], ids=["done", "back"])
def test_what_had_ended_is_not_done_again(tmp_path: Path, case: Case, every: int) -> None:
    """The copy ends anywhere, and the VM had come to its end: it ends the same, and is not written to."""
    quiet = undisturbed(case)
    cut, count = 1, 2
    while cut < count:
        rig = case.rig(tmp_path / str(cut))
        rig.process(stage=STAGE)
        lines = copied(rig)
        unit = taken_up(rig, lines[:cut])
        writes = [one.path for one in rig.twin.log if one.method != "GET"]
        told = f"{cut} lines, to {lines[cut - 1].step}: {unit.reason}"
        assert (case.end, []) == (unit.phase, writes), told
        assert quiet.after == truth_of(rig), told
        cut, count = cut + every, len(lines)


def test_a_vm_that_was_changed_is_not_said_to_have_stayed_up(tmp_path: Path) -> None:
    """Two days later the copy knows of no outage, and the snapshots do: the VM was through, and is done."""
    rig = DONE.rig(tmp_path)
    with pytest.raises(KilledError):
        rig.process(Fuse(VERIFYING), STAGE)
    rig.clock.skip_to(rig.clock.now() + timedelta(days=2))
    unit = taken_up(rig, copied(rig)[:10])
    assert (Phase.DONE, []) == (unit.phase, marked(rig)), unit.reason


def test_a_vm_whose_marks_cannot_be_read_is_left_to_a_person(tmp_path: Path) -> None:
    """Its run took it down: begun anew, it would be taken for one that was found off, and left so."""
    rig = DONE.rig(tmp_path)
    with pytest.raises(KilledError):
        rig.process(Fuse(OFF), STAGE)
    truth = Truth(rig.twin.resources(), DONE.vm)
    assert "deallocated" == truth.power
    tags = {name: value for name, value in truth.vm["tags"].items() if name != "readiness-before"}
    path, query = rig.wave.vms[0].id.text, {"api-version": "2024-07-01"}
    assert rig.twin.handle(Request(method="PATCH", path=path, query=query, body={"tags": tags})).status < 300
    rig.clock.sleep(300)
    unit = taken_up(rig, None)
    assert (Phase.DECLINED, True) == (unit.phase, "see whether it is on" in unit.reason)


def test_a_wish_to_have_it_back_is_marked_on_a_vm_that_was_not_let_go_of(tmp_path: Path) -> None:
    """The run could not take its marks away; recovered on its way back, the VM is not called done."""
    rig = GatedRig(tmp_path, DONE.vm)

    def gate(_request: object, _now: datetime) -> object:
        is_releasing = any(event.phase is Phase.RELEASING for event in rig.watcher.events)
        return FORBIDDEN if is_releasing else None

    rig.gate = gate  # type: ignore[assignment]
    assert Phase.DONE is rig.process().units[0].phase
    assert [DONE.vm] == marked(rig)
    rig.gate = let_in
    leave_signal(rig.folder / STAGE, SignalKind.ROLLBACK, at=datetime.now(UTC), sent_by="x")
    fuse = Fuse(14)
    with pytest.raises(KilledError):
        rig.process(fuse)
    assert any(name.startswith("undo.") for name in rig.records())
    unit = taken_up(rig, None)
    assert (Phase.ROLLED_BACK, []) == (unit.phase, marked(rig)), unit.reason
