"""Controls of monitoring and updates."""

from datetime import timedelta

from msgspec.structs import replace

from readiness.model.assessment import Source, Whose
from readiness.model.levels import Level
from readiness.model.verdict import Evidence, Verdict, met, unknown, unmet
from readiness.rules import sightings
from readiness.rules.controls.absence import extension_missing, missing
from readiness.rules.controls.control import EvidenceClass, VmControl, VmFacts
from readiness.rules.controls.references import ASSESSMENTS
from readiness.rules.not_read import EXTENSIONS, nameless_extensions

_LEARN = "https://learn.microsoft.com/azure"
_AGENT = Source(
    "Azure Monitor Agent overview", f"{_LEARN}/azure-monitor/agents/azure-monitor-agent-overview", "2026-04"
)
_RULES = Source(
    "Data collection rules in Azure Monitor",
    f"{_LEARN}/azure-monitor/data-collection/data-collection-rule-overview",
    "2026-04",
)
_RETIRED = Source(
    "Migrate to Azure Monitor Agent from Log Analytics agent",
    f"{_LEARN}/azure-monitor/agents/azure-monitor-agent-migration",
    "2026-04",
)
_ASSESSING = Source(
    "Assessment options in Azure Update Manager", f"{_LEARN}/update-manager/assessment-options", "2026-04"
)
_PATCHING = Source(
    "Automatic Guest Patching for Azure Virtual Machines",
    f"{_LEARN}/virtual-machines/automatic-vm-guest-patching",
    "2026-04",
)


def monitored(facts: VmFacts) -> Verdict:
    """The Azure Monitor agent works on the VM."""
    found = facts.extension("azuremonitorlinuxagent", "azuremonitorwindowsagent")
    if found is None:
        return extension_missing(facts, "NoMonitorAgent", "The Azure Monitor agent is not installed.")
    at = sightings.extension_state_of(facts.vm, found)
    if not found.has_succeeded:
        return unmet("MonitorAgentFailed", "The Azure Monitor agent does not work.", at)
    return met("Monitored", "", at)


def collects(facts: VmFacts) -> Verdict:
    """A data collection rule tells the agent what to send; without one it sends nothing."""
    found = facts.estate.posture.linked(_ASSOCIATIONS.lower(), facts.vm.id)
    if found is not None:
        return met("Collects", "", Evidence(found.id, "properties.dataCollectionRuleId", str(found.target)))
    detail = "No data collection rule is associated with the VM."
    return missing(facts, _ASSOCIATIONS, "NothingCollected", detail)


def no_retired_agent(facts: VmFacts) -> Verdict:
    """The Log Analytics agent was retired on 2024-08-31 and gets no updates any more."""
    for entry in facts.vm.extensions:
        if entry.publisher.lower() == "microsoft.enterprisecloud.monitoring":
            at = sightings.extension_publisher_of(facts.vm, entry)
            return unmet("RetiredAgent", "The retired Log Analytics agent is installed.", at)
    nameless = nameless_extensions(facts.vm)
    if nameless is not None:
        return nameless
    if not facts.was_listed(EXTENSIONS):
        return unknown("ExtensionsNotListed", f"Nobody asked for all extensions; collect '{EXTENSIONS}'.")
    return met("NoRetiredAgent")


def looks_for_updates(facts: VmFacts) -> Verdict:
    """Azure looks for missing updates once a day."""
    mode = facts.vm.patching.assessment_mode
    at = Evidence(facts.vm.id, "properties.osProfile.*.patchSettings.assessmentMode", mode)
    if (mode or "").lower() == "automaticbyplatform":
        return met("LooksDaily", "", at)
    if mode is None and facts.vm.os_profile is None:
        return unknown(
            "PatchingNotReported", "A VM without an OS profile does not say; read it, or attest.", at
        )
    return unmet("DoesNotLook", "Nobody looks for updates by himself.", at)


def installs_updates(facts: VmFacts) -> Verdict:
    """Azure installs security updates within thirty days, or a maintenance configuration does."""
    settings = facts.vm.patching
    at = Evidence(facts.vm.id, "properties.osProfile.*.patchSettings.patchMode", settings.patch_mode)
    if settings.patch_mode is None and facts.vm.os_profile is None:
        return unknown(
            "PatchingNotReported", "A VM without an OS profile does not say; read it, or attest.", at
        )
    if (settings.patch_mode or "").lower() != "automaticbyplatform":
        return unmet("PatchedByHand", "Neither Azure nor a schedule installs updates.", at)
    if not settings.own_schedule:
        return met("PatchedByAzure", "", at)
    found = facts.estate.posture.linked(_SCHEDULES.lower(), facts.vm.id)
    if found is not None:
        return met("PatchedOnSchedule", "", at, Evidence(found.id, "id", found.id.text))
    answer = missing(facts, _SCHEDULES, "ScheduleMissing", "It waits for a schedule, and none is assigned.")
    return replace(answer, evidence=(at,))


def up_to_date(facts: VmFacts) -> Verdict:
    """No critical or security update is missing, as of a look that is not older than a week."""
    found = facts.estate.posture.patch_result(facts.vm.id)
    if found is None or found.missing is None or found.at is None:
        return facts.assessed(ASSESSMENTS["UP-3"]) or unknown(
            "UpdatesNotRead", "The last look for updates was not read; collect the patch assessments."
        )
    at = Evidence(found.id, "properties.availablePatchCountByClassification", found.missing)
    if found.missing:
        return unmet("UpdatesMissing", f"{found.missing} critical or security updates are missing.", at)
    if facts.as_of - found.at.date() > _RECENT:
        return unknown("LookTooOld", f"The last look is older than {_RECENT.days} days; look again.", at)
    return met("UpToDate", "", at)


_ASSOCIATIONS = "Microsoft.Insights/dataCollectionRuleAssociations"
_SCHEDULES = "Microsoft.Maintenance/configurationAssignments"
_RECENT = timedelta(days=7)

CONTROLS = (
    VmControl(
        id="MN-1",
        title="The Azure Monitor agent works",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Install the Azure Monitor agent, once the VM has an identity.",
        source=_AGENT,
        whose=Whose.OTHER_TEAM,
        check=monitored,
    ),
    VmControl(
        id="MN-2",
        title="The agent knows what to collect",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Associate a data collection rule with the VM.",
        source=_RULES,
        whose=Whose.OTHER_TEAM,
        check=collects,
    ),
    VmControl(
        id="MN-3",
        title="The retired agent is gone",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Remove the Log Analytics agent, after its successor has taken over.",
        source=_RETIRED,
        whose=Whose.OTHER_TEAM,
        check=no_retired_agent,
    ),
    VmControl(
        id="UP-1",
        title="Missing updates are looked for",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Set the assessment mode to automatic by platform.",
        source=_ASSESSING,
        whose=Whose.OTHER_TEAM,
        seed_claim="A look every hour is asked for. Azure looks once a day.",
        check=looks_for_updates,
    ),
    VmControl(
        id="UP-2",
        title="Updates are installed",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Set the patch mode to automatic by platform, with a maintenance configuration if wanted.",
        source=_PATCHING,
        whose=Whose.OTHER_TEAM,
        seed_claim="Updates within a day are asked for. Azure installs them within thirty days of release, "
        "or on the schedule.",
        check=installs_updates,
    ),
    VmControl(
        id="UP-3",
        title="No security update is missing",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Install what is missing.",
        source=_ASSESSING,
        whose=Whose.OTHER_TEAM,
        check=up_to_date,
    ),
)
