"""The Azure CLI works on locks, roles and features of a served twin."""

import pytest

from tests.clients.cli import AzureCli

pytestmark = pytest.mark.clients

WEB = "--resource-group rg-storefront --name sf-web-01"
ON_WEB = (
    "--resource-group rg-storefront --resource sf-web-01 --resource-type Microsoft.Compute/virtualMachines"
)
SOMEBODY = "0f7d6c7e-7c0a-4c6e-9a43-3f6c2f1f7a10"


def test_a_lock_keeps_a_machine_running(az: AzureCli) -> None:
    """Under a ReadOnly lock a machine is not deallocated; without it, it is.

    Lock your resources, https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
    """
    assert "ReadOnly" == az.ask(f"lock create -n keep --lock-type ReadOnly {ON_WEB}")["level"]
    assert ["keep"] == [each["name"] for each in az.ask(f"lock list {ON_WEB}")]
    assert (1, "ScopeLocked") == az.refused(f"vm deallocate {WEB}")
    assert "running" == az.power("sf-web-01")
    az.ask(f"lock delete -n keep {ON_WEB}")
    assert [] == az.ask(f"lock list {ON_WEB}")
    az.ask(f"vm deallocate {WEB}")
    assert "deallocated" == az.power("sf-web-01")


def test_roles_are_assigned_by_their_names(az: AzureCli) -> None:
    """A role is found by its name, assigned on a group, listed with its name, and taken back.

    az role assignment, https://learn.microsoft.com/cli/azure/role/assignment
    """
    scope = f"/subscriptions/{az.ask('account show')['id']}/resourceGroups/rg-backoffice"
    made = az.ask(
        "role assignment create --assignee-object-id {who} --assignee-principal-type ServicePrincipal "
        "--role Reader --scope {scope}",
        who=SOMEBODY,
        scope=scope,
    )
    listed = az.ask("role assignment list --scope {scope}", scope=scope)
    assert [("Reader", scope)] == [
        (each["roleDefinitionName"], each["scope"]) for each in listed if each["principalId"] == SOMEBODY
    ]
    assert SOMEBODY == az.truth(made["id"])["properties"]["principalId"]
    az.ask("role assignment delete --ids {id}", id=made["id"])
    assert az.truth(made["id"]) is None


def test_a_role_of_a_new_identity_waits_for_the_directory(az: AzureCli) -> None:
    """`az vm identity assign` with a role tries again until the directory knows the new principal.

    Troubleshoot Azure RBAC, https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
    """
    scope = f"/subscriptions/{az.ask('account show')['id']}/resourceGroups/rg-storefront"
    made = az.ask(
        "vm identity assign -g rg-storefront -n sf-app-02 --role Reader --scope {scope}", scope=scope
    )
    holders = {each["principalId"] for each in az.ask("role assignment list --scope {scope}", scope=scope)}
    assert made["systemAssignedIdentity"] in holders


def test_features_register_in_their_time(az: AzureCli) -> None:
    """A feature goes through Registering to Registered.

    az feature, https://learn.microsoft.com/cli/azure/feature
    """
    name = "--namespace Microsoft.Compute --name UseStandardSecurityType"
    assert "Registering" == az.ask(f"feature register {name}")["properties"]["state"]
    az.wait(1200)
    assert "Registered" == az.ask(f"feature show {name}")["properties"]["state"]
    assert "Registered" == az.ask("provider show -n Microsoft.Compute")["registrationState"]


def test_whoever_logs_in_is_in_the_tenant_of_the_estate(az: AzureCli) -> None:
    """The login has the estate's subscription and tenant.

    az account, https://learn.microsoft.com/cli/azure/account
    """
    account = az.ask("account show")
    assert (az.environment["AZURE_TENANT_ID"], "Twin") == (account["tenantId"], account["environmentName"])
    assert [account["id"]] == [each["id"] for each in az.ask("account list")]
