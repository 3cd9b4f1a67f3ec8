"""Use case: plan waves for an estate, and write the plan and its workbook."""

from datetime import date
from pathlib import Path

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.collector import paused_collector
from readiness.app.estates import load
from readiness.app.release import RELEASE
from readiness.errors import PlanError
from readiness.model.plan import Plan
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import write_plan, write_whole


class WrittenPlan(Struct, frozen=True, kw_only=True):
    """A plan and where it was written."""

    plan: Plan
    plan_file: Path
    workbook: Path


@paused_collector()
def create_plan(folder: Path, to: Path, as_of: date) -> WrittenPlan:
    """Assess the estate in a folder, plan its waves, and write `plan.json` and `wave-plan.xlsx`."""
    estate = load(folder)
    assessment = evaluate(estate, as_of=as_of, release=RELEASE)
    for coverage in assessment.coverage:
        if not coverage.adds_up:
            raise PlanError(
                f"The coverage of subscription {coverage.subscription} does not add up.",
                details=f"{coverage.discovered} VMs were found, {coverage.classified} classified, "
                f"{coverage.excluded} excluded, {coverage.unknown} unknown.",
                remedy="Assess the estate and look at its gaps first.",
            )
    plan = build_plan(Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy()))
    from reports.workbook import plan_workbook

    workbook = to / "wave-plan.xlsx"
    write_whole(workbook, plan_workbook(plan))
    return WrittenPlan(plan=plan, plan_file=write_plan(to, plan), workbook=workbook)
