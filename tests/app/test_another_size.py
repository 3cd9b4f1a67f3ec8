"""A VM that runs as an approved size keeps it: what is told afterwards says so, and how to go back."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from readiness.app.next_steps import Words, next_steps
from readiness.app.run_status import status
from readiness.app.wave_report import wave_report
from readiness.azure.perform import AzureCloud
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.plan import Plan, Wave, digest_of
from readiness.store.artefacts import write_plan
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of, run_id
from tests.app.carried_waves import PLAN
from tests.app.synthetic_runs import run_with, unit
from tests.engine.rig import Rig, info_for

VM, OTHER = "sf-app-01", "Standard_D2as_v5"
OWN = next(vm.size for vm in PLAN.vms if vm.name == VM)
NO_ROOM = {"kind": "capacity", "resource": VM, "size": OWN, "times": 100_000}
WORDS = Words(plan="plan.json", place=("--live",), state=())
LIVE = "live AzurePublic"


def approved() -> Plan:
    """Return the tests' plan with another size approved for one of its VMs."""

    def sized(wave: Wave) -> Wave:
        batches = []
        for batch in wave.batches:
            vms = [
                replace(vm, choice=replace(vm.choice, alternative_sizes=(OTHER,))) if vm.name == VM else vm
                for vm in batch.vms
            ]
            batches.append(replace(batch, vms=tuple(vms)))
        return replace(wave, batches=tuple(batches))

    plan = replace(PLAN, waves=tuple(map(sized, PLAN.waves)))
    return replace(plan, digest=digest_of(plan))


SIZED = approved()
WAVE = next(wave for wave in SIZED.waves if VM in [vm.name for vm in wave.vms])


class Sized(Rig):
    """A rig whose folder is a state folder, for waves of that plan."""

    @contextmanager
    def _open(self, stage: Stage) -> Iterator[tuple[SqliteJournal, AzureCloud]]:
        own = run_id(SIZED, self.wave.number, stage)
        info = replace(info_for(self.wave, stage), id=own, plan=SIZED.digest, started_at=self.clock.now())
        folder = folder_of(self.folder, own)
        write_plan(folder, SIZED)
        journal = SqliteJournal.open(folder, info)
        try:
            with self.cloud() as cloud:
                yield journal, cloud
        finally:
            journal.close()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder after the outage and the closure of a wave in which one VM took another size."""
    folder = tmp_path_factory.mktemp("sized")
    rig = Sized(folder, WAVE, [NO_ROOM], after=Stage.PREPARATION)
    outage = rig.process()
    done = {each.vm for each in outage.units if each.phase in SUCCEEDED}
    batches = [replace(one, vms=tuple(vm for vm in one.vms if vm.id in done)) for one in WAVE.batches]
    rig.wave = replace(WAVE, batches=tuple(one for one in batches if one.vms))
    rig.process(stage=Stage.CLOSURE)
    return folder


@pytest.mark.parametrize("stage", [Stage.OUTAGE, Stage.CLOSURE])
def test_status_says_it_after_the_outage_and_after_the_closure(closed: Path, stage: Stage) -> None:
    """The VM that took another size is told with both sizes, and no other VM is."""
    units = status(closed, run_id(SIZED, WAVE.number, stage)).state.units
    assert {VM: (OTHER, OWN)} == {one.name: (one.runs_as, one.own_size) for one in units if one.runs_as}
    (own,) = [one for one in units if one.name == VM]
    assert Phase.DONE is own.phase
    assert OTHER in own.note
    assert OWN in own.note


def test_the_report_of_the_wave_has_it_left_to_do(closed: Path) -> None:
    """It is on the list of what is left, once, whichever run is named; for a twin without a command."""
    for stage in (Stage.OUTAGE, Stage.CLOSURE):
        report = wave_report(run_id(SIZED, WAVE.number, stage), None, closed)
        (told,) = [one for one in report.left if one.vm == VM and OWN in one.what]
        assert ("next", "") == (told.urgency, told.command)
        assert OTHER in told.why
        (vm,) = [one for one in report.vms if one.name == VM]
        assert f"runs as {OTHER}" in vm.reason


def test_on_azure_the_exact_command_is_told() -> None:
    """It gives the old size back in an outage, and starts the VM as what it is now if that fails."""
    vm = unit(1, Phase.DONE, runs_as=OTHER, own_size=OWN)
    state = replace(run_with(Phase.DONE, place=LIVE), units=(vm, unit(2, Phase.DONE)))
    (advice,) = [one for one in next_steps(state, WORDS) if one.command.startswith("az ")]
    there, _, otherwise = advice.command.partition(" || ")
    named = ["--ids", vm.vm.text]
    expected = [
        ["az", "vm", "deallocate", *named],
        ["az", "vm", "resize", *named, "--size", OWN],
        ["az", "vm", "start", *named],
    ]
    assert expected == [shlex.split(one) for one in there.split(" && ")]
    back = otherwise.removeprefix("{ ").removesuffix("; }")
    again = [["az", "vm", "resize", *named, "--size", OTHER], ["az", "vm", "start", *named]]
    assert again == [shlex.split(one) for one in back.split(" && ")]
    assert vm.name in advice.why


def test_a_rehearsal_never_tells_to_touch_azure() -> None:
    """The ids of a rehearsal are those of real VMs: no command of Azure's own is told for them."""
    vm = unit(1, Phase.DONE, runs_as=OTHER, own_size=OWN)
    for place in ("rehearsal", "twin https://127.0.0.1:8443"):
        state = replace(run_with(Phase.DONE, place=place), units=(vm,))
        assert not [one for one in next_steps(state, WORDS) if one.command.startswith("az ")]
