"""What to do now that a run stands where it stands: commands that can be pasted as they are. Pure."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from readiness.app.stages import COMMANDS
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, SUCCEEDED, Phase, Stage
from readiness.model.plan import DIGEST_LENGTH
from readiness.model.run import RunInfo, RunState, UnitState

_AFTER = {Stage.PREPARATION: (Stage.OUTAGE, "in its window"), Stage.OUTAGE: (Stage.CLOSURE, "after the soak")}
_ALL_CLOSED = "every VM of the plan that hangs on it is closed"
_TO_MEND = (Phase.BLOCKED, Phase.ROLLED_BACK, Phase.DECLINED)
_REST = "goes on with the rest"
OVER_BUDGET, MISSED_WINDOW = "VMs failed", "had to be entered by"
"""What the reason says that holds a run: its failure budget is used up; a VM's window is over."""

USUAL_STATE = Path(".readiness")
"""Where runs are remembered unless somebody says otherwise."""


class Advice(Struct, frozen=True, kw_only=True):
    """One command, and what it is for."""

    command: str
    why: str


class Words(Struct, frozen=True, kw_only=True):
    """Words of commands that go on with a run."""

    plan: str
    place: tuple[str, ...]
    """The options that lead to the place."""
    state: tuple[str, ...]
    """The option that names the state folder; empty where it is the usual one."""
    due: tuple[str, ...] = ()
    """Shared groups of which every VM is closed by now, as `--action` names them."""
    second: tuple[str, ...] = ()
    """The option that names the second state folder of the run, for the runs that come after it."""
    taken_back: frozenset[ResourceId] = frozenset()
    """VMs that a person took back: trying all failures again leaves them as they are."""


def words_of(info: RunInfo, state: Path, plan: Path, second: Path | None = None) -> Words:
    """Return the words of commands that go on with a run, and with what comes after it."""
    usual = state == USUAL_STATE
    return Words(
        plan=str(plan),
        place=info.way,
        state=() if usual else ("--state", str(state)),
        second=("--second-state", str(second)) if second else (),
    )


def next_steps(state: RunState, words: Words) -> tuple[Advice, ...]:
    """Return what to do now, the most urgent first."""
    return (*to_finish(state, words), *to_follow(state, words), *to_resize(state))


def to_finish(state: RunState, words: Words) -> tuple[Advice, ...]:
    """Return what the run itself still needs: a person's word, mending, or going on."""
    return tuple(_advice(state, words))


def to_follow(state: RunState, words: Words) -> tuple[Advice, ...]:
    """Return what comes after a run whose VMs have all come to an end: a stage, and what they shared."""
    info = state.info
    if _goes_on(state) or not state.count(*SUCCEEDED):
        return ()
    following = [_AFTER[info.stage]] if info.stage in _AFTER else []
    return (
        *(Advice(command=_stage(stage, info, words, words.second), why=when) for stage, when in following),
        *(Advice(command=_tighten(group, info, words, words.second), why=_ALL_CLOSED) for group in words.due),
    )


def to_resize(state: RunState) -> tuple[Advice, ...]:
    """Return how VMs that took an approved size get their own back, where they are those of Azure itself."""
    taken = [unit for unit in state.units if unit.runs_as] if state.info.is_live else []
    return tuple(
        Advice(
            command=_back_to_own_size(unit),
            why=f"{unit.name} runs as {unit.runs_as}: gives it {unit.own_size} back in an outage of its own, "
            "once its owner agrees and Azure has room; without room it starts as what it is now",
        )
        for unit in taken
    )


def _back_to_own_size(unit: UnitState) -> str:
    """Return one line for the shell: whatever of it fails, the VM is started as the size that it has now."""
    vm = unit.vm.text
    deallocate, start = (shlex.join(("az", "vm", verb, "--ids", vm)) for verb in ("deallocate", "start"))
    own, taken = (
        shlex.join(("az", "vm", "resize", "--ids", vm, "--size", size))
        for size in (unit.own_size, unit.runs_as)
    )
    return f"{deallocate} && {own} && {start} || {{ {taken} && {start}; }}"


def going_on(info: RunInfo, words: Words) -> str:
    """Return the command that goes on with a run."""
    if info.action:
        return _tighten(info.action, info, words)
    return _stage(info.stage, info, words)


def recovering(info: RunInfo, words: Words) -> str:
    """Return the command that rebuilds the journal of a run from its marks."""
    of_wave = ("--wave", str(info.wave), "--stage", info.stage.value)
    what = ("--action", info.action) if info.action else of_wave
    approved = ("--approve", info.plan[:DIGEST_LENGTH])
    return _line("recover", words.plan, *what, *approved, *words.place, *words.state)


def _advice(state: RunState, words: Words) -> Iterator[Advice]:
    info, there = state.info, (*words.place, *words.state)
    names = {phase: [unit.name for unit in state.units if unit.phase is phase] for phase in Phase}
    if stranded := names[Phase.STRANDED]:
        why = f"stranded: {', '.join(stranded)}; what happened, step by step"
        yield Advice(command=_line("status", info.id, "--story", *words.state), why=why)
    if down := [unit.name for unit in state.units if unit.down_since and _is_under_way(unit)]:
        yield Advice(command=going_on(info, words), why=f"now: {', '.join(down)} may be off until it goes on")
    for name in names[Phase.UNDECIDED]:
        command = _line("approve", "--run", info.id, "--vm", name, *words.state)
        yield Advice(command=command, why=f"if {name} is healthy; otherwise 'reject' instead of 'approve'")
    if mend := [unit.name for unit in _to_mend(state, words)]:
        why = f"once what stopped {', '.join(mend)} is mended"
        yield Advice(command=_line("retry", "--failed", info.id, *there), why=why)
    if not _goes_on(state):
        return
    if OVER_BUDGET in (state.held or ""):
        raising = _line("resume", info.id, "--raise-budget", *words.state)
        yield Advice(command=raising, why="accepts one failure more; without it nothing more is started")
    if not down:
        is_late = MISSED_WINDOW in (state.held or "")
        why = "goes on with what a window still holds; the others need a new plan" if is_late else _REST
        yield Advice(command=going_on(info, words), why=why)


def _to_mend(state: RunState, words: Words) -> list[UnitState]:
    """Return what is tried again by trying all failures again, in the order of the phases."""
    return [
        unit
        for phase in _TO_MEND
        for unit in state.units
        if unit.phase is phase and unit.vm not in words.taken_back
    ]


def _goes_on(state: RunState) -> bool:
    """Tell whether there is a VM that a process could go on with at once."""
    return any(_is_under_way(unit) for unit in state.units)


def _is_under_way(unit: UnitState) -> bool:
    return unit.phase not in FINAL and unit.phase is not Phase.UNDECIDED


def _stage(stage: Stage, info: RunInfo, words: Words, more: tuple[str, ...] = ()) -> str:
    approved = ("--wave", str(info.wave), "--approve", info.plan[:DIGEST_LENGTH])
    return _line(COMMANDS[stage], words.plan, *approved, *words.place, *words.state, *more)


def _tighten(action: str, info: RunInfo, words: Words, more: tuple[str, ...] = ()) -> str:
    wanted = ("--action", action, "--approve", info.plan[:DIGEST_LENGTH])
    return _line("tighten", words.plan, *wanted, *words.place, *words.state, *more)


def _line(*words: str) -> str:
    return shlex.join(("readiness", *words))
