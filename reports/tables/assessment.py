"""An assessment as rows: where every VM stands, why, and the proof that none was lost on the way.

Pure: the same assessment gives the same rows in the same order.
"""

from datetime import UTC

from readiness.model.assessment import Assessment, Classification, Finding, Standing, VmAssessment
from readiness.model.verdict import Dimension
from reports import words
from reports.tables.table import Column, Kind, Row, Table, distinct


def assessment_summary(assessment: Assessment) -> Table:
    """Return what was assessed and when: one fact a row."""
    estate = assessment.estate
    rows: tuple[Row, ...] = (
        ("Estate", estate.name),
        ("Origin", estate.origin.value),
        ("Collected at", f"{estate.collected_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
        ("Cloud", estate.cloud),
        ("Tenant", estate.tenant or "not named"),
        ("Subscriptions", distinct(entry.name or entry.id for entry in estate.subscriptions)),
        ("As of", assessment.as_of),
        ("Release", assessment.release),
    )
    return Table("Summary", (Column("Fact", 24), Column("Value", 60)), rows)


def classification_counts(assessment: Assessment) -> Table:
    """Return one row per dimension: how many VMs stand where."""
    columns = (
        Column("Dimension", 24),
        *(Column(entry.value.capitalize(), 14, Kind.COUNT) for entry in Classification),
    )
    rows: tuple[Row, ...] = tuple(
        (words.DIMENSION[dimension], *(assessment.count(dimension, entry) for entry in Classification))
        for dimension in Dimension
    )
    return Table("Classifications", columns, rows)


def assessment_vms(assessment: Assessment) -> Table:
    """Return one row per VM: its classification in every dimension, and the reasons that weigh most."""
    columns = (
        Column("VM", 24),
        Column("Application", 22),
        Column("Owner", 22),
        Column("Resource group", 24),
        Column("Location", 16),
        *(Column(title, 18) for title in words.DIMENSION.values()),
        Column("Top reasons", 70, Kind.PROSE),
        Column("Excluded because", 30, Kind.PROSE),
        Column("Resource id", 60),
    )
    return Table("VMs", columns, tuple(_assessed_row(vm) for vm in assessment.vms))


def assessment_reasons(assessment: Assessment) -> Table:
    """Return one row per VM, dimension and rule that did not simply hold: why, and what to do."""
    columns = (
        Column("VM", 24),
        Column("Application", 22),
        Column("Dimension", 22),
        Column("Classification", 16),
        Column("Rule", 9),
        Column("Title", 34, Kind.PROSE),
        Column("Answer", 14),
        Column("Reason", 24),
        Column("Detail", 46, Kind.PROSE),
        Column("What to do", 46, Kind.PROSE),
        Column("Exception", 14),
        Column("Evidence", 46, Kind.PROSE),
        Column("Source", 46, Kind.PROSE),
        Column("Resource id", 60),
    )
    rows = tuple(
        _reason_row(vm, dimension, standing, finding)
        for vm in assessment.vms
        for dimension, standing in vm.dimensions.items()
        for finding in standing.reasons
    )
    return Table("Reasons", columns, rows)


def assessment_gaps(assessment: Assessment) -> Table:
    """Return one row for everything that could not be read; a VM among them counts as unknown."""
    columns = (
        Column("Place", 30),
        Column("Is a VM", 10),
        Column("Reason", 24),
        Column("Detail", 60, Kind.PROSE),
        Column("Resource id", 60),
    )
    rows = tuple(
        (gap.place, "yes" if gap.is_vm else "no", gap.reason, gap.detail, gap.resource)
        for gap in assessment.gaps
    )
    return Table("Gaps", columns, rows)


def coverage(assessment: Assessment) -> Table:
    """Return the proof that discovered = classified + excluded + unknown, per subscription."""
    names = {entry.id.lower(): entry.name or entry.id for entry in assessment.estate.subscriptions}
    columns = (
        Column("Subscription", 40),
        *(Column(title, 14, Kind.COUNT) for title in ("Discovered", "Classified", "Excluded", "Unknown")),
        Column("Adds up", 10),
    )
    rows = tuple(
        (
            names.get(entry.subscription.lower(), entry.subscription),
            entry.discovered,
            entry.classified,
            entry.excluded,
            entry.unknown,
            "yes" if entry.adds_up else "no",
        )
        for entry in assessment.coverage
    )
    return Table("Coverage", columns, rows)


def _assessed_row(vm: VmAssessment) -> Row:
    standings = (vm.dimensions.get(dimension) for dimension in Dimension)
    return (
        vm.name,
        vm.application,
        vm.owner,
        vm.resource_group,
        vm.location,
        *(standing.classification.value if standing else None for standing in standings),
        _top_reasons(vm),
        vm.excluded,
        vm.id.text,
    )


def _reason_row(vm: VmAssessment, dimension: Dimension, standing: Standing, finding: Finding) -> Row:
    evidence = (f"{entry.resource.name} {entry.path} = {entry.value}" for entry in finding.evidence)
    source = finding.source
    return (
        vm.name,
        vm.application,
        words.DIMENSION[dimension],
        standing.classification.value,
        finding.rule,
        finding.title,
        finding.status,
        finding.reason,
        finding.detail,
        finding.remedy,
        finding.exception,
        "\n".join(evidence),
        f"{source.title} ({source.verified})\n{source.address}",
        vm.id.text,
    )


_TOP = 3


def _top_reasons(vm: VmAssessment) -> str:
    """Return the first reasons of a VM, those of blocked dimensions before the rest, one a line."""
    weight = [
        Classification.BLOCKED,
        Classification.UNKNOWN,
        Classification.READY_WITH_WORK,
        Classification.READY,
        Classification.EXCEPTED,
        Classification.SATISFIED,
        Classification.NOT_APPLICABLE,
    ]
    standings = sorted(vm.dimensions.values(), key=lambda entry: weight.index(entry.classification))
    findings = [finding for standing in standings for finding in standing.reasons]
    lines = list(dict.fromkeys(f"{entry.reason}: {entry.detail or entry.title}" for entry in findings))
    more = [f"and {len(lines) - _TOP} more"] if len(lines) > _TOP else []
    return "\n".join([*lines[:_TOP], *more])
