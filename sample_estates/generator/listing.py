"""Which resource types the invented estates were asked for in full; see `listed_types` in docs/estate.md."""

INVENTORY: tuple[str, ...] = (
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Compute/availabilitySets",
    "Microsoft.Compute/diskEncryptionSets",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/skus",
    "Microsoft.Compute/snapshots",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachines/extensions",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/routeTables",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.RecoveryServices/vaults",
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
    "Microsoft.RecoveryServices/vaults/backupPolicies",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Resources/subscriptions",
    "Microsoft.Security/pricings",
)
"""What a team gets that asks with the list commands of `az`, one after the other."""

WHOLE: tuple[str, ...] = tuple(
    sorted(
        (
            *INVENTORY,
            "Microsoft.Authorization/policyAssignments",
            "Microsoft.Authorization/policyExemptions",
            "Microsoft.Authorization/roleAssignmentScheduleInstances",
            "Microsoft.Authorization/roleEligibilityScheduleInstances",
            "Microsoft.Compute/galleries",
            "Microsoft.Compute/galleries/images",
            "Microsoft.Compute/galleries/images/versions",
            "Microsoft.Compute/proximityPlacementGroups",
            "Microsoft.Compute/restorePointCollections",
            "Microsoft.Compute/restorePointCollections/restorePoints",
            "Microsoft.Compute/virtualMachineScaleSets",
            "Microsoft.Compute/virtualMachines/patchAssessmentResults",
            "Microsoft.Features/providers/features",
            "Microsoft.GuestConfiguration/guestConfigurationAssignments",
            "Microsoft.Insights/dataCollectionRuleAssociations",
            "Microsoft.Insights/dataCollectionRules",
            "Microsoft.KeyVault/vaults/keys",
            "Microsoft.Maintenance/configurationAssignments",
            "Microsoft.Maintenance/maintenanceConfigurations",
            "Microsoft.ManagedIdentity/userAssignedIdentities",
            "Microsoft.Network/applicationGateways",
            "Microsoft.Network/applicationSecurityGroups",
            "Microsoft.Network/azureFirewalls",
            "Microsoft.Network/bastionHosts",
            "Microsoft.Network/effectiveSecurityAdminRules",
            "Microsoft.Network/firewallPolicies",
            "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
            "Microsoft.Network/natGateways",
            "Microsoft.Network/networkWatchers/flowLogs",
            "Microsoft.OperationalInsights/workspaces",
            "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
            "/replicationProtectedItems",
            "Microsoft.Security/assessments",
            "Microsoft.Security/assessments/governanceAssignments",
            "Microsoft.Security/locations/jitNetworkAccessPolicies",
            "Microsoft.Security/settings",
            "Microsoft.SecurityInsights/onboardingStates",
        )
    )
)
"""What somebody gets who asks Azure Resource Graph and the REST interfaces beside it for everything."""
