"""The progress page: one file that reaches for nothing, says all in words, and never grows too large."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree, html
from msgspec.structs import replace

from reports.page import LARGEST, progress_page
from reports.page_rows import vm_rows
from tests.reports.dump import snapshot
from tests.reports.progresses import rising

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def page():
    """The page of a rising estate."""
    return progress_page(rising())


def parsed(page):
    """Return the page as a tree."""
    return html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))


def test_looks_as_reviewed(page):
    """The page is as somebody last opened and accepted it."""
    seen = page.decode()
    assert snapshot("progress-page.html", seen) == seen


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(page, seed):
    """Another process in another time zone, with another order of its sets, gives the same page."""
    script = (
        "import hashlib\n"
        "from reports.page import progress_page\n"
        "from tests.reports.progresses import rising\n"
        "print(hashlib.sha256(progress_page(rising())).hexdigest())"
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
    outside = [
        (element.tag, name, value)
        for element in tree.iter()
        if isinstance(element.tag, str)
        for name, value in element.attrib.items()
        if name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href") and value[:1] != "#"
    ]
    assert [] == outside
    assert b"@import" not in page
    assert b"url(" not in page
    assert policy(tree)["default-src"] == ["'none'"]


def policy(tree):
    """Return the page's policy by directive."""
    (content,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    return {name: values for name, *values in (part.split() for part in content.split(";"))}


def test_lets_run_only_what_is_ours(page):
    """The digests in the policy are those of the page's one style and one script; none is inline."""
    tree = parsed(page)
    rules = policy(tree)
    (style,) = tree.xpath("//style")
    (script,) = tree.xpath("//script[not(@type)]")
    for name, element in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert [f"'sha256-{digest}'"] == rules[name]
    assert [] == tree.xpath("//@style")
    assert [] == [name for element in tree.iter() for name in element.attrib if name.startswith("on")]


def test_every_chart_has_a_name_and_a_table(page):
    """Each picture is named for who cannot see it, and a table under it says the same."""
    figures = parsed(page).xpath("//figure")
    assert 4 == len(figures)
    for figure in figures:
        drawings = figure.xpath(".//*[name()='svg' and @role='img']")
        assert [True, True] == [bool(drawing.get("aria-label")) for drawing in drawings]
        assert figure.xpath("./details/summary")
        assert figure.xpath("./details//tbody/tr")


def test_drawings_are_well_formed_and_wear_the_colours_of_the_page(page):
    """Each drawing parses as XML, and names no colour but the page's own variables."""
    drawings = re.findall(r"<svg xmlns.*?</svg>", page.decode(), re.DOTALL)
    assert 8 == len(drawings)
    for drawing in drawings:
        root = etree.fromstring(drawing)
        colours = {
            element.get(name) for element in root.iter() for name in ("fill", "stroke") if element.get(name)
        }
        assert {"none", "transparent"} >= {one for one in colours if not one.startswith("var(--")}


def test_headings_go_down_step_by_step(page):
    """There is one first heading, and no level is jumped over."""
    levels = [int(element.tag[1]) for element in parsed(page).iter("h1", "h2", "h3")]
    assert 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_aggregates_are_there_without_scripts(page):
    """Levels, blockers, groups, exceptions and forecasts are plain HTML; only the list of VMs is not."""
    tree = parsed(page)
    said = tree.text_content()
    for text in (
        "shop 2",
        "Ada",
        "Switch it on.",
        "Its subnet is closed.",
        "Between 2027-09-01 and 2028-02-01.",
    ):
        assert text in said
    (vms,) = tree.xpath("//section[@id='vms']")
    assert "hidden" in vms.attrib


def test_every_vm_can_be_looked_up(page):
    """The rows of the list hold every VM with what the table of VMs says."""
    rows = json.loads(parsed(page).xpath("string(//script[@id='vm-rows'])"))
    progress = rising()
    seen = {
        name: (rows["places"][place][0], rows["standings"][standing][0])
        for name, place, standing in zip(rows["names"], rows["place"], rows["standing"], strict=True)
    }
    assert {vm.name: (vm.application, vm.level.raw.value) for vm in progress.vms} == seen


@pytest.mark.parametrize("letter", ["<", "😀"])
def test_never_grows_too_large(letter):
    """Many VMs with names of any length and kind do not make the page larger than it may be; it says so."""
    progress = rising(vms=30_000, say=lambda usual: letter * 40 + usual + letter * 1_000)
    groups = tuple(
        replace(progress.groups[2], kind=kind, name=f"{letter * 200} {number}")
        for kind in ("application", "owner", "subscription")
        for number in range(6_000)
    )
    made = progress_page(replace(progress, groups=(progress.groups[0], *groups)))
    assert LARGEST >= len(made) > LARGEST // 2
    assert re.search(r"of 30,000 VMs, the lowest levels first", made.decode())


def test_what_has_no_room_is_of_the_highest_levels():
    """Rows that do not fit are left out from the top of the ladder, and counted."""
    vms = rising(vms=400).vms
    rows, listed = vm_rows(vms, 4_000)
    assert 3_000 < len(rows) <= 4_000
    kept = json.loads(rows)
    levels = Counter(kept["standings"][one][0] for one in kept["standing"])
    assert listed == sum(levels.values()) < 400
    assert 100 == levels[0]


def test_nothing_blocks_and_nothing_moved():
    """An estate with one snapshot and nothing in its way has a page without empty pictures."""
    progress = rising()
    bare = replace(
        progress,
        points=progress.points[-1:],
        blockers=(),
        drift=(),
        changes=(),
        runs=(),
        exceptions=(),
        vms=(),
    )
    tree = parsed(progress_page(bare))
    assert 3 == len(tree.xpath("//figure"))
    assert "No control holds a VM back" in tree.text_content()
    assert "No drift" in tree.text_content()
