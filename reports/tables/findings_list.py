"""The long list of an assessment: a row for everything that does not simply hold, on a VM or a subscription.

Of a large estate these are millions of rows, so nothing is kept: each is made when it is written. Most of
what stands in them stands in many, so each comes in parts: whoever draws them need not draw a part twice.
"""

from collections.abc import Iterator

from readiness.model.assessment import Assessment, ControlCount, Finding, OpenControl, Standing
from readiness.model.verdict import Dimension, Status
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


def findings_rows(assessment: Assessment) -> Iterator[tuple[Row, ...]]:
    """Yield the parts of a row for every rule and control that does not hold, subscriptions after VMs."""
    names = subscription_names(assessment)
    told = _Told({one.id: one for one in assessment.summary.controls})
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
        end = (vm.id.text,)
        for dimension, standing in vm.dimensions.items():
            for finding in standing.reasons:
                yield (head, *_of_rule(dimension, standing, finding), end)
        for control in vm.controls:
            yield (head, _OF_VM, told.of(control), end)
    for each in assessment.subscriptions:
        head = (None, None, None, each.name or each.id, each.id, None, None)
        for control in each.controls:
            yield (head, _OF_SUBSCRIPTION, told.of(control), (f"/subscriptions/{each.id}",))


def _of_rule(dimension: Dimension, standing: Standing, finding: Finding) -> tuple[Row, ...]:
    evidence = [f"{entry.resource.name} {entry.path} = {entry.value}" for entry in finding.evidence]
    return (
        (
            "rule",
            words.DIMENSION[dimension],
            standing.classification.value,
            finding.rule,
            None,
            finding.status,
            finding.reason,
            finding.title,
        ),
        (finding.detail,),
        (finding.remedy, None, finding.exception),
        ("\n".join(evidence),),
        (finding.source.address,),
    )


class _Told:
    """What is told of controls; most VMs of an estate share their answers."""

    def __init__(self, controls: dict[str, ControlCount]) -> None:
        self._controls = controls
        self._rows: dict[tuple[str, Status, str, str | None], Row] = {}

    def of(self, control: OpenControl) -> Row:
        """Return what stands in a row after the kind and before the id."""
        key = (control.id, control.verdict, control.reason, control.exception)
        if key not in self._rows:
            self._rows[key] = _of_control(control, self._controls.get(control.id))
        return self._rows[key]


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


_OF_VM, _OF_SUBSCRIPTION = ("control",), ("subscription control",)
