"""Starts that Azure has no room for, and the other sizes that an owner approved for them. Pure.

Invariants:
* Only a refusal for want of room leads to another size, and only after the last try as the present one.
* The order is the same on the way there and on the way back: the present size as long as there is time, then
  each approved one once. The way there has the window, and the way back an hour of its own at least.
* Each size is a pair of steps with intents and ends of their own: resize, then start. A pair is due once the
  one before it has ended badly; which of them stand in a phase follows from the journal alone.
* A VM whose start went well as any of the sizes has started.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from msgspec.structs import replace

from readiness.model.durations import ASSUMED_SECONDS
from readiness.model.observation import Before
from readiness.model.outage import plan_steps
from readiness.model.plan import PlannedVm
from readiness.model.run import StepRecord, StepResult
from readiness.model.steps import PlannedStep, Resize, Start, StartAs

_Records = Mapping[str, StepRecord]
_BACK_PATIENCE = timedelta(hours=1)
"""So long at least a way back looks for room, from its first refusal: the window may be over by then."""
_BACK, _RESIZE = "undo.", ".resize:"


def seconds_elsewhere(sizes: Sequence[str]) -> int:
    """Return how long room is looked for after the window, beside the time that an outage reserves."""
    each = ASSUMED_SECONDS[Resize.duration] + ASSUMED_SECONDS[StartAs.duration]
    return int(_BACK_PATIENCE.total_seconds()) + 2 * len(sizes) * each


def tried_until(vm: PlannedVm, start: PlannedStep, first: datetime) -> datetime:
    """Return until when a start that was first refused for want of room at an instant is tried again.

    As another size it is tried once: it is off already, and the next size or the way back waits.
    """
    if isinstance(start.step, StartAs):
        return first
    closes = vm.occurrence.closes
    return max(closes, first + _BACK_PATIENCE) if start.name.startswith(_BACK) else closes


def size_now(records: _Records, own: str) -> str:
    """Return the size that a VM has by the journal: that of the last resize that went well, or its own."""
    resized = [one for name, one in records.items() if _RESIZE in name and one.result and one.result.ok]
    last = max(resized, key=lambda one: one.ended_at or one.intended_at, default=None)
    return last.name.rpartition(":")[2] if last is not None else own


def taken_size(vm: PlannedVm, before: Before | None, records: _Records) -> str:
    """Return the approved size that a VM has in the place of its own; empty where it has its own.

    The closure, days later, finds it in what it recorded of the VM: nobody has given its own back by then.
    """
    now = size_now(records, (before.size or "") if before is not None else "").lower()
    taken = next((size for size in vm.choice.sizes if size.lower() == now), "")
    return taken if now != vm.size.lower() else ""


def pair(start: PlannedStep, size: str) -> tuple[PlannedStep, PlannedStep]:
    """Return the two steps that take the place of a start: resize, and start as that size."""
    stage, vm = start.name.partition(".")[0], start.step.vm
    resize, again = plan_steps((Resize(vm=vm, size=size), StartAs(vm=vm, size=size)), stage=stage)
    return resize, again


def with_other_sizes(
    steps: Sequence[PlannedStep], records: _Records, sizes: Sequence[str], size: str
) -> tuple[tuple[PlannedStep, ...], str]:
    """Return the steps of a phase with the other sizes that are tried in it, and the size it ends with.

    Args:
        steps: The steps of the phase.
        records: The journal.
        sizes: Its own size, and those that were approved.
        size: The one that the phase begins with.
    """
    if not sizes:
        return tuple(steps), size
    found: list[PlannedStep] = []
    for planned in steps:
        found.append(planned)
        size = _size_after(planned, records, size)
        if isinstance(planned.step, Start) and _is_without_room(planned, records):
            tried = tuple(_tried(planned, records, [one for one in sizes if one.lower() != size.lower()]))
            found += tried
            for each in tried:
                size = _size_after(each, records, size)
    return tuple(found), size


def first_open(
    steps: Sequence[PlannedStep], records: _Records, *, is_way_back: bool, excused: tuple[str, ...] = ()
) -> tuple[PlannedStep | None, StepResult | None]:
    """Return the step of a phase that is due, if any, and the result of the first that failed.

    Args:
        steps: The steps of the phase, with the other sizes that are tried in it.
        records: The journal.
        is_way_back: Whether the steps after one that failed are due all the same. There a VM that does not
            get its own size back starts as the approved one that it has.
        excused: Codes of failures that take nothing from the VM.
    """
    failed: StepResult | None = None
    refused: list[tuple[PlannedStep, StepResult]] = []
    for planned, following in zip_longest(steps, steps[1:]):
        result = _result(planned, records)
        if result is None:
            return planned, failed
        if result.ok:
            refused = [] if isinstance(planned.step, StartAs) else refused
            continue
        is_own_size = is_way_back and isinstance(planned.step, Resize) and not refused
        if planned.step.courtesy or result.code in excused or is_own_size:
            continue
        refused.append((planned, result))
        if _is_tried_on(planned, following):
            continue
        failed, refused = failed or _told(refused), []
        if not is_way_back:
            break
    return None, failed


def proof_notes(records: _Records) -> tuple[str, ...]:
    """Return what the last proof of health has to say of a VM, such as that it runs as another size."""
    proofs = [one for name, one in records.items() if name.endswith(".prove-health") and one.ended_at]
    last = max(proofs, key=lambda one: one.ended_at or one.intended_at, default=None)
    return (last.result.note,) if last and last.result and last.result.note else ()


def _is_tried_on(planned: PlannedStep, following: PlannedStep | None) -> bool:
    """Tell whether a step that failed decides nothing, since another size is tried after it."""
    return (
        following is not None
        and isinstance(planned.step, Start | Resize)
        and isinstance(following.step, Resize | StartAs)
    )


def _told(refused: Sequence[tuple[PlannedStep, StepResult]]) -> StepResult:
    """Return the first refusal, with the sizes that were tried in vain after it."""
    first, others = refused[0][1], [planned.step for planned, _ in refused[1:]]
    sizes = [step.size for step in others if isinstance(step, StartAs | Resize)]
    return replace(first, detail=f"{first.detail}; nor as {', '.join(sizes)}") if sizes else first


def _tried(start: PlannedStep, records: _Records, sizes: Sequence[str]) -> Iterator[PlannedStep]:
    """Yield the pairs that were tried after a start, and the one that is due."""
    for size in sizes:
        resize, again = pair(start, size)
        yield resize
        resized = _result(resize, records)
        if resized is None:
            return
        if not resized.ok:
            continue
        yield again
        started = _result(again, records)
        if started is None or started.ok:
            return


def _size_after(planned: PlannedStep, records: _Records, size: str) -> str:
    step, result = planned.step, _result(planned, records)
    return step.size if isinstance(step, Resize) and result is not None and result.ok else size


def _is_without_room(planned: PlannedStep, records: _Records) -> bool:
    result = _result(planned, records)
    return result is not None and result.no_room


def _result(planned: PlannedStep, records: _Records) -> StepResult | None:
    record = records.get(planned.name)
    return record.result if record is not None else None
