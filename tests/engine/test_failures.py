"""Whatever fails, a VM ends upgraded, or as it was; it is never left off without being called stranded."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness.model.lifecycle import FINAL, Phase, Stage
from readiness.model.run import EventKind
from readiness.twin.core import Request
from tests.engine.rig import Rig, Truth, planned, wave_of

VM = "sf-web-01"
NEW = ("TrustedLaunch", True, {"EncryptionAtRestWithCustomerKey"})
OLD = ("Standard", False, {"EncryptionAtRestWithPlatformKey"})
WRITES = (
    "virtualMachines/write",
    "virtualMachines/deallocate",
    "virtualMachines/start",
    "snapshots/write",
    "disks/write",
)


def fail(operation: str, **fields: object) -> dict[str, object]:
    """Return a fault that makes an operation fail."""
    aim = {"operation": operation, "resource": f"*{VM}*", "code": "InternalError"}
    return {"kind": "fail", **aim, **fields}


def configuration(rig: Rig, name: str = VM) -> tuple[str, bool, set[str]]:
    """Return security type, encryption at host and keys of a VM on the twin."""
    truth = Truth(rig.twin.resources(), name)
    return truth.security_type, truth.encryption_at_host, truth.keys


@pytest.mark.parametrize("at", ["begin", "end"])
@pytest.mark.parametrize(
    ("operation", "nth", "phase"),
    [
        ("virtualMachines/write", 1, Phase.DECLINED),
        ("virtualMachines/deallocate", 1, Phase.ROLLED_BACK),
        ("snapshots/write", 1, Phase.ROLLED_BACK),
        ("virtualMachines/write", 2, Phase.ROLLED_BACK),
        ("disks/write", 1, Phase.ROLLED_BACK),
        ("virtualMachines/start", 1, Phase.ROLLED_BACK),
    ],
)
def test_one_failure_leaves_the_vm_as_it_was(
    tmp_path: Path, at: str, operation: str, nth: int, phase: Phase
) -> None:
    """A step that fails, at once or after a while, leaves a running VM configured as before."""
    rig = Rig(tmp_path, wave_of(VM), [fail(operation, nth=nth, at=at)], after=Stage.PREPARATION)
    state = rig.process()
    power = Truth(rig.twin.resources(), VM).power
    assert (phase, "running", OLD) == (state.units[0].phase, power, configuration(rig))


def test_a_start_without_capacity_is_tried_again(tmp_path: Path) -> None:
    """Azure having no room for a while delays the start and undoes nothing."""
    faults = [fail("virtualMachines/start", code="AllocationFailed", times=3, at="end")]
    rig = Rig(tmp_path, wave_of(VM), faults, after=Stage.PREPARATION)
    state = rig.process()
    waits = [event for event in rig.watcher.events if event.kind is EventKind.WAIT]
    assert (Phase.DONE, NEW, 3) == (state.units[0].phase, configuration(rig), len(waits))


def test_a_vm_that_cannot_start_is_stranded_and_stops_the_wave(tmp_path: Path) -> None:
    """A VM that Azure has no room for until its window closes is stranded, and nothing more is started."""
    faults = [fail("virtualMachines/start", code="AllocationFailed", times=100000)]
    rig = Rig(tmp_path, wave_of(VM, "sf-web-02"), faults, after=Stage.PREPARATION)
    state = rig.process()
    assert [Phase.STRANDED, Phase.WAITING] == [unit.phase for unit in state.units]
    assert "stranded" in str(state.held)
    assert rig.clock.now() >= planned(VM).occurrence.closes
    stranded = state.units[0]
    assert stranded.down_since is not None
    assert (stranded.downtime_seconds or 0) > 3600, "it is away still"


def test_a_failing_way_back_still_starts_the_vm(tmp_path: Path) -> None:
    """Where a disk cannot be brought back, the VM is started all the same, and called stranded."""
    faults = [
        {"kind": "agent-silent", "resource": VM, "boots": 2},
        fail("disks/write", nth=2, times=100),
    ]
    rig = Rig(tmp_path, wave_of(VM), faults, after=Stage.PREPARATION)
    state = rig.process()
    truth = Truth(rig.twin.resources(), VM)
    assert (Phase.STRANDED, "running", "Standard") == (
        state.units[0].phase,
        truth.power,
        truth.security_type,
    )


def test_a_vm_that_does_not_boot_with_secure_boot_is_tried_without(tmp_path: Path) -> None:
    """Before the way back the weaker setting is tried; where it helps, the VM is done, and says so."""
    rig = Rig(tmp_path, wave_of(VM), [{"kind": "boot-fails", "resource": VM}], after=Stage.PREPARATION)
    unit = rig.process().units[0]
    profile = Truth(rig.twin.resources(), VM).vm["properties"]["securityProfile"]
    assert (Phase.DONE, NEW) == (unit.phase, configuration(rig))
    assert profile["uefiSettings"]["secureBootEnabled"] is False
    assert "Secure Boot is off" in unit.note


def test_a_vm_without_an_agent_is_brought_back_like_any_other(tmp_path: Path) -> None:
    """Where nothing ever proved a VM's boot, nothing has to prove it on the way back: it runs as before."""
    name = "bo-appliance-01"
    refused = [fail("snapshots/write", resource="*")]
    rig = Rig(tmp_path, wave_of(name), refused, after=Stage.PREPARATION)
    state = rig.process()
    seen = (state.units[0].phase, Truth(rig.twin.resources(), name).power, configuration(rig, name))
    assert (Phase.ROLLED_BACK, "running", OLD) == seen


