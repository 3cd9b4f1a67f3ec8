"""The workbook of a wave: its charts, heads and words."""

from msgspec.structs import replace

from readiness.model.wave_report import End
from reports.tables.wave import state_in_words
from reports.wave_workbook import wave_workbook
from tests.reports.dump import column, opened
from tests.reports.kinds import charts, drawn
from tests.reports.wave_reports import HEAD, after_the_window, nothing_away


def test_outcomes_are_stacked_by_stage():
    """The first chart has one column a stage, and its stacks add up to the VMs of each."""
    report = after_the_window()
    (chart, _) = charts(wave_workbook(report))
    series = [[int(number) for number in numbers] for numbers in drawn(chart)]
    assert [sum(one.counts.values()) for one in report.stages] == [
        sum(parts) for parts in zip(*series, strict=True)
    ]


def test_outages_stand_beside_their_plan():
    """The second chart has measured and planned minutes of each VM, furthest beyond its plan first.

    The numbers are whole minutes, rounded up.
    """
    away, planned = drawn(charts(wave_workbook(after_the_window()))[1])
    assert ["39", "7", "7", "7", "7", "7"] == away
    assert {"14"} == set(planned)


def test_nothing_was_away():
    """A wave that was only prepared has one chart, and says that it is unfinished."""
    data = wave_workbook(nothing_away())
    assert 1 == len(charts(data))
    shown = [cell.value for row in opened(data)["Summary"].iter_rows() for cell in row]
    assert "Unfinished: its outage has not begun." in shown


def test_heads_stand_on_the_first_page_and_on_their_own():
    """The head of each chain is printed on the cover, and a chain that does not hold says from where."""
    workbook = opened(wave_workbook(after_the_window()))
    cover = [cell.value for row in workbook["Summary"].iter_rows() for cell in row]
    assert 2 <= cover.count(HEAD)
    assert [HEAD, HEAD] == column(workbook["Audit"], "Head of the audit chain")
    assert ["does not hold from event 17", "holds"] == column(workbook["Audit"], "Chain")


def test_every_step_of_every_try_is_listed_with_its_evidence():
    """The sheet of steps has one row a step, tries counted."""
    report = after_the_window()
    sheet = opened(wave_workbook(report))["Steps"]
    told = [step for vm in report.vms for passage in vm.passages for step in passage.steps]
    assert [step.evidence for step in told] == column(sheet, "Evidence")
    assert {1, 2} == set(column(sheet, "Try"))


def test_outcomes_add_up():
    """The counts of a report are a partition of its VMs."""
    report = after_the_window(vms=23)
    assert len(report.vms) == sum(report.counts.values())


def test_the_state_in_words():
    """Finished, to be closed, and unfinished are three things."""
    report = after_the_window()
    over = replace(report, stages=tuple(replace(one, is_unfinished=False) for one in report.stages))
    closing = "1 of 7 VMs stranded. Its outage is over; 1 of 7 VMs are still to be closed."
    assert closing == state_in_words(over)
    done = replace(over, vms=tuple(replace(vm, end=End.DONE) for vm in over.vms))
    assert "Finished: every VM came to an end." == state_in_words(done)
    back = replace(done, vms=(replace(done.vms[0], end=End.ROLLED_BACK), *done.vms[1:]))
    assert "Finished: every VM came to an end, 1 of 7 not upgraded." == state_in_words(back)
    assert state_in_words(report).startswith("Unfinished: outage under way or stopped. outage is held: 2 VMs")
