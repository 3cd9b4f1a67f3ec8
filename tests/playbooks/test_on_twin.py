"""Trusted Launch carried out on a twin, with guests that boot or do not: what the twin holds in the end."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from playbooks.trusted_launch import PLAYBOOK
from readiness.model.context import Choice, Generation1, SecureBoot, TrustedLaunchChoice
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.observation import Observation, fingerprint
from readiness.model.outage import compose, compose_fallback, plan_steps
from readiness.model.plan import Batch, PlannedVm, Wave
from readiness.model.playbook import Target
from readiness.model.run import RunState
from readiness.twin.core import Request, Twin
from readiness.twin.faults import Faults
from tests.engine.rig import Rig, planned
from tests.twin.seeds import TRUSTED, VM, deallocated, disk, estate, vm
from tests.twin.test_guest import telling

MARKET = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}


def _resources(family: str, generation: str, *, is_off: bool = False, **said: Any) -> list[dict[str, Any]]:
    machine = (deallocated if is_off else vm)(osProfile={"computerName": "web-1", "adminUsername": "boss"})
    storage = machine["properties"]["storageProfile"]
    storage["osDisk"]["osType"] = family
    storage["dataDisks"] = []
    if family == "Linux":
        storage["imageReference"] = MARKET
    first = disk("web-1-os", hyperVGeneration=generation, osType=family, diskSizeGB=127)
    return estate(first, machine=telling(machine, **said))


class Bench:
    """A twin of one machine, and the campaign that Trusted Launch makes of it."""

    def __init__(
        self, folder: Path, resources: list[dict[str, Any]], *faults: dict[str, Any], **wish: Any
    ) -> None:
        self.rig = Rig(folder, _wave(planned("sf-web-01")))
        document = {"format": "readiness/faults/1", "faults": list(faults)}
        self.rig.twin = Twin(resources, clock=self.rig.clock, faults=Faults.parse(document))
        self.plan(TrustedLaunchChoice(**wish))

    def plan(self, wish: TrustedLaunchChoice) -> None:
        """Plan the machine as it is now."""
        with self.rig._open(Stage.OUTAGE) as (_, cloud):
            seen = cloud.observe(ResourceId(VM))
        self.rig.wave = _wave(_planned(seen, Choice(trusted_launch=wish)))

    def run(self, stage: Stage = Stage.OUTAGE) -> RunState:
        """Carry a stage out."""
        return self.rig.process(stage=stage)

    def resource(self, suffix: str) -> dict[str, Any]:
        """Return what the twin holds of a resource."""
        found: dict[str, Any] = next(
            each for each in self.rig.twin.resources() if each["id"].lower().endswith(suffix.lower())
        )
        return found

    @property
    def profile(self) -> dict[str, Any]:
        """Return the machine's security profile."""
        return dict(self.resource("/virtualMachines/web-1")["properties"].get("securityProfile") or {})

    @property
    def power(self) -> str:
        """Return the machine's power state."""
        view = self.resource("/virtualMachines/web-1")["properties"]["instanceView"]
        codes = [status["code"] for status in view["statuses"]]
        return next(code.removeprefix("PowerState/") for code in codes if code.startswith("PowerState/"))

    @property
    def os_disk(self) -> str:
        """Return the name of the machine's OS disk."""
        storage = self.resource("/virtualMachines/web-1")["properties"]["storageProfile"]
        return str(storage["osDisk"]["managedDisk"]["id"].rsplit("/", 1)[1])


def _wave(machine: PlannedVm) -> Wave:
    return Wave(number=1, name="test", batches=(Batch(number=1, vms=(machine,)),))


