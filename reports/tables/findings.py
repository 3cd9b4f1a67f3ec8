"""An assessment as rows: where every VM stands, why, and the proof that none was lost on the way.

Pure: the same assessment gives the same rows in the same order. Rows of VMs are made when they are drawn. The
long list of findings is elsewhere: of a large estate there are millions, which stand in no workbook.
"""

from collections.abc import Mapping
from datetime import UTC

from readiness.model.assessment import (
    Assessment,
    Classification,
    ControlCount,
    Finding,
    Standing,
    VmAssessment,
)
from readiness.model.levels import LADDER
from readiness.model.verdict import Dimension, Status
from reports import words
from reports.tables.findings_parts import subscription_names
from reports.tables.table import Column, Kind, Row, Rows, Table

_OPEN = (Status.UNMET, Status.UNKNOWN)
_WEIGHT = (
    Classification.BLOCKED,
    Classification.UNKNOWN,
    Classification.READY_WITH_WORK,
    Classification.READY,
    Classification.EXCEPTED,
)
_SEEN = {
    "ARG": "Resource Graph",
    "REST": "Azure's API",
    "GUEST": "inside the guest",
    "GRAPH": "Microsoft Graph",
    "ATTEST": "somebody's word",
}
_HEAVIEST = {classification: place for place, classification in enumerate(_WEIGHT)}


