"""Where a run stands can be read in a narrow terminal, too, and whoever looks on knows what Ctrl-C does."""

import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from readiness.cli import console
from readiness.cli.screen import KEYS, KEYS_OF_ONLOOKERS, screen
from readiness.model.lifecycle import Phase
from tests.app.synthetic_runs import AT, run_with, under_way, unit
from tests.cli.test_screen import outlook

REASON = (
    "customer-managed key for vm2-osdisk: The operation is not allowed at this time. Please try again later."
)
UNITS = (unit(1, Phase.DONE), unit(2, Phase.ROLLED_BACK, reason=REASON), under_way(3))


def shown(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines of a run in a terminal of so many columns."""
    file = io.StringIO()
    monkeypatch.setattr(console, "OUT", Console(file=file, width=width, force_terminal=False))
    console.show_run(replace(run_with(), units=UNITS))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80])
def test_reasons_follow_a_table_that_has_no_room_for_them(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each VM is one row, and its reason one line below, whole, instead of a column of single letters."""
    lines = shown(width, monkeypatch)
    assert [1, 1, 1] == [sum(f"│ vm{number} " in line for line in lines) for number in (1, 2, 3)]
    assert f"vm2: {REASON}" in lines
    assert "vm3: deallocate" in lines
    assert not any(line.startswith("vm1") for line in lines)


def test_reasons_stand_in_the_table_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a wide terminal nothing is said twice."""
    lines = shown(160, monkeypatch)
    assert [True] == [line.startswith("│ 1     │ vm2") for line in lines if REASON in line]


def test_names_are_whole_before_steps_are() -> None:
    """VMs whose names differ in their last characters alone are told apart in 60 columns."""
    named = tuple(replace(each, name=f"bo-appliance-0{each.name[2:]}") for each in UNITS)
    made = Console(file=io.StringIO(), width=60, height=24, force_terminal=False)
    with made.capture() as caught:
        made.print(screen(outlook(replace(run_with(), units=named)), [], AT, height=24))
    assert all(f"bo-appliance-0{number} " in caught.get() for number in (1, 2, 3))


def test_an_onlooker_is_not_told_that_leaving_stops_the_run() -> None:
    """Ctrl-C before the screen of `status --watch` ends looking; before that of the run it is a stop."""
    seen = outlook(run_with(Phase.WAITING))
    for keys, words in ((KEYS, "Ctrl-C: start nothing more."), (KEYS_OF_ONLOOKERS, "the run goes on")):
        made = Console(file=io.StringIO(), width=100, height=24, force_terminal=False)
        with made.capture() as caught:
            made.print(screen(seen, [], AT, height=24, keys=keys))
        assert words in caught.get()


def test_an_undecided_vm_uses_up_a_failure() -> None:
    """The screen counts what the budget counts: a VM that waits for a person's word is a failure, too."""
    assert 3 == outlook(run_with(Phase.UNDECIDED, Phase.ROLLED_BACK, Phase.STRANDED, Phase.DECLINED)).failed
