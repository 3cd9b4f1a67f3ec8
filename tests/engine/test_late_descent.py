"""A VM that was about to go down when its window closed stays up, whoever or whatever held it up."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from azure.core.rest import HttpRequest

from readiness.model.lifecycle import Phase
from readiness.twin.messages import Response
from tests.engine.gated import GatedRig, let_in, refused, throttled
from tests.engine.rig import Fuse, KilledError, Truth, planned
from tests.engine.test_failures import NEW, OLD, configuration

VM = "sf-web-01"
AFTER = planned(VM).occurrence.closes + timedelta(minutes=20)


def downs(rig: GatedRig) -> list[int]:
    """Return how each request to deallocate the VM was answered."""
    return [one.status for one in rig.twin.log if one.path.lower().endswith("/deallocate")]


@pytest.mark.parametrize(
    "answer",
    [
        refused("ExpiredAuthenticationToken"),
        throttled("300"),
        Response(503, {"error": {"code": "ServiceUnavailable", "message": "away"}}),
    ],
    ids=["no login", "throttled", "away"],
)
def test_a_vm_does_not_go_down_after_its_window(tmp_path: Path, answer: Response) -> None:
    """What kept it from going down ended after the window had: it runs as before, and is told why."""
    rig = GatedRig(tmp_path, VM)

    def gate(request: HttpRequest, now: datetime) -> Response | None:
        return answer if "/deallocate" in request.url and now < AFTER else None

    rig.gate = gate
    if rig.process().held is not None:
        rig.clock.skip_to(AFTER)
    unit = rig.process().units[0]
    assert (Phase.ROLLED_BACK, OLD) == (unit.phase, configuration(rig))
    assert [] == downs(rig)
    assert "had to go down by" in unit.reason or "not asked again" in unit.reason
    assert "running" == Truth(rig.twin.resources(), VM).power


def about_to_go_down(folder: Path, moment: int) -> GatedRig | None:
    """Kill a process at a moment; return the twin where that was right before the VM went down."""
    rig = GatedRig(folder, VM)
    try:
        rig.process(Fuse(moment))
    except KilledError:
        is_intended = "outage.deallocate" in rig.records()
        return rig if is_intended and not downs(rig) else None
    return None


def test_a_vm_whose_process_was_killed_before_it_went_down_does_not_go_down_days_later(
    tmp_path: Path,
) -> None:
    """The intent is in the journal, and the effect is not there: the next process looks at the clock, too."""
    tries = (about_to_go_down(tmp_path / str(moment), moment) for moment in range(1, 99))
    rig = next(filter(None, tries))
    rig.clock.skip_to(AFTER + timedelta(days=2))
    unit = rig.process().units[0]
    assert (Phase.ROLLED_BACK, OLD, []) == (unit.phase, configuration(rig), downs(rig))
    assert "had to go down by" in unit.reason


def test_a_vm_that_is_down_goes_on_whatever_the_time_is(tmp_path: Path) -> None:
    """The answer of the deallocation was lost with the process: the VM is off, and is brought to its end."""
    rig = GatedRig(tmp_path, VM)

    def gate(request: HttpRequest, _now: datetime) -> Response | None:
        return refused("ExpiredAuthenticationToken") if downs(rig) and "/start" not in request.url else None

    rig.gate = gate
    assert rig.process().units[0].phase is Phase.CONVERTING
    assert [202] == downs(rig)
    rig.gate = let_in
    rig.clock.skip_to(AFTER + timedelta(days=2))
    assert (Phase.DONE, NEW) == (rig.process().units[0].phase, configuration(rig))
