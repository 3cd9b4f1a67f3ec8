"""The findings workbook and the list beside it: where every VM stands, why, and that none was lost."""

import csv
import io
from datetime import date
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from msgspec.structs import replace

from readiness.app.assess import assess, assess_scope
from readiness.app.estates import locate
from readiness.model.assessment import Assessment, Classification, Coverage
from readiness.model.scope import parse_scope
from readiness.rules.catalog import ALL_RULES
from reports import tables
from reports.findings import findings_csv, findings_workbook
from reports.tables.findings_list import TITLES
from tests.reports.assessments import assessed, small_assessment
from tests.reports.dump import column, dump, opened, snapshot
from tests.reports.plans import SUBSCRIPTION

TODAY = date(2026, 11, 22)
SAMPLES = ("starter", "bank", "legacy", "clean_shop", "everything_wrong")
HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    "\uff1d1+1",
    "'=1",
    '=HYPERLINK("https://evil.example","x")',
    "a\x00\x07\x1b[31mb",
    "left\u202eright\u200f",
    "<b>&amp;</b>]]>",
    "\ud83d lone",
    "😀" * 20_000,
    "_x000D_",
    'a "quoted", b\nsecond line',
)


def listed(assessment: Assessment) -> list[dict[str, str]]:
    """Return the lines of the list as a program reads them."""
    text = b"".join(findings_csv(assessment)).decode()
    assert text.startswith("\ufeffVM,")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def hostile(text: str) -> Assessment:
    """Return an assessment in which Azure and people wrote that text wherever they can."""
    made = small_assessment()
    vm = assessed("vm-shop-web", Classification.BLOCKED, Classification.READY, excluded=None)
    told = {"name": text, "application": text, "owner": text, "resource_group": text}
    estate = replace(made.estate, name=text, tenant=text)
    exceptions = tuple(replace(one, reason=text, owner=text) for one in made.exceptions)
    gaps = tuple(replace(gap, detail=text) for gap in made.gaps)
    return replace(made, vms=(replace(vm, **told),), estate=estate, exceptions=exceptions, gaps=gaps)


def test_looks_as_reviewed() -> None:
    """Every cell, width, table and highlight is as somebody last read and accepted it."""
    seen = dump(findings_workbook(small_assessment()))
    assert snapshot("findings-workbook.txt", seen) == seen


def test_the_same_assessment_gives_the_same_bytes() -> None:
    """Two calls with the same assessment give the same files, byte by byte."""
    made = small_assessment()
    assert findings_workbook(made) == findings_workbook(made)
    assert list(findings_csv(made)) == list(findings_csv(made))


@pytest.mark.parametrize("estate", SAMPLES)
def test_every_vm_has_one_row(estate: str) -> None:
    """Classified and excluded VMs have one row each; one that was not read stands among the gaps."""
    made = assess(locate(estate), TODAY)
    workbook = opened(findings_workbook(made))
    assert [vm.id.text for vm in made.vms] == column(workbook["VMs"], "Resource id")
    unread = [cell for cell in column(workbook["Gaps"], "Is a VM") if cell == "yes"]
    found = sum(entry.discovered for entry in made.coverage)
    assert found == len(made.vms) + len(unread)


@pytest.mark.parametrize("estate", SAMPLES)
def test_what_weighs_most_is_what_made_the_class(estate: str) -> None:
    """A blocked VM names what blocks it, one with work its work, an unknown one what nobody knows."""
    made = assess(locate(estate), TODAY)
    roles = {rule.title: rule.role.value for rule in ALL_RULES}
    table = tables.findings_vms(made)
    for vm, row in zip(made.vms, table.rows, strict=True):
        classes = {one.classification for one in vm.dimensions.values()}
        told = row[table.position("Top reason")]
        known = {
            f"{finding.reason}: {finding.detail or finding.title}": (roles[finding.title], finding.status)
            for standing in vm.dimensions.values()
            for finding in standing.reasons
        }
        if Classification.BLOCKED in classes:
            assert ("blocker", "unmet") == known[str(told)]
        elif Classification.UNKNOWN in classes:
            assert "unknown" == known[str(told)][1]
        elif Classification.READY_WITH_WORK in classes:
            assert ("work", "unmet") == known[str(told)]
        elif classes <= {Classification.SATISFIED, Classification.NOT_APPLICABLE}:
            assert told is None


