"""Whatever text comes from Azure or from people is text in every form of a wave's report."""

import csv
import io
import re
from zipfile import ZipFile

from hypothesis import example, given
from lxml import etree, html
from msgspec.structs import replace

from readiness.model.codec import decode, encode_pretty
from readiness.model.wave_report import WaveReport
from reports.comma_separated import STARTS, csv_bytes
from reports.excel.cells import clean, unescaped
from reports.markdown import markdown_of
from reports.tables.wave import wave_tables
from reports.wave_page import wave_page
from reports.wave_workbook import wave_workbook
from tests.reports.dump import column, opened
from tests.reports.progresses import saying
from tests.reports.test_hostile_text import HOSTILE, NASTY_ONES, skeleton, whatever
from tests.reports.wave_reports import after_the_window


def told(texts):
    """Return a report that says these texts wherever there is some."""
    return after_the_window(saying(texts))


def with_one_consent(report):
    """Return a report whose owners agreed to the same: each sentence more is a row of a table."""
    one = {"consents": report.vms[0].consents, "exceptions": report.vms[0].exceptions}
    return replace(report, vms=tuple(replace(vm, **one) for vm in report.vms))


PLAIN = skeleton(wave_page(with_one_consent(told(["plain"]))))


@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_adds_an_element_to_the_page(texts):
    """The page has the elements it always has: no text becomes markup, script or handler."""
    assert PLAIN == skeleton(wave_page(with_one_consent(told(texts))))


@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_every_text_on_the_page_is_isolated(texts):
    """Whatever comes from outside stands in an element that keeps its direction of writing to itself."""
    tree = html.document_fromstring(wave_page(told([f"⁂{text}" for text in texts])).decode())
    for element in tree.iter():
        if element.text and "⁂" in element.text:
            is_isolated = element.tag == "text" and element.get("unicode-bidi") == "isolate"
            assert is_isolated or element.tag in ("bdi", "title") or element.get("id") == "vm-rows", (
                element.tag
            )


@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_breaks_the_workbook_or_becomes_a_formula(texts):
    """Each part is well-formed XML without a formula, and a second reader gives every name back."""
    report = told(texts)
    data = wave_workbook(report)
    with ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            tree = etree.fromstring(archive.read(name), etree.XMLParser(huge_tree=True))
            if name.startswith("xl/worksheets/"):
                assert [] == tree.xpath("//*[local-name()='f']"), name
    seen = [unescaped(name) for name in column(opened(data)["VMs"], "VM")]
    assert [clean(vm.name) for vm in report.vms] == seen


@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_breaks_csv_or_becomes_a_formula(texts):
    """Every line has the columns of its table, and no cell of text begins as a formula does."""
    for table in wave_tables(told(texts)):
        made = b"".join(csv_bytes([one.title for one in table.columns], table.rows)).decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(made, newline="")))
        assert 1 + len(table.rows) == len(lines)
        for line, row in zip(lines[1:], table.rows, strict=True):
            for written, cell in zip(line, row, strict=True):
                assert not isinstance(cell, str) or written[:1] == "'" or not written.startswith(STARTS)


@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_no_text_breaks_markdown(texts):
    """Every line of a table has the same cells, and no text is markup or a character that steers."""
    made = markdown_of("x", wave_tables(told(texts))).decode()
    assert not re.search("[<>\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", made)
    for block in re.findall(r"(?:^\|.*\n)+", made, re.MULTILINE):
        assert 1 == len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()})


@whatever
@example(NASTY_ONES)
@given(HOSTILE)
def test_json_gives_every_text_back(texts):
    """JSON holds all text as it was, save for halves of characters, which no journal can hold."""
    report = told([text.encode("utf-8", "replace").decode() for text in texts])
    assert report == decode(encode_pretty(report), WaveReport)
