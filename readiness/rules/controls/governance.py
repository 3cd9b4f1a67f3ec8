"""Controls of how a subscription is governed: exceptions, policies and code."""

from datetime import date
from typing import TypeVar

from readiness.model.assessment import Source, Whose
from readiness.model.exceptions import LONGEST
from readiness.model.fact import Fact
from readiness.model.governance import PolicyAssignment, PolicyExemption
from readiness.model.levels import Level
from readiness.model.verdict import Evidence, Verdict, met, unknown, unmet
from readiness.rules.controls.control import EvidenceClass, SubscriptionControl, SubscriptionFacts
from readiness.rules.controls.references import BENCHMARKS

_Kind = TypeVar("_Kind", bound=Fact)
_LEARN = "https://learn.microsoft.com/azure"
_EXEMPTIONS = Source(
    "Azure Policy exemption structure",
    f"{_LEARN}/governance/policy/concepts/exemption-structure",
    "2026-04",
)
_EFFECTS = Source(
    "Azure Policy assignment structure",
    f"{_LEARN}/governance/policy/concepts/assignment-structure",
    "2026-04",
)
_CODE = Source(
    "Microsoft Security DevOps in Defender for Cloud",
    f"{_LEARN}/defender-for-cloud/azure-devops-extension",
    "2026-04",
)
_BENCHMARK = Source(
    "Overview of the Microsoft cloud security benchmark",
    "https://learn.microsoft.com/security/benchmark/azure/overview",
    "2026-04",
)


def exceptions_kept(facts: SubscriptionFacts) -> Verdict:
    """An exception names who answers for it, ends within half a year, and says what protects meanwhile."""
    for exemption in _policy(facts, PolicyExemption):
        fault = _fault_of(exemption, facts.as_of)
        if fault is not None:
            return fault
    for permission in facts.permissions:
        if permission.expires > facts.as_of + LONGEST:
            return unmet("ExceptionTooLong", f"{permission.id} is longer than {LONGEST.days} days.")
        if not permission.compensating_control:
            return unmet("ExceptionIncomplete", f"{permission.id} names no compensating control.")
        if permission.expires < facts.as_of:
            return unmet("ExceptionExpired", f"{permission.id} expired on {permission.expires}.")
    if facts.was_listed(_EXEMPTED):
        return met("ExceptionsKept")
    return unknown("ExemptionsNotRead", f"Nobody asked for all policy exemptions; collect '{_EXEMPTED}'.")


def _fault_of(exemption: PolicyExemption, as_of: date) -> Verdict | None:
    name, expires = exemption.id.name, exemption.expires
    ends = Evidence(exemption.id, "properties.expiresOn", expires.isoformat() if expires else None)
    if expires is None:
        return unmet("ExemptionWithoutEnd", f"{name} has no end.", ends)
    if exemption.owner is None:
        at = Evidence(exemption.id, "properties.metadata.owner", None)
        return unmet("ExemptionWithoutOwner", f"{name} names nobody who answers for it.", at)
    if (exemption.category or "").lower() == "mitigated" and not exemption.compensating_control:
        at = Evidence(exemption.id, "properties.metadata.compensatingControls", None)
        return unmet("ExemptionNotMitigated", f"{name} names nothing that mitigates it.", at)
    if expires.date() < as_of:
        return unmet("ExemptionExpired", f"{name} expired on {expires.date()}.", ends)
    if expires.date() > as_of + LONGEST:
        return unmet("ExemptionTooLong", f"{name} is longer than {LONGEST.days} days.", ends)
    return None