@pytest.mark.parametrize("estate", SAMPLES)
def test_the_list_has_every_finding(estate: str) -> None:
    """Every rule and control that does not hold has a line, of VMs and of subscriptions."""
    made = assess(locate(estate), TODAY)
    lines = listed(made)
    rules = sum(len(one.reasons) for vm in made.vms for one in vm.dimensions.values())
    controls = sum(len(vm.controls) for vm in made.vms)
    own = sum(len(each.controls) for each in made.subscriptions)
    kinds = [line["Kind"] for line in lines]
    assert (rules, controls, own) == tuple(map(kinds.count, ("rule", "control", "subscription control")))
    assert all(line["Rule"] and line["Answer"] and line["What to do"] for line in lines)
    assert tuple(lines[0]) == TITLES


def test_missing_controls_are_those_of_the_next_level() -> None:
    """What an exception permits is not missing, nor what a higher level asks."""
    table = tables.findings_vms(small_assessment())
    assert "DP-5" == table.rows[0][table.position("Missing for the next level")]
    assert None is table.rows[4][table.position("Missing for the next level")]


def test_levels_add_up_to_the_classified_vms() -> None:
    """Each VM that is classified stands on one level, raw and with exceptions."""
    made = assess(locate("bank"), TODAY)
    classified = sum(entry.classified for entry in made.coverage)
    sums = [sum(cell for cell in row[1:] if isinstance(cell, int)) for row in tables.level_counts(made).rows]
    assert [classified, classified] == sums
    counted = [(one.raw, one.with_exceptions) for one in made.summary.levels]
    rows = tables.level_counts(made).rows
    assert counted == list(zip(rows[0][1:], rows[1][1:], strict=True))


def test_exceptions_say_why_they_are_refused() -> None:
    """The next one to end comes first, with its state and everything that is wrong."""
    sheet = opened(findings_workbook(small_assessment()))["Exceptions"]
    assert ["EX-8", "EX-7", "EX-9"] == column(sheet, "Exception")
    assert ["expired", "ends soon", "in force"] == column(sheet, "State")
    assert [-1, 9, 365] == column(sheet, "Days left")
    refused = column(sheet, "Refused because")
    assert refused[1] is None
    assert "Nothing is named that protects meanwhile.\nIt runs for 365 more days" in refused[2]


def test_says_loudly_when_coverage_does_not_add_up() -> None:
    """A lost VM is said on the first page, and its subscription comes before those that add up."""
    lost = Coverage(subscription=SUBSCRIPTION, discovered=9, classified=4, excluded=1, unknown=1)
    fine = [
        Coverage(subscription=f"s-{number:03}", discovered=1, classified=1, excluded=0, unknown=0)
        for number in range(40)
    ]
    made = replace(small_assessment(), coverage=(*fine, lost))
    sheet = opened(findings_workbook(made))["Summary"]
    shown = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "Coverage does not add up: VMs were lost on the way." in shown
    assert "and 29 more, on the sheet Run." in shown
    assert shown.index("Shop production") < shown.index("s-000")


def test_a_narrowed_assessment_says_so() -> None:
    """The first page and the sheet Run name the scope, and how much is out of it."""
    narrowed = assess_scope(locate("bank"), TODAY, parse_scope(("name:kb-db-*",)))
    workbook = opened(findings_workbook(narrowed.assessment, narrowed.scope))
    shown = [cell.value for row in workbook["Summary"].iter_rows() for cell in row]
    assert "Narrowed to name:kb-db-*: 4 VMs are in scope, 50 are not." in shown
    facts = dict(zip(column(workbook["Run"], "Fact"), column(workbook["Run"], "Value"), strict=True))
    assert ("name:kb-db-*", 4, 50) == (facts["Scope"], facts["VMs in scope"], facts["VMs out of scope"])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_breaks_no_file_and_is_no_formula(text: str) -> None:
    """Whatever Azure and people wrote is text in the workbook, and no cell of the list begins a formula."""
    made = hostile(text)
    data = findings_workbook(made)
    with ZipFile(BytesIO(data)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert [] == [sheet for sheet in sheets if b"<f>" in sheet]
    kinds = {cell.data_type for row in opened(data)["VMs"].iter_rows() for cell in row}
    assert kinds <= {"s", "inlineStr", "n"}
    lines = listed(made)
    begun = {cell[:1] for line in lines for cell in line.values()}
    assert set() == begun & {"=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"}
    assert all(len(line) == len(TITLES) and None not in line for line in lines)


def test_what_was_marked_as_text_reads_back() -> None:
    """Who takes the first apostrophe off gets the name as Azure wrote it."""
    for text in ("=1+1", "'=1", "'s-hertogenbosch", "plain", "-", "it's"):
        shown: Any = listed(hostile(text))[0]["VM"]
        assert text == (shown[1:] if shown.startswith("'") else shown)
