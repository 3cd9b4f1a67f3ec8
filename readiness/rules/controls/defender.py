"""Controls of Microsoft Defender for Cloud: what it watches, and what it finds."""

from readiness.model.assessment import Source, Whose
from readiness.model.governance import RecommendationOwner
from readiness.model.levels import Level
from readiness.model.monitoring import DefenderPlan, LogHub, Recommendation, SecuritySetting
from readiness.model.verdict import Evidence, Verdict, met, unknown, unmet
from readiness.rules import sightings
from readiness.rules.controls.absence import extension_missing
from readiness.rules.controls.control import (
    EvidenceClass,
    SubscriptionControl,
    SubscriptionFacts,
    VmControl,
    VmFacts,
)
from readiness.rules.controls.references import ASSESSMENTS

_LEARN = "https://learn.microsoft.com/azure"
_SERVERS = Source(
    "Overview of Defender for Servers",
    f"{_LEARN}/defender-for-cloud/defender-for-servers-overview",
    "2026-04",
)
_ENDPOINT = Source(
    "Defender for Endpoint integration in Defender for Cloud",
    f"{_LEARN}/defender-for-cloud/integration-defender-for-endpoint",
    "2026-04",
)
_BLOCK = Source(
    "Endpoint detection and response in block mode",
    "https://learn.microsoft.com/defender-endpoint/edr-in-block-mode",
    "2026-04",
)
_WEAKNESSES = Source(
    "Vulnerability scanning with Microsoft Defender Vulnerability Management",
    f"{_LEARN}/defender-for-cloud/deploy-vulnerability-assessment-defender-vulnerability-management",
    "2026-04",
)
_FILES = Source(
    "File integrity monitoring overview",
    f"{_LEARN}/defender-for-cloud/file-integrity-monitoring-overview",
    "2026-04",
)
_SENTINEL = Source("What is Microsoft Sentinel?", f"{_LEARN}/sentinel/overview", "2026-04")
_OWNERS = Source(
    "Drive remediation with governance rules", f"{_LEARN}/defender-for-cloud/governance-rules", "2026-04"
)


def defender_on(facts: SubscriptionFacts) -> Verdict:
    """Defender for Servers watches every VM of the subscription; it is an opt-in."""
    plan = _plan(facts)
    if plan is None or plan.tier is None:
        return _PLAN_NOT_READ
    at = Evidence(plan.id, "properties.pricingTier", plan.tier)
    if not plan.is_on:
        return unmet("DefenderOff", "Defender for Servers is off.", at)
    if (plan.coverage or "FullyCovered").lower() != "fullycovered":
        where = Evidence(plan.id, "properties.resourcesCoverageStatus", plan.coverage)
        return unmet("DefenderPartly", "Defender for Servers leaves resources out.", at, where)
    left_out = [entry for entry in _plans(facts) if entry is not plan and entry.tier and not entry.is_on]
    if left_out:
        out = Evidence(left_out[0].id, "properties.pricingTier", left_out[0].tier)
        return unmet("DefenderPartly", "Defender for Servers is off for some VMs.", out)
    return met("DefenderOn", "", at)


def plan_two(facts: SubscriptionFacts) -> Verdict:
    """Just-in-time access, agentless scanning and file integrity monitoring come with Plan 2 only."""
    plan = _plan(facts)
    if plan is None or plan.tier is None:
        return _PLAN_NOT_READ
    at = Evidence(plan.id, "properties.subPlan", plan.plan)
    if plan.is_on and (plan.plan or "").upper() == "P2":
        return met("PlanTwo", "", at)
    return unmet("NotPlanTwo", "The subscription is not under Plan 2.", at)


def detects(facts: VmFacts) -> Verdict:
    """Endpoint detection and response runs on the VM."""
    found = facts.extension("mde.linux", "mde.windows")
    if found is not None and found.has_succeeded:
        return met("EndpointDetects", "", sightings.extension_state_of(facts.vm, found))
    assessed = facts.assessed(ASSESSMENTS["DF-3"][:1])
    if assessed is not None:
        return assessed
    if found is not None:
        at = sightings.extension_state_of(facts.vm, found)
        return unmet("EndpointFailed", "The Defender for Endpoint extension does not work.", at)
    if not facts.was_listed(_ASSESSMENTS):
        # Without the extension a VM may have been onboarded by hand, which only the assessment tells.
        return unknown("NotAssessed", f"No extension was seen; collect '{_ASSESSMENTS}', or attest it.")
    return extension_missing(facts, "NoEndpointDetection", "No endpoint detection was seen on the VM.")


def blocks(_facts: SubscriptionFacts) -> Verdict:
    """Endpoint detection also blocks what it finds; the switch is one of the tenant, unseen by Azure."""
    return unknown("BlockModeNotAttested", "No Azure API shows block mode; attest it.")


def scanned(facts: VmFacts) -> Verdict:
    """The VM is scanned for weaknesses."""
    return facts.assessed(ASSESSMENTS["DF-5"][:1]) or unknown(
        "NotAssessed", "Defender for Cloud's answer was not read; collect the assessments, or attest it."
    )


def integrated(facts: SubscriptionFacts) -> Verdict:
    """Defender for Servers brings Defender for Endpoint to VMs by itself."""
    settings = [
        entry for entry in facts.estate.posture.within(SecuritySetting, facts.id) if _is_endpoint(entry)
    ]
    if not settings:
        return unknown("SettingsNotRead", "The settings of Defender for Cloud were not read; collect them.")
    silent = [entry for entry in settings if entry.is_enabled is None]
    if silent:
        return unknown("SettingNotReported", f"{silent[0].id.name} says neither on nor off; read it again.")
    off = [entry for entry in settings if not entry.is_enabled]
    if off:
        return unmet(
            "IntegrationOff",
            f"{off[0].id.name} is off.",
            Evidence(off[0].id, "properties.enabled", value=False),
        )
    return met("Integrated")


