"""Every workbook of a report: all sheets, native charts with their numbers, the same bytes each time."""

import re

import pytest

from reports.excel.sheet import A3, A4
from tests.reports.dump import dump, opened, snapshot
from tests.reports.kinds import charts, digest, digest_elsewhere, drawn, each_kind


@each_kind
def test_looks_as_reviewed(kind):
    """Every cell, width, table and highlight is as somebody last read and accepted it."""
    seen = dump(kind.workbook(kind.made()))
    assert snapshot(f"{kind.name}-workbook.txt", seen) == seen


@each_kind
def test_has_every_sheet(kind):
    """Summary first, then one sheet a table, and nothing is hidden."""
    workbook = opened(kind.workbook(kind.made()))
    assert [table.name for table in kind.tables(kind.made())] == workbook.sheetnames
    assert "Summary" == workbook.sheetnames[0]
    assert {"visible"} == {sheet.sheet_state for sheet in workbook.worksheets}


@each_kind
@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(kind, seed):
    """Another process, elsewhere, with another order of its sets, gives the same file."""
    assert digest(kind.workbook(kind.made())) == digest_elsewhere(kind.workbook, kind.made, seed)


@each_kind
def test_every_chart_carries_its_numbers_and_says_what_they_are(kind):
    """A previewer that works nothing out draws them; each has a title, and numbers in every series."""
    found = charts(kind.workbook(kind.made()))
    assert found
    for chart in found:
        assert re.search(r"<title>.*?<a:t>[^<]+</a:t>", chart)
        assert [] == [series for series in drawn(chart) if not series]


@each_kind
def test_highlights_cover_the_whole_table(kind):
    """No conditional format ends before the last row."""
    for sheet in opened(kind.workbook(kind.made())).worksheets:
        for area in sheet.conditional_formatting:
            assert sheet.max_row == max(part.max_row for part in area.sqref.ranges), sheet.title


@each_kind
def test_every_sheet_is_for_reading_and_printing(kind):
    """Header and first column stay in sight, rows can be filtered, and paper has the header on each page."""
    cover, *sheets = opened(kind.workbook(kind.made())).worksheets
    for sheet in sheets:
        assert "B2" == sheet.freeze_panes
        assert "$1:$1" == sheet.print_title_rows
        assert [True] == [table.autoFilter is not None for table in sheet.tables.values()]
    for sheet in (cover, *sheets):
        assert "landscape" == sheet.page_setup.orientation
        assert sheet.page_setup.paperSize in (A3, A4)
        assert "Page &P of &N" == sheet.oddFooter.right.text


@each_kind
def test_no_title_of_a_column_is_cut_off(kind):
    """Every header is as high as its longest title needs in the width of its column."""
    for sheet in opened(kind.workbook(kind.made())).worksheets[1:]:
        for cell in sheet[1]:
            width = sheet.column_dimensions[cell.column_letter].width
            lines = sum(-(-len(word) // width) for word in cell.value.split()) if cell.value else 1
            at_least = min(lines, -(-len(cell.value) // width) if cell.value else 1)
            assert sheet.row_dimensions[1].height >= 15 * at_least, cell.value