def _planned(seen: Observation, choice: Choice) -> PlannedVm:
    target = Target(vm=seen.vm, disks=seen.disks, choice=choice)
    outage = compose(
        seen.vm.id,
        seen.vm.managed_disks,
        PLAYBOOK.convert(target),
        last_running=PLAYBOOK.last_running(target),
        restart=PLAYBOOK.restart(target),
        fall_back=PLAYBOOK.fall_back(target),
    )
    return replace(
        planned("sf-web-01"),
        id=seen.vm.id,
        name=seen.vm.name,
        actions=(PLAYBOOK.spec.id,),
        choice=choice,
        fingerprint=fingerprint(seen.vm, seen.disks),
        preparation=plan_steps(PLAYBOOK.prepare(target), stage="prepare"),
        outage=outage,
        fallback=compose_fallback(seen.vm.id, PLAYBOOK.fall_back(target)),
        closure=plan_steps(PLAYBOOK.close(target), stage="close"),
        backup_item=None,
    )


WITHOUT = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": False, "vTpmEnabled": True}}


def test_staged_proves_a_boot_and_then_switches_secure_boot_on(tmp_path: Path) -> None:
    """Two restarts: the first without Secure Boot, the second with it."""
    bench = Bench(tmp_path, _resources("Linux", "V2"), secure_boot=SecureBoot.STAGED)
    state = bench.run()

    starts = [each for each in bench.rig.twin.log if each.path.endswith("/start")]
    assert (Phase.DONE, TRUSTED, 2) == (state.units[0].phase, bench.profile, len(starts))


def test_staged_leaves_secure_boot_off_where_no_boot_is_proven(tmp_path: Path) -> None:
    """A machine that was found off gets its vTPM, is never started, and waits for Secure Boot."""
    bench = Bench(tmp_path, _resources("Linux", "V2", is_off=True), secure_boot=SecureBoot.STAGED)
    state = bench.run()

    assert (Phase.DONE_UNPROVEN_BOOT, WITHOUT, "deallocated") == (
        state.units[0].phase,
        bench.profile,
        bench.power,
    )


def test_what_secure_boot_refuses_falls_back(tmp_path: Path) -> None:
    """An unsigned boot component: the VM keeps Trusted Launch, and comes up without Secure Boot."""
    resources = _resources("Linux", "V2", unsigned_boot_component=True)
    bench = Bench(tmp_path, resources, secure_boot=SecureBoot.ON)
    state = bench.run()

    assert (Phase.DONE, WITHOUT, "running") == (state.units[0].phase, bench.profile, bench.power)


def test_a_second_start_that_fails_falls_back_too(tmp_path: Path) -> None:
    """Staged: the first boot was proven, the one with Secure Boot fails, and Secure Boot goes off again."""
    resources = _resources("Linux", "V2", unsigned_boot_component=True)
    bench = Bench(tmp_path, resources, secure_boot=SecureBoot.STAGED)
    state = bench.run()

    assert (Phase.DONE, WITHOUT, "running") == (state.units[0].phase, bench.profile, bench.power)
    assert "Secure Boot is off" in state.units[0].note


def test_whoever_wants_no_less_gets_the_old_settings_back(tmp_path: Path) -> None:
    """Without a weaker setting to try, the way back leads to Standard."""
    resources = _resources("Linux", "V2", unsigned_boot_component=True)
    bench = Bench(tmp_path, resources, secure_boot=SecureBoot.ON, fall_back=False)
    state = bench.run()

    assert Phase.ROLLED_BACK is state.units[0].phase
    assert "running" == bench.power
    assert "Standard" == bench.profile.get("securityType", "Standard")


GEN1 = {"generation_1": Generation1.CONVERT}


@pytest.mark.parametrize("family", ["Windows", "Linux"])
def test_generation_1_becomes_generation_2(tmp_path: Path, family: str) -> None:
    """The disk is checked days before and in the window, converted if it has to be, and boots by UEFI."""
    bench = Bench(tmp_path, _resources(family, "V1"), **GEN1)
    assert Phase.DONE is bench.run(Stage.PREPARATION).units[0].phase
    state = bench.run()

    assert (Phase.DONE, TRUSTED, "running") == (state.units[0].phase, bench.profile, bench.power), state
    assert "V2" == bench.resource("/disks/web-1-os")["properties"]["hyperVGeneration"]


