"""Where each resource type of an inventory comes from, and why: one row a type.

Resource Graph first: it answers a thousand resources of all subscriptions at once. Resource Manager only for
what Resource Graph does not have. A type that is not in these tables is not collected, and never listed.
"""

from msgspec import Struct


class GraphTable(Struct, frozen=True):
    """A table of Resource Graph and the types that are asked of it."""

    name: str
    kinds: tuple[str, ...]
    reach: str = ""
    """The authorizationScopeFilter, where what hangs above a subscription counts too."""

    @property
    def query(self) -> str:
        """Return the query: whole rows, in an order that pages can be cut from."""
        wanted = ", ".join(f"'{kind.lower()}'" for kind in self.kinds)
        return f"{self.name} | where type in~ ({wanted}) | order by id asc"


class ArmList(Struct, frozen=True):
    """A list of Resource Manager, asked once for each of what `each` names."""

    kind: str
    path: str
    """With `{id}` for what it is asked of, and `{name}` for a region."""
    each: str
    """`subscription`, `region`, or the type of the resource that it is asked of."""
    why: str
    inner: str = ""
    """Where the answer is one resource: the property that has the list."""
    is_whole: bool = True
    """Whether everything of the type is asked for; if not, what is absent may exist all the same."""


VM = "Microsoft.Compute/virtualMachines"
SUBSCRIPTION = "Microsoft.Resources/subscriptions"
GROUP = "Microsoft.Resources/subscriptions/resourceGroups"
VAULT = "Microsoft.KeyVault/vaults"
RESTORE_POINTS = "Microsoft.Compute/restorePointCollections"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"
ENCRYPTION_SET = "Microsoft.Compute/diskEncryptionSets"
HOST_POOL = "Microsoft.DesktopVirtualization/hostPools"
SKU = "Microsoft.Compute/skus"
_BACKUP = "Microsoft.RecoveryServices/vaults"

CONTAINERS = GraphTable("ResourceContainers", (SUBSCRIPTION, GROUP))
"""Asked first: it says which subscriptions there are."""

TABLES = (
    GraphTable(
        "Resources",
        (
            "Microsoft.Compute/availabilitySets",
            ENCRYPTION_SET,
            "Microsoft.Compute/disks",
            "Microsoft.Compute/galleries",
            "Microsoft.Compute/galleries/images",
            "Microsoft.Compute/galleries/images/versions",
            "Microsoft.Compute/proximityPlacementGroups",
            RESTORE_POINTS,
            "Microsoft.Compute/snapshots",
            VM,
            "Microsoft.Compute/virtualMachines/extensions",
            "Microsoft.Compute/virtualMachineScaleSets",
            HOST_POOL,
            "Microsoft.DesktopVirtualization/scalingPlans",
            "Microsoft.DevTestLab/schedules",
            "Microsoft.Insights/dataCollectionRules",
            VAULT,
            "Microsoft.Maintenance/maintenanceConfigurations",
            "Microsoft.ManagedIdentity/userAssignedIdentities",
            "Microsoft.Network/applicationGateways",
            "Microsoft.Network/applicationSecurityGroups",
            "Microsoft.Network/azureFirewalls",
            "Microsoft.Network/bastionHosts",
            "Microsoft.Network/firewallPolicies",
            "Microsoft.Network/loadBalancers",
            "Microsoft.Network/natGateways",
            "Microsoft.Network/networkInterfaces",
            "Microsoft.Network/networkSecurityGroups",
            "Microsoft.Network/networkWatchers/flowLogs",
            "Microsoft.Network/publicIPAddresses",
            "Microsoft.Network/routeTables",
            "Microsoft.Network/virtualNetworks",
            WORKSPACE,
            "Microsoft.OperationsManagement/solutions",
            _BACKUP,
            "Microsoft.SqlVirtualMachine/sqlVirtualMachines",
        ),
    ),
    GraphTable(
        "RecoveryServicesResources",
        (
            f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems",
            f"{_BACKUP}/backupPolicies",
            f"{_BACKUP}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems",
        ),
    ),
    GraphTable(
        "SecurityResources",
        (
            "Microsoft.Security/assessments",
            "Microsoft.Security/assessments/governanceAssignments",
            "Microsoft.Security/pricings",
        ),
    ),
    GraphTable(
        "PolicyResources",
        ("Microsoft.Authorization/policyAssignments", "Microsoft.Authorization/policyExemptions"),
        "AtScopeAboveAndBelow",
    ),
    GraphTable(
        "AuthorizationResources", ("Microsoft.Authorization/roleAssignments",), "AtScopeAboveAndBelow"
    ),
    GraphTable("PatchAssessmentResources", ("Microsoft.Compute/virtualMachines/patchAssessmentResults",)),
    GraphTable("MaintenanceResources", ("Microsoft.Maintenance/configurationAssignments",)),
    GraphTable(
        "GuestConfigurationResources", ("Microsoft.GuestConfiguration/guestConfigurationAssignments",)
    ),
    GraphTable("InsightResources", ("Microsoft.Insights/dataCollectionRuleAssociations",)),
    GraphTable(
        "NetworkResources",
        (
            "Microsoft.Network/effectiveSecurityAdminRules",
            "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
        ),
    ),
)

