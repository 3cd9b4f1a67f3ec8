"""Builds assessments that follow one another, for tests of the history: a few VMs with a small catalogue."""

from datetime import UTC, date, datetime, timedelta

from readiness.model.assessment import (
    Assessment,
    Classification,
    ControlCount,
    Coverage,
    ExceptionStanding,
    Finding,
    OpenControl,
    Source,
    Standing,
    SubscriptionAssessment,
    Summary,
    VmAssessment,
    Whose,
)
from readiness.model.estate_info import EstateInfo, Gap, Origin, Subscription
from readiness.model.history import RunRecord, VmRun
from readiness.model.levels import Answered, Level, LevelReached, reached
from readiness.model.verdict import Dimension, Status
from tests.builders import vm_id

SUBSCRIPTION = vm_id("any").subscription
FIRST = date(2026, 6, 1)
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
TL, CMK = Dimension.TRUSTED_LAUNCH, Dimension.CMK
CATALOGUE = {
    "AA-1": (Level.BASIC, Whose.OURS),
    "AA-2": (Level.BASIC, Whose.OTHER_TEAM),
    "BB-1": (Level.ADVANCED, Whose.OURS),
    "CC-1": (Level.FULL, Whose.OTHER_TEAM),
}
"""Three levels weigh 3 + 3 + 2 + 1 = 9 in the posture score."""


def day(number):
    """Return the day so many weeks after the first."""
    return FIRST + timedelta(weeks=number)


def counts(*ids):
    """Return the catalogue of these controls, or of all."""
    return tuple(
        ControlCount(
            id=control,
            title=f"Title of {control}",
            level=level,
            mandatory=True,
            scope="vm",
            evidence="ARG",
            whose=whose,
            remedy="Do it.",
            frameworks={"NIST": ("AC-1",)} if control == "AA-1" else {},
            met=1,
            unmet=1,
        )
        for control, (level, whose) in CATALOGUE.items()
        if not ids or control in ids
    )


def opened(control, verdict=Status.UNMET, exception=None):
    """Return a control that is not met."""
    whose = CATALOGUE[control][1]
    return OpenControl(id=control, verdict=verdict, reason="NotSo", whose=whose, exception=exception)


def vm(
    name, *controls, tl=Classification.SATISFIED, excluded=None, unasked=(), application="shop", owner="Ada"
):
    """Return a VM that does not meet these controls, by id or whole, and to which others do not apply."""
    listed = tuple(one if isinstance(one, OpenControl) else opened(one) for one in controls)
    reasons = () if tl is Classification.SATISFIED else (finding(tl),)
    answers = [Answered(CATALOGUE[one.id][0], one.verdict, one.exception is not None) for one in listed]
    return VmAssessment(
        id=vm_id(name),
        name=name,
        subscription=SUBSCRIPTION,
        resource_group="rg",
        location="westeurope",
        application=application,
        owner=owner,
        excluded=excluded,
        dimensions={}
        if excluded
        else {
            TL: Standing(classification=tl, reasons=reasons),
            **{
                one: Standing(classification=Classification.NOT_APPLICABLE)
                for one in Dimension
                if one is not TL
            },
        },
        level=None if excluded else reached(answers),
        controls=listed,
        unasked=dict.fromkeys(unasked, "NotPublic"),
    )


def finding(tl):
    """Return why a VM is not satisfied."""
    return Finding(
        rule="TL001",
        title="Runs under Trusted Launch",
        status="not-applicable" if tl is Classification.NOT_APPLICABLE else "unmet",
        reason=f"Is{tl.name.title()}",
        detail="",
        remedy="Upgrade it.",
        source=Source("A page", "https://example.invalid", "2026-11"),
    )


def assessment(as_of, *vms, name="fleet", controls=(), unread=(), subscription=SUBSCRIPTION, own=()):
    """Return the assessment of these VMs on a day."""
    return Assessment(
        as_of=as_of,
        release="1.0",
        estate=EstateInfo(
            name=name,
            origin=Origin.SAMPLE,
            collected_at=AT,
            subscriptions=(Subscription(subscription, "Production"),),
        ),
        coverage=(
            Coverage(
                subscription=subscription, discovered=len(vms), classified=len(vms), excluded=0, unknown=0
            ),
        ),
        vms=vms,
        gaps=tuple(
            Gap("vms.jsonl:1", vm_id(one).text, "Denied", "no right to read", is_vm=True) for one in unread
        ),
        summary=Summary(controls=controls or counts()),
        subscriptions=(
            SubscriptionAssessment(
                id=subscription,
                name="Production",
                level=LevelReached(Level.NONE, Level.BASIC),
                controls=own,
            ),
        ),
    )


def permission(name, expires):
    """Return an exception that ends on a day."""
    return ExceptionStanding(
        id=name,
        covers="cmk",
        owner="Ada",
        reason="old",
        approved_by="Bo",
        expires=expires,
        is_expired=False,
        compensating_control="",
        vms=1,
    )


def run(*names, succeeded=True, is_rehearsal=False, estate="fleet", name="abc-wave-1"):
    """Return a run of these VMs."""
    return RunRecord(
        id=name,
        estate=estate,
        plan="d" * 64,
        wave=1,
        wave_name="First",
        place="AzurePublic",
        is_rehearsal=is_rehearsal,
        approved_by="Bo",
        started_at=AT,
        ended_at=AT + timedelta(hours=1),
        vms=tuple(
            VmRun(
                vm=vm_id(one),
                name=one,
                outcome="done" if succeeded else "rolled_back",
                succeeded=succeeded,
                actions=("trusted-launch",),
                downtime_seconds=301,
            )
            for one in names
        ),
    )
