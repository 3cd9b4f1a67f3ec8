"""The progress workbook opens in a real spreadsheet program, with its values and its charts."""

import re
import subprocess
import zlib
from contextlib import suppress

import pytest

from reports.progress_workbook import LEVEL_COLOURS, progress_workbook
from tests.office.test_libreoffice import as_csv
from tests.reports.progresses import NASTY, rising, saying

pytestmark = pytest.mark.office

LEVELS, VMS = 2, 16
"""Where their sheets stand."""


def test_opens_with_every_snapshot_and_vm(tmp_path):
    """LibreOffice shows the levels of each snapshot, and every VM under its name."""
    workbook = tmp_path / "progress.xlsx"
    progress = rising()
    workbook.write_bytes(progress_workbook(progress))
    titles, *rows = as_csv(workbook, LEVELS)
    assert [point.raw[0] for point in progress.points] == [int(row[titles.index("Level 0")]) for row in rows]
    assert [vm.name for vm in progress.vms] == [row[0] for row in as_csv(workbook, VMS)[1:]]


def test_hostile_text_is_shown_and_not_worked_out(tmp_path):
    """No formula among the names is worked out, and the workbook opens whatever they hold."""
    workbook = tmp_path / "progress.xlsx"
    progress = rising(saying(list(NASTY[:6])))
    workbook.write_bytes(progress_workbook(progress))
    assert [vm.name for vm in progress.vms] == [row[0] for row in as_csv(workbook, VMS)[1:]]


def filled(pdf):
    """Return every colour in which a PDF fills shapes, as red, green and blue up to 255."""
    found = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            drawn = zlib.decompress(stream)
            colours = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg", drawn)
            found |= {tuple(round(255 * float(part)) for part in colour) for colour in colours}
    return found


def test_prints_its_charts(tmp_path):
    """LibreOffice makes a PDF of it in which shapes are filled in the colours of all four levels."""
    workbook = tmp_path / "progress.xlsx"
    workbook.write_bytes(progress_workbook(rising()))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(workbook)], check=True, capture_output=True)
    colours = {tuple(bytes.fromhex(colour)) for colour in LEVEL_COLOURS.values()}
    assert colours == colours & filled((tmp_path / "progress.pdf").read_bytes())
