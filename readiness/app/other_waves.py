"""What the outages of a plan's other waves left behind: redundant peers that do not serve just now."""

from datetime import datetime
from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.engine.peers import as_found, down_in
from readiness.engine.state import run_state
from readiness.errors import JournalError
from readiness.model.ids import ResourceId
from readiness.model.plan import ApartGroup, Plan, Wave
from readiness.store.journal import read_run
from readiness.store.runs import folder_of, run_id


def groups_as_found(plan: Plan, wave: int, state: Path, place: str, now: datetime) -> tuple[ApartGroup, ...]:
    """Return a plan's groups of redundant VMs with the members that other waves left down in a place.

    Of a wave whose journal cannot be read nobody knows who serves: all of its VMs are taken as down. That
    keeps their peers from starting, and nothing that has begun from its end.
    """
    down: dict[ResourceId, str] = {}
    for other in plan.waves:
        if other.number != wave:
            down |= _down_in(plan, other, state, place, now)
    return as_found(plan.apart, down)


def _down_in(plan: Plan, wave: Wave, state: Path, place: str, now: datetime) -> dict[ResourceId, str]:
    folder = folder_of(state, run_id(plan, wave.number))
    if not (folder / "journal.sqlite").exists():
        return {}
    try:
        info, records, _ = read_run(folder)
    except JournalError as error:
        return {vm.id: f"{vm.name} of wave {wave.number} (not known: {error.brief})" for vm in wave.vms}
    if info.place != place:
        return {}
    return down_in([run_state(info, wave, ALL_PLAYBOOKS, records, now=now, execution=plan.policy.execution)])
