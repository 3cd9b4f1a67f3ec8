"""The long list of an assessment: a row for everything that does not simply hold, on a VM or a subscription.

Of a large estate these are millions of rows, so nothing is kept: each is made when it is written.
"""

from collections.abc import Iterator

from readiness.model.assessment import Assessment, ControlCount, Finding, OpenControl, Standing, VmAssessment
from readiness.model.verdict import Dimension
from reports import words
from reports.tables.findings_parts import subscription_names
from reports.tables.table import Row

TITLES = (
    "VM",
    "Application",
    "Owner",
    "Subscription",
    "Subscription id",
    "Resource group",
    "Location",
    "Kind",
    "Dimension",
    "Classification",
    "Rule",
    "Level",
    "Answer",
    "Reason",
    "Title",
    "Detail",
    "What to do",
    "Whose work",
    "Exception",
    "Evidence",
    "Source",
    "Resource id",
)


def findings_rows(assessment: Assessment) -> Iterator[Row]:
    """Yield a row for every rule and control that does not hold, VM by VM, then by subscription."""
    names = subscription_names(assessment)
    controls = {one.id: one for one in assessment.summary.controls}
    for vm in assessment.vms:
        head: Row = (
            vm.name,
            vm.application,
            vm.owner,
            names.get(vm.subscription, vm.subscription),
            vm.subscription,
            vm.resource_group,
            vm.location,
        )
        for dimension, standing in vm.dimensions.items():
            for finding in standing.reasons:
                yield (*head, *_of_rule(dimension, standing, finding, vm))
        for control in vm.controls:
            yield (*head, "control", *_of_control(control, controls.get(control.id)), vm.id.text)
    for each in assessment.subscriptions:
        head = (None, None, None, each.name or each.id, each.id, None, None)
        for control in each.controls:
            told = _of_control(control, controls.get(control.id))
            yield (*head, "subscription control", *told, f"/subscriptions/{each.id}")


def _of_rule(dimension: Dimension, standing: Standing, finding: Finding, vm: VmAssessment) -> Row:
    evidence = [f"{entry.resource.name} {entry.path} = {entry.value}" for entry in finding.evidence]
    return (
        "rule",
        words.DIMENSION[dimension],
        standing.classification.value,
        finding.rule,
        None,
        finding.status,
        finding.reason,
        finding.title,
        finding.detail,
        finding.remedy,
        None,
        finding.exception,
        "\n".join(evidence),
        finding.source.address,
        vm.id.text,
    )


def _of_control(control: OpenControl, told: ControlCount | None) -> Row:
    return (
        None,
        None,
        control.id,
        int(told.level) if told else None,
        control.verdict.value,
        control.reason,
        told.title if told else None,
        None,
        told.remedy if told else None,
        control.whose.value,
        control.exception,
        None,
        None,
    )
