"""Runs in any state, for what looks at runs and carries none out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase, Stage
from readiness.model.run import RunInfo, RunState, UnitState

AT = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
INFO = RunInfo(
    id="5ebc4fd5f9f7-wave-1",
    plan="5ebc4fd5f9f7" + "d" * 52,
    wave=1,
    place="twin 1",
    approved_by="tester",
    release="1.0",
    started_at=AT,
    way=("--twin", "https://127.0.0.1:8443"),
)


def unit(number: int, phase: Phase, **changes: Any) -> UnitState:
    """Return where one VM stands."""
    made = UnitState(
        vm=ResourceId(
            f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm{number}"
        ),
        name=f"vm{number}",
        batch=1,
        phase=phase,
        reason="",
        step=None,
        doing="",
        done=1,
        total=12,
        downtime_seconds=None,
    )
    return replace(made, **changes)


def run_with(
    *phases: Phase, held: str | None = None, stage: Stage = Stage.OUTAGE, **changes: Any
) -> RunState:
    """Return a run whose VMs stand in these phases."""
    units = tuple(unit(number, phase) for number, phase in enumerate(phases, start=1))
    info = replace(INFO, stage=stage, **changes)
    return RunState(info=info, wave_name="Non-production: Back office", units=units, held=held)


def under_way(number: int, minutes: int = 3, **changes: Any) -> UnitState:
    """Return a VM that was taken down so many minutes ago."""
    down = AT - timedelta(minutes=minutes)
    given = {"doing": "deallocate", "since": down, "down_since": down, "downtime_seconds": minutes * 60}
    return unit(number, Phase.CONVERTING, **(given | changes))
