"""After a run the hints are those for what the VMs really got, and whoever got nothing is named."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from readiness.app.iac_hints import iac_report, shown
from readiness.azure.perform import AzureCloud
from readiness.cli.main import readiness
from readiness.errors import JournalError
from readiness.model.iac import CodeForm, IacReport, VmCode, code_of
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Plan, digest_of
from readiness.store.artefacts import write_plan
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of, run_id, shared_run_id
from tests.engine import estates, shared_estate
from tests.engine.rig import Rig, info_for, planned, wave_of
from tests.engine.test_shared_group import Group

DAY = date(2026, 11, 22)
WEAK, BROKEN, GOOD = "sf-web-01", "sf-web-02", "sf-legacy-01"
FAULTS: list[dict[str, object]] = [
    {"kind": "boot-fails", "resource": WEAK},
    {
        "kind": "fail",
        "operation": "disks/write",
        "resource": f"*{BROKEN}*",
        "code": "InternalError",
        "times": 9,
    },
]


def recorded(rig: Rig, state: Path) -> Plan:
    """Put a rig's journals where runs are looked for, each with the plan of the rig's wave."""
    plan = replace(estates.plan(), waves=(rig.wave,), digest="")
    plan = replace(plan, digest=digest_of(plan))
    for stage in Stage:
        if (rig.folder / stage).exists():
            folder = folder_of(state, run_id(plan, rig.wave.number, stage))
            shutil.move(rig.folder / stage, folder)
            write_plan(folder, plan)
    return plan


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A wave after its outage: one VM without Secure Boot, one taken back, one as planned."""
    rig = Rig(tmp_path_factory.mktemp("rig"), wave_of(WEAK, BROKEN, GOOD), FAULTS, after=Stage.PREPARATION)
    phases = [unit.phase for unit in rig.process().units]
    assert [Phase.DONE, Phase.ROLLED_BACK, Phase.DONE] == phases
    return rig