def files_watched(facts: VmFacts) -> Verdict:
    """Changes to system files are noticed."""
    return facts.assessed(ASSESSMENTS["DF-7"]) or unknown(
        "NotAssessed", "Defender for Cloud's answer was not read; collect the assessments, or attest it."
    )


def watched(facts: SubscriptionFacts) -> Verdict:
    """Somebody watches the logs at any hour."""
    hubs = facts.estate.posture.all(LogHub)
    if hubs:
        return met("SentinelOn", "", Evidence(hubs[0].id, "id", hubs[0].id.text))
    return unknown(
        "LogsNotAttested", "No Sentinel workspace was seen; collect it, or attest what takes its place."
    )


def owners_named(facts: SubscriptionFacts) -> Verdict:
    """Each finding of high severity has somebody who has promised to deal with it."""
    posture = facts.estate.posture
    found = posture.within(Recommendation, facts.id)
    owned = {entry.id.parent for entry in posture.within(RecommendationOwner, facts.id) if entry.owner}
    loose = [entry for entry in found if _is_serious(entry) and entry.id not in owned]
    if loose and not facts.was_listed(_OWNED):
        return unknown("OwnersNotRead", f"Who has promised what was not listed; collect '{_OWNED}'.")
    if loose:
        at = Evidence(loose[0].id, "properties.status.code", loose[0].code)
        return unmet("FindingsWithoutOwner", f"{len(loose)} serious findings have no owner.", at)
    if not found or not facts.was_listed(_ASSESSMENTS):
        return unknown("NotAssessed", f"Not all assessments were read; collect '{_ASSESSMENTS}'.")
    return met("FindingsOwned")


_ASSESSMENTS = "Microsoft.Security/assessments"
_OWNED = "Microsoft.Security/assessments/governanceAssignments"


def _plans(facts: SubscriptionFacts) -> tuple[DefenderPlan, ...]:
    return facts.estate.posture.within(DefenderPlan, facts.id)


def _plan(facts: SubscriptionFacts) -> DefenderPlan | None:
    return next(
        (
            entry
            for entry in _plans(facts)
            if entry.id.key.startswith(f"{facts.resource.key}/providers/microsoft.security/")
        ),
        None,
    )


def _is_endpoint(entry: SecuritySetting) -> bool:
    return entry.id.name.lower() in ("wdatp", "wdatp_unified_solution")


def _is_serious(entry: Recommendation) -> bool:
    return (entry.code or "").lower() == "unhealthy" and (entry.severity or "").lower() == "high"


_PLAN_NOT_READ = unknown(
    "PlanNotRead", "The Defender plan was not read; collect 'Microsoft.Security/pricings'."
)

CONTROLS = (
    SubscriptionControl(
        id="DF-1",
        title="Defender for Servers is on",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch Defender for Servers on for the subscription.",
        source=_SERVERS,
        whose=Whose.OTHER_TEAM,
        seed_claim="Every plan is said to be on by itself, with ninety days free. Plans are opted in to, "
        "with thirty days.",
        check=defender_on,
    ),
    SubscriptionControl(
        id="DF-2",
        title="Defender for Servers is on Plan 2",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Move the subscription to Plan 2.",
        source=_SERVERS,
        whose=Whose.OTHER_TEAM,
        check=plan_two,
    ),
    VmControl(
        id="DF-3",
        title="Endpoint detection is installed",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Let Defender for Servers install Defender for Endpoint, or onboard the VM by hand.",
        source=_ENDPOINT,
        whose=Whose.OTHER_TEAM,
        check=detects,
    ),
    SubscriptionControl(
        id="DF-4",
        title="Endpoint detection blocks",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.ATTESTED,
        remedy="Switch block mode on in the tenant, and attest it.",
        source=_BLOCK,
        whose=Whose.OTHER_TEAM,
        seed_claim="Block mode is said to be mandatory. It is a switch of the tenant that Azure does not "
        "show.",
        check=blocks,
    ),
    VmControl(
        id="DF-5",
        title="Scanned for weaknesses",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch vulnerability assessment on.",
        source=_WEAKNESSES,
        whose=Whose.OTHER_TEAM,
        seed_claim="A daily scan is asked for. Agents report all the time, agentless scans about daily.",
        check=scanned,
    ),
    SubscriptionControl(
        id="DF-6",
        title="Defender for Endpoint is integrated",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.REST,
        remedy="Switch the integration on in the settings of Defender for Cloud.",
        source=_ENDPOINT,
        whose=Whose.OTHER_TEAM,
        check=integrated,
    ),
    VmControl(
        id="DF-7",
        title="System files are watched",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Switch file integrity monitoring on.",
        source=_FILES,
        whose=Whose.OTHER_TEAM,
        check=files_watched,
    ),
    SubscriptionControl(
        id="DF-8",
        title="Logs are watched around the clock",
        level=Level.FULL,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Send logs to Microsoft Sentinel, or attest what takes its place.",
        source=_SENTINEL,
        whose=Whose.OTHER_TEAM,
        check=watched,
    ),
    SubscriptionControl(
        id="MN-4",
        title="Findings have owners",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Set governance rules that give every serious finding an owner and a date.",
        source=_OWNERS,
        whose=Whose.OTHER_TEAM,
        check=owners_named,
    ),
)
