"""Use case: a second person approves a wave, or a change of what is shared; who did and when is kept."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from readiness.app.carrying import check_digest, wave_of
from readiness.app.consent import insist_on_somebody_else
from readiness.app.people import Person, local_user
from readiness.app.places import whoever_is_logged_in
from readiness.app.shared_actions import action_of
from readiness.model.lifecycle import Stage
from readiness.model.plan import Plan, PlanAction, TargetKind, Wave
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
        ConsentError: The plan is for Azure itself, and who is logged in there made it, or may have.
    """
    plan = _plan(plan_path, digest)
    wave = wave_of(plan, number)
    return _given(plan, state, wave, note=note, evidence=_evidence(plan, wave.number, state))


def approve_action(
    plan_path: Path, wanted: str, digest: str | None, state: Path, note: str, *, owners_agreed: bool = False
) -> tuple[PlanAction, Approval]:
    """Record that whoever runs this approves an action of a plan on a shared object.

    Args:
        plan_path: The plan.
        wanted: Key of the action, or the name of what it changes.
        digest: The plan's digest as the approver knows it; None where it was not given.
        state: The folder that remembers it.
        note: In the approver's own words.
        owners_agreed: Whether the owners of VMs that the plan does not close have agreed.

    Raises:
        PlanError: The plan cannot be read, or has another digest.
        UsageError: The plan has no such action.
        CloudError: The plan is for Azure itself, and nobody is logged in there.
        ConsentError: The plan is for Azure itself, and who is logged in there made it, or may have.
    """
    plan = _plan(plan_path, digest)
    action = action_of(plan, wanted)
    evidence = _evidence(plan, max(action.waves), state, (Stage.CLOSURE,))
    given = _given(
        plan, state, None, action=action.key, note=note, evidence=evidence, owners_agreed=owners_agreed
    )
    return action, given


def _plan(path: Path, digest: str | None) -> Plan:
    plan = read_plan(path)
    if digest is not None:
        check_digest(plan, digest)
    return plan


def _given(plan: Plan, state: Path, wave: Wave | None, **said: Any) -> Approval:
    who = _approver(plan)
    insist_on_somebody_else(plan, who, wave)
    number, at = wave.number if wave else 0, datetime.now(UTC)
    given = Approval(digest=plan.digest, wave=number, by=who.name, object_id=who.object_id, at=at, **said)
    add_approval(state, given)
    return given


def _approver(plan: Plan) -> Person:
    if plan.target.kind is TargetKind.LIVE:
        return whoever_is_logged_in(plan)
    return Person(name=local_user())


def _evidence(
    plan: Plan, wave: int, state: Path, stages: Sequence[Stage] = (Stage.OUTAGE, Stage.PREPARATION)
) -> str:
    """Return the head of the wave's latest story, which is what an approver can look at."""
    known = known_runs(state)
    for stage in stages:
        name = run_id(plan, wave, stage)
        if name in known:
            return read_head(folder_of(state, name))
    return ""