@pytest.fixture(scope="module")
def state(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    """The state folder with the runs of that wave, and their plan."""
    folder = tmp_path_factory.mktemp("state")
    return folder, recorded(rig, folder)


@pytest.fixture
def report(state: tuple[Path, Plan]) -> IacReport:
    """What the report says after the wave's outage."""
    folder, plan = state
    return iac_report(run_id(plan, 1), DAY, state=folder)


def of(report: IacReport, name: str) -> VmCode:
    """Return what is said of a VM."""
    return next(vm for vm in report.vms if vm.name == name)


def azurerm(vm: VmCode) -> dict[str, object]:
    """Return what has to stand in azurerm's VM."""
    return {
        ".".join(entry.path): entry.value
        for entry in vm.settings
        if entry.form is CodeForm.AZURERM and entry.target == vm.id and entry.path
    }


def test_secure_boot_that_was_left_off_is_said(report: IacReport) -> None:
    """The weaker setting counts where the VM fell back to it, and the report says so in words."""
    vm = of(report, WEAK)
    said = azurerm(vm)
    assert (False, True) == (said["secure_boot_enabled"], said["vtpm_enabled"])
    assert "Secure Boot is off" in vm.note
    assert "Secure Boot is off" in shown(report, "text")
    assert azurerm(code_of(planned(WEAK)))["secure_boot_enabled"] is True


def test_what_was_taken_back_is_not_said(report: IacReport) -> None:
    """A VM that was taken back keeps what preparation gave, and is named with its reason."""
    assert {"identity.type": "SystemAssigned"} == azurerm(of(report, BROKEN))
    (left,) = [one for one in report.not_done if one.name == BROKEN]
    assert ("outage", "rolled-back") == (left.stage, left.phase)
    assert left.reason.endswith("; of it code has nothing to follow")
    for form in ("text", "md"):
        assert "rolled-back" in shown(report, form).replace("\\", "")


def test_what_is_still_to_come_is_not_said(report: IacReport) -> None:
    """Before the closure nothing of it counts; all else of a VM that is done is as planned."""
    vm, whole = of(report, GOOD), code_of(planned(GOOD))
    later = {entry.target for entry in whole.settings if entry.target.name == "GuestAttestation"}
    assert later
    assert vm.settings == tuple(entry for entry in whole.settings if entry.target not in later)
    assert GOOD not in {one.name for one in report.not_done}


def test_every_run_of_a_wave_tells_all_of_it(state: tuple[Path, Plan], report: IacReport) -> None:
    """Whichever stage's run is named, the journals of all stages count."""
    folder, plan = state
    prepared = iac_report(run_id(plan, 1, Stage.PREPARATION), DAY, state=folder)
    assert replace(report, run="") == replace(prepared, run="")


def test_a_closure_counts_once_it_was_done(tmp_path: Path) -> None:
    """After its closure a VM's code may say what that installed."""
    whole = Rig(tmp_path / "rig", wave_of(GOOD), after=Stage.CLOSURE)
    plan = recorded(whole, tmp_path / "state")
    found = iac_report(run_id(plan, 1, Stage.CLOSURE), DAY, state=tmp_path / "state")
    assert code_of(planned(GOOD)).settings == of(found, GOOD).settings
    assert () == found.not_done


def test_a_prepared_wave_has_no_outage_yet(tmp_path: Path) -> None:
    """After preparation alone, only what it gave is said, and the outage is named as missing."""
    rig = Rig(tmp_path / "rig", wave_of(WEAK), after=Stage.PREPARATION)
    plan = recorded(rig, tmp_path / "state")
    found = iac_report(run_id(plan, 1, Stage.PREPARATION), DAY, state=tmp_path / "state")
    assert {"identity.type": "SystemAssigned"} == azurerm(of(found, WEAK))
    assert [("outage", "", "it is not on record here")] == [
        (one.stage, one.phase, one.reason) for one in found.not_done
    ]


def test_a_swapped_disk_is_told(tmp_path: Path) -> None:
    """A VM that came back on a disk made from its snapshot has an OS disk that its code may not know."""
    refused = {"kind": "fail", "operation": "virtualMachines/deallocate", "code": "InternalError", "nth": 1}
    rig = Rig(tmp_path / "rig", wave_of(GOOD), [refused], after=Stage.PREPARATION)
    assert [Phase.ROLLED_BACK] == [unit.phase for unit in rig.process().units]
    plan = recorded(rig, tmp_path / "state")
    (left,) = iac_report(run_id(plan, 1), DAY, state=tmp_path / "state").not_done
    assert (
        "where code writes os_disk.name or os_managed_disk_id, the old value forces a new VM" in left.reason
    )


class Shared(Group):
    """A shared group that is tightened in a run of its own, as the command names it."""

    @contextmanager
    def _open(self, stage: Stage) -> Iterator[tuple[SqliteJournal, AzureCloud]]:
        plan, action = shared_estate.plan(), shared_estate.action().key
        info = replace(info_for(self.wave, stage), plan=plan.digest, action=action)
        folder = folder_of(self.folder, shared_run_id(plan, action))
        with self.cloud() as cloud, closing(SqliteJournal.open(folder, info)) as journal:
            write_plan(folder, plan)
            yield journal, cloud


def test_a_shared_group_is_told_by_its_run(tmp_path: Path) -> None:
    """The rules of a shared group are said for the plan, and after the group was tightened for its run."""
    group = Shared(tmp_path)
    run = shared_run_id(shared_estate.plan(), shared_estate.action().key)
    assert Phase.DONE is group.ends()[0]
    told = of(iac_report(run, DAY, state=tmp_path), shared_estate.GROUP)
    assert {"securityrules"} == {entry.target.type.rpartition("/")[2] for entry in told.settings}
    write_plan(tmp_path / "plan", shared_estate.plan())
    whole = iac_report(str(tmp_path / "plan"), DAY)
    assert told == of(whole, shared_estate.GROUP)
    assert f"{shared_estate.GROUP}  (shared, in no wave)" in shown(whole, "text")


def test_the_command_takes_a_run_and_folders(state: tuple[Path, Plan], tmp_path: Path) -> None:
    """The command finds a run in its state folder, edits nothing, and writes its diff elsewhere."""
    folder, plan = state
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    vms = [
        {"type": "Microsoft.Compute/virtualMachines", "name": name, "properties": {}}
        for name in (WEAK, BROKEN)
    ]
    code = json.dumps({"$schema": schema, "resources": vms}, indent=2)
    (tmp_path / "arm").mkdir()
    (tmp_path / "arm" / "main.json").write_text(code)
    words = ["report", "iac", run_id(plan, 1), "--state", str(folder), "--arm", str(tmp_path / "arm")]
    done = CliRunner().invoke(readiness, [*words, "--to", str(tmp_path / "out"), "--output", "json"])
    assert 0 == done.exit_code, done.output
    told = json.loads(done.output)
    assert ("readiness/iac/1", run_id(plan, 1)) == (told["format"], told["run"])
    added = [
        line for line in (tmp_path / "out" / "arm.diff").read_text().splitlines() if line.startswith("+ ")
    ]
    assert 1 == sum('"secureBootEnabled": false' in line for line in added)
    assert 2 == sum('"type": "SystemAssigned"' in line for line in added)
    assert code == (tmp_path / "arm" / "main.json").read_text()


def test_no_such_run(state: tuple[Path, Plan]) -> None:
    """What looks like a run's name and is none is told with the runs there are."""
    with pytest.raises(JournalError, match="There is no run 0123456789ab-wave-7"):
        iac_report("0123456789ab-wave-7", DAY, state=state[0])