def drift_answered(facts: SubscriptionFacts) -> Verdict:
    """A policy that only watches for ever changes nothing: assignments are enforced and deny or repair.

    One of them has to act on the whole subscription; a single resource group says nothing of its neighbours.
    """
    found = _policy(facts, PolicyAssignment)
    idle = [entry for entry in found if not entry.is_enforced]
    if idle:
        at = Evidence(idle[0].id, "properties.enforcementMode", "DoNotEnforce")
        return unmet("NotEnforced", f"{idle[0].id.name} is not enforced.", at)
    acting = [entry for entry in found if entry.effect and entry.effect.lower() not in _WATCHING]
    wide = [entry for entry in found if _is_wide(entry, facts)]
    answering = [entry for entry in acting if entry in wide]
    if answering:
        at = Evidence(answering[0].id, "properties.parameters.effect.value", answering[0].effect)
        return met("DriftAnswered", "", at)
    if not found or not facts.was_listed(_ASSIGNMENTS):
        return unknown("PoliciesNotRead", f"Not all policy assignments were read; collect '{_ASSIGNMENTS}'.")
    if any(entry.effect is None for entry in wide):
        detail = "What assignments do is decided by their definitions, which are not read; attest it."
        return unknown("EffectsNotSeen", detail)
    if acting:
        at = Evidence(acting[0].id, "properties.scope", acting[0].scope)
        return unmet("OnlyPartAnswered", "What denies or repairs acts on parts of the subscription.", at)
    return unmet("OnlyAudited", "No assignment denies or repairs anything.", *_effects(found))


def code_tested(_facts: SubscriptionFacts) -> Verdict:
    """Templates are tested for security before they are deployed."""
    return unknown("CodeNotAttested", "No API shows how templates are tested; attest it.")


def benchmark_assigned(facts: SubscriptionFacts) -> Verdict:
    """The Microsoft cloud security benchmark is assigned, best at a management group."""
    found = _policy(facts, PolicyAssignment)
    hit = next((entry for entry in found if entry.definition in BENCHMARKS), None)
    if hit is not None:
        return met("BenchmarkAssigned", "", Evidence(hit.id, "properties.policyDefinitionId", hit.definition))
    if facts.was_listed(_ASSIGNMENTS):
        return unmet("NoBenchmark", "The security benchmark is not assigned.")
    return unknown("PoliciesNotRead", "The benchmark was not seen; collect all policy assignments.")


def _policy(facts: SubscriptionFacts, kind: type[_Kind]) -> tuple[_Kind, ...]:
    # Those of management groups lie in no subscription, and may hold for any.
    posture = facts.estate.posture
    return (*posture.within(kind, facts.id), *posture.within(kind, ""))


def _is_wide(entry: PolicyAssignment, facts: SubscriptionFacts) -> bool:
    at = facts.estate.info.collected_at
    # A subscription is reached from its own scope or from above, never from a group within it.
    exempted = any(one.frees(facts.resource, entry, at) for one in _policy(facts, PolicyExemption))
    return entry.covers(facts.resource) and not exempted


def _effects(found: tuple[PolicyAssignment, ...]) -> list[Evidence]:
    return [
        Evidence(entry.id, "properties.parameters.effect.value", entry.effect) for entry in found[:_SHOWN]
    ]


_EXEMPTED = "Microsoft.Authorization/policyExemptions"
_ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"
_WATCHING = ("audit", "auditifnotexists", "disabled")
_SHOWN = 5

CONTROLS = (
    SubscriptionControl(
        id="GV-1",
        title="Exceptions are owned, dated and compensated",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Give every exception an owner, an end within 180 days and a compensating control.",
        source=_EXEMPTIONS,
        whose=Whose.OTHER_TEAM,
        check=exceptions_kept,
    ),
    SubscriptionControl(
        id="GV-2",
        title="Drift has a consequence",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Move policies of the whole subscription from auditing to denying or repairing, step by step.",
        source=_EFFECTS,
        whose=Whose.OTHER_TEAM,
        check=drift_answered,
    ),
    SubscriptionControl(
        id="GV-3",
        title="Infrastructure code is tested",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.ATTESTED,
        remedy="Test templates for security in the pipeline, and attest it.",
        source=_CODE,
        whose=Whose.OTHER_TEAM,
        check=code_tested,
    ),
    SubscriptionControl(
        id="GV-5",
        title="The security benchmark is assigned",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Assign the Microsoft cloud security benchmark at a management group.",
        source=_BENCHMARK,
        whose=Whose.OTHER_TEAM,
        seed_claim="An initiative called IaaS Security Foundation is named. It was not found; the Microsoft "
        "cloud security benchmark takes its place.",
        check=benchmark_assigned,
    ),
)
