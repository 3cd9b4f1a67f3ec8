"""The page of a wave in a real browser: it opens at once, asks for nothing, and everybody can read it.

Set PICTURES to a folder to look at what was opened.
"""

import re
import time
from pathlib import Path

import pytest

from reports.page_parts import LARGEST
from reports.wave_page import wave_page
from tests.page.test_in_chromium import each_look, keep
from tests.reports.progresses import NASTY, saying
from tests.reports.wave_reports import after_the_window

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def page():
    """The page of a wave of 70 VMs whose outage is over."""
    return wave_page(after_the_window(vms=70))


@each_look
def test_opens_and_asks_for_nothing(show, page, look):
    """Nothing goes wrong, nothing but the file is asked for, and nothing is wider than the screen."""
    with show(page, look) as opened:
        assert [] == opened.said
        assert 1 == len(opened.asked)
        assert opened.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep(opened.tab, f"wave-{look}")


@each_look
def test_can_be_read_by_everybody(show, look):
    """An audit of contrast, names, headings and landmarks finds nothing, tables opened or closed."""
    from axe_playwright_python.sync_playwright import Axe

    with show(wave_page(after_the_window()), look, bypass_csp=True) as opened:
        for step in ("closed", "opened"):
            if step == "opened":
                opened.tab.evaluate(
                    "document.querySelectorAll('details').forEach(one => { one.open = true })"
                )
            found = Axe().run(opened.tab)
            assert 0 == found.violations_count, found.generate_report()


@each_look
def test_one_drawing_of_each_chart_is_shown(show, page, look):
    """A phone sees the narrow drawings, everything else the wide ones, each in the colours of its theme."""
    with show(page, look) as opened:
        shown = opened.tab.locator("svg.chart:visible")
        names = {shown.nth(number).get_attribute("class") for number in range(shown.count())}
        assert (2, {"chart narrow" if look == "phone" else "chart wide"}) == (shown.count(), names)
        drawn = opened.tab.evaluate(
            "getComputedStyle(document.querySelector('svg.chart [fill=\"var(--kind-outage)\"]')).fill"
        )
        assert {"dark": "rgb(165, 220, 236)"}.get(look, "rgb(26, 95, 120)") == drawn


@each_look
def test_no_word_of_a_chart_is_cut_off(show, page, look):
    """Every name, outcome and time of a drawing lies within it."""
    with show(page, look) as opened:
        outside = opened.tab.evaluate(
            """() => [...document.querySelectorAll('svg.chart text')].filter(one => {
                const whole = one.ownerSVGElement.getBoundingClientRect(), part = one.getBoundingClientRect();
                return part.width && (part.left < whole.left - 1 || part.right > whole.right + 1);
            }).map(one => one.textContent)"""
        )
        assert [] == outside


def test_has_what_matters_without_scripts(show, page):
    """Without scripts everything but the steps of each VM is there, and the page says so."""
    with show(page, java_script_enabled=False) as opened:
        assert not opened.tab.locator("#steps").is_visible()
        assert opened.tab.get_by_text("The steps of every VM need scripts").is_visible()
        assert opened.tab.get_by_text("readiness close plan --wave 3").is_visible()
        assert 2 == opened.tab.locator("svg.chart:visible").count()


def test_steps_are_found_by_keyboard(show, page):
    """The list is turned, narrowed by a word and by an outcome, and opens a VM's steps."""
    with show(page) as opened:
        tab, status = opened.tab, opened.tab.locator("#steps [role=status]")
        assert "70 VMs, page 1 of 3" == status.inner_text()
        tab.get_by_role("button", name="Next page").focus()
        tab.keyboard.press("Enter")
        assert "70 VMs, page 2 of 3" == status.inner_text()
        tab.locator("#vm-end").select_option("stranded")
        assert "10 VMs, page 1 of 1" == status.inner_text()
        tab.get_by_label(re.compile("^Name, application")).focus()
        tab.keyboard.type("VM-12")
        assert "1 VM, page 1 of 1" == status.inner_text()
        tab.locator("#vm-list summary").focus()
        tab.keyboard.press("Enter")
        rows = tab.locator("#vm-list tbody tr")
        assert 12 == rows.count()
        cells = rows.nth(3).locator("td").all_inner_texts()
        assert ["preparation", "1", "prove-model", "failed", "2027-03-03 21:02:00", "40"] == cells[:6]


@each_look
def test_hostile_text_is_shown_and_nothing_more(show, look):
    """Markup, scripts and handlers in names are letters on the screen, and run nowhere."""
    with show(wave_page(after_the_window(saying(list(NASTY)), vms=9)), look) as opened:
        tab = opened.tab
        tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        tab.wait_for_timeout(200)
        assert "undefined" == tab.evaluate("typeof window.hit")
        assert 0 == tab.locator("img, iframe, object, embed, link, form, base").count()
        assert 2 == tab.locator("script").count()
        names = "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
        assert [] == [name for name in tab.evaluate(names) if name.startswith("on")]
        assert tab.locator("bdi", has_text="<script>window.hit = 1</script>").first.is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [] == opened.said
        # With everything open the page is taller than a picture can be.
        tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = false })")
        keep(tab, f"wave-hostile-{look}")


def test_prints(show, page):
    """On paper there is no control to press, and the tables are dark on light."""
    with show(page, "dark") as opened:
        opened.tab.emulate_media(media="print")
        assert not opened.tab.locator("#steps").is_visible()
        assert not opened.tab.locator("nav").is_visible()
        assert "rgb(255, 255, 255)" == opened.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert opened.tab.pdf(format="A4", print_background=True).startswith(b"%PDF")


def test_a_large_wave_opens_at_once(show):
    """1,000 VMs with their steps are at most 5 MB, and are there within two seconds."""
    made = wave_page(after_the_window(vms=1_000))
    assert len(made) <= LARGEST
    with show(b"<!DOCTYPE html><title>warm</title>") as opened:
        Path(opened.tab.url.removeprefix("file://")).write_bytes(made)
        began = time.perf_counter()
        opened.tab.reload()
        opened.tab.locator("#vm-list details").first.wait_for()
        took = time.perf_counter() - began
        assert "1,000 VMs, page 1 of 40" == opened.tab.locator("#steps [role=status]").inner_text()
        assert took <= 2
