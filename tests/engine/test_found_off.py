"""A VM found off: left off, or started to prove its boot and put off again, where its owner wants that."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Batch, Wave
from readiness.model.run import Event, SignalKind, UnitState
from readiness.model.virtual_machine import Power
from readiness.store.journal import leave_signal
from readiness.twin.messages import Request
from tests.engine.rig import Fuse, KilledError, Rig, Truth, planned
from tests.engine.test_lifecycle import Walk

VM = "bo-app-02"
QUERY = {"api-version": "2024-07-01"}
NEW = ("deallocated", "TrustedLaunch", {"EncryptionAtRestWithCustomerKey"})
OLD = ("deallocated", "Standard", {"EncryptionAtRestWithPlatformKey"})


def rig_of(folder: Path, *faults: dict[str, object]) -> Rig:
    """Return a twin with a VM that is off and is to prove its boot, and trouble from now on."""
    vm = planned(VM)
    vm = replace(vm, choice=replace(vm.choice, start_if_off=True))
    wave = Wave(number=1, name="test", batches=(Batch(number=1, vms=(vm,)),))
    return Rig(folder, wave, list(faults), after=Stage.PREPARATION)


def seen(rig: Rig) -> tuple[str, str, set[str]]:
    """Return power, security type and keys of the VM on the twin."""
    truth = Truth(rig.twin.resources(), VM)
    return truth.power, truth.security_type, truth.keys


def powers(rig: Rig) -> list[str]:
    """Return what was asked of its power, in order."""
    asked = [each.path.rsplit("/", 1)[-1] for each in rig.twin.log]
    return [word for word in asked if word in ("start", "deallocate")]


def test_it_is_started_proven_and_put_off_again(tmp_path: Path) -> None:
    """Its boot is proven, so that it is done; and its power is what it was."""
    rig = rig_of(tmp_path)
    unit = rig.process().units[0]
    assert (Phase.DONE, NEW, "") == (unit.phase, seen(rig), unit.note)
    assert ["start", "deallocate"] == powers(rig)
    assert "outage.prove-health" in rig.records()


def test_a_boot_that_is_not_proven_takes_it_back(tmp_path: Path) -> None:
    """Without an agent that reports in time it goes back, and is off as it was found."""
    rig = rig_of(tmp_path, {"kind": "agent-silent", "resource": VM})
    unit = rig.process().units[0]
    assert (Phase.ROLLED_BACK, OLD) == (unit.phase, seen(rig))
    assert "agent has not reported ready" in unit.reason


def test_without_room_it_goes_back(tmp_path: Path) -> None:
    """A start for a proof alone is no emergency: without room it is off as it was, and nobody is stranded."""
    rig = rig_of(tmp_path, {"kind": "capacity", "resource": VM, "times": 100_000})
    assert (Phase.ROLLED_BACK, OLD) == (rig.process().units[0].phase, seen(rig))


def test_one_that_cannot_be_put_off_again_is_done_and_says_so(tmp_path: Path) -> None:
    """What was proven is not taken back for its power; that it runs now has to be known."""
    refused = {"kind": "fail", "operation": "virtualMachines/deallocate", "resource": VM, "code": "Refused"}
    rig = rig_of(tmp_path, refused)
    unit = rig.process().units[0]
    assert (Phase.DONE, ("running", *NEW[1:])) == (unit.phase, seen(rig))
    assert "deallocate again" in unit.note


@pytest.mark.sweep
def test_killed_at_every_moment_it_ends_alike(tmp_path: Path) -> None:
    """Wherever the process dies, the VM ends changed, proven and off."""
    quiet, fuse = rig_of(tmp_path / "quiet"), Fuse(None)
    quiet.process(fuse)
    for moment in range(1, fuse.count + 1, 5):
        rig = rig_of(tmp_path / f"killed-{moment}")
        try:
            rig.process(Fuse(moment))
        except KilledError:
            unit = rig.process().units[0]
            assert (Phase.DONE, NEW) == (unit.phase, seen(rig)), f"killed at moment {moment}"
            assert ["start", "deallocate"] == powers(rig), f"killed at moment {moment}"


def test_one_that_its_owner_starts_meanwhile_is_left_running(tmp_path: Path) -> None:
    """Found off, and started by somebody before it goes down: it would be left off, and so is not touched."""
    rig = rig_of(tmp_path)
    told, left = rig.watcher.told, [rig.wave.vms[0].id.text]

    def watch(event: Event) -> None:
        told(event)
        if "take the lease: done" in event.text and left:
            rig.twin.handle(Request(method="POST", path=f"{left.pop()}/start", query=QUERY))
            rig.clock.sleep(600)

    rig.watcher.told = watch  # type: ignore[method-assign]
    unit = rig.process().units[0]
    assert not left
    assert (Phase.BLOCKED, ("running", *OLD[1:])) == (unit.phase, seen(rig))
    assert "somebody started it" in unit.reason


def test_what_was_found_off_is_looked_at_again_after_a_crash() -> None:
    """A last look that another process took says nothing of a VM that its owner may have started since."""
    looks = {}
    for power in (Power.DEALLOCATED, Power.RUNNING):
        walk = Walk(VM, Stage.OUTAGE, power)
        while walk.position.phase is not Phase.CONVERTING:
            walk.answer("ok")
        looks[power] = walk.campaign.outdated_look(walk.records, planned(VM).occurrence.opens)
    assert {Power.DEALLOCATED: "before.prove-time", Power.RUNNING: None} == looks


@pytest.mark.parametrize("is_started", [True, False])
def test_a_rollback_takes_nothing_down_that_serves(tmp_path: Path, *, is_started: bool) -> None:
    """Taken back it would be off: one that its owner has started since is left, until that is over."""
    rig = rig_of(tmp_path)
    assert Phase.DONE is rig.process().units[0].phase
    if is_started:
        rig.twin.handle(Request(method="POST", path=f"{rig.wave.vms[0].id}/start", query=QUERY))
        rig.clock.sleep(600)
    unit = rolled_back(rig)
    if is_started:
        assert (Phase.DONE, ("running", *NEW[1:])) == (unit.phase, seen(rig))
        assert "not taken back" in unit.reason
        rig.twin.handle(Request(method="POST", path=f"{rig.wave.vms[0].id}/deallocate", query=QUERY))
        rig.clock.sleep(600)
        unit = rolled_back(rig)
    assert (Phase.ROLLED_BACK, OLD) == (unit.phase, seen(rig))


def rolled_back(rig: Rig) -> UnitState:
    """Ask for the VM as it was, and return where it stands then."""
    folder, now = rig.folder / Stage.OUTAGE, rig.clock.now()
    leave_signal(folder, SignalKind.ROLLBACK, at=now, sent_by="owner", vm=VM)
    return rig.process().units[0]
