"""The page of a wave: it says all in words, and never grows too large."""

import json
import re
from datetime import timedelta

import pytest
from lxml import etree
from msgspec.structs import replace

from readiness.model.wave_report import End
from reports.page_parts import LARGEST
from reports.wave_page import wave_page
from reports.wave_rows import wave_rows
from reports.wave_time import TimeLine
from tests.reports.kinds import drawings, parsed
from tests.reports.wave_reports import CLOSES, HEAD, OPENS, PREPARED, after_the_window, nothing_away


@pytest.fixture(scope="module")
def page():
    """The page of a wave whose outage is over."""
    return wave_page(after_the_window())


def test_every_drawn_vm_has_its_name_and_outcome_in_words(page):
    """No VM of the chart over time is told by colour alone."""
    (drawing, *_) = drawings(page)
    texts = [element.text for element in etree.fromstring(drawing).iter("{*}text")]
    for vm in after_the_window().vms:
        assert vm.name in texts
        assert texts.count(vm.end.value) == sum(1 for one in after_the_window().vms if one.end is vm.end)


def test_what_matters_is_there_without_scripts(page):
    """Outcomes, what is left, the command, sign-offs, failures and heads are plain HTML."""
    said = parsed(page).xpath("string(//main)")
    for text in ("1 stranded", "readiness close plan --wave 3", "CHG-7", "AgentSilent", HEAD, "measured"):
        assert text in said
    assert "hidden" in parsed(page).xpath("//section[@id='steps']")[0].attrib


def test_an_unfinished_wave_says_so(page):
    """The first sentence is an alarm as long as a stage has VMs that have not come to an end."""
    (alarm,) = parsed(page).xpath("//p[@class='alarm']")
    assert alarm.text_content().startswith("Unfinished: outage under way or stopped")


def test_every_step_can_be_looked_up(page):
    """The rows of the drill-down hold every step of every try, with what it came to."""
    rows = json.loads(parsed(page).xpath("string(//script[@id='vm-rows'])"))
    report = after_the_window()
    assert {vm.name for vm in report.vms} == {row[0] for row in rows["vms"]}
    by_name = {row[0]: row for row in rows["vms"]}
    for vm in report.vms:
        told = [step.detail for passage in vm.passages for step in passage.steps]
        assert told == [rows["texts"][step[8]] for step in by_name[vm.name][10]]


def test_a_wave_of_a_thousand_vms_is_small():
    """A page of 1,000 VMs with all their steps has at most 5 MB and holds all of them."""
    made = wave_page(after_the_window(vms=1_000))
    assert len(made) <= LARGEST
    assert " of 1,000 VMs; the workbook" not in made.decode()


@pytest.mark.parametrize("letter", ["<", "😀"])
def test_never_grows_too_large(letter):
    """Long names of any kind do not make the page larger than it may be; it says what has no room."""
    count = iter(range(10_000_000))
    made = wave_page(after_the_window(lambda usual: f"{letter * 300}{usual}{next(count)}", vms=1_500))
    assert LARGEST >= len(made) > LARGEST // 2
    assert re.search(r"of 1,500 VMs; the workbook", made.decode())


def test_those_that_need_a_person_have_room_first():
    """VMs that are left out for want of room are none of those that somebody has to look at."""
    report = after_the_window(vms=70)
    rows, listed = wave_rows(report, 16_000)
    kept = [row[3] for row in json.loads(rows)["vms"]]
    assert listed == len(kept) < 70
    assert 30 == sum(1 for end in kept if list(End)[end] in (End.ROLLED_BACK, End.UNDECIDED, End.STRANDED))


def test_nothing_was_away():
    """A wave that was only prepared has a page without a picture of nothing."""
    tree = parsed(wave_page(nothing_away()))
    assert 1 == len(tree.xpath("//figure"))
    assert "Unfinished: its outage has not begun." in tree.text_content()
    assert "No VM was away." in tree.text_content()


def test_time_goes_forward_and_idle_days_are_left_out():
    """Later is further right, within the plot; three idle days take no more room than a break."""
    line = TimeLine([(OPENS, CLOSES), (PREPARED, PREPARED + timedelta(minutes=6))], 100, 700)
    moments = [PREPARED, PREPARED + timedelta(minutes=6), OPENS, OPENS + timedelta(hours=3), CLOSES]
    places = [line.at(moment) for moment in moments]
    assert places == sorted(places)
    assert (100, 700) == (places[0], places[-1])
    assert places[2] - places[1] < 20
    assert 1 == len(list(line.breaks()))
    assert places[3] - places[2] == pytest.approx(places[4] - places[3], abs=0.1)


def test_a_report_without_vms_has_a_page():
    """A wave without any VM breaks nothing."""
    report = nothing_away()
    empty = replace(report, vms=(), windows=())
    assert b"Unfinished" in wave_page(empty)
