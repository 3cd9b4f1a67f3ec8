"""Progress: levels of every group, what holds VMs back, growth apart from movement, drift, and files."""

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from readiness.app.history import record_assessment, record_run
from readiness.app.progress import ProgressRequest, progress_of, write
from readiness.errors import UsageError
from readiness.model.assessment import Classification, Whose
from readiness.model.codec import encode
from readiness.model.levels import Level, LevelReached
from readiness.model.plan import digest_of
from readiness.model.progress import Hold
from readiness.model.verdict import Status
from readiness.store.artefacts import write_plan
from tests.app.histories import AT, assessment, day, opened, permission, run, vm
from tests.reports.plans import small_estate

READY = Classification.READY


def progress(state, *made, **asked):
    """Record assessments and return the progress."""
    for one in made:
        record_assessment(state, one)
    return progress_of(ProgressRequest(state=state, **asked))


def noon(week):
    """Return noon of the day so many weeks after the first."""
    return AT + timedelta(weeks=week)


def test_levels_are_counted_raw_and_with_exceptions(tmp_path):
    """Every VM stands on one level twice; excluded ones on none."""
    permitted = opened("AA-1", exception="EX-1")
    found = progress(
        tmp_path,
        assessment(
            day(0), vm("a", "AA-1"), vm("b", permitted), vm("c", "BB-1"), vm("d"), vm("e", excluded="AKS")
        ),
    )
    assert (4, 1) == (found.latest.vms, found.latest.excluded)
    assert ((2, 1, 0, 1), (1, 1, 0, 2)) == (found.latest.raw, found.latest.permitted)
    assert [LevelReached(Level.NONE, Level.NONE)] == [one.level for one in found.of_kind("application")]


def test_blockers_are_ranked_by_effect(tmp_path):
    """Each missing control tells how many VMs it holds back, alone and together, and who rises in order."""
    found = progress(
        tmp_path,
        assessment(
            day(0),
            vm("a", "AA-1"),
            vm("b", "AA-1", "AA-2", "BB-1"),
            vm("c", opened("AA-2", Status.UNKNOWN), "AA-1"),
            vm("d", "BB-1", "CC-1"),
            vm("e", opened("AA-1", Status.NOT_APPLICABLE)),
        ),
    )
    assert [
        ("AA-1", 3, 1, 1, 0, Whose.OURS),
        ("AA-2", 2, 0, 3, 1, Whose.OTHER_TEAM),
        ("BB-1", 1, 1, 1, 0, Whose.OURS),
    ] == [
        (one.control, one.together, one.alone, one.unlocked, one.unknown, one.whose) for one in found.blockers
    ]
    assert ("AA-1",) == next(one.ours for one in found.vms if one.name == "b")
    assert ("AA-2",) == next(one.others for one in found.vms if one.name == "b")


def test_the_controls_of_subscriptions_are_counted_apart(tmp_path):
    """What a subscription lacks holds subscriptions back, not VMs."""
    found = progress(tmp_path, assessment(day(0), vm("a"), own=(opened("AA-2"),)))
    assert [("AA-2", "subscription", 1)] == [(one.control, one.scope, one.together) for one in found.blockers]
    assert [LevelReached(Level.NONE, Level.BASIC)] == [one.level for one in found.of_kind("subscription")]


def test_groups_name_what_they_miss(tmp_path):
    """Applications and owners have levels, a score then and now, and what is missing, ours and others'."""
    found = progress(
        tmp_path,
        assessment(day(0), vm("a", "AA-1", "AA-2"), vm("b", application=None, owner=None)),
        assessment(
            day(1), vm("a", "AA-2"), vm("b", application=None, owner=None), vm("c", application="wiki")
        ),
    )
    shop = next(one for one in found.of_kind("application") if one.name == "shop")
    assert ((), (Hold("AA-2", 1),), 1, 1) == (shop.ours, shop.others, shop.vms, shop.vms_first)
    # Two controls of weight 3 are open at first, of a weight of 9 in all; then one is.
    assert (33.34, 33.34, 66.67) == (shop.score_first, shop.score_before, shop.score)
    names = {one.name: (one.score_first, one.vms_first) for one in found.of_kind("application")}
    assert {"(no application)": (100.0, 1), "shop": (33.34, 1), "wiki": (None, 0)} == names
    assert ["(no owner)", "Ada"] == [one.name for one in found.of_kind("owner")]


