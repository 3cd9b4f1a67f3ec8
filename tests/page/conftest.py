"""A real Chromium without a window, and pages opened in it from their files.

A browser answers when it can: what a page becomes after a key or a click is waited for (`expect`), never
asked once. Set PICTURES to a folder to look at what was opened.
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
PATIENCE = 60_000  # milliseconds; only a browser that hangs takes as long

each_look = pytest.mark.parametrize("look", LOOKS)


class Opened:
    """A page in a browser, with all that it said on the console and all that it asked for."""

    def __init__(self, tab, file):
        self.tab = tab
        self.said = []
        self.asked = []
        tab.set_default_timeout(PATIENCE)
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.goto(file.as_uri())

    def unfold(self, *, unfolded=True):
        """Open everything that can be opened, or close it, and wait until the page has answered all of it."""
        # A `details` element says that it was opened in a task of its own, and those tasks come in order.
        self.tab.evaluate(
            """unfolded => new Promise(done => {
                const all = [...document.querySelectorAll('details')].filter(one => one.open !== unfolded);
                if (!all.length) done();
                else all.at(-1).addEventListener('toggle', () => setTimeout(done), {once: true});
                for (const one of all) one.open = unfolded;
            })""",
            unfolded,
        )

    def keep(self, name):
        """Save a picture of the whole page where somebody asked for it."""
        if "PICTURES" in os.environ:
            self.tab.screenshot(path=Path(os.environ["PICTURES"]) / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), timeout=3 * PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def show(chromium, tmp_path):
    """Opens bytes as a file in one of the looks."""

    @contextmanager
    def opened(page, look="light", **more):
        file = tmp_path / "page.html"
        file.write_bytes(page)
        context = chromium.new_context(**LOOKS[look], **more)
        try:
            yield Opened(context.new_page(), file)
        finally:
            context.close()

    return opened
