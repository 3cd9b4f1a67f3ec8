"""ARM shapes of what stands around machines: groups, locks, roles, Defender, guest evidence, identities."""

from collections.abc import Sequence

from sample_estates.generator.catalogue import Json
from sample_estates.generator.disks import resource
from sample_estates.generator.machine import Machine, Place


def subscription(place: Place, name: str) -> Json:
    """Return a subscription."""
    own = f"/subscriptions/{place.subscription}"
    kind = "Microsoft.Resources/subscriptions"
    state = {"state": "Enabled", "managedByTenants": []}
    return {"id": own, "name": name, "type": kind, "tenantId": place.tenant, "properties": state}


def group(place: Place, tags: dict[str, str] | None = None, managed_by: str | None = None) -> Json:
    """Return a resource group; a service that runs its own groups names itself in `managedBy`."""
    found = resource(place.group_id(), "Microsoft.Resources/resourceGroups", place, tags)
    if managed_by:
        found["managedBy"] = managed_by
    found["properties"] = {"provisioningState": "Succeeded"}
    return found


def feature(place: Place, name: str, state: str = "Registered") -> Json:
    """Return the registration of a preview or opt-in feature of compute."""
    head = f"/subscriptions/{place.subscription}/providers/Microsoft.Features/providers/Microsoft.Compute"
    return {
        "id": f"{head}/features/{name}",
        "name": f"Microsoft.Compute/{name}",
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": state},
    }


def lock(scope: str, name: str, level: str, notes: str) -> Json:
    """Return a lock on a scope: `CanNotDelete` or `ReadOnly`."""
    kind = "Microsoft.Authorization/locks"
    properties = {"level": level, "notes": notes}
    return {"id": f"{scope}/providers/{kind}/{name}", "name": name, "type": kind, "properties": properties}


def role_assignment(
    scope: str, role: str, principal: str, place: Place, name: str, *, to: str = "ServicePrincipal"
) -> Json:
    """Return the assignment of a built-in role at a scope; `to` is the principal's type."""
    kind = "Microsoft.Authorization/roleAssignments"
    definitions = f"/subscriptions/{place.subscription}/providers/Microsoft.Authorization/roleDefinitions"
    properties = {
        "roleDefinitionId": f"{definitions}/{role}",
        "principalId": principal,
        "principalType": to,
        "scope": scope,
    }
    return {"id": f"{scope}/providers/{kind}/{name}", "name": name, "type": kind, "properties": properties}


def user_identity(place: Place, name: str, principal: str, client: str) -> Json:
    """Return a user-assigned managed identity."""
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    found = resource(place.id(kind, name), kind, place)
    found["properties"] = {"tenantId": place.tenant, "principalId": principal, "clientId": client}
    return found


def defender(place: Place, plan: str | None) -> Json:
    """Return Defender for Servers of a subscription: `P1`, `P2`, or None where it is off."""
    own = f"/subscriptions/{place.subscription}/providers/Microsoft.Security/pricings/VirtualMachines"
    properties: Json = {"pricingTier": "Standard" if plan else "Free"}
    if plan:
        properties["subPlan"] = plan
    kind = "Microsoft.Security/pricings"
    return {"id": own, "name": "VirtualMachines", "type": kind, "properties": properties}


def just_in_time(place: Place, members: Sequence[Machine]) -> Json:
    """Return the just-in-time policy of a resource group; Azure answers the VMs' groups in capitals."""
    kind = "Microsoft.Security/locations/jitNetworkAccessPolicies"
    ports = [
        {
            "number": port,
            "protocol": "*",
            "allowedSourceAddressPrefix": "*",
            "maxRequestAccessDuration": "PT3H",
        }
        for port in (22, 3389)
    ]
    upper = {vm.id: vm.id.replace(f"/{vm.place.group}/", f"/{vm.place.group.upper()}/") for vm in members}
    return {
        "id": place.id(kind, place.region, "default"),
        "name": "default",
        "type": kind,
        "kind": "Basic",
        "location": place.region,
        "properties": {
            "virtualMachines": [{"id": upper[vm.id], "ports": ports} for vm in members],
            "requests": [],
            "provisioningState": "Succeeded",
        },
    }


def guest_assignment(vm: Machine, name: str, status: str, kind: str = "Audit") -> Json:
    """Return what guest configuration found inside a VM: `Compliant`, `NonCompliant` or `Pending`.

    What does not only look is of kind `ApplyAndMonitor` or `ApplyAndAutoCorrect`.
    """
    own = "Microsoft.GuestConfiguration/guestConfigurationAssignments"
    return {
        "id": f"{vm.id}/providers/{own}/{name}",
        "name": name,
        "type": own,
        "location": vm.place.region,
        "properties": {
            "complianceStatus": status,
            "lastComplianceStatusChecked": "2026-11-01T04:12:09Z",
            "guestConfiguration": {"name": name, "assignmentType": kind},
            "provisioningState": "Succeeded",
        },
    }


def monitoring(vm: Machine, rule: str) -> Json:
    """Return the association of a VM with a data collection rule."""
    kind = "Microsoft.Insights/dataCollectionRuleAssociations"
    own = f"{vm.id}/providers/{kind}/vm-insights"
    return {"id": own, "name": "vm-insights", "type": kind, "properties": {"dataCollectionRuleId": rule}}


def patch_result(vm: Machine, critical: int, security: int) -> Json:
    """Return the latest patch assessment of a VM."""
    counts = {"critical": critical, "security": security, "other": 3}
    return {
        "id": f"{vm.id}/patchAssessmentResults/latest",
        "name": "latest",
        "type": "Microsoft.Compute/virtualMachines/patchAssessmentResults",
        "properties": {
            "status": "Succeeded",
            "lastModifiedDateTime": "2026-11-01T03:20:00Z",
            "availablePatchCountByClassification": counts,
        },
    }
