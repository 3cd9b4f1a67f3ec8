"""How long a request is repeated that Azure throttles: until it is too late to begin, and while it helps."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from azure.core.rest import HttpRequest

from readiness.model.execution import Execution
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import EventKind
from readiness.twin.messages import Response
from tests.engine.gated import GatedRig, is_about, let_in, once_down, phases, side_by_side, throttled
from tests.engine.rig import Truth, planned
from tests.engine.test_failures import NEW, OLD, configuration

VM, NEXT = "sf-web-01", "sf-web-02"
LONG = timedelta(days=3)
HOUR = timedelta(hours=1)


def throttle(rig: GatedRig, name: str, method: str = "", words: str = "") -> None:
    """Throttle requests about a VM from now on."""

    def gate(request: HttpRequest, _now: datetime) -> Response | None:
        is_meant = is_about(request, name) and method in ("", request.method) and words in request.url.lower()
        return throttled() if is_meant else None

    rig.gate = gate


def power(rig: GatedRig, name: str = VM) -> str:
    """Return whether a VM runs on the twin."""
    return Truth(rig.twin.resources(), name).power


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_vm_that_is_throttled_before_it_goes_down_is_not_started(tmp_path: Path, method: str) -> None:
    """It is declined once its window has no room for it any more, in Azure's words; another one goes."""
    rig = GatedRig(tmp_path, side_by_side((VM, NEXT)))
    throttle(rig, VM, method)
    state = rig.process()
    assert {VM: "declined", NEXT: "done"} == phases(state)
    reason = state.units[0].reason
    assert "later; not asked again after 2026-11-29" in reason
    assert planned(VM).occurrence.closes > rig.clock.now() > planned(VM).occurrence.closes - 2 * HOUR
    assert ("running", OLD) == (power(rig), configuration(rig))


def test_waiting_is_told_and_not_at_each_try(tmp_path: Path) -> None:
    """The story says what is waited for, when it is asked again, and until when, every ten minutes."""
    rig = GatedRig(tmp_path, VM)
    throttle(rig, VM)
    rig.process()
    waits = [one for one in rig.watcher.events if one.kind is EventKind.WAIT and one.vm == VM]
    assert all("asked again at 2026-11-2" in one.text for one in waits), waits[0]
    assert all("at the latest" in one.text for one in waits)
    assert len(waits) > 3
    assert all(other.at - one.at >= timedelta(minutes=10) for one, other in pairwise(waits))


@pytest.mark.parametrize(("method", "end"), [("GET", "declined"), ("PUT", "blocked")])
def test_work_online_that_is_throttled_ends_after_an_hour(tmp_path: Path, method: str, end: str) -> None:
    """A preparation has no window: an hour of refusals ends it, and the VM was never taken down."""
    rig = GatedRig(tmp_path, VM, after=None)
    began: list[datetime] = []

    def gate(request: HttpRequest, now: datetime) -> Response | None:
        is_meant = is_about(request, VM) if method == "GET" else "/disks/" in request.url
        if not is_meant or request.method != method:
            return None
        began.append(now)
        return throttled()

    rig.gate = gate
    state = rig.process(stage=Stage.PREPARATION)
    assert {VM: end} == phases(state)
    assert "later" in state.units[0].reason
    assert HOUR <= rig.clock.now() - began[0] <= 3 * HOUR
    assert "running" == power(rig)


def test_an_outage_that_is_throttled_goes_back(tmp_path: Path) -> None:
    """A write that is refused until the time for the way back begins is given up: the VM runs as before."""
    rig = GatedRig(tmp_path, VM)
    once_down(rig, throttled(), LONG, words="/snapshots/", method="PUT")
    state = rig.process()
    closes, outage = planned(VM).occurrence.closes, planned(VM).outage
    assert outage is not None
    assert (Phase.ROLLED_BACK, "running", OLD) == (state.units[0].phase, power(rig), configuration(rig))
    assert closes - timedelta(seconds=outage.undo_seconds) - HOUR <= rig.clock.now() <= closes
    assert "not asked again after" in state.units[0].reason


