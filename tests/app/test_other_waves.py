"""Redundant VMs across waves: whom another wave left down counts when the next one begins."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.other_waves import groups_as_found
from readiness.engine.peers import GroupAsFound, as_found, down_in
from readiness.engine.state import run_state
from readiness.model.lifecycle import UNAVAILABLE, Phase
from readiness.model.plan import ApartGroup, Batch, Plan
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of, run_id
from tests.app.synthetic_runs import AT, INFO, run_with
from tests.engine.estates import plan as planned

WEB_1, WEB_2 = "sf-web-01", "sf-web-02"


@pytest.fixture
def plan() -> Plan:
    """A plan that has its two web servers in two waves."""
    whole = planned()
    parts = [tuple(vm for vm in whole.vms if vm.name == name) for name in (WEB_2, WEB_1)]
    waves = tuple(
        replace(whole.waves[0], number=number, batches=(Batch(number=1, vms=vms),))
        for number, vms in enumerate(parts, start=1)
    )
    return replace(whole, waves=waves)


def begin_first_wave(plan: Plan, state: Path) -> None:
    """Leave the journal of a first wave that was cut off in the checks of its VM."""
    vm, info = plan.waves[0].vms[0], replace(INFO, id=run_id(plan, 1), plan=plan.digest)
    journal = SqliteJournal.open(folder_of(state, info.id), info)
    due = run_state(info, plan.waves[0], ALL_PLAYBOOKS, [], now=AT).units[0].step
    journal.intend(vm.id, str(due), AT)
    journal.close()


def down(groups: tuple[ApartGroup, ...]) -> list[tuple[str, ...]]:
    """Return who is known to be down in each group."""
    return [group.down if isinstance(group, GroupAsFound) else () for group in groups]


def test_a_wave_learns_whom_another_left_down(plan: Plan, tmp_path: Path) -> None:
    """Every group with such a member names it, its wave and where it stands; its own wave does not count."""
    assert [(), ()] == down(groups_as_found(plan, 2, tmp_path, INFO.place, AT))
    begin_first_wave(plan, tmp_path)
    told = (f"{WEB_2} of wave 1 (checking)",)
    assert [told, told] == down(groups_as_found(plan, 2, tmp_path, INFO.place, AT))
    assert [(), ()] == down(groups_as_found(plan, 1, tmp_path, INFO.place, AT))


def test_a_wave_whose_journal_cannot_be_read_serves_nobody(plan: Plan, tmp_path: Path) -> None:
    """Unknown is never ready: its VMs count as down, and the run that asks goes on with what it began."""
    begin_first_wave(plan, tmp_path)
    (folder_of(tmp_path, run_id(plan, 1)) / "journal.sqlite").write_bytes(b"no journal at all" * 99)
    found = down(groups_as_found(plan, 2, tmp_path, INFO.place, AT))
    assert 2 == len(found)
    assert all(told.startswith(f"{WEB_2} of wave 1 (not known: ") for (told,) in found)


def test_what_happened_on_another_twin_says_nothing(plan: Plan, tmp_path: Path) -> None:
    """A run on one twin binds no run on another, and none on Azure itself."""
    begin_first_wave(plan, tmp_path)
    assert [(), ()] == down(groups_as_found(plan, 2, tmp_path, "twin 2", AT))


@pytest.mark.parametrize("phase", Phase)
def test_who_does_not_serve_is_down(phase: Phase) -> None:
    """Stranded, undecided and cut off VMs are down, and so is what is let go of, which may be stranded.

    One that was rolled back serves as it did before.
    """
    run = run_with(phase)
    (unit,) = run.units
    group = ApartGroup(members=(unit.vm,), max_unavailable=1, evidence="a pool")
    expected = {*UNAVAILABLE, Phase.CHECKING, Phase.READYING, Phase.RELEASING}
    assert (phase in expected) is isinstance(as_found([group], down_in([run]))[0], GroupAsFound)
