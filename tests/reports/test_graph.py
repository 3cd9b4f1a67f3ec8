"""The picture of a plan's dependencies: complete, safe, the same every time, readable without colour."""

from html.parser import HTMLParser
from itertools import pairwise
from xml.etree.ElementTree import fromstring

import pytest
from msgspec.structs import replace

from readiness.errors import UsageError
from readiness.model.context import Environment
from readiness.model.plan import OrderEdge
from reports.graph import MOST_VMS, draw, picture_of
from reports.graph_picture import HEIGHT, WIDTH
from tests.reports.dump import snapshot
from tests.reports.plans import SATURDAY, App, left_out, plan, planned, small_estate, vm_id, wave

_NS = "{http://www.w3.org/2000/svg}"


def large_plan(vms: int):
    """Return a plan of applications of ten VMs, each application needing the one before it."""
    apps = [App(f"app-{number:03}", "o", Environment.TEST, SATURDAY) for number in range(vms // 10)]
    waves = [
        wave(
            number,
            f"Wave of {app.name}",
            tuple(planned(f"vm-{app.name}-{index}", app) for index in range(10)),
        )
        for number, app in enumerate(apps, start=1)
    ]
    order = tuple(
        OrderEdge(
            before=vm_id(f"vm-{one.name}-{index}"),
            after=vm_id(f"vm-{two.name}-{index}"),
            hard=True,
            evidence="d",
        )
        for one, two in pairwise(apps)
        for index in range(3)
    )
    return plan(*waves, order=order)


def test_looks_as_reviewed() -> None:
    """The picture of the small estate is as somebody last looked at it and accepted it."""
    seen = draw(small_estate(), "svg")
    assert snapshot("plan-graph.svg", seen) == seen


@pytest.mark.parametrize("form", ["svg", "html", "dot"])
def test_same_plan_same_picture(form) -> None:
    """Two calls with the same plan give the same text."""
    assert draw(small_estate(), form) == draw(small_estate(), form)


def test_every_vm_and_every_dependency_once() -> None:
    """Up to two hundred VMs each has its shape, and every edge its line."""
    made = small_estate()
    picture = picture_of(made)
    assert sorted(vm.id.key for vm in (*made.vms, *made.left_out)) == sorted(
        node.key for node in picture.nodes
    )
    assert len(made.order) + len(made.hints) == len(picture.edges)


def test_above_two_hundred_applications_are_drawn() -> None:
    """A larger plan has a shape an application, with its number of VMs, and edges that are counted."""
    picture = picture_of(large_plan(MOST_VMS + 10))
    expected = 21
    assert expected == len(picture.nodes)
    assert {"app-000 · 10"} <= {node.label for node in picture.nodes}
    assert {3} == {edge.count for edge in picture.edges}
    assert sum(count for node in picture.nodes for _, count in node.waves) == MOST_VMS + 10


def test_two_hundred_vms_are_still_drawn_each() -> None:
    """The limit itself belongs to the small pictures."""
    assert len(picture_of(large_plan(MOST_VMS)).nodes) == MOST_VMS


@pytest.mark.parametrize("made", [small_estate(), large_plan(200), large_plan(600)])
def test_no_two_shapes_overlap(made) -> None:
    """Every shape stands free of all others and inside of the picture."""
    picture = picture_of(made)
    corners = sorted(picture.places.values())
    for (left, top), (other_left, other_top) in pairwise(corners):
        assert other_left >= left + WIDTH or (other_left == left and other_top >= top + HEIGHT)
    for left, top in corners:
        assert left >= 0
        assert left + WIDTH <= picture.width
        assert 0 <= top <= picture.height - HEIGHT


def test_time_runs_from_left_to_right() -> None:
    """Earlier waves and batches stand left of later ones, and what is in no wave stands last."""
    picture = picture_of(small_estate())
    order = sorted(picture.nodes, key=lambda node: (node.wave == 0, node.wave, node.batch))
    lefts = [picture.places[node.key][0] for node in order]
    assert sorted(lefts) == lefts


EVIL = "</text><script>alert(1)</script>\"'&\x00\n->{}\\"


@pytest.mark.parametrize("form", ["svg", "html"])
def test_names_from_azure_are_only_text(form) -> None:
    """A name that looks like markup brings no element into the picture."""
    vm = replace(planned("vm-evil", App(EVIL, "o", Environment.TEST, SATURDAY)), name=EVIL, reason=EVIL)
    drawn = draw(plan(wave(1, EVIL, (vm,)), left=(left_out("x", "R", EVIL, EVIL),)), form)
    assert "<script" not in drawn
    assert "\x00" not in drawn


def test_names_in_dot_stay_in_their_quotes() -> None:
    """Every quote of a name is escaped, so that it ends no string of DOT."""
    vm = replace(planned("vm-evil"), name='a"; b -> c [label="')
    drawn = draw(plan(wave(1, "one", (vm,))), "dot")
    assert r'label="a\"; b -> c [label=\""' in drawn


def test_svg_speaks_to_people_who_do_not_see_it() -> None:
    """Title and description stand first and name the picture; every shape says its wave in words."""
    svg = fromstring(draw(small_estate(), "svg"))  # noqa: S314 - our own text
    assert [f"{_NS}title", f"{_NS}desc"] == [child.tag for child in svg[:2]]
    assert ("img", "picture-title picture-summary") == (svg.get("role"), svg.get("aria-labelledby"))
    titles = [group.find(f"{_NS}title") for group in svg.iter(f"{_NS}g")]
    assert small_estate().inventory == len(titles)
    assert all(title is not None and "wave" in (title.text or "") for title in titles)


class _Page(HTMLParser):
    """Collects what a page loads and the rows of its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.rows = 0

    def handle_starttag(self, tag, attrs) -> None:
        self.rows += tag == "tr"
        self.loads += [value for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_beside_itself() -> None:
    """The page loads nothing, and its table has a row for every shape."""
    page = _Page()
    page.feed(draw(small_estate(), "html"))
    expected = []
    assert expected == page.loads
    assert small_estate().inventory + 1 == page.rows


def test_an_empty_plan_is_drawn() -> None:
    """A plan without VMs gives a picture without shapes, not an error."""
    for form in ("svg", "html", "dot"):
        assert draw(plan(), form)


def test_unknown_forms_are_refused() -> None:
    """A form that does not exist is refused with those that do."""
    with pytest.raises(UsageError, match="svg, html, dot"):
        draw(replace(small_estate()), "png")
