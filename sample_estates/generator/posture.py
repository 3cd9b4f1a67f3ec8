"""ARM shapes of what a security team sets up: findings, policies, privileged roles, logs, updates."""

from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.disks import resource
from sample_estates.generator.machine import Machine, Place

SCANNED, FILES_WATCHED, UPDATED = (
    "ffff0522-1e88-47fc-8382-2a80ba848f5d",
    "9b7d740f-c271-4bfd-88fb-515680c33440",
    "e1145ab1-eb4f-43d8-911b-36ddf771d13f",
)
"""Keys of assessments: findings of vulnerability scans, file integrity monitoring, missing updates."""
BENCHMARK = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
"""The policy initiative of the Microsoft cloud security benchmark."""
DENY_PUBLIC_ADDRESSES = "83a86a26-fd1f-447c-b59d-e51f44264114"
"""The built-in policy by which network interfaces should have no public address."""
ALLOWED_LOCATIONS = "e56962a6-4747-49cd-b67b-bf8b01975c4c"
REQUIRED_TAG = "871b6d14-10aa-478d-b590-94f262ecfa99"
"""Built-in policies that deny what is written elsewhere, or without a certain tag."""
SECURE_BOOT_ON_LINUX = "95406fc3-1f69-47b0-8105-4c03b276ec5c"
"""The built-in policy that switches Secure Boot on for Linux machines under Trusted Launch."""
_NAMES = {
    SCANNED: "Machines should have vulnerability findings resolved",
    FILES_WATCHED: "File integrity monitoring should be enabled on machines",
    UPDATED: "System updates should be installed on your machines",
}
_AUTHORIZATION = "Microsoft.Authorization"


def finding(vm: Machine, key: str, code: str = "Healthy", severity: str = "High") -> Json:
    """Return what Defender for Cloud says of a VM: `Healthy`, `Unhealthy` or `NotApplicable`."""
    kind = "Microsoft.Security/assessments"
    status: Json = {"code": code, "firstEvaluationDate": "2026-03-02T06:14:51Z"}
    status["statusChangeDate"] = "2026-10-24T06:20:07Z" if code == "Unhealthy" else "2026-03-02T06:14:51Z"
    return {
        "id": f"{vm.id}/providers/{kind}/{key}",
        "name": key,
        "type": kind,
        "properties": {
            "displayName": _NAMES[key],
            "status": status,
            "resourceDetails": {"source": "Azure", "id": vm.id},
            "metadata": {"severity": severity, "assessmentType": "BuiltIn"},
        },
    }


def finding_owner(found: Json, owner: str, due: str) -> Json:
    """Return the governance assignment that makes somebody answer for a finding."""
    name = Dice("owner", found["id"]).guid()
    return {
        "id": f"{found['id']}/governanceAssignments/{name}",
        "name": name,
        "type": "Microsoft.Security/assessments/governanceAssignments",
        "properties": {"owner": owner, "remediationDueDate": due, "isGracePeriod": False},
    }


def setting(place: Place, name: str, *, enabled: bool = True) -> Json:
    """Return a setting of Defender for Cloud, such as `WDATP`."""
    kind = "Microsoft.Security/settings"
    return {
        "id": f"/subscriptions/{place.subscription}/providers/{kind}/{name}",
        "name": name,
        "type": kind,
        "kind": "DataExportSettings",
        "properties": {"enabled": enabled},
    }


def policy(scope: str, name: str, definition: str, *, effect: str = "", enforced: bool = True) -> Json:
    """Return the assignment of a built-in policy, or of an initiative where no effect is given."""
    kind = f"{_AUTHORIZATION}/policyAssignments"
    sort = "policyDefinitions" if effect else "policySetDefinitions"
    return {
        "id": f"{scope}/providers/{kind}/{name}",
        "name": name,
        "type": kind,
        "properties": {
            "displayName": name.replace("-", " ").capitalize(),
            "policyDefinitionId": f"/providers/{_AUTHORIZATION}/{sort}/{definition}",
            "scope": scope,
            "notScopes": [],
            "enforcementMode": "Default" if enforced else "DoNotEnforce",
            "parameters": {"effect": {"value": effect}} if effect else {},
        },
    }


def exemption(scope: str, name: str, assignment: Json, *, expires: str | None, notes: Json) -> Json:
    """Return the exemption of a scope from a policy; `notes` are its metadata."""
    kind = f"{_AUTHORIZATION}/policyExemptions"
    properties: Json = {"policyAssignmentId": assignment["id"], "exemptionCategory": "Mitigated"}
    if expires:
        properties["expiresOn"] = expires
    properties |= {"displayName": name.replace("-", " ").capitalize(), "metadata": notes}
    return {"id": f"{scope}/providers/{kind}/{name}", "name": name, "type": kind, "properties": properties}


