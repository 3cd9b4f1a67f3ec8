"""Two orchestrators at once: each VM is worked on by one of them, and the other says whose it is."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RehearsalClock
from readiness.app.hooks import ToldHooks
from readiness.app.rehearsing import Inline
from readiness.azure.marks import LEASE, Lease
from readiness.engine.run import WaveRun
from readiness.engine.work import Ports
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import Event, RunState
from readiness.store.journal import SqliteJournal
from readiness.twin.core import Request
from tests.engine.rig import Rig, Truth, Watcher, info_for, planned, wave_of

VM, OTHER = "sf-app-01", "sf-app-02"


class Second:
    """Another machine with a state folder of its own, which begins the same wave as soon as it may."""

    def __init__(self, rig: Rig, folder: Path, phase: Phase, instance: str = "second") -> None:
        self._rig, self._folder, self._phase = rig, folder, phase
        self._instance = instance
        self.state: RunState | None = None
        self._shown = rig.watcher.told
        rig.watcher.told = self._told  # type: ignore[method-assign]

    def _told(self, event: Event) -> None:
        self._shown(event)
        if event.phase is self._phase and self.state is None:
            self.state = self.run()

    def run(self) -> RunState:
        """Carry the wave out from this other machine."""
        info = replace(info_for(self._rig.wave), instance=self._instance)
        journal = SqliteJournal.open(self._folder, info)
        try:
            with self._rig.cloud() as cloud:
                ports = Ports(
                    cloud=cloud,
                    journal=journal,
                    clock=RehearsalClock(self._rig.clock),
                    observer=Watcher(),
                    executor=Inline(),
                    hooks=ToldHooks(),
                )
                return WaveRun(info, self._rig.wave, ALL_PLAYBOOKS, ports).execute()
        finally:
            journal.close()


def tagged(rig: Rig, name: str, value: str | None) -> None:
    """Write somebody's lease on a VM, or take it away."""
    vm = Truth(rig.twin.resources(), name).vm
    tags = {key: tag for key, tag in (vm.get("tags") or {}).items() if key != LEASE}
    if value is not None:
        tags[LEASE] = value
    query = {"api-version": "2025-04-01"}
    rig.twin.handle(Request("PATCH", vm["id"], query, {}, {"tags": tags}, "https://twin.invalid"))
    rig.clock.sleep(60)
    rig.twin.log.clear()


def writes_on(rig: Rig, name: str) -> list[str]:
    """Return the writes that were accepted on a VM."""
    prefix = planned(name).id.key
    return [each.path for each in rig.twin.log if each.path.lower().startswith(prefix)]


@pytest.mark.parametrize("phase", [Phase.CONVERTING, Phase.VERIFYING, Phase.RELEASING])
def test_the_second_is_kept_away(tmp_path: Path, phase: Phase) -> None:
    """Whoever comes second while a VM is worked on declines it, and takes it down no second time."""
    rig = Rig(tmp_path / "first", wave_of(VM), after=Stage.PREPARATION)
    second = Second(rig, tmp_path / "second", phase)
    first = rig.process()
    assert second.state is not None
    assert [Phase.DONE] == [unit.phase for unit in first.units]
    (declined,) = second.state.units
    assert Phase.DECLINED is declined.phase
    starts = [path for path in writes_on(rig, VM) if path.endswith("/start")]
    assert 1 == len(starts), "two runs took it down"


def test_each_vm_is_worked_on_by_one(tmp_path: Path) -> None:
    """Two runs of one wave share its VMs between them, and neither does what the other did."""
    rig = Rig(tmp_path / "first", wave_of(VM, OTHER), after=Stage.PREPARATION)
    second = Second(rig, tmp_path / "second", Phase.CONVERTING)
    first = rig.process()
    assert second.state is not None
    ends = {
        unit.name: sorted([unit.phase, other.phase])
        for unit, other in zip(first.units, second.state.units, strict=True)
    }
    assert {VM: [Phase.DECLINED, Phase.DONE], OTHER: [Phase.DECLINED, Phase.DONE]} == ends
    for name in (VM, OTHER):
        assert 1 == len([path for path in writes_on(rig, name) if path.endswith("/deallocate")])
        assert LEASE not in (Truth(rig.twin.resources(), name).vm.get("tags") or {})


def test_a_live_lease_is_named(tmp_path: Path) -> None:
    """A VM under another run's lease is declined with the run and the end of its lease, and left alone."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.PREPARATION)
    until = planned(VM).occurrence.closes + timedelta(days=1)
    tagged(rig, VM, Lease(run="their-run", instance="theirs", until=until).written())
    (unit,) = rig.process().units
    assert Phase.DECLINED is unit.phase
    assert "their-run" in unit.reason
    assert f"{until:%Y-%m-%d %H:%M}" in unit.reason
    assert [] == writes_on(rig, VM)


def test_an_expired_lease_is_taken_over(tmp_path: Path) -> None:
    """A lease that has ended keeps nobody away, and it is told that it was taken over."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.PREPARATION)
    ended = rig.clock.now() - timedelta(hours=1)
    tagged(rig, VM, Lease(run="their-run", instance="theirs", until=ended).written())
    (unit,) = rig.process().units
    assert Phase.DONE is unit.phase
    assert LEASE not in (Truth(rig.twin.resources(), VM).vm.get("tags") or {})
    assert any("their-run" in event.text for event in rig.watcher.events)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "somebody is at work here",
        "run instance not-a-date",
        "run instance 2020-01-01T00:00:00",  # without a time zone nobody can tell when it ends
        "run instance 2026-11-28T21:00:00+00:00 and more",
        "ümläut 🔒",
        "x" * 256,
    ],
)
def test_a_foreign_lease_that_cannot_be_read_is_respected(tmp_path: Path, text: str) -> None:
    """A mark that nobody can read is somebody's, and never ends by itself."""
    rig = Rig(tmp_path, wave_of(VM), after=Stage.PREPARATION)
    tagged(rig, VM, text)
    (unit,) = rig.process().units
    assert Phase.DECLINED is unit.phase
    assert [] == writes_on(rig, VM)


def test_the_lease_of_a_lost_run_is_respected(tmp_path: Path) -> None:
    """The same run begun anew on another machine is another: the lease of the lost one keeps it away."""
    rig = Rig(tmp_path / "first", wave_of(VM), after=Stage.PREPARATION)
    mine = Lease(run=f"run-{Stage.OUTAGE}", instance="lost", until=planned(VM).occurrence.closes)
    tagged(rig, VM, mine.written())
    assert [Phase.DECLINED] == [unit.phase for unit in rig.process().units]