VIEWS = ArmList(
    VM,
    "{id}/providers/Microsoft.Compute/virtualMachines?api-version=2024-11-01&statusOnly=true",
    "subscription",
    "Resource Graph keeps power state, generation and system of a machine, not its agent and its disks; "
    "and it lags behind: only this list proves that no machine is missing.",
)
LISTS = (
    VIEWS,
    ArmList(
        "Microsoft.Authorization/locks",
        "{id}/providers/Microsoft.Authorization/locks?api-version=2020-05-01",
        "subscription",
        "Locks are in no table.",
    ),
    ArmList(
        "Microsoft.Authorization/roleAssignmentScheduleInstances",
        "{id}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances?api-version=2020-10-01",
        "subscription",
        "Roles that are active for a time are in no table.",
    ),
    ArmList(
        "Microsoft.Authorization/roleEligibilityScheduleInstances",
        "{id}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances?api-version=2020-10-01",
        "subscription",
        "Roles that can be activated are in no table.",
    ),
    ArmList(
        "Microsoft.Features/providers/features",
        "{id}/providers/Microsoft.Features/providers/Microsoft.Compute/features?api-version=2021-07-01",
        "subscription",
        "The table of features does not have them under these ids. Asked of the compute provider alone.",
        is_whole=False,
    ),
    ArmList(
        "Microsoft.Security/locations/jitNetworkAccessPolicies",
        "{id}/providers/Microsoft.Security/jitNetworkAccessPolicies?api-version=2020-01-01",
        "subscription",
        "Just-in-time policies are in no table.",
    ),
    ArmList(
        "Microsoft.Security/settings",
        "{id}/providers/Microsoft.Security/settings?api-version=2022-05-01",
        "subscription",
        "Settings of Defender for Cloud are in no table.",
    ),
    ArmList(
        SKU,
        "{id}/providers/Microsoft.Compute/skus?api-version=2021-07-01&$filter=location eq '{name}'",
        "region",
        "Sizes are no resources. Asked once for each region with machines.",
        is_whole=False,
    ),
    ArmList(
        "Microsoft.KeyVault/vaults/keys",
        "{id}/keys?api-version=2023-07-01",
        VAULT,
        "Keys are in no table. Asked of the vaults that encryption sets name.",
        is_whole=False,
    ),
    ArmList(
        "Microsoft.Compute/restorePointCollections/restorePoints",
        "{id}?api-version=2024-11-01&$expand=restorePoints",
        RESTORE_POINTS,
        "The table has the collections without their points.",
        inner="restorePoints",
    ),
    ArmList(
        f"{HOST_POOL}/sessionHosts",
        "{id}/sessionHosts?api-version=2024-04-03",
        HOST_POOL,
        "Which machine is in which host pool is in no table.",
    ),
    ArmList(
        "Microsoft.SecurityInsights/onboardingStates",
        "{id}/providers/Microsoft.SecurityInsights/onboardingStates?api-version=2024-03-01",
        WORKSPACE,
        "Whether a workspace has Sentinel is in no table.",
    ),
)

NOT_COLLECTED = {
    f"{_BACKUP}/backupFabrics/protectionContainers/protectedItems/recoveryPoints": (
        "One request for each protected machine; the restore points of the disks say what matters."
    ),
}
"""Types that rules know and nobody asks for, with the reason: rules answer *unknown* where they need them."""
