"""The past of a VM that runs as another size is written as its run would have written it."""

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.past import EARLY, VmPast
from readiness.app.rebuilding import Stands
from readiness.azure.traces import Trace
from readiness.engine.advance import Campaign
from readiness.engine.state import by_vm
from readiness.model.lifecycle import Phase, Stage
from readiness.model.observation import before_of
from readiness.model.plan import Batch, PlannedVm, Wave
from readiness.model.steps import Start
from readiness.store.journal import SqliteJournal
from tests.engine.lost import recovered
from tests.engine.rig import STARTED, Fuse, KilledError, Rig, Truth, info_for, planned
from tests.engine.test_lifecycle import HOOKS

SIZES = ("Standard_D4s_v5", "Standard_D2as_v5")
STAGED = "sf-web-02"
"""Its Secure Boot is staged: its outage has two starts."""


def one(vm: PlannedVm) -> Wave:
    """Return a wave of one VM."""
    return Wave(number=1, name="test", batches=(Batch(number=1, vms=(vm,)),))


@pytest.mark.parametrize("size", SIZES)
def test_a_vm_that_was_through_as_another_size_is_not_taken_back(tmp_path: Path, size: str) -> None:
    """Its second start was one as the size that it had taken by then, and is no refusal."""
    vm = planned(STAGED)
    vm = replace(vm, choice=replace(vm.choice, alternative_sizes=SIZES))
    rig = Rig(tmp_path / "rig", one(vm))
    campaign = Campaign(vm, ALL_PLAYBOOKS, stage=Stage.OUTAGE)
    starts = [each for each in campaign.steps(Phase.CONVERTING, {}) if isinstance(each.step, Start)]
    assert 2 == len(starts)
    with rig.cloud() as cloud:
        seen = cloud.observe(vm.id)
    trace = Trace(
        lease=None,
        started=STARTED,
        before=before_of(seen),
        snapshots=(),
        is_whole=False,
        seen=replace(seen, vm=replace(seen.vm, size=size)),
    )
    with closing(SqliteJournal.open(tmp_path / "journal", info_for(rig.wave))) as journal:
        past = VmPast(journal, campaign, trace, STARTED + timedelta(days=1))
        past.write(*EARLY, Phase.READYING, Phase.CONVERTING)
        assert Phase.VERIFYING is campaign.position(by_vm(journal.records())[vm.id]).phase
        past.write_all()
        records = by_vm(journal.records())[vm.id]
    assert Phase.DONE is campaign.position(records).phase
    assert f"runs as {size}" in campaign.note(records)


def test_a_size_is_known_however_azure_spells_it(tmp_path: Path) -> None:
    """Lost before its start as the second approved size, it is started as that one, and as no other."""
    vm = planned(STAGED)
    vm = replace(vm, choice=replace(vm.choice, alternative_sizes=SIZES))
    rig = Rig(tmp_path / "rig", one(vm))
    with rig.cloud() as cloud:
        seen = cloud.observe(vm.id)
    shown = replace(seen, vm=replace(seen.vm, size=SIZES[1].upper()))
    trace = Trace(
        lease=None, started=STARTED, before=before_of(seen), snapshots=(), is_whole=False, seen=shown
    )
    campaign = Campaign(vm, ALL_PLAYBOOKS, stage=Stage.OUTAGE)
    with closing(SqliteJournal.open(tmp_path / "journal", info_for(rig.wave))) as journal:
        past = VmPast(journal, campaign, trace, STARTED)
        past.write(*EARLY, Phase.READYING)
        past.begin()
        names = by_vm(journal.records())[vm.id]
    assert f"outage.resize:{SIZES[1]}" in names


def test_one_that_proves_its_boot_is_not_taken_for_through(tmp_path: Path) -> None:
    """Changed and off, a VM that is to prove its boot has not proven it: wherever it was lost, it goes on."""
    off = planned("bo-app-02")
    wave = one(replace(off, choice=replace(off.choice, start_if_off=True)))
    quiet, fuse = Rig(tmp_path / "quiet", wave, after=Stage.PREPARATION), Fuse(None)
    quiet.process(fuse)
    ends: dict[int, tuple[Phase, str, str]] = {}
    for moment in range(fuse.count // 3, fuse.count, 9):
        rig = Rig(tmp_path / f"lost-{moment}", wave, after=Stage.PREPARATION)
        with pytest.raises(KilledError):
            rig.process(Fuse(moment))
        shutil.rmtree(rig.folder / Stage.OUTAGE)
        if recovered(rig, Stage.OUTAGE) is not Stands.UNDER_WAY:
            continue
        unit, truth = rig.process().units[0], Truth(rig.twin.resources(), off.name)
        ends[moment] = (unit.phase, truth.power, truth.security_type)
    assert {(Phase.DONE, "deallocated", "TrustedLaunch")} == set(ends.values()), ends


def test_what_the_team_runs_before_an_outage_is_not_run_on_a_vm_that_is_off(tmp_path: Path) -> None:
    """Where the plan has hooks, they are in its past, too: one that failed now would leave the VM off."""
    rig = Rig(tmp_path, one(planned(STAGED)), after=Stage.PREPARATION, execution=HOOKS)
    with pytest.raises(KilledError):
        rig.process(Fuse(60))
    assert "deallocated" == Truth(rig.twin.resources(), STAGED).power
    ran = hooks_of(rig)
    shutil.rmtree(rig.folder / Stage.OUTAGE)
    assert Stands.UNDER_WAY is recovered(rig, Stage.OUTAGE)
    assert ran == hooks_of(rig)
    assert "before.run-hook:drain" in ran
    assert Phase.DONE is rig.process().units[0].phase


def hooks_of(rig: Rig) -> set[str]:
    """Return the names of the hooks before the VM that the journal has."""
    return {name for name in rig.records() if name.startswith("before.run-hook")}
