"""The plan's workbook: complete, safe to open, the same every time."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis.strategies import text
from msgspec.structs import replace
from python_calamine import CalamineWorkbook

from readiness.model.decision import Answer, Decision
from readiness.model.plan import Plan, TargetKind
from reports.excel import style
from reports.excel.cells import LONGEST_TEXT, escaped, unescaped
from reports.excel.package import Book
from reports.excel.sheet import Layout, add_sheets
from reports.tables import plan_vms
from reports.workbook import plan_workbook
from tests.reports.dump import column, dump, opened, snapshot
from tests.reports.plans import left_out, plan, planned, small_estate, wave

SHEETS = [
    "Summary",
    "Waves",
    "Schedule",
    "VMs",
    "Preparation",
    "Dependencies",
    "Blocked",
    "Exceptions",
    "Unplanned",
    "Changes",
    "Run",
    "_meta",
]
ROOT = Path(__file__).parent.parent.parent


def test_looks_as_reviewed() -> None:
    """Every cell, width, table and highlight is as somebody last read and accepted it."""
    seen = dump(plan_workbook(small_estate()))
    assert snapshot("plan-workbook.txt", seen) == seen


def test_same_plan_same_bytes() -> None:
    """Two calls with the same plan give the same file, byte by byte."""
    assert plan_workbook(small_estate()) == plan_workbook(small_estate())


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of its sets, gives the same file."""
    script = (
        "import hashlib\n"
        "from reports.workbook import plan_workbook\n"
        "from tests.reports.plans import small_estate\n"
        "print(hashlib.sha256(plan_workbook(small_estate())).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert hashlib.sha256(plan_workbook(small_estate())).hexdigest() == done.stdout.strip()


def test_carries_no_clock() -> None:
    """The file is dated by the plan, its zip entries all alike."""
    data = plan_workbook(small_estate())
    properties = opened(data).properties
    day = datetime.fromisoformat("2026-11-22")
    assert (day, day) == (properties.created, properties.modified)
    with ZipFile(BytesIO(data)) as archive:
        assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in archive.infolist()}


def test_every_vm_exactly_once() -> None:
    """Planned and left-out VMs together are the inventory, none twice."""
    made = small_estate()
    workbook = opened(plan_workbook(made))
    seen = column(workbook["VMs"], "Resource id")
    left_out = column(workbook["Blocked"], "Resource id") + column(workbook["Unplanned"], "Resource id")
    expected = [vm.id.key for vm in made.vms] + [vm.id.key for vm in made.left_out]
    assert sorted(expected) == sorted(seen)
    assert sorted(vm.id.key for vm in made.left_out) == sorted(left_out)
    assert made.inventory == len(set(seen))


def test_numbers_and_dates_are_no_texts() -> None:
    """Counts and minutes are numbers, windows are dates."""
    workbook = opened(plan_workbook(small_estate()))
    for title in ("Wave", "Batch", "Downtime (min)"):
        assert {int} == {type(value) for value in column(workbook["Schedule"], title)}
    for title in ("Starts (local)", "Starts (UTC)", "Reserved until (UTC)"):
        assert {datetime} == {type(value) for value in column(workbook["Schedule"], title)}
    assert {float} == {type(value) for value in column(workbook["Waves"], "Reserved share")}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_text_that_looks_like_a_formula_stays_text(start: str) -> None:
    """A name that starts like a formula is a text cell that Excel keeps as text even when it is edited."""
    name = f"{start}HYPERLINK('http://evil.example')"
    sheet = opened(plan_workbook(plan(wave(1, name, (planned(name),)))))["VMs"]
    cell = sheet["A2"]
    assert ("s", name.replace("\r", "\n")) == (cell.data_type, cell.value)
    assert start != "=" or cell.quotePrefix


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "TRUE", "1e5", "{=1+1}"])
def test_text_that_looks_like_a_value_stays_text(text: str) -> None:
    """Errors, booleans and numbers spelled in a name are text as well."""
    cell = opened(plan_workbook(plan(wave(1, "one", (planned(text),)))))["VMs"]["A2"]
    assert ("s", text) == (cell.data_type, cell.value)


def test_no_formula_anywhere() -> None:
    """No cell of any sheet is a formula, not even on the first page."""
    evil = left_out("=1+1", "=2+2", "@SUM(A1)", "-3", "+4")
    made = replace(small_estate(), left_out=(*small_estate().left_out, evil), inventory=17)
    made = replace(made, target=replace(made.target, estate="=cmd|' /C calc'!A0", tenant="=1"), release="=9")
    with ZipFile(BytesIO(plan_workbook(made))) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        expected = []
        assert expected == [name for name in sheets if re.search(rb"<f[ >]", archive.read(name))]
        expected = len(SHEETS)
        assert expected == len(sheets)


