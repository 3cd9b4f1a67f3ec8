"""The workbook of a wave opens in a real spreadsheet program, with its VMs and whatever their names hold."""

import pytest

from reports.wave_workbook import wave_workbook
from tests.office.test_libreoffice import as_csv
from tests.reports.progresses import NASTY, saying
from tests.reports.wave_reports import after_the_window

pytestmark = pytest.mark.office

LEFT, VMS = 2, 3
"""Where their sheets stand."""


def test_opens_with_every_vm_and_what_is_left(tmp_path):
    """LibreOffice shows each VM with its outcome, and each entry of what is left to do."""
    workbook = tmp_path / "wave.xlsx"
    report = after_the_window()
    workbook.write_bytes(wave_workbook(report))
    titles, *rows = as_csv(workbook, VMS)
    place = titles.index("Outcome")
    assert [(vm.name, vm.end.value) for vm in report.vms] == [(row[0], row[place]) for row in rows]
    assert len(report.left) == len(as_csv(workbook, LEFT)) - 1


def test_hostile_text_is_shown_and_not_worked_out(tmp_path):
    """No formula among the names is worked out, and the workbook opens whatever they hold."""
    workbook = tmp_path / "wave.xlsx"
    report = after_the_window(saying(list(NASTY[:6])))
    workbook.write_bytes(wave_workbook(report))
    assert [vm.name for vm in report.vms] == [row[0] for row in as_csv(workbook, VMS)[1:]]