def test_a_throttled_write_is_asked_for_an_hour_also_at_the_end_of_the_window(tmp_path: Path) -> None:
    """A short refusal at the end of a window takes no VM back that is nearly done."""
    rig = GatedRig(tmp_path, VM)
    vm = planned(VM)
    rig.clock.skip_to(vm.occurrence.closes - timedelta(seconds=vm.reserved_seconds))
    once_down(rig, throttled(), timedelta(minutes=50), words="/snapshots/", method="PUT")
    assert (Phase.DONE, NEW) == (rig.process().units[0].phase, configuration(rig))
    assert rig.clock.now() > vm.occurrence.closes


@pytest.mark.parametrize("words", ["/start", "/virtualmachines/sf-web-01?"])
def test_a_vm_that_is_down_is_started_however_long_it_is_throttled(tmp_path: Path, words: str) -> None:
    """A start, and a look at a VM that was changed, are never given up; nothing else goes down meanwhile."""
    rig = GatedRig(tmp_path, side_by_side((VM,), (NEXT,)))
    began: list[datetime] = []

    def gate(request: HttpRequest, now: datetime) -> Response | None:
        if "/start" in request.url and is_about(request, VM) and not began:
            began.append(now)
        is_meant = is_about(request, VM) and words in request.url.lower()
        is_last = request.method == "POST" or "start" not in words
        return throttled() if began and is_meant and is_last and now < began[0] + 9 * HOUR else None

    rig.gate = gate
    state = rig.process()
    assert {VM: "done", NEXT: "waiting"} == phases(state)
    assert ("running", NEW) == (power(rig), configuration(rig))
    assert rig.clock.now() > began[0] + 9 * HOUR
    assert any("until it is answered" in text for text in rig.told(EventKind.WAIT, VM))


def test_nothing_more_is_started_while_a_vm_is_down_and_throttled(tmp_path: Path) -> None:
    """After an hour in which a start was refused no other VM goes down, though there would be time."""
    rig = GatedRig(tmp_path, side_by_side((VM, NEXT, "sf-app-01")))
    rig.execution = Execution(max_concurrency=2)
    down: list[datetime] = []

    def gate(request: HttpRequest, now: datetime) -> Response | None:
        if request.url.lower().split("?")[0].endswith(f"{VM}/start"):
            down.append(now)
            return throttled() if now < down[0] + 4 * HOUR else None
        # The other one is under way for longer than an hour.
        is_slow = is_about(request, NEXT) and "/snapshots/" in request.url and request.method == "PUT"
        return throttled() if is_slow and (not down or now < down[0] + 2 * HOUR) else None

    rig.gate = gate
    state = rig.process()
    assert {VM: "done", NEXT: "done"} == {name: phases(state)[name] for name in (VM, NEXT)}
    held = [one for one in rig.watcher.events if one.kind is EventKind.WAIT and not one.vm]
    assert any(f"{VM} is under way, and cannot go on" in one.text for one in held), held
    third = [one.at for one in rig.watcher.events if one.vm == "sf-app-01"]
    assert not third or third[0] >= down[0] + 4 * HOUR


def test_a_way_back_that_is_throttled_still_starts_the_vm(tmp_path: Path) -> None:
    """A write of the way back is given up after an hour, so that the VM runs; it is called stranded."""
    silent: dict[str, object] = {
        "kind": "agent-silent",
        "resource": VM,
        "while_security_type": "TrustedLaunch",
    }
    rig = GatedRig(tmp_path, VM, [silent])

    def gate(request: HttpRequest, _now: datetime) -> Response | None:
        is_back = any(one.vm == VM and one.phase is Phase.UNDOING for one in rig.watcher.events)
        return throttled() if is_back and "/disks/" in request.url and request.method == "PUT" else None

    rig.gate = gate
    state = rig.process()
    assert (Phase.STRANDED, "running") == (state.units[0].phase, power(rig))


def test_a_short_refusal_changes_nothing(tmp_path: Path) -> None:
    """What is let through again in time ends as ever, and nothing was held."""
    rig = GatedRig(tmp_path, VM)
    once_down(rig, throttled(), timedelta(minutes=30))
    state = rig.process()
    assert (Phase.DONE, None) == (state.units[0].phase, state.held)
    rig.gate = let_in
    assert NEW == configuration(rig)
