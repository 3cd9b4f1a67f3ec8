"""The columns of the context workbook that say how a dependency binds, and whose a VM of two is."""

import pytest

from readiness.app.estates import load
from readiness.app.importing_context import import_context
from readiness.errors import EstateError
from readiness.model.context import Dependency
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
