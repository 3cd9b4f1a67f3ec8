"""The progress workbook: its charts and its first page."""

import re

from msgspec.structs import replace

from readiness.model.levels import Level
from reports.progress_workbook import progress_workbook
from reports.tables.progress_pareto import progress_pareto
from tests.reports.dump import column, opened
from tests.reports.kinds import charts, drawn
from tests.reports.progresses import rising


def test_levels_are_stacked_over_time():
    """The first chart stacks the VMs of every snapshot, Level 3 at the bottom, with its numbers in it."""
    progress = rising()
    (chart, *_) = charts(progress_workbook(progress))
    assert "<areaChart>" in chart
    assert "<dateAx>" in chart
    assert '<grouping val="stacked"' in chart
    assert [[str(point.raw[level]) for point in progress.points] for level in (3, 2, 1, 0)] == drawn(chart)


def test_burn_up_stands_against_its_targets():
    """The second chart has the shares, which end today, and two targets that go on to the whole."""
    progress = rising()
    chart = charts(progress_workbook(progress))[1]
    one, two, three, year, longer = drawn(chart)
    assert [len(progress.points)] * 3 == [len(one), len(two), len(three)]
    assert [1.0, 1.0] == [float(year[-1]), float(longer[-1])]
    assert 'prstDash val="sysDash"' in chart


def test_pareto_shows_what_work_is_worth():
    """The third chart counts VMs held back, and beside them the share that rises, on an axis of its own."""
    progress = rising()
    chart = charts(progress_workbook(progress))[2]
    waiting = progress.latest.raw[0]
    held, risen = drawn(chart)
    assert ["6", "5", "4", "3"] == held
    assert [round((number + 1) / waiting, 6) for number in range(4)] == [float(one) for one in risen]
    assert 2 == chart.count("<valAx>")


def test_pareto_is_of_the_level_where_most_wait():
    """Controls of another level are not mixed in, and neither are those of subscriptions."""
    progress = rising()
    heaviest = progress.blockers[0]
    other = replace(heaviest, level=Level.FULL, together=99)
    own = replace(heaviest, scope="subscription", together=50)
    found = progress_pareto(replace(progress, blockers=(*progress.blockers, other, own)))
    assert (1, 4, progress.latest.raw[0]) == (found.level, len(found.blockers), found.waiting)


def test_nothing_blocks():
    """An estate that nothing holds back has a workbook that says so, without a chart of nothing."""
    data = progress_workbook(replace(rising(), blockers=()))
    assert 2 == len(charts(data))
    shown = [cell.value for row in opened(data)["Summary"].iter_rows() for cell in row]
    assert "No control holds a VM back from its next level." in shown


def test_first_snapshot():
    """One snapshot is enough for a workbook; a bar stands where an area would have no width."""
    progress = rising()
    data = progress_workbook(replace(progress, points=progress.points[-1:]))
    assert "<barChart>" in charts(data)[0]
    shown = [cell.value for row in opened(data)["Summary"].iter_rows() for cell in row]
    assert "This is the first snapshot: there is nothing to compare it with yet." in shown


def test_exceptions_show_their_days_left():
    """An expired exception has days below zero and is said to be expired."""
    sheet = opened(progress_workbook(rising()))["Exceptions"]
    assert [-3, 12, 90] == column(sheet, "Days left")
    assert ["expired", "ends soon", "holds"] == column(sheet, "State")


def test_the_summary_shows_shares_as_shares():
    """No share on the first page is a bare fraction or a date."""
    sheet = opened(progress_workbook(rising()))["Summary"]
    facts = {row[1].value: row[3].value for row in sheet.iter_rows() if row[1].value}
    assert re.fullmatch(r"\d+\.\d%", facts["Share on Level 1 or above"])
    assert "84.0" == facts["Posture score"]
