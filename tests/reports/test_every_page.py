"""Every page of ours: one file that reaches for nothing, and whose pictures are for everybody."""

import base64
import hashlib
import re
from itertools import pairwise

import pytest
from lxml import etree

from tests.reports.dump import snapshot
from tests.reports.kinds import digest, digest_elsewhere, drawings, each_kind, parsed


@each_kind
def test_looks_as_reviewed(kind):
    """The page is as somebody last opened and accepted it."""
    seen = kind.page(kind.made()).decode()
    assert snapshot(f"{kind.name}-page.html", seen) == seen


@each_kind
@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(kind, seed):
    """Another process in another time zone, with another order of its sets, gives the same page."""
    assert digest(kind.page(kind.made())) == digest_elsewhere(kind.page, kind.made, seed)


@each_kind
def test_reaches_for_nothing(kind):
    """No element names anything outside the page, and the policy forbids every request."""
    page = kind.page(kind.made())
    outside = [
        (element.tag, name, value)
        for element in parsed(page).iter()
        if isinstance(element.tag, str)
        for name, value in element.attrib.items()
        if name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href") and value[:1] != "#"
    ]
    assert [] == outside
    assert b"@import" not in page
    assert b"url(" not in page
    assert policy(parsed(page))["default-src"] == ["'none'"]


def policy(tree):
    """Return the page's policy by directive."""
    (content,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    return {name: values for name, *values in (part.split() for part in content.split(";"))}


@each_kind
def test_lets_run_only_what_is_ours(kind):
    """The digests in the policy are those of the page's one style and one script; none is inline."""
    tree = parsed(kind.page(kind.made()))
    rules = policy(tree)
    (style,) = tree.xpath("//style")
    (script,) = tree.xpath("//script[not(@type)]")
    for name, element in (("style-src", style), ("script-src", script)):
        of_it = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert [f"'sha256-{of_it}'"] == rules[name]
    assert [] == tree.xpath("//@style")
    assert [] == [name for element in tree.iter() for name in element.attrib if name.startswith("on")]


@each_kind
def test_every_chart_has_a_name_and_a_table(kind):
    """Each picture is named for who cannot see it, and a table under it says the same."""
    figures = parsed(kind.page(kind.made())).xpath("//figure")
    assert kind.figures == len(figures)
    for figure in figures:
        pictures = figure.xpath(".//*[name()='svg' and @role='img']")
        assert [True, True] == [bool(picture.get("aria-label")) for picture in pictures]
        assert figure.xpath("./details/summary")
        assert figure.xpath("./details//tbody/tr")


@each_kind
def test_drawings_are_well_formed_and_wear_the_colours_of_the_page(kind):
    """Each drawing parses as XML, names no colour but the page's own, and each of these is defined."""
    page = kind.page(kind.made())
    defined = set(re.findall(r"(--[\w-]+):", page.decode()))
    assert 2 * kind.figures == len(drawings(page))
    for drawing in drawings(page):
        root = etree.fromstring(drawing)
        colours = {
            element.get(name) for element in root.iter() for name in ("fill", "stroke") if element.get(name)
        }
        ours = {one[4:-1] for one in colours if one.startswith("var(")}
        assert {"none", "transparent"} >= {one for one in colours if not one.startswith("var(")}
        assert ours <= defined


@each_kind
def test_headings_go_down_step_by_step(kind):
    """There is one first heading, and no level is jumped over."""
    levels = [int(element.tag[1]) for element in parsed(kind.page(kind.made())).iter("h1", "h2", "h3")]
    assert 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
