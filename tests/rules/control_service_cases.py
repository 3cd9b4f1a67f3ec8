"""Cases of the controls of Defender for Cloud, monitoring and updates."""

from datetime import UTC, datetime
from typing import Any

from readiness.model.governance import RecommendationOwner
from readiness.model.ids import ResourceId
from readiness.model.monitoring import (
    DefenderPlan,
    LogHub,
    PatchResult,
    PatchSettings,
    Recommendation,
    SecuritySetting,
    VmLink,
)
from tests.builders import extension, rid, vm_id
from tests.rules.control_builders import (
    SUBSCRIPTION_ID,
    also,
    assessment,
    beneath,
    but,
    control_case,
    listed,
)

_ASSESSMENTS = "Microsoft.Security/assessments"
_OWNED = "Microsoft.Security/assessments/governanceAssignments"
_ASSOCIATIONS = "Microsoft.Insights/dataCollectionRuleAssociations"
_SCHEDULES = "Microsoft.Maintenance/configurationAssignments"
_EDR = "06e3a6db-6c0c-4ad9-943f-31d9d73ecf6c"
_WEAK = "ffff0522-1e88-47fc-8382-2a80ba848f5d"
_FILES = "9b7d740f-c271-4bfd-88fb-515680c33440"
_UPDATES = "e1145ab1-eb4f-43d8-911b-36ddf771d13f"
_NO_EXTENSIONS: dict[str, Any] = {"extensions": ()}
_NAMELESS = {"extensions": (extension("", ""),)}
_SCHEDULED = {"patching": PatchSettings(patch_mode="AutomaticByPlatform", own_schedule=True)}
_LINK = VmLink(id=beneath(_SCHEDULES, "weekly"), vm=vm_id())
_SERIOUS = Recommendation(
    id=beneath(_ASSESSMENTS, "k"), key="k", resource=vm_id(), code="Unhealthy", severity="High"
)
_OWNER = RecommendationOwner(id=ResourceId(f"{_SERIOUS.id}/governanceAssignments/g"), owner="ada@example.com")
_ONE_VM_OFF = DefenderPlan(id=beneath("Microsoft.Security/pricings", "VirtualMachines"), tier="Free")


def _setting(name: str, *, is_enabled: bool | None) -> SecuritySetting:
    return SecuritySetting(
        id=beneath("Microsoft.Security/settings", name, SUBSCRIPTION_ID), is_enabled=is_enabled
    )


def _agent(publisher: str, kind: str) -> dict[str, Any]:
    return {"extensions": (extension(publisher, kind, state="Failed"),)}


def _patched(**changes: Any) -> dict[str, Any]:
    return but(PatchResult, **changes)