def test_throttling_only_delays(tmp_path: Path) -> None:
    """A throttled request is asked again until it is let through."""
    throttle = {"kind": "throttle", "resource": f"*{VM}*", "nth": 1, "times": 2, "retry_after": 20}
    faults = [{**throttle, "operation": operation} for operation in WRITES]
    rig = Rig(tmp_path, wave_of(VM), faults, after=Stage.PREPARATION)
    state = rig.process()
    assert (Phase.DONE, NEW) == (state.units[0].phase, configuration(rig))


def test_a_vm_changed_since_it_was_planned_is_declined(tmp_path: Path) -> None:
    """A VM that is not what was planned any more is not touched; the next one is."""
    rig = Rig(tmp_path, wave_of(VM, "sf-web-02"), after=Stage.PREPARATION)
    body = {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}
    path = planned(VM).id.text
    rig.twin.handle(Request("PATCH", path, {"api-version": "2025-04-01"}, {}, body, "https://twin.invalid"))
    rig.clock.sleep(60)
    state = rig.process()
    assert [Phase.DECLINED, Phase.DONE] == [unit.phase for unit in state.units]
    assert OLD == configuration(rig)


def test_a_vm_whose_tags_changed_is_not_declined(tmp_path: Path) -> None:
    """Tags do not matter to an upgrade: a VM tagged since it was planned goes on."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.PREPARATION)
    body = {"tags": {"ticket": "CHG-1"}}
    path = planned(VM).id.text
    rig.twin.handle(Request("PATCH", path, {"api-version": "2025-04-01"}, {}, body, "https://twin.invalid"))
    rig.clock.sleep(60)
    assert Phase.DONE == rig.process().units[0].phase


def test_a_vm_found_off_is_changed_and_left_off(tmp_path: Path) -> None:
    """A deallocated VM gets its changes, is never started, and says that its boot is not proven."""
    rig = Rig(tmp_path, wave_of("bo-app-02"), after=Stage.PREPARATION)
    state = rig.process()
    starts = [exchange for exchange in rig.twin.log if exchange.path.endswith("/start")]
    truth = Truth(rig.twin.resources(), "bo-app-02")
    assert (Phase.DONE_UNPROVEN_BOOT, "deallocated", []) == (state.units[0].phase, truth.power, starts)
    assert NEW == configuration(rig, "bo-app-02")


faults_anywhere = st.lists(
    st.builds(
        lambda operation, nth, times, at: fail(operation, nth=nth, times=times, at=at),
        st.sampled_from(WRITES),
        st.integers(1, 3),
        st.integers(1, 2),
        st.sampled_from(["begin", "end"]),
    ),
    max_size=3,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=faults_anywhere)
def test_any_failures_end_legally(
    tmp_path_factory: pytest.TempPathFactory, faults: list[dict[str, object]]
) -> None:
    """Whatever fails, the campaign ends; a VM that is not stranded runs, and is all new or all old."""
    rig = Rig(tmp_path_factory.mktemp("run"), wave_of(VM), faults, after=Stage.PREPARATION)
    unit = rig.process().units[0]
    assert unit.phase in FINAL
    if unit.phase is not Phase.STRANDED:
        assert "running" == Truth(rig.twin.resources(), VM).power
        assert (NEW if unit.phase is Phase.DONE else OLD) == configuration(rig)