def test_a_disk_that_does_not_fit_is_found_days_before(tmp_path: Path) -> None:
    """Four partitions leave no room for the EFI system partition: nothing goes down for that."""
    bench = Bench(tmp_path, _resources("Windows", "V1", primary_partitions=4), **GEN1)
    (unit,) = bench.run(Stage.PREPARATION).units

    assert Phase.BLOCKED is unit.phase
    assert "exit code 7" in unit.reason


def test_a_converted_disk_is_swapped_for_its_snapshot(tmp_path: Path) -> None:
    """Where Azure refuses to deallocate after the conversion, the machine gets the disk from before."""
    fault = {"kind": "fail", "operation": "virtualMachines/deallocate", "code": "InternalError", "nth": 1}
    bench = Bench(tmp_path, _resources("Windows", "V1"), fault, **GEN1)
    state = bench.run()
    unit = state.units[0]
    assert (Phase.ROLLED_BACK, "running", {}) == (unit.phase, bench.power, bench.profile), unit
    assert bench.os_disk.startswith("web-1-os-restored-")


def test_a_disk_that_cannot_be_converted_in_the_window_stays(tmp_path: Path) -> None:
    """A volume that was encrypted since: the machine never went down, and is as it was."""
    bench = Bench(tmp_path, _resources("Windows", "V1", bitlocker=True), **GEN1)
    state = bench.run()

    stops = [each for each in bench.rig.twin.log if each.path.endswith("/deallocate")]
    assert (Phase.ROLLED_BACK, "running", []) == (state.units[0].phase, bench.power, stops), state
    assert "exit code 6" in state.units[0].reason


def test_a_machine_that_is_off_is_not_converted(tmp_path: Path) -> None:
    """It was planned while it ran; found off, it is declined before anything is written."""
    bench = Bench(tmp_path, _resources("Windows", "V1"), **GEN1)
    off = Request("POST", f"{VM}/deallocate", {"api-version": "2025-04-01"}, {}, None, "https://twin.invalid")
    bench.rig.twin.handle(off)
    bench.rig.clock.sleep(600)
    state = bench.run()

    assert (Phase.DECLINED, {}) == (state.units[0].phase, bench.profile)
    assert "has to run" in state.units[0].reason


def test_a_machine_that_does_not_come_up_is_handed_over(tmp_path: Path) -> None:
    """Once Azure made it one of generation 2, a person gets the snapshot and the steps."""
    silent = {"kind": "agent-silent", "resource": "web-1", "boots": 5}
    bench = Bench(tmp_path, _resources("Windows", "V1"), silent, **GEN1, fall_back=False)
    state = bench.run()

    found = [record.result for record in bench.rig.records().values() if "hand-over" in record.name]
    assert Phase.STRANDED is state.units[0].phase
    assert [("RebuildNeeded", True)] == [
        (result.code, "older of the two snapshots" in result.detail) for result in found if result
    ]
    assert "web-1-os" == bench.os_disk


def test_boots_are_attested_after_the_soak(tmp_path: Path) -> None:
    """The closure installs the extension; certificates of 2011 are told, and hinder nothing."""
    bench = Bench(tmp_path, _resources("Linux", "V2", certificates="2011"), secure_boot=SecureBoot.ON)
    bench.run()
    (unit,) = bench.run(Stage.CLOSURE).units

    extension = bench.resource("/extensions/GuestAttestation")["properties"]
    told = bench.rig.records(Stage.CLOSURE)["close.ask-guest:secure-boot-certificates-of-2023"].result
    assert (Phase.DONE, "Succeeded") == (unit.phase, extension["provisioningState"])
    assert told is not None
    assert not told.ok
    assert "UEFI CA 2023: not found" in unit.note
