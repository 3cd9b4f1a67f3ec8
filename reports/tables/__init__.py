"""Plan and assessment as rows. Pure; every format uses them."""

from reports.tables.assessment import (
    assessment_gaps,
    assessment_reasons,
    assessment_summary,
    assessment_vms,
    classification_counts,
    coverage,
)
from reports.tables.plan import (
    plan_left_out,
    plan_left_out_reasons,
    plan_summary,
    plan_undo_kinds,
    plan_vms,
    plan_wave_sizes,
    plan_waves,
)
from reports.tables.table import Cell, Column, Kind, Row, Table

__all__ = [
    "Cell",
    "Column",
    "Kind",
    "Row",
    "Table",
    "assessment_gaps",
    "assessment_reasons",
    "assessment_summary",
    "assessment_vms",
    "classification_counts",
    "coverage",
    "plan_left_out",
    "plan_left_out_reasons",
    "plan_summary",
    "plan_undo_kinds",
    "plan_vms",
    "plan_wave_sizes",
    "plan_waves",
]