def test_growth_is_apart_from_movement(tmp_path):
    """VMs that came and went are counted beside those whose level rose or fell."""
    found = progress(
        tmp_path,
        assessment(day(0), vm("a", "AA-1"), vm("b"), vm("gone"), vm("same", "BB-1")),
        assessment(day(1), vm("a"), vm("b", "CC-1"), vm("new", "AA-1"), vm("newer"), vm("same", "BB-1")),
    ).latest
    assert (2, 1, 1, 1) == (found.came, found.went, found.risen, found.fallen)


def test_drift_is_whatever_was_once_satisfied(tmp_path):
    """What an earlier snapshot shows satisfied and the latest does not is drift, with the day and the run."""
    record_run(tmp_path, run("b"))
    found = progress(
        tmp_path,
        assessment(day(0), vm("a"), vm("b", tl=READY), vm("c", tl=READY)),
        assessment(day(1), vm("a", tl=READY), vm("b"), vm("c", tl=READY)),
        assessment(day(2), vm("a", tl=READY), vm("b", tl=READY), vm("c", tl=READY)),
    )
    assert [("b", day(1), "abc-wave-1"), ("a", day(0), "")] == [
        (one.name, one.last_satisfied, one.upgraded_by) for one in found.drift
    ]


def test_the_last_snapshot_of_a_day_stands_for_it(tmp_path):
    """Two results of one day are one point, the later one; the report says that one was left out."""
    found = progress(tmp_path, assessment(day(0), vm("a", "AA-1")), assessment(day(0), vm("a")))
    assert (1, 1, (0, 0, 0, 1)) == (len(found.points), found.left_out, found.latest.raw)


def test_a_report_ends_where_it_is_told(tmp_path):
    """What came after the snapshot that is asked for has no part in the report, nor has another estate."""
    made = [assessment(day(number), vm("a")) for number in range(3)]
    found = progress(
        tmp_path, *made, assessment(day(9), vm("x"), name="other"), at=str(day(1)), estate="fleet"
    )
    assert [day(0), day(1)] == [one.as_of for one in found.points]


def test_nothing_later_is_told(tmp_path):
    """A report that ends earlier is byte by byte the one that could be made on its day."""
    made = [assessment(day(n), vm("a", *("AA-1",) * (n < 2)), vm("b", tl=READY)) for n in range(4)]
    early = progress(tmp_path, *made[:2])
    record_run(tmp_path, replace(run("a", name="later"), started_at=noon(2), ended_at=noon(2)))
    again = progress(tmp_path, *made[2:], at=str(day(1)))
    assert encode(early) == encode(again)
    assert ["later"] == [one.id for one in progress(tmp_path).runs]
    assert ["later"] == [one.id for one in progress(tmp_path, at=str(day(2))).runs]


@pytest.mark.parametrize("ended", [None, 2])
def test_a_run_that_went_on_later_is_told_as_begun(tmp_path, ended):
    """The history keeps how a run ended last: on a day before that only its beginning is known."""
    made = [assessment(day(0), vm("a")), assessment(day(1), vm("a", tl=READY)), assessment(day(2), vm("a"))]
    going = replace(
        run("a", "b"), ended_at=ended and noon(ended), held="no time left", snapshots=3, audit_head="f" * 64
    )
    record_run(tmp_path, going)
    found = progress(tmp_path, *made, at=str(day(1)))
    assert [(None, "", 0, "")] == [
        (one.ended_at, one.held, one.snapshots, one.audit_head) for one in found.runs
    ]
    assert [("remaining", False, (), None)] * 2 == [
        (one.outcome, one.succeeded, one.actions, one.downtime_seconds) for one in found.runs[0].vms
    ]
    assert [""] == [one.upgraded_by for one in found.drift]
    assert (going,) == progress(tmp_path).runs