CASES = (
    control_case("DF-1", "met DefenderOn"),
    control_case("DF-1", "unmet DefenderOff", **but(DefenderPlan, tier="Free")),
    control_case("DF-1", "unmet DefenderPartly", **but(DefenderPlan, coverage="PartiallyCovered")),
    control_case("DF-1", "unmet DefenderPartly", **also(_ONE_VM_OFF)),
    control_case("DF-1", "unknown PlanNotRead", **but(DefenderPlan)),
    control_case("DF-2", "met PlanTwo"),
    control_case("DF-2", "unmet NotPlanTwo", **but(DefenderPlan, plan="P1")),
    control_case("DF-2", "unknown PlanNotRead", **but(DefenderPlan)),
    control_case("DF-3", "met EndpointDetects"),
    control_case("DF-3", "unknown NotAssessed", _NO_EXTENSIONS),
    control_case("DF-3", "unknown NotListed", _NO_EXTENSIONS, listed=(_ASSESSMENTS,)),
    control_case("DF-3", "unknown ExtensionNotRead", _NAMELESS, **listed(_ASSESSMENTS)),
    control_case("DF-3", "unmet NoEndpointDetection", _NO_EXTENSIONS, **listed(_ASSESSMENTS)),
    control_case("DF-3", "met AssessedHealthy", _NO_EXTENSIONS, **also(assessment(_EDR, "Healthy"))),
    control_case("DF-3", "unmet AssessedUnhealthy", _NO_EXTENSIONS, **also(assessment(_EDR, "Unhealthy"))),
    control_case(
        "DF-3", "unmet EndpointFailed", _agent("Microsoft.Azure.AzureDefenderForServers", "MDE.Linux")
    ),
    control_case("DF-4", "unknown BlockModeNotAttested"),
    control_case("DF-5", "met AssessedHealthy"),
    control_case("DF-5", "unmet AssessedUnhealthy", **but(Recommendation, code="Unhealthy")),
    control_case("DF-5", "unknown NotAssessed", **but(Recommendation)),
    control_case("DF-5", "unknown NotAssessed", **but(Recommendation, code="NotApplicable")),
    control_case("DF-6", "unknown SettingsNotRead"),
    control_case("DF-6", "met Integrated", **also(_setting("WDATP", is_enabled=True))),
    control_case(
        "DF-6",
        "unmet IntegrationOff",
        **also(_setting("WDATP", is_enabled=True), _setting("WDATP_UNIFIED_SOLUTION", is_enabled=False)),
    ),
    control_case("DF-6", "unknown SettingNotReported", **also(_setting("WDATP", is_enabled=None))),
    control_case("DF-7", "unknown NotAssessed"),
    control_case("DF-7", "met AssessedHealthy", **also(assessment(_FILES, "Healthy"))),
    control_case("DF-7", "unmet AssessedUnhealthy", **also(assessment(_FILES, "Unhealthy"))),
    control_case("DF-8", "unknown LogsNotAttested"),
    control_case(
        "DF-8", "met SentinelOn", **also(LogHub(id=rid("Microsoft.OperationsManagement/solutions", "s")))
    ),
    control_case("MN-4", "unknown NotAssessed"),
    control_case("MN-4", "unknown NotAssessed", **but(Recommendation), **listed(_ASSESSMENTS)),
    control_case("MN-4", "met FindingsOwned", **listed(_ASSESSMENTS)),
    control_case("MN-4", "met FindingsOwned", **also(_SERIOUS, _OWNER), **listed(_ASSESSMENTS)),
    control_case("MN-4", "unknown OwnersNotRead", **also(_SERIOUS), **listed(_ASSESSMENTS)),
    control_case("MN-4", "unmet FindingsWithoutOwner", **also(_SERIOUS), **listed(_OWNED)),
    control_case("MN-1", "met Monitored"),
    control_case("MN-1", "unmet NoMonitorAgent", _NO_EXTENSIONS),
    control_case("MN-1", "unknown NotListed", _NO_EXTENSIONS, listed=()),
    control_case("MN-1", "unknown ExtensionNotRead", _NAMELESS),
    control_case(
        "MN-1", "unmet MonitorAgentFailed", _agent("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent")
    ),
    control_case("MN-2", "met Collects"),
    control_case("MN-2", "unknown NotListed", **but(VmLink)),
    control_case("MN-2", "unmet NothingCollected", **but(VmLink), **listed(_ASSOCIATIONS)),
    control_case("MN-3", "met NoRetiredAgent"),
    control_case("MN-3", "unknown ExtensionsNotListed", listed=()),
    control_case("MN-3", "unknown ExtensionNotRead", _NAMELESS),
    control_case(
        "MN-3", "unmet RetiredAgent", _agent("Microsoft.EnterpriseCloud.Monitoring", "OmsAgentForLinux")
    ),
    control_case("UP-1", "met LooksDaily"),
    control_case("UP-1", "unmet DoesNotLook", {"patching": PatchSettings(assessment_mode="ImageDefault")}),
    control_case("UP-1", "unknown PatchingNotReported", {"patching": PatchSettings(), "os_profile": None}),
    control_case("UP-2", "met PatchedByAzure"),
    control_case("UP-2", "unmet PatchedByHand", {"patching": PatchSettings(patch_mode="ImageDefault")}),
    control_case("UP-2", "unknown PatchingNotReported", {"patching": PatchSettings(), "os_profile": None}),
    control_case("UP-2", "unknown NotListed", _SCHEDULED),
    control_case("UP-2", "unmet ScheduleMissing", _SCHEDULED, **listed(_SCHEDULES)),
    control_case("UP-2", "met PatchedOnSchedule", _SCHEDULED, **also(_LINK)),
    control_case("UP-3", "met UpToDate"),
    control_case("UP-3", "unmet UpdatesMissing", **_patched(missing=2)),
    control_case("UP-3", "unknown LookTooOld", **_patched(at=datetime(2026, 9, 1, tzinfo=UTC))),
    control_case("UP-3", "unknown UpdatesNotRead", **_patched()),
    control_case(
        "UP-3", "met AssessedHealthy", posture=[*_patched()["posture"], assessment(_UPDATES, "Healthy")]
    ),
    control_case(
        "UP-3", "unmet AssessedUnhealthy", posture=[*_patched()["posture"], assessment(_UPDATES, "Unhealthy")]
    ),
)
