"""The ladder: what holds a level back, and what does not."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from readiness.model.levels import LADDER, Answered, Level, LevelReached, lowest, reached
from readiness.model.verdict import Status

_ANSWERS = st.builds(
    Answered,
    level=st.sampled_from((Level.BASIC, Level.ADVANCED, Level.FULL)),
    status=st.sampled_from(Status),
    is_permitted=st.booleans(),
)


def test_every_level_is_a_rung() -> None:
    """The ladder explains each level once, from the ground up."""
    assert list(Level) == [rung.level for rung in LADDER]
    assert all(rung.name and rung.means.endswith(".") for rung in LADDER)


def test_nothing_asked_stands_on_top() -> None:
    """Where no control applies none is missing."""
    assert LevelReached(Level.FULL, Level.FULL) == reached([])


def test_unknown_holds_back_as_unmet_does() -> None:
    """What nobody knows is never taken for met."""
    for status in (Status.UNMET, Status.UNKNOWN):
        assert LevelReached(Level.BASIC, Level.BASIC) == reached([Answered(Level.ADVANCED, status)])


def test_an_exception_counts_in_one_of_the_two_only() -> None:
    """The raw level tells what would be true without anybody's permission."""
    answers = [Answered(Level.BASIC, Status.UNMET, is_permitted=True)]

    assert LevelReached(Level.NONE, Level.FULL) == reached(answers)


def test_a_whole_is_its_lowest_part() -> None:
    """Both levels of a whole come from whichever part is lowest in each."""
    parts = [LevelReached(Level.NONE, Level.FULL), LevelReached(Level.BASIC, Level.BASIC)]

    assert LevelReached(Level.NONE, Level.BASIC) == lowest(parts)


@given(answers=st.lists(_ANSWERS, max_size=12))
def test_exceptions_never_lower_a_level(answers: list[Answered]) -> None:
    """The level with exceptions is at least the raw one."""
    found = reached(answers)

    assert found.with_exceptions >= found.raw


@given(answers=st.lists(_ANSWERS, min_size=1, max_size=12), data=st.data())
def test_meeting_more_never_lowers_a_level(answers: list[Answered], data: st.DataObject) -> None:
    """Whoever meets one more control stands where he stood, or higher."""
    better = list(answers)
    position = data.draw(st.integers(0, len(answers) - 1))
    better[position] = replace(answers[position], status=Status.MET)
    before, after = reached(answers), reached(better)

    assert after.raw >= before.raw
    assert after.with_exceptions >= before.with_exceptions
