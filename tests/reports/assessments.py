"""Builds assessments by hand: four VMs that differ, one excluded, one that was not read."""

from datetime import UTC, date, datetime

from readiness.model.assessment import (
    Assessment,
    Classification,
    Coverage,
    Finding,
    Source,
    Standing,
    VmAssessment,
)
from readiness.model.estate_info import EstateInfo, Gap, Origin, Subscription
from readiness.model.verdict import Dimension, Evidence
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
        gaps=(Gap("resources.jsonl:17", vm_id("vm-odd").text, "Malformed", "no properties", is_vm=True),),
    )
