"""Judges the looks: steps that only read, and decide whether the campaign may go on."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from readiness.engine.advance import INCONCLUSIVE, Campaign, Records
from readiness.model.observation import (
    Before,
    Health,
    Observation,
    before_of,
    differences,
    fingerprint,
    judge_health,
)
from readiness.model.run import StepResult
from readiness.model.steps import (
    HandOver,
    Look,
    ProveHealth,
    ProveModel,
    ProvePrepared,
    ProveRestored,
    ProveTime,
    Recheck,
    RecordBefore,
)
from readiness.model.verdict import Status
from readiness.model.virtual_machine import Power

HEALTH_INTERVAL = 15.0
"""Clock seconds between two looks at a VM that has not answered yet."""


_GRACE = timedelta(minutes=5)
"""So long a VM may take to say more of itself than it did before."""


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
            return _recorded(seen, campaign)
        case ProveTime():
            return _last_look(look, seen, campaign, records, now)
        case ProveHealth():
            return _health(look, seen, campaign, records, waited=now - since)
        case ProvePrepared():
            return _prepared(seen, campaign)
        case ProveModel():
            return _model(seen, campaign)
        case ProveRestored():
            return _restored(seen, campaign, records)
        case HandOver(code=code, reason=reason):
            return StepResult(ok=False, code=code, detail=reason)
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


def in_time(look: ProveTime, now: datetime) -> StepResult:
    """Decide whether what is left of the window still holds the change and the way back."""
    if now <= look.until:
        return StepResult(ok=True, detail="it does")
    detail = f"it had to go down by {look.until:%Y-%m-%d %H:%M} UTC: its checks and hooks took too long"
    return StepResult(ok=False, code="WindowTooShort", detail=detail)


def _last_look(
    look: ProveTime, seen: Observation, campaign: Campaign, records: Records, now: datetime
) -> StepResult:
    """Decide whether a VM still goes down; one found off, and started since, would be left off."""
    before = campaign.before(records)
    if before is not None and not before.was_running and seen.vm.power is not Power.DEALLOCATED:
        detail = f"{seen.vm.name} was {before.power}, and is {seen.vm.power}: somebody started it meanwhile"
        return StepResult(ok=False, code="StartedMeanwhile", detail=detail)
    return in_time(look, now)


def _recorded(seen: Observation, campaign: Campaign) -> StepResult:
    """Keep the state from before; work that the running guest has to do first needs a running guest."""
    if campaign.needs_guest and seen.vm.power is not Power.RUNNING:
        detail = f"{seen.vm.name} is {seen.vm.power}, and must run to be converted: its owner starts it"
        return StepResult(ok=False, code="NotRunning", detail=detail)
    return StepResult(ok=True, detail=f"found {seen.vm.power}", before=before_of(seen))


def _health(
    look: ProveHealth, seen: Observation, campaign: Campaign, records: Records, *, waited: timedelta
) -> StepResult | LookAgain:
    before = campaign.before(records)
    if before is None:
        raise AssertionError("health is compared with a state that was never recorded")
    health, detail = judge_health(before, seen)
    if health is Health.INCONCLUSIVE and not before.was_running:
        # Found off: nobody knows whether its agent was well, so that only one that reports proves its boot.
        health, detail = Health.PENDING, "running, but its agent has not reported ready"
    note = size_note(before, seen)
    match health:
        case Health.HEALTHY:
            return StepResult(ok=True, detail=detail, note=note)
        case Health.UNHEALTHY:
            return StepResult(ok=False, code="Unhealthy", detail=detail)
        case Health.INCONCLUSIVE if waited < _GRACE:
            return LookAgain(HEALTH_INTERVAL, detail)
        case Health.INCONCLUSIVE:
            return StepResult(ok=False, code=INCONCLUSIVE, detail=detail, note=note)
        case Health.PENDING if waited.total_seconds() >= look.timeout:
            told = f"not healthy within {look.timeout // 60} minutes: {detail}"
            return StepResult(ok=False, code="NotHealthyInTime", detail=told)
        case Health.PENDING:
            return LookAgain(HEALTH_INTERVAL, detail)
        case _:
            assert_never(health)


def size_note(before: Before, seen: Observation) -> str:
    """Return what has to be known of a VM that runs as another size than before."""
    now, own = seen.vm.size or "", before.size or ""
    return "" if now.lower() == own.lower() else f"runs as {now}; was {own}, for which Azure had no room"


def _prepared(seen: Observation, campaign: Campaign) -> StepResult:
    choice = campaign.vm.choice
    verdicts = [verdict for book in campaign.playbooks for verdict in book.prepared(choice, seen)]
    missing = [verdict for verdict in verdicts if verdict.status in (Status.UNMET, Status.UNKNOWN)]
    if missing:
        detail = "; ".join(verdict.detail or verdict.reason for verdict in missing)
        told = f"not prepared: {detail}; 'readiness prepare' does it"
        return StepResult(ok=False, code=missing[0].reason, detail=told)
    return StepResult(ok=True, detail="prepared")


def _model(seen: Observation, campaign: Campaign) -> StepResult:
    verdicts = [verdict for book in campaign.playbooks for verdict in book.verify(campaign.vm.choice, seen)]
    failed = [verdict for verdict in verdicts if verdict.status in (Status.UNMET, Status.UNKNOWN)]
    if failed:
        detail = "; ".join(verdict.detail or verdict.reason for verdict in failed)
        return StepResult(ok=False, code=failed[0].reason, detail=detail)
    return StepResult(ok=True, detail="Azure shows what was asked for")


def _restored(seen: Observation, campaign: Campaign, records: Records) -> StepResult:
    before = campaign.before(records)
    if before and seen.vm.power is Power.RUNNING and campaign.is_approved(seen.vm.size, records):
        before = replace(before, size=seen.vm.size)
    changed = differences(before, seen) if before else ("its state before was not recorded",)
    if changed:
        return StepResult(ok=False, code="NotRestored", detail="; ".join(changed))
    return StepResult(ok=True, detail="configured as before")
