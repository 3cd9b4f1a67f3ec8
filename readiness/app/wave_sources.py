"""Which wave is meant, and everything that its runs' journals hold. Reads the state folder alone."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import taken_back, wave_of
from readiness.app.next_steps import Words, words_of
from readiness.app.run_status import why_held, work_in
from readiness.app.shared_actions import due, handle_of
from readiness.engine.state import run_state
from readiness.errors import JournalError, UsageError
from readiness.model.lifecycle import Stage
from readiness.model.plan import DIGEST_LENGTH, Plan, Wave
from readiness.model.run import RunState
from readiness.store.artefacts import read_plan
from readiness.store.journal import Story, read_story
from readiness.store.runs import folder_of, known_runs, run_id, second_state_of


class Told(Struct, frozen=True, kw_only=True):
    """One run of a wave: its whole story, and where it stood when the story last spoke."""

    story: Story
    at: datetime
    state: RunState
    words: Words
    """Of the commands that go on with it."""


class Source(Struct, frozen=True, kw_only=True):
    """A wave, and those of its runs that exist."""

    plan: Plan
    wave: Wave
    state: Path
    runs: dict[Stage, Told]
    """In the order of the stages."""


def find_source(source: str, number: int | None, state: Path) -> Source:
    """Return the wave that a run's id, or a plan with the number of a wave, means.

    Args:
        source: A run's id, as `status` takes it, or the path of a plan.
        number: The wave; where it is left out, the run's, or the only one of the plan that has runs.
        state: The folder that remembers runs.

    Raises:
        UsageError: There is neither such a run nor such a plan; the wave has no runs, or several have.
        PlanError: The plan cannot be read, or has no such wave.
        JournalError: A journal cannot be read.
    """
    known = known_runs(state)
    if source in known:
        return _of_run(source, number, state)
    path = Path(source)
    if not path.exists():
        on_record = ", ".join(sorted(known)) or "none"
        raise UsageError(
            f"There is neither a run nor a plan {source}.",
            details=f"Runs on record in {state}: {on_record}.",
            remedy="Give one of these, or the path of a plan with --wave N.",
        )
    plan = read_plan(path)
    return _read(plan, number if number is not None else _only_wave(plan, state), state, path)


def _of_run(run: str, number: int | None, state: Path) -> Source:
    folder = folder_of(state, run)
    info = read_story(folder).info
    if info.action:
        remedy = "Give the plan with --wave N; 'readiness status' tells of this run."
        raise UsageError(f"{run} is a run of a shared object, and of no wave.", remedy=remedy)
    told = info.wave
    if number not in (None, told):
        remedy = "Leave --wave out, or give the plan instead of the run."
        raise UsageError(f"{run} is a run of wave {told}, not of wave {number}.", remedy=remedy)
    if not (folder / "plan.json").exists():
        raise JournalError(
            f"The plan of the run {run} is not beside its journal any more.",
            details=f"It was begun with the plan {info.plan[:DIGEST_LENGTH]}.",
            remedy=f"Put that plan back into {folder}, or give it in place of the run, with --wave {told}.",
        )
    return _read(read_plan(folder), told, state, None)


def _only_wave(plan: Plan, state: Path) -> int:
    """Return the number of the only wave of a plan that has runs."""
    known = set(known_runs(state))
    found = [
        wave.number for wave in plan.waves if any(run_id(plan, wave.number, each) in known for each in Stage)
    ]
    if not found:
        raise _no_runs(f"The plan {plan.approval}", state)
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} waves of the plan {plan.approval} have runs.",
            details=f"They are: {', '.join(map(str, found))}.",
            remedy=f"Name one, such as --wave {found[0]}.",
        )
    return found[0]


def _read(plan: Plan, number: int, state: Path, path: Path | None) -> Source:
    wave = wave_of(plan, number)
    runs = dict(_runs(plan, wave, state, path))
    if not runs:
        raise _no_runs(f"Wave {number} of the plan {plan.approval}", state)
    return Source(plan=plan, wave=wave, state=state, runs=runs)


def _runs(plan: Plan, wave: Wave, state: Path, path: Path | None) -> Iterator[tuple[Stage, Told]]:
    for stage in Stage:
        folder = folder_of(state, run_id(plan, wave.number, stage))
        if not (folder / "journal.sqlite").exists():
            continue
        story = read_story(folder)
        if story.info.plan != plan.digest:
            raise JournalError(
                f"{story.info.id} is a run of another plan.",
                details=f"It was begun with {story.info.plan}, this is {plan.digest}.",
                remedy="Name the run instead of the plan: its own plan lies beside its journal.",
            )
        at = story.events[-1].at if story.events else story.info.started_at
        stands = run_state(
            story.info,
            work_in(plan, story.info, state, story.records, at),
            ALL_PLAYBOOKS,
            story.records,
            now=at,
            held=why_held(story.events),
            execution=plan.policy.execution,
        )
        due_now = due(plan, state, story.info.place, wave.number)
        words = replace(
            words_of(story.info, state, path or folder, second_state_of(folder, None)),
            taken_back=taken_back(story.records),
            due=tuple(handle_of(plan, action) for action in due_now),
        )
        yield stage, Told(story=story, at=at, state=stands, words=words)


def _no_runs(what: str, state: Path) -> UsageError:
    return UsageError(
        f"{what} has no runs in {state}.",
        remedy="A report tells of what was done: name the state folder of the runs with --state.",
    )
