"""The workbook of a wave's report: all sheets, native charts with their numbers, the same bytes each time."""

import hashlib
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from msgspec.structs import replace

from readiness.model.wave_report import End
from reports.tables.wave import state_in_words, wave_tables
from reports.wave_workbook import wave_workbook
from tests.reports.dump import column, dump, opened, snapshot
from tests.reports.wave_reports import HEAD, after_the_window, nothing_away

ROOT = Path(__file__).parent.parent.parent
SHEETS = [
    "Summary",
    "Left to do",
    "VMs",
    "Timeline",
    "Steps",
    "Snapshots",
    "Approvals",
    "Consents",
    "Audit",
    "Windows",
]


def charts(data):
    """Return the XML of every chart."""
    with ZipFile(BytesIO(data)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("xl/charts/chart"))
        return [archive.read(name).decode() for name in names]


def drawn(chart):
    """Return the numbers that each series of a chart carries."""
    return [re.findall(r"<v>([^<]*)</v>", one) for one in re.findall(r"<val>.*?</val>", chart)]


def test_looks_as_reviewed():
    """Every cell, width, table and highlight is as somebody last read and accepted it."""
    seen = dump(wave_workbook(after_the_window()))
    assert snapshot("wave-workbook.txt", seen) == seen


def test_has_every_sheet():
    """Summary first, then one sheet a table, and nothing is hidden."""
    workbook = opened(wave_workbook(after_the_window()))
    assert SHEETS == workbook.sheetnames
    assert SHEETS == [table.name for table in wave_tables(after_the_window())]
    assert {"visible"} == {sheet.sheet_state for sheet in workbook.worksheets}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed):
    """Another process, elsewhere, with another order of its sets, gives the same file."""
    script = (
        "import hashlib\n"
        "from reports.wave_workbook import wave_workbook\n"
        "from tests.reports.wave_reports import after_the_window\n"
        "print(hashlib.sha256(wave_workbook(after_the_window())).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert hashlib.sha256(wave_workbook(after_the_window())).hexdigest() == done.stdout.strip()


def test_outcomes_are_stacked_by_stage():
    """The first chart has one column a stage, and its stacks add up to the VMs of each."""
    report = after_the_window()
    (chart, _) = charts(wave_workbook(report))
    series = [[int(number) for number in numbers] for numbers in drawn(chart)]
    assert [sum(one.counts.values()) for one in report.stages] == [
        sum(parts) for parts in zip(*series, strict=True)
    ]


def test_outages_stand_beside_their_plan():
    """The second chart has measured and planned minutes of each VM, furthest beyond its plan first.

    The numbers are whole minutes, rounded up.
    """
    away, planned = drawn(charts(wave_workbook(after_the_window()))[1])
    assert ["39", "7", "7", "7", "7", "7"] == away
    assert {"14"} == set(planned)


def test_nothing_was_away():
    """A wave that was only prepared has one chart, and says that it is unfinished."""
    data = wave_workbook(nothing_away())
    assert 1 == len(charts(data))
    shown = [cell.value for row in opened(data)["Summary"].iter_rows() for cell in row]
    assert "Unfinished: its outage has not begun." in shown


def test_heads_stand_on_the_first_page_and_on_their_own():
    """The head of each chain is printed on the cover, and a chain that does not hold says from where."""
    workbook = opened(wave_workbook(after_the_window()))
    cover = [cell.value for row in workbook["Summary"].iter_rows() for cell in row]
    assert 2 <= cover.count(HEAD)
    assert [HEAD, HEAD] == column(workbook["Audit"], "Head of the audit chain")
    assert ["does not hold from event 17", "holds"] == column(workbook["Audit"], "Chain")


def test_every_step_of_every_try_is_listed_with_its_evidence():
    """The sheet of steps has one row a step, tries counted."""
    report = after_the_window()
    sheet = opened(wave_workbook(report))["Steps"]
    told = [step for vm in report.vms for passage in vm.passages for step in passage.steps]
    assert [step.evidence for step in told] == column(sheet, "Evidence")
    assert {1, 2} == set(column(sheet, "Try"))


def test_highlights_cover_the_whole_table():
    """No conditional format ends before the last row."""
    for sheet in opened(wave_workbook(after_the_window())).worksheets:
        for area in sheet.conditional_formatting:
            assert sheet.max_row == max(part.max_row for part in area.sqref.ranges), sheet.title


def test_outcomes_add_up():
    """The counts of a report are a partition of its VMs."""
    report = after_the_window(vms=23)
    assert len(report.vms) == sum(report.counts.values())


def test_the_state_in_words():
    """Finished, to be closed, and unfinished are three things."""
    report = after_the_window()
    over = replace(report, stages=tuple(replace(one, is_unfinished=False) for one in report.stages))
    closing = "1 of 7 VMs stranded. Its outage is over; 1 of 7 VMs are still to be closed."
    assert closing == state_in_words(over)
    done = replace(over, vms=tuple(replace(vm, end=End.DONE) for vm in over.vms))
    assert "Finished: every VM came to an end." == state_in_words(done)
    back = replace(done, vms=(replace(done.vms[0], end=End.ROLLED_BACK), *done.vms[1:]))
    assert "Finished: every VM came to an end, 1 of 7 not upgraded." == state_in_words(back)
    assert state_in_words(report).startswith("Unfinished: outage under way or stopped. outage is held: 2 VMs")
