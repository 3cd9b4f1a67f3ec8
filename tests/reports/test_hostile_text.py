"""Whatever text comes from Azure is text in every form of a report, and breaks none of them."""

import csv
import io
import re
from zipfile import ZipFile

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from readiness.model.codec import decode, encode_pretty
from reports.comma_separated import STARTS, csv_bytes
from reports.excel.cells import clean, unescaped
from reports.markdown import markdown_of
from tests.reports.dump import column, opened
from tests.reports.kinds import KINDS, each_kind
from tests.reports.progresses import NASTY, saying

ANY_CHARACTER = st.characters(exclude_categories=())
# A zero-width space keeps every text from being empty: an empty cell is drawn in another way.
HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(NASTY),
        st.text(ANY_CHARACTER, max_size=60),
        st.text("<>&\"'=+-@/\\\t\r\n\x00{}%|`", max_size=20),
    ).map(lambda text: f"{text}\u200b"),
    min_size=1,
    max_size=40,
)
whatever = settings(max_examples=12, suppress_health_check=list(HealthCheck))
NASTY_ONES = [f"{text}\u200b" for text in NASTY]


def skeleton(page):
    """Return a page's elements and the names of their attributes, in order: all but its text."""
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    tree = html.document_fromstring(page, parser=parser)
    return [(element.tag, sorted(element.attrib)) for element in tree.iter()]


def telling(kind, texts):
    """Return a report that says these texts wherever there is some."""
    return kind.made(saying(texts))


PLAIN = {kind.name: skeleton(kind.page(kind.alike(telling(kind, ["plain"])))) for kind in KINDS}


@each_kind
@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_adds_an_element_to_the_page(kind, texts):
    """The page has the elements and attributes it always has: no text becomes markup, script or handler."""
    assert PLAIN[kind.name] == skeleton(kind.page(kind.alike(telling(kind, texts))))


@each_kind
@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_every_text_on_the_page_is_isolated(kind, texts):
    """Whatever comes from outside stands in an element that keeps its direction of writing to itself."""
    tree = html.document_fromstring(kind.page(telling(kind, [f"⁂{text}" for text in texts])).decode())
    for element in tree.iter():
        if element.text and "⁂" in element.text:
            is_isolated = element.tag == "text" and element.get("unicode-bidi") == "isolate"
            is_apart = element.tag in ("bdi", "title") or element.get("id") == "vm-rows"
            assert is_isolated or is_apart, element.tag


@each_kind
@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_breaks_the_workbook_or_becomes_a_formula(kind, texts):
    """Each part is well-formed XML without a formula, and a second reader gives every name back."""
    report = telling(kind, texts)
    data = kind.workbook(report)
    with ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            tree = etree.fromstring(archive.read(name), etree.XMLParser(huge_tree=True))
            if name.startswith("xl/worksheets/"):
                assert [] == tree.xpath("//*[local-name()='f']"), name
    seen = [unescaped(name) for name in column(opened(data)["VMs"], "VM")]
    assert [clean(vm.name) for vm in report.vms] == seen


@each_kind
@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_breaks_csv_or_becomes_a_formula(kind, texts):
    """Every line has the columns of its table, and no cell of text begins as a formula does."""
    for table in kind.tables(telling(kind, texts)):
        made = b"".join(csv_bytes([one.title for one in table.columns], table.rows)).decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(made, newline="")))
        assert 1 + len(table.rows) == len(lines)
        for line, row in zip(lines[1:], table.rows, strict=True):
            for written, cell in zip(line, row, strict=True):
                assert not isinstance(cell, str) or written[:1] == "'" or not written.startswith(STARTS)


@each_kind
@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_breaks_markdown(kind, texts):
    """Every line of a table has the same cells, and no text is markup or a character that steers."""
    made = markdown_of("x", kind.tables(telling(kind, texts))).decode()
    assert not re.search("[<>\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", made)
    for block in re.findall(r"(?:^\|.*\n)+", made, re.MULTILINE):
        assert 1 == len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()})


@each_kind
@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_json_gives_every_text_back(kind, texts):
    """JSON holds all text as it was, save for halves of characters, which nothing that we read can hold."""
    report = telling(kind, [text.encode("utf-8", "replace").decode() for text in texts])
    assert report == decode(encode_pretty(report), kind.shape)
