"""The smaller tables of an assessment: exceptions, what could not be read, coverage, and how it came about.

Pure: the same assessment gives the same rows in the same order.
"""

from collections.abc import Iterator
from datetime import UTC

from readiness.model.assessment import Assessment, ExceptionStanding
from readiness.model.exceptions import days_left, faults_of, state_of
from readiness.model.scope import ScopeReport
from readiness.model.verdict import Status
from reports import words
from reports.tables.table import Column, Kind, Row, Rows, Table

_OPEN = (Status.UNMET, Status.UNKNOWN)


def findings_exceptions(assessment: Assessment) -> Table:
    """Return one row per exception, the next one to end first: who answers for it, and what is wrong."""
    columns = (
        Column("Exception", 20),
        Column("State", 11),
        Column("Expires", 13, Kind.DAY),
        Column("Days left", 10, Kind.COUNT),
        Column("Permits", 24),
        Column("VMs", 9, Kind.COUNT),
        Column("Owner", 22),
        Column("Approved by", 26, Kind.PROSE),
        Column("Why", 40, Kind.PROSE),
        Column("Compensating control", 40, Kind.PROSE),
        Column("Refused because", 36, Kind.PROSE),
    )

    def row(one: ExceptionStanding) -> Row:
        faults = faults_of(one, assessment.as_of)
        return (
            one.id,
            state_of(one, assessment.as_of).value,
            one.expires,
            days_left(one, assessment.as_of),
            words.permitted(one.covers),
            one.vms,
            one.owner,
            one.approved_by,
            one.reason,
            one.compensating_control,
            "\n".join(fault.detail for fault in faults),
        )

    entries = sorted(assessment.exceptions, key=lambda one: (one.expires, one.id))
    return Table("Exceptions", columns, Rows(entries, row))


def findings_gaps(assessment: Assessment) -> Table:
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


def findings_run(assessment: Assessment, scope: ScopeReport | None = None) -> Table:
    """Return how the assessment came about: versions, parameters, coverage and levels by subscription."""
    columns = (Column("Section", 16), Column("Fact", 44), Column("Value", 90, Kind.PROSE))
    return Table("Run", columns, tuple(_run_rows(assessment, scope)))


def coverage(assessment: Assessment) -> Table:
    """Return the proof that discovered = classified + excluded + unknown, per subscription."""
    names = subscription_names(assessment)
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


def subscription_names(assessment: Assessment) -> dict[str, str]:
    """Return what subscriptions are called, by their id in lower case."""
    return {entry.id.lower(): entry.name or entry.id for entry in assessment.estate.subscriptions}


def _run_rows(assessment: Assessment, scope: ScopeReport | None) -> Iterator[Row]:
    estate = assessment.estate
    yield ("Versions", "Release", assessment.release)
    yield ("Versions", "Format of the assessment", assessment.format)
    yield ("Parameters", "As of", assessment.as_of)
    yield ("Parameters", "Scope", ", ".join(scope.asked) if scope else "the whole estate")
    if scope is not None:
        yield ("Parameters", "VMs in scope", scope.in_scope)
        yield ("Parameters", "VMs out of scope", scope.out_of_scope)
    yield ("Estate", "Name", estate.name)
    yield ("Estate", "Origin", estate.origin.value)
    yield ("Estate", "Collected at", f"{estate.collected_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    yield ("Estate", "Cloud", estate.cloud)
    yield ("Estate", "Tenant", estate.tenant or "not named")
    names = subscription_names(assessment)
    for one in assessment.coverage:
        told = (
            f"{one.discovered} discovered = {one.classified} classified + {one.excluded} excluded + "
            f"{one.unknown} unknown: {'adds up' if one.adds_up else 'does not add up'}"
        )
        yield ("Coverage", names.get(one.subscription.lower(), one.subscription), told)
    for each in assessment.subscriptions:
        told = f"Level {each.level.raw}, with exceptions {each.level.with_exceptions}"
        own = ", ".join(control.id for control in each.controls if control.verdict in _OPEN)
        yield (
            "Levels",
            each.name or each.id,
            f"{told}; its own controls that are not met: {own}" if own else told,
        )