def test_a_run_that_ended_by_then_is_told_whole(tmp_path):
    """Of what was over, nothing is left out, and what was lost after it is drift."""
    record_run(tmp_path, run("a"))
    made = [assessment(day(0), vm("a")), assessment(day(1), vm("a", tl=READY)), assessment(day(2), vm("a"))]
    found = progress(tmp_path, *made, at=str(day(1)))
    assert (run("a"),) == found.runs
    assert ["abc-wave-1"] == [one.upgraded_by for one in found.drift]


def test_a_plan_of_later_is_refused(tmp_path):
    """Nobody could forecast from a plan that was not made yet; from the latest snapshot anybody can."""
    made = small_estate()
    write_plan(tmp_path / "plan", replace(made, digest=digest_of(made)))
    weeks = [assessment(day(0), vm("a")), assessment(day(1), vm("a"))]
    with pytest.raises(UsageError, match="after 2026-06-01: nobody could forecast") as refused:
        progress(tmp_path, *weeks, at="first", plan=tmp_path / "plan")
    assert "--plan" in refused.value.remedy


def test_days_left_count_from_the_snapshot(tmp_path):
    """Exceptions are ordered by their end, counted from the day of the latest snapshot and not from today."""
    found = progress(
        tmp_path,
        replace(
            assessment(day(1), vm("a")), exceptions=(permission("late", day(3)), permission("over", day(0)))
        ),
    )
    assert [("over", -7), ("late", 14)] == [(one.exception.id, one.days_left) for one in found.exceptions]


def test_a_plan_for_other_vms_is_refused(tmp_path):
    """A plan that names no VM of the history forecasts nothing: it is refused."""
    made = small_estate()
    write_plan(tmp_path / "plan", replace(made, digest=digest_of(made)))
    with pytest.raises(UsageError, match="is for other VMs"):
        progress(tmp_path, assessment(day(0), vm("a")), plan=tmp_path / "plan")


def test_the_same_history_gives_the_same_bytes(tmp_path):
    """Every file of a report is the same each time it is made."""
    made = progress(tmp_path, *(assessment(day(n), vm("a", "AA-1"), vm("b", tl=READY)) for n in range(4)))
    again = progress(tmp_path)
    first, second = write(made, tmp_path / "one"), write(again, tmp_path / "two")
    assert [file.read_bytes() for file in first.files] == [file.read_bytes() for file in second.files]
    assert "readiness/progress/1" == json.loads(first.files[0].read_bytes())["format"]


def test_an_estate_without_vms_has_a_report(tmp_path):
    """Nothing to count is said, and divides by nothing."""
    found = progress(tmp_path, assessment(day(0)), assessment(day(1)))
    assert (None, (0, 0, 0, 0)) == (found.latest.score, found.latest.raw)
    assert 21 == len(write(found, tmp_path / "out").files)


@pytest.mark.parametrize(
    "text", ["=1+1", "<script>alert(1)</script>", "a|b\nc", "\u202eevil", "`x`](y)", "x" * 32_768]
)
def test_hostile_names_are_text_in_every_form(tmp_path, text):
    """In CSV no cell begins a formula; in Markdown no tag, new cell or turned writing comes of a name."""
    made = progress(tmp_path, assessment(day(0), vm("a", "AA-1", application=text)))
    written = write(made, tmp_path / "out", ("json", "csv", "md"))
    files = {file.name: file.read_text(encoding="utf-8-sig") for file in written.files}
    assert text == json.loads(files["progress.json"])["vms"][0]["application"]
    assert ",=" not in files["progress-vms.csv"]
    assert "\n=" not in files["progress-by-application.csv"]
    page = files["progress.md"]
    assert not {"<", "\u202e"} & set(page)
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len(lines) == sum(1 for line in lines if line.endswith(" |"))
