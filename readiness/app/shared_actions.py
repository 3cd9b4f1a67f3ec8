"""Actions of a plan on shared objects: which there are, when each may be carried out, and how.

A security group that several VMs hang on is tightened once, by a run of its own, after every VM of the plan
that loses its way in by it was closed. VMs are put into a just-in-time policy once, after each of them was
closed, and each group that they hang on was tightened. For the engine such an object is one unit of work, as
a VM is.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.stages import COMMANDS, part_of
from readiness.engine.state import run_state
from readiness.errors import PlanError, UsageError
from readiness.model.context import Choice, Environment
from readiness.model.lifecycle import SUCCEEDED, Phase, Stage
from readiness.model.plan import Batch, Occurrence, Plan, PlanAction, PlannedVm, Wave
from readiness.model.run import RunState
from readiness.model.steps import Undo
from readiness.store.artefacts import read_plan
from readiness.store.journal import read_run
from readiness.store.runs import folder_of, run_id, shared_run_id

StateOf = Callable[[int, Stage], RunState | None]
"""Returns where a stage of a wave stands; None where it was never begun."""
_UNWRITTEN = (Phase.WAITING, Phase.CHECKING, Phase.DECLINED, Phase.ROLLED_BACK)
"""Where an action stands whose rules are as they were: it may be tried, or tried again."""
GROUP, POLICY = "security-group", "just-in-time-policy"
"""Kinds of actions that a command carries out."""
_WORDS = {GROUP: "shared group", POLICY: "just-in-time policy"}


def tightenings(plan: Plan) -> tuple[PlanAction, ...]:
    """Return the actions on shared objects that a command carries out, in the order in which they can be."""
    found = (action for action in plan.closure if action.steps)
    return tuple(sorted(found, key=lambda action: action.kind == POLICY))


def words_for(action: PlanAction) -> str:
    """Return what kind of shared object an action is on, for people."""
    return _WORDS.get(action.kind, action.kind)


def action_of(plan: Plan, wanted: str) -> PlanAction:
    """Return an action by its key or by the name of what it acts on; without one, the only one there is.

    Raises:
        UsageError: There is none of that name, or it is not said which of several.
    """
    known = tightenings(plan)
    if not known:
        by_hand = [action.title for action in plan.closure if action.kind in _WORDS]
        told = f"By hand: {'; '.join(by_hand)}." if by_hand else ""
        raise UsageError(
            "The plan has no shared group to tighten.", details=told, remedy="'readiness close' is enough."
        )
    found = [
        action
        for action in known
        if not wanted
        or wanted.lower() in (action.key, action.target.key, action.target.name.lower(), action.name.lower())
    ]
    if len(found) == 1:
        return found[0]
    ways = [handle_of(plan, action) for action in known]
    brief = "Say which group or policy is meant." if found else f"The plan has no group or policy {wanted}."
    raise UsageError(brief, remedy=f"Give --action with one of: {', '.join(ways)}.")


def key_of(path: Path, wanted: str) -> str:
    """Return the key of an action of the plan at a path, as `action_of` finds it."""
    return action_of(read_plan(path), wanted).key


def handle_of(plan: Plan, action: PlanAction) -> str:
    """Return what people call an action: the name of what it acts on, or its key where several bear it."""
    name = action.name
    bearers = [one for one in tightenings(plan) if one.name.lower() == name.lower()]
    return name if len(bearers) == 1 else action.key


def shared_wave(action: PlanAction) -> Wave:
    """Return an action as the engine carries it out: a wave of one unit, with its steps as the closure."""
    # It binds no window: what a unit has to have of one is the day from which it may be done.
    day = datetime.combine(action.due, time(), UTC) if action.due else datetime.min.replace(tzinfo=UTC)
    unit = PlannedVm(
        id=action.target,
        name=action.name,
        application="",
        owner=action.owner,
        environment=Environment.PRODUCTION,
        actions=action.actions,
        refusals=(),
        choice=Choice(),
        fingerprint="",
        preparation=(),
        outage=None,
        undo=Undo.CONFIG,
        occurrence=Occurrence(window="", opens=day, closes=day, timezone="UTC"),
        reason=action.title,
        closure=action.steps,
        consent=action.consent,
    )
    name = f"{words_for(action)} {action.name}"
    return Wave(number=0, name=name, batches=(Batch(number=1, vms=(unit,)),))


def not_closed(plan: Plan, action: PlanAction, state_of: StateOf) -> Iterator[str]:
    """Yield a sentence for each VM of an action that was not closed yet, with the command that does it."""
    hanging = {vm.id: vm for vm in plan.vms if vm.id in action.vms}
    for vm in hanging.values():
        stage = _last_stage(vm)
        state = state_of(vm.wave, stage) if stage is not None else None
        unit = next((unit for unit in state.units if unit.vm == vm.id), None) if state else None
        if stage is not None and (unit is None or unit.phase not in SUCCEEDED):
            stands = unit.phase if unit else "not on record here"
            yield f"{vm.name}: its {stage} is {stands} ('readiness {COMMANDS[stage]}' with wave {vm.wave})"


def not_tightened(plan: Plan, action: PlanAction, folder: Path, place: str) -> Iterator[str]:
    """Yield a sentence for each group that has to be tightened first: open, it would outrank a policy."""
    for other in rests_on(plan, action):
        stands = _stands(plan, other, folder, place)
        if stands not in SUCCEEDED:
            handle = handle_of(plan, other)
            yield f"{other.name}: its rules are {stands} ('readiness tighten' with --action {handle})"


def rests_on(plan: Plan, action: PlanAction) -> tuple[PlanAction, ...]:
    """Return the actions on groups that VMs of a just-in-time policy hang on."""
    if action.kind != POLICY:
        return ()
    return tuple(one for one in tightenings(plan) if one.kind == GROUP and {*one.vms} & {*action.vms})


def missing_before(plan: Plan, action: PlanAction, folder: Path, place: str) -> Iterator[str]:
    """Yield a sentence for each thing that has to be done before an action."""
    yield from not_closed(plan, action, on_record(plan, folder, place))
    yield from not_tightened(plan, action, folder, place)


def on_record(plan: Plan, folder: Path, place: str) -> StateOf:
    """Return what finds the runs of a plan in a state folder; those of another place say nothing here."""
    known: dict[tuple[int, Stage], RunState | None] = {}

    def state_of(number: int, stage: Stage) -> RunState | None:
        if (number, stage) not in known:
            known[number, stage] = _read(plan, folder, place, number, stage)
        return known[number, stage]

    return state_of


def due(plan: Plan, folder: Path, place: str, wave: int) -> tuple[PlanAction, ...]:
    """Return the actions with VMs of a wave that may be carried out by now, and were not begun."""
    state_of = on_record(plan, folder, place)
    return tuple(
        action
        for action in tightenings(plan)
        if wave in action.waves
        and _stands(plan, action, folder) is Phase.WAITING
        and not any(not_closed(plan, action, state_of))
        and not any(not_tightened(plan, action, folder, place))
    )


def insist_on_closed(plan: Plan, action: PlanAction, folder: Path, place: str) -> None:
    """Refuse to begin an action while somebody could still need what it takes away.

    Raises:
        PlanError: VMs of the plan are not closed, or groups not tightened; each is named.
    """
    if _stands(plan, action, folder) not in _UNWRITTEN:
        return  # It goes on, or is taken back: what was begun is brought to its end.
    missing = list(not_closed(plan, action, on_record(plan, folder, place)))
    if missing:
        undone = ("VM that hangs on it is not closed", "VMs that hang on it are not closed")
        raise _too_early(action, missing, undone, "Close their waves first")
    missing = list(not_tightened(plan, action, folder, place))
    if missing:
        undone = ("group before its VMs is not tightened", "groups before its VMs are not tightened")
        raise _too_early(action, missing, undone, "Tighten them first")


def _too_early(action: PlanAction, missing: list[str], undone: tuple[str, str], first: str) -> PlanError:
    """Return the refusal; what is undone is said of one and of several."""
    what = f"1 {undone[0]}" if len(missing) == 1 else f"{len(missing)} {undone[1]}"
    return PlanError(
        f"It is too early for {words_for(action)} {action.name}: {what}.",
        details="; ".join(missing),
        remedy=f"{first}, with the same --state; then this command again.",
    )


def _stands(plan: Plan, action: PlanAction, folder: Path, place: str = "") -> Phase:
    """Return where an action's own run stands; with a place, as far as it was made there."""
    run = folder_of(folder, shared_run_id(plan, action.key))
    if not (run / "journal.sqlite").exists():
        return Phase.WAITING
    info, records, _ = read_run(run)
    if place and info.place != place:
        return Phase.WAITING
    return run_state(info, shared_wave(action), ALL_PLAYBOOKS, records, now=info.started_at).units[0].phase


def _last_stage(vm: PlannedVm) -> Stage | None:
    """Return the stage after which a VM is rid of passwords as far as the plan goes."""
    if vm.closure:
        return Stage.CLOSURE
    if vm.outage:
        return Stage.OUTAGE
    return Stage.PREPARATION if vm.preparation else None


def _read(plan: Plan, folder: Path, place: str, number: int, stage: Stage) -> RunState | None:
    run, wave = folder_of(folder, run_id(plan, number, stage)), plan.wave(number)
    if wave is None or not (run / "journal.sqlite").exists():
        return None
    info, records, _ = read_run(run)
    if info.place != place:
        return None
    part = part_of(wave, stage)
    return run_state(info, part, ALL_PLAYBOOKS, records, now=info.started_at, execution=plan.policy.execution)
