"""Judges the looks: steps that only read, and decide whether the campaign may go on."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from readiness.engine.advance import Campaign, Records
from readiness.model.observation import Health, Observation, before_of, differences, fingerprint, judge_health
from readiness.model.run import StepResult
from readiness.model.steps import Look, ProveHealth, ProveModel, ProveRestored, Recheck, RecordBefore
from readiness.model.verdict import Status
from readiness.model.virtual_machine import Power

HEALTH_INTERVAL = 15.0
"""Clock seconds between two looks at a VM that has not answered yet."""


class LookAgain(Struct, frozen=True):
    """Nothing decided yet: look again in so many clock seconds."""

    seconds: float
    detail: str


def judge(
    look: Look, seen: Observation, campaign: Campaign, records: Records, *, since: datetime, now: datetime
) -> StepResult | LookAgain:
    """Decide what an observation means for a look that is due since an instant."""
    match look:
        case Recheck():
            return _recheck(look, seen)
        case RecordBefore():
            return StepResult(ok=True, detail=f"found {seen.vm.power}", before=before_of(seen))
        case ProveHealth():
            return _health(look, seen, campaign, records, waited=now - since)
        case ProveModel():
            return _model(seen, campaign)
        case ProveRestored():
            return _restored(seen, campaign, records)
        case _:
            assert_never(look)


def _recheck(look: Recheck, seen: Observation) -> StepResult:
    if fingerprint(seen.vm, seen.disks) != look.fingerprint:
        detail = f"{seen.vm.name} was changed since it was planned: assess and plan it again"
        return StepResult(ok=False, code="ChangedSincePlanned", detail=detail)
    if seen.vm.power not in (Power.RUNNING, Power.DEALLOCATED):
        detail = f"{seen.vm.name} is {seen.vm.power}: its owner starts or deallocates it first"
        return StepResult(ok=False, code="PowerUnclear", detail=detail)
    if (seen.vm.provisioning_state or "succeeded").lower() not in ("succeeded", "updating"):
        detail = f"{seen.vm.name} is in provisioning state {seen.vm.provisioning_state}"
        return StepResult(ok=False, code="NotProvisioned", detail=detail)
    return StepResult(ok=True, detail="as it was planned")


def _health(
    look: ProveHealth, seen: Observation, campaign: Campaign, records: Records, *, waited: timedelta
) -> StepResult | LookAgain:
    before = campaign.before(records)
    if before is None:
        raise AssertionError("health is compared with a state that was never recorded")
    health, detail = judge_health(before, seen)
    match health:
        case Health.HEALTHY:
            return StepResult(ok=True, detail=detail)
        case Health.UNHEALTHY:
            return StepResult(ok=False, code="Unhealthy", detail=detail)
        case Health.INCONCLUSIVE if waited.total_seconds() >= look.timeout:
            told = f"not healthy within {look.timeout // 60} minutes: {detail}"
            return StepResult(ok=False, code="NotHealthyInTime", detail=told)
        case Health.INCONCLUSIVE:
            return LookAgain(HEALTH_INTERVAL, detail)
        case _:
            assert_never(health)


def _model(seen: Observation, campaign: Campaign) -> StepResult:
    verdicts = [verdict for book in campaign.playbooks for verdict in book.verify(campaign.vm.choice, seen)]
    failed = [verdict for verdict in verdicts if verdict.status in (Status.UNMET, Status.UNKNOWN)]
    if failed:
        detail = "; ".join(verdict.detail or verdict.reason for verdict in failed)
        return StepResult(ok=False, code=failed[0].reason, detail=detail)
    return StepResult(ok=True, detail="Azure shows what was asked for")


def _restored(seen: Observation, campaign: Campaign, records: Records) -> StepResult:
    before = campaign.before(records)
    changed = differences(before, seen) if before else ("its state before was not recorded",)
    if changed:
        return StepResult(ok=False, code="NotRestored", detail="; ".join(changed))
    return StepResult(ok=True, detail="configured as before")
