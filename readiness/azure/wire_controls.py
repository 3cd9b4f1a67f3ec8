"""ARM JSON to the model: what the control catalogue looks at beside VMs, disks and ports.

A reader answers None for a resource of its type that says nothing about any control. Some resources here
lie outside any subscription, such as role assignments of a management group.
"""

from collections.abc import Callable

from readiness.azure import wire_governance, wire_guest, wire_placement, wire_schedules
from readiness.azure.wire_values import Json, carrier_of, flag, moment, number, obj, own_id, resource_id, text
from readiness.model.fact import Fact
from readiness.model.governance import ImageVersion
from readiness.model.monitoring import (
    DefenderPlan,
    FlowLog,
    LogHub,
    PatchResult,
    PatchSettings,
    Recommendation,
    SecuritySetting,
    VmLink,
)


def patch_settings(os_profile: Json) -> PatchSettings:
    """Read how a VM looks for updates and installs them; both operating systems say it alike."""
    system = obj(os_profile, "linuxConfiguration") or obj(os_profile, "windowsConfiguration")
    settings = obj(system, "patchSettings")
    own = flag(obj(settings, "automaticByPlatformSettings"), "bypassPlatformSafetyChecksOnUserSchedule")
    return PatchSettings(
        assessment_mode=text(settings, "assessmentMode"),
        patch_mode=text(settings, "patchMode"),
        own_schedule=own,
    )


def metadata_protection(security_profile: Json) -> bool | None:
    """Read whether the metadata services answer only to who may ask; None where nothing was set."""
    agent = obj(security_profile, "proxyAgentSettings")
    if not agent:
        return None
    modes = [text(obj(agent, service), "mode") or "" for service in ("imds", "wireServer")]
    return flag(agent, "enabled") is True and all(mode.lower() == "enforce" for mode in modes)


def _plan(resource: Json) -> DefenderPlan | None:
    plan = own_id(resource)
    if plan.name.lower() != "virtualmachines":
        return None
    properties = obj(resource, "properties")
    return DefenderPlan(
        id=plan,
        tier=text(properties, "pricingTier"),
        plan=text(properties, "subPlan"),
        coverage=text(properties, "resourcesCoverageStatus"),
    )


def _recommendation(resource: Json) -> Recommendation:
    found = own_id(resource)
    properties = obj(resource, "properties")
    details = obj(properties, "resourceDetails")
    status = obj(properties, "status")
    named = resource_id(details, "Id") or resource_id(details, "id")
    return Recommendation(
        id=found,
        key=found.name.lower(),
        resource=named or carrier_of(found),
        code=text(status, "code"),
        cause=text(status, "cause"),
        severity=text(obj(properties, "metadata"), "severity"),
    )


def _patch_result(resource: Json) -> PatchResult:
    found = own_id(resource)
    properties = obj(resource, "properties")
    counts = obj(properties, "availablePatchCountByClassification")
    parts = [number(counts, "critical"), number(counts, "security")]
    missing = sum(part or 0 for part in parts) if any(part is not None for part in parts) else None
    return PatchResult(
        id=found, vm=found.parent, missing=missing, at=moment(properties, "lastModifiedDateTime")
    )


def _collection_rule(resource: Json) -> VmLink | None:
    found = own_id(resource)
    rule = resource_id(obj(resource, "properties"), "dataCollectionRuleId")
    # An association may also name an endpoint alone, which collects nothing.
    return VmLink(id=found, vm=carrier_of(found), target=rule) if rule else None


def _flow_log(resource: Json) -> FlowLog:
    properties = obj(resource, "properties")
    target = resource_id(properties, "targetResourceId")
    return FlowLog(id=own_id(resource), target=target, is_enabled=flag(properties, "enabled") is True)


def _setting(resource: Json) -> SecuritySetting:
    return SecuritySetting(id=own_id(resource), is_enabled=flag(obj(resource, "properties"), "enabled"))


def _log_hub(resource: Json) -> LogHub | None:
    hub = own_id(resource)
    is_sentinel = "onboardingstates" in hub.type or hub.name.lower().startswith("securityinsights(")
    return LogHub(id=hub) if is_sentinel else None


def _image_version(resource: Json) -> ImageVersion:
    profile = obj(obj(resource, "properties"), "publishingProfile")
    return ImageVersion(id=own_id(resource), published=moment(profile, "publishedDate"))


READERS: dict[str, Callable[[Json], Fact | None]] = {
    "microsoft.authorization/policyassignments": wire_governance.policy_assignment,
    "microsoft.authorization/policyexemptions": wire_governance.policy_exemption,
    "microsoft.guestconfiguration/guestconfigurationassignments": wire_guest.guest_assignment,
    "microsoft.security/assessments/governanceassignments": wire_governance.recommendation_owner,
    "microsoft.compute/galleries/images/versions": _image_version,
    "microsoft.compute/virtualmachines/patchassessmentresults": _patch_result,
    "microsoft.insights/datacollectionruleassociations": _collection_rule,
    "microsoft.network/networkwatchers/flowlogs": _flow_log,
    "microsoft.operationsmanagement/solutions": _log_hub,
    "microsoft.security/assessments": _recommendation,
    "microsoft.security/pricings": _plan,
    "microsoft.security/settings": _setting,
    "microsoft.securityinsights/onboardingstates": _log_hub,
    **wire_placement.READERS,
    **wire_schedules.READERS,
}
"""Reader of each resource type, in lower case."""
