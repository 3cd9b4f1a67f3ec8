"""What holds for the page of the progress and for that of a wave, in a real browser.

They open at once, ask for nothing, and everybody can read them.
"""

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from reports.page import LARGEST, progress_page
from reports.wave_page import wave_page
from tests.page.conftest import each_look
from tests.page.largest import largest_progress, largest_wave
from tests.reports.progresses import NASTY, rising, saying
from tests.reports.wave_reports import after_the_window

pytestmark = pytest.mark.page


class Page(NamedTuple):
    """A page as most see it, with hostile names, as large as it becomes, and what is to be found in it."""

    usual: bytes
    short: bytes  # without hundreds of equal tables
    hostile: bytes
    largest: bytes
    first: str  # where the first row of its list stands
    says: str  # what its list says of the largest
    charts: int
    painted: str
    light: str
    scripted: str  # what needs scripts
    without: tuple[str, ...]  # what is said without them


def _progress():
    page = progress_page(rising(vms=120))
    return Page(
        usual=page,
        short=page,
        hostile=progress_page(rising(saying(list(NASTY)), vms=60)),
        largest=largest_progress(),
        first="#vms tbody tr",
        says="100,000 VMs, page 1 of 2000",
        charts=4,
        painted="--level-3",
        light="rgb(26, 95, 120)",
        scripted="#vms",
        without=("The list of single VMs needs scripts", "Between 2027-09-01 and 2028-02-01."),
    )


def _wave():
    return Page(
        usual=wave_page(after_the_window(vms=70)),
        short=wave_page(after_the_window()),
        hostile=wave_page(after_the_window(saying(list(NASTY)), vms=9)),
        largest=largest_wave(),
        first="#vm-list details",
        says="1,000 VMs, page 1 of 40",
        charts=2,
        painted="--kind-outage",
        light="rgb(26, 95, 120)",
        scripted="#steps",
        without=("The steps of every VM need scripts", "readiness close plan --wave 3"),
    )


@pytest.fixture(scope="module", params=[_progress, _wave], ids=["progress", "wave"])
def page(request):
    """One of the pages."""
    return request.param()


@pytest.fixture
def name(request):
    """What a picture of the test is called."""
    return request.node.name.removeprefix("test_").replace("[", "-").removesuffix("]")


@each_look
def test_opens_and_asks_for_nothing(show, page, look, name):
    """Nothing goes wrong, nothing but the file is asked for, and nothing is wider than the screen."""
    with show(page.usual, look) as opened:
        assert [] == opened.said
        assert 1 == len(opened.asked)
        assert opened.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        opened.keep(name)


@each_look
def test_can_be_read_by_everybody(show, page, look):
    """An audit of contrast, names, headings and landmarks finds nothing, tables opened or closed."""
    from axe_playwright_python.sync_playwright import Axe

    with show(page.short, look, bypass_csp=True) as opened:
        for step in ("closed", "opened"):
            if step == "opened":
                opened.unfold()
            found = Axe().run(opened.tab)
            assert 0 == found.violations_count, found.generate_report()


@each_look
def test_one_drawing_of_each_chart_is_shown(show, page, look):
    """A phone sees the narrow drawings, everything else the wide ones, each in the colours of its theme."""
    with show(page.usual, look) as opened:
        shown = opened.tab.locator("svg.chart:visible")
        names = {shown.nth(number).get_attribute("class") for number in range(shown.count())}
        expected = "chart narrow" if look == "phone" else "chart wide"
        assert (page.charts, {expected}) == (shown.count(), names)
        drawn = opened.tab.evaluate(
            "name => getComputedStyle(document.querySelector(`svg.chart [fill='var(${name})']`)).fill",
            page.painted,
        )
        assert {"dark": "rgb(165, 220, 236)"}.get(look, page.light) == drawn


@each_look
def test_no_word_of_a_chart_is_cut_off(show, page, look):
    """Every word of a drawing lies within it."""
    with show(page.usual, look) as opened:
        outside = opened.tab.evaluate(
            """() => [...document.querySelectorAll('svg.chart text')].filter(one => {
                const whole = one.ownerSVGElement.getBoundingClientRect(), part = one.getBoundingClientRect();
                return part.width && (part.left < whole.left - 1 || part.right > whole.right + 1);
            }).map(one => one.textContent)"""
        )
        assert [] == outside


def test_has_what_matters_without_scripts(show, page):
    """Without scripts everything but the list of single VMs is there, and the page says so."""
    with show(page.usual, java_script_enabled=False) as opened:
        assert not opened.tab.locator(page.scripted).is_visible()
        for said in page.without:
            assert opened.tab.get_by_text(said).first.is_visible()
        assert page.charts == opened.tab.locator("svg.chart:visible").count()


@each_look
def test_hostile_text_is_shown_and_nothing_more(show, page, look, name):
    """Markup, scripts and handlers in names are letters on the screen, and run nowhere."""
    with show(page.hostile, look) as opened:
        tab = opened.tab
        opened.unfold()
        assert "undefined" == tab.evaluate("typeof window.hit")
        assert 0 == tab.locator("img, iframe, object, embed, link, form, base").count()
        assert 2 == tab.locator("script").count()
        names = "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
        assert [] == [name for name in tab.evaluate(names) if name.startswith("on")]
        shown = tab.locator(f"{page.scripted} bdi", has_text="<script>window.hit = 1</script>")
        assert shown.first.is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [] == opened.said
        # With everything open a page is taller than a picture can be.
        opened.unfold(unfolded=False)
        opened.keep(name)


def test_what_slips_through_neither_runs_nor_calls(show, page):
    """Even markup that stands in the page itself is stopped by its policy."""
    slipped = (
        b"<script>window.hit = 1</script><img src='https://example.invalid/x.png' onerror='window.hit = 2'>"
        b"<p style='color: red' id='slipped'>x</p></main>"
    )
    with show(page.usual.replace(b"</main>", slipped)) as opened:
        assert "undefined" == opened.tab.evaluate("typeof window.hit")
        assert "rgb(255, 0, 0)" != opened.tab.evaluate(
            "getComputedStyle(document.getElementById('slipped')).color"
        )
        assert opened.said
        assert all("Content Security Policy" in one for one in opened.said)


def test_prints(show, page, name):
    """On paper there is no control to press, and the tables are dark on light."""
    with show(page.usual, "dark") as opened:
        opened.tab.emulate_media(media="print")
        assert not opened.tab.locator(page.scripted).is_visible()
        assert not opened.tab.locator("nav").is_visible()
        assert "rgb(255, 255, 255)" == opened.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        made = opened.tab.pdf(format="A4", print_background=True)
        assert made.startswith(b"%PDF")
        if "PICTURES" in os.environ:
            (Path(os.environ["PICTURES"]) / f"{name}.pdf").write_bytes(made)


def test_the_largest_is_small_and_opens(show, page):
    """100,000 VMs of 3,000 applications, or a wave of 1,000 with their steps, are at most 5 MB and open."""
    assert len(page.largest) <= LARGEST
    with show(page.largest) as opened:
        assert page.says == opened.tab.locator(f"{page.scripted} [role=status]").inner_text()
        assert opened.tab.locator(page.first).first.is_visible()
        assert [] == opened.said
