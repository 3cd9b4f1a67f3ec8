"""Builds assessments by hand: four VMs that differ, one excluded, one that was not read."""

from datetime import UTC, date, datetime

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
from readiness.model.levels import Level, LevelReached
from readiness.model.verdict import Dimension, Evidence, Status
from tests.reports.plans import SUBSCRIPTION, vm_id

SOURCE = Source(
    "Trusted Launch for existing VMs", "https://learn.microsoft.com/azure/virtual-machines", "2026-11"
)


def finding(name: str, rule: str, reason: str, detail: str) -> Finding:
    """Return a finding about the VM of that name."""
    return Finding(
        rule=rule,
        title="Boots from a generation 2 image",
        status="unmet",
        reason=reason,
        detail=detail,
        remedy="Convert the OS disk to GPT, then upgrade the generation.",
        source=SOURCE,
        evidence=(Evidence(vm_id(name), "properties.hyperVGeneration", "V1"),),
    )


def assessed(name: str, *classifications: Classification, excluded: str | None = None) -> VmAssessment:
    """Return a VM with a classification per dimension and a finding for each that is not satisfied."""
    dimensions = {
        dimension: Standing(
            classification=classification,
            reasons=()
            if classification is Classification.SATISFIED
            else (finding(name, "TL002", f"Reason{dimension.value.title()}", f"{name} boots through BIOS"),),
        )
        for dimension, classification in zip(Dimension, classifications, strict=False)
    }
    return VmAssessment(
        id=vm_id(name),
        name=name,
        subscription=SUBSCRIPTION,
        resource_group="rg-estate",
        location="westeurope",
        application="shop",
        owner="Jonas Okafor",
        excluded=excluded,
        dimensions=dimensions,
        level=None if excluded else LevelReached(Level.BASIC, Level.ADVANCED),
        controls=() if excluded else (OPEN, PERMITTED),
    )


OPEN = OpenControl(id="DP-5", verdict=Status.UNMET, reason="PlatformKey", whose=Whose.OURS)
PERMITTED = OpenControl(
    id="CP-1", verdict=Status.UNMET, reason="NoTrustedLaunch", whose=Whose.OURS, exception="EX-7"
)
CONTROLS = (
    ControlCount(
        id="CP-1",
        title="Runs under Trusted Launch",
        level=Level.ADVANCED,
        mandatory=True,
        scope="vm",
        evidence="ARG",
        whose=Whose.OURS,
        remedy="Upgrade the VM to Trusted Launch.",
        frameworks={"CIS Azure Foundations v3.0.0": ("8.11",)},
        unmet=4,
        excepted=4,
    ),
    ControlCount(
        id="DP-5",
        title="All disks are under a customer-managed key",
        level=Level.FULL,
        mandatory=True,
        scope="vm",
        evidence="ARG",
        whose=Whose.OURS,
        remedy="Bring every disk under the disk encryption set that was chosen for it.",
        unmet=4,
    ),
    ControlCount(
        id="GV-1",
        title="Exceptions are owned, dated and compensated",
        level=Level.ADVANCED,
        mandatory=True,
        scope="subscription",
        evidence="ARG",
        whose=Whose.OTHER_TEAM,
        remedy="Give every exception an owner.",
        unmet=1,
    ),
)
EXCEPTIONS = tuple(
    ExceptionStanding(
        id=name,
        covers=covers,
        owner="Jonas Okafor",
        reason="Its successor is ordered.",
        approved_by="Security office",
        expires=expires,
        is_expired=expires < date(2026, 11, 22),
        compensating_control=control,
        vms=1,
    )
    for name, covers, expires, control in (
        ("EX-9", "cmk", date(2027, 11, 22), ""),
        ("EX-7", "CP-1", date(2026, 12, 1), "A closed subnet."),
        ("EX-8", "trusted_launch", date(2026, 11, 21), "A closed subnet."),
    )
)


def small_assessment() -> Assessment:
    """Return an assessment of six VMs."""
    one = Classification
    vms = (
        assessed("vm-shop-db", one.READY, one.SATISFIED, one.READY_WITH_WORK, one.SATISFIED),
        assessed("vm-shop-web", one.BLOCKED, one.READY, one.UNKNOWN, one.READY),
        assessed("vm-old", one.BLOCKED, one.BLOCKED, one.EXCEPTED, one.READY),
        assessed("vm-new", one.SATISFIED, one.SATISFIED, one.NOT_APPLICABLE, one.SATISFIED),
        assessed("aks-node", excluded="managed by AKS"),
    )
    return Assessment(
        as_of=date(2026, 11, 22),
        release="0.1.0",
        estate=EstateInfo(
            name="starter",
            origin=Origin.SAMPLE,
            collected_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
            tenant="contoso.example",
            subscriptions=(Subscription(SUBSCRIPTION, "Shop production"),),
        ),
        coverage=(Coverage(subscription=SUBSCRIPTION, discovered=6, classified=4, excluded=1, unknown=1),),
        vms=vms,
        summary=Summary(
            vms=5, excluded=1, level=LevelReached(Level.BASIC, Level.ADVANCED), controls=CONTROLS
        ),
        subscriptions=(
            SubscriptionAssessment(
                id=SUBSCRIPTION,
                name="Shop production",
                level=LevelReached(Level.BASIC, Level.ADVANCED),
                controls=(
                    OpenControl(
                        id="GV-1", verdict=Status.UNMET, reason="ExceptionTooLong", whose=Whose.OTHER_TEAM
                    ),
                ),
            ),
        ),
        exceptions=EXCEPTIONS,
        gaps=(Gap("resources.jsonl:17", vm_id("vm-odd").text, "Malformed", "no properties", is_vm=True),),
    )
