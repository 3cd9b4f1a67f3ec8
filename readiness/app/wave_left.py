"""What is left to do once runs of a wave stand where they stand: commands, VMs, closures, snapshots. Pure."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from msgspec.structs import replace

from readiness.app.next_steps import Advice, to_finish, to_follow, to_resize
from readiness.app.wave_sources import Source, Told
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.run import RunState
from readiness.model.wave_report import NEEDS_A_PERSON, End, LeftToDo, SnapshotTold, VmTold

_SHOWN = 12
"""Names in one sentence."""
_WHAT = {
    End.STRANDED: "Bring it back to service",
    End.UNDECIDED: "Decide whether it is healthy",
    End.ROLLED_BACK: "Find out why it was taken back",
    End.BLOCKED: "Mend what failed before it was taken down",
    End.DECLINED: "See why it was not started",
}

_DOES = {
    "approve": "Decide what could not be told",
    "retry": "Try again what did not get through",
    "status": "See what happened, step by step",
}
"""What a command is for, by its verb; the others go on with a run."""


def left_to_do(
    source: Source, vms: Sequence[VmTold], snapshots: Sequence[SnapshotTold]
) -> tuple[LeftToDo, ...]:
    """Return everything that is left, the most urgent first."""
    return (
        *_for_people(vms),
        *_commands(source),
        *_remaining(vms),
        *_closures(source, vms),
        *_other_sizes(source),
        *_shared(source),
        *_expiring(source, snapshots),
    )


def _commands(source: Source) -> Iterator[LeftToDo]:
    """Yield the commands that the runs themselves still ask for."""
    for told in reversed(source.runs.values()):
        for advice in to_finish(_still_wanted(source, told), told.words):
            yield LeftToDo(urgency="now", what=_does(told, advice), why=advice.why, command=advice.command)
    prepared, opens = source.runs.get(Stage.PREPARATION), [vm.occurrence.opens for vm in source.wave.vms]
    if prepared is not None and Stage.OUTAGE not in source.runs:
        for advice in to_follow(prepared.state, prepared.words):
            yield LeftToDo(
                urgency="next",
                what="Carry the wave out",
                why=advice.why,
                not_before=min(opens, default=None),
                command=advice.command,
            )


def _does(told: Told, advice: Advice) -> str:
    verb = advice.command.split(maxsplit=2)[1]
    return _DOES.get(verb, f"Finish the {told.story.info.stage.value}")


def _still_wanted(source: Source, told: Told) -> RunState:
    """Return a run without the VMs that it has nothing left to do for.

    Preparation is nobody's business any more once the outage is done, and where it is not, no closure is due.
    """
    outage = source.runs.get(Stage.OUTAGE)
    stage = told.story.info.stage
    if stage is Stage.OUTAGE or outage is None:
        return told.state
    done = {unit.vm for unit in outage.state.units if unit.phase in SUCCEEDED}
    is_closing = stage is Stage.CLOSURE
    units = tuple(unit for unit in told.state.units if (unit.vm in done) is is_closing)
    return replace(told.state, units=units)


def _for_people(vms: Sequence[VmTold]) -> Iterator[LeftToDo]:
    for end in NEEDS_A_PERSON:
        for vm in vms:
            if vm.end is end:
                yield LeftToDo(urgency="now", what=_WHAT[end], vm=vm.name, why=f"{end}: {vm.reason}")


def _remaining(vms: Sequence[VmTold]) -> Iterator[LeftToDo]:
    names = [vm.name for vm in vms if vm.end is End.REMAINING]
    if names:
        yield LeftToDo(urgency="next", what=f"{_vms(names)} not finished", why=_listed(names))


def _closures(source: Source, vms: Sequence[VmTold]) -> Iterator[LeftToDo]:
    """Yield one entry for all VMs that are to be closed, with the command that begins their closure."""
    due = [vm for vm in vms if vm.end is End.CLOSURE_DUE]
    outage = source.runs.get(Stage.OUTAGE)
    if not due or outage is None:
        return
    command = ""
    if Stage.CLOSURE not in source.runs:
        # The other VMs of the outage do not stand in the way of closing these.
        done = tuple(unit for unit in outage.state.units if unit.phase in SUCCEEDED)
        command = to_follow(replace(outage.state, units=done), outage.words)[0].command
    yield LeftToDo(
        urgency="next",
        what=f"Close {_vms([vm.name for vm in due])} after the soak",
        why=_listed(vm.name for vm in due),
        not_before=min((vm.closure_from for vm in due if vm.closure_from), default=None),
        command=command,
    )


def _other_sizes(source: Source) -> Iterator[LeftToDo]:
    """Yield each VM that runs as an approved size, as the last of its runs found it."""
    last = {
        unit.vm: (told, unit)
        for told in source.runs.values()
        for unit in told.state.units
        if unit.phase in SUCCEEDED or unit.phase is Phase.ROLLED_BACK
    }
    for told, unit in last.values():
        if unit.runs_as:
            advice = next(iter(to_resize(replace(told.state, units=(unit,)))), None)
            yield LeftToDo(
                urgency="next",
                what=f"Give it its own size back: {unit.own_size}",
                vm=unit.name,
                why=f"it runs as {unit.runs_as}, since Azure had no room, until somebody changes it; "
                "infrastructure code that names the old size does so with its next apply, and takes it down",
                command=advice.command if advice is not None else "",
            )


def _shared(source: Source) -> Iterator[LeftToDo]:
    """Yield what the VMs shared and can be closed now that each of them is."""
    last = list(source.runs.values())[-1]
    count = len(last.words.due)
    for advice in to_follow(_still_wanted(source, last), last.words)[-count:] if count else ():
        yield LeftToDo(urgency="next", what="Tighten what VMs share", why=advice.why, command=advice.command)


def _expiring(source: Source, snapshots: Sequence[SnapshotTold]) -> Iterator[LeftToDo]:
    outage = source.runs.get(Stage.OUTAGE)
    if not snapshots or outage is None:
        return
    words = outage.words
    day = min(one.expires for one in snapshots) + timedelta(days=1)
    yield LeftToDo(
        urgency="later",
        what="Delete snapshots that have expired",
        why=f"{len(snapshots)} were taken; one may be deleted after the day on which it expires",
        not_before=datetime.combine(day, time(), tzinfo=UTC),
        command=shlex.join(
            ("readiness", "snapshots", "delete", words.plan, "--expired", *words.place, *words.state)
        ),
    )


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more


def _vms(names: Sequence[str]) -> str:
    return "1 VM" if len(names) == 1 else f"{len(names):,} VMs"
