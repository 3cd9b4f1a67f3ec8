"""The workbooks open in a real spreadsheet program, with their values."""

import csv
import subprocess
from datetime import date
from pathlib import Path

import pytest

from readiness.app.assess import assess, write_findings
from readiness.app.estates import locate
from readiness.app.plan import create_plan

pytestmark = pytest.mark.office


def as_csv(workbook: Path, sheet: int) -> list[list[str]]:
    """Return the cells of one sheet (counted from 1) as LibreOffice shows them."""
    export = f"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,{sheet}"
    profile = f"-env:UserInstallation=file://{workbook.parent}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", export]
    subprocess.run(
        [*command, "--outdir", str(workbook.parent), str(workbook)], check=True, capture_output=True
    )
    exported = next(workbook.parent.glob(f"{workbook.stem}-*.csv"))
    with exported.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    exported.unlink()
    return rows


def test_the_wave_plan_opens_with_every_vm(tmp_path: Path) -> None:
    """LibreOffice shows every VM of the starter estate, planned or left out, under its name."""
    written = create_plan(locate("starter"), tmp_path, date(2026, 11, 22))
    cells = {cell for row in as_csv(written.workbook, 4) for cell in row}
    planned = {vm.name for wave in written.plan.waves for vm in wave.vms}
    expected = planned | {entry.name for entry in written.plan.left_out}
    assert expected == expected & cells


def test_the_summary_shows_what_is_approved(tmp_path: Path) -> None:
    """LibreOffice shows the digest that is to be approved on the first sheet."""
    written = create_plan(locate("starter"), tmp_path, date(2026, 11, 22))
    cells = [cell for row in as_csv(written.workbook, 1) for cell in row]
    assert written.plan.approval in cells


def test_the_findings_open_with_every_vm_and_its_class(tmp_path: Path) -> None:
    """LibreOffice shows every VM of the bank with where it stands, in the order of the assessment."""
    made = assess(locate("bank"), date(2026, 11, 22))
    workbook, _ = write_findings(made, tmp_path)
    titles, *rows = as_csv(workbook, 2)
    shown = [(row[0], row[titles.index("Trusted Launch")]) for row in rows]
    expected = [
        (vm.name, next(iter(vm.dimensions.values())).classification.value if vm.dimensions else "")
        for vm in made.vms
    ]
    assert expected == shown
