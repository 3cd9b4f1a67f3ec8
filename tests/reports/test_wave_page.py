"""The page of a wave: one file that reaches for nothing, says all in words, and never grows too large."""

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree, html
from msgspec.structs import replace

from readiness.model.wave_report import End
from reports.page_parts import LARGEST
from reports.wave_page import wave_page
from reports.wave_rows import wave_rows
from reports.wave_time import TimeLine
from tests.reports.dump import snapshot
from tests.reports.wave_reports import CLOSES, HEAD, OPENS, PREPARED, after_the_window, nothing_away

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def page():
    """The page of a wave whose outage is over."""
    return wave_page(after_the_window())


def parsed(page):
    """Return the page as a tree."""
    return html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))


def test_looks_as_reviewed(page):
    """The page is as somebody last opened and accepted it."""
    seen = page.decode()
    assert snapshot("wave-page.html", seen) == seen


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(page, seed):
    """Another process in another time zone, with another order of its sets, gives the same page."""
    script = (
        "import hashlib\n"
        "from reports.wave_page import wave_page\n"
        "from tests.reports.wave_reports import after_the_window\n"
        "print(hashlib.sha256(wave_page(after_the_window())).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed, "TZ": "America/Lima", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert hashlib.sha256(page).hexdigest() == done.stdout.strip()


def test_reaches_for_nothing(page):
    """No element names anything outside the page, and the policy forbids every request."""
    tree = parsed(page)
    names = ("src", "href", "action", "data", "poster", "srcset", "xlink:href")
    outside = [
        (element.tag, name, value)
        for element in tree.iter()
        if isinstance(element.tag, str)
        for name, value in element.attrib.items()
        if name in names and value[:1] != "#"
    ]
    assert [] == outside
    assert b"@import" not in page
    assert b"url(" not in page
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none';")
    assert [] == tree.xpath("//@style")


def test_every_chart_has_a_name_and_a_table(page):
    """Each picture is named for who cannot see it, and a table under it says the same."""
    figures = parsed(page).xpath("//figure")
    assert 2 == len(figures)
    for figure in figures:
        drawings = figure.xpath(".//*[name()='svg' and @role='img']")
        assert [True, True] == [bool(drawing.get("aria-label")) for drawing in drawings]
        assert figure.xpath("./details//tbody/tr")


def test_drawings_are_well_formed_and_wear_the_colours_of_the_page(page):
    """Each drawing parses as XML, names no colour but the page's own, and each of these is defined."""
    text = page.decode()
    defined = set(re.findall(r"(--[\w-]+):", text))
    drawings = re.findall(r"<svg xmlns.*?</svg>", text, re.DOTALL)
    assert 4 == len(drawings)
    for drawing in drawings:
        root = etree.fromstring(drawing)
        colours = {
            element.get(name) for element in root.iter() for name in ("fill", "stroke") if element.get(name)
        }
        ours = {one[4:-1] for one in colours if one.startswith("var(")}
        assert {"none", "transparent"} >= {one for one in colours if not one.startswith("var(")}
        assert ours <= defined


def test_every_drawn_vm_has_its_name_and_outcome_in_words(page):
    """No VM of the chart over time is told by colour alone."""
    (drawing, *_) = re.findall(r"<svg xmlns.*?</svg>", page.decode(), re.DOTALL)
    texts = [element.text for element in etree.fromstring(drawing).iter("{*}text")]
    for vm in after_the_window().vms:
        assert vm.name in texts
        assert texts.count(vm.end.value) == sum(1 for one in after_the_window().vms if one.end is vm.end)


def test_headings_go_down_step_by_step(page):
    """There is one first heading, and no level is jumped over."""
    levels = [int(element.tag[1]) for element in parsed(page).iter("h1", "h2", "h3")]
    assert 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in pairwise(levels))


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
