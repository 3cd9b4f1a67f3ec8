"""Killed at any moment, a run is taken up by the next process and ends as if nothing had happened."""

from pathlib import Path

import pytest

from readiness.model.lifecycle import Phase
from tests.engine.rig import Fuse, KilledError, Rig, Truth, wave_of

CUSTOMER, PLATFORM = "EncryptionAtRestWithCustomerKey", "EncryptionAtRestWithPlatformKey"
VM, FAILING = "sf-app-01", "sf-web-01"
SILENT: list[dict[str, object]] = [
    {"kind": "agent-silent", "resource": FAILING, "while_security_type": "TrustedLaunch"}
]


def moments(folder: Path, vm: str, faults: list[dict[str, object]] | None = None) -> int:
    """Count the moments of an undisturbed run."""
    fuse = Fuse(None)
    Rig(folder, wave_of(vm), faults).process(fuse)
    return fuse.count


def die_and_go_on(folder: Path, vm: str, moment: int, faults: list[dict[str, object]] | None = None) -> Rig:
    """Kill a run at a moment, and return its twin and journal for another process to go on with."""
    rig = Rig(folder, wave_of(vm), faults)
    with pytest.raises(KilledError):
        rig.process(Fuse(moment))
    return rig


def writes(rig: Rig) -> list[str]:
    """Return the accepted writes on the VM, its disks and snapshots, repetitions left out."""
    kinds = []
    for exchange in rig.twin.log:
        kind = f"{exchange.method} {exchange.path.rsplit('/providers/', 1)[1].split('/')[1]}"
        if exchange.path.endswith(("/deallocate", "/start")):
            kind = exchange.path.rsplit("/", 1)[1]
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return kinds


def test_killed_at_every_moment_it_ends_upgraded(tmp_path: Path) -> None:
    """Wherever the process dies, the next one ends with the VM upgraded, in the safety order, and running."""
    order = [
        "deallocate",
        "PUT snapshots",
        "PATCH virtualMachines",
        "PATCH disks",
        "start",
    ]
    for moment in range(1, moments(tmp_path / "whole", VM) + 1):
        rig = die_and_go_on(tmp_path / f"killed-{moment}", VM, moment)
        state = rig.process()
        truth = Truth(rig.twin.resources(), VM)
        disks = sorted(disk["name"] for disk in truth.disks)
        seen = (
            state.units[0].phase,
            truth.power,
            truth.security_type,
            truth.encryption_at_host,
            truth.keys,
            truth.snapshots,
            writes(rig),
        )
        expected = (Phase.DONE, "running", "TrustedLaunch", True, {CUSTOMER}, disks, order)
        assert expected == seen, f"killed at moment {moment}"


def test_killed_at_every_moment_of_a_failing_upgrade_it_ends_as_before(tmp_path: Path) -> None:
    """Wherever the process dies while a VM fails, the next one brings it back as it was, and running."""
    for moment in range(1, moments(tmp_path / "whole", FAILING, SILENT) + 1):
        rig = die_and_go_on(tmp_path / f"killed-{moment}", FAILING, moment, SILENT)
        state = rig.process()
        truth = Truth(rig.twin.resources(), FAILING)
        seen = (
            state.units[0].phase,
            truth.power,
            truth.security_type,
            truth.encryption_at_host,
            truth.keys,
            len(truth.snapshots),
        )
        expected = (Phase.ROLLED_BACK, "running", "Standard", False, {PLATFORM}, len(truth.disks))
        assert expected == seen, f"killed at moment {moment}"


def test_killed_again_and_again_it_still_ends(tmp_path: Path) -> None:
    """A run whose every process dies a few moments on still ends upgraded, with one snapshot a disk."""
    rig = Rig(tmp_path, wave_of(VM))
    deaths = 0
    state = None
    while state is None and deaths < 200:
        try:
            state = rig.process(Fuse(5))
        except KilledError:
            deaths += 1
            rig.clock.sleep(30)
    assert state is not None
    truth = Truth(rig.twin.resources(), VM)
    assert deaths > 10
    assert (Phase.DONE, "running", 2) == (state.units[0].phase, truth.power, len(truth.snapshots))


def test_a_finished_run_does_nothing_more(tmp_path: Path) -> None:
    """Running a finished wave again changes nothing and says that it is done."""
    rig = Rig(tmp_path, wave_of(VM))
    rig.process()
    before = len(rig.twin.log)
    state = rig.process()
    assert (Phase.DONE, before) == (state.units[0].phase, len(rig.twin.log))
