"""Killed at any moment, a run is taken up by the next process and ends as if nothing had happened."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.model.lifecycle import Phase, Stage
from tests.engine.cases import CASES, Case, truth_of, undisturbed
from tests.engine.rig import Fuse, KilledError, Rig, Truth

CUSTOMER = "EncryptionAtRestWithCustomerKey"
VM = "sf-app-01"


def taken_up(rig: Rig, case: Case, *moments: int) -> Phase:
    """Kill process after process, each at its moment, and let the last one go on to the end."""
    for moment in moments:
        try:
            rig.process(Fuse(moment), case.stage)
        except KilledError:
            continue
    return rig.process(stage=case.stage).units[0].phase


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.vm}-{case.stage}-{case.end}")
@settings(max_examples=5)
@given(data=st.data())
def test_crashes_alone_never_change_the_end(case: Case, data: st.DataObject) -> None:
    """Around any journal write and any call, any number of times: the end is that of a quiet run."""
    quiet = undisturbed(case)
    moments = data.draw(st.lists(st.integers(1, quiet.moments), min_size=1, max_size=4), label="killed at")
    with TemporaryDirectory() as folder:
        rig = case.rig(Path(folder))
        assert case.end is taken_up(rig, case, *moments)
        assert quiet.after == truth_of(rig)


@pytest.mark.sweep
def test_killed_at_every_moment_it_ends_upgraded(tmp_path: Path) -> None:
    """Wherever the process dies, the next one ends with the VM upgraded, in the safety order, and running."""
    case = Case(VM, Stage.OUTAGE)
    order = [
        "PATCH virtualMachines",
        "deallocate",
        "PUT snapshots",
        "PATCH virtualMachines",
        "PATCH disks",
        "start",
        "PATCH virtualMachines",
    ]
    for moment in range(1, undisturbed(case).moments + 1, 3):
        rig = case.rig(tmp_path / f"killed-{moment}")
        end = taken_up(rig, case, moment)
        truth = Truth(rig.twin.resources(), VM)
        disks = sorted(disk["name"] for disk in truth.disks)
        seen = (end, truth.power, truth.security_type, truth.keys, truth.snapshots, writes(rig))
        expected = (Phase.DONE, "running", "TrustedLaunch", {CUSTOMER}, disks, order)
        assert expected == seen, f"killed at moment {moment}"


@pytest.mark.sweep
@pytest.mark.parametrize("stage", Stage)
def test_taken_up_hours_later_it_still_ends(tmp_path: Path, stage: Stage) -> None:
    """While nobody asks, Azure goes on: what was begun is looked at before it is called too slow."""
    case = Case("bo-app-01", stage)
    for moment in range(2, undisturbed(case).moments + 1, 9):
        rig = case.rig(tmp_path / f"killed-{moment}")
        with pytest.raises(KilledError):
            rig.process(Fuse(moment), stage)
        rig.clock.sleep(3 * 3600)
        unit = rig.process(stage=stage).units[0]
        assert unit.phase in (Phase.DONE, Phase.WAITING), f"killed at moment {moment}: {unit.reason}"
        if unit.phase is Phase.WAITING:
            assert [] == rig.twin.log, "what had begun was not finished"


def test_killed_again_and_again_it_still_ends(tmp_path: Path) -> None:
    """A run whose every process dies a few moments on still ends as a quiet one, with one snapshot a disk."""
    case = Case(VM, Stage.OUTAGE)
    rig = case.rig(tmp_path)
    deaths = 0
    state = None
    while state is None and deaths < 200:
        try:
            state = rig.process(Fuse(5))
        except KilledError:
            deaths += 1
            rig.clock.sleep(30)
    assert state is not None
    assert deaths > 10
    assert (Phase.DONE, undisturbed(case).after) == (state.units[0].phase, truth_of(rig))


@pytest.mark.parametrize("stage", Stage)
def test_a_finished_run_does_nothing_more(tmp_path: Path, stage: Stage) -> None:
    """Carrying a finished stage out again changes nothing and says that it is done."""
    rig = Case("bo-app-01", stage).rig(tmp_path)
    rig.process(stage=stage)
    before = len(rig.twin.log)
    state = rig.process(stage=stage)
    assert (Phase.DONE, before) == (state.units[0].phase, len(rig.twin.log))


def writes(rig: Rig) -> list[str]:
    """Return the accepted writes on the VM, its disks and snapshots, repetitions left out."""
    kinds: list[str] = []
    for exchange in rig.twin.log:
        kind = f"{exchange.method} {exchange.path.rsplit('/providers/', 1)[1].split('/')[1]}"
        if exchange.path.endswith(("/deallocate", "/start")):
            kind = exchange.path.rsplit("/", 1)[1]
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return kinds
