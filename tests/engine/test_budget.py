"""The failure budget: what counts, percent of what, rounded how, and what a person may add."""

import pytest

from readiness.engine.advance import Position
from readiness.engine.budget import exhausted
from readiness.model.execution import Execution
from readiness.model.lifecycle import Phase


def wave(size: int, *ends: Phase, code: str = "") -> list[Position]:
    """Return where the VMs of a wave stand: some that ended, each for a reason of its own, the rest waits."""
    ended = [Position(phase=end, due=None, code=code or f"Reason{number}") for number, end in enumerate(ends)]
    return ended + [Position(phase=Phase.WAITING, due=None)] * (size - len(ended))


def failed(count: int) -> tuple[Phase, ...]:
    """Return so many VMs that were brought back."""
    return (Phase.ROLLED_BACK,) * count


@pytest.mark.parametrize(
    ("size", "percent", "allowed"),
    [
        (1, 10.0, 1),  # the minimum: one may always fail
        (10, 10.0, 1),
        (19, 10.0, 1),  # 1.9, rounded down
        (20, 10.0, 2),
        (60, 5.0, 3),
        (1000, 0.1, 1),
        (1000, 0.3, 3),
        (100, 0.0, 1),
    ],
)
def test_percent_of_the_wave_rounded_down_may_fail(size: int, percent: float, allowed: int) -> None:
    """The share of the wave's VMs is rounded down and at least one; the next failure is too many."""
    limits = Execution(failure_percent=percent, same_reason=1000)
    assert exhausted(wave(size, *failed(allowed)), limits) is None
    if size > allowed:
        words = exhausted(wave(size, *failed(allowed + 1)), limits)
        assert f"{allowed + 1} of {size} VMs failed, and {allowed} may" == words


def test_the_smaller_of_share_and_number_holds() -> None:
    """Where both a share and a number are given, whichever is reached first stops the wave."""
    both = Execution(failure_percent=50.0, failure_count=2, same_reason=1000)
    assert exhausted(wave(10, *failed(2)), both) is None
    assert exhausted(wave(10, *failed(3)), both)
    small = Execution(failure_percent=10.0, failure_count=5, same_reason=1000)
    assert exhausted(wave(10, *failed(2)), small)


def test_a_minimum_of_none_stops_at_the_first_failure() -> None:
    """Who allows no failure at all is stopped by the first."""
    strict = Execution(failure_percent=0.0, failure_minimum=0)
    assert exhausted(wave(10), strict) is None
    assert "1 of 10 VMs failed, and 0 may" == exhausted(wave(10, *failed(1)), strict)


def test_one_reason_again_and_again_stops() -> None:
    """Three failures for one reason stop a wave whose budget would allow more."""
    limits = Execution(failure_percent=50.0)
    twice = wave(100, *failed(2), code="AgentSilent")
    assert exhausted(twice, limits) is None
    words = exhausted(wave(100, *failed(3), code="AgentSilent"), limits)
    assert "3 VMs failed for the same reason, AgentSilent" == words
    assert exhausted(wave(100, *failed(30)), limits) is None, "reasons of their own do not add up"


@pytest.mark.parametrize("phase", [Phase.DECLINED, Phase.BLOCKED, Phase.DONE, Phase.DONE_UNPROVEN_BOOT])
def test_who_lost_nothing_does_not_count(phase: Phase) -> None:
    """Declined and blocked VMs were never taken down."""
    assert exhausted(wave(10, *(phase,) * 9, code="Same"), Execution(failure_minimum=0)) is None


def test_who_waits_for_a_person_counts() -> None:
    """VMs whose health nobody can tell use up the budget: otherwise pilots would let everything through."""
    words = exhausted(wave(10, *(Phase.UNDECIDED,) * 2), Execution())
    assert "2 of 10 VMs failed, and 1 may" == words


def test_one_stranded_vm_stops_whatever_was_raised() -> None:
    """The stranded budget is 0, and nobody can raise it."""
    words = exhausted(wave(1000, Phase.STRANDED), Execution(failure_percent=50.0), raised=10)
    assert "1 VM is stranded, and the stranded budget is 0" == words
    assert str(exhausted(wave(9, Phase.STRANDED, Phase.STRANDED), Execution())).startswith("2 VMs are")


def test_raising_lets_one_more_fail() -> None:
    """Each time a person goes on all the same, one more VM may fail, for whatever reason."""
    limits = Execution(failure_percent=0.0, failure_minimum=1, same_reason=3)
    assert exhausted(wave(100, *failed(2)), limits)
    assert exhausted(wave(100, *failed(2)), limits, raised=1) is None
    assert exhausted(wave(100, *failed(3), code="Same"), limits, raised=1)
    assert exhausted(wave(100, *failed(3), code="Same"), limits, raised=2) is None


@pytest.mark.parametrize("end", [Phase.ROLLED_BACK, Phase.STRANDED])
def test_a_failure_counts_before_the_vm_was_let_go(end: Phase) -> None:
    """A VM that failed and only has its lease left to release counts already: nothing starts meanwhile."""
    releasing = Position(phase=Phase.RELEASING, due=None, end=end)
    assert exhausted([releasing, *wave(9)], Execution(failure_minimum=0, failure_percent=0.0))
