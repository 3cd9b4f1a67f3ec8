"""What progress means in sentences: the way to Level 3, what is next, and what is not in the numbers yet."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from readiness.model.history import ChangeKind
from reports.progress_words import (
    assumptions_in_words,
    drift_in_words,
    later_runs_in_words,
    next_in_words,
    road_in_words,
)
from reports.tables.progress_pareto import progress_pareto
from tests.reports.progresses import AT, rising


def test_the_way_to_level_3_is_one_sentence():
    """Where the shares began, where they are, and when all may be there: always as a range."""
    moved = "Level 1 or above from 0% to 75.0%, Level 2 or above from 0% to 54.2%, Level 3 from 0% to 33.3%"
    ahead = "All on Level 3, at the pace so far: between 2027-09-01 and 2028-02-01."
    assert f"Share of VMs since 2026-04-01: {moved}. {ahead}" == road_in_words(rising())


def test_a_first_snapshot_has_no_way_behind_it():
    """With one snapshot only what lies ahead is said, and without a forecast nothing."""
    progress = replace(rising(), points=rising().points[-1:])
    assert road_in_words(progress).startswith("All on Level 3, at the pace so far: between")
    assert "" == road_in_words(replace(progress, forecasts=()))


def test_an_estate_without_vms_has_no_shares():
    """Nothing is divided by nothing."""
    empty = tuple(replace(one, raw=(0, 0, 0, 0)) for one in rising().points)
    assert "" == road_in_words(replace(rising(), points=empty, forecasts=()))


def test_what_is_next_is_what_the_chart_shows_first():
    """The heaviest control of the chart, whose work it is, and what to do; nothing where nothing blocks."""
    progress = rising()
    (first, *_) = progress_pareto(progress).blockers
    said = next_in_words(progress)
    assert said.startswith(f"What holds most back: {first.control} {first.title} ({first.whose.value}) ")
    assert said.endswith(first.remedy)
    assert "" == next_in_words(replace(progress, blockers=()))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((0,), ""),
        ((1,), "1 run began after 2027-03-01: assess again to see in the numbers what came of it."),
        ((1, 9, -3), "2 runs began after 2027-03-01: assess again to see in the numbers what came of it."),
    ],
)
def test_runs_after_the_latest_snapshot_are_said(days, said):
    """What a run brought since is in no number yet, and is not to be taken for a contradiction."""
    progress = rising()
    runs = tuple(replace(progress.runs[0], started_at=AT + timedelta(days=day)) for day in days)
    assert said == later_runs_in_words(replace(progress, runs=runs))


def test_a_forecast_says_what_it_takes_for_granted():
    """Only for what it was made from: a plan that was not given assumes nothing."""
    progress = rising()
    assert assumptions_in_words(progress).startswith("From the pace: ")
    assert "From the plan" not in assumptions_in_words(progress)
    made = replace(progress.forecasts[0], basis="plan")
    assert "From the plan: every window is kept" in assumptions_in_words(replace(progress, forecasts=(made,)))
    assert "" == assumptions_in_words(replace(progress, forecasts=()))


def test_no_drift_is_said_only_where_no_change_is_called_so():
    """What got worse on an upgraded VM is drift among the changes: the first page does not deny it."""
    calm = replace(rising(), drift=(), changes=())
    assert drift_in_words(calm).startswith("No drift")
    worse = replace(rising().changes[0], kind=ChangeKind.DRIFT)
    assert "got worse once on VMs that runs had upgraded" in drift_in_words(replace(calm, changes=(worse,)))
    assert "got worse 2 times on" in drift_in_words(replace(calm, changes=(worse, worse)))