def test_what_is_no_character_is_replaced() -> None:
    """Halves of characters become a replacement character; everything else of the name is kept."""
    name = "vm-\ud800\uffff-ü-😀"
    cell = opened(plan_workbook(plan(wave(1, "one", (planned(name),)))))["VMs"]["A2"]
    expected = "vm-\ufffd\ufffd-ü-😀"
    assert expected == cell.value


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("vm_x000D_", "vm_x005F_x000D_"),
        ("_x005F_", "_x005F_x005F_"),
        ("_x0041_x0042_", "_x005F_x0041_x005F_x0042_"),
        ("vm\x00\x07\x1b", "vm_x0000__x0007__x001B_"),
        ("_x12_", "_x12_"),
        ("_X000D_", "_X000D_"),
    ],
)
def test_office_does_not_decode_names(name: str, written: str) -> None:
    """Text that Office would decode is escaped as Office does; control characters are written its way."""
    with ZipFile(BytesIO(plan_workbook(plan(wave(1, "one", (planned(name),)))))) as archive:
        sheet = archive.read("xl/worksheets/sheet4.xml").decode()
    (cell,) = re.findall(r'<c r="A2"[^>]*>.*?</c>', sheet)
    assert f"<is><t>{written}</t></is>" in cell


@given(text())
def test_escapes_are_undone(name: str) -> None:
    """Whatever is escaped is read back as it was."""
    assert name == unescaped(escaped(name))


def test_an_estate_with_control_characters_has_a_workbook() -> None:
    """Titles, footers and the first page are written, whatever the estate is called."""
    made = small_estate()
    made = replace(made, release="\x01", target=replace(made.target, estate="a\x07_x000D_", tenant="\x1b"))
    workbook = opened(plan_workbook(made))
    expected = "a\x07_x000D_ · plan 9f3ac41b70de · twin"
    assert expected == workbook["VMs"].oddFooter.left.text


def test_a_date_among_texts_is_shown_as_a_date() -> None:
    """A day in a column of prose is a date to read, and no serial number."""
    sheet = opened(plan_workbook(small_estate()))["Run"]
    cell = next(row[2] for row in sheet.iter_rows() if row[1].value == "As of")
    assert ("yyyy-mm-dd", datetime.fromisoformat("2026-11-22")) == (cell.number_format, cell.value)


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_text_too_long_for_a_cell_is_cut(letter: str) -> None:
    """A text beyond what Excel can hold ends with an ellipsis, and is never cut inside a character."""
    vm = planned("vm", reason=letter * 40_000)
    reason = column(opened(plan_workbook(plan(wave(1, "one", (vm,)))))["VMs"], "Why it stands here")[0]
    assert set(f"{letter}…") == set(reason)
    assert len(reason.encode("utf-16-le")) // 2 in (LONGEST_TEXT, LONGEST_TEXT - 1)


def test_long_table_continues_on_a_next_sheet() -> None:
    """A table longer than a sheet goes on in further ones, each complete with header and table."""
    book = Book(title="long", release="1", as_of=plan().as_of)
    style.prepare(book.workbook)
    made = plan(wave(1, "one", tuple(planned(f"vm-{number}") for number in range(5))))
    add_sheets(book, plan_vms(made), Layout("footer", most_rows=2))
    file = BytesIO()
    book.write(file)
    sheets = opened(file.getvalue()).worksheets[1:]
    expected = ["VMs", "VMs (2)", "VMs (3)"]
    assert expected == [sheet.title for sheet in sheets]
    expected = ["VMs_1", "VMs_2", "VMs_3"]
    assert expected == [name for sheet in sheets for name in sheet.tables]
    assert [f"vm-{number}" for number in range(5)] == [vm for sheet in sheets for vm in column(sheet, "VM")]


def test_table_names_are_valid() -> None:
    """Table names are unique and no cell addresses, or Excel would have to repair the file."""
    workbook = opened(plan_workbook(small_estate()))
    names = [name for sheet in workbook.worksheets for name in sheet.tables]
    assert set(names) >= {"Waves_1", "VMs_1", "Blocked_1"}
    assert len(names) == len(set(names))
    expected = []
    assert expected == [name for name in names if re.fullmatch(r"[A-Za-z]{1,3}\d+", name)]


def test_chart_carries_its_numbers() -> None:
    """Previewers that do not calculate still see the bars."""
    with ZipFile(BytesIO(plan_workbook(small_estate()))) as archive:
        chart = archive.read("xl/charts/chart1.xml").decode()
    series = re.findall(r"<val>.*?</val>", chart)
    expected = [["0", "3", "3"], ["3", "0", "0"], ["2", "0", "0"]]
    assert expected == [re.findall(r"<v>(\d+)</v>", one) for one in series]


def test_every_page_prints_alike() -> None:
    """Sheets print landscape, as wide as the page, with a repeated header and page numbers."""
    for sheet in opened(plan_workbook(small_estate())).worksheets:
        expected = ("landscape", 1)
        assert expected == (sheet.page_setup.orientation, sheet.page_setup.fitToWidth)
        expected = "Page &P of &N"
        assert expected == sheet.oddFooter.right.text
        assert sheet.title == "Summary" or sheet.print_title_rows == "$1:$1"


