"""The plan's workbook: complete, safe to open, the same every time."""

import hashlib
import os
import re
import subprocess
import sys
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from msgspec.structs import replace

from readiness.model.plan import Plan, TargetKind
from reports.excel.cells import LONGEST_TEXT
from reports.excel.sheet import Layout, add_sheets
from reports.tables import plan_vms
from reports.workbook import plan_workbook
from tests.reports.dump import column, dump, opened, snapshot
from tests.reports.plans import left_out, plan, planned, small_estate, wave

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
        assert sorted(archive.namelist()) == archive.namelist()


def test_every_vm_exactly_once() -> None:
    """Planned and left-out VMs together are the inventory, none twice."""
    made = small_estate()
    workbook = opened(plan_workbook(made))
    seen = column(workbook["VMs"], "Resource id") + column(workbook["Left out"], "Resource id")
    expected = [vm.id.text for entry in made.waves for vm in entry.vms] + [vm.id.text for vm in made.left_out]
    assert sorted(expected) == sorted(seen)
    assert made.inventory == len(set(seen))


def test_numbers_and_dates_are_no_texts() -> None:
    """Counts and minutes are numbers, windows are dates."""
    workbook = opened(plan_workbook(small_estate()))
    for title in ("Wave", "Batch", "Downtime (min)", "Reserved (min)"):
        assert {int} == {type(value) for value in column(workbook["VMs"], title)}
    for title in ("Window opens", "Window closes"):
        assert {datetime} == {type(value) for value in column(workbook["VMs"], title)}
    assert {float} == {type(value) for value in column(workbook["Waves"], "Reserved share")}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_text_that_looks_like_a_formula_stays_text(start: str) -> None:
    """A name that starts like a formula is a text cell that Excel keeps as text even when it is edited."""
    name = f"{start}HYPERLINK('http://evil.example')"
    sheet = opened(plan_workbook(plan(wave(1, name, (planned(name),)))))["VMs"]
    cell = sheet["C2"]
    assert ("s", name.replace("\r", "\n")) == (cell.data_type, cell.value)
    assert start != "=" or cell.quotePrefix


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "TRUE", "1e5", "{=1+1}"])
def test_text_that_looks_like_a_value_stays_text(text: str) -> None:
    """Errors, booleans and numbers spelled in a name are text as well."""
    cell = opened(plan_workbook(plan(wave(1, "one", (planned(text),)))))["VMs"]["C2"]
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
        expected = 4
        assert expected == len(sheets)


def test_control_characters_are_replaced() -> None:
    """What XML cannot carry becomes a replacement character; everything else of the name is kept."""
    name = "vm\x00\x07-\ud800\uffff-ü-😀"
    cell = opened(plan_workbook(plan(wave(1, "one", (planned(name),)))))["VMs"]["C2"]
    expected = "vm\ufffd\ufffd-\ufffd\ufffd-ü-😀"
    assert expected == cell.value


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_text_too_long_for_a_cell_is_cut(letter: str) -> None:
    """A text beyond what Excel can hold ends with an ellipsis, and is never cut inside a character."""
    vm = planned("vm", reason=letter * 40_000)
    reason = column(opened(plan_workbook(plan(wave(1, "one", (vm,)))))["VMs"], "Why it stands here")[0]
    assert set(f"{letter}…") == set(reason)
    assert len(reason.encode("utf-16-le")) // 2 in (LONGEST_TEXT, LONGEST_TEXT - 1)


def test_long_table_continues_on_a_next_sheet() -> None:
    """A table longer than a sheet goes on in further ones, each complete with header and table."""
    from openpyxl.workbook import Workbook

    from reports.excel import style

    workbook = Workbook()
    style.prepare(workbook)
    made = plan(wave(1, "one", tuple(planned(f"vm-{number}") for number in range(5))))
    add_sheets(workbook, plan_vms(made), Layout("footer", most_rows=2))
    sheets = workbook.worksheets[1:]
    expected = ["VMs", "VMs (2)", "VMs (3)"]
    assert expected == [sheet.title for sheet in sheets]
    expected = ["VMs_1", "VMs_2", "VMs_3"]
    assert expected == [name for sheet in sheets for name in sheet.tables]
    assert [f"vm-{number}" for number in range(5)] == [vm for sheet in sheets for vm in column(sheet, "VM")]


def test_table_names_are_valid() -> None:
    """Table names are unique and no cell addresses, or Excel would have to repair the file."""
    workbook = opened(plan_workbook(small_estate()))
    names = [name for sheet in workbook.worksheets for name in sheet.tables]
    expected = ["Waves_1", "VMs_1", "Leftout_1"]
    assert expected == names
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
    lost = "This does not add up, VMs are missing: 17 VMs in the inventory ≠ 11 planned + 5 left out. "
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
    expected = ["Summary", "Waves", "VMs", "Left out"]
    assert expected == workbook.sheetnames
    expected = []
    assert expected == [name for sheet in workbook.worksheets for name in sheet.tables]
    expected = "Nothing to list."
    assert expected == workbook["VMs"]["A2"].value
