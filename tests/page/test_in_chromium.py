"""The progress page in a real browser: it opens at once, asks for nothing, and everybody can read it.

Set PICTURES to a folder to look at what was opened.
"""

import os
import re
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.page import LARGEST, progress_page
from tests.page.conftest import LOOKS
from tests.reports.progresses import NASTY, rising, saying

pytestmark = pytest.mark.page

each_look = pytest.mark.parametrize("look", LOOKS)


@pytest.fixture(scope="module")
def page():
    """The page of a rising estate of 120 VMs."""
    return progress_page(rising(vms=120))


def keep(tab, name):
    """Save a picture of the whole page where somebody asked for it."""
    if "PICTURES" in os.environ:
        tab.screenshot(path=Path(os.environ["PICTURES"]) / f"{name}.png", full_page=True)


@each_look
def test_opens_and_asks_for_nothing(show, page, look):
    """Nothing goes wrong, nothing but the file is asked for, and nothing is wider than the screen."""
    with show(page, look) as opened:
        assert [] == opened.said
        assert 1 == len(opened.asked)
        assert opened.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep(opened.tab, look)


@each_look
def test_can_be_read_by_everybody(show, page, look):
    """An audit of contrast, names, headings and landmarks finds nothing, tables opened or closed."""
    from axe_playwright_python.sync_playwright import Axe

    with show(page, look, bypass_csp=True) as opened:
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
        assert (4, {"chart narrow" if look == "phone" else "chart wide"}) == (shown.count(), names)
        drawn = opened.tab.evaluate(
            "getComputedStyle(document.querySelector('svg.chart [fill=\"var(--level-3)\"]')).fill"
        )
        assert {"dark": "rgb(165, 220, 236)"}.get(look, "rgb(26, 95, 120)") == drawn


def test_has_its_aggregates_without_scripts(show, page):
    """Without scripts everything but the list of single VMs is there, and the page says so."""
    with show(page, java_script_enabled=False) as opened:
        assert not opened.tab.locator("#vms").is_visible()
        assert opened.tab.get_by_text("The list of single VMs needs scripts").is_visible()
        assert opened.tab.get_by_text("Between 2027-09-01 and 2028-02-01.").is_visible()
        assert 4 == opened.tab.locator("svg.chart:visible").count()


def test_vms_are_paged_and_found_by_keyboard(show, page):
    """The list is turned, narrowed by a word and by a level, and says aloud where one is."""
    with show(page) as opened:
        tab, status = opened.tab, opened.tab.locator("[role=status]")
        assert "120 VMs, page 1 of 3" == status.inner_text()
        tab.get_by_role("button", name="Next page").focus()
        tab.keyboard.press("Enter")
        assert "120 VMs, page 2 of 3" == status.inner_text()
        tab.locator("#vm-level").select_option("3")
        assert "30 VMs, page 1 of 1" == status.inner_text()
        tab.get_by_label(re.compile("^Name, application")).focus()
        tab.keyboard.type("VM-119")
        assert "1 VM, page 1 of 1" == status.inner_text()
        cells = tab.locator("#vms tbody tr > *").all_inner_texts()
        assert ["vm-119", "shop 2", "Ada", "Production", "3", "3", "75.5", "", ""] == cells


@each_look
def test_hostile_text_is_shown_and_nothing_more(show, look):
    """Markup, scripts and handlers in names are letters on the screen, and run nowhere."""
    with show(progress_page(rising(saying(list(NASTY)), vms=60)), look) as opened:
        tab = opened.tab
        assert "undefined" == tab.evaluate("typeof window.hit")
        assert 0 == tab.locator("img, iframe, object, embed, link, form, base").count()
        assert 2 == tab.locator("script").count()
        names = "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
        assert [] == [name for name in tab.evaluate(names) if name.startswith("on")]
        assert tab.locator("#vms bdi", has_text="<script>window.hit = 1</script>").first.is_visible()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [] == opened.said
        keep(tab, f"hostile-{look}")


def test_what_slips_through_neither_runs_nor_calls(show, page):
    """Even markup that stands in the page itself is stopped by its policy."""
    slipped = (
        b"<script>window.hit = 1</script><img src='https://example.invalid/x.png' onerror='window.hit = 2'>"
        b"<p style='color: red' id='slipped'>x</p></main>"
    )
    with show(page.replace(b"</main>", slipped)) as opened:
        assert "undefined" == opened.tab.evaluate("typeof window.hit")
        assert "rgb(255, 0, 0)" != opened.tab.evaluate(
            "getComputedStyle(document.getElementById('slipped')).color"
        )
        assert opened.said
        assert all("Content Security Policy" in one for one in opened.said)


def test_prints(show, page):
    """On paper there is no control to press, everything fits the width, and the tables are dark on light."""
    with show(page, "dark") as opened:
        opened.tab.emulate_media(media="print")
        assert not opened.tab.locator("#vms").is_visible()
        assert not opened.tab.locator("nav").is_visible()
        assert "rgb(255, 255, 255)" == opened.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        made = opened.tab.pdf(format="A4", print_background=True)
        assert made.startswith(b"%PDF")
        if "PICTURES" in os.environ:
            (Path(os.environ["PICTURES"]) / "print.pdf").write_bytes(made)


def test_a_large_estate_opens_at_once(show):
    """100,000 VMs of 3,000 applications are at most 5 MB, and are there within two seconds."""
    progress = rising(vms=100_000)
    applications = tuple(replace(progress.groups[2], name=f"shop {number}") for number in range(3_000))
    made = progress_page(replace(progress, groups=(*progress.groups, *applications)))
    assert len(made) <= LARGEST
    with show(b"<!DOCTYPE html><title>warm</title>") as opened:
        file = Path(opened.tab.url.removeprefix("file://"))
        file.write_bytes(made)
        began = time.perf_counter()
        opened.tab.reload()
        opened.tab.locator("#vms tbody tr").first.wait_for()
        took = time.perf_counter() - began
        assert "100,000 VMs, page 1 of 2000" == opened.tab.locator("[role=status]").inner_text()
        assert took <= 2