def activated_role(scope: str, role: str, principal: str, place: Place) -> list[Json]:
    """Return what shows of a privileged role that somebody is eligible for, and has activated for today."""
    dice = Dice("pim", scope, role, principal)
    definitions = f"/subscriptions/{place.subscription}/providers/{_AUTHORIZATION}/roleDefinitions"
    whom: Json = {"roleDefinitionId": f"{definitions}/{role}", "principalId": principal}
    whom |= {"principalType": "User", "scope": scope}
    span = {"startDateTime": "2026-11-02T07:12:40Z", "endDateTime": "2026-11-02T11:12:40Z"}
    year = {"startDateTime": "2026-01-12T09:00:00Z", "endDateTime": "2027-01-12T09:00:00Z"}
    grant = {"status": "Provisioned", "memberType": "Direct"}
    parts: tuple[tuple[str, Json], ...] = (
        ("roleAssignments", {}),
        ("roleAssignmentScheduleInstances", grant | {"assignmentType": "Activated"} | span),
        ("roleEligibilityScheduleInstances", grant | year),
    )
    found = []
    for name, more in parts:
        kind, own = f"{_AUTHORIZATION}/{name}", dice.guid()
        found.append(
            {
                "id": f"{scope}/providers/{kind}/{own}",
                "name": own,
                "type": kind,
                "properties": whom | more,
            }
        )
    return found


def standing_role(scope: str, role: str, principal: str, place: Place) -> list[Json]:
    """Return a role that somebody holds for good, as the schedules show it too."""
    found = activated_role(scope, role, principal, place)[:2]
    found[1]["properties"] |= {"assignmentType": "Assigned", "endDateTime": None}
    return found


def flow_log(place: Place, name: str, target: str) -> Json:
    """Return a flow log of a network, a subnet or an interface."""
    kind = "Microsoft.Network/networkWatchers/flowLogs"
    watch = place.beside("NetworkWatcherRG")
    found = resource(watch.id(kind, f"NetworkWatcher_{place.region}", name), kind, watch)
    store = place.id("Microsoft.Storage/storageAccounts", "stflowlogs")
    found["properties"] = {
        "provisioningState": "Succeeded",
        "targetResourceId": target,
        "storageId": store,
        "enabled": True,
        "retentionPolicy": {"days": 30, "enabled": True},
        "format": {"type": "JSON", "version": 2},
    }
    return found


def log_hub(place: Place, name: str) -> list[Json]:
    """Return a workspace for logs, and that Sentinel watches it."""
    kind, state = "Microsoft.OperationalInsights/workspaces", "Microsoft.SecurityInsights/onboardingStates"
    workspace = resource(place.id(kind, name), kind, place)
    workspace["properties"] = {"sku": {"name": "PerGB2018"}, "retentionInDays": 90}
    own = f"{workspace['id']}/providers/{state}/default"
    return [workspace, {"id": own, "name": "default", "type": state, "properties": {}}]


def collection_rule(place: Place, name: str, workspace: str) -> Json:
    """Return a data collection rule that sends counters and logs to a workspace."""
    kind = "Microsoft.Insights/dataCollectionRules"
    found = resource(place.id(kind, name), kind, place)
    found["properties"] = {
        "provisioningState": "Succeeded",
        "destinations": {"logAnalytics": [{"workspaceResourceId": workspace, "name": "central"}]},
        "dataFlows": [{"streams": ["Microsoft-Perf", "Microsoft-Syslog"], "destinations": ["central"]}],
    }
    return found


def patch_schedule(place: Place, name: str, members: list[Machine]) -> list[Json]:
    """Return a maintenance configuration, and its assignment to VMs that install updates by it."""
    kind, link = "Microsoft.Maintenance/maintenanceConfigurations", "configurationAssignments"
    found = resource(place.id(kind, name), kind, place)
    window = {"startDateTime": "2026-01-04 01:00", "duration": "03:00", "recurEvery": "Week Sunday"}
    found["properties"] = {"maintenanceScope": "InGuestPatch", "maintenanceWindow": window}
    links: list[Json] = [
        {
            "id": f"{vm.id}/providers/Microsoft.Maintenance/{link}/{name}",
            "name": name,
            "type": f"Microsoft.Maintenance/{link}",
            "location": vm.place.region,
            "properties": {"maintenanceConfigurationId": found["id"], "resourceId": vm.id},
        }
        for vm in members
    ]
    return [found, *links]
