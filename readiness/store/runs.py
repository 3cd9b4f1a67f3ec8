"""Where runs live: one folder for each under the state folder, named after plan and wave or object."""

import hashlib
from pathlib import Path

from readiness.errors import UsageError
from readiness.model.lifecycle import Stage
from readiness.model.plan import Plan
from readiness.store.artefacts import write_whole

_RUNS, _SECOND = "runs", "second-state"


_ENDINGS = {Stage.PREPARATION: "-prepare", Stage.OUTAGE: "", Stage.CLOSURE: "-close"}


def run_id(plan: Plan, wave: int, stage: Stage = Stage.OUTAGE) -> str:
    """Return the id of the run of a plan's wave: always the same, so that a second call goes on with it."""
    return f"{plan.approval}-wave-{wave}{_ENDINGS[stage]}"


def shared_run_id(plan: Plan, action: str) -> str:
    """Return the id of the run of an action on a shared object, by the action's key."""
    return f"{plan.approval}-shared-{hashlib.sha256(action.encode()).hexdigest()[:8]}"


def folder_of(state: Path, run: str) -> Path:
    """Return the folder of a run."""
    return state / _RUNS / run


def second_state_of(folder: Path, named: Path | None) -> Path | None:
    """Return the second state folder of a run: the one that is named now, which is kept, or was before.

    Raises:
        UsageError: It is the state folder itself, or it cannot be noted.
    """
    note = folder / _SECOND
    if named is None:
        return Path(note.read_text(encoding="utf-8")) if note.exists() else None
    second = named.resolve()
    if folder.resolve().is_relative_to(second):
        raise UsageError(
            f"{named} is the state folder itself: a second copy there is lost with the first.",
            remedy="Give --second-state a folder on another disk, such as a share.",
        )
    write_whole(note, str(second).encode())
    return second


def known_runs(state: Path) -> tuple[str, ...]:
    """Return the ids of the runs there are, the one touched last first."""
    folders = [entry for entry in (state / _RUNS).glob("*") if (entry / "journal.sqlite").exists()]
    newest_first = sorted(folders, key=lambda entry: (entry / "journal.sqlite").stat().st_mtime, reverse=True)
    return tuple(entry.name for entry in newest_first)
