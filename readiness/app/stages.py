"""Which VMs of a wave a stage of it is for, as a wave of its own: only those with something to do."""

from collections.abc import Callable, Set
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import SUCCEEDED, Stage
from readiness.model.plan import Batch, PlannedVm, Wave
from readiness.model.run import RunState

COMMANDS = {Stage.PREPARATION: "prepare", Stage.OUTAGE: "run", Stage.CLOSURE: "close"}
"""The command that carries out each stage."""


def part_of(wave: Wave, stage: Stage) -> Wave:
    """Return the part of a wave that a stage carries out.

    Preparation and closure are online: the batches of the outage bind nothing there, and the limits of
    concurrency alone decide.
    """
    if stage is Stage.OUTAGE:
        return wave
    work = _WORK[stage]
    return only(wave, {vm.id for vm in wave.vms if work(vm)})


def only(wave: Wave, wanted: Set[ResourceId]) -> Wave:
    """Return a wave of some of its VMs, in one batch."""
    vms = tuple(vm for vm in wave.vms if vm.id in wanted)
    return replace(wave, batches=(Batch(number=1, vms=vms),) if vms else ())


_WORK: dict[Stage, Callable[[PlannedVm], bool]] = {
    Stage.PREPARATION: lambda vm: bool(vm.preparation),
    Stage.CLOSURE: lambda vm: bool(vm.closure),
}


class Soaked(Struct, frozen=True, kw_only=True):
    """The part of a wave that can be closed, when each VM may be, and who cannot and why."""

    wave: Wave
    not_before: dict[ResourceId, datetime]
    left_out: dict[str, str]


def soaked(wave: Wave, outage: RunState | None, execution: Execution) -> Soaked:
    """Return which VMs of a closure may be closed: those whose outage is done, after their soak.

    Args:
        wave: The VMs with work after the outage.
        outage: Where the outage's run stands; None where there was none.
        execution: How long a soak is.
    """
    units = {unit.vm: unit for unit in outage.units} if outage else {}
    after, out = {}, {}
    for vm in wave.vms:
        if vm.outage is None:
            continue
        unit = units.get(vm.id)
        if unit is None or unit.phase not in SUCCEEDED or unit.ended_at is None:
            out[vm.name] = f"its outage is {unit.phase if unit else 'not on record here'}"
        else:
            after[vm.id] = unit.ended_at + timedelta(minutes=execution.soak_minutes)
    kept = only(wave, {vm.id for vm in wave.vms if vm.name not in out})
    return Soaked(wave=kept, not_before=after, left_out=out)
