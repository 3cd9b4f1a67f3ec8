"""What the outages of a plan's other waves left behind: redundant peers that do not serve just now."""

from datetime import datetime
from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.engine.peers import as_found, down_in
from readiness.engine.state import run_state
from readiness.model.plan import ApartGroup, Plan
from readiness.model.run import RunState
from readiness.store.journal import read_run
from readiness.store.runs import folder_of, run_id


def groups_as_found(plan: Plan, wave: int, state: Path, place: str, now: datetime) -> tuple[ApartGroup, ...]:
    """Return a plan's groups of redundant VMs with the members that other waves left down in a place.

    Raises:
        JournalError: The journal of another wave cannot be read.
    """
    others = [_outage_of(plan, one.number, state, now) for one in plan.waves if one.number != wave]
    return as_found(plan.apart, down_in(run for run in others if run is not None and run.info.place == place))


def _outage_of(plan: Plan, number: int, state: Path, now: datetime) -> RunState | None:
    folder, wave = folder_of(state, run_id(plan, number)), plan.wave(number)
    if wave is None or not (folder / "journal.sqlite").exists():
        return None
    info, records, _ = read_run(folder)
    return run_state(info, wave, ALL_PLAYBOOKS, records, now=now, execution=plan.policy.execution)
