"""The lists of single VMs of the pages are searched and turned from the keyboard, in a real browser."""

import re

import pytest

from reports.page import progress_page
from reports.wave_page import wave_page
from tests.reports.progresses import rising
from tests.reports.wave_reports import after_the_window

pytestmark = pytest.mark.page


def test_vms_are_paged_and_found_by_keyboard(show):
    """The list is turned, narrowed by a word and by a level, and says aloud where one is."""
    from playwright.sync_api import expect

    with show(progress_page(rising(vms=120))) as opened:
        tab, status = opened.tab, opened.tab.locator("[role=status]")
        expect(status).to_have_text("120 VMs, page 1 of 3")
        tab.get_by_role("button", name="Next page").focus()
        tab.keyboard.press("Enter")
        expect(status).to_have_text("120 VMs, page 2 of 3")
        tab.locator("#vm-level").select_option("3")
        expect(status).to_have_text("30 VMs, page 1 of 1")
        tab.get_by_label(re.compile("^Name, application")).focus()
        tab.keyboard.type("VM-119")
        expect(status).to_have_text("1 VM, page 1 of 1")
        cells = ["vm-119", "shop 2", "Ada", "Production", "3", "3", "75.5", "", ""]
        expect(tab.locator("#vms tbody tr > *")).to_have_text(cells)


def test_steps_are_found_by_keyboard(show):
    """The list is turned, narrowed by a word and by an outcome, and opens a VM's steps."""
    from playwright.sync_api import expect

    with show(wave_page(after_the_window(vms=70))) as opened:
        tab, status = opened.tab, opened.tab.locator("#steps [role=status]")
        expect(status).to_have_text("70 VMs, page 1 of 3")
        tab.get_by_role("button", name="Next page").focus()
        tab.keyboard.press("Enter")
        expect(status).to_have_text("70 VMs, page 2 of 3")
        tab.locator("#vm-end").select_option("stranded")
        expect(status).to_have_text("10 VMs, page 1 of 1")
        tab.get_by_label(re.compile("^Name, application")).focus()
        tab.keyboard.type("VM-12")
        expect(status).to_have_text("1 VM, page 1 of 1")
        tab.locator("#vm-list summary").focus()
        tab.keyboard.press("Enter")
        rows = tab.locator("#vm-list tbody tr")
        expect(rows).to_have_count(12)
        cells = rows.nth(3).locator("td").all_inner_texts()
        assert ["preparation", "1", "prove-model", "failed", "2027-03-03 21:02:00", "40"] == cells[:6]
