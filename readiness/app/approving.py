"""Use case: a second person approves a wave, and it is kept who, when, and what there was to be seen."""

from datetime import UTC, datetime
from pathlib import Path

from readiness.app.carrying import check_digest, wave_of
from readiness.app.people import Person, local_user
from readiness.app.places import whoever_is_logged_in
from readiness.model.lifecycle import Stage
from readiness.model.plan import Plan, TargetKind
from readiness.store.approvals import Approval, add_approval
from readiness.store.artefacts import read_plan
from readiness.store.journal import read_head
from readiness.store.runs import folder_of, known_runs, run_id


def approve_wave(plan_path: Path, number: int, digest: str | None, state: Path, note: str) -> Approval:
    """Record that whoever runs this approves a wave of a plan.

    Args:
        plan_path: The plan.
        number: The wave.
        digest: The plan's digest as the approver knows it; None where it was not given.
        state: The folder that remembers it.
        note: In the approver's own words.

    Raises:
        PlanError: The plan cannot be read, has another digest, or has no such wave.
        CloudError: The plan is for Azure itself, and nobody is logged in there.
    """
    plan = read_plan(plan_path)
    if digest is not None:
        check_digest(plan, digest)
    wave = wave_of(plan, number)
    who = _approver(plan)
    given = Approval(
        digest=plan.digest,
        wave=wave.number,
        by=who.name,
        object_id=who.object_id,
        at=datetime.now(UTC),
        note=note,
        evidence=_evidence(plan, wave.number, state),
    )
    add_approval(state, given)
    return given


def _approver(plan: Plan) -> Person:
    if plan.target.kind is TargetKind.LIVE:
        return whoever_is_logged_in(plan)
    return Person(name=local_user())


def _evidence(plan: Plan, wave: int, state: Path) -> str:
    """Return the head of the wave's latest story, which is what an approver can look at."""
    known = known_runs(state)
    for stage in (Stage.OUTAGE, Stage.PREPARATION):
        name = run_id(plan, wave, stage)
        if name in known:
            return read_head(folder_of(state, name))
    return ""
