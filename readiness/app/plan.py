"""Use case: plan waves for an estate, and write the plan and its workbook."""

from datetime import date
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.collector import paused_collector
from readiness.app.contradictions import refuse_contradictions
from readiness.app.estates import load
from readiness.app.release import RELEASE
from readiness.errors import PlanError
from readiness.model.estate import Estate
from readiness.model.plan import Plan, TargetKind, digest_of
from readiness.model.policy import Policy
from readiness.planner.build import Request, build_plan
from readiness.planner.diff import Change, diff
from readiness.planner.optimal import cp_sat_solver
from readiness.rules.evaluate import evaluate
from readiness.store.artefacts import read_plan, write_plan, write_whole
from readiness.store.context_values import Words
from readiness.store.policy_file import TEMPLATE, read_policy


class WrittenPlan(Struct, frozen=True, kw_only=True):
    """A plan and where it was written."""

    plan: Plan
    plan_file: Path
    workbook: Path


@paused_collector()
def create_plan(  # noqa: PLR0913  what a plan is made of, and for whom
    folder: Path,
    to: Path,
    as_of: date,
    policy: Path | None = None,
    previous: Path | None = None,
    *,
    effort: float | None = None,
    author: str = "",
) -> WrittenPlan:
    """Assess the estate in a folder, plan its waves, and write `plan.json` and `wave-plan.xlsx`.

    Args:
        folder: The estate.
        to: Where to write.
        as_of: The day of the plan.
        policy: File of limits and wishes; without one the defaults hold.
        previous: A plan whose waves keep their places.
        effort: Seconds of work for which a solver looks for the fewest waves and the proof; None: no solver.
        author: Who plans. Part of a plan for Azure itself, which has to be approved by somebody else.
    """
    solver = cp_sat_solver(effort) if effort is not None else None
    estate = load(folder)
    refuse_contradictions(folder, estate)
    chosen = _policy(policy, estate)
    earlier = read_plan(previous) if previous else None
    assessment = evaluate(estate, as_of=as_of, release=RELEASE)
    for coverage in assessment.coverage:
        if not coverage.adds_up:
            raise PlanError(
                f"The coverage of subscription {coverage.subscription} does not add up.",
                details=f"{coverage.discovered} VMs were found, {coverage.classified} classified, "
                f"{coverage.excluded} excluded, {coverage.unknown} unknown.",
                remedy="Assess the estate and look at its gaps first.",
            )
    plan = build_plan(
        Request(
            estate=estate,
            assessment=assessment,
            playbooks=ALL_PLAYBOOKS,
            policy=chosen,
            previous=earlier,
            solver=solver,
        )
    )
    if plan.target.kind is TargetKind.LIVE and author:
        unsealed = replace(plan, author=author, digest="")
        plan = replace(unsealed, digest=digest_of(unsealed))
    from reports.workbook import plan_workbook

    workbook = to / "wave-plan.xlsx"
    write_whole(workbook, plan_workbook(plan, diff(earlier, plan) if earlier else ()))
    return WrittenPlan(plan=plan, plan_file=write_plan(to, plan), workbook=workbook)


def compare_plans(before: Path, after: Path) -> tuple[Change, ...]:
    """Return what changed from one plan to another."""
    return diff(read_plan(before), read_plan(after))


def write_policy(path: Path) -> Path:
    """Write a policy of defaults, with what each line means.

    Raises:
        PlanError: There is a file already.
    """
    if path.exists():
        raise PlanError(f"{path} exists already.", remedy="Give another name: nothing is overwritten.")
    write_whole(path, TEMPLATE.encode())
    return path


def _policy(path: Path | None, estate: Estate) -> Policy:
    if path is None:
        return Policy()
    names = tuple(entry.name for entry in estate.context.applications)
    return read_policy(path, Words(applications=names))
