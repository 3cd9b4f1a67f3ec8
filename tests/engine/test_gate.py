"""The gate: windows with the way back in reserve, limits of concurrency, redundant peers, room in Azure."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.engine.advance import Position
from readiness.engine.gate import Answer, Decision, Gate
from readiness.engine.peers import as_found
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import UNAVAILABLE, Phase, Stage
from readiness.model.plan import ApartGroup, PlannedVm
from tests.engine.rig import planned

FIRST = planned("sf-web-01")
OPENS, CLOSES = FIRST.occurrence.opens, FIRST.occurrence.closes
UNBOUND = Execution(max_concurrency=100, max_per_subscription=None)
MINUTE = timedelta(minutes=1)


def vms(count: int, **changes: Any) -> list[PlannedVm]:
    """Return VMs that differ by their names alone."""
    return [
        replace(FIRST, id=ResourceId(f"{FIRST.id.text}-{number}"), name=f"vm-{number}", **changes)
        for number in range(count)
    ]


def ask(
    one: PlannedVm,
    others: list[PlannedVm] | None = None,
    *,
    execution: Execution = UNBOUND,
    stage: Stage = Stage.OUTAGE,
    minutes: float = 0,
    **more: Any,
) -> Answer:
    """Ask for a VM beside others that are under way, so many minutes after the window opened."""
    under_way = others or []
    gate = Gate([one, *under_way], execution, stage, **more)
    return gate.ask(one, [other.id for other in under_way], {}, OPENS + minutes * MINUTE)


# Windows ------------------------------------------------------------------------------------------------


def test_nothing_starts_before_its_window() -> None:
    """A VM that comes early is held until its window opens, and told when that is."""
    answer = ask(FIRST, minutes=-1)
    assert (Decision.HOLD, OPENS) == (answer.decision, answer.until)
    assert FIRST.occurrence.window in answer.why
    assert Decision.START is ask(FIRST).decision


def test_nothing_starts_that_could_not_be_taken_back_in_time() -> None:
    """The last start is the end of the window less the work and the way back; later nothing changes it."""
    latest = (CLOSES - OPENS) / MINUTE - FIRST.reserved_seconds / 60
    assert Decision.START is ask(FIRST, minutes=latest).decision
    late = ask(FIRST, minutes=latest + 0.1)
    assert (Decision.HOLD, None) == (late.decision, late.until)
    assert "way back" in late.why


@pytest.mark.parametrize("stage", [Stage.PREPARATION, Stage.CLOSURE])
def test_online_work_knows_no_window(stage: Stage) -> None:
    """Preparation and closure take nobody down, and so are bound to no window."""
    assert Decision.START is ask(FIRST, stage=stage, minutes=-10000).decision


def test_a_vm_without_outage_knows_no_window() -> None:
    """A VM that is not taken down may be proven at any time."""
    assert Decision.START is ask(replace(FIRST, outage=None), minutes=-10000).decision


def test_a_soak_is_waited_for() -> None:
    """A closure is held until its VM was left alone for long enough after its outage."""
    soaked = {FIRST.id: OPENS + 120 * MINUTE}
    early = ask(FIRST, stage=Stage.CLOSURE, minutes=119, not_before=soaked)
    assert (Decision.HOLD, OPENS + 120 * MINUTE) == (early.decision, early.until)
    assert "soak" in early.why
    assert Decision.START is ask(FIRST, stage=Stage.CLOSURE, minutes=120, not_before=soaked).decision


# Limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Execution(max_concurrency=3, max_per_subscription=None), "3 VMs are under way"),
        (Execution(max_per_subscription=3), "of its subscription"),
        (Execution(max_per_subscription=None, max_per_region=3), "of its region"),
        (Execution(max_per_subscription=None, max_per_application=3), "of its application"),
    ],
)
def test_a_limit_is_reached_and_never_exceeded(limits: Execution, words: str, stage: Stage) -> None:
    """So many VMs at once as a limit says, and one more waits, in every stage."""
    first, *others = vms(4)
    assert Decision.START is ask(first, others[:2], execution=limits, stage=stage).decision
    answer = ask(first, others, execution=limits, stage=stage)
    assert Decision.WAIT is answer.decision
    assert words in answer.why


@pytest.mark.parametrize("field", ["region", "application"])
def test_a_limit_of_a_group_binds_only_the_group(field: str) -> None:
    """VMs of another region or application use up none of its places."""
    limits = replace(UNBOUND, **{f"max_per_{field}": 1})
    (first,), others = vms(1), vms(3, **{field: "another"})
    assert Decision.START is ask(first, others[1:], execution=limits).decision


# Peers --------------------------------------------------------------------------------------------------


def apart(members: list[PlannedVm], count: int) -> list[ApartGroup]:
    """Return the rule that only so many of the VMs may be down."""
    ids = tuple(vm.id for vm in members)
    return [ApartGroup(members=ids, max_unavailable=count, evidence="availability set web")]


@pytest.mark.parametrize("phase", sorted({*UNAVAILABLE, Phase.CHECKING, Phase.READYING}))
def test_a_peer_waits_while_another_may_be_down(phase: Phase) -> None:
    """From the first check to the proof a VM counts as down for its peers; a stranded one for good."""
    first, second = vms(2)
    gate = Gate([first, second], UNBOUND, Stage.OUTAGE, apart([first, second], 1))
    positions = {
        second.id: Position(phase=phase, due=None),
        first.id: Position(phase=Phase.WAITING, due=None),
    }
    answer = gate.ask(first, [second.id], positions, OPENS)
    assert (Decision.HOLD if phase is Phase.STRANDED else Decision.WAIT) is answer.decision
    assert second.name in answer.why
    assert "availability set web" in answer.why


@pytest.mark.parametrize("phase", sorted(set(Phase) - UNAVAILABLE - {Phase.CHECKING, Phase.READYING}))
def test_a_peer_that_serves_keeps_nobody_waiting(phase: Phase) -> None:
    """A peer that waits, is prepared online, or has ended well or as before, serves."""
    first, second = vms(2)
    gate = Gate([first, second], UNBOUND, Stage.OUTAGE, apart([first, second], 1))
    answer = gate.ask(first, [], {second.id: Position(phase=phase, due=None)}, OPENS)
    assert Decision.START is answer.decision


def test_a_peer_that_was_just_let_through_counts() -> None:
    """Of two peers that ask at the same moment the second waits, though the first has not begun yet."""
    first, second = vms(2)
    gate = Gate([first, second], UNBOUND, Stage.OUTAGE, apart([first, second], 1))
    waiting = Position(phase=Phase.WAITING, due=None)
    positions = {first.id: waiting, second.id: waiting}
    assert Decision.START is gate.ask(first, [], positions, OPENS).decision
    assert Decision.WAIT is gate.ask(second, [first.id], positions, OPENS).decision


def test_a_stranded_peer_counts_before_it_was_let_go() -> None:
    """A VM that is stranded and only has its lease left to release is down like any other."""
    first, second = vms(2)
    gate = Gate([first, second], UNBOUND, Stage.OUTAGE, apart([first, second], 1))
    releasing = Position(phase=Phase.RELEASING, due=None, end=Phase.STRANDED)
    assert Decision.START is not gate.ask(first, [second.id], {second.id: releasing}, OPENS).decision


def test_so_many_peers_as_may_be_down() -> None:
    """Of three peers of which two may be down, the third waits."""
    first, *others = vms(3)
    gate = Gate([first, *others], UNBOUND, Stage.OUTAGE, apart([first, *others], 2))
    down = Position(phase=Phase.CONVERTING, due=None)
    one_down = {others[0].id: down, others[1].id: Position(phase=Phase.WAITING, due=None)}
    assert Decision.START is gate.ask(first, [], one_down, OPENS).decision
    assert Decision.WAIT is gate.ask(first, [], {vm.id: down for vm in others}, OPENS).decision


def test_a_peer_of_another_wave_is_not_waited_for() -> None:
    """Who is not part of this wave is not touched by it, and so holds nobody."""
    first, second = vms(2)
    gate = Gate([first], UNBOUND, Stage.OUTAGE, apart([first, second], 1))
    assert (
        Decision.START
        is gate.ask(first, [], {first.id: Position(phase=Phase.WAITING, due=None)}, OPENS).decision
    )


# Room ---------------------------------------------------------------------------------------------------


def test_a_size_without_room_rests() -> None:
    """After a refusal for lack of room nothing of that size is taken down in that region for half an hour."""
    first, second = vms(2, size="Standard_M128s")
    (other,) = vms(1, size="Standard_D2s_v5")
    (elsewhere,) = vms(1, size="Standard_M128s", region="northeurope")
    gate = Gate([first, second, other, elsewhere], UNBOUND, Stage.OUTAGE)
    gate.refused_for_room(first, first.size, OPENS)
    answer = gate.ask(second, [], {}, OPENS + MINUTE)
    assert (Decision.WAIT, OPENS + 30 * MINUTE) == (answer.decision, answer.until)
    for free in (other, elsewhere):
        assert Decision.START is gate.ask(free, [], {}, OPENS + MINUTE).decision
    assert Decision.START is gate.ask(second, [], {}, OPENS + 30 * MINUTE).decision


def test_each_zone_has_room_of_its_own() -> None:
    """A refusal in one zone holds that size there, and neither in another zone nor for VMs in none."""
    first, second = vms(2, zone="1")
    (other,), (anywhere,) = vms(1, zone="2"), vms(1)
    gate = Gate([first, second, other, anywhere], UNBOUND, Stage.OUTAGE)
    gate.refused_for_room(first, first.size, OPENS)
    answer = gate.ask(second, [], {}, OPENS + MINUTE)
    assert (Decision.WAIT, f"zone 1 of {first.region}") == (answer.decision, answer.why.partition(" in ")[2])
    for free in (other, anywhere):
        assert Decision.START is gate.ask(free, [], {}, OPENS + MINUTE).decision
    gate.found_room(other, other.size)
    assert Decision.WAIT is gate.ask(second, [], {}, OPENS + MINUTE).decision
    gate.found_room(second, second.size)
    assert Decision.START is gate.ask(second, [], {}, OPENS + MINUTE).decision


def test_a_vm_in_no_zone_says_nothing_of_any() -> None:
    """What is refused to a VM that may stand anywhere in a region leaves those of its zones alone."""
    (anywhere,), (zonal,) = vms(1), vms(1, zone="1")
    gate = Gate([anywhere, zonal], UNBOUND, Stage.OUTAGE)
    gate.refused_for_room(anywhere, anywhere.size, OPENS)
    assert Decision.START is gate.ask(zonal, [], {}, OPENS + MINUTE).decision
    assert Decision.WAIT is gate.ask(anywhere, [], {}, OPENS + MINUTE).decision


def test_room_that_was_found_ends_the_rest() -> None:
    """Once a VM of the size started after all, the next may go."""
    first, second = vms(2)
    gate = Gate([first, second], UNBOUND, Stage.OUTAGE)
    gate.refused_for_room(first, first.size, OPENS)
    gate.found_room(first, first.size)
    assert Decision.START is gate.ask(second, [], {}, OPENS).decision


def test_a_peer_that_another_wave_left_down_counts() -> None:
    """A stranded VM of an earlier wave uses the group up: nothing in this run changes it, and it is named."""
    first, second, other = vms(3)
    groups = apart([first, second, other], 1)
    free = Gate([first, second], UNBOUND, Stage.OUTAGE, as_found(groups, {}))
    bound = Gate(
        [first, second], UNBOUND, Stage.OUTAGE, as_found(groups, {other.id: "vm-2 of wave 1 (stranded)"})
    )
    assert Decision.START is free.ask(first, [], {}, OPENS).decision
    answer = bound.ask(first, [], {}, OPENS)
    assert (Decision.HOLD, True) == (answer.decision, answer.why.startswith("vm-2 of wave 1 (stranded) of "))


def test_a_group_with_room_for_two_goes_on_one_by_one() -> None:
    """Beside one that another wave left down, one of this wave may be off, and the next one waits for it."""
    first, second, other = vms(3)
    groups = as_found(apart([first, second, other], 2), {other.id: "vm-2 of wave 1 (undecided)"})
    gate = Gate([first, second], UNBOUND, Stage.OUTAGE, groups)
    assert Decision.START is gate.ask(first, [], {}, OPENS).decision
    under_way = {first.id: Position(phase=Phase.CONVERTING, due=None)}
    assert Decision.WAIT is gate.ask(second, [first.id], under_way, OPENS).decision
