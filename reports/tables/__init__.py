"""Plan and assessment as rows. Pure; every format uses them."""

from reports.tables.findings import (
    classification_counts,
    findings_controls,
    findings_facts,
    findings_vms,
    heaviest_controls,
    level_counts,
)
from reports.tables.findings_parts import coverage, findings_exceptions, findings_gaps, findings_run
from reports.tables.plan import (
    plan_left_out_reasons,
    plan_summary,
    plan_undo_kinds,
    plan_wave_sizes,
    plan_waves,
)
from reports.tables.plan_parts import (
    plan_actions,
    plan_blocked,
    plan_changes,
    plan_dependencies,
    plan_exceptions,
    plan_identity,
    plan_run,
    plan_unplanned,
)
from reports.tables.plan_vms import plan_schedule, plan_vms
from reports.tables.table import Cell, Column, Edit, Kind, Row, Rows, Table

__all__ = [
    "Cell",
    "Column",
    "Edit",
    "Kind",
    "Row",
    "Rows",
    "Table",
    "classification_counts",
    "coverage",
    "findings_controls",
    "findings_exceptions",
    "findings_facts",
    "findings_gaps",
    "findings_run",
    "findings_vms",
    "heaviest_controls",
    "level_counts",
    "plan_actions",
    "plan_blocked",
    "plan_changes",
    "plan_dependencies",
    "plan_exceptions",
    "plan_identity",
    "plan_left_out_reasons",
    "plan_run",
    "plan_schedule",
    "plan_summary",
    "plan_undo_kinds",
    "plan_unplanned",
    "plan_vms",
    "plan_wave_sizes",
    "plan_waves",
]
