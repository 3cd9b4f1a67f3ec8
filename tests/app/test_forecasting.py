"""Forecasts: a range from the pace or from the plan's windows, or the reason why there is none."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from readiness.app.forecasting import by_pace, by_plan, slopes
from readiness.model.plan import Occurrence
from readiness.model.progress import Point
from readiness.model.verdict import Dimension
from tests.app.histories import run
from tests.reports.plans import WIKI, plan, planned, wave

START = date(2026, 1, 1)
TL = Dimension.TRUSTED_LAUNCH
PLAYBOOKS = {"trusted-launch": ("Trusted Launch", TL)}


def series(*shares, days=10):
    """Return shares that many days apart."""
    return [(START + timedelta(days=days * number), share) for number, share in enumerate(shares)]


def test_an_even_pace_is_still_a_range():
    """Ten points in ten days: with half left the end is about fifty days away, and never one day alone."""
    found = by_pace("All", series(0.1, 0.2, 0.3, 0.4, 0.5))
    last = START + timedelta(days=40)
    assert (30.0, 30.0, 30.0) == (found.pace_low, found.pace, found.pace_high)
    assert (last + timedelta(days=45), last + timedelta(days=55)) == (found.earliest, found.latest)


def test_one_outlier_moves_the_middle_little():
    """One bad reading among nine leaves the middle slope where it was."""
    shares = [number / 100 for number in range(0, 45, 5)]
    shares[4] = 0.0
    _, middle, _ = slopes(series(*shares))
    assert 0.005 == pytest.approx(middle, rel=0.05)


def test_the_interval_widens_with_noise():
    """Slow and fast enclose the middle, and lie apart where the pace is uneven."""
    slow, middle, fast = slopes(series(0.1, 0.12, 0.3, 0.31, 0.5, 0.52, 0.55))
    assert slow < middle < fast


@pytest.mark.parametrize(
    ("shares", "days", "note"),
    [
        ((), 10, "Not enough history: 0 snapshots"),
        ((0.1, 0.2), 30, "Not enough history: 2 snapshots over 30 days"),
        ((0.1, 0.2, 0.3), 1, "Not enough history: 3 snapshots over 2 days"),
        ((0.1, 0.5, 1.0), 30, "Reached."),
        ((0.5, 0.4, 0.3), 30, "No end in sight"),
        ((0.5, 0.5, 0.5), 30, "No end in sight"),
        ((0.0001, 0.0002, 0.0003), 90, "More than ten years away"),
    ],
)
def test_no_range_has_a_reason(shares, days, note):
    """Where nothing can be foretold, no date is given and the reason is."""
    found = by_pace("All", series(*shares, days=days))
    assert (None, None) == (found.earliest, found.latest)
    assert found.note.startswith(note)


def test_a_slow_end_may_never_come():
    """Where the slow end of the range does not grow, there is an earliest day and no latest."""
    found = by_pace("All", series(0.2, 0.1, 0.3, 0.2, 0.4))
    assert (True, None) == (found.earliest is not None, found.latest)


def test_only_the_last_months_count():
    """A standstill long ago does not slow the pace of today."""
    old = [(START - timedelta(days=400 - number * 20), 0.0) for number in range(5)]
    found = by_pace("All", [*old, *series(0.1, 0.2, 0.3, 0.4, 0.5)])
    assert 30.0 == found.pace


def point(as_of):
    """Return a point at which one VM of three is satisfied."""
    return Point(
        snapshot="a",
        as_of=as_of,
        release="1",
        vms=3,
        excluded=0,
        unread=0,
        raw=(3, 0, 0, 0),
        permitted=(3, 0, 0, 0),
        satisfied={TL: 1},
        applicable={TL: 3},
        score=None,
    )


def planned_until(closes, *names):
    """Return a plan that upgrades VMs in one window."""
    opens = closes - timedelta(hours=4)
    window = Occurrence(window="w", opens=opens, closes=closes, timezone="UTC")
    vms = [replace(planned(name, WIKI), occurrence=window, actions=("trusted-launch",)) for name in names]
    return plan(wave(1, "One", tuple(vms)))


def test_a_plan_forecasts_what_it_holds():
    """The windows' end is the early bound; the late one is stretched by what is assumed of runs."""
    made = planned_until(datetime(2026, 5, 1, 4, tzinfo=UTC), "a", "b")
    keys = {vm.id.key for vm in made.vms}
    (found,) = by_plan(made, {TL: {*keys, "other"}}, [point(date(2026, 1, 21))], (), PLAYBOOKS)
    assert (date(2026, 5, 1), date(2026, 1, 21) + timedelta(days=125)) == (found.earliest, found.latest)
    assert "2 of 3 open VMs are planned; the plan says nothing of the other 1." == found.note
    assert "80% are assumed" in found.method


def test_recorded_runs_replace_what_is_assumed():
    """With runs in Azure to go by, their share of successes stretches the plan; rehearsals do not count."""
    made = planned_until(datetime(2026, 5, 1, 4, tzinfo=UTC), "a")
    names = [str(number) for number in range(20)]
    runs = (run(*names), run(*names, succeeded=False, name="b"), run(*names, is_rehearsal=True, name="c"))
    keys = {vm.id.key for vm in made.vms}
    (found,) = by_plan(made, {TL: keys}, [point(date(2026, 1, 21))], runs, PLAYBOOKS)
    assert date(2026, 1, 21) + timedelta(days=200) == found.latest
    assert "20 of 40 did so far" in found.method


def test_only_what_came_to_an_end_in_the_outage_counts():
    """VMs that were prepared only, that nobody began, or that wait for a person, say nothing of success."""
    made = planned_until(datetime(2026, 5, 1, 4, tzinfo=UTC), "a")
    names = [str(number) for number in range(20)]
    whole = run(*names)
    open_ones = [
        replace(run(*names, succeeded=False, name=name), vms=tuple(replace(vm, **how) for vm in whole.vms))
        for name, how in (
            ("prepared", {"decides": False}),
            ("held", {"outcome": "remaining", "succeeded": False}),
            ("undecided", {"outcome": "failed", "succeeded": False}),
        )
    ]
    keys = {vm.id.key for vm in made.vms}
    (found,) = by_plan(made, {TL: keys}, [point(date(2026, 1, 21))], (whole, *open_ones), PLAYBOOKS)
    assert "20 of 20 did so far" in found.method


@pytest.mark.parametrize(
    ("open_vms", "as_of", "note"),
    [
        ((), date(2026, 1, 1), "Reached."),
        (("other",), date(2026, 1, 1), "No date follows from the plan: 0 of 1 open VMs are planned"),
        (("a",), date(2026, 9, 1), "No date follows from the plan: its windows are over."),
    ],
)
def test_a_plan_without_a_date_says_why(open_vms, as_of, note):
    """Nothing open, nothing planned, or all windows over: no date."""
    made = planned_until(datetime(2026, 5, 1, 4, tzinfo=UTC), "a")
    named = {vm.name: vm.id.key for vm in made.vms}
    keys = {named.get(name, name) for name in open_vms}
    (found,) = by_plan(made, {TL: keys}, [point(as_of)], (), PLAYBOOKS)
    assert found.earliest is None
    assert found.note.startswith(note)
