"""A real Chromium without a window, and pages opened in it from their files."""

import shutil
from contextlib import contextmanager

import pytest

LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}


class Opened:
    """A page in a browser, with all that it said on the console and all that it asked for."""

    def __init__(self, tab, file):
        self.tab = tab
        self.said = []
        self.asked = []
        tab.set_default_timeout(5_000)
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.goto(file.as_uri())


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        yield browser
        browser.close()


@pytest.fixture
def show(chromium, tmp_path):
    """Opens bytes as a file in one of the looks."""

    @contextmanager
    def opened(page, look="light", **more):
        file = tmp_path / "progress.html"
        file.write_bytes(page)
        context = chromium.new_context(**LOOKS[look], **more)
        try:
            yield Opened(context.new_page(), file)
        finally:
            context.close()

    return opened
