"""A wave plan that LibreOffice saved again is read back as it was edited, and as it was not."""

import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.workbook import plan_workbook
from tests.reports.dump import opened
from tests.reports.editing import edited, read
from tests.reports.plans import plan, planned, small_estate, vm_id, wave

pytestmark = pytest.mark.office

CELLS = {
    ("vm-shop-db-01", "Decision"): "approve",
    ("vm-shop-db-01", "Approver"): "Jonas Okafor",
    ("vm-shop-db-01", "Decided on"): datetime.fromisoformat("2026-11-25"),
    ("vm-wiki-01", "Pin to wave"): 2,
}


def saved_again(data: bytes, folder: Path) -> bytes:
    """Return a workbook as LibreOffice saves it."""
    given = folder / "given.xlsx"
    given.write_bytes(data)
    profile = f"-env:UserInstallation=file://{folder}/profile"
    out = folder / "out"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(out),
    ]
    subprocess.run([*command, str(given)], check=True, capture_output=True, timeout=120)
    return (out / "given.xlsx").read_bytes()


def test_an_untouched_plan_survives(tmp_path: Path) -> None:
    """LibreOffice changes nothing that the import would take for an edit."""
    made = small_estate()
    reading = read(saved_again(plan_workbook(made), tmp_path), made)
    assert ({}, [], []) == (reading.decisions, reading.violations, reading.ignored)
    assert made.inventory == len(reading.seen)


def test_edits_survive(tmp_path: Path) -> None:
    """Answers, dates and numbers come back through LibreOffice as they were given."""
    made = small_estate()
    direct = read(edited(plan_workbook(made), CELLS), made)
    again = read(saved_again(edited(plan_workbook(made), CELLS), tmp_path), made)
    assert direct.decisions == again.decisions
    assert ([], []) == (again.violations, again.ignored)


def test_what_makes_the_workbook_usable_survives(tmp_path: Path) -> None:
    """Tables, validations, conditional formats and the chart are understood: none is dropped."""
    before = opened(plan_workbook(small_estate()))
    after = opened(saved_again(plan_workbook(small_estate()), tmp_path))
    assert before.sheetnames == after.sheetnames
    for sheet in before.worksheets:
        other = after[sheet.title]
        assert sheet.sheet_state == other.sheet_state
        assert len(sheet.data_validations.dataValidation) == len(other.data_validations.dataValidation)
        assert len(sheet.conditional_formatting) <= len(other.conditional_formatting) + 1
        assert len(sheet.tables) == len(other.tables)
    assert len(after["Summary"]._charts) == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t="])
def test_no_name_becomes_a_formula(tmp_path: Path, start: str) -> None:
    """A name that starts like a formula is still text after LibreOffice has opened and saved it."""
    name = f"{start}HYPERLINK(1)"
    made = plan(wave(1, name, (replace(planned("vm-evil"), name=name),)))
    sheet = opened(saved_again(plan_workbook(made), tmp_path))["VMs"]
    assert ("s", name.strip("\t")) == (sheet["A2"].data_type, sheet["A2"].value.strip("\t"))
    assert vm_id("vm-evil").key in [cell.value for cell in sheet[2]]


@pytest.mark.parametrize("name", ["vm_x000D_", "_x005F_", "vm\x07"])
def test_escaped_names_survive(tmp_path: Path, name: str) -> None:
    """LibreOffice understands the escapes of a name: it comes back as it was."""
    made = plan(wave(1, "one", (replace(planned("vm-1"), name=name),)))
    reading = read(saved_again(plan_workbook(made), tmp_path), made)
    assert ({}, [], []) == (reading.decisions, reading.violations, reading.ignored)
    assert 1 == len(reading.seen)
