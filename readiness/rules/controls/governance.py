"""Controls of how a subscription is governed: exceptions, policies and code."""

from datetime import timedelta
from typing import TypeVar

from msgspec import Struct

from readiness.model.assessment import Source, Whose
from readiness.model.governance import PolicyAssignment, PolicyExemption
from readiness.model.levels import Level
from readiness.model.verdict import Evidence, Verdict, met, unknown, unmet
from readiness.rules.controls.control import EvidenceClass, SubscriptionControl, SubscriptionFacts
from readiness.rules.controls.references import BENCHMARKS

_Kind = TypeVar("_Kind", bound=Struct)
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
    exemptions = _policy(facts, PolicyExemption)
    for entry in exemptions:
        at = Evidence(entry.id, "properties", "expiresOn, metadata.owner")
        if entry.expires is None or entry.owner is None:
            return unmet("ExemptionIncomplete", f"{entry.id.name} has no end or no owner.", at)
        if (entry.category or "").lower() == "mitigated" and not entry.compensating_control:
            return unmet("ExemptionIncomplete", f"{entry.id.name} names nothing that mitigates it.", at)
    for permission in facts.permissions:
        if permission.expires > facts.as_of + _LONGEST:
            return unmet("ExceptionTooLong", f"{permission.id} is longer than {_LONGEST.days} days.")
        if not permission.compensating_control:
            return unmet("ExceptionIncomplete", f"{permission.id} names no compensating control.")
        if permission.expires < facts.as_of:
            return unmet("ExceptionExpired", f"{permission.id} expired on {permission.expires}.")
    if exemptions or facts.was_listed("Microsoft.Authorization/policyExemptions"):
        return met("ExceptionsKept")
    return unknown("ExemptionsNotRead", "Policy exemptions were not listed; collect them, or attest it.")


def drift_answered(facts: SubscriptionFacts) -> Verdict:
    """A policy that only watches for ever changes nothing: assignments are enforced and deny or repair."""
    found = _policy(facts, PolicyAssignment)
    if not found:
        return unknown("PoliciesNotRead", "No policy assignment was seen; collect them.")
    idle = [entry for entry in found if not entry.is_enforced]
    if idle:
        at = Evidence(idle[0].id, "properties.enforcementMode", "DoNotEnforce")
        return unmet("NotEnforced", f"{idle[0].id.name} is not enforced.", at)
    if all((entry.effect or "").lower() in ("", "audit", "auditifnotexists", "disabled") for entry in found):
        return unmet("OnlyAudited", "No assignment is seen to deny or to repair anything.")
    return met("DriftAnswered")


def code_tested(_facts: SubscriptionFacts) -> Verdict:
    """Templates are tested for security before they are deployed."""
    return unknown("CodeNotAttested", "No API shows how templates are tested; attest it.")


def benchmark_assigned(facts: SubscriptionFacts) -> Verdict:
    """The Microsoft cloud security benchmark is assigned, best at a management group."""
    found = _policy(facts, PolicyAssignment)
    hit = next((entry for entry in found if entry.definition in BENCHMARKS), None)
    if hit is not None:
        return met("BenchmarkAssigned", "", Evidence(hit.id, "properties.policyDefinitionId", hit.definition))
    if found and facts.was_listed("Microsoft.Authorization/policyAssignments"):
        return unmet("NoBenchmark", "The security benchmark is not assigned.")
    return unknown("PoliciesNotRead", "The benchmark was not seen; collect all policy assignments.")


def _policy(facts: SubscriptionFacts, kind: type[_Kind]) -> tuple[_Kind, ...]:
    # Those of management groups lie in no subscription, and may hold for any.
    posture = facts.estate.posture
    return (*posture.within(kind, facts.id), *posture.within(kind, ""))


_LONGEST = timedelta(days=180)
"""How long an exception may run."""

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
        remedy="Move policies from auditing to denying or repairing, step by step.",
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
