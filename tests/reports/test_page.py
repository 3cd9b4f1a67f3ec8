"""The progress page: it says all in words, and never grows too large."""

import json
import re
from collections import Counter

import pytest
from msgspec.structs import replace

from reports.page import LARGEST, progress_page
from reports.page_rows import vm_rows
from tests.reports.kinds import parsed
from tests.reports.progresses import rising


@pytest.fixture(scope="module")
def page():
    """The page of a rising estate."""
    return progress_page(rising())


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
