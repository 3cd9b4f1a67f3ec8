"""Measures how long the largest pages take to open in Debian's Chromium. Prints; asserts nothing.

    python -m tests.benchmarks.page

A page counts as open when the first row of its list stands. An empty page opened in the same browser says
what the browser itself costs.
"""

import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from tests.page.largest import largest_progress, largest_wave

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_RUNS = 5


def main() -> None:
    """Make the pages, open each a few times, print."""
    program = shutil.which("chromium")
    if program is None:
        print("\npages: not measured, Debian's chromium is not installed")
        return
    from playwright.sync_api import sync_playwright

    print("\npage                      MB   open (median)   open (worst)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for name, page, first in (
            ("empty", b"<!DOCTYPE html><title>empty</title><p>nothing", "p"),
            ("progress, 100,000 VMs", largest_progress(), "#vms tbody tr"),
            ("wave, 1,000 VMs", largest_wave(), "#vm-list details"),
        ):
            file = Path(folder) / "page.html"
            file.write_bytes(page)
            spent = [_opened(browser, file, first) for _ in range(_RUNS)]
            print(f"  {name:22}{len(page) / 1e6:6.2f}{median(spent):14.2f} s{max(spent):13.2f} s", flush=True)
        browser.close()


def _opened(browser: "Browser", file: Path, first: str) -> float:
    """Open a file in a fresh tab; return the seconds until the first row stands."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    began = perf_counter()
    tab.goto(file.as_uri())
    tab.locator(first).first.wait_for()
    spent = perf_counter() - began
    tab.close()
    return spent


if __name__ == "__main__":
    main()
