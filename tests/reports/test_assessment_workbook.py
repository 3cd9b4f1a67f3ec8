"""The assessment's workbook: where every VM stands, and that none was lost."""

from io import BytesIO
from zipfile import ZipFile

from msgspec.structs import replace

from readiness.model.assessment import Classification, Coverage
from reports.workbook import assessment_workbook
from tests.reports.assessments import assessed, small_assessment
from tests.reports.dump import column, dump, opened, snapshot
from tests.reports.plans import SUBSCRIPTION


def test_looks_as_reviewed() -> None:
    """Every cell, width, table and highlight is as somebody last read and accepted it."""
    seen = dump(assessment_workbook(small_assessment()))
    assert snapshot("assessment-workbook.txt", seen) == seen


def test_same_assessment_same_bytes() -> None:
    """Two calls with the same assessment give the same file, byte by byte."""
    assert assessment_workbook(small_assessment()) == assessment_workbook(small_assessment())


def test_every_vm_has_one_row() -> None:
    """Classified and excluded VMs have one row each; one that was not read stands among the gaps."""
    made = small_assessment()
    workbook = opened(assessment_workbook(made))
    assert [vm.id.text for vm in made.vms] == column(workbook["VMs"], "Resource id")
    expected = ["yes"]
    assert expected == column(workbook["Gaps"], "Is a VM")


def test_no_formula_anywhere() -> None:
    """A VM whose name starts like a formula brings none into the file."""
    evil = assessed("=1+1", Classification.BLOCKED, Classification.READY)
    made = replace(small_assessment(), vms=(evil,))
    with ZipFile(BytesIO(assessment_workbook(made))) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    expected = 4
    assert expected == len(sheets)
    expected = []
    assert expected == [sheet for sheet in sheets if b"<f>" in sheet]


def test_says_loudly_when_coverage_does_not_add_up() -> None:
    """A lost VM is said on the first page."""
    lost = Coverage(subscription=SUBSCRIPTION, discovered=9, classified=4, excluded=1, unknown=1)
    sheet = opened(assessment_workbook(replace(small_assessment(), coverage=(lost,))))["Summary"]
    shown = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "Coverage does not add up: VMs were lost on the way." in shown