def findings_facts(assessment: Assessment) -> Table:
    """Return what was assessed and when: one fact a row."""
    estate = assessment.estate
    named = [entry.name or entry.id for entry in estate.subscriptions]
    rows: tuple[Row, ...] = (
        ("Estate", estate.name),
        ("Origin", estate.origin.value),
        ("Collected at", f"{estate.collected_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
        ("Cloud", estate.cloud),
        ("Tenant", estate.tenant or "not named"),
        ("Subscriptions", _some(sorted(named))),
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


def level_counts(assessment: Assessment) -> Table:
    """Return how many VMs stand on each level: by what holds alone, and with exceptions."""
    columns = (Column("Counted", 24), *(Column(f"Level {rung.level}", 14, Kind.COUNT) for rung in LADDER))
    levels = [vm.level for vm in assessment.vms if vm.level is not None]
    raw = [one.raw for one in levels]
    permitted = [one.with_exceptions for one in levels]
    rows: tuple[Row, ...] = (
        ("What holds alone", *(raw.count(rung.level) for rung in LADDER)),
        ("With exceptions", *(permitted.count(rung.level) for rung in LADDER)),
    )
    return Table("Levels", columns, rows)


def heaviest_controls(assessment: Assessment, most: int) -> Table:
    """Return the mandatory controls that most VMs do not meet, or that nobody can tell of."""
    asked = [one for one in assessment.summary.controls if one.mandatory and one.scope == "vm"]
    held = sorted(asked, key=lambda one: (-(one.unmet + one.unknown), one.id))
    rows: tuple[Row, ...] = tuple(
        (f"{one.id} {one.title}", int(one.level), one.unmet + one.unknown)
        for one in held[:most]
        if one.unmet + one.unknown
    )
    columns = (
        Column("Control", 42, Kind.PROSE),
        Column("Level", 14, Kind.COUNT),
        Column("VMs", 14, Kind.COUNT),
    )
    return Table("Heaviest", columns, rows)


def findings_vms(assessment: Assessment) -> Table:
    """Return one row per VM: where it stands in every dimension, its level, and what weighs most."""
    columns = (
        Column("VM", 24),
        Column("Application", 22),
        Column("Owner", 22),
        Column("Subscription", 24),
        Column("Resource group", 24),
        Column("Location", 20),
        *(Column(title, 18) for title in words.DIMENSION.values()),
        Column("Level", 9, Kind.COUNT),
        Column("Level with exceptions", 13, Kind.COUNT),
        Column("Missing for the next level", 40, Kind.PROSE),
        Column("Top reason", 46, Kind.PROSE),
        Column("What to do", 46, Kind.PROSE),
        Column("Excluded because", 30, Kind.PROSE),
        Column("Resource id", 60),
    )
    names = subscription_names(assessment)
    binding = {one.id: one.level for one in assessment.summary.controls if one.mandatory}

    def row(vm: VmAssessment) -> Row:
        top = _top(vm)
        standings = (vm.dimensions.get(dimension) for dimension in Dimension)
        return (
            vm.name,
            vm.application,
            vm.owner,
            names.get(vm.subscription, vm.subscription),
            vm.resource_group,
            vm.location,
            *(standing.classification.value if standing else None for standing in standings),
            int(vm.level.raw) if vm.level else None,
            int(vm.level.with_exceptions) if vm.level else None,
            _missing(vm, binding),
            f"{top.reason}: {top.detail or top.title}" if top else None,
            _to_do(top) if top else None,
            vm.excluded,
            vm.id.text,
        )

    return Table("VMs", columns, Rows(assessment.vms, row))


def findings_controls(assessment: Assessment) -> Table:
    """Return one row per control of the catalogue: who meets it, and whose work the rest is."""
    columns = (
        Column("Control", 10),
        Column("Title", 40, Kind.PROSE),
        Column("Level", 8, Kind.COUNT),
        Column("Binds", 12),
        Column("Asked of", 13),
        *(
            Column(title, 11, Kind.COUNT)
            for title in ("Met", "Not met", "Unknown", "Does not apply", "Cannot have it", "Excepted")
        ),
        Column("Share met", 10, Kind.SHARE),
        Column("Whose work", 15),
        Column("What to do", 50, Kind.PROSE),
        Column("Seen in", 18),
        Column("In other catalogues", 44, Kind.PROSE),
    )
    return Table("Controls", columns, Rows(assessment.summary.controls, _control_row))


def _control_row(one: ControlCount) -> Row:
    asked = one.met + one.unmet + one.unknown
    return (
        one.id,
        one.title,
        int(one.level),
        "mandatory" if one.mandatory else "advisory",
        "each VM" if one.scope == "vm" else one.scope,
        one.met,
        one.unmet,
        one.unknown,
        one.not_applicable,
        one.not_eligible,
        one.excepted,
        one.met / asked if asked else None,
        one.whose.value,
        one.remedy,
        _SEEN.get(one.evidence, one.evidence),
        "\n".join(f"{name}: {', '.join(ids)}" for name, ids in one.frameworks.items()),
    )


def _top(vm: VmAssessment) -> Finding | None:
    """Return what weighs most in the dimension that stands worst, where there is anything to do."""
    standings: list[Standing] = sorted(
        (one for one in vm.dimensions.values() if one.classification in _HEAVIEST and one.reasons),
        key=lambda entry: _HEAVIEST[entry.classification],
    )
    return _weightiest(standings[0]) if standings else None


def _to_do(finding: Finding) -> str:
    # The remedy mends what is wrong; of what is unknown nobody can say yet that it is.
    if finding.status == Status.UNKNOWN:
        return f"Find it out. If it does not hold: {finding.remedy}"
    return finding.remedy


def _weightiest(standing: Standing) -> Finding:
    """Return the reason that made the classification what it is, not merely the goal that is not met.

    Goals come before what is in their way. So the last one that is unmet, and is no work, is what blocks.
    """
    reasons = standing.reasons
    match standing.classification:
        case Classification.BLOCKED:
            unmet = [one for one in reasons if one.status == Status.UNMET and one.exception is None]
            found = [one for one in unmet if one.remedy not in standing.work][-1:]
        case Classification.UNKNOWN:
            found = [one for one in reasons if one.status == Status.UNKNOWN]
        case Classification.READY_WITH_WORK:
            found = [one for one in reasons if one.remedy in standing.work]
        case _:
            found = []
    return (found or list(reasons))[0]


def _missing(vm: VmAssessment, binding: Mapping[str, int]) -> str | None:
    """Return the controls that keep a VM from the next level, exceptions counted."""
    if vm.level is None:
        return None
    wanted = vm.level.with_exceptions + 1
    return ", ".join(
        one.id
        for one in vm.controls
        if one.exception is None and one.verdict in _OPEN and binding.get(one.id) == wanted
    )


def _some(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(dict.fromkeys(names[:most])) + more