def test_footer_shows_an_ampersand() -> None:
    """An ampersand in the estate's name is printed, not taken for a code of Excel's."""
    made = small_estate()
    made = replace(made, target=replace(made.target, estate="R&D"))
    sheet = opened(plan_workbook(made))["VMs"]
    expected = "R&&D · plan 9f3ac41b70de · twin"
    assert expected == sheet.oddFooter.left.text


def _summary(made: Plan) -> list[object]:
    return [cell.value for row in opened(plan_workbook(made))["Summary"].iter_rows() for cell in row]


def test_says_loudly_when_vms_are_missing() -> None:
    """A plan that lost a VM says so on its first page."""
    shown = _summary(replace(small_estate(), inventory=17))
    lost = (
        "This does not add up, VMs are missing: "
        "17 VMs in the inventory ≠ 11 planned + 4 blocked + 1 unplanned. "
    )
    assert lost in shown


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (TargetKind.TWIN, "Twin: a rehearsal, nothing in Azure is changed"),
        (TargetKind.LIVE, "Live: running this plan changes real VMs in Azure"),
    ],
)
def test_says_where_it_would_run(kind: TargetKind, words: str) -> None:
    """The first page says before anything else whether real VMs would be changed."""
    made = small_estate()
    assert words in _summary(replace(made, target=replace(made.target, kind=kind)))


def test_what_you_approve_stands_on_the_first_page() -> None:
    """The first twelve characters of the digest stand there in large type."""
    sheet = opened(plan_workbook(small_estate()))["Summary"]
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "9f3ac41b70de")
    expected = (24, True)
    assert expected == (cell.font.size, cell.font.bold)


def test_empty_plan_opens() -> None:
    """A plan without waves and VMs still is a workbook, without empty tables that Excel would refuse."""
    workbook = opened(plan_workbook(plan(digest="")))
    assert SHEETS == workbook.sheetnames
    expected = ["Run_1", "meta_1"]
    assert expected == [name for sheet in workbook.worksheets for name in sheet.tables]
    expected = "Nothing to list."
    assert expected == workbook["VMs"]["A2"].value


def test_only_the_sheet_that_machines_read_is_hidden() -> None:
    """People see every sheet but the one that says which plan the workbook is of."""
    workbook = opened(plan_workbook(small_estate()))
    expected = ["_meta"]
    assert expected == [sheet.title for sheet in workbook.worksheets if sheet.sheet_state != "visible"]
    assert small_estate().digest in column(workbook["_meta"], "Value")


def test_owners_can_write_only_what_is_meant_for_a_column() -> None:
    """Every edited column has a validation over the whole table, and nothing is protected."""
    sheet = opened(plan_workbook(small_estate()))["VMs"]
    kinds = {str(rule.sqref): (rule.type, rule.formula1) for rule in sheet.data_validations.dataValidation}
    assert kinds["E2:E17"] == ("list", '"approve,exclude,later"')
    assert {"list": 1, "whole": 1, "date": 2, "textLength": 4} == Counter(kind for kind, _ in kinds.values())
    assert not sheet.protection.sheet
    assert {"Edited text"} == {sheet.cell(row, 5).style for row in range(2, 18)}


def test_highlights_cover_the_whole_table() -> None:
    """No conditional format ends before the last row."""
    for sheet in opened(plan_workbook(small_estate())).worksheets:
        for area in sheet.conditional_formatting:
            assert sheet.max_row == max(part.max_row for part in area.sqref.ranges), sheet.title


def test_a_decision_is_shown_again() -> None:
    """What an owner decided stands in the edited columns of the next workbook."""
    vm = small_estate().vms[0]
    said = Decision(
        vm=vm.id,
        answer=Answer.APPROVE,
        approver="Mara Lindqvist",
        decided_on=date(2026, 11, 24),
        ticket="CHG-1",
    )
    sheet = opened(plan_workbook(replace(small_estate(), decisions=(said,))))["VMs"]
    expected = ["approve", "Mara Lindqvist", datetime.fromisoformat("2026-11-24"), "CHG-1"]
    assert expected == [
        column(sheet, title)[0] for title in ("Decision", "Approver", "Decided on", "Change ticket")
    ]


def test_two_readers_agree() -> None:
    """A reader that shares no code with the writer sees the same cells."""
    data = plan_workbook(small_estate())
    other = CalamineWorkbook.from_filelike(BytesIO(data))
    assert SHEETS == other.sheet_names
    for sheet in opened(data).worksheets[1:]:
        seen = [list(row) for row in other.get_sheet_by_name(sheet.title).to_python()]
        expected = [[_as_read(cell.value) for cell in row] for row in sheet.iter_rows()]
        assert expected == seen, sheet.title


def _as_read(value: object) -> object:
    """Return a cell as the other reader gives it: floats, dates, and an empty text for nothing."""
    if value is None:
        return ""
    if isinstance(value, int):
        return float(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return value
