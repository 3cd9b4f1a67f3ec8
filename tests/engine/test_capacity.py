"""Where Azure has no room for a start, approved sizes are tried, and no VM stays off in silence."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.engine.advance import Campaign
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Batch, Wave
from readiness.model.run import SignalKind, StepState
from readiness.model.steps import PlannedStep, TakeLease
from readiness.store.journal import leave_signal
from tests.engine.rig import Fuse, KilledError, Rig, Truth, planned

VM, NEXT = "sf-app-01", "sf-app-02"
OWN = planned(VM).size
OTHERS = ("Standard_D2s_v5", "Standard_D2as_v5")
FOR_GOOD = 100_000


def wave(*names: str, sizes: tuple[str, ...] = OTHERS) -> Wave:
    """Return a wave of VMs, each in a batch of its own, with sizes approved and a short window."""
    vms = []
    for vm in (planned(name) for name in names or (VM,)):
        closes = vm.occurrence.opens + 2 * timedelta(seconds=vm.reserved_seconds) + timedelta(minutes=15)
        occurrence = replace(vm.occurrence, closes=closes)
        choice = replace(vm.choice, alternative_sizes=sizes)
        vms.append(replace(vm, choice=choice, occurrence=occurrence))
    batches = tuple(Batch(number=n, vms=(vm,)) for n, vm in enumerate(vms, start=1))
    return Wave(number=1, name="test", batches=batches)


def no_room(size: str, **fields: object) -> dict[str, object]:
    """Return a fault: there never is room for a size."""
    return {"kind": "capacity", "resource": VM, "size": size, "times": FOR_GOOD, **fields}


SILENT = {"kind": "agent-silent", "resource": VM, "while_security_type": "TrustedLaunch"}


def rig_of(folder: Path, *faults: dict[str, object], names: tuple[str, ...] = (VM,)) -> Rig:
    """Return a twin with a prepared wave, and trouble from now on."""
    return Rig(folder, wave(*names), list(faults), after=Stage.PREPARATION)


def seen(rig: Rig) -> tuple[str, str, str]:
    """Return power, size and security type of the VM on the twin."""
    truth = Truth(rig.twin.resources(), VM)
    return truth.power, truth.vm["properties"]["hardwareProfile"]["vmSize"], truth.security_type


@cache
def tries(sizes: tuple[str, ...] = OTHERS) -> int:
    """Return how often a start as its own size is asked for until the window closes."""
    with TemporaryDirectory() as folder:
        rig = Rig(Path(folder), wave(VM, sizes=sizes), [no_room(OWN)], after=Stage.PREPARATION)
        rig.process()
        closes = rig.wave.vms[0].occurrence.closes
        waits = [each for each in rig.watcher.events if "tried again" in each.text and each.at < closes]
        return len(waits) + 1


@pytest.mark.parametrize("at", ["begin", "end"])
def test_an_approved_size_is_taken_once_the_window_is_over(tmp_path: Path, at: str) -> None:
    """Its own size is tried until the window closes; then it runs as the first that has room, and says so."""
    rig = rig_of(tmp_path, no_room(OWN, at=at))
    unit = rig.process().units[0]
    assert (Phase.DONE, ("running", OTHERS[0], "TrustedLaunch")) == (unit.phase, seen(rig))
    assert f"runs as {OTHERS[0]}; was {OWN}" in unit.note
    closes = rig.wave.vms[0].occurrence.closes
    resize = rig.records()[f"outage.resize:{OTHERS[0]}"]
    assert resize.intended_at >= closes, "another size was tried although the window was still open"


def test_sizes_are_tried_in_their_order(tmp_path: Path) -> None:
    """Where the first approved size has no room either, the second one is taken."""
    rig = rig_of(tmp_path, no_room(OWN), no_room(OTHERS[0]))
    unit = rig.process().units[0]
    assert (Phase.DONE, ("running", OTHERS[1], "TrustedLaunch")) == (unit.phase, seen(rig))


def test_a_size_that_azure_does_not_give_is_passed_over(tmp_path: Path) -> None:
    """A refused resize leads to the next size, without a start in between."""
    refused = {"kind": "fail", "operation": "virtualMachines/write", "resource": VM, "nth": 3}
    rig = rig_of(tmp_path, no_room(OWN), {**refused, "code": "SkuNotAvailable"})
    unit = rig.process().units[0]
    assert (Phase.DONE, ("running", OTHERS[1], "TrustedLaunch")) == (unit.phase, seen(rig))
    records = rig.records()
    assert StepState.FAILED is records[f"outage.resize:{OTHERS[0]}"].state
    assert f"outage.start-as:{OTHERS[0]}" not in records


def test_room_in_time_needs_no_other_size(tmp_path: Path) -> None:
    """A VM whose own size has room again before its window closes keeps it."""
    rig = rig_of(tmp_path, no_room(OWN, times=5))
    unit = rig.process().units[0]
    assert (Phase.DONE, ("running", OWN, "TrustedLaunch"), "") == (unit.phase, seen(rig), unit.note)


def test_without_room_for_any_it_is_stranded_and_says_what_was_tried(tmp_path: Path) -> None:
    """Each size is tried on the way there and on the way back; then a person is needed at once."""
    rig = rig_of(tmp_path, no_room("*"), names=(VM, NEXT))
    state = rig.process()
    unit = state.units[0]
    assert [Phase.STRANDED, Phase.WAITING] == [each.phase for each in state.units]
    assert f"nor as {', '.join(OTHERS)}" in unit.reason
    assert "stranded" in str(state.held)
    names = list(rig.records())
    tried = [name for name in names if ".start" in name]
    expected = [f"{stage}.start{tail}" for stage in ("outage", "undo") for tail in _tails()]
    assert expected == tried
    assert f"undo.resize:{OWN}" in names
    assert "Standard" == seen(rig)[2], "its configuration did not go back"


def _tails() -> list[str]:
    return ["", *(f"-as:{size}" for size in OTHERS)]


def _span(rig: Rig, name: str) -> timedelta:
    """Return for how long a step was asked for before it ended."""
    record = rig.records()[name]
    assert record.ended_at is not None
    return record.ended_at - record.intended_at


@pytest.mark.parametrize("sizes", [(), OTHERS])
def test_the_way_back_has_a_time_of_its_own_to_find_room(tmp_path: Path, sizes: tuple[str, ...]) -> None:
    """Refused for the whole window, the old size is tried again on the way back, and not once alone."""
    refused = tries(sizes) + len(sizes) + 30
    rig = Rig(tmp_path, wave(VM, sizes=sizes), [no_room("*", times=refused)], after=Stage.PREPARATION)
    unit = rig.process().units[0]
    assert (Phase.ROLLED_BACK, ("running", OWN, "Standard")) == (unit.phase, seen(rig))
    assert not [name for name in rig.records() if name.startswith("undo.start-as")]


def test_on_the_way_back_the_order_is_the_same(tmp_path: Path) -> None:
    """The old size is tried for an hour from its first refusal, then each approved one once, in order."""
    rig = rig_of(tmp_path, no_room("*"))
    assert Phase.STRANDED is rig.process().units[0].phase
    assert _span(rig, "undo.start") >= timedelta(hours=1)
    records = rig.records()
    others = [records[f"undo.start-as:{size}"] for size in OTHERS]
    own = records["undo.start"].ended_at
    assert own is not None
    assert own <= others[0].intended_at <= others[1].intended_at
    assert all(one.ended_at == one.intended_at for one in others), "an approved size was tried more than once"


def test_the_lease_holds_until_the_last_try(tmp_path: Path) -> None:
    """However long room is looked for, on the way there and back, nobody else takes the VM meanwhile."""
    rig = rig_of(tmp_path, no_room("*"), *SLOW)
    rig.process()
    lease = next(each.step for each in _checks(rig) if isinstance(each.step, TakeLease))
    last = max(record.ended_at for record in rig.records().values() if record.ended_at)
    assert last <= lease.until


def _checks(rig: Rig) -> tuple[PlannedStep, ...]:
    vm = rig.wave.vms[0]
    return Campaign(vm, ALL_PLAYBOOKS).steps(Phase.CHECKING, rig.records())


def test_on_the_way_back_the_old_size_goes_first(tmp_path: Path) -> None:
    """A VM that did not come up as another size is brought back as its own, if there is room by then."""
    rig = rig_of(tmp_path, SILENT, no_room(OWN, times=tries()))
    unit = rig.process().units[0]
    assert f"outage.start-as:{OTHERS[0]}" in rig.records()
    assert (Phase.ROLLED_BACK, ("running", OWN, "Standard")) == (unit.phase, seen(rig))
    assert "runs as" not in unit.reason


def test_on_the_way_back_another_size_does_too(tmp_path: Path) -> None:
    """Where the old size has no room, the VM runs configured as before as an approved one, and says so."""
    rig = rig_of(tmp_path, SILENT, no_room(OWN))
    unit = rig.process().units[0]
    assert (Phase.ROLLED_BACK, ("running", OTHERS[0], "Standard")) == (unit.phase, seen(rig))
    assert f"runs as {OTHERS[0]}; was {OWN}" in unit.reason


def test_a_size_that_cannot_be_given_back_is_kept(tmp_path: Path) -> None:
    """A VM whose old size is refused on the way back runs as the approved one that it has."""
    refused = {
        "kind": "fail",
        "operation": "virtualMachines/write",
        "resource": VM,
        "nth": 5,
        "code": "Refused",
    }
    rig = rig_of(tmp_path, SILENT, no_room(OWN), refused)
    unit = rig.process().units[0]
    assert StepState.FAILED is rig.records()[f"undo.resize:{OWN}"].state
    assert (Phase.ROLLED_BACK, ("running", OTHERS[0], "Standard")) == (unit.phase, seen(rig))


def test_a_rollback_brings_the_old_size_back(tmp_path: Path) -> None:
    """A person who takes back a VM that runs as another size gets it as it was, size included."""
    rig = rig_of(tmp_path, no_room(OWN, times=tries()))
    assert "runs as" in rig.process().units[0].note
    folder, now = tmp_path / Stage.OUTAGE, rig.clock.now()
    leave_signal(folder, SignalKind.ROLLBACK, at=now, sent_by="owner", vm=VM)
    unit = rig.process().units[0]
    assert (Phase.ROLLED_BACK, ("running", OWN, "Standard")) == (unit.phase, seen(rig))


def test_without_approval_no_other_size_is_tried(tmp_path: Path) -> None:
    """Nobody picks a size: without any that was approved the VM is stranded as its own."""
    rig = Rig(tmp_path, wave(VM, sizes=()), [no_room(OWN)], after=Stage.PREPARATION)
    unit = rig.process().units[0]
    assert (Phase.STRANDED, ("deallocated", OWN, "Standard")) == (unit.phase, seen(rig))
    assert not [name for name in rig.records() if "resize" in name]


SLOW = [
    {"kind": "slow", "operation": "virtualMachines/deallocate", "resource": VM, "factor": 50},
    {"kind": "slow", "operation": "snapshots/write", "factor": 60},
]
"""With these the window is over before the first start: its own size is tried once."""
CRASHES = {
    "as the second size": ([no_room(OWN), no_room(OTHERS[0], at="end")], Phase.DONE, 5),
    "back as another size": ([SILENT, no_room(OWN)], Phase.ROLLED_BACK, 37),
    "nowhere": ([no_room("*")], Phase.STRANDED, 37),
}
"""Faults, the end, and at which moments it is killed: after one write is before the next."""


@pytest.mark.sweep
@pytest.mark.parametrize("case", CRASHES)
def test_killed_around_a_resize_it_ends_alike(tmp_path: Path, case: str) -> None:
    """Around journal writes and calls from the first resize on, a crash changes nothing of the end."""
    more, phase, stride = CRASHES[case]
    faults = [*more, *SLOW]
    quiet, fuse = rig_of(tmp_path / "quiet", *faults), Fuse(None)
    assert phase is quiet.process(fuse).units[0].phase
    resized = [name for name in quiet.records() if "resize" in name]
    tried = 0
    for moment in range(fuse.count, 0, -stride):
        rig = rig_of(tmp_path / f"killed-{moment}", *faults)
        with pytest.raises(KilledError):
            rig.process(Fuse(moment))
        is_before = not any("resize" in name for name in rig.records())
        unit = rig.process().units[0]
        found = (unit.phase, seen(rig), [name for name in rig.records() if "resize" in name])
        assert (phase, seen(quiet), resized) == found, f"killed at moment {moment}"
        tried += 1
        if is_before:
            break
    assert tried > 3
