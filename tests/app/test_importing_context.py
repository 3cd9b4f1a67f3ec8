"""Columns of the context workbook: how a dependency binds, whose a VM of two is, and other sizes."""

import io

import pytest
from msgspec import UNSET
from openpyxl import load_workbook

from readiness.app.estates import load
from readiness.app.importing_context import import_context
from readiness.errors import EstateError
from readiness.model.context import Dependency
from readiness.store.context_template import template
from tests.app.test_import_people import DB, ROWS, WEB, estate, workbook

__all__ = ["estate"]  # the fixture


def test_every_column_of_a_dependency_arrives(tmp_path, estate):
    """A number that Excel has of its own kind is a confidence, and a choice is how it binds."""
    seen = {"Source": "web-01", "Target": "db-01", "Observed": True, "Evidence": "=a", "Confidence": 0.8}
    import_context((workbook(tmp_path, {"Dependencies": seen}),), estate)
    expected = Dependency(source=WEB, target=DB, observed=True, evidence="=a", confidence=0.8)
    assert (expected,) == load(estate).context.dependencies
    strict = {"Source": "web-01", "Target": "db-01", "Strict": "next-wave"}
    (tmp_path / "context.xlsx").unlink()
    import_context((workbook(tmp_path, {"Dependencies": strict}),), estate)
    assert (Dependency(source=WEB, target=DB, hard=True, strict=True),) == load(estate).context.dependencies


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"Strict": "later"}, "Dependencies!D3: 'later' is none of"),
        ({"Observed": "maybe"}, "Dependencies!E3: 'maybe' is neither"),
        ({"Confidence": 80}, "Dependencies!G3: '80' is no confidence. Write a number from 0 to 1"),
        ({"Observed": True, "Hard": True}, "Dependencies!A3: What was merely observed binds nothing"),
    ],
    ids=["strict", "observed", "confidence", "together"],
)
def test_a_wrong_cell_of_a_dependency_is_named(tmp_path, estate, cells, told):
    """Sheet, cell, what is wrong and what to do."""
    row = {"Source": "web-01", "Target": "db-01", **cells}
    with pytest.raises(EstateError) as caught:
        import_context((workbook(tmp_path, {"Dependencies": row}),), estate)
    assert told in caught.value.details


def test_an_application_may_be_empty(tmp_path, estate):
    """What nobody minds is not among the warnings."""
    row = ROWS["Applications"] | {"VM names": "gone-*", "Tags": None, "Windows": None}
    report = import_context((workbook(tmp_path, {"Applications": row | {"May be empty": True}}),), estate)
    assert (True, ()) == (load(estate).context.applications[0].may_be_empty, report.warnings)
    (tmp_path / "context.xlsx").unlink()
    report = import_context((workbook(tmp_path, {"Applications": row}),), estate)
    assert 1 == len(report.warnings)


SIZES = {"VM names": "web-*", "Other sizes": "Standard_D4s_v5; Standard_D2as_v5", "Start if off": True}


def test_other_sizes_and_the_start_of_what_is_off_arrive(tmp_path, estate):
    """Sizes keep their order, however they are separated; where cells are empty nobody chose anything."""
    import_context((workbook(tmp_path, {"Targets": SIZES}),), estate)
    (target,) = load(estate).context.targets
    assert (("Standard_D4s_v5", "Standard_D2as_v5"), True) == (
        target.choice.sizes,
        target.choice.start_if_off,
    )
    (tmp_path / "context.xlsx").unlink()
    lines = SIZES | {"Other sizes": "Standard_D2as_v5\nStandard_D4s_v5", "Start if off": None}
    import_context((workbook(tmp_path, {"Targets": lines}),), estate)
    (target,) = load(estate).context.targets
    assert ("Standard_D2as_v5", "Standard_D4s_v5") == target.choice.sizes
    assert UNSET is target.choice.start_if_off
    (tmp_path / "context.xlsx").unlink()
    import_context(
        (workbook(tmp_path, {"Targets": lines | {"Other sizes": None, "Secure Boot": True}}),), estate
    )
    (target,) = load(estate).context.targets
    assert UNSET is target.choice.alternative_sizes


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"Other sizes": "D4s_v5"}, "'D4s_v5' is no VM size. Write its full name, such as Standard_D4s_v5."),
        ({"Other sizes": "Standard_D4s_v5; big one"}, "'big one' is no VM size."),
        ({"Other sizes": "Standard_D4s_v5; standard_d4S_v5"}, "stands here twice. Name each size once."),
        ({"Start if off": "perhaps"}, "'perhaps' is neither"),
    ],
    ids=["short", "second", "twice", "flag"],
)
def test_a_wrong_cell_of_sizes_is_named(tmp_path, estate, cells, told):
    """Sheet, cell, what is wrong and what to do; nothing is written."""
    before = load(estate).context
    with pytest.raises(EstateError) as caught:
        import_context((workbook(tmp_path, {"Targets": SIZES | cells}),), estate)
    error = caught.value
    said = " ".join((error.brief, error.remedy, error.details))
    assert told.partition(". ")[0] in said
    assert told.rpartition(". ")[2] in said
    assert "Targets!" in said
    assert before == load(estate).context


def test_the_template_checks_and_explains_the_new_columns():
    """A flag is chosen from a list, other sizes are asked about, and both say what they do."""
    sheet = load_workbook(io.BytesIO(template()))["Targets"]
    titles = {cell.value: cell for cell in sheet[1]}
    rules = {rule.promptTitle: rule for rule in sheet.data_validations.dataValidation}
    sizes, flag = rules["Other sizes"], rules["Start if off"]
    letter = titles["Other sizes"].column_letter
    assert ("custom", "warning") == (sizes.type, sizes.errorStyle)
    assert f'OR(LEFT({letter}2,9)="Standard_",LEFT({letter}2,6)="Basic_")' == sizes.formula1
    assert ("list", '"true,false"') == (flag.type, flag.formula1)
    for title, rule in (("Other sizes", sizes), ("Start if off", flag)):
        assert rule.prompt.endswith(("Standard_D2as_v5", "true")), "the example was cut off"
        assert rule.prompt.partition(" Example")[0] in titles[title].comment.text
