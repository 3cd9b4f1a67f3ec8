"""What other catalogues of controls call what a control asks for."""

from readiness.model.reference import Framework
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.rules.controls.frameworks import framework_ids
from readiness.rules.evaluate import evaluate
from tests.rules.control_builders import TODAY, best_estate

_BY_ID = {control.id: control for control in ALL_CONTROLS}


def test_a_control_takes_the_ids_of_all_its_policies() -> None:
    """Ids come once each and in the order people count in; a framework that maps none is left out."""
    first, second = _BY_ID["CP-1"].policies
    frameworks = (
        Framework(name="A", address="a", controls={first: ("SC-7(3)", "AC-12", "AC-2"), second: ("AC-2",)}),
        Framework(name="B", address="b", controls={"other": ("1",)}),
    )

    assert {"A": ("AC-2", "AC-12", "SC-7(3)")} == framework_ids(_BY_ID["CP-1"], frameworks)


def test_the_catalogue_of_an_assessment_names_them() -> None:
    """Whoever reads an assessment finds the ids beside the control, and none where none was found."""
    found = {
        one.id: one.frameworks for one in evaluate(best_estate(), as_of=TODAY, release="x").summary.controls
    }

    assert ("NS-3", "PA-2") == found["AC-1"]["Microsoft cloud security benchmark v1"]
    assert ("SC-28", "SC-28(1)") == found["DP-3"]["NIST SP 800-53 Rev. 5"]
    assert ("6.1", "6.2") == found["AC-2"]["CIS Microsoft Azure Foundations Benchmark v2.0.0"]
    assert ("A.12.6.1",) == found["DF-5"]["ISO 27001:2013"]
    assert {} == found["AC-8"]
