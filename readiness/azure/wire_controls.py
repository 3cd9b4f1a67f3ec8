"""ARM JSON to the model: what the control catalogue looks at beside VMs, disks and ports.

A reader answers None for a resource of its type that says nothing about any control. Some resources here
lie outside any subscription, such as role assignments of a management group.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from readiness.azure.wire_values import (
    Json,
    MalformedError,
    flag,
    number,
    obj,
    own_id,
    reference,
    resource_id,
    text,
)
from readiness.model.governance import (
    AddressShield,
    Feature,
    FirewallInspection,
    FirewallTier,
    ImageVersion,
    NetworkShield,
    PolicyAssignment,
    PolicyExemption,
    RecommendationOwner,
    RoleGrant,
    VaultShield,
)
from readiness.model.ids import ResourceId
from readiness.model.monitoring import (
    DefenderPlan,
    FlowLog,
    GuestAssignment,
    LogHub,
    PatchResult,
    PatchSettings,
    Recommendation,
    SecuritySetting,
    VmLink,
)
from readiness.model.posture import Fact


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
        resource=named or _carrier(found),
        code=text(status, "code"),
        cause=text(status, "cause"),
        severity=text(obj(properties, "metadata"), "severity"),
    )


def _recommendation_owner(resource: Json) -> RecommendationOwner:
    properties = obj(resource, "properties")
    return RecommendationOwner(
        id=own_id(resource), owner=text(properties, "owner"), due=text(properties, "remediationDueDate")
    )


def _guest_assignment(resource: Json) -> GuestAssignment:
    found = own_id(resource)
    properties = obj(resource, "properties")
    guest = obj(properties, "guestConfiguration")
    named = text(guest, "name") or found.name.partition("$")[0]
    return GuestAssignment(
        id=found,
        vm=resource_id(properties, "targetResourceId") or _carrier(found),
        configuration=named.lower(),
        compliance=text(properties, "complianceStatus"),
        kind=text(guest, "assignmentType"),
    )


def _patch_result(resource: Json) -> PatchResult:
    found = own_id(resource)
    properties = obj(resource, "properties")
    counts = obj(properties, "availablePatchCountByClassification")
    parts = [number(counts, "critical"), number(counts, "security")]
    missing = sum(part or 0 for part in parts) if any(part is not None for part in parts) else None
    return PatchResult(
        id=found, vm=found.parent, missing=missing, at=_moment(properties, "lastModifiedDateTime")
    )


def _maintenance(resource: Json) -> VmLink:
    found = own_id(resource)
    properties = obj(resource, "properties")
    target = resource_id(properties, "maintenanceConfigurationId")
    return VmLink(id=found, vm=resource_id(properties, "resourceId") or _carrier(found), target=target)


def _collection_rule(resource: Json) -> VmLink | None:
    found = own_id(resource)
    rule = resource_id(obj(resource, "properties"), "dataCollectionRuleId")
    # An association may also name an endpoint alone, which collects nothing.
    return VmLink(id=found, vm=_carrier(found), target=rule) if rule else None


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


def _grant(resource: Json) -> RoleGrant:
    properties = obj(resource, "properties")
    role = resource_id(properties, "roleDefinitionId")
    if role is None:
        raise MalformedError("it names no role")
    scheduled = "assignmentType" in properties
    activated = (text(properties, "assignmentType") or "").lower() == "activated"
    found = _any_id(resource)
    return RoleGrant(
        id=found,
        scope=(text(properties, "scope") or _carrier(found).text).rstrip("/").lower(),
        role=role.name.lower(),
        principal=text(properties, "principalId") or "",
        principal_type=text(properties, "principalType"),
        is_scheduled=scheduled,
        is_standing=not activated and text(properties, "endDateTime") is None,
    )


def _policy_assignment(resource: Json) -> PolicyAssignment:
    properties = obj(resource, "properties")
    definition = resource_id(properties, "policyDefinitionId")
    if definition is None:
        raise MalformedError("it names no policy")
    value = obj(obj(properties, "parameters"), "effect").get("value")
    return PolicyAssignment(
        id=_any_id(resource),
        definition=definition.name.lower(),
        is_enforced=(text(properties, "enforcementMode") or "Default").lower() == "default",
        effect=value if isinstance(value, str) else None,
    )


def _policy_exemption(resource: Json) -> PolicyExemption:
    properties = obj(resource, "properties")
    notes = obj(properties, "metadata")
    controls = notes.get("compensatingControls")
    return PolicyExemption(
        id=_any_id(resource),
        category=text(properties, "exemptionCategory"),
        expires=_moment(properties, "expiresOn"),
        owner=text(notes, "owner"),
        compensating_control=str(controls) if controls else None,
    )


def _feature(resource: Json) -> Feature:
    return Feature(id=own_id(resource), state=text(obj(resource, "properties"), "state"))


def _firewall(resource: Json) -> FirewallTier:
    properties = obj(resource, "properties")
    tier = text(obj(properties, "sku"), "tier")
    return FirewallTier(id=own_id(resource), tier=tier, policy=reference(properties, "firewallPolicy"))


def _firewall_policy(resource: Json) -> FirewallInspection:
    properties = obj(resource, "properties")
    return FirewallInspection(
        id=own_id(resource),
        tier=text(obj(properties, "sku"), "tier"),
        inspects_tls=bool(obj(obj(properties, "transportSecurity"), "certificateAuthority")),
        intrusion_detection=text(obj(properties, "intrusionDetection"), "mode"),
    )


def _network(resource: Json) -> NetworkShield:
    plan = flag(obj(resource, "properties"), "enableDdosProtection")
    return NetworkShield(id=own_id(resource), has_ddos_plan=plan)


def _address(resource: Json) -> AddressShield:
    settings = obj(obj(resource, "properties"), "ddosSettings")
    return AddressShield(id=own_id(resource), ddos_mode=text(settings, "protectionMode"))


def _image_version(resource: Json) -> ImageVersion:
    profile = obj(obj(resource, "properties"), "publishingProfile")
    return ImageVersion(id=own_id(resource), published=_moment(profile, "publishedDate"))


def _vault(resource: Json) -> VaultShield:
    properties = obj(resource, "properties")
    return VaultShield(
        id=own_id(resource),
        purge_protection=flag(properties, "enablePurgeProtection"),
        soft_delete=flag(properties, "enableSoftDelete"),
        retention_days=number(properties, "softDeleteRetentionInDays"),
    )


def _any_id(resource: Json) -> ResourceId:
    found = resource_id(resource, "id")
    if found is None:
        raise MalformedError("it has no 'id'")
    return found


def _carrier(extension: ResourceId) -> ResourceId:
    """Return the resource that an extension resource hangs on: all before its own provider."""
    head, provided, _ = extension.key.rpartition("/providers/")
    if not provided:
        raise MalformedError(f"its id '{extension}' hangs on nothing")
    return ResourceId(extension.text[: len(head)])


def _moment(parent: Json, key: str) -> datetime | None:
    found = text(parent, key)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found)
    except ValueError as error:
        raise MalformedError(f"'{key}' is no time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


READERS: dict[str, Callable[[Json], Fact | None]] = {
    "microsoft.authorization/policyassignments": _policy_assignment,
    "microsoft.authorization/policyexemptions": _policy_exemption,
    "microsoft.authorization/roleassignments": _grant,
    "microsoft.authorization/roleassignmentscheduleinstances": _grant,
    "microsoft.compute/galleries/images/versions": _image_version,
    "microsoft.compute/virtualmachines/patchassessmentresults": _patch_result,
    "microsoft.features/providers/features": _feature,
    "microsoft.guestconfiguration/guestconfigurationassignments": _guest_assignment,
    "microsoft.keyvault/vaults": _vault,
    "microsoft.insights/datacollectionruleassociations": _collection_rule,
    "microsoft.maintenance/configurationassignments": _maintenance,
    "microsoft.network/azurefirewalls": _firewall,
    "microsoft.network/firewallpolicies": _firewall_policy,
    "microsoft.network/networkwatchers/flowlogs": _flow_log,
    "microsoft.network/publicipaddresses": _address,
    "microsoft.network/virtualnetworks": _network,
    "microsoft.operationsmanagement/solutions": _log_hub,
    "microsoft.security/assessments": _recommendation,
    "microsoft.security/assessments/governanceassignments": _recommendation_owner,
    "microsoft.security/pricings": _plan,
    "microsoft.security/settings": _setting,
    "microsoft.securityinsights/onboardingstates": _log_hub,
}
"""Reader of each resource type, in lower case."""
